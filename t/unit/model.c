/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference itself: its reading of frames beside the packet path's parser, its limits, its memory, its chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../bpf/parse.bpf.h"
#include "../../lib/model/scene.h"

#define S   1000000000ull
#define NOW (100000 * S)

static struct model m;
static struct gen g;

/* Two parsers that share no line agree on every random frame, cut and damaged ones included. */
static void parsers(void **state)
{
	size_t seen[3] = { 0 }, frags = 0, ports = 0;
	struct frame f;
	struct wire w;
	int i, kind;

	gen_init(&g, 42);
	for (i = 0; i < 200000; i++) {
		struct pkt k = { 0 };

		gen_frame(&g, &f);
		wire_read(&w, f.b, f.n);
		kind = parse(&k, f.b, f.b + f.n);
		assert_int_equal(kind, w.kind);
		seen[kind]++;
		if (kind != FRAME_IP)
			continue;
		assert_int_equal(k.family, w.family);
		assert_memory_equal(&k.hi, w.src, 8);
		assert_memory_equal(&k.lo, w.src + 8, 8);
		assert_int_equal(k.proto, w.proto);
		if (k.family == 6)
			assert_int_equal(k.hops, w.hops);
		assert_int_equal(k.frag, w.frag);
		if (k.frag)
			assert_int_equal(k.id, w.id);
		assert_int_equal(k.ports, w.has_ports);
		assert_int_equal(k.sport, w.sport);
		assert_int_equal(k.dport, w.dport);
		assert_int_equal(k.flagged, w.has_flags || w.has_type);
		assert_int_equal(k.flags, w.has_type ? w.icmp : w.flags);
		frags += k.frag != FRAG_NO;
		ports += k.ports;
	}
	assert_true(seen[FRAME_OTHER] > 5000 && seen[FRAME_BAD] > 1000 && seen[FRAME_IP] > 100000);
	assert_true(frags > 10000 && ports > 50000);
}

static enum model_why step(const char *packet)
{
	struct scene_step s = { packet, WHY_PASS, 0 };
	struct frame f;

	assert_int_equal(scene_frame(&s, &f), 0);
	if (!f.out)
		return model_in(&m, f.b, f.n);
	model_out(&m, f.b, f.n, 1);
	return WHY_PASS;
}

static void world(struct policy set)
{
	model_clear(&m);
	memset(&m.w, 0, sizeof(m.w));
	m.w.set = set;
	m.w.jiffy = S / 250;
	m.now = NOW;
}

/* GCRA: a burst, then a packet each 1/rate; a rest buys a burst and no more. */
static void limits(void **state)
{
	int i, passed = 0;

	world((struct policy){ .rate = 20, .burst = 40 });
	for (i = 0; i < 10000; i++) {		/* a thousand a second for ten seconds */
		m.now = NOW + (uint64_t)i * S / 1000;
		passed += step("syn") == WHY_PASS;
	}
	assert_in_range(passed, 40 + 199, 40 + 200);
	assert_int_equal(m.src[0].drop_rl, 10000 - passed);
	assert_int_equal(m.src[0].syn, 10000);
	for (i = passed = 0, m.now += 1000 * S; i < 100; i++)
		passed += step("udp") == WHY_PASS;
	assert_int_equal(passed, 40);
}

/* Conversations end when they were idle: RFC 4787, RFC 5382. */
static void lives(void **state)
{
	static const struct { const char *own, *reply; unsigned life; } t[] = {
		{ "out own-ip6-udp", "ip6-udp-reply", 300 }, { "out own-syn", "synack", 240 },
		{ "out own-ping", "icmp-reply", 60 },
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		world((struct policy){ .edge = EDGE_ALLOW });
		assert_int_equal(step(t[i].reply), WHY_EDGE);
		step(t[i].own);
		m.now = NOW + t[i].life * S - 1;
		assert_int_equal(step(t[i].reply), WHY_PASS);
		m.now = NOW + t[i].life * S;
		assert_int_equal(step(t[i].reply), WHY_EDGE);
		assert_int_equal(m.t.replies, 1);
		assert_int_equal(m.t.conns, 1);
	}
}

/* The longest living prefix counts; what ended does not hide a shorter one. */
static void prefixes(void **state)
{
	static const struct { const char *text; uint64_t until; uint32_t burst; } t[] = {
		{ "203.0.113.7", NOW - 1, 1 }, { "203.0.113.0/24", NOW + 1, 2 }, { "203.0.0.0/16", 0, 3 },
		{ "0.0.0.0/0", 0, 4 }, { "::/0", 0, 5 },
	};
	size_t i;
	int n;

	world((struct policy){ .rate = 0 });
	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct rule *r = &m.w.rules[KL_LIMIT][m.w.n[KL_LIMIT]++];

		assert_int_equal(prefix_get(t[i].text, strlen(t[i].text), &r->x), 0);
		r->rate = 1;
		r->burst = t[i].burst;
		r->until = t[i].until;
	}
	for (n = 0; step("syn") == WHY_PASS; n++)
		;
	assert_int_equal(n, 2);
	m.now += 1;			/* the /24 ends; one packet of the /16's burst is left */
	assert_int_equal(step("syn"), WHY_PASS);
	assert_int_equal(step("syn"), WHY_LIMIT);
	for (n = 0; step("ip6-syn") == WHY_PASS; n++)
		;
	assert_int_equal(n, 5);
}

/* Every scene's own verdicts are the reference's. */
static void by_hand(void **state)
{
	const struct scene_step *s;
	size_t i, steps = 0;

	for (i = 0; i < scenes_n; i++) {
		world(scenes[i].set);
		assert_int_equal(scene_world(&scenes[i], &m.w, NOW), 0);
		m.w.jiffy = S / 250;
		for (s = scenes[i].steps; s < scenes[i].steps + SCENE_STEPS && s->packet; s++, steps++) {
			m.now += SCENE_AFTER(s) * S;
			if (s->after & (SURGE_BEGINS | SURGE_ENDS)) {
				m.w.surge = s->after & SURGE_BEGINS ? UINT64_MAX : 0;
				m.w.surge_since = m.now;
			}
			if (step(s->packet) != s->want)
				fail_msg("%s: %s is not %s", scenes[i].name, s->packet, model_whys[s->want]);
		}
	}
	assert_true(steps > 400);
}

/* The same seed, the same world and frames; another seed, others. */
static void chance(void **state)
{
	static struct world a, b;
	static struct frame f, h;
	static struct gen g2;
	int i, same = 0;

	gen_init(&g, 7);
	gen_init(&g2, 7);
	gen_world(&g, &a, NOW);
	gen_world(&g2, &b, NOW);
	assert_memory_equal(&a, &b, sizeof(a));
	for (i = 0; i < 1000; i++) {
		gen_frame(&g, &f);
		gen_frame(&g2, &h);
		assert_int_equal(f.n, h.n);
		assert_memory_equal(f.b, h.b, f.n);
	}
	gen_init(&g2, 8);
	for (i = 0; i < 1000; i++) {
		gen_frame(&g, &f);
		gen_frame(&g2, &h);
		same += f.n == h.n && !memcmp(f.b, h.b, f.n);
	}
	assert_int_equal(same, 0);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(parsers), cmocka_unit_test(limits), cmocka_unit_test(lives),
		cmocka_unit_test(prefixes), cmocka_unit_test(by_hand), cmocka_unit_test(chance),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
