/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets tallied: against counting in plain arrays, and as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/core/tally_text.h"

#define SRCS  7
#define PORTS 300

static struct prefix host(uint8_t last)
{
	struct prefix x = { .len = 128 };

	memcpy(x.a, (uint8_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last }, 16);
	return x;
}

static uint64_t seed = 88172645463325252u;

static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 20) % n;
}

static struct tally_packet any(void)
{
	static const uint8_t protos[] = { 1, 6, 6, 6, 17, 17, 47, 58 };
	struct tally_packet p = { .src = host((uint8_t)rnd(SRCS)), .len = 60 + rnd(1400) };

	p.proto = protos[rnd(8)];
	p.flags = (uint8_t)rnd(64);	/* those of a protocol that has none say nothing */
	p.out = rnd(2);
	p.answer = p.proto == 17 && rnd(2);
	p.ported = (p.proto == 6 || p.proto == 17) && rnd(4);
	p.port = p.ported ? (uint16_t)rnd(PORTS) : 0;
	return p;
}

static void count(struct tally_count *n, const struct tally_packet *p)
{
	bool tcp = p->proto == 6;

	n->pkts++;
	n->bytes += p->len;
	n->tcp += tcp;
	n->udp += p->proto == 17;
	n->answers += p->proto == 17 && p->answer;
	n->icmp += p->proto == 1 || p->proto == 58;
	n->syn += tcp && (p->flags & 18) == 2;
	n->ack += tcp && p->flags & 16;
	n->rst += tcp && p->flags & 4;
}

static void sources_against_arrays(void **state)
{
	struct tally t;
	int round, i, s;

	tally_init(&t, false);
	for (round = 0; round < 20; round++) {
		static uint8_t seen[SRCS][PORTS];
		struct tally_count want[SRCS] = { 0 }, all = { 0 };
		uint32_t ports[SRCS] = { 0 };

		static bool known[SRCS];

		memset(seen, 0, sizeof(seen));
		for (i = 0; i < 50 << round % 7; i++) {
			struct tally_packet p = any();

			s = p.src.a[15];
			want[s].fresh += !known[s];
			all.fresh += !known[s];
			known[s] = true;
			count(&want[s], &p);
			count(&all, &p);
			if (p.ported && !seen[s][p.port]++)
				ports[s]++;
			tally_add(&t, &p);
		}
		assert_memory_equal(&t.all, &all, sizeof(all));
		for (i = 0; i < (int)t.srcs.n; i++) {
			const struct tally_src *e = table_at(&t.srcs, (size_t)i);

			s = e->x.a[15];
			assert_memory_equal(&e->n, &want[s], sizeof(want[s]));
			assert_int_equal(e->ports, ports[s]);
			want[s].pkts = 0;
		}
		for (s = 0; s < SRCS; s++)
			assert_int_equal(want[s].pkts, 0);
		assert_int_equal(t.flows.n, 0);
		tally_clear(&t);
		assert_int_equal(t.srcs.n, 0);
		assert_int_equal(t.all.pkts, 0);
	}
	tally_free(&t);
}

static void flows_against_a_list(void **state)
{
	static struct { struct tally_packet p; uint64_t pkts, bytes, syn; } want[8192];
	size_t n = 0, k;
	struct tally t;
	int i;

	tally_init(&t, true);
	for (i = 0; i < 8000; i++) {
		struct tally_packet p = any();

		for (k = 0; k < n; k++)
			if (prefix_eq(&want[k].p.src, &p.src) && want[k].p.port == p.port &&
			    want[k].p.proto == p.proto && want[k].p.out == p.out)
				break;
		want[k].p = p;
		want[k].pkts++;
		want[k].bytes += p.len;
		want[k].syn += p.proto == 6 && (p.flags & 18) == 2;
		n += k == n;
		tally_add(&t, &p);
	}
	assert_int_equal(t.flows.n, n);
	for (k = 0; k < n; k++) {	/* in the order they came */
		const struct tally_flow *f = table_at(&t.flows, k);
		const struct tally_src *s = table_at(&t.srcs, f->src);

		assert_true(prefix_eq(&s->x, &want[k].p.src));
		assert_int_equal(f->port, want[k].p.port);
		assert_int_equal(f->proto, want[k].p.proto);
		assert_int_equal(f->out, want[k].p.out);
		assert_int_equal(f->pkts, want[k].pkts);
		assert_int_equal(f->bytes, want[k].bytes);
		assert_int_equal(f->syn, want[k].syn);
	}
	assert_int_equal(t.seen.n, 0);
	tally_free(&t);
}

/* A prefix and the host it begins with are two sources. */
static void length_takes_part(void **state)
{
	struct tally_packet p = { .src = host(0), .len = 60, .proto = 17 };
	struct tally t;

	tally_init(&t, false);
	tally_add(&t, &p);
	p.src.len = 120;
	tally_add(&t, &p);
	assert_int_equal(t.srcs.n, 2);
	tally_free(&t);
}

static void reads_as(char *end, char *text, const char *want)
{
	*end = 0;
	assert_string_equal(text, want);
}

static void as_text(void **state)
{
	struct tally_packet p = { .src = host(9), .len = UINT32_MAX, .port = 65535, .ported = true,
				  .proto = 6, .flags = 2, .out = true };
	char text[TALLY_TEXT];
	struct tally t;
	int by_flow;

	for (by_flow = 0; by_flow < 2; by_flow++) {
		tally_init(&t, by_flow);
		tally_add(&t, &p);
		tally_add(&t, &p);
		if (by_flow) {
			reads_as(tally_flow_put(text, &t, table_at(&t.flows, 0)), text,
				 "out\t192.0.2.9\t65535\ttcp\t2\t8589934590\t2\t0\t-\n");
			reads_as(tally_flow_put(text, &t, NULL), text, "-\t*\t-\t-\t2\t8589934590\t2\t0\t-\n");
		} else {
			reads_as(tally_src_put(text, &t, table_at(&t.srcs, 0)), text,
				 "192.0.2.9\t2\t8589934590\t2\t0\t0\t2\t0\t0\t1\t0\t0\t0\t0\t1\n");
			reads_as(tally_src_put(text, &t, NULL), text,
				 "*\t2\t8589934590\t2\t0\t0\t2\t0\t0\t-\t0\t0\t0\t-\t1\n");
		}
		tally_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_against_arrays),
		cmocka_unit_test(flows_against_a_list),
		cmocka_unit_test(length_takes_part),
		cmocka_unit_test(as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
