/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of schemas/level.tsv, as far as it is carried out. */
#ifndef KL_LEVELROW_H
#define KL_LEVELROW_H

#include "addr.h"
#include "tsv.h"

struct levelrow {
	int src, level, since, until;	/* columns */
	const char *const *words;	/* the levels, the lowest first */
	int n;
};

#define LEVELROW_BIND(c) \
	{ "src", &(c).src, false }, { "level", &(c).level, false }, { "since", &(c).since, false }, \
	{ "until", &(c).until, false }

/* What is wanted: times in Unix ms; *until < 0: the level has no end. Of a star row x is NULL, and a level
 * that is '-' the lowest. 0, or -1 after tsv_bad(). */
int levelrow_get(const struct levelrow *c, const struct tsv_row *r, struct prefix *x, int *level,
		 int64_t *since, int64_t *until);

/* Is the frame of that star row more than max ms away from now? Says so, and from which option. */
bool frame_stale(const struct tsv_row *star, int64_t now, int64_t max, const char *option);

#endif
