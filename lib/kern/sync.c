/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wanted and what is there, both sorted, merged once. */
#include <errno.h>

#include "sync.h"

static int keep(void *s, const struct rule *r)
{
	return rules_add(s, r);
}

/* Sorted, and of equal keys the first. */
static void tidy(struct rules *s)
{
	size_t n = 0;

	rules_sort(s);
	for (size_t i = 0; i < s->n; i++)
		if (!n || rule_order(&s->r[n - 1], &s->r[i]))
			s->r[n++] = s->r[i];
	s->n = n;
}

static bool lives(const struct rule *r, uint64_t now)
{
	return !r->until || r->until > now;
}

static bool good_enough(const struct rule *is, const struct rule *want, uint64_t now)
{
	if (is->rate != want->rate || is->burst != want->burst)
		return false;
	if (!is->until || !want->until)
		return is->until == want->until;
	return is->until <= want->until && is->until - now >= (want->until - now) / 2;
}

/* Splits the difference into what to put and what to remove. 0, or -ENOMEM. */
static int difference(const struct rules *want, const struct rules *is, uint32_t owner, struct rules *put,
		      struct rules *del, size_t *held)
{
	uint64_t now = boot_ns();
	size_t w = 0, i = 0;
	int err = 0;

	while (!err && (w < want->n || i < is->n)) {
		const struct rule *a = want->r + w, *b = is->r + i;
		int c = w == want->n ? 1 : i == is->n ? -1 : rule_order(a, b);

		w += c <= 0;
		i += c >= 0;
		if (c > 0)
			err = b->owner == owner ? rules_add(del, b) : 0;
		else if (c < 0 || !lives(b, now))
			err = rules_add(put, a);
		else if (b->owner != owner)
			++*held;
		else if (!good_enough(b, a, now))
			err = rules_add(put, a);
	}
	return err;
}

int rules_sync(struct rules *want, struct kern *k, enum kl_table t, uint32_t owner, bool dry,
	       struct synced *n, const char **why)
{
	struct rules is = { 0 }, put = { 0 }, del = { 0 };
	int err = kern_walk(k, t, keep, &is), full;

	*n = (struct synced){ 0 };
	*why = NULL;
	tidy(want);
	rules_sort(&is);
	if (!err)
		err = difference(want, &is, owner, &put, &del, &n->held);
	n->put = put.n;
	n->del = del.n;
	if (err || dry)
		goto out;
	full = rules_load(&put, k, t, why);
	if (del.n && kern_del(k, t, del.r, del.n, &err) < del.n) {
		err = -err;
		*why = NULL;
		goto out;
	}
	/* What left may have been what filled the map. */
	err = full && del.n ? rules_load(&put, k, t, why) : full;
out:
	rules_free(&is);
	rules_free(&put);
	rules_free(&del);
	return err;
}
