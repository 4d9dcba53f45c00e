/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of a tick, and the rows worth learning. */
#include <stdlib.h>

#include "clean.h"

bool clean_add(struct clean *c, const struct clean_conf *f, const struct clean_row *r)
{
	uint64_t dropped = r->dropped < r->count[0] ? r->dropped : r->count[0];

	c->sources++;
	c->passed += r->count[0] - dropped;
	if (r->sev >= f->hot_sev)
		c->hot += r->count[0] - dropped;
	if (!r->observe)
		return false;
	c->sent += r->count[0];
	c->dropped += dropped;
	return r->sev <= f->max_sev && !r->drop_rl && (double)r->count[0] >= f->min_pps * r->dt;
}

int clean_keep(struct clean *c, const struct prefix *x, const struct clean_row *r)
{
	struct sample_row *p;

	if (c->n == c->cap) {
		p = realloc(c->row, (c->cap ? 2 * c->cap : 1024) * sizeof(*p));
		if (!p)
			return -1;
		c->row = p;
		c->cap = c->cap ? 2 * c->cap : 1024;
	}
	p = &c->row[c->n++];
	p->x = *x;
	for (int m = 0; m < METRICS; m++)
		p->rate[m] = (float)((double)r->count[m] / r->dt);
	return 0;
}

bool clean_tick(const struct clean *c, const struct clean_conf *f)
{
	return (double)c->hot <= f->hot_share * (double)c->passed &&
	       (f->drop_share <= 0 || (double)c->dropped <= f->drop_share * (double)c->sent);
}

void clean_next(struct clean *c)
{
	c->passed = c->hot = c->sent = c->dropped = 0;
	c->sources = 0;
	c->n = 0;
}
