/* SPDX-License-Identifier: BSD-2-Clause */
/* Wanted level against held entries: the writes, their end, and the rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../lib/core/diff.h"

#define S   1000000000ull
#define NOW (1000 * S)
#define TTL 60

static const struct limit rates[LEVELS] = { [LEVEL_SOFT] = { 20, 40 }, [LEVEL_HARD] = { 5, 10 } };

static struct want want(enum level level, double left)
{
	return (struct want){ level, (int64_t)(TTL * S), (int64_t)(left * 1e9) };
}

static unsigned ops(const struct held *h, enum level level, double left)
{
	struct want w = want(level, left);
	uint64_t end;

	return diff(h, &w, rates, NOW, &end);
}

static uint64_t end_of(enum level level, double left)
{
	struct held none = { 0 };
	struct want w = want(level, left);
	uint64_t end;

	diff(&none, &w, rates, NOW, &end);
	return end;
}

static struct held deny(enum holder who, double left)
{
	return (struct held){ .deny = who, .deny_until = NOW + (uint64_t)(int64_t)(left * 1e9) };
}

static struct held limit(enum holder who, double left, uint32_t rate, uint32_t burst)
{
	return (struct held){ .limit = who, .is = { rate, burst },
			      .limit_until = NOW + (uint64_t)(int64_t)(left * 1e9) };
}

static void test_from_nothing(void **state)
{
	struct held none = { 0 };

	assert_int_equal(ops(&none, LEVEL_OBSERVE, TTL), 0);
	assert_int_equal(ops(&none, LEVEL_SOFT, TTL), PUT_LIMIT);
	assert_int_equal(ops(&none, LEVEL_HARD, TTL), PUT_LIMIT);
	assert_int_equal(ops(&none, LEVEL_BLOCK, TTL), PUT_DENY | NEW_DENY);
}

static void test_between_levels(void **state)
{
	struct held d = deny(HELD_OURS, 50), l = limit(HELD_OURS, 50, 20, 40), both = d;

	assert_int_equal(ops(&d, LEVEL_OBSERVE, TTL), DEL_DENY);
	assert_int_equal(ops(&d, LEVEL_SOFT, TTL), PUT_LIMIT | DEL_DENY);
	assert_int_equal(ops(&d, LEVEL_BLOCK, TTL), 0);
	assert_int_equal(ops(&l, LEVEL_OBSERVE, TTL), DEL_LIMIT);
	assert_int_equal(ops(&l, LEVEL_SOFT, TTL), 0);
	assert_int_equal(ops(&l, LEVEL_HARD, TTL), PUT_LIMIT);
	assert_int_equal(ops(&l, LEVEL_BLOCK, TTL), PUT_DENY | NEW_DENY | DEL_LIMIT);
	both.limit = HELD_OURS;
	both.limit_until = l.limit_until;
	both.is = l.is;
	assert_int_equal(ops(&both, LEVEL_OBSERVE, TTL), DEL_DENY | DEL_LIMIT);
	assert_int_equal(ops(&both, LEVEL_BLOCK, TTL), DEL_LIMIT);
	assert_int_equal(ops(&both, LEVEL_SOFT, TTL), DEL_DENY);
}

static void test_rates_that_changed(void **state)
{
	struct held rate = limit(HELD_OURS, 50, 21, 40), burst = limit(HELD_OURS, 50, 20, 41);

	assert_int_equal(ops(&rate, LEVEL_SOFT, TTL), PUT_LIMIT);
	assert_int_equal(ops(&burst, LEVEL_SOFT, TTL), PUT_LIMIT);
}

static void test_others(void **state)
{
	struct held d = deny(HELD_OTHERS, 50), l = limit(HELD_OTHERS, 50, 1, 1), dead = deny(HELD_OTHERS, -1);
	struct held ever = { .deny = HELD_OTHERS, .limit = HELD_OURS, .limit_until = NOW + 50 * S, .is = { 20, 40 } };

	assert_int_equal(ops(&d, LEVEL_OBSERVE, TTL), 0);
	assert_int_equal(ops(&d, LEVEL_BLOCK, TTL), KEEP);
	assert_int_equal(ops(&d, LEVEL_SOFT, TTL), PUT_LIMIT);
	assert_int_equal(ops(&l, LEVEL_OBSERVE, TTL), 0);
	assert_int_equal(ops(&l, LEVEL_SOFT, TTL), KEEP);
	assert_int_equal(ops(&l, LEVEL_BLOCK, TTL), PUT_DENY | NEW_DENY);
	assert_int_equal(ops(&dead, LEVEL_BLOCK, TTL), PUT_DENY | NEW_DENY);
	assert_int_equal(ops(&ever, LEVEL_BLOCK, TTL), KEEP | DEL_LIMIT);
	assert_int_equal(ops(&ever, LEVEL_SOFT, TTL), 0);
}

static void test_renewal(void **state)
{
	struct held half = deny(HELD_OURS, 30), less = deny(HELD_OURS, 29.999), gone = deny(HELD_OURS, 0);
	struct held most = deny(HELD_OURS, 61), more = deny(HELD_OURS, 61.001), ever = { .deny = HELD_OURS };

	assert_int_equal(ops(&half, LEVEL_BLOCK, 10), 0);
	assert_int_equal(ops(&less, LEVEL_BLOCK, 10), PUT_DENY);
	assert_int_equal(ops(&gone, LEVEL_BLOCK, 10), PUT_DENY | NEW_DENY);
	assert_int_equal(ops(&most, LEVEL_BLOCK, 10), 0);
	assert_int_equal(ops(&more, LEVEL_BLOCK, 10), PUT_DENY);
	assert_int_equal(ops(&ever, LEVEL_BLOCK, 10), PUT_DENY);
}

static void test_end(void **state)
{
	assert_int_equal(end_of(LEVEL_BLOCK, 60), NOW + 60 * S);
	assert_int_equal(end_of(LEVEL_BLOCK, 45), NOW + 45 * S);
	assert_int_equal(end_of(LEVEL_BLOCK, 30), NOW + 30 * S);
	assert_int_equal(end_of(LEVEL_SOFT, 29), NOW + 60 * S);
	assert_int_equal(end_of(LEVEL_SOFT, -100), NOW + 60 * S);
	assert_int_equal(end_of(LEVEL_SOFT, 1000), NOW + 60 * S);
}

static void test_ended(void **state)
{
	struct held none = { 0 }, d = deny(HELD_OURS, 1), dead = deny(HELD_OURS, 0), o = deny(HELD_OTHERS, -1);
	struct held mixed = dead, ever = { .deny = HELD_OURS };

	mixed.limit = HELD_OURS;
	mixed.limit_until = NOW + S;
	assert_false(held_ended(&none, NOW));
	assert_false(held_ended(&d, NOW));
	assert_true(held_ended(&dead, NOW));
	assert_false(held_ended(&o, NOW));
	assert_false(held_ended(&mixed, NOW));
	assert_false(held_ended(&ever, NOW));
}

static void lease_is(int64_t since, int64_t until, int64_t now, int64_t tick, int64_t ttl_ms, int64_t left_ms)
{
	struct want w;

	want_lease(&w, since, until, now, tick);
	assert_int_equal(w.ttl, ttl_ms * 1000000);
	assert_int_equal(w.left, left_ms * 1000000);
}

static void test_lease(void **state)
{
	lease_is(1000, 61000, 2000, 1000, 60000, 59000);
	lease_is(1000, 61000, 90000, 1000, 60000, -29000);
	lease_is(1000, -1, 2000, 1000, 60000, 60000);
	lease_is(1000, 1000, 2000, 1000, 60000, 60000);
	lease_is(1000, 500, 2000, 1000, 60000, 60000);
	lease_is(1000, 3000, 2000, 1000, 3000, 1000);
	lease_is(1000, 3000, 2000, 0, 2000, 1000);
	lease_is(1000, -1, 2000, 30000, 90000, 60000);
	/* Further off than nanoseconds reach: 2^60 of them, not what is left of an overflow. */
	lease_is(1000, 18446744073709, 2000, 1000, INT64_MAX / 8 / 1000000, INT64_MAX / 8 / 1000000);
	lease_is(0, INT64_MAX, 2000, 1000, INT64_MAX / 8 / 1000000, INT64_MAX / 8 / 1000000);
	lease_is(0, 1, INT64_MAX, 0, 1, -(INT64_MAX / 8 / 1000000));
	lease_is(1000, -1, 2000, INT64_MAX / 4, INT64_MAX / 8 / 1000000, 60000);
}

static void limit_is(struct limit given, double factor, double trigger, uint32_t rate, uint32_t burst)
{
	struct limit l = limit_of(given, factor, trigger);

	assert_int_equal(l.rate, rate);
	assert_int_equal(l.burst, burst);
}

static void test_limits(void **state)
{
	struct limit soft = { 20, 40 };

	limit_is(soft, 0, 1000, 20, 40);
	limit_is(soft, .5, 0, 20, 40);
	limit_is(soft, .5, 1000, 500, 1000);
	limit_is(soft, .1, 1000, 100, 200);
	limit_is(soft, .5, 500, 250, 500);
	limit_is(soft, .5, 1, 1, 2);
	limit_is(soft, .5, 333, 166, 332);
	limit_is(soft, 1e6, 1e12, UINT32_MAX, UINT32_MAX);
	limit_is(soft, 1, 3e9, 3000000000u, UINT32_MAX);
}

static void test_names(void **state)
{
	for (int i = 0; i < LEVELS; i++)
		assert_int_equal(level_get(level_name[i], strlen(level_name[i])), i);
	assert_int_equal(level_get("BLOCKED", 7), -1);
	assert_int_equal(level_get("BLOC", 4), -1);
	assert_int_equal(level_get("block", 5), -1);
	assert_int_equal(level_get("-", 1), -1);
	assert_int_equal(level_get("RATE_SOFTX", 9), LEVEL_SOFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_nothing), cmocka_unit_test(test_between_levels),
		cmocka_unit_test(test_rates_that_changed), cmocka_unit_test(test_others),
		cmocka_unit_test(test_renewal), cmocka_unit_test(test_end), cmocka_unit_test(test_ended),
		cmocka_unit_test(test_lease), cmocka_unit_test(test_limits), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
