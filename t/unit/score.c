/* SPDX-License-Identifier: BSD-2-Clause */
/* The formula of severity, term by term. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/core/score.h"

static const struct score_conf web = { { 1200, 250, 20, 0 }, { .55, .30, .15, 0 }, 3, SCORE_MAX };

static struct score run(struct score_conf c, int combine, uint64_t pps, uint64_t syn, uint64_t scan, uint64_t bps,
			double dt)
{
	const uint64_t count[SIGNALS] = { pps, syn, scan, bps };

	c.combine = combine;
	return score_of(&c, count, dt);
}

#define CHECK(s, want_sev, want_why)                                                                                   \
	do {                                                                                                           \
		struct score s_ = (s);                                                                                 \
		assert_true(s_.sev == (want_sev));                                                                     \
		assert_int_equal(s_.why, (want_why));                                                                  \
	} while (0)

static void nothing_is_nothing(void **state)
{
	CHECK(run(web, SCORE_MAX, 0, 0, 0, 0, 1), 0, -1);
	CHECK(run(web, SCORE_SUM, 0, 0, 0, 1000000, 1), 0, -1);
}

static void sum_is_weighted(void **state)
{
	CHECK(run(web, SCORE_SUM, 1200, 0, 0, 0, 1), .55, SIG_PPS);
	CHECK(run(web, SCORE_SUM, 0, 250, 0, 0, 1), .30, SIG_SYN);
	CHECK(run(web, SCORE_SUM, 0, 0, 20, 0, 1), .15, SIG_SCAN);
	CHECK(run(web, SCORE_SUM, 600, 500, 10, 0, 1), (.55 * .5 + .30 * 2) + .15 * .5, SIG_SYN);
}

static void max_takes_one_signal_for_enough(void **state)
{
	CHECK(run(web, SCORE_MAX, 0, 750, 0, 0, 1), 3, SIG_SYN);
	CHECK(run(web, SCORE_SUM, 0, 750, 0, 0, 1), .30 * 3, SIG_SYN);
	CHECK(run(web, SCORE_MAX, 0, 0, 40, 0, 1), 2, SIG_SCAN);
}

static void max_keeps_a_larger_sum(void **state)
{
	struct score_conf c = { { 10, 10, 0, 0 }, { 1, 1, 1, 1 }, 3, SCORE_MAX };

	CHECK(run(c, SCORE_MAX, 10, 5, 0, 0, 1), 1.5, SIG_PPS);
}

static void ratios_are_capped_one_by_one(void **state)
{
	CHECK(run(web, SCORE_SUM, 1000000, 1000000, 1000000, 0, 1), (.55 * 3 + .30 * 3) + .15 * 3, SIG_PPS);
	CHECK(run(web, SCORE_MAX, 1000000, 0, 0, 0, 1), 3, SIG_PPS);
	CHECK(run(web, SCORE_MAX, UINT64_MAX, 0, 0, 0, .001), 3, SIG_PPS);
}

static void a_trigger_of_zero_is_off(void **state)
{
	struct score_conf c = web;

	c.trig[SIG_PPS] = 0;
	CHECK(run(c, SCORE_MAX, 1000000, 0, 0, 0, 1), 0, -1);
	c.trig[SIG_BPS] = 1000;
	c.weight[SIG_BPS] = .5;
	CHECK(run(c, SCORE_SUM, 0, 0, 0, 2000, 1), 1, SIG_BPS);
	CHECK(run(c, SCORE_MAX, 0, 0, 0, 2000, 1), 2, SIG_BPS);
}

static void rates_are_a_second(void **state)
{
	CHECK(run(web, SCORE_MAX, 2400, 0, 0, 0, 2), 1, SIG_PPS);
	CHECK(run(web, SCORE_MAX, 600, 0, 0, 0, .5), 1, SIG_PPS);
}

static void ties_go_to_the_first(void **state)
{
	struct score_conf c = { { 1, 1, 1, 1 }, { .25, .25, .25, .25 }, 3, SCORE_MAX };

	CHECK(run(c, SCORE_MAX, 1, 1, 1, 1, 1), 1, SIG_PPS);
	CHECK(run(c, SCORE_SUM, 0, 1, 1, 1, 1), .75, SIG_SYN);
	CHECK(run(c, SCORE_MAX, 0, 0, 1, 1, 1), 1, SIG_SCAN);
}

/* The leader of a sum is its largest term, not its largest ratio. */
static void sum_is_led_by_its_term(void **state)
{
	CHECK(run(web, SCORE_SUM, 1200, 300, 0, 0, 1), .55 + .30 * 1.2, SIG_PPS);
	CHECK(run(web, SCORE_MAX, 1200, 300, 0, 0, 1), 1.2, SIG_SYN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(sum_is_weighted),
		cmocka_unit_test(max_takes_one_signal_for_enough),
		cmocka_unit_test(max_keeps_a_larger_sum),
		cmocka_unit_test(ratios_are_capped_one_by_one),
		cmocka_unit_test(a_trigger_of_zero_is_off),
		cmocka_unit_test(rates_are_a_second),
		cmocka_unit_test(ties_go_to_the_first),
		cmocka_unit_test(sum_is_led_by_its_term),
	};

	return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
