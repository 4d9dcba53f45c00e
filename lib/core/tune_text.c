/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of kl-tune's state, both ways. */
#include <string.h>

#include "../base/num.h"
#include "tune_text.h"

/* Columns from src on. */
enum { SRC, KIND, AT, REVISION, PHASE, K, OBSERVED, TICKS, CLEAN, TRIG, MEDIAN = TRIG + METRICS,
       MAD = MEDIAN + METRICS, SAMPLES = MAD + METRICS, SEED };

void history_add(struct history *h, const struct tuned *d, bool imported)
{
	size_t keep = h->n < HISTORY ? h->n : HISTORY - 1;

	memmove(h->step + 1, h->step, keep * sizeof(*h->step));
	memmove(h->imported + 1, h->imported, keep * sizeof(*h->imported));
	h->step[0] = *d;
	h->imported[0] = imported;
	h->n = keep + 1;
}

bool learned_from(struct learned *l, int m, double given)
{
	double was = l->given[m];

	l->given[m] = given;
	return l->known && tune_anew(&l->tune, m, was, given);
}

static char *tab_f64(char *p, double v, int decimals)
{
	*p++ = '\t';
	return put_f64(p, v, decimals);
}

static char *tab_u64(char *p, uint64_t v)
{
	*p++ = '\t';
	return put_u64(p, v);
}

static char *four(char *p, const double v[METRICS])
{
	for (int m = 0; m < METRICS; m++)
		p = v ? tab_f64(p, v[m], 3) : stpcpy(p, "\t-");
	return p;
}

static char *begin(char *p, const char *kind, int64_t at, uint64_t revision, int phase, double k)
{
	p = stpcpy(stpcpy(stpcpy(p, "-\t"), kind), "\t");
	p = at ? put_time(p, at) : stpcpy(p, "-");
	p = tab_u64(p, revision);
	*p++ = '\t';
	p = phase ? put_u64(p, (uint64_t)phase) : stpcpy(p, "steady");
	return tab_f64(p, k, 3);
}

static char *now_put(char *p, const struct learned *l)
{
	struct tune_phase phase = tune_phase(l->conf, &l->tune), *ph = &phase;
	const struct tune *t = &l->tune;
	const struct sample *s = &l->sample;

	p = begin(p, "now", t->last, t->revision, ph->number, ph->k);
	p = tab_f64(p, (double)t->observed / 1000, 3);
	p = tab_u64(p, t->ticks);
	p = tab_f64(p, t->ticks ? (double)t->clean / (double)t->ticks : 0, 6);
	p = four(four(four(p, t->trig), NULL), NULL);
	return tab_u64(tab_u64(p, s->n), s->seed);
}

static char *tuned_put(char *p, const struct tuned *d, bool imported)
{
	p = begin(p, imported ? "imported" : "tuned", d->at, d->revision, d->phase, d->k);
	p = tab_f64(stpcpy(p, "\t-\t-"), d->clean, 6);
	p = four(four(four(p, d->trig), d->median), d->mad);
	return stpcpy(tab_u64(p, d->samples), "\t-");
}

static char *given_put(char *p, const struct learned *l)
{
	p = stpcpy(begin(p, "given", 0, 0, 0, 0), "\t-\t-\t0.000000");
	return stpcpy(four(four(four(p, l->given), NULL), NULL), "\t0\t-");
}

char *tune_put(void *learned, size_t i, char *p)
{
	const struct learned *l = learned;

	if (i < 2)
		return i ? given_put(p, l) : now_put(p, l);
	return tuned_put(p, &l->history.step[i - 2], l->history.imported[i - 2]);
}

char *sample_put(void *learned, size_t i, char *p)
{
	const struct sample_row *r = &((struct learned *)learned)->sample.row[i];

	p = prefix_put(p, &r->x);
	for (int m = 0; m < METRICS; m++)
		p = tab_f64(p, (double)r->rate[m], 3);
	return tab_f64(p, r->key, 9);
}

static bool is(const char *cell, uint32_t len, const char *word)
{
	return len == strlen(word) && !memcmp(cell, word, len);
}

/* Numbers >= 0; -1, or which is none. */
static int get_four(double v[METRICS], int col, const char *const cell[], const uint32_t len[])
{
	for (int m = 0; m < METRICS; m++)
		if (get_f64(cell[col + m], len[col + m], &v[m]) || v[m] < 0)
			return col + m;
	return -1;
}

static int get_head(struct tuned *d, const char *const cell[], const uint32_t len[], const char **want)
{
	uint64_t phase = 0;

	*want = "not a Unix time with three decimals";
	if (!is(cell[AT], len[AT], "-") && get_time(cell[AT], len[AT], &d->at))
		return AT;
	*want = "not a whole number";
	if (get_u64(cell[REVISION], len[REVISION], &d->revision))
		return REVISION;
	*want = "not 1, 2, 3 or steady";
	if (!is(cell[PHASE], len[PHASE], "steady") &&
	    (get_u64(cell[PHASE], len[PHASE], &phase) || phase < 1 || phase > PHASES))
		return PHASE;
	d->phase = (int)phase;
	*want = "not a number >= 0";
	if (get_f64(cell[K], len[K], &d->k) || d->k < 0)
		return K;
	if (get_f64(cell[CLEAN], len[CLEAN], &d->clean) || d->clean < 0 || d->clean > 1)
		return CLEAN;
	return get_four(d->trig, TRIG, cell, len);
}

int tune_get(void *learned, const char *const cell[], const uint32_t len[], const char **want)
{
	struct learned *l = learned;
	struct history *h = &l->history;
	struct tune *t = &l->tune;
	bool imported = is(cell[KIND], len[KIND], "imported");
	struct tuned d = { 0 };
	uint64_t samples;
	double observed;
	int bad = get_head(&d, cell, len, want);

	if (bad >= 0)
		return bad;
	if (is(cell[KIND], len[KIND], "given")) {
		memcpy(l->given, d.trig, sizeof(l->given));
		l->known = true;
		return -1;
	}
	if (!is(cell[KIND], len[KIND], "now")) {
		if (!imported && !is(cell[KIND], len[KIND], "tuned"))
			return *want = "not now, given, tuned or imported", KIND;
		bad = get_four(d.median, MEDIAN, cell, len);
		if (bad < 0)
			bad = get_four(d.mad, MAD, cell, len);
		if (bad >= 0)
			return bad;
		if (get_u64(cell[SAMPLES], len[SAMPLES], &samples))
			return *want = "not a whole number", SAMPLES;
		d.samples = samples;
		if (h->n < HISTORY) {
			h->imported[h->n] = imported;
			h->step[h->n++] = d;
		}
		return -1;
	}
	if (get_f64(cell[OBSERVED], len[OBSERVED], &observed) || observed < 0 || observed > 1e12)
		return OBSERVED;
	*want = "not a whole number";
	if (get_u64(cell[TICKS], len[TICKS], &t->ticks))
		return TICKS;
	if (get_u64(cell[SEED], len[SEED], &l->sample.seed))
		return SEED;
	t->observed = (int64_t)(observed * 1000 + .5);
	t->clean = (uint64_t)((double)t->ticks * d.clean + .5);
	t->last = d.at;
	t->revision = d.revision;
	memcpy(t->trig, d.trig, sizeof(t->trig));
	return -1;
}

int sample_get(void *learned, const char *const cell[], const uint32_t len[], const char **want)
{
	struct learned *l = learned;
	struct sample_row row, *r = &row;
	double v;
	int m;

	*want = "not an address or prefix";
	if (prefix_get(cell[0], len[0], &r->x))
		return 0;
	*want = "not a number >= 0";
	for (m = 0; m < METRICS; m++) {
		if (get_f64(cell[1 + m], len[1 + m], &v) || v < 0)
			return 1 + m;
		r->rate[m] = (float)v;
	}
	if (get_f64(cell[1 + METRICS], len[1 + METRICS], &r->key))
		return 1 + METRICS;
	*want = "one more than are kept";
	return sample_put_back(&l->sample, r) ? -1 : 0;
}
