/* SPDX-License-Identifier: BSD-2-Clause */
/* What the whole host is used to, and how far a tick is above it. */
#include <math.h>

#include "../base/num.h"
#include "score.h"
#include "total.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

void total_init(struct total *t)
{
	*t = (struct total){ .since = INT64_MIN, .time = INT64_MIN };
}

static double rounded(double v)
{
	return v < 1e12 ? nearbyint(v * 1e6) / 1e6 : 1e12;
}

static double trigger(const struct total *t, const struct total_cfg *c)
{
	double learned = c->factor * t->peak;

	return learned > c->trig[TOTAL_NEW] ? learned : c->trig[TOTAL_NEW];
}

/* warm: the warming up is over; else the peak may be anything. */
static void learn(struct total *t, const struct total_cfg *c, double rate, double dt, bool warm)
{
	double floor = c->factor > 0 ? c->trig[TOTAL_NEW] / c->factor : 0, most, peak;

	t->mean = rounded(t->mean + (rate - t->mean) * (1 - exp(-dt / TOTAL_MEAN)));
	peak = t->peak * exp2(-dt / TOTAL_HALF);
	if (t->mean > peak) {
		most = (t->peak > floor ? t->peak : floor) * exp2(dt / 3600 * log2(TOTAL_GROWTH));
		peak = warm && t->mean > most ? most : t->mean;
	}
	t->peak = rounded(peak);
}

double total_step(struct total *t, const struct total_cfg *c, const uint64_t count[TOTALS], bool has_new,
		  double dt, int64_t now, int *why)
{
	bool on = false, warm;
	double ratio, top = 0;
	int i;

	if (t->time == INT64_MIN || now < t->time || now - t->time > TOTAL_GAP) {
		t->since = now;
		t->mean = t->time == INT64_MIN ? 0 : t->peak;
	}
	t->time = now;
	warm = now - t->since >= c->warmup;
	*why = -1;
	for (i = 0; i < TOTALS; i++) {
		if (c->trig[i] <= 0 || (i == TOTAL_NEW && !has_new))
			continue;
		on = true;
		ratio = ratio_of(count[i], dt, i == TOTAL_NEW ? trigger(t, c) : c->trig[i]);
		if (i == TOTAL_NEW && (ratio < 1 || !warm) && (now - t->since) * TOTAL_SETTLED >= c->warmup)
			learn(t, c, (double)count[i] / dt, dt, warm);
		if (warm && ratio > top) {
			top = ratio;
			*why = i;
		}
	}
	return !on ? -1 : top < c->cap ? top : c->cap;
}

char *total_put(char *p, const void *total)
{
	const struct total *t = total;

	*p++ = '\t';
	p = put_time(p, t->since);
	*p++ = '\t';
	p = put_f64(p, t->mean, 6);
	*p++ = '\t';
	return put_f64(p, t->peak, 6);
}

int total_get(void *total, const char *const cell[], const uint32_t len[], const char **want)
{
	struct total *t = total;

	*want = "a time in seconds with three decimals";
	if (get_time(cell[0], len[0], &t->since))
		return 0;
	*want = "a number, 0 to 1000000000000";
	for (int i = 1; i < 3; i++) {
		double *to = i == 1 ? &t->mean : &t->peak;

		if (get_f64(cell[i], len[i], to) || *to < 0 || *to > 1e12)
			return i;
	}
	return -1;
}
