/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be learned from: sources that are left alone and quiet, in ticks in
 * which little of what passed was hot. A source that is limited or blocked
 * spoils nothing: what it sent and did not get through is not held against a tick.
 */
#ifndef KL_CLEAN_H
#define KL_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

struct clean_conf {
	double max_sev;		/* of a source that is learned from */
	double min_pps;		/* it sends at least that */
	double hot_sev;		/* from here on a source is hot */
	double hot_share;	/* 0..1 of all packets that passed; more from hot ones: not clean */
	double drop_share;	/* 0..1 of what sources in OBSERVE sent; more dropped: not clean; 0 any */
};
#define CLEAN_DEFAULTS { .8, 3, 1, .005, .02 }

struct clean_row {
	double dt;
	uint64_t count[METRICS];
	uint64_t dropped, drop_rl;
	double sev;
	bool observe;			/* neither limited nor blocked */
};

struct clean {			/* the tick under way; zeroed: a new one */
	uint64_t passed, hot;		/* packets */
	uint64_t sent, dropped;		/* of sources in OBSERVE */
	uint32_t sources;
	struct sample_row *row;		/* what may be learned, without keys */
	size_t n, cap;
};

/* One source of the tick; true: its rates may be learned, clean_keep() them. */
bool clean_add(struct clean *c, const struct clean_conf *f, const struct clean_row *r);
/* 0, or -1 without memory. */
int clean_keep(struct clean *c, const struct prefix *x, const struct clean_row *r);
/* All sources were added: is the tick clean? */
bool clean_tick(const struct clean *c, const struct clean_conf *f);
/* On to the next one; keeps the memory. */
void clean_next(struct clean *c);

#endif
