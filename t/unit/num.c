/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers: against printf() and strtod(), at the ties and the edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/base/num.h"

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void check_put(double v, int decimals)
{
	char want[64], got[64];

	snprintf(want, sizeof(want), "%.*f", decimals, v);
	*put_f64(got, v, decimals) = 0;
	assert_string_equal(got, want);
}

static void put_f64_is_printf(void **state)
{
	static const double edge[] = { 0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 0.0005, 0.0015, 1e-300, 5e-324,
				       0.9999995, 999999.9999995, 4503599627370496.0, 999999999999999.0,
				       2.0000005, 1.0000015, 0.1, 0.3, 1e14 + 0.5 };
	size_t i;
	int d;

	for (i = 0; i < sizeof(edge) / sizeof(*edge); i++)
		for (d = 1; d <= 9; d++) {
			check_put(edge[i], d);
			check_put(-edge[i], d);
		}
	for (i = 0; i < 300000; i++) {
		d = 1 + (int)(rnd() % 9);
		check_put((double)(rnd() >> 20) / 1e6, d);
		check_put((double)rnd() / 1.8446744073709552e19 * 4, d);
		/* true ties: odd multiples of a half of the last place */
		check_put((double)(rnd() >> 40) + 0.5, d);
		check_put((double)(rnd() % 20001) / 16, 3);
		/* decimal ties, which no double hits: n + 1/2 in the last place */
		check_put(((double)(rnd() % 4000000) + 0.5) / 1e6, 6);
		check_put(((double)(rnd() % 4000000000) + 0.5) / 1e3, 3);
	}
}

static void check_get(const char *s)
{
	double got, want = strtod(s, NULL);

	assert_int_equal(get_f64(s, strlen(s), &got), 0);
	assert_memory_equal(&got, &want, sizeof(got));
}

static void get_f64_is_strtod(void **state)
{
	static const char *const edge[] = { "0", "-0", "0.0", "1.25", "007.50", "999999999999999", "9007199254740993",
					    "0.1", "123456789012345678901234567890.5",
					    "0.00000000000000000000000001", "0.30000000000000004", "-12.5" };
	char s[64];
	size_t i;

	for (i = 0; i < sizeof(edge) / sizeof(*edge); i++)
		check_get(edge[i]);
	for (i = 0; i < 300000; i++) {
		snprintf(s, sizeof(s), "%llu.%0*llu", (unsigned long long)(rnd() >> (rnd() % 64)),
			 (int)(1 + rnd() % 20), (unsigned long long)(rnd() >> (rnd() % 64)));
		check_get(s);
	}
}

static void get_f64_refuses(void **state)
{
	static const char *const bad[] = { "", "-", ".", "1.", ".5", "-.5", "1e3", "inf", "nan", "0x1", "+1", " 1",
					   "1 ", "1.2.3", "--1", "1,5" };
	char huge[1100];
	double v = 7;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(get_f64(bad[i], strlen(bad[i]), &v), -1);
	memset(huge, '9', sizeof(huge));
	assert_int_equal(get_f64(huge, sizeof(huge), &v), -1);
	assert_int_equal(get_f64(huge, 400, &v), -1);	/* beyond the largest double */
	assert_true(v == 7);
}

static void whole_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", "1.0", "18446744073709551616", "99999999999999999999",
					   "1a", " 1", "0x1", "-" };
	uint64_t u = 7;
	uint32_t w = 7;
	int64_t i64;
	char s[64];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(get_u64(bad[i], strlen(bad[i]), &u), -1);
	assert_int_equal(u, 7);
	assert_int_equal(get_u64("18446744073709551615", 20, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(get_u64("0000000000000000000042", 22, &u), 0);
	assert_int_equal(u, 42);
	assert_int_equal(get_u32("4294967295", 10, &w), 0);
	assert_true(w == UINT32_MAX);
	assert_int_equal(get_u32("4294967296", 10, &w), -1);
	assert_int_equal(get_i64("-9223372036854775808", 20, &i64), 0);
	assert_true(i64 == INT64_MIN);
	assert_int_equal(get_i64("9223372036854775808", 19, &i64), -1);
	assert_int_equal(get_i64("--1", 3, &i64), -1);
	for (i = 0; i < 300000; i++) {
		uint64_t v = rnd() >> (rnd() % 64), back;
		char want[64];

		snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
		*put_u64(s, v) = 0;
		assert_string_equal(s, want);
		assert_int_equal(get_u64(s, strlen(s), &back), 0);
		assert_true(back == v);
		snprintf(want, sizeof(want), "%lld", (long long)v);
		*put_i64(s, (int64_t)v) = 0;
		assert_string_equal(s, want);
	}
}

static void powers_of_ten(void **state)
{
	char want[64], s[64];
	uint64_t v = 1;
	int i, j;

	for (i = 0; i < 20; i++, v *= 10)
		for (j = -1; j <= 1; j++) {
			snprintf(want, sizeof(want), "%llu", (unsigned long long)(v + (uint64_t)j));
			*put_u64(s, v + (uint64_t)j) = 0;
			assert_string_equal(s, want);
		}
}

static void times(void **state)
{
	static const char *const bad[] = { "", "1", "1.0", "1.0000", ".000", "-1.000", "1.00a", "1,000", "1000",
					   "9223372036854775807.000" };
	int64_t ms = 7;
	char s[PUT_MAX];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(get_time(bad[i], strlen(bad[i]), &ms), -1);
	assert_int_equal(ms, 7);
	assert_int_equal(get_time("1700000000.123", 14, &ms), 0);
	assert_true(ms == 1700000000123);
	*put_time(s, ms) = 0;
	assert_string_equal(s, "1700000000.123");
	*put_time(s, 7) = 0;
	assert_string_equal(s, "0.007");
}

static void durations(void **state)
{
	static const struct { const char *s; int64_t ms; } good[] = {
		{ "0", 0 }, { "0s", 0 }, { "500ms", 500 }, { "30s", 30000 }, { "1.5s", 1500 }, { "10m", 600000 },
		{ "24h", 86400000 }, { "1h30m", 5400000 }, { "2d", 172800000 }, { "0.1m", 6000 },
		{ "1m1ms", 60001 }, { "36525d", 36525 * INT64_C(86400000) },
	};
	static const char *const bad[] = { "", "5", "s", "1.5", "-1s", "1 s", "1s ", "0.5ms", "1.0001s", "1.s", ".5s",
					   "1w", "36526d", "99999999999999999999d", "36525d1ms", "1h30", "1S" };
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(get_dur(good[i].s, strlen(good[i].s), &ms), 0);
		assert_true(ms == good[i].ms);
	}
	ms = 7;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(get_dur(bad[i], strlen(bad[i]), &ms), -1);
	assert_int_equal(ms, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_f64_is_printf), cmocka_unit_test(get_f64_is_strtod),
		cmocka_unit_test(get_f64_refuses),   cmocka_unit_test(whole_numbers),
		cmocka_unit_test(powers_of_ten),     cmocka_unit_test(times),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
