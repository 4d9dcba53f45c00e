/* SPDX-License-Identifier: BSD-2-Clause */
/* Learning what is normal. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/num.h"
#include "baseline.h"

#define DAY	86400
#define STEP	300		/* seconds between two moves of peak and base: less is lost in rounding */
#define CREDIT	600		/* base grows for that long at most while its source was away */
#define SEED	1.5		/* times the mean: the first peak */
#define BURST	3		/* times its high: the peak that anybody may be taken to have */
#define LEAP	1.5		/* times the trigger for all: as far as base goes at once */
#define RATE_MAX 1e12		/* what kl-score(1) takes */
#define YOUNG	60		/* seconds unseen before who is not promoted goes, when room is needed */

struct noted {
	uint32_t at;		/* in normals */
	float rate[SIGNALS];
};

static uint32_t seconds(int64_t ms)
{
	return ms / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ms / 1000);
}

static float milli(double v)
{
	return (float)(rint(v * 1000) / 1000);
}

static bool promoted(const struct normal *n)
{
	return n->base[0] >= 0;
}

static double part(double have, double of)
{
	return have < of ? have / of : 1;
}

/* Facts of long standing weigh: how many rows, and for how long. */
bool normal_holds(const struct normal *n, const struct baseline_cfg *c, int64_t now)
{
	double age = seconds(now) > n->first ? seconds(now) - n->first : 0;

	return promoted(n) && .4 * part(n->obs, 100) + .4 * part(n->obs, 24) + .2 * part(age, 7 * DAY) >=
				      c->min_conf;
}

/* Where the trigger for all is not known only base counts: how much of the mean anybody may have
 * is not known either. */
double normal_allows(const struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], int i)
{
	double base = (double)n->base[i], steady = c->peak_mul * (double)n->high[i];

	return trig[i] > 0 && (double)n->mean[i] > steady && steady < base ? steady : base;
}

static double own_trigger(const struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS],
			  int i)
{
	double base = promoted(n) ? normal_allows(n, c, trig, i) : 0;

	return base > trig[i] ? base : trig[i];
}

/* high follows the mean, beyond what makes no more than the trigger for all up to limit. */
static void rise(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], int i,
		 double limit)
{
	double most = (double)n->mean[i], any = trig[i] / c->peak_mul;

	if (limit < any)
		limit = any;
	if (most > limit)
		most = limit;
	if (most > (double)n->high[i])
		n->high[i] = milli(most);
}

/* base follows the peak or, bursts being rare, what its high makes likely: down at
 * once; up at once to LEAP times what any source may do; beyond, up to limit. */
static void follow(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], int i,
		   double limit)
{
	double peak = (double)n->peak[i], burst = BURST * (double)n->high[i];
	double want = c->peak_mul * (trig[i] > 0 && burst > peak ? burst : peak);

	if (limit < LEAP * trig[i])
		limit = LEAP * trig[i];
	if (limit > RATE_MAX)
		limit = RATE_MAX;
	n->base[i] = milli(want < limit ? want : limit);
}

static void step(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], uint32_t now)
{
	double away, grow, decay;

	if (now < n->stepped)
		n->stepped = now;	/* time went back: that is no time at all */
	away = now - n->stepped;
	if (away < STEP)
		return;
	grow = pow(c->max_growth, (away < CREDIT ? away : CREDIT) / DAY);
	decay = c->half_life ? exp2(-away * 1000 / (double)c->half_life) : 1;
	n->stepped = now;
	for (int i = 0; i < SIGNALS; i++) {
		double peak = (double)n->peak[i] * decay, mean = (double)n->mean[i], was = (double)n->high[i];

		n->peak[i] = milli(peak > mean ? peak : mean);
		n->high[i] = milli(was * decay);
		rise(n, c, trig, i, was * grow);
		follow(n, c, trig, i, (double)n->base[i] * grow * grow);
	}
}

static void promote(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS], uint32_t now)
{
	n->stepped = now;
	for (int i = 0; i < SIGNALS; i++) {
		n->peak[i] = milli(SEED * (double)n->mean[i]);
		n->high[i] = 0;
		rise(n, c, trig, i, trig[i] > 0 ? 0 : INFINITY);
		follow(n, c, trig, i, trig[i] > 0 ? trig[i] : INFINITY);
	}
}

void normal_learn(struct normal *n, const struct baseline_cfg *c, const double trig[SIGNALS],
		  const float rate[SIGNALS], int64_t now)
{
	bool stable = promoted(n);
	double a = stable ? c->alpha_stable : c->alpha;

	n->last = seconds(now);
	for (int i = 0; i < SIGNALS; i++)
		if (trig[i] > 0 && (double)rate[i] >= own_trigger(n, c, trig, i))
			return;
	if (!n->obs)
		n->first = n->last;
	n->obs += n->obs < UINT32_MAX;
	if (stable)
		step(n, c, trig, n->last);
	for (int i = 0; i < SIGNALS; i++) {
		if (stable && rate[i] >= n->base[i] && trig[i] <= 0)
			continue;
		n->mean[i] = n->obs == 1 ? milli((double)rate[i])
					 : milli((1 - a) * (double)n->mean[i] + a * (double)rate[i]);
		if (!stable)
			continue;
		if (rate[i] > n->peak[i])
			n->peak[i] = milli((double)rate[i]);
		rise(n, c, trig, i, (double)n->high[i]);
		follow(n, c, trig, i, (double)n->base[i]);
	}
	if (!stable && n->obs >= c->min_obs)
		promote(n, c, trig, n->last);
}

/* ---- all of them ---- */

void baseline_init(struct baseline *b)
{
	table_init(&b->normals, sizeof(struct normal));
}

void baseline_free(struct baseline *b)
{
	table_free(&b->normals);
	free(b->noted);
}

int baseline_note(struct baseline *b, const struct prefix *x, struct normal *s, const double rate[SIGNALS],
		  int64_t now)
{
	struct noted *o;

	if (s)
		s->last = seconds(now);
	if (rate[SIG_PPS] < b->cfg->min_pps || (s && s->pending))
		return 0;
	if (!s && b->normals.n >= b->cfg->max_sources) {
		b->refused++;
		return 0;
	}
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap + b->cap / 2 : 256;

		o = realloc(b->noted, cap * sizeof(*o));
		if (!o)
			return -ENOMEM;
		b->noted = o;
		b->cap = cap;
	}
	if (!s) {
		s = table_get(&b->normals, x);
		for (int i = 0; i < SIGNALS; i++)
			s->base[i] = -1;
	}
	s->pending = true;
	o = &b->noted[b->n++];
	o->at = (uint32_t)((size_t)((unsigned char *)s - b->normals.entry) / b->normals.size);
	for (int i = 0; i < SIGNALS; i++)
		o->rate[i] = (float)(rate[i] < RATE_MAX ? rate[i] : RATE_MAX);
	return 0;
}

static int never_learned(void *entry, void *arg)
{
	(void)arg;
	return !((struct normal *)entry)->obs;
}

struct room {
	uint32_t now, oldest;	/* among those not promoted */
	bool young;		/* forget those */
};

static int forgotten(void *entry, void *arg)
{
	const struct normal *n = entry;
	struct room *r = arg;
	uint32_t unseen = r->now > n->last ? r->now - n->last : 0;

	if (promoted(n))
		return unseen > DAY;
	if (n->last < r->oldest)
		r->oldest = n->last;
	return unseen > YOUNG || (r->young && unseen && n->last == r->oldest);
}

static void make_room(struct baseline *b, int64_t now)
{
	struct room r = { .now = seconds(now), .oldest = UINT32_MAX };
	size_t had = b->normals.n;

	table_sweep(&b->normals, forgotten, &r);
	r.young = true;
	if (b->normals.n == had)
		table_sweep(&b->normals, forgotten, &r);
}

uint64_t baseline_frame(struct baseline *b, int64_t now)
{
	uint64_t refused = b->refused;
	bool fresh = false;

	for (size_t i = 0; i < b->n; i++) {
		struct normal *n = table_at(&b->normals, b->noted[i].at);

		normal_learn(n, b->cfg, b->trig, b->noted[i].rate, now);
		n->pending = false;
		fresh |= !n->obs;
	}
	b->n = 0;
	b->refused = 0;
	if (fresh)
		table_sweep(&b->normals, never_learned, NULL);
	if (refused)
		make_room(b, now);
	return refused;
}

void baseline_cut(struct baseline *b)
{
	for (size_t i = 0; i < b->n; i++)
		((struct normal *)table_at(&b->normals, b->noted[i].at))->pending = false;
	b->n = 0;
	b->refused = 0;
	table_sweep(&b->normals, never_learned, NULL);
}

/* ---- as text ---- */

static char *put_cell(char *p, double v)
{
	*p++ = '\t';
	if (v >= 0)
		return put_f64(p, v, 3);
	*p++ = '-';
	return p;
}

char *normal_put(char *p, const void *normal)
{
	const struct normal *n = normal;
	const uint32_t times[] = { n->first, n->last, n->stepped };
	int i;

	for (i = 0; i < SIGNALS; i++)
		p = put_cell(p, (double)n->mean[i]);
	for (i = 0; i < SIGNALS; i++)
		p = put_cell(p, promoted(n) ? (double)n->peak[i] : -1);
	for (i = 0; i < SIGNALS; i++)
		p = put_cell(p, promoted(n) ? (double)n->high[i] : -1);
	for (i = 0; i < SIGNALS; i++)
		p = put_cell(p, (double)n->base[i]);
	*p++ = '\t';
	p = put_u64(p, n->obs);
	for (i = 0; i < 3; i++) {
		*p++ = '\t';
		p = put_time(p, (int64_t)times[i] * 1000);
	}
	return p;
}

static int get_rate(float *to, const char *s, uint32_t n, bool may_miss)
{
	double v = -1;

	if (!(may_miss && n == 1 && *s == '-') && (get_f64(s, n, &v) || v < 0 || v > 1e18))
		return -1;
	*to = (float)v;
	return 0;
}

/* All of them are there, or none. */
static bool whole(const struct normal *n, int i)
{
	bool there = promoted(n);

	return (n->base[i] >= 0) == there && (n->peak[i] >= 0) == there && (n->high[i] >= 0) == there;
}

int normal_get(void *normal, const char *const cell[], const uint32_t len[], const char **want)
{
	struct normal *n = normal;
	uint32_t *const times[] = { &n->first, &n->last, &n->stepped };
	int64_t ms;
	int i, at = 0;

	*want = "not a number >= 0";
	for (i = 0; i < SIGNALS; i++, at++)
		if (get_rate(&n->mean[i], cell[at], len[at], false))
			return at;
	*want = "not a number >= 0, or -";
	for (i = 0; i < SIGNALS; i++, at++)
		if (get_rate(&n->peak[i], cell[at], len[at], true))
			return at;
	for (i = 0; i < SIGNALS; i++, at++)
		if (get_rate(&n->high[i], cell[at], len[at], true))
			return at;
	for (i = 0; i < SIGNALS; i++, at++)
		if (get_rate(&n->base[i], cell[at], len[at], true) || !whole(n, i))
			return at;
	for (i = 0; i < SIGNALS && !promoted(n); i++)
		n->peak[i] = n->high[i] = 0;
	*want = "not a whole number, 1 to 4294967295";
	if (get_u32(cell[at], len[at], &n->obs) || !n->obs)
		return at;
	*want = "not Unix seconds with three decimals";
	for (i = 0, at++; i < 3; i++, at++) {
		if (get_time(cell[at], len[at], &ms))
			return at;
		*times[i] = seconds(ms);
	}
	return -1;
}
