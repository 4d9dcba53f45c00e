/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: against inet_pton() and inet_ntop(), and where we differ. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/base/addr.h"

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Text in, text out. */
static void check(const char *in, const char *out)
{
	struct prefix x;
	char s[PREFIX_TEXT + 1];

	assert_int_equal(prefix_get(in, strlen(in), &x), 0);
	*prefix_put(s, &x) = 0;
	assert_string_equal(s, out);
}

static void texts(void **state)
{
	static const char *const pair[][2] = {
		{ "1.2.3.4", "1.2.3.4" }, { "0.0.0.0", "0.0.0.0" }, { "255.255.255.255", "255.255.255.255" },
		{ "10.0.0.0/8", "10.0.0.0/8" }, { "0.0.0.0/0", "0.0.0.0/0" }, { "10.0.0.1/32", "10.0.0.1" },
		{ "::", "::" }, { "::/0", "::/0" }, { "::1", "::1" }, { "1::", "1::" }, { "2001:DB8::1", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "0:0:1:0:0:0:1:0", "0:0:1::1:0" }, { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" }, { "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::FFFF:102:304", "1.2.3.4" }, { "::ffff:1.2.3.0/120", "1.2.3.0/24" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304" }, { "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
		{ "2001:db8::/64", "2001:db8::/64" }, { "::1/128", "::1" }, { "fe80::/10", "fe80::/10" },
		{ "0001:0002::", "1:2::" },
	};
	size_t i;

	for (i = 0; i < sizeof(pair) / sizeof(*pair); i++)
		check(pair[i][0], pair[i][1]);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.", ".1.2.3", "1..2.3",
		"1.2.3.4/", "1.2.3.4/33", "1.2.3.4/032", "1.2.3.4/-1", "1.2.3.4/1a", "1.2.3.4/8/8", " 1.2.3.4",
		"1.2.3.4 ", "1.2.3.1000", ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
		"12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "::/129",
		"fe80::1%eth0", "::1.2.3", "::1.2.3.4.5", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "1:::2", "::1:",
		"1:2:3:4:5:6:7:8:", "*", "-", "1.2.3.4\n",
	};
	struct prefix x;
	size_t i, n;
	char *s;

	/* in rooms of just that size, so that a sanitizer sees a byte too many */
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		n = strlen(bad[i]);
		s = memcpy(malloc(n + !n), bad[i], n);
		assert_int_equal(prefix_get(s, n, &x), -1);
		free(s);
	}
}

static void host_bits(void **state)
{
	struct prefix x;

	assert_int_equal(prefix_get("10.0.0.1/8", 10, &x), -2);
	assert_string_equal(prefix_str(&x), "10.0.0.0/8");
	assert_int_equal(prefix_get("2001:db8::1/64", 14, &x), -2);
	assert_string_equal(prefix_str(&x), "2001:db8::/64");
	assert_int_equal(prefix_get("255.255.255.255/31", 18, &x), -2);
	assert_string_equal(prefix_str(&x), "255.255.255.254/31");
}

static void exactly_n_bytes(void **state)
{
	struct prefix x;

	assert_int_equal(prefix_get("1.2.3.45", 7, &x), 0);
	assert_string_equal(prefix_str(&x), "1.2.3.4");
	assert_int_equal(prefix_get("10.0.0.0/16", 10, &x), -2);
	assert_int_equal(x.len, 97);
}

/* Random addresses, many zero groups among them, both ways. */
static void like_the_library(void **state)
{
	char want[INET6_ADDRSTRLEN], got[PREFIX_TEXT + 1];
	struct prefix x, y;
	uint8_t a[16];
	int i, j;

	for (i = 0; i < 300000; i++) {
		uint64_t zero = rnd();

		for (j = 0; j < 16; j++)
			a[j] = (uint8_t)rnd();
		for (j = 0; j < 8; j++)
			if (zero >> j & 1)
				a[2 * j] = a[2 * j + 1] = 0;
			else if (zero >> (8 + j) & 1)
				a[2 * j] = 0;
		a[0] |= 1;	/* not one of those inet_ntop() writes with dots */
		inet_ntop(AF_INET6, a, want, sizeof(want));
		assert_int_equal(prefix_get(want, strlen(want), &x), 0);
		assert_memory_equal(x.a, a, 16);
		*prefix_put(got, &x) = 0;
		assert_string_equal(got, want);
		inet_ntop(AF_INET, a, want, sizeof(want));
		assert_int_equal(prefix_get(want, strlen(want), &y), 0);
		assert_true(prefix_is4(&y));
		assert_memory_equal(y.a + 12, a, 4);
		*prefix_put(got, &y) = 0;
		assert_string_equal(got, want);
	}
}

/* One byte of a good text changed: refused exactly where inet_pton() refuses. */
static void refuses_like_the_library(void **state)
{
	static const char *const base[] = { "2001:db8:0:1:a:b:c:d", "2001:db8::1:ff", "::1.2.3.4", "192.168.10.200" };
	static const char alphabet[] = "0123456789abcfFg:.%- ";
	char s[64];
	struct prefix x;
	uint8_t a[16];
	int i;

	for (i = 0; i < 300000; i++) {
		bool v6, ok;

		strcpy(s, base[rnd() % 4]);
		s[rnd() % strlen(s)] = alphabet[rnd() % (sizeof(alphabet) - 1)];
		if (rnd() & 1)
			s[rnd() % strlen(s)] = alphabet[rnd() % (sizeof(alphabet) - 1)];
		v6 = strchr(s, ':') != NULL;
		ok = inet_pton(v6 ? AF_INET6 : AF_INET, s, a) == 1;
		if (prefix_get(s, strlen(s), &x) != (ok ? 0 : -1))
			fail_msg("'%s'", s);
		if (ok)
			assert_memory_equal(v6 ? x.a : x.a + 12, a, v6 ? 16 : 4);
	}
}

static void covering(void **state)
{
	static const struct { const char *x, *y; bool covers; } t[] = {
		{ "10.0.0.0/8", "10.1.2.3", true }, { "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "10.0.0.0/8", true }, { "10.0.0.0/9", "10.0.0.0/8", false },
		{ "::/0", "1.2.3.4", true }, { "0.0.0.0/0", "::1", false }, { "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::/32", "2001:db8:8000::/33", true }, { "1.2.3.4", "1.2.3.4", true },
	};
	struct prefix x, y;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(prefix_get(t[i].x, strlen(t[i].x), &x), 0);
		assert_int_equal(prefix_get(t[i].y, strlen(t[i].y), &y), 0);
		assert_int_equal(prefix_covers(&x, &y), t[i].covers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(refused),
		cmocka_unit_test(host_bits),
		cmocka_unit_test(exactly_n_bytes),
		cmocka_unit_test(like_the_library),
		cmocka_unit_test(refuses_like_the_library),
		cmocka_unit_test(covering),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
