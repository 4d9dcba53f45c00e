/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps and phases in numbers, the sample against what its draw promises. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../lib/core/tune.h"

static double toward(double old, double target, double cap, double alpha, int phase)
{
	struct tune_phase p = { phase, 1, 0, cap, cap, alpha };

	return tune_toward(old, target, &p);
}

static void steps(void **state)
{
	double boot = 400, steady = 400;

	assert_float_equal(toward(400, 80, .1, .1, 1), 360, 1e-9);
	assert_float_equal(toward(400, 80, .05, .1, 0), 398, 1e-9);
	assert_float_equal(toward(100, 500, .1, .1, 1), 110, 1e-9);
	assert_float_equal(toward(100, 500, .1, .1, 0), 101, 1e-9);
	assert_true(toward(100, 90, .1, 0, 1) >= 90);
	assert_float_equal(toward(400, 80, .1, 0, 0), 360, 1e-9);
	assert_float_equal(toward(400, 80, .1, 1, 0), 360, 1e-9);
	assert_float_equal(toward(400, 80, 0, 0, 1), 80, 1e-9);
	for (int i = 0; i < 17; i++) {
		boot = toward(boot, 80, .1, .1, 1);
		steady = toward(steady, 80, .05, .2, 0);
	}
	assert_true(boot <= 82 && boot < steady);
}

static void phases(void **state)
{
	const int64_t hour = 3600000;
	struct tune_conf c = tune_defaults;
	struct tune t = { 0 };
	struct tune_phase p;

	const struct { int64_t observed; int number; double k; int64_t every; } want[] = {
		{ 0, 1, 4, hour }, { hour, 1, 4 - .5 / 336, hour }, { 48 * hour - 1, 1, 4 - .5 * 48 / 336, hour },
		{ 48 * hour, 2, 4 - .5 * 48 / 336, 6 * hour }, { 120 * hour, 3, 4 - .5 * 120 / 336, 24 * hour },
		{ 336 * hour - 1, 3, 3.5, 24 * hour }, { 336 * hour, 0, 3.5, 84 * hour }, { 1000 * hour, 0, 3.5, 84 * hour },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		t.observed = want[i].observed;
		p = tune_phase(&c, &t);
		assert_int_equal(p.number, want[i].number);
		assert_int_equal(p.every, want[i].every);
		assert_float_equal(p.k, want[i].k, 1e-6);
	}
	c.bootstrap = 0;
	t.observed = 0;
	p = tune_phase(&c, &t);
	assert_int_equal(p.number, 0);
	assert_int_equal(p.every, 24 * hour);
}

static int up(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double middle(float *v, size_t n)
{
	qsort(v, n, sizeof(*v), up);
	return n & 1 ? (double)v[n / 2] : ((double)v[n / 2 - 1] + (double)v[n / 2]) / 2;
}

static void medians(void **state)
{
	static float scratch[500], v[500];
	struct prefix x = { .len = 128 };
	struct sample s;
	double med, mad;

	for (size_t n = 1; n < 500; n = n * 3 / 2 + 1) {
		assert_int_equal(sample_init(&s, 500, 1000, n), 0);
		sample_time(&s, 0);
		for (size_t i = 0; i < n; i++) {
			float rate[METRICS] = { 1, 2, (float)(rand() % 50), 4 };

			v[i] = rate[2];
			assert_true(sample_offer(&s, &x, rate));
		}
		sample_median(&s, 2, scratch, &med, &mad);
		assert_float_equal(med, middle(v, n), 1e-6);
		for (size_t i = 0; i < n; i++)
			v[i] = fabsf(v[i] - (float)med);
		assert_float_equal(mad, middle(v, n), 1e-6);
		sample_free(&s);
	}
}

/* Offers of three half-lives, as many in each: of the last half as many are in it as of both others. */
static void fades(void **state)
{
	struct prefix x = { .len = 128 };
	size_t seen[3] = { 0 };
	struct sample s;

	assert_int_equal(sample_init(&s, 7000, 1000, 42), 0);
	for (int t = 0; t < 3; t++) {
		float rate[METRICS] = { (float)t };

		sample_time(&s, 1700000000000 + t * 1000);
		for (int i = 0; i < 200000; i++)
			sample_offer(&s, &x, rate);
	}
	assert_int_equal(s.n, 7000);
	for (size_t i = 0; i < s.n; i++) {
		seen[(int)s.row[i].rate[0]]++;
		assert_true(!i || s.row[(i - 1) / 2].key <= s.row[i].key);
	}
	for (int t = 0; t < 3; t++)	/* of 7 parts 1, 2 and 4: five standard deviations */
		assert_true(fabs((double)seen[t] - 1000 * (1 << t)) < 5 * sqrt(1000 * (1 << t)));
	sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
		cmocka_unit_test(phases),
		cmocka_unit_test(medians),
		cmocka_unit_test(fades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
