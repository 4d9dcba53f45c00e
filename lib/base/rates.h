/* SPDX-License-Identifier: BSD-2-Clause */
/* What a source did in a tick, from a row of src or what was made of it. */
#ifndef KL_RATES_H
#define KL_RATES_H

#include "memo.h"

#define RATES 4		/* packets, SYNs, distinct ports, bytes: the order of enum signal */

struct rates {
	double dt;			/* seconds, > 0 */
	uint64_t count[RATES];
	uint64_t dropped, drop_rl;	/* packets; the first includes the second */
};

struct rates_cols {		/* columns; those that are absent are -1 */
	int dt, count[RATES];
	int drop_rl, drop_deny, drop_allow;
	struct memo tick;
};
#define RATES_BIND(c) \
	{ "dt", &(c).dt, false }, { "pkts", &(c).count[0], false }, { "syn", &(c).count[1], false }, \
	{ "ports", &(c).count[2], false }, { "bytes", &(c).count[3], false }, \
	{ "drop_rl", &(c).drop_rl, true }, { "drop_deny", &(c).drop_deny, true }, \
	{ "drop_allow", &(c).drop_allow, true }

/* 0, or -1 after tsv_bad(). A missing port count is 0. */
int rates_get(struct rates_cols *c, const struct tsv_row *r, struct rates *out);

/* Is the cell that word? */
bool cell_is(const struct tsv_row *r, int col, const char *word);

#endif
