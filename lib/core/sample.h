/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded random sample of observations in which old ones fade: of all that
 * were offered, an observation made at time t is in it with a chance that
 * falls by half every half-life. Pure and deterministic: the same offers give
 * the same sample.
 *
 * Each offer draws a key, t / tau plus Gumbel noise, and the n largest keys
 * stay (Efraimidis and Spirakis 2006, weights exp(t / tau), in logarithms).
 */
#ifndef KL_SAMPLE_H
#define KL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/addr.h"

#define METRICS 4	/* pps, syn, scan, bps, in the order of enum signal */

struct sample_row {	/* the four of one source in one tick, kept together */
	struct prefix x;
	float rate[METRICS];	/* a second */
	double key;
};

struct sample {
	struct sample_row *row;	/* a heap: no key is below the first's */
	size_t n, cap;
	uint64_t seed;		/* of the noise; moves with every offer */
	int64_t half_life;	/* ms, > 0 */
	uint64_t below;		/* a draw up to this is not worth a key; for at */
	int64_t at;		/* time of the offers under way, ms; -1: none */
};

/* cap: rows at most, > 0. 0, or -1 without memory. */
int sample_init(struct sample *s, size_t cap, int64_t half_life, uint64_t seed);
void sample_free(struct sample *s);

/* The offers that follow were made at that time, Unix ms. */
void sample_time(struct sample *s, int64_t ms);
/* Offers the rates of x; true when they went in. Most offers to a full sample cost little. */
bool sample_offer(struct sample *s, const struct prefix *x, const float rate[METRICS]);
/* A row of an earlier run, with its key. False: the sample is full. */
bool sample_put_back(struct sample *s, const struct sample_row *row);

/* Median and raw median absolute deviation (no 1.4826) of metric m; 0 when empty. scratch: room for n. */
void sample_median(const struct sample *s, int m, float *scratch, double *median, double *mad);

#endif
