/* SPDX-License-Identifier: BSD-2-Clause */
/* Phases and steps of the triggers. */
#include <math.h>

#include "score.h"
#include "tune.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define HOUR 3600000ll

const struct tune_conf tune_defaults = {
	.on = true, .bootstrap = true, .min_samples = 500,
	.floor = { [SIG_PPS] = 100, [SIG_SYN] = 50, [SIG_SCAN] = 20, [SIG_BPS] = 0 },
	.window = 336 * HOUR, .end1 = 48 * HOUR, .end2 = 120 * HOUR,
	.every = { HOUR, 6 * HOUR, 24 * HOUR }, .steady_every = 84 * HOUR, .autotune_every = 24 * HOUR,
	.k_start = 4, .k_final = 3.5, .k = 3.5,
	.up = { .10, .08, .05 }, .down = { .02, .03, .05 }, .alpha = { .10, .15, .20 },
	.steady_up = .05, .steady_down = .05, .steady_alpha = .2,
};

const char *tune_conf_bad(const struct tune_conf *c)
{
	if (c->end1 > c->end2)
		return "bootstrap-phase1-end is after bootstrap-phase2-end";
	if (c->end2 > c->window)
		return "bootstrap-phase2-end is after bootstrap-window";
	return NULL;
}

struct tune_phase tune_phase(const struct tune_conf *c, const struct tune *t)
{
	int n = t->observed < c->end1 ? 0 : t->observed < c->end2 ? 1 : 2;

	if (!c->bootstrap || t->observed >= c->window)
		return (struct tune_phase){
			0, c->bootstrap ? c->steady_every : c->autotune_every, c->k, c->steady_up,
			c->steady_down, c->steady_alpha
		};
	return (struct tune_phase){
		n + 1, c->every[n],
		c->k_start + (c->k_final - c->k_start) * ((double)t->observed / (double)c->window),
		c->up[n], c->down[n], c->alpha[n]
	};
}

double tune_toward(double old, double target, const struct tune_phase *p)
{
	double to = target, cap;

	if (target >= old && p->up > 0 && target > (cap = old * (1 + p->up)))
		to = cap;
	if (target < old && p->down > 0 && target < (cap = old * (1 - p->down)))
		to = cap;
	if (!p->number && p->alpha > 0 && p->alpha < 1)
		to = old * (1 - p->alpha) + to * p->alpha;
	return to;
}

bool tune_anew(struct tune *t, int m, double was, double given)
{
	if (fabs(was - given) < .001)
		return false;
	t->trig[m] = given;
	t->observed = 0;
	return true;
}

void tune_tick(struct tune *t, int64_t dt, bool clean)
{
	t->ticks++;
	if (!clean)
		return;
	t->clean++;
	t->observed += dt;
}

static double target_of(const struct tune_conf *c, const struct tune *t, const struct tune_phase *p,
			const struct tuned *d, int m, uint32_t sources)
{
	double to = d->median[m] + p->k * d->mad[m];

	if (to < c->floor[m])
		to = c->floor[m];
	if (p->number && c->min_windows && to < t->trig[m] && m != SIG_BPS &&
	    (t->revision < c->min_windows || (c->min_sources && sources < c->min_sources)))
		to = t->trig[m];
	return to;
}

bool tune_step(const struct tune_conf *c, struct tune *t, const struct sample *s, uint32_t sources,
	       int64_t now, float *scratch, struct tuned *out)
{
	struct tune_phase p = tune_phase(c, t);
	int m;

	if (!t->last || now < t->last)
		t->last = now;
	if (!c->on || !p.every || now - t->last < p.every)
		return false;
	t->last = now;
	if (!s->n || s->n < c->min_samples)
		return false;
	*out = (struct tuned){ .at = now, .phase = p.number, .k = p.k, .samples = s->n,
			       .clean = t->ticks ? (double)t->clean / (double)t->ticks : 0 };
	for (m = 0; m < METRICS; m++) {
		sample_median(s, m, scratch, &out->median[m], &out->mad[m]);
		if (t->trig[m] > 0 && (m != SIG_BPS || c->floor[m] > 0))
			t->trig[m] = tune_toward(t->trig[m], target_of(c, t, &p, out, m, sources), &p);
		out->trig[m] = t->trig[m];
	}
	out->revision = ++t->revision;
	return true;
}
