/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims against holdings, a frame at a time. */
#include <errno.h>
#include <stdlib.h>

#include "../base/num.h"
#include "ledger.h"

void ledger_init(struct ledger *l)
{
	l->frame = 1;
	table_init(&l->held, sizeof(struct held));
}

void ledger_free(struct ledger *l)
{
	table_free(&l->held);
	free(l->claim);
	free(l->rule);
	free(l->err);
}

static struct claim *add(struct ledger *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 256;
		struct claim *p = realloc(l->claim, cap * sizeof(*p));

		if (!p)
			return NULL;
		l->claim = p;
		l->cap = cap;
	}
	return &l->claim[l->n++];
}

static uint32_t index_of(const struct ledger *l, const struct held *h)
{
	return (uint32_t)(((const unsigned char *)h - l->held.entry) / (ptrdiff_t)l->held.size);
}

int ledger_claim(struct ledger *l, const struct prefix *x, enum level level, int64_t since, int64_t until)
{
	struct held *h = level == LEVEL_OBSERVE ? table_find(&l->held, x) : table_get(&l->held, x);
	struct claim *c;

	if (h && h->frame == l->frame)
		return -EEXIST;
	c = add(l);
	if (!c)
		return -ENOMEM;
	*c = (struct claim){ .at = NOT_HELD, .since = since, .until = until, .want.level = level };
	if (h) {
		h->frame = l->frame;
		c->at = index_of(l, h);
	}
	return 0;
}

void ledger_note(const struct ledger *l, struct held *h, bool deny, const struct rule *r)
{
	enum holder who = !r ? HELD_NONE : r->owner == l->owner ? HELD_OURS : HELD_OTHERS;

	h->known |= 1u << deny;
	if (deny) {
		h->deny = who;
		h->deny_until = r ? r->until : 0;
	} else {
		h->limit = who;
		h->limit_until = r ? r->until : 0;
		h->is = r ? (struct limit){ (uint32_t)r->rate, (uint32_t)r->burst } : (struct limit){ 0 };
	}
}

void ledger_blank(struct ledger *l, bool deny)
{
	l->deny = deny;
	l->seen[deny] = 0;
	for (size_t i = 0; i < l->held.n; i++)
		ledger_note(l, table_at(&l->held, i), deny, NULL);
}

int ledger_meet(void *ledger, const struct rule *r)
{
	struct ledger *l = ledger;
	struct held *h = r->owner == l->owner ? table_get(&l->held, &r->x) : table_find(&l->held, &r->x);

	l->seen[l->deny]++;
	if (h)
		ledger_note(l, h, l->deny, r);
	return 0;
}

void ledger_recheck(struct ledger *l, size_t n)
{
	struct held *h;

	for (n = n < l->held.n ? n : l->held.n; n; n--) {
		if (l->next >= l->held.n)
			l->next = 0;
		h = table_at(&l->held, l->next++);
		if (h->frame == l->frame) {
			l->ask(l->self, h, true);
			l->ask(l->self, h, false);
		}
	}
}

static int unnamed(struct ledger *l, bool sync, uint64_t now)
{
	struct held *h;
	struct claim *c;

	for (size_t i = 0; i < l->held.n; i++) {
		h = table_at(&l->held, i);
		if (h->frame == l->frame || !held_ours(h) || (!sync && !held_ended(h, now)))
			continue;
		c = add(l);
		if (!c)
			return -ENOMEM;
		*c = (struct claim){ .at = (uint32_t)i, .unnamed = true };
		h->frame = l->frame;
	}
	return 0;
}

static int scratch(struct ledger *l)
{
	if (l->room >= l->todo)
		return 0;
	free(l->rule);
	free(l->err);
	l->room = l->todo + l->todo / 2;
	l->rule = malloc(l->room * sizeof(*l->rule));
	l->err = malloc(l->room * sizeof(*l->err));
	return l->rule && l->err ? 0 : -ENOMEM;
}

int ledger_close(struct ledger *l, bool sync, int64_t time, int64_t real, uint64_t now)
{
	int err = unnamed(l, sync, now);

	if (err)
		return err;
	l->tick = l->last && time > l->last ? time - l->last : 0;
	l->last = time;
	l->todo = 0;
	for (struct claim *c = l->claim; c < l->claim + l->n; c++) {
		if (c->at == NOT_HELD)
			continue;
		want_lease(&c->want, c->since, c->until, real, l->tick);
		c->ops = diff(ledger_held(l, c), &c->want, l->limit, now, &c->end);
		l->todo += !!(c->ops & DIFF_WRITES);
	}
	return scratch(l);
}

/* The next claim behind c (NULL: the first) that asks for op and had no failure. */
static struct claim *each(const struct ledger *l, struct claim *c, unsigned op)
{
	for (c = c ? c + 1 : l->claim; c < l->claim + l->n; c++)
		if (c->ops & op && !c->err)
			return c;
	return NULL;
}

size_t ledger_plan(struct ledger *l, bool asked, uint64_t now)
{
	uint32_t new = 0;
	size_t capped = 0;

	for (struct claim *c = NULL; (c = each(l, c, DIFF_WRITES)); ) {
		struct held *h = ledger_held(l, c);

		if (!asked && c->ops & (PUT_DENY | DEL_DENY))
			l->ask(l->self, h, true);
		if (!asked && c->ops & (PUT_LIMIT | DEL_LIMIT))
			l->ask(l->self, h, false);
		c->ops = diff(h, &c->want, l->limit, now, &c->end);
		if (!(c->ops & NEW_DENY) || new++ < l->max_new)
			continue;
		c->capped = true;
		capped++;
		if (!asked)
			l->ask(l->self, h, false);
		c->want.level = LEVEL_HARD;
		c->ops = diff(h, &c->want, l->limit, now, &c->end);
	}
	return capped;
}

void ledger_refuse(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		l->claim[i].stale = true;
}

size_t ledger_writes(struct ledger *l, unsigned op)
{
	size_t n = 0;

	for (struct claim *c = NULL; (c = each(l, c, op)); n++) {
		const struct limit *is = &l->limit[c->want.level];

		l->rule[n] = (struct rule){ .x = ledger_held(l, c)->x, .rate = is->rate,
					   .burst = is->burst, .until = c->end, .owner = l->owner };
		l->err[n] = 0;
	}
	return n;
}

void ledger_wrote(struct ledger *l, unsigned op)
{
	bool put = op & (PUT_DENY | PUT_LIMIT), deny = op & (PUT_DENY | DEL_DENY);
	size_t n = 0;

	for (struct claim *c = NULL; (c = each(l, c, op)); n++) {
		c->err = l->err[n];
		if (!c->err)
			ledger_note(l, ledger_held(l, c), deny, put ? &l->rule[n] : NULL);
	}
}

size_t ledger_failed(const struct ledger *l, const struct claim **first)
{
	size_t n = 0;

	for (const struct claim *c = l->claim; c < l->claim + l->n; c++)
		if (c->err && !n++)
			*first = c;
	return n;
}

static const char *action(const struct claim *c)
{
	if (c->ops & PUT_DENY)
		return "deny";
	if (c->ops & PUT_LIMIT)
		return "limit";
	if (c->ops & (DEL_DENY | DEL_LIMIT))
		return "release";
	return c->ops & KEEP ? "keep" : "none";
}

char *claim_receipt(char *p, const struct claim *c, bool dry)
{
	const char *name = c->err ? strerrorname_np(c->err) : NULL;

	*p++ = '\t';
	p = stpcpy(p, action(c));
	*p++ = '\t';
	if (c->err == E2BIG || c->err == ENOSPC)
		return stpcpy(p, "full");
	if (c->err) {
		p = stpcpy(p, "failed:");
		return name ? stpcpy(p, name) : put_u64(p, (uint64_t)c->err);
	}
	return stpcpy(p, c->stale ? "stale" : c->capped ? "capped" : dry ? "dry" : "ok");
}

static int idle(void *entry, void *arg)
{
	const struct held *h = entry;

	return !held_ours(h) && h->frame != *(const uint32_t *)arg;
}

void ledger_next(struct ledger *l)
{
	size_t idles = 0;

	for (size_t i = 0; i < l->held.n; i++)
		idles += idle(table_at(&l->held, i), &l->frame);
	if (idles > 64 + l->held.n / 4)
		table_sweep(&l->held, idle, &l->frame);
	l->frame++;
	l->n = 0;
}
