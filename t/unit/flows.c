/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows of a frame: which ports are services, what is added up; and ports as options give them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../lib/base/ports.h"
#include "../../lib/core/flows.h"

static struct flow flow(const char *src, bool out, uint8_t proto, uint16_t port, uint64_t syn)
{
	struct flow f = { .out = out, .proto = proto, .port = port, .pkts = 5, .bytes = 500, .syn = syn };

	assert_int_equal(prefix_get(src, strlen(src), &f.src), 0);
	return f;
}

static const struct service services[] = { { 51820, 17 }, { 50051, 6 } };
static const struct ports ports = { .lo = 32768, .hi = 60999, .service = (struct service *)services, .services = 2 };

/* Is the flow soft when it is alone in its frame? */
static bool soft(const char *src, bool out, uint8_t proto, uint16_t port, uint64_t syn)
{
	struct flow f = flow(src, out, proto, port, syn);

	assert_int_equal(flows_settle(&f, 1, &ports), 1);
	return f.soft;
}

static void alone(void **state)
{
	const char *src[] = { "10.0.0.1", "2001:db8::1" };

	for (int i = 0; i < 2; i++) {
		assert_false(soft(src[i], false, 6, 32767, 0));
		assert_true(soft(src[i], false, 6, 32768, 0));
		assert_false(soft(src[i], false, 6, 32768, 1));
		assert_true(soft(src[i], false, 17, 60999, 0));
		assert_false(soft(src[i], false, 17, 61000, 0));
		assert_false(soft(src[i], true, 17, 32767, 0));
		assert_true(soft(src[i], true, 17, 61000, 0));
		assert_true(soft(src[i], true, 132, 65535, 0));
		assert_false(soft(src[i], true, 6, 65535, 1));
		assert_false(soft(src[i], false, 17, 51820, 0));
		assert_false(soft(src[i], true, 17, 51820, 0));
		assert_true(soft(src[i], true, 6, 51820, 0));
		assert_false(soft(src[i], true, 6, 50051, 0));
		assert_true(soft(src[i], false, 6, 0, 1));	/* a port nobody saw */
		assert_true(soft(src[i], true, 17, 0, 0));
		assert_false(soft(src[i], false, i ? 58 : 1, 0, 0));
		assert_false(soft(src[i], false, 50, 0, 0));
	}
}

/* What goes out to who came in to a service in the same frame, by the same protocol, is a reply. */
static void replies(void **state)
{
	struct flow f[] = {
		flow("10.0.0.1", true, 6, 2000, 0), flow("10.0.0.1", false, 6, 443, 0),
		flow("10.0.0.1", true, 6, 1023, 0), flow("10.0.0.1", true, 6, 2001, 2),
		flow("10.0.0.1", true, 17, 2000, 0), flow("10.0.0.2", true, 6, 2000, 0),
		flow("10.0.0.2", false, 6, 40000, 0),
	};
	size_t n = flows_settle(f, 7, &ports);

	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++) {
		bool first = f[i].src.a[15] == 1;

		assert_int_equal(f[i].soft, (first && f[i].proto == 6 && f[i].port == 2000) ||
					    (!first && f[i].port == 40000));
	}
}

static void sums(void **state)
{
	struct flow f[] = {
		flow("10.0.0.2", false, 6, 443, 0), flow("10.0.0.1", false, 6, 443, 1),
		flow("10.0.0.2", false, 6, 443, 3), flow("10.0.0.2", true, 6, 443, 0),
	};

	assert_int_equal(flows_settle(f, 4, &ports), 3);
	assert_int_equal(f[0].src.a[15], 1);
	assert_int_equal(f[1].src.a[15], 2);
	assert_int_equal(f[1].pkts, 10);
	assert_int_equal(f[1].bytes, 1000);
	assert_int_equal(f[1].syn, 3);
	assert_true(f[2].out);
	assert_int_equal(f[2].pkts, 5);
	assert_int_equal(flows_settle(f, 0, &ports), 0);
}

static void attempts(void **state)
{
	struct flow f = flow("10.0.0.1", false, 6, 443, 5);

	assert_true(flow_is_attempt(&f));
	f.syn = 4;
	assert_false(flow_is_attempt(&f));
	f.syn = 5;
	f.proto = 17;
	assert_false(flow_is_attempt(&f));
}

static void options(void **state)
{
	static const char *const bad[] = { "", "5", "5-", "-5", "0-5", "7-6", "1-65536", "1-2-3", "a-b", " 1-2" };
	static const char *const none[] = { "", "443", "443/", "443/icmp", "0/tcp", "*/tcp", "65536/tcp", "443/tcp," };
	const char *list = "443/tcp,51820/udp,9/sctp,7/6";
	struct ports p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_ptr_equal(ports_get(&p, bad[i], NULL), bad[i]);
		free(p.service);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_non_null(ports_get(&p, "1-2", none[i]));
		free(p.service);
	}
	assert_null(ports_get(&p, "1-65535", list));
	assert_int_equal(p.lo, 1);
	assert_int_equal(p.hi, 65535);
	assert_int_equal(p.services, 4);
	assert_int_equal(p.service[1].port, 51820);
	assert_int_equal(p.service[1].proto, 17);
	assert_int_equal(p.service[3].proto, 6);
	free(p.service);
	assert_null(ports_get(&p, "7-7", NULL));
	assert_int_equal(p.services, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),    cmocka_unit_test(replies), cmocka_unit_test(sums),
		cmocka_unit_test(attempts), cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
