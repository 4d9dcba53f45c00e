/* SPDX-License-Identifier: BSD-2-Clause */
/* Listings of edges. */
#include <stdlib.h>
#include <unistd.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/num.h"
#include "../base/tsv.h"
#include "../core/period.h"
#include "schema.h"
#include "show.h"

#define ROW_MAX 1024

struct show {
	struct tsv_out out;
	int64_t now;
	uint64_t edges, pkts, bytes;
	bool keep; /* rehearsal: those that are kept are shown now */
	struct edgeline *wide; /* prefixes that were decided about */
	size_t wides;
};

static char *put_seen(char *p, int64_t ms)
{
	*p++ = '\t';
	if (ms)
		return put_time(p, ms);
	*p++ = '-';
	return p;
}

static char *put_count(char *p, uint64_t v)
{
	*p++ = '\t';
	return put_u64(p, v);
}

static char *put_key(char *p, int64_t now, const struct edge *e)
{
	p = put_time(p, now);
	*p++ = '\t';
	p = stpcpy(p, edge_dirs[e->k.dir]);
	*p++ = '\t';
	p = put_count(prefix_put(p, &e->k.src), e->k.port);
	*p++ = '\t';
	p = proto_put(p, &e->k.src, e->k.proto);
	*p++ = '\t';
	return stpcpy(p, learned_states[e->state]);
}

static void begin(struct show *w, struct sqlite *s, const char *header)
{
	*w = (struct show){ .now = edges_now(s) };
	tsv_out_init(&w->out, STDOUT_FILENO, "stdout");
	tsv_puts(&w->out, header);
}

static void list_row(void *self, const struct edge *e)
{
	struct show *w = self;
	char *p = put_key(tsv_room(&w->out, ROW_MAX), w->now, e);

	p = put_seen(put_seen(p, e->first_seen), e->last_seen);
	p = put_count(put_count(put_count(p, e->seen), e->windows), e->days_seen);
	p = put_count(put_count(put_count(p, e->pkts), e->bytes), e->obs);
	for (int i = 0; i < 6; i++) {
		*p++ = '\t';
		p = stpcpy(p, e->normal[i] ? e->normal[i] : "-");
	}
	*p++ = '\n';
	w->out.p = p;
	w->edges++;
	w->pkts += e->pkts;
	w->bytes += e->bytes;
}

void show_list(struct sqlite *s, const struct edges_of *of)
{
	struct show w;
	char *p;

	begin(&w, s, EDGE_HEADER "\n");
	edges_each(s, of, list_row, &w);
	p = put_time(tsv_room(&w.out, ROW_MAX), w.now);
	p = put_count(stpcpy(p, "\t-\t*\t-\t-\t-\t-\t-"), w.edges);
	p = put_count(put_count(stpcpy(p, "\t-\t-"), w.pkts), w.bytes);
	w.out.p = stpcpy(p, "\t-\t-\t-\t-\t-\t-\t-\n");
	tsv_out_close(&w.out);
}

static void note_wide(void *self, const struct edge *e)
{
	struct show *w = self;

	if (e->k.src.len == 128)
		return;
	w->wide = reallocarray(w->wide, w->wides + 1, sizeof(*w->wide));
	if (!w->wide)
		die(KL_SYSTEM, "out of memory");
	w->wide[w->wides] = e->k;
	w->wide[w->wides++].state = e->state == DENIED ? EDGE_DENIED : EDGE_APPROVED;
}

/* Would it be allowed? What was decided about the edge itself counts more than a prefix. */
static bool is_kept(const struct show *w, const struct edge *e)
{
	bool kept = e->state == LEARNED;

	if (e->state == APPROVED || e->state == FROZEN || e->state == DENIED)
		return e->state != DENIED;
	for (const struct edgeline *x = w->wide; x < w->wide + w->wides; x++) {
		if (x->dir != e->k.dir || x->port != e->k.port || x->proto != e->k.proto ||
		    !prefix_covers(&x->src, &e->k.src))
			continue;
		if (x->state == EDGE_DENIED)
			return false;
		kept = true;
	}
	return kept;
}

static void rehearsal_row(void *self, const struct edge *e)
{
	struct show *w = self;
	char period[PERIOD_TEXT] = "-", *p;

	if (e->state == DENIED || is_kept(w, e) != w->keep)
		return;
	if (e->last_seen)
		period_guess(e->days, e->last_seen / 86400000, period);
	p = put_seen(put_key(tsv_room(&w->out, ROW_MAX), w->now, e), e->last_seen);
	p = put_count(put_count(p, e->seen), e->days_seen);
	*p++ = '\t';
	p = stpcpy(p, period);
	w->out.p = stpcpy(p, w->keep ? "\tkeep\n" : "\tcut\n");
	w->edges++;
}

void show_rehearsal(struct sqlite *s, const struct edges_of *of)
{
	struct show w;
	uint64_t cut;
	char *p;

	begin(&w, s, REHEARSAL_HEADER "\n");
	edges_each(s, &(struct edges_of){ .states = "approved,denied" }, note_wide, &w);
	edges_each(s, of, rehearsal_row, &w);
	cut = w.edges;
	w.keep = true;
	edges_each(s, of, rehearsal_row, &w);
	p = put_time(tsv_room(&w.out, ROW_MAX), w.now);
	p = put_count(stpcpy(p, "\t-\t*\t-\t-\t-\t-"), w.edges);
	p = put_count(stpcpy(p, "\t-\t-"), cut);
	*p++ = '\n';
	w.out.p = p;
	tsv_out_close(&w.out);
	free(w.wide);
}
