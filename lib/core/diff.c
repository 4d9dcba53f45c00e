/* SPDX-License-Identifier: BSD-2-Clause */
/* Wanted level against held entries: which writes are due. */
#include "diff.h"

#define SECOND 1000000000ll
#define MS     1000000ll
#define MS_MAX (INT64_MAX / 8 / MS)	/* 36 years: sums of a few still fit */

static uint32_t whole(double v)
{
	return v < 1 ? 1 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

struct limit limit_of(struct limit given, double factor, double trigger)
{
	if (factor <= 0 || trigger <= 0)
		return given;

	uint32_t rate = whole(trigger * factor);

	return (struct limit){ rate, whole(2.0 * rate) };
}

void limits_of(struct limit limit[LEVELS], const struct rates *r, double trigger)
{
	limit[LEVEL_SOFT] = limit_of(r->soft, r->soft_factor, trigger);
	limit[LEVEL_HARD] = limit_of(r->hard, r->hard_factor, trigger);
}

uint32_t surge_of(const struct rates *r, enum level level)
{
	static const uint32_t share[LEVELS] = { 1, 1, 5, 20 };

	return r->surge / share[level];
}

/* Milliseconds as nanoseconds; what lies too far off for that is as far off as can be. */
static int64_t ns(int64_t ms)
{
	return MS * (ms > MS_MAX ? MS_MAX : ms < -MS_MAX ? -MS_MAX : ms);
}

void want_lease(struct want *w, int64_t since, int64_t until, int64_t now, int64_t tick)
{
	w->ttl = DIFF_LEASE;
	w->left = DIFF_LEASE;
	if (until >= 0 && until > since) {
		w->ttl = ns(until - since);
		w->left = ns(until - now);
	}
	if (w->ttl < ns(3 * tick))
		w->ttl = ns(3 * tick);
}

/* When an entry written now ends: with its level, if that is neither soon over
 * nor further off than its time to live (a clock was set). */
static uint64_t lease(const struct want *w, uint64_t now)
{
	return now + (uint64_t)(w->left < w->ttl / 2 || w->left > w->ttl ? w->ttl : w->left);
}

uint64_t lease_end(int64_t since, int64_t until, int64_t real, int64_t tick, uint64_t now)
{
	struct want w;

	want_lease(&w, since, until, real, tick);
	return lease(&w, now);
}

static bool lives(uint64_t until, uint64_t now)
{
	return !until || until > now;
}

/* Is an entry of ours with this end to be written again? Either half its time
 * is over, or it would outlive its reason. */
static bool due(uint64_t until, const struct want *w, uint64_t now)
{
	return until < now + (uint64_t)w->ttl / 2 || until > now + (uint64_t)w->ttl + SECOND;
}

bool held_ended(const struct held *h, uint64_t now)
{
	bool deny = h->deny == HELD_OURS, limit = h->limit == HELD_OURS;

	return held_ours(h) && !(deny && lives(h->deny_until, now)) && !(limit && lives(h->limit_until, now));
}

unsigned diff(const struct held *h, const struct want *w, const struct limit limit[LEVELS], uint64_t now,
	      uint64_t *until)
{
	unsigned drop_deny = h->deny == HELD_OURS ? DEL_DENY : 0;
	unsigned drop_limit = h->limit == HELD_OURS ? DEL_LIMIT : 0;
	const struct limit *l = &limit[w->level];

	*until = lease(w, now);
	switch (w->level) {
	case LEVEL_BLOCK:
		if (h->deny == HELD_OTHERS && lives(h->deny_until, now))
			return KEEP | drop_limit;
		if (h->deny != HELD_OURS || !lives(h->deny_until, now))
			return PUT_DENY | NEW_DENY | drop_limit;
		if (due(h->deny_until, w, now))
			return PUT_DENY | drop_limit;
		return drop_limit;
	case LEVEL_SOFT:
	case LEVEL_HARD:
		if (h->limit == HELD_OTHERS && lives(h->limit_until, now))
			return KEEP | drop_deny;
		if (h->limit != HELD_OURS || due(h->limit_until, w, now) || h->is.rate != l->rate ||
		    h->is.burst != l->burst)
			return PUT_LIMIT | drop_deny;
		return drop_deny;
	default:
		return drop_deny | drop_limit;
	}
}
