/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of schemas/score.tsv, as far as it is decided by. */
#ifndef KL_SCOREROW_H
#define KL_SCOREROW_H

#include "addr.h"
#include "memo.h"
#include "tsv.h"

#define SCOREROW_SEV 1e9	/* no severity is above */

struct scorerow {
	int dt, src, drop_rl, sev, why;	/* columns */
	struct memo tick;
};

#define SCOREROW_BIND(c) \
	{ "dt", &(c).dt, false }, { "src", &(c).src, false }, { "sev", &(c).sev, false }, \
	{ "drop_rl", &(c).drop_rl, false }, { "why", &(c).why, false }

/* *x: whose row it is; *drop: packets a second its limit dropped. 0, or -1 after tsv_bad(). */
int scorerow_get(struct scorerow *c, const struct tsv_row *r, struct prefix *x, double *sev, double *drop);
/* Of a star row. 1: it has a severity; 0: none; -1 after tsv_bad(). */
int scorerow_star(const struct scorerow *c, const struct tsv_row *star, double *sev);

#endif
