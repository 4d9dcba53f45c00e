/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates against medians and peaks. */
#include "normal.h"

static double most(double a, double b)
{
	return a > b ? a : b;
}

/* base, and `step` more for each that f is over the limit. */
static unsigned score(unsigned base, double f, double limit, double step)
{
	double more = (f - limit) * step;

	return more >= 99 - base ? 99 : base + (unsigned)more;
}

size_t normal_judge(const struct normal *x, const struct normal_conf *c, int64_t ms, struct excess *out)
{
	static const double floors[RATES] = { [PPS] = 1, [BPS] = 1500 };
	double above[RATES], of_peak[RATES], rate, f;
	size_t n = 0;

	for (int i = 0; i < RATES; i++) {
		rate = (double)(i == PPS ? x->key.pkts : x->key.bytes) * 1000 / (double)ms;
		above[i] = (rate - x->median[i]) / most(x->mad[i], floors[i]);
		of_peak[i] = rate / most(x->peak[i], floors[i]);
	}
	f = most(above[PPS], above[BPS]);
	if (c->threshold > 0 && f > c->threshold)
		out[n++] = (struct excess){ above[BPS] > above[PPS] ? "bps-deviation" : "pps-deviation",
					    score(50, f, c->threshold, 10) };
	f = most(of_peak[PPS], of_peak[BPS]);
	if (c->tolerance > 0 && f > c->tolerance)
		out[n++] = (struct excess){ of_peak[BPS] > of_peak[PPS] ? "bps-peak" : "pps-peak",
					    score(60, f, c->tolerance, 20) };
	return n;
}
