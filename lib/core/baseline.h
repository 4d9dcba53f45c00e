/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is normal for each source: a mean that follows its rates (EWMA), a peak of the
 * rates and a high of the mean, which decay. From them come its own triggers: what
 * it may do for a moment, base, and for long. Pure; times are milliseconds of the data.
 * 100 bytes a source, and its index.
 *
 * Nobody can teach it much in little time: a rate at or above the source's trigger is
 * not learned, and beyond the trigger for all high grows by max_growth a day at most and
 * base by its square: who sends for long is held against his high, so bursts may have room.
 * One who grows faster is ahead of his high soon, however high his peaks.
 */
#ifndef KL_BASELINE_H
#define KL_BASELINE_H

#include <stdbool.h>

#include "../base/table.h"
#include "score.h"

struct baseline_cfg {
	double alpha, alpha_stable;	/* weight of a new rate before and after promotion */
	double min_pps;			/* rows below are not learned */
	double peak_mul;		/* base = peak * that */
	double min_conf;		/* confidence, 0..1, before base counts */
	double max_growth;		/* >= 1: times a day */
	int64_t half_life;		/* of the peak above the mean; 0: it stays */
	uint32_t min_obs;		/* observations before promotion, >= 1 */
	uint32_t max_sources;
};
#define BASELINE_DEFAULTS { .alpha = .10, .alpha_stable = .02, .min_pps = 3, .peak_mul = 1.2, \
			    .min_conf = .4, .max_growth = 2, .half_life = 1209600000, .min_obs = 30, \
			    .max_sources = 100000 }

struct normal {
	struct prefix x;
	bool pending;		/* the frame under way has a row of it */
	uint32_t obs;		/* rows learned from */
	uint32_t first, last, stepped;	/* Unix seconds: learned from, seen, peak and base moved */
	/* Multiples of 0.001, so that they are the same after being read back from text. base < 0:
	 * not promoted yet. */
	float mean[SIGNALS], peak[SIGNALS], high[SIGNALS], base[SIGNALS];
};

struct baseline {
	const struct baseline_cfg *cfg;
	const double *trig;		/* SIGNALS of them, for all sources; 0: not known */
	struct table normals;		/* struct normal */
	struct noted *noted;		/* rows of the frame under way */
	size_t n, cap;
	uint64_t refused;		/* sources of it that there is no room for */
};

void baseline_init(struct baseline *b);		/* cfg and trig are the caller's to set */
void baseline_free(struct baseline *b);

/* What a promoted source may do in the next tick: base or, while its mean is beyond peak_mul times its
 * high, that much. trig: for all sources. */
double normal_allows(const struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], int i);
/* Whether that counts at that time. */
bool normal_holds(const struct normal *n, const struct baseline_cfg *c, int64_t now);

/* The frame under way has a row of x with these rates that may be learned from. s: what
 * table_find() says of x. 0; -ENOMEM. */
int baseline_note(struct baseline *b, const struct prefix *x, struct normal *s, const double rate[SIGNALS],
		  int64_t now);
/* The frame is whole: learns. Returns for how many sources there was no room. For those of the next frame
 * it then makes some: whom nobody saw for a day goes, and of those not promoted whom nobody saw for a minute
 * or, when that is nobody, the longest unseen. */
uint64_t baseline_frame(struct baseline *b, int64_t now);
/* It never will be. */
void baseline_cut(struct baseline *b);

/* One row: moves n on. Exposed for tests. */
void normal_learn(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS],
		  const float rate[SIGNALS], int64_t now);

/* A source's cells in schemas/baseline.tsv behind src, and back, as lib/base/keep.h wants them. */
char *normal_put(char *p, const void *normal);
int normal_get(void *normal, const char *const cell[], const uint32_t len[], const char **want);

#endif
