/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Severity of a source in a tick: four rates, each held against its trigger.
 * rate = count / dt; ratio = rate / trigger, at most cap; 0 where the trigger is 0.
 */
#ifndef KL_SCORE_H
#define KL_SCORE_H

#include <stdint.h>

enum signal { SIG_PPS, SIG_SYN, SIG_SCAN, SIG_BPS, SIGNALS };

enum score_combine {
	SCORE_MAX,	/* the larger of the sum and the largest ratio: one signal is enough */
	SCORE_SUM,	/* the weighted sum alone */
};

/* How far a count of a tick of dt > 0 seconds is up to its trigger; 0 when that is 0. */
static inline double ratio_of(uint64_t count, double dt, double trig)
{
	return trig > 0 ? (double)count / dt / trig : 0;
}

struct score_conf {
	double trig[SIGNALS];	/* packets, SYNs, ports, bytes a second; 0: not looked at */
	double weight[SIGNALS];
	double cap;
	int combine;		/* enum score_combine */
};

struct score {
	double sev;
	int why;		/* enum signal that led; -1 when sev is 0 */
};

#define SCORE_MAX_SEV 1e9	/* what kl-fsm(1) takes: no source is worse than that */

/* The largest severity c allows. */
double score_top(const struct score_conf *c);

/* count: packets, SYNs, ports, bytes of a tick of dt > 0 seconds. The terms are added in the order
 * of enum signal, each product and sum rounded to double, so that results can be held against
 * another implementation bit by bit. */
struct score score_of(const struct score_conf *c, const uint64_t count[SIGNALS], double dt);

#endif
