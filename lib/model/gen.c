/* SPDX-License-Identifier: BSD-2-Clause */
/* Chance, whom it draws from, and worlds. */
#include <string.h>

#include "gen.h"

#define PICK(g, array) (array)[gen_below(g, sizeof(array) / sizeof(*(array)))]

/* SplitMix64 (Steele, Lea, Flood 2014) */
uint64_t gen_below(struct gen *g, uint64_t n)
{
	uint64_t z = g->s += 0x9E3779B97F4A7C15ull;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return (z ^ z >> 31) % n;
}

static void add(uint8_t (*to)[16], unsigned *n, const char *text)
{
	struct prefix x;

	if (!prefix_get(text, strlen(text), &x))
		memcpy(to[(*n)++], x.a, 16);
}

void gen_init(struct gen *g, uint64_t seed)
{
	/* Documentation ranges; two hosts of one /64, links, a group. */
	static const char *const there4[] = { "203.0.113.1", "203.0.113.2", "203.0.113.7", "203.0.113.129",
					      "198.51.100.9" };
	static const char *const there6[] = { "2001:db8::1", "2001:db8::2", "2001:db8:0:1::5",
					      "2001:db8:8::9", "fe80::1" };
	static const char *const here4[] = { "192.0.2.1", "192.0.2.2", "255.255.255.255" };
	static const char *const here6[] = { "2001:db8:ffff::1", "fe80::2", "ff02::1" };
	static const uint16_t ports[] = { 22, 53, 80, 443, 1023, 1024, 40000, 40001, 0 };
	size_t i;

	memset(g, 0, sizeof(*g));
	g->s = seed;
	for (i = 0; i < 5; i++) {
		add(g->remote[0], &g->remotes[0], there4[i]);
		add(g->remote[1], &g->remotes[1], there6[i]);
	}
	for (i = 0; i < 3; i++) {
		add(g->local[0], &g->locals[0], here4[i]);
		add(g->local[1], &g->locals[1], here6[i]);
	}
	g->ports = sizeof(ports) / sizeof(*ports);
	memcpy(g->port, ports, sizeof(ports));
}

static void collect(struct gen *g, uint8_t (*to)[16], unsigned *n, const uint8_t *a)
{
	unsigned i;

	for (i = 0; i < *n; i++)
		if (!memcmp(to[i], a, 16))
			return;
	memcpy(to[*n < POOL ? (*n)++ : gen_below(g, POOL)], a, 16);
}

void gen_pool_of(struct gen *g, const struct frame *f, size_t n)
{
	struct wire w;
	size_t i;
	int six;

	g->ports = 0;
	memset(g->remotes, 0, sizeof(g->remotes));
	memset(g->locals, 0, sizeof(g->locals));
	for (i = 0; i < n; i++) {
		wire_read(&w, f[i].b, f[i].n);
		if (w.kind != WIRE_IP)
			continue;
		six = w.family == 6;
		collect(g, g->remote[six], &g->remotes[six], f[i].out ? w.dst : w.src);
		collect(g, g->local[six], &g->locals[six], f[i].out ? w.src : w.dst);
		if (w.has_ports)
			g->port[g->ports < POOL ? g->ports++ : gen_below(g, POOL)] = w.dport;
	}
	for (six = 0; six < 2; six++)	/* no family without a soul: rules are made of both */
		if (!g->remotes[six]) {
			add(g->remote[six], &g->remotes[six], six ? "2001:db8::1" : "203.0.113.1");
			add(g->local[six], &g->locals[six], six ? "2001:db8:ffff::1" : "192.0.2.1");
		}
	if (!g->ports)
		g->port[g->ports++] = 80;
}

/* ---- worlds ---- */

static void gen_limit(struct gen *g, uint64_t *rate, uint64_t *burst)
{
	/* Slow ones let a burst pass and then no more; fast ones everything: the reference need not know to
	 * the microsecond when a packet came. Not both in one world: sources go from one to the other. */
	static const uint64_t rates[] = { 1, 2, 5 }, bursts[] = { 1, 2, 3, 10 };

	if (g->fast) {
		*rate = 1000000000;
		*burst = 1000000;
		return;
	}
	*rate = PICK(g, rates);
	*burst = PICK(g, bursts);
}

void gen_settings(struct gen *g, struct policy *s)
{
	memset(s, 0, sizeof(*s));
	s->enforce_allow = gen_chance(g, 200);
	s->src6_64 = gen_chance(g, 400);
	s->edge = (enum edge_mode)gen_below(g, 3);
	if (gen_chance(g, 200))
		gen_limit(g, &s->rate, &s->burst);
}

void gen_rule(struct gen *g, enum kl_table t, struct rule *r, uint64_t now)
{
	static const uint8_t len4[] = { 0, 1, 8, 16, 24, 25, 28, 30, 31, 32, 32, 32 };
	static const uint8_t len6[] = { 0, 3, 16, 32, 48, 63, 64, 65, 96, 127, 128, 128 };
	static const uint8_t protos[] = { 6, 6, 17, 17, 132, 47, 50, 51, 0, 43, 60, 59 };
	static const uint8_t lives[] = { 1, 2, 4, 10 };
	const struct talk *k = &g->talk[gen_below(g, GEN_TALKS)];
	int six = (int)gen_below(g, 2);

	memset(r, 0, sizeof(*r));
	memcpy(r->x.a, g->remote[six][gen_below(g, g->remotes[six])], 16);
	r->x.len = 128;
	if (is_edge(t)) {
		r->proto = gen_chance(g, 250) ? (six ? 58 : 1) : PICK(g, protos);
		r->port = wire_ported(r->proto) && !gen_chance(g, 100) ? g->port[gen_below(g, g->ports)] : 0;
		if (k->proto && gen_chance(g, 600)) {	/* an edge that is in use */
			memcpy(r->x.a, k->there, 16);
			r->proto = k->proto;
			r->port = wire_ported(k->proto) ? k->lport : 0;
		}
	} else {
		r->x.len = six ? PICK(g, len6) : (uint8_t)(96 + PICK(g, len4));
		prefix_mask(&r->x);
	}
	if (t == KL_LIMIT || t == KL_EDGE_LIMIT)
		gen_limit(g, &r->rate, &r->burst);
	r->owner = KL_OPERATOR + (uint32_t)gen_below(g, 3);
	if (gen_chance(g, 150))
		r->until = now - 1000000000;
	else if (gen_chance(g, 300))
		r->until = now + 30000000000 * PICK(g, lives);
}

static void add_rule(struct world *w, enum kl_table t, const struct rule *r)
{
	size_t i;

	for (i = 0; i < w->n[t]; i++)
		if (prefix_eq(&w->rules[t][i].x, &r->x) && w->rules[t][i].port == r->port &&
		    w->rules[t][i].proto == r->proto)
			return;
	w->rules[t][w->n[t]++] = *r;
}

void gen_world(struct gen *g, struct world *w, uint64_t now)
{
	static const uint8_t lives[] = { 1, 2, 4 };
	enum kl_table t;
	struct rule r;
	unsigned n;

	memset(w, 0, sizeof(*w));
	g->fast = gen_chance(g, 200);
	gen_settings(g, &w->set);
	gen_settings(g, &w->before);
	if (gen_chance(g, 100))
		w->trial = gen_chance(g, 400) ? now - 1 : now + 30000000000 * PICK(g, lives);
	if (gen_chance(g, 100)) {
		w->dead = gen_chance(g, 400) ? now - 1 : now + 30000000000 * PICK(g, lives);
		w->dead_mode = (enum kl_dead)gen_below(g, 3);
	}
	w->flows = gen_chance(g, 500);
	w->hist = gen_chance(g, 300);
	w->full = gen_chance(g, 100);
	w->spent = gen_chance(g, 200);
	for (t = 0; t < KL_TABLES; t++) {
		if (gen_chance(g, 400))
			continue;
		for (n = 1 + (unsigned)gen_below(g, is_edge(t) ? 24 : 6); n; n--) {
			gen_rule(g, t, &r, now);
			add_rule(w, t, &r);
		}
	}
	w->surges = gen_chance(g, 300);
	w->surge = w->surges && gen_chance(g, 600) ?
			   gen_chance(g, 100) ? now - 1 : now + 3000000000000000 : 0;
	w->surge_since = 0;
	w->surge_free = gen_chance(g, 200);
	/* Without records limits share buckets by a hash the reference does not know: none, or one source. */
	if (w->surges) {
		w->set.rate = w->before.rate = 0;
		w->n[KL_LIMIT] = 0;
	}
	if (!w->full)
		return;
	w->trial = 0;
	w->set.rate = 0;
	w->n[KL_EDGE_LIMIT] = 0;
	if (w->n[KL_LIMIT] > 1)
		w->n[KL_LIMIT] = 1;
	if (w->n[KL_LIMIT] && w->rules[KL_LIMIT][0].x.len != 128)
		w->n[KL_LIMIT] = 0;
}
