/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges as words. */
#include <string.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/num.h"
#include "../base/sqltext.h"
#include "pick.h"

void pick_table(struct sqlite *s, const char *table)
{
	fprintf(s->sql, "CREATE TEMP TABLE %s (dir, src, addr, last, bits, port, proto, named);\n", table);
}

void pick_put(struct sqlite *s, const char *table, const char *dir, const struct edgeline *k, bool named)
{
	char text[2 * SQL_SRC + 2 * SQL_ADDR + 64], *p = text;
	uint8_t last[16];

	prefix_last(&k->src, last);
	p = stpcpy(sql_src(p, &k->src), ", ");
	p = stpcpy(sql_addr(p, k->src.a), ", ");
	p = stpcpy(sql_addr(p, last), ", ");
	p = stpcpy(put_u64(p, k->src.len), ", ");
	p = stpcpy(put_u64(p, k->port), ", '");
	*stpcpy(proto_put(p, &k->src, k->proto), "'") = 0;
	fprintf(s->sql, "INSERT INTO %s VALUES(%s%s%s, %s, %d);\n", table, dir ? "'" : "", dir ? dir : "NULL",
		dir ? "'" : "", text, named);
}

int pick_words(struct sqlite *s, char **word)
{
	int edges = 0;

	pick_table(s, "picked");
	while (*word) {
		struct edgeline k = { 0 };
		const char *dir = NULL, *why = "no port";

		if (!strcmp(*word, edge_dirs[EDGE_IN]) || !strcmp(*word, edge_dirs[EDGE_OUT]))
			dir = *word++;
		switch (*word ? prefix_get(*word, strlen(*word), &k.src) : -1) {
		case -1:
			die(KL_USAGE, "not an address or prefix '%s'", *word ? *word : "");
		case -2:
			die(KL_USAGE, "bits set behind the prefix length '%s'", *word);
		}
		word++;
		if (*word && strchr(*word, '/'))
			why = edgeport_get(*word, strlen(*word), &k.src, &k.port, &k.proto);
		if (!why) {
			word++;
			edges++;
			dir = dir ? dir : edge_dirs[EDGE_IN];
		}
		pick_put(s, "picked", dir, &k, !why);
	}
	return edges;
}
