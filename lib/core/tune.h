/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the triggers of this host should be: median + K raw MADs of what its
 * sources do, at most so much up or down at a time. Pure.
 *
 * While bootstrapping - the first window of observed time, in three phases -
 * steps are larger and more frequent; K falls from start to final over it.
 */
#ifndef KL_TUNE_H
#define KL_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "sample.h"

#define PHASES 3

struct tune_conf {
	int on, bootstrap;		/* 0 or 1 */
	uint32_t min_samples;		/* fewer: no step */
	uint32_t min_windows, min_sources;	/* fewer: none falls while bootstrapping; 0: no guard */
	double floor[METRICS];		/* a trigger never falls below; of bps 0: not tuned */
	int64_t window, end1, end2;	/* observed ms: of the bootstrap, of its phases 1 and 2 */
	int64_t every[PHASES], steady_every, autotune_every;	/* ms; the last: bootstrap off */
	double k_start, k_final, k;	/* k: after the bootstrap */
	double up[PHASES], down[PHASES], alpha[PHASES];	/* alpha: smoothing, of no use while bootstrapping */
	double steady_up, steady_down, steady_alpha;	/* up, down: largest relative change, 0 any */
};

struct tune_phase {
	int number;		/* 1 to 3; 0: steady */
	int64_t every;		/* ms; 0: never */
	double k, up, down, alpha;
};

struct tune {			/* the state; 0 a new one, but for trig */
	double trig[METRICS];
	int64_t observed;	/* ms of clean ticks */
	int64_t last;		/* when a step was due last, Unix ms; 0: not yet */
	uint64_t ticks, clean, revision;
};

/* What a step saw, for the history. */
struct tuned {
	int64_t at;		/* Unix ms */
	uint64_t revision;
	int phase;
	double k, clean;	/* clean: share of the ticks */
	double trig[METRICS], median[METRICS], mad[METRICS];
	size_t samples;
};

extern const struct tune_conf tune_defaults;

/* NULL, or what is wrong: a setting's name and what it must be. Static. */
const char *tune_conf_bad(const struct tune_conf *c);

struct tune_phase tune_phase(const struct tune_conf *c, const struct tune *t);

/* One trigger from old towards target, which is at least its floor. */
double tune_toward(double old, double target, const struct tune_phase *p);

/* The trigger m is given as another than what learning began from: it begins there again, and the bootstrap
 * with it. False: it is the same, to three decimals. */
bool tune_anew(struct tune *t, int m, double was, double given);

/* A tick of dt ms is over, clean or not. */
void tune_tick(struct tune *t, int64_t dt, bool clean);

/*
 * Is a step due now (Unix ms)? If so makes it, unless there are too few samples. True: *out
 * says what was done, t->trig is new. A trigger of 0 is not looked at and stays. sources: the
 * most that were active in a tick since the last step. scratch: room for s->n.
 */
bool tune_step(const struct tune_conf *c, struct tune *t, const struct sample *s, uint32_t sources,
	       int64_t now, float *scratch, struct tuned *out);

#endif
