/* SPDX-License-Identifier: BSD-2-Clause */
/* The formula of severity. */
#include "score.h"

/* a * b + c in one rounding is another number. GCC never does that under -std=c11
 * and does not know the pragma; clang does both. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

struct score score_of(const struct score_conf *c, const uint64_t count[SIGNALS], double dt)
{
	double ratio[SIGNALS], term[SIGNALS], sum = 0, top = 0;
	const double *lead = c->combine == SCORE_SUM ? term : ratio;
	struct score s = { 0, SIG_PPS };
	int i;

	for (i = 0; i < SIGNALS; i++) {
		ratio[i] = ratio_of(count[i], dt, c->trig[i]);
		if (ratio[i] > c->cap)
			ratio[i] = c->cap;
		term[i] = c->weight[i] * ratio[i];
		sum += term[i];
		if (ratio[i] > top)
			top = ratio[i];
	}
	for (i = 1; i < SIGNALS; i++)
		if (lead[i] > lead[s.why])
			s.why = i;
	s.sev = c->combine == SCORE_MAX && top > sum ? top : sum;
	if (s.sev <= 0)
		s.why = -1;
	return s;
}

double score_top(const struct score_conf *c)
{
	double weights = 0;

	for (int i = 0; i < SIGNALS; i++)
		weights += c->weight[i];
	return c->combine == SCORE_MAX && weights < 1 ? c->cap : c->cap * weights;
}
