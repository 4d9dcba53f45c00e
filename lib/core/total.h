/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host as a whole: packets, SYNs and strangers of a tick, each held against
 * a trigger. That of strangers follows what was learned: never below the one
 * given, and a multiple of the highest mean of a minute seen lately.
 * Pure; times are milliseconds of the data.
 *
 * A table of sources that was just made knows nobody: everyone is a stranger in
 * it. So nothing is judged in the time to warm up, which begins at the first
 * frame and behind every gap. What came to the trigger teaches nothing, and the peak
 * grows by TOTAL_GROWTH an hour at most.
 */
#ifndef KL_TOTAL_H
#define KL_TOTAL_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/addr.h"

#define TOTAL_GAP      60000	/* so long without a frame, and all begins anew but what was learned */
#define TOTAL_MEAN     60.0	/* seconds the mean looks back */
#define TOTAL_HALF     21600.0	/* seconds in which the peak halves */
#define TOTAL_GROWTH   2.0
#define TOTAL_SETTLED  6	/* this part of the warming up, at its beginning, teaches nothing */

enum { TOTAL_PPS, TOTAL_SYN, TOTAL_NEW, TOTALS };
struct total_cfg {
	double trig[TOTALS];	/* a second; 0: not looked at */
	double factor;		/* of strangers: so many times the peak */
	double cap;		/* no ratio counts for more */
	int64_t warmup;
};

struct total {
	struct prefix x;	/* ::/0: keep.h wants a key */
	int64_t since, time;	/* warms up since; the last frame; INT64_MIN: never */
	double mean, peak;	/* strangers a second; multiples of 10^-6 */
};

void total_init(struct total *t);

/* A tick of dt > 0 seconds that ends at now. count: of each; has_new: strangers were counted. *why: which
 * leads, -1 when none does. Returns the severity; below 0: nothing was looked at. */
double total_step(struct total *t, const struct total_cfg *c, const uint64_t count[TOTALS], bool has_new,
		  double dt, int64_t now, int *why);

/* Its cells in schemas/stranger.tsv and back, as lib/base/keep.h wants them. */
char *total_put(char *p, const void *total);
int total_get(void *total, const char *const cell[], const uint32_t len[], const char **want);

#endif
