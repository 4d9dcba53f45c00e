/* SPDX-License-Identifier: BSD-2-Clause */
/* A table's rules as an array: read by batches, sorted, matched with the records. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules.h"

int rules_add(struct rules *s, const struct rule *r)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 1024;
		struct rule *p = realloc(s->r, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
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

static int order(const void *va, const void *vb)
{
	const struct prefix *a = va, *b = vb;
	int four = prefix_is4(b) - prefix_is4(a);

	return four ? four : memcmp(a, b, sizeof(*a));
}

void rules_sort(struct rules *s)
{
	_Static_assert(offsetof(struct rule, x) == 0, "rules are compared as prefixes");
	if (s->n)
		qsort(s->r, s->n, sizeof(*s->r), order);
}

long rules_sweep(struct rules *s, struct kern *k, enum kl_table t, uint64_t now, uint32_t owners)
{
	size_t n = 0, kept = 0, done;
	int err = kern_walk(k, t, add, s);
	struct prefix *gone;

	if (err)
		return err;
	gone = calloc(s->n + 1, sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct rule *r = &s->r[i];

		if ((r->until && r->until <= now) || (r->owner < 32 && owners >> r->owner & 1))
			gone[n++] = r->x;
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
		if (full(e) && kern_find(g->k, g->t, &g->r[i].x, &old) == 1 &&
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

long rules_load(const struct rules *s, struct kern *k, enum kl_table t, const char **why)
{
	int *err = malloc((s->n + 1) * sizeof(*err));
	struct rules old = { 0 };
	size_t in, i;
	int again = 1;

	if (!err)
		return -ENOMEM;
	do {
		in = rules_put(k, t, s->r, s->n, err);
		for (i = 0; i < s->n && !err[i]; )
			i++;
	} while (in < s->n && full(err[i]) && again-- && rules_sweep(&old, k, t, boot_ns(), 0) > 0);
	if (in < s->n)
		*why = rules_why(k, t, &s->r[i].x, err[i]);
	rules_free(&old);
	free(err);
	return (long)in;
}

size_t rules_del(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err)
{
	struct prefix *x = malloc((n + 1) * sizeof(*x));
	int e = ENOMEM;
	size_t done;

	for (size_t i = 0; x && i < n; i++)
		x[i] = r[i].x;
	done = x ? kern_del(k, t, x, n, &e) : 0;
	for (size_t i = 0; i < n; i++)
		err[i] = i < done ? 0 : e;
	free(x);
	return done;
}

/* The last rule at or before x in the order, -1 when there is none. */
static long floor_of(const struct rules *s, const struct prefix *x)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&s->r[mid], x) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (long)lo - 1;
}

/* In the order a prefix stands before all it covers: so the longest rule that
 * covers x is the last one at or before x, or one that encloses that. */
static void match(struct rules *s, const long *up, const struct kern_src *t, bool deny, uint8_t len)
{
	for (size_t i = 0; i < (size_t)t->sets * KL_WAYS; i++) {
		const struct kl_src *h = &t->hot[i];
		uint32_t drops = deny ? h->drop_deny : h->drop_rl;
		struct prefix x = { .len = len };
		long at;

		if (!drops || !(t->tags[i / KL_WAYS] >> i % KL_WAYS * 8 & 0xff))
			continue;
		memcpy(x.a, h->key, sizeof(x.a));
		for (at = floor_of(s, &x); at >= 0; at = up[at])
			if (prefix_covers(&s->r[at].x, &x)) {
				s->hits[at] += drops;
				break;
			}
	}
}

int rules_hits(struct rules *s, struct kern *k, enum kl_table t)
{
	uint8_t len6 = kern_cfg(k)->features & KL_F_SRC6_64 ? 64 : 128;
	long *up = malloc((s->n + 1) * sizeof(*up));	/* the rule that encloses, or -1 */
	struct kern_src src;
	int err = -ENOMEM;

	free(s->hits);
	s->hits = malloc((s->n + 1) * sizeof(*s->hits));
	if (!up || !s->hits)
		goto out;
	for (size_t i = 0; i < s->n; i++) {
		const struct prefix *x = &s->r[i].x;

		for (up[i] = (long)i - 1; up[i] >= 0; up[i] = up[up[i]])
			if (prefix_covers(&s->r[up[i]].x, x))
				break;
		s->hits[i] = t == KL_ALLOW || (!prefix_is4(x) && x->len > len6) ? HITS_UNKNOWN : 0;
	}
	err = 0;
	for (int family = 4; family <= 6 && t != KL_ALLOW && !err; family += 2) {
		err = kern_src(k, family, &src);
		if (!err)
			match(s, up, &src, t == KL_DENY, family == 4 ? 128 : len6);
	}
out:
	free(up);
	return err;
}
