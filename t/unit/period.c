/* SPDX-License-Identifier: BSD-2-Clause */
/* Periods guessed from days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/core/period.h"

#define MONDAY 19674		/* 2023-11-13 */

/* days: how many days before the last one; ends with -1. */
static void is(int64_t last_day, const char *want, const int *days)
{
	char got[PERIOD_TEXT];
	uint64_t bits = 1;

	for (; *days >= 0; days++)
		bits |= UINT64_C(1) << *days;
	period_guess(bits, last_day, got);
	assert_string_equal(got, want);
}
#define IS(day, want, ...) is(day, want, (const int[]){ __VA_ARGS__, -1 })

static void words(void **state)
{
	char got[PERIOD_TEXT];

	IS(MONDAY, "one-day", 0);
	IS(MONDAY, "daily", 1);
	IS(MONDAY, "daily", 1, 2, 3, 4, 5, 6, 7, 8, 9);
	IS(MONDAY, "daily", 1, 2, 4, 5);		/* a day missed */
	IS(MONDAY, "weekly", 7);
	IS(MONDAY, "weekly", 7, 14);
	IS(MONDAY, "weekly", 6, 14, 21);		/* a day off, once */
	IS(MONDAY, "weekly", 7, 21, 28);		/* a week missed */
	IS(MONDAY, "weekly", 14, 21);
	IS(MONDAY, "irregular", 14);
	IS(MONDAY, "monthly", 30);
	IS(MONDAY, "every-2-days", 2, 4, 6);
	IS(MONDAY, "every-3-days", 3, 6, 12);
	IS(MONDAY, "irregular", 3);
	IS(MONDAY, "irregular", 1, 9, 13, 40);
	IS(MONDAY, "irregular", 3, 7, 9);
	/* What is longer ago than eight weeks does not count. */
	period_guess(UINT64_C(1) << 60 | 1, MONDAY, got);
	assert_string_equal(got, "one-day");
}

static void working_days(void **state)
{
	/* From a Friday back: five days, two weekend days, five, two, one. */
	IS(MONDAY + 4, "weekdays", 1, 2, 3, 4, 7, 8, 9, 10, 11, 14);
	/* One weekend only, or one worked through: nothing special. */
	IS(MONDAY + 4, "daily", 1, 2, 3, 4, 7, 8, 9, 10, 11);
	IS(MONDAY + 4, "daily", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14);
	/* The same gaps a day later: Saturdays are worked, Thursdays are not. */
	IS(MONDAY + 5, "irregular", 1, 2, 3, 4, 7, 8, 9, 10, 11, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(working_days) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
