/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of addresses against a scan of the prefixes they were made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/base/ranges.h"

static struct prefix v4(uint32_t a, int len)
{
	struct prefix x = { { [10] = 0xff, 0xff, a >> 24, a >> 16, a >> 8, a }, 96 + len };

	return x;
}

static void empty(void **state)
{
	struct ranges s = { 0 };
	struct prefix x = v4(0x0a000001, 32);

	ranges_seal(&s);
	assert_false(ranges_meet(&s, &x));
	ranges_free(&s);
}

static void edges(void **state)
{
	struct ranges s = { 0 };
	struct prefix net = v4(0x0a000100, 24), in = v4(0x0a000180, 25);
	struct prefix all = { { 0 }, 0 }, wide = v4(0x0a000000, 8), host;

	ranges_add(&s, &net);
	ranges_add(&s, &in);
	ranges_seal(&s);
	assert_int_equal(s.n, 1);
	host = v4(0x0a0000ff, 32), assert_false(ranges_meet(&s, &host));
	host = v4(0x0a000100, 32), assert_true(ranges_meet(&s, &host));
	host = v4(0x0a0001ff, 32), assert_true(ranges_meet(&s, &host));
	host = v4(0x0a000200, 32), assert_false(ranges_meet(&s, &host));
	assert_true(ranges_meet(&s, &wide));	/* a source that holds a listed one */
	assert_true(ranges_meet(&s, &all));
	ranges_free(&s);
	ranges_add(&s, &all);
	ranges_seal(&s);
	assert_true(ranges_meet(&s, &host));
	ranges_free(&s);
}

static bool overlap(const struct prefix *x, const struct prefix *y)
{
	int len = x->len < y->len ? x->len : y->len;

	for (int i = 0; i < len; i++)
		if ((x->a[i / 8] ^ y->a[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static void against_a_scan(void **state)
{
	unsigned seed = 3;
	size_t hits = 0, asked = 0;

	for (int run = 0; run < 200; run++) {
		struct prefix in[40];
		struct ranges s = { 0 };
		int n = rand_r(&seed) % 40;

		for (int i = 0; i < n; i++) {
			in[i] = v4(0x0a000000 | (rand_r(&seed) & 0x3ff), 22 + rand_r(&seed) % 11);
			ranges_add(&s, &in[i]);
		}
		ranges_seal(&s);
		for (int q = 0; q < 200; q++, asked++) {
			struct prefix x = v4(0x0a000000 | (rand_r(&seed) & 0x7ff), 24 + rand_r(&seed) % 9);
			bool want = false;

			for (int i = 0; i < n; i++)
				want |= overlap(&x, &in[i]);
			hits += want;
			assert_int_equal(ranges_meet(&s, &x), want);
		}
		ranges_free(&s);
	}
	assert_in_range(hits, asked / 10, asked - asked / 10);
}

static void lists(void **state)
{
	static const char *const bad[] = {
		"", ",", "1.2.3.4,", ",1.2.3.4", "1.2.3.4,,::1", "1.2.3.4 ", "1.2.3.4/24",
	};
	struct ranges s = { 0 };
	struct prefix x = v4(0x0a0000ff, 32), y = v4(0x01020304, 32), z = v4(0x01020305, 32);

	assert_null(ranges_add_list(&s, "10.0.0.0/24,1.2.3.4,fd00::/8"));
	ranges_seal(&s);
	assert_true(ranges_meet(&s, &x));
	assert_true(ranges_meet(&s, &y));
	assert_false(ranges_meet(&s, &z));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(ranges_add_list(&s, bad[i]));
	assert_string_equal(ranges_add_list(&s, "1.2.3.4,x,::1"), "x,::1");
	ranges_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(edges),
		cmocka_unit_test(against_a_scan),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
