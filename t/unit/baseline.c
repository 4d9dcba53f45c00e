/* SPDX-License-Identifier: BSD-2-Clause */
/* What is normal for a source: promotion, what it may do, how fast that moves, text and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/core/baseline.h"

static const struct baseline_cfg cfg = BASELINE_DEFAULTS;
static const double unknown[SIGNALS], web[SIGNALS] = { 1200, 250, 20, 0 };

static struct normal fresh(void)
{
	return (struct normal){ .base = { -1, -1, -1, -1 } };
}

/* n seconds at pps packets a second, from *t on. */
static void run(struct normal *s, const double trig[SIGNALS], double pps, int n, int64_t *t)
{
	const float rate[SIGNALS] = { (float)pps, (float)(pps / 10), 1, (float)(pps * 100) };

	for (; n > 0; n--, *t += 1000)
		normal_learn(s, &cfg, trig, rate, *t);
}

static void thirty_rows_promote(void **state)
{
	struct normal s = fresh();
	int64_t t = 1000000;

	run(&s, unknown, 100, 29, &t);
	assert_true(s.base[0] < 0 && !normal_holds(&s, &cfg, t));
	run(&s, unknown, 100, 1, &t);
	assert_true(s.mean[0] == 100 && s.peak[0] == 150 && s.high[0] == 100 && s.base[0] == 180);
	assert_true(s.base[1] == 18 && s.base[2] == 1.8f && s.base[3] == 18000);
	/* 0.4 * 30/100 + 0.4, and no age to speak of. */
	assert_true(normal_holds(&s, &cfg, t));
	assert_false(normal_holds(&s, &(struct baseline_cfg){ .min_conf = .53 }, t));
	assert_true(normal_holds(&s, &(struct baseline_cfg){ .min_conf = .71 }, t + 7 * 86400000ll));
}

static void the_mean_is_an_ewma_of_two_speeds(void **state)
{
	struct normal s = fresh();
	int64_t t = 1000000;
	double mean = 50;

	run(&s, web, 50, 1, &t);
	for (int i = 1; i < 30; i++) {
		run(&s, web, i % 2 ? 70 : 50, 1, &t);
		mean = rint((.9 * mean + .1 * (i % 2 ? 70 : 50)) * 1000) / 1000;
	}
	assert_true(fabs(s.mean[0] - mean) < .002);
	run(&s, web, 70, 1, &t);
	assert_true(fabs(s.mean[0] - (.98 * mean + .02 * 70)) < .002);
}

static void nobody_begins_above_the_trigger_for_all(void **state)
{
	struct normal s = fresh();
	int64_t t = 1000000;

	run(&s, web, 1100, 30, &t);
	/* For a moment half as much again, and beyond four times as much a day: in an hour 4^(1/24). */
	assert_true(s.base[0] == 1800);
	assert_true(s.high[0] == 1000);
	run(&s, web, 1150, 3600, &t);
	assert_true(s.base[0] > 1890 && s.base[0] < 1908);
	/* For long no more than anybody. */
	assert_true(fabs(s.high[0] - 1000) < 40);
}

static void at_its_trigger_it_teaches_nothing(void **state)
{
	struct normal s = fresh(), was;
	int64_t t = 1000000;

	run(&s, web, 100, 40, &t);
	was = s;
	run(&s, web, 1200, 1000, &t);
	was.last = s.last;
	assert_memory_equal(&s, &was, sizeof(s));
	run(&s, web, 1199, 1, &t);
	assert_true(s.peak[0] == 1199 && fabs(s.base[0] - 1.2f * 1199) < .01);
}

/* Known bursts of ten times the mean; 10 percent more every hour from 100 on. Where it meets its trigger. */
static double ramp(const double trig[SIGNALS])
{
	const double all[SIGNALS] = { 1200, 250, 20, 0 };
	struct normal s = fresh();
	int64_t t = 1000000, from;
	double rate = 0;

	for (int day = 0; day < 48; day++) {
		run(&s, all, 100, 595, &t);
		run(&s, all, 1000, 5, &t);
	}
	assert_true(s.base[0] > 1190);
	for (from = t; rate < 1e5; ) {
		rate = 100 * pow(1.1, (double)(t - from) / 3600000);
		if (rate >= fmax(trig[0], normal_allows(&s, &cfg, trig, 0)))
			break;
		run(&s, trig, rate, 1, &t);
	}
	return rate / 100;
}

static void who_grows_is_met_at_the_high_not_at_the_peak(void **state)
{
	double low[SIGNALS] = { 150, 250, 20, 0 }, mid[SIGNALS] = { 300, 250, 20, 0 };

	assert_in_range((int)(ramp(low) * 100), 150, 250);
	assert_in_range((int)(ramp(mid) * 100), 300, 340);
}

static void a_peak_decays_to_the_mean(void **state)
{
	struct normal s = fresh();
	int64_t t = 1000000;

	run(&s, web, 100, 30, &t);
	run(&s, web, 1000, 1, &t);
	run(&s, web, 100, 300, &t);
	assert_true(s.peak[0] > 990);
	t += 14 * 86400000ll;
	run(&s, web, 100, 1, &t);
	assert_true(s.peak[0] > 495 && s.peak[0] < 501);
	t += 1400 * 86400000ll;
	run(&s, web, 100, 1, &t);
	assert_true(s.peak[0] < 101 && s.base[0] < 3.6f * s.high[0] + .01f && s.high[0] < 101);
}

static void time_that_goes_back_or_far_is_harmless(void **state)
{
	struct normal s = fresh();
	int64_t t = 2000000000;

	run(&s, web, 1100, 600, &t);
	t = 0;
	run(&s, web, 1100, 1000, &t);
	assert_true(s.base[0] >= 1800 && s.base[0] < 1850 && s.mean[0] > 1099);
	t = INT64_MAX - 2000000;
	run(&s, web, 1100, 100, &t);
	assert_true(s.last == UINT32_MAX && s.base[0] >= 1800 && s.base[0] < 2200);
}

static void text_and_back(void **state)
{
	struct normal s = fresh(), back = { 0 };
	const char *cell[20], *want;
	uint32_t len[20];
	char text[1024], *p;
	int64_t t = 1700000000000;
	int n = 0;

	srand(3);
	for (int i = 0; i < 2000; i++) {
		run(&s, web, (double)(rand() % 100000) / 97, 1, &t);
		p = normal_put(text, &s);
		*p = 0;
		n = 0;
		for (char *q = text; *q; n++) {
			cell[n] = ++q;
			q += len[n] = (uint32_t)strcspn(q, "\t");
		}
		assert_int_equal(n, 20);
		memset(&back, 0, sizeof(back));
		assert_int_equal(normal_get(&back, cell, len, &want), -1);
		assert_memory_equal(&back, &s, sizeof(s));
	}
	cell[12] = "-";
	len[12] = 1;
	assert_int_equal(normal_get(&back, cell, len, &want), 12);
	assert_string_equal(want, "not a number >= 0, or -");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thirty_rows_promote),
		cmocka_unit_test(the_mean_is_an_ewma_of_two_speeds),
		cmocka_unit_test(nobody_begins_above_the_trigger_for_all),
		cmocka_unit_test(at_its_trigger_it_teaches_nothing),
		cmocka_unit_test(who_grows_is_met_at_the_high_not_at_the_peak),
		cmocka_unit_test(a_peak_decays_to_the_mean),
		cmocka_unit_test(time_that_goes_back_or_far_is_harmless),
		cmocka_unit_test(text_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
