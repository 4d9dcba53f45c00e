/* SPDX-License-Identifier: BSD-2-Clause */
/* A table's rules as an array: read by batches, sorted, matched with the records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "flow.h"
#include "rules.h"
#include "src.h"

const char *const rules_table[KL_TABLES] = {
	[KL_ALLOW] = "allow",	       [KL_DENY] = "deny",	     [KL_LIMIT] = "limit",
	[KL_EDGE_ALLOW] = "edge-allow", [KL_EDGE_DENY] = "edge-deny", [KL_EDGE_LIMIT] = "edge-limit",
};

#define HUGE_PAGE ((size_t)2 << 20)

/* Room for n elements, of huge pages when it is large and the kernel has them: under a
 * hypervisor the first touches of small ones cost more than to sort what they then hold. */
static void *room(size_t n, size_t size)
{
	size_t bytes = (n * size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *p;

	if (n * size < HUGE_PAGE)
		return malloc(n * size);
	p = aligned_alloc(HUGE_PAGE, bytes);
	if (p)
		madvise(p, bytes, MADV_HUGEPAGE);	/* a hint: small ones serve too */
	return p;
}

int rules_add(struct rules *s, const struct rule *r)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 1024;
		struct rule *p = room(cap, sizeof(*p));

		if (!p)
			return -ENOMEM;
		if (s->n)
			memcpy(p, s->r, s->n * sizeof(*p));
		free(s->r);
		s->r = p;
		s->cap = cap;
	}
	s->r[s->n++] = *r;
	return 0;
}

void rules_free(struct rules *s)
{
	free(s->r);
	free(s->hits);
	*s = (struct rules){ 0 };
}

static int add(void *s, const struct rule *r)
{
	return rules_add(s, r);
}

int rule_order(const void *va, const void *vb)
{
	const struct rule *a = va, *b = vb;
	int c = prefix_is4(&b->x) - prefix_is4(&a->x);

	if (!c)
		c = memcmp(&a->x, &b->x, sizeof(a->x));
	if (!c)
		c = a->proto - b->proto;
	return c ? c : a->port - b->port;
}

/* What rule_order() compares, byte by byte. */
#define PREFIX_DIGITS (1 + (int)sizeof(struct prefix))
#define DIGITS	      (PREFIX_DIGITS + 3)

static unsigned digit(const struct rule *r, int d)
{
	if (d < PREFIX_DIGITS)
		return d ? ((const uint8_t *)&r->x)[d - 1] : !prefix_is4(&r->x);
	return d == PREFIX_DIGITS ? r->proto : r->port >> (DIGITS - 1 - d) * 8 & 0xff;
}

/* How many digits all have in common, of which the first d are known. */
static int common(const struct rule *r, size_t n, int d)
{
	int same = DIGITS;

	for (size_t i = 1; i < n; i++)
		for (int e = d; e < same; e++)
			if (digit(&r[i], e) != digit(r, e))
				same = e;
	return same;
}

/* By digit d and those behind it. Radix in place (American flag; McIlroy, Bostic, McIlroy
 * 1993): needs no memory beside the rules', and reads a rule a few times instead of log n. */
static void sort(struct rule *r, size_t n, int d)
{
	size_t next[256] = { 0 }, end[256], at = 0;

	if (n < 64) {
		qsort(r, n, sizeof(*r), rule_order);
		return;
	}
	d = common(r, n, d);
	if (d == DIGITS)
		return;
	for (size_t i = 0; i < n; i++)
		next[digit(&r[i], d)]++;
	for (int b = 0; b < 256; b++) {
		at += next[b];
		end[b] = at;
		next[b] = at - next[b];
	}
	for (unsigned b = 0; b < 256; b++)
		while (next[b] < end[b]) {
			struct rule x = r[next[b]], y;

			for (unsigned to; (to = digit(&x, d)) != b; x = y) {
				y = r[next[to]];
				r[next[to]++] = x;
			}
			r[next[b]++] = x;
		}
	for (int b = 0; b < 256; b++) {
		size_t from = b ? end[b - 1] : 0;

		if (end[b] - from > 1)
			sort(r + from, end[b] - from, d + 1);
	}
}

void rules_sort(struct rules *s)
{
	if (s->n)
		sort(s->r, s->n, 0);
}

long rules_sweep(struct rules *s, struct kern *k, enum kl_table t, uint64_t now, uint32_t owners)
{
	size_t n = 0, kept = 0, done;
	int err = kern_walk(k, t, add, s);
	struct rule *gone;

	if (err)
		return err;
	gone = calloc(s->n + 1, sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct rule *r = &s->r[i];

		if ((r->until && r->until <= now) || (r->owner < 32 && owners >> r->owner & 1))
			gone[n++] = *r;
		else
			s->r[kept++] = *r;
	}
	s->n = kept;
	done = n ? kern_del(k, t, gone, n, &err) : 0;
	free(gone);
	return done == n ? (long)n : -err;
}

static bool full(int err)
{
	return err == E2BIG || err == ENOSPC;
}

#define GROUP 8192u

/* Rules of one map on their way into it. */
struct group {
	struct kern *k;
	enum kl_table t;
	struct rule r[GROUP];
	size_t of[GROUP], n;	/* of[i]: the place of r[i]'s error in err */
	int *err, full;
};

/* When the map is full, what is in it can still be written anew. */
static size_t put_group(struct group *g)
{
	struct rule old;
	size_t in = 0;
	int e = g->full;

	if (!g->full)
		in = kern_put(g->k, g->t, g->r, g->n, &e);
	for (size_t i = in; i < g->n; i++) {
		g->err[g->of[i]] = e;
		if (full(e) && kern_find(g->k, g->t, &g->r[i], &old) == 1 &&
		    kern_put(g->k, g->t, &g->r[i], 1, &g->err[g->of[i]]))
			in++;
	}
	g->full = full(e) ? e : 0;
	g->n = 0;
	return in;
}

size_t rules_put(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err)
{
	struct group *g = calloc(1, sizeof(*g));
	size_t in = 0;

	for (size_t i = 0; i < n; i++)
		err[i] = g ? -1 : ENOMEM;	/* -1: not tried yet */
	if (!g)
		return 0;
	g->k = k;
	g->t = t;
	g->err = err;
	for (size_t first = 0; first < n; first++) {
		const char *map = kern_map_name(t, &r[first].x);

		if (err[first] != -1)
			continue;
		g->full = 0;
		for (size_t i = first; i < n; i++) {
			if (err[i] != -1 || kern_map_name(t, &r[i].x) != map)
				continue;
			err[i] = 0;
			g->r[g->n] = r[i];
			g->of[g->n++] = i;
			if (g->n == GROUP)
				in += put_group(g);
		}
		in += put_group(g);
	}
	free(g);
	return in;
}

const char *rules_why(struct kern *k, enum kl_table t, const struct prefix *x, int err)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s (%u entries): %s", kern_map_name(t, x), kern_map_max(k, t, x),
		 full(err) ? "full" : strerror(err));
	return text;
}

int rules_load(const struct rules *s, struct kern *k, enum kl_table t, const char **why)
{
	int *err = malloc((s->n + 1) * sizeof(*err)), again = 1, bad = ENOMEM;
	static char text[256];
	struct rules old = { 0 };
	size_t in, i;

	*why = strerror(bad);
	if (!err)
		return -bad;
	do {
		in = rules_put(k, t, s->r, s->n, err);
		for (i = 0; i < s->n && !err[i]; )
			i++;
	} while (in < s->n && full(err[i]) && again-- && rules_sweep(&old, k, t, boot_ns(), 0) > 0);
	bad = in < s->n ? err[i] : 0;
	if (bad)
		snprintf(text, sizeof(text), "%s: %zu of %zu rules went in, nothing already in is lost",
			 rules_why(k, t, &s->r[i].x, bad), in, s->n);
	*why = text;
	rules_free(&old);
	free(err);
	return -bad;
}

size_t rules_del(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err)
{
	size_t done;
	int e;

	done = kern_del(k, t, r, n, &e);
	for (size_t i = 0; i < n; i++)
		err[i] = i < done ? 0 : e;
	return done;
}

/* Adds each source of which packets were dropped, as a rule that says how many. 0 or -ENOMEM. */
static int dropped(struct rules *s, const struct kern_src *t, bool deny, uint8_t len)
{
	struct rule r = { .x.len = len };

	for (size_t i = 0; i < (size_t)t->sets * KL_WAYS; i++) {
		const struct kl_src *h = &t->hot[i];

		if (!(t->tags[i / KL_WAYS] >> i % KL_WAYS * 8 & 0xff))
			continue;
		r.rate = deny ? pb_read(&h->denied, &t->cold[i].carry_denied).pkts : h->drop_rl;
		memcpy(r.x.a, h->key, sizeof(r.x.a));
		if (r.rate && rules_add(s, &r))
			return -ENOMEM;
	}
	return 0;
}

/* The same of edges. */
static int dropped_edges(struct rules *s, const struct kern_flow *t)
{
	struct rule r = { .x.len = 128 };

	for (size_t i = 0; i < (size_t)t->sets * KL_WAYS; i++) {
		const struct kl_flow *h = &t->hot[i];

		if (!(t->tags[i / KL_WAYS] >> i % KL_WAYS * 8 & 0xff) || h->id & KL_FLOW_OUT)
			continue;
		r.rate = h->drops;
		memcpy(r.x.a, h->key, sizeof(r.x.a));
		r.proto = h->id >> 16 & 0xff;
		r.port = h->id & 0xffff;
		if (r.rate && rules_add(s, &r))
			return -ENOMEM;
	}
	return 0;
}

/* Both sorted: each edge is that rule or none. */
static void match_edges(struct rules *s, const struct rules *src)
{
	size_t at = 0;

	for (const struct rule *x = src->r; x < src->r + src->n; x++) {
		while (at < s->n && rule_order(&s->r[at], x) < 0)
			at++;
		if (at < s->n && !rule_order(&s->r[at], x))
			s->hits[at] += x->rate;
	}
}

/* Both sorted. In the order a prefix stands before all it covers: so what covers a
 * source are those of the rules before it that enclose one another and the last. */
static void match(struct rules *s, const struct rules *src)
{
	size_t in[8 * sizeof(src->r->x.a) + 1], depth = 0, at = 0;	/* one of a length */

	for (const struct rule *x = src->r; x < src->r + src->n; x++) {
		for (; at < s->n && rule_order(&s->r[at], x) <= 0; at++) {
			while (depth && (s->r[in[depth - 1]].x.len >= s->r[at].x.len ||
					 !prefix_covers(&s->r[in[depth - 1]].x, &s->r[at].x)))
				depth--;
			in[depth++] = at;
		}
		while (depth && !prefix_covers(&s->r[in[depth - 1]].x, &x->x))
			depth--;
		if (depth)
			s->hits[in[depth - 1]] += x->rate;
	}
}

int rules_hits(struct rules *s, struct kern *k, enum kl_table t)
{
	uint8_t len6 = kern_cfg(k)->features & KL_F_SRC6_64 ? 64 : 128;
	bool drops = t != KL_ALLOW && t != KL_EDGE_ALLOW;
	struct rules gone = { 0 };
	struct kern_flow flow;
	struct kern_src src;
	int err = 0;

	free(s->hits);
	s->hits = room(s->n + 1, sizeof(*s->hits));
	if (!s->hits)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct prefix *x = &s->r[i].x;

		s->hits[i] = !drops || (!is_edge(t) && x->len > len6 && !prefix_is4(x)) ? HITS_UNKNOWN : 0;
	}
	for (int family = 4; family <= 6 && drops && s->n && !err; family += 2) {
		err = is_edge(t) ? kern_flow(k, family, &flow) : kern_src(k, family, &src);
		if (!err)
			err = is_edge(t) ? dropped_edges(&gone, &flow) :
					   dropped(&gone, &src, t == KL_DENY, family == 4 ? 128 : len6);
	}
	rules_sort(&gone);
	if (is_edge(t))
		match_edges(s, &gone);
	else
		match(s, &gone);
	rules_free(&gone);
	return err;
}
