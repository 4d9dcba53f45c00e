/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of addresses as sorted ranges. */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "ranges.h"

static void bounds(const struct prefix *x, struct range *out)
{
	memcpy(out->lo, x->a, 16);
	memcpy(out->hi, x->a, 16);
	for (int bit = x->len; bit < 128; bit++) {
		out->lo[bit / 8] &= ~(0x80 >> bit % 8);
		out->hi[bit / 8] |= 0x80 >> bit % 8;
	}
}

void ranges_add(struct ranges *s, const struct prefix *x)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct range *r = reallocarray(s->r, cap, sizeof(*r));

		if (!r)
			die(KL_SYSTEM, "out of memory for %zu ranges", cap);
		s->r = r;
		s->cap = cap;
	}
	bounds(x, &s->r[s->n++]);
}

const char *ranges_add_list(struct ranges *s, const char *list)
{
	struct prefix x;
	size_t n;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (prefix_get(list, n, &x))
			return list;
		ranges_add(s, &x);
		if (!list[n])
			return NULL;
	}
}

static int by_lo(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->lo, ((const struct range *)b)->lo, 16);
}

void ranges_seal(struct ranges *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->r, s->n, sizeof(*s->r), by_lo);
	for (size_t i = 0; i < s->n; i++) {
		if (!n || memcmp(s->r[i].lo, s->r[n - 1].hi, 16) > 0)
			s->r[n++] = s->r[i];
		else if (memcmp(s->r[i].hi, s->r[n - 1].hi, 16) > 0)
			memcpy(s->r[n - 1].hi, s->r[i].hi, 16);
	}
	s->n = n;
}

void ranges_free(struct ranges *s)
{
	free(s->r);
	*s = (struct ranges){ 0 };
}

bool ranges_meet(const struct ranges *s, const struct prefix *x)
{
	size_t lo = 0, hi = s->n;	/* the first range that begins behind x is in [lo, hi] */
	struct range b;

	if (!s->n)
		return false;
	bounds(x, &b);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(s->r[mid].lo, b.hi, 16) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && memcmp(s->r[lo - 1].hi, b.lo, 16) >= 0;
}
