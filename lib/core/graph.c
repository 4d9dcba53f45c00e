/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows against the frozen baseline. */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

int graph_init(struct graph *g, const struct edgefile *f)
{
	size_t n = 0;

	*g = (struct graph){ .file = f };
	for (size_t i = 0; i < f->n; i++)
		n += f->e[i].src.len < 128;
	g->wide = malloc((n ? n : 1) * sizeof(const struct edgeline *));
	if (!g->wide)
		return -1;
	for (size_t i = 0; i < f->n; i++)
		if (f->e[i].src.len < 128)
			g->wide[g->wides++] = &f->e[i];
	return 0;
}

void graph_free(struct graph *g)
{
	free(g->wide);
	*g = (struct graph){ 0 };
}

static bool covers(const struct prefix *wide, const struct prefix *x)
{
	unsigned whole = wide->len / 8, rest = wide->len % 8;

	return !memcmp(wide->a, x->a, whole) && (!rest || !((wide->a[whole] ^ x->a[whole]) >> (8 - rest)));
}

/* The line that speaks of the flow: its own, else the longest prefix's; NULL: none does. */
static const struct edgeline *line_of(const struct graph *g, const struct flow *f)
{
	const struct edgeline key = { .src = f->src, .dir = f->out ? EDGE_OUT : EDGE_IN,
				      .proto = f->proto, .port = f->port };
	const struct edgeline *found = edgefile_find(g->file, &key), *w;

	if (found)
		return found;
	for (size_t i = 0; i < g->wides; i++) {
		w = g->wide[i];
		if (w->dir == key.dir && w->proto == key.proto && w->port == key.port &&
		    covers(&w->src, &f->src) && (!found || w->src.len > found->src.len))
			found = w;
	}
	return found;
}

/* Has the source any edge it may use? The file is in order of sources within a direction. */
static bool is_known(const struct graph *g, const struct flow *f)
{
	const struct edgeline key = { .src = f->src, .dir = EDGE_IN };
	size_t lo = 0, hi = g->file->n, mid;
	const struct edgeline *e;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (edgeline_cmp(&g->file->e[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < g->file->n; lo++) {
		e = &g->file->e[lo];
		if (e->dir != EDGE_IN || memcmp(&e->src, &f->src, sizeof(f->src)))
			break;
		if (e->state != EDGE_DENIED)
			return true;
	}
	for (lo = 0; lo < g->wides; lo++)
		if (g->wide[lo]->dir == EDGE_IN && g->wide[lo]->state != EDGE_DENIED &&
		    covers(&g->wide[lo]->src, &f->src))
			return true;
	return false;
}

struct verdict graph_judge(const struct graph *g, const struct graph_conf *c, const struct flow *f)
{
	const struct edgeline *e = line_of(g, f);
	struct verdict v = { .kind = KIND_NONE, .proven = f->est > 0 };

	if (e ? e->state != EDGE_DENIED : f->soft || c->mode == GRAPH_LEARN)
		return v;
	v.kind = e ? KIND_DENIED : KIND_NEW;
	v.score = e || c->mode == GRAPH_ENFORCE ? 95 : 70;
	if (f->out)		/* what this host does is told; nobody is to blame */
		return v.score = 70, v;
	v.known = is_known(g, f);
	v.strikes = v.proven || !v.known || c->force == FORCE_ALWAYS;
	v.force = c->mode == GRAPH_ENFORCE &&
		  (c->force == FORCE_ALWAYS || (c->force == FORCE_PROVEN && v.proven));
	return v;
}
