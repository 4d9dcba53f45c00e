/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the database as edges. */
#include <string.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/num.h"
#include "../base/sqltext.h"
#include "edges.h"

const char *const learned_states[] = {
	"candidate", "learned", "approved", "frozen", "denied", "expired", NULL
};

/* That of edgeline_cmp(). */
#define IS_4 "addr BETWEEN x'00000000000000000000ffff00000000' AND x'00000000000000000000ffffffffffff'"
#define EDGES_ORDER                                                                                          \
	"NOT " IS_4 ", addr, bits, CASE proto WHEN 'icmp' THEN iif(" IS_4 ", 1, 58) WHEN 'tcp' THEN 6 "      \
	"WHEN 'udp' THEN 17 ELSE CAST(proto AS INTEGER) END, port"

static int word_of(const char *const *words, const char *s, size_t n)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == n && !memcmp(words[i], s, n))
			return i;
	return -1;
}

bool edges_are_states(const char *list)
{
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (word_of(learned_states, list, n) < 0)
			return false;
		if (!list[n])
			return true;
	}
}

bool edges_key(struct edgeline *k, const char *dir, const char *src, const char *port, const char *proto)
{
	int way = word_of(edge_dirs, dir, strlen(dir));
	uint32_t number;

	*k = (struct edgeline){ 0 };
	if (way < 0 || prefix_get(src, strlen(src), &k->src) || get_u32(port, strlen(port), &number) ||
	    number > UINT16_MAX || proto_get(proto, strlen(proto), &k->src, &k->proto))
		return false;
	k->dir = (uint8_t)way;
	k->port = (uint16_t)number;
	return true;
}

int64_t edges_now(struct sqlite *s)
{
	fputs("SELECT last_tick FROM meta;\n", s->sql);
	return sqlite_number(s);
}

struct pass {
	const char *db;
	void (*each)(void *self, const struct edge *e);
	void *self;
};

static void row(void *self, char *cell[], int n)
{
	const struct pass *p = self;
	struct edge e = { 0 };
	uint64_t *const count[] = { (uint64_t *)&e.first_seen,
				    (uint64_t *)&e.last_seen,
				    &e.seen,
				    &e.windows,
				    &e.days_seen,
				    &e.days,
				    &e.pkts,
				    &e.bytes,
				    &e.obs };
	int state;

	if (n != 20 || !edges_key(&e.k, cell[0], cell[1], cell[2], cell[3]))
		die(KL_INPUT, "database '%s': a row that is no edge", p->db);
	state = word_of(learned_states, cell[4], strlen(cell[4]));
	if (state < 0)
		die(KL_INPUT, "database '%s': no state '%s'", p->db, cell[4]);
	e.state = (enum learned_state)state;
	for (int i = 0; i < 9; i++)
		if (cell[5 + i] && get_u64(cell[5 + i], strlen(cell[5 + i]), count[i]))
			die(KL_INPUT, "database '%s': not a count '%s'", p->db, cell[5 + i]);
	for (int i = 0; i < 6; i++)
		e.normal[i] = e.obs ? cell[14 + i] : NULL;
	p->each(p->self, &e);
}

void edges_each(struct sqlite *s, const struct edges_of *of, void (*each)(void *self, const struct edge *e),
		void *self)
{
	struct pass p = { s->db, each, self };
	char text[2 * SQL_ADDR + 16], *t;
	uint8_t last[16];

	fputs("SELECT dir, src, port, proto, state, first_seen, last_seen, seen, windows, days_seen, days,"
	      " pkts, bytes, obs, printf('%.3f', pps_median), printf('%.3f', max(pps_mad, pps_median / 20)),"
	      " printf('%.3f', pps_peak), printf('%.3f', bps_median),"
	      " printf('%.3f', max(bps_mad, bps_median / 20)), printf('%.3f', bps_peak)"
	      " FROM graph_edges LEFT JOIN edge_baselines ON edge = id WHERE true",
	      s->sql);
	for (const char *list = of->states; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		fprintf(s->sql, "%s'%.*s'", list == of->states ? " AND state IN (" : ", ",
			(int)strcspn(list, ","), list);
	if (of->states)
		fputs(")", s->sql);
	if (of->src) {
		prefix_last(of->src, last);
		t = stpcpy(sql_addr(text, of->src->a), " AND ");
		*sql_addr(t, last) = 0;
		fprintf(s->sql, " AND bits >= %u AND addr BETWEEN %s", of->src->len, text);
	}
	fputs(" ORDER BY dir, " EDGES_ORDER ";\n", s->sql);
	sqlite_run(s, row, &p);
}
