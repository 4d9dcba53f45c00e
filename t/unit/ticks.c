/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticks: none lost, none twice, long times left out, events out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../lib/core/ticks.h"

/* An event at t; how many ticks it ended, the end of the last one in *end. */
static int event(struct ticks *k, int64_t t, int64_t *end)
{
	int n = 0;

	ticks_event(k, t);
	while (ticks_over(k, t, end))
		n++;
	return n;
}

static void ends(void **state)
{
	struct ticks k = { .every = 10 };
	int64_t end = -1;

	assert_int_equal(event(&k, 0, &end), 0);
	assert_int_equal(event(&k, 9, &end), 0);
	assert_int_equal(end, -1);
	assert_int_equal(event(&k, 10, &end), 1);
	assert_int_equal(end, 10);
	assert_int_equal(event(&k, 49, &end), 3);
	assert_int_equal(end, 40);
	assert_int_equal(k.end, 50);
	assert_int_equal(k.gaps + k.late, 0);
}

static void gap(void **state)
{
	struct ticks k = { .every = 10, .gap = 95 };
	int64_t end;

	event(&k, 5, &end);
	assert_int_equal(event(&k, 100, &end), 9);	/* 95 of quiet: not longer */
	assert_int_equal(k.gaps, 0);
	assert_int_equal(event(&k, 196, &end), 1);	/* without the empty ones */
	assert_int_equal(end, 105);
	assert_int_equal(k.gaps, 1);
	assert_int_equal(k.skipped, 90);
	assert_int_equal(k.end, 205);			/* where it would have been */

	k = (struct ticks){ .every = 10, .gap = 2 };	/* shorter than a tick: nothing to leave out */
	event(&k, 0, &end);
	assert_int_equal(event(&k, 13, &end), 1);
	assert_int_equal(k.gaps, 0);
	assert_int_equal(event(&k, 33, &end), 1);	/* one empty tick */
	assert_int_equal(k.skipped, 10);
}

static void out_of_order(void **state)
{
	struct ticks k = { .every = 10 };
	int64_t end = -1;

	event(&k, 100, &end);
	event(&k, 125, &end);
	assert_int_equal(event(&k, 115, &end), 0);	/* a tick behind, no more */
	assert_int_equal(k.late, 0);
	assert_int_equal(event(&k, 114, &end), 0);
	assert_int_equal(event(&k, 3, &end), 0);
	assert_int_equal(k.late, 2);
	assert_int_equal(event(&k, 130, &end), 1);
	assert_int_equal(end, 130);
	assert_int_equal(k.first, 3);
	assert_int_equal(k.last, 130);
	assert_int_equal(ticks_span(&k), 130);
}

static void span(void **state)
{
	struct ticks k = { .every = 10 };

	ticks_event(&k, 7);
	assert_int_equal(ticks_span(&k), 10);
	ticks_event(&k, 16);
	assert_int_equal(ticks_span(&k), 10);
	ticks_event(&k, 17);
	assert_int_equal(ticks_span(&k), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(gap),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
