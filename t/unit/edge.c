/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges: every protocol there and back in both families, both forms, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/base/edge.h"

static struct prefix src(bool four)
{
	struct prefix x;
	const char *s = four ? "192.0.2.7" : "2001:db8::7";

	assert_int_equal(prefix_get(s, strlen(s), &x), 0);
	return x;
}

/* Text of an edge read and written: in both forms and as a message. */
static void check(bool four, const char *in, const char *out, uint16_t port, uint8_t proto,
		  const char *stream)
{
	struct prefix x = src(four);
	char s[EDGE_TEXT], want[128];
	uint16_t got = 0;
	uint8_t of = 0;

	assert_null(edge_get(in, strlen(in), &x, &got, &of));
	assert_int_equal(got, port);
	assert_int_equal(of, proto);
	*edge_put(s, &x, port, proto) = 0;
	assert_string_equal(s, out);
	*proto_put(s, &x, proto) = 0;
	assert_string_equal(s, stream);
	strcat(strcpy(want, four ? "192.0.2.7 " : "2001:db8::7 "), out);
	assert_string_equal(edge_str(&x, port, proto), want);
}

static void texts(void **state)
{
	for (int four = 0; four < 2; four++) {
		check(four, "443/tcp", "443/tcp", 443, 6, "tcp");
		check(four, "65535/udp", "65535/udp", 65535, 17, "udp");
		check(four, "1/sctp", "1/sctp", 1, 132, "132");
		check(four, "22/6", "22/tcp", 22, 6, "tcp");
		check(four, "53/17", "53/udp", 53, 17, "udp");
		check(four, "9/132", "9/sctp", 9, 132, "132");
		check(four, "0/icmp", "0/icmp", 0, four ? 1 : 58, "icmp");
		check(four, "0/igmp", "0/igmp", 0, 2, "2");
		check(four, "0/gre", "0/gre", 0, 47, "47");
		check(four, "0/esp", "0/esp", 0, 50, "50");
		check(four, "0/ah", "0/ah", 0, 51, "51");
		check(four, "0/ospf", "0/ospf", 0, 89, "89");
		check(four, "0/pim", "0/pim", 0, 103, "103");
		check(four, "0/vrrp", "0/vrrp", 0, 112, "112");
		check(four, "0/0", "0/0", 0, 0, "0");
		check(four, "0/255", "0/255", 0, 255, "255");
	}
	/* the other family's ICMP is not icmp */
	check(true, "0/1", "0/icmp", 0, 1, "icmp");
	check(true, "0/58", "0/58", 0, 58, "58");
	check(false, "0/58", "0/icmp", 0, 58, "icmp");
	check(false, "0/1", "0/1", 0, 1, "1");
}

static void protocols(void **state)
{
	static const char *const bad[] = { "", "-", "TCP", "tc", "tcpx", "icmp6", "256", "-1", "0x6", "6 ",
					   " 6", "4294967302" };

	for (int four = 0; four < 2; four++) {
		struct prefix x = src(four);
		uint8_t proto;

		for (int i = 0; i < 256; i++) {
			char s[EDGE_TEXT], *end = proto_put(s, &x, (uint8_t)i);

			assert_int_equal(proto_get(s, (size_t)(end - s), &x, &proto), 0);
			assert_int_equal(proto, i);
			end = edge_put(s, &x, proto_has_ports((uint8_t)i), (uint8_t)i);
			assert_int_equal(proto_get(s + 2, (size_t)(end - s - 2), &x, &proto), 0);
			assert_int_equal(proto, i);
			assert_int_equal(proto_has_ports((uint8_t)i), i == 6 || i == 17 || i == 132);
		}
		proto = 99;
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			assert_int_equal(proto_get(bad[i], strlen(bad[i]), &x, &proto), -1);
		assert_int_equal(proto, 99);
	}
}

static void refused(void **state)
{
	static const char none[] = "this protocol has no ports: its port is 0";
	static const char zero[] = "this protocol has ports, and 0 is none";
	static const struct {
		const char *s, *why;
	} bad[] = {
		{ "", "not PORT/PROTO" }, { "443", "not PORT/PROTO" },
		{ "tcp", "not PORT/PROTO" }, { "/tcp", "not PORT/PROTO" },
		{ "tcp/443", "not PORT/PROTO" }, { "65536/tcp", "not PORT/PROTO" },
		{ "-1/tcp", "not PORT/PROTO" }, { " 443/tcp", "not PORT/PROTO" },
		{ "443 /tcp", "not PORT/PROTO" }, { "4294967739/tcp", "not PORT/PROTO" },
		{ "443/", "unknown protocol" }, { "443/TCP", "unknown protocol" },
		{ "443/tcp/", "unknown protocol" }, { "443/tcp ", "unknown protocol" },
		{ "443/256", "unknown protocol" },
		{ "0/tcp", zero }, { "0/udp", zero }, { "0/sctp", zero }, { "0/6", zero }, { "00/17", zero },
		{ "1/icmp", none }, { "443/gre", none }, { "8/1", none }, { "8/58", none }, { "1/0", none },
	};
	struct prefix x = src(true);
	uint16_t port = 7;
	uint8_t proto = 8;
	const char *why;
	size_t i, n;
	char *s;

	/* in rooms of just that size, so that a sanitizer sees a byte too many */
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		n = strlen(bad[i].s);
		s = memcpy(malloc(n + !n), bad[i].s, n);
		why = edge_get(s, n, &x, &port, &proto);
		assert_non_null(why);
		assert_string_equal(why, bad[i].why);
		free(s);
	}
	assert_int_equal(port, 7);
	assert_int_equal(proto, 8);
}

static void sources(void **state)
{
	static const char *const bad[][2] = {
		{ "192.0.2.0/24", "an edge has one address, not a prefix" },
		{ "192.0.2.1/24", "an edge has one address, not a prefix" },
		{ "2001:db8::/64", "an edge has one address, not a prefix" },
		{ "::/0", "an edge has one address, not a prefix" },
		{ "192.0.2", "not an address" }, { "", "not an address" }, { "*", "not an address" },
		{ "192.0.2.1/33", "not an address" },
	};
	struct prefix x, want = src(true);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_string_equal(edge_src_get(bad[i][0], strlen(bad[i][0]), &x), bad[i][1]);
	assert_null(edge_src_get("192.0.2.7", 9, &x));
	assert_true(prefix_eq(&x, &want));
	assert_null(edge_src_get("::ffff:192.0.2.7/128", 20, &x));
	assert_true(prefix_eq(&x, &want));
	want = src(false);
	assert_null(edge_src_get("2001:db8::7/128", 15, &x));
	assert_true(prefix_eq(&x, &want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(protocols),
		cmocka_unit_test(refused),
		cmocka_unit_test(sources),
	};

	return cmocka_run_group_tests_name("edge", tests, NULL, NULL);
}
