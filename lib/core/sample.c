/* SPDX-License-Identifier: BSD-2-Clause */
/* A heap by key, and medians by partition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

int sample_init(struct sample *s, size_t cap, int64_t half_life, uint64_t seed)
{
	*s = (struct sample){ .cap = cap, .half_life = half_life, .seed = seed, .at = -1 };
	s->row = malloc(cap * sizeof(*s->row));
	return s->row ? 0 : -1;
}

void sample_free(struct sample *s)
{
	free(s->row);
}

/* splitmix64 (Steele, Lea and Flood 2014): its state is a counter, easily kept in a file. */
static uint64_t draw(struct sample *s)
{
	uint64_t z = s->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static double age(const struct sample *s)
{
	return (double)s->at / (double)s->half_life * M_LN2;
}

/* What of the draws leads to a key that is not above the smallest: u with age - ln(-ln u) <= key. A
 * little less, so that rounding keeps nobody out; the key itself is compared too. */
static void renew(struct sample *s)
{
	double u = s->n < s->cap ? 0 : exp(-exp(age(s) - s->row[0].key)) * (1 - 1e-9);

	s->below = u >= 1 ? UINT64_MAX : (uint64_t)(u * 0x1p64);
}

void sample_time(struct sample *s, int64_t ms)
{
	s->at = ms;
	renew(s);
}

static void sift_down(struct sample *s, struct sample_row r)
{
	size_t i = 0, c;

	while ((c = 2 * i + 1) < s->n) {
		if (c + 1 < s->n && s->row[c + 1].key < s->row[c].key)
			c++;
		if (r.key <= s->row[c].key)
			break;
		s->row[i] = s->row[c];
		i = c;
	}
	s->row[i] = r;
}

static void sift_up(struct sample *s, struct sample_row r)
{
	size_t i = s->n++, up;

	for (; i && s->row[up = (i - 1) / 2].key > r.key; i = up)
		s->row[i] = s->row[up];
	s->row[i] = r;
}

bool sample_offer(struct sample *s, const struct prefix *x, const float rate[METRICS])
{
	uint64_t u = draw(s);
	struct sample_row r;
	int i;

	if (u < s->below)
		return false;
	r.x = *x;
	r.key = age(s) - log(-log(((double)(u >> 11) + .5) * 0x1p-53));
	for (i = 0; i < METRICS; i++)
		r.rate[i] = rate[i];
	if (s->n < s->cap) {
		sift_up(s, r);
		if (s->n == s->cap)
			renew(s);
		return true;
	}
	if (r.key <= s->row[0].key)
		return false;
	sift_down(s, r);
	renew(s);
	return true;
}

bool sample_put_back(struct sample *s, const struct sample_row *row)
{
	if (s->n == s->cap)
		return false;
	sift_up(s, *row);
	return true;
}

/* The k-th smallest of n > k; those below it come before it. (Hoare 1961) */
static float nth(float *v, size_t n, size_t k)
{
	size_t from = 0, to = n - 1, i, j;
	float mid, t;

	while (from < to) {
		mid = v[from + (to - from) / 2];
		i = from;
		j = to;
		while (i <= j) {
			while (v[i] < mid)
				i++;
			while (v[j] > mid)
				j--;
			if (i > j)
				break;
			t = v[i];
			v[i++] = v[j];
			v[j] = t;
			if (!j)
				break;
			j--;
		}
		if (k <= j)
			to = j;
		else if (k >= i)
			from = i;
		else
			break;
	}
	return v[k];
}

static double median(float *v, size_t n)
{
	double high = (double)nth(v, n, n / 2), low;
	size_t i;

	if (n & 1)
		return high;
	low = (double)v[0];	/* the largest of those before it */
	for (i = 1; i < n / 2; i++)
		if ((double)v[i] > low)
			low = (double)v[i];
	return (low + high) / 2;
}

void sample_median(const struct sample *s, int m, float *scratch, double *med, double *mad)
{
	size_t i;

	*med = *mad = 0;
	if (!s->n)
		return;
	for (i = 0; i < s->n; i++)
		scratch[i] = s->row[i].rate[m];
	*med = median(scratch, s->n);
	for (i = 0; i < s->n; i++)
		scratch[i] = fabsf(s->row[i].rate[m] - (float)*med);
	*mad = median(scratch, s->n);
}
