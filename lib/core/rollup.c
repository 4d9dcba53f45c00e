/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes under watch, and the judgement of them. */
#include <string.h>

#include "rollup.h"

#define LEVELS_MAX 3

static const uint8_t lens4[] = { 96 + 24, 96 + 16 };
static const uint8_t lens6[] = { 64, 56, 48 };

/* The prefix of x at that level; false when there is none shorter than x. */
static bool above(const struct prefix *x, int level, struct prefix *out)
{
	bool four = prefix_is4(x);

	if (level >= (four ? 2 : 3))
		return false;
	*out = *x;
	out->len = four ? lens4[level] : lens6[level];
	if (out->len >= x->len)
		return false;
	prefix_mask(out);
	return true;
}

static struct rollup_group *group_of(struct rollup *r, const struct prefix *x, int level)
{
	struct prefix p;

	return above(x, level, &p) ? table_find(&r->groups, &p) : NULL;
}

/* Where one prefix of a source is watched the widest is, too. */
static bool is_watched(struct rollup *r, const struct prefix *x)
{
	return group_of(r, x, prefix_is4(x) ? 1 : 2) != NULL;
}

void rollup_init(struct rollup *r, const struct rollup_cfg *cfg)
{
	*r = (struct rollup){ .cfg = cfg, .tick = 1 };
	table_init(&r->members, sizeof(struct rollup_member));
	table_init(&r->groups, sizeof(struct rollup_group));
}

void rollup_free(struct rollup *r)
{
	table_free(&r->members);
	table_free(&r->groups);
}

static void watch(struct rollup *r, const struct prefix *x, int64_t since)
{
	struct rollup_group *g;
	struct prefix p;
	size_t n;

	for (int level = 0; level < LEVELS_MAX; level++) {
		if (!above(x, level, &p))
			continue;
		n = r->groups.n;
		g = table_get(&r->groups, &p);
		if (r->groups.n > n) {
			g->level = (uint8_t)level;
			g->born = since;
			g->born_tick = r->tick;
			g->said = ROLLUP_UNSET;
		} else if (since < g->born) {
			g->born = since;
		}
	}
}

static bool within(const struct rollup *r, int64_t then, int64_t now)
{
	return then != ROLLUP_UNSET && now - then < r->cfg->window && then <= now;
}

/* It was new, and has not been there for longer than the window; who is gone is not known better. */
static bool is_fresh(const struct rollup *r, const struct rollup_member *m)
{
	return m->fresh != ROLLUP_UNSET && m->last >= m->fresh && m->last - m->fresh < r->cfg->window;
}

void rollup_resume(struct rollup *r, int64_t now)
{
	for (size_t i = 0; i < r->members.n; i++) {
		const struct rollup_member *m = table_at(&r->members, i);

		if (within(r, m->bad, now) || is_fresh(r, m))
			watch(r, &m->x, m->first);
	}
	r->time = now;
}

/* New addresses of one /64: so many in this tick that it is worth a watch? Others' may be among them. */
static bool crowded(struct rollup *r, const struct prefix *x)
{
	uint64_t net;
	uint8_t *cell;

	memcpy(&net, x->a, 8);
	cell = &r->near[net * 0x9E3779B97F4A7C15ull >> 48];
	*cell += *cell < UINT8_MAX;
	return *cell >= r->cfg->members;
}

static struct rollup_member *member_of(struct rollup *r, const struct prefix *x, int64_t now)
{
	struct rollup_member *m = table_find(&r->members, x);

	if (m)
		return m;
	if (r->members.n >= r->cfg->max_sources) {
		r->lost++;
		return NULL;
	}
	m = table_get(&r->members, x);
	m->first = now;
	m->last = m->bad = m->fresh = ROLLUP_UNSET;
	return m;
}

static void add(struct rollup_group *g, uint32_t tick, const struct rollup_row *row, bool guilty, double cap)
{
	if (g->tick != tick) {
		g->tick = tick;
		g->clean_pkts = 0;
		memset(g->sum, 0, sizeof(g->sum));
		memset(g->ratio, 0, sizeof(g->ratio));
	}
	for (int i = 0; i < ROLLUP_SUMS; i++)
		g->sum[i] += row->count[i];
	if (!guilty)
		g->clean_pkts += row->count[0];
	for (int i = 0; guilty && i < SIGNALS; i++)
		g->ratio[i] += row->ratio[i] < cap ? row->ratio[i] : cap;
}

void rollup_note(struct rollup *r, const struct rollup_row *row, int64_t now)
{
	bool bad = row->sev >= r->cfg->sev, fresh = row->fresh && !prefix_is4(&row->x) && row->x.len > 64;
	struct rollup_member *m;
	struct rollup_group *g;

	if (bad || (fresh && crowded(r, &row->x)))
		watch(r, &row->x, now);
	else if (!is_watched(r, &row->x))
		return;
	m = member_of(r, &row->x, now);
	if (!m)
		return;
	if (m->tick != r->tick) {
		m->tick = r->tick;
		m->bad_now = m->fresh_now = false;
	}
	m->bad_now |= bad;
	m->fresh_now |= fresh;
	bad |= within(r, m->bad, now);
	fresh |= within(r, m->fresh, now);
	for (int level = 0; level < LEVELS_MAX; level++) {
		g = group_of(r, &row->x, level);
		if (g)
			add(g, r->tick, row, bad || (fresh && !level), r->cfg->cap);
	}
}

/* ---- a whole frame ---- */

static int commit(void *member, void *rollup)
{
	struct rollup_member *m = member;
	struct rollup *r = rollup;

	if (m->tick == r->tick) {
		m->last = r->time;
		if (m->bad_now)
			m->bad = r->time;
		if (m->fresh_now)
			m->fresh = r->time;
	}
	return !within(r, m->last, r->time) || !is_watched(r, &m->x);
}

static void count(struct rollup *r, const struct rollup_member *m)
{
	bool bad = within(r, m->bad, r->time), fresh = is_fresh(r, m), narrowest = true;
	struct rollup_group *g;

	for (int level = 0; level < LEVELS_MAX; level++) {
		g = group_of(r, &m->x, level);
		if (!g)
			continue;
		if (bad)
			g->bad++;
		else if (fresh)
			g->fresh++;
		else
			g->clean++;
		if (narrowest) {
			g->open += bad || (fresh && !level);
			g->parts += bad;
		}
		narrowest = false;
	}
}

static void judge(const struct rollup *r, struct rollup_group *g)
{
	const struct rollup_cfg *c = r->cfg;
	uint64_t all = g->bad + g->fresh + g->clean, need = c->members;
	double top = 0, pkts;

	for (int i = 0; i < g->level; i++)
		need *= ROLLUP_WIDER;
	g->verdict = ROLLUP_NO;
	if (g->tick != r->tick)		/* nobody of it sent */
		add(g, r->tick, &(struct rollup_row){ 0 }, true, 0);
	if (g->open < need || (g->level && g->parts < c->members))
		return;
	g->verdict = ROLLUP_WAIT;
	if (g->held_back || r->time - g->born < c->watch)
		return;
	g->share = all ? (double)g->clean / (double)all : 0;
	pkts = g->sum[0] ? (double)g->clean_pkts / (double)g->sum[0] : 0;
	if (pkts > g->share)
		g->share = pkts;
	for (int i = 0; i < SIGNALS; i++)
		if (g->ratio[i] / c->factor > top)
			top = g->ratio[i] / c->factor;
	g->sev = top < c->cap ? top : c->cap;
	g->verdict = ROLLUP_YES;
	/* That addresses are new is weaker evidence than what they do. */
	if (g->share > c->max_clean || (g->bad < need && g->clean > c->members)) {
		g->verdict = ROLLUP_REFUSED;
		g->sev = 0;
	}
}

/* What one level wider has to know of g. */
static void report(struct rollup *r, const struct rollup_group *g)
{
	struct rollup_group *up = group_of(r, &g->x, g->level + 1);
	uint64_t open;

	if (!up)
		return;
	if (g->verdict == ROLLUP_WAIT || g->verdict == ROLLUP_REFUSED)
		up->held_back = true;
	if (g->verdict != ROLLUP_NO)
		return;
	open = g->level ? g->open : g->bad;
	up->open += open;
	up->parts += open > 0;
}

static int is_over(void *group, void *rollup)
{
	(void)rollup;
	return !((struct rollup_group *)group)->bad && !((struct rollup_group *)group)->fresh;
}

static void next_frame(struct rollup *r)
{
	r->tick++;
	r->lost = 0;
	memset(r->near, 0, sizeof(r->near));
}

void rollup_step(struct rollup *r, int64_t now,
		 void (*each)(void *self, const struct rollup_group *g, bool say), void *self)
{
	struct rollup_group *g;

	r->time = now;
	if (r->members.n)
		table_sweep(&r->members, commit, r);
	for (size_t i = 0; i < r->groups.n; i++) {
		g = table_at(&r->groups, i);
		g->bad = g->fresh = g->clean = g->open = g->parts = 0;
		g->held_back = false;
	}
	for (size_t i = 0; i < r->members.n; i++)
		count(r, table_at(&r->members, i));
	for (int level = 0; level < LEVELS_MAX; level++)
		for (size_t i = 0; i < r->groups.n; i++) {
			g = table_at(&r->groups, i);
			if (g->level != level)
				continue;
			judge(r, g);
			report(r, g);
			if (g->verdict < ROLLUP_REFUSED)
				continue;
			each(self, g, g->verdict == ROLLUP_REFUSED && !within(r, g->said, now));
			if (g->verdict == ROLLUP_REFUSED && !within(r, g->said, now))
				g->said = now;
		}
	if (r->groups.n)
		table_sweep(&r->groups, is_over, r);
	next_frame(r);
}

static int is_unborn(void *group, void *rollup)
{
	return ((struct rollup_group *)group)->born_tick == ((struct rollup *)rollup)->tick;
}

static int was_never(void *member, void *rollup)
{
	(void)rollup;
	return ((struct rollup_member *)member)->last == ROLLUP_UNSET;
}

void rollup_cut(struct rollup *r)
{
	if (r->members.n)
		table_sweep(&r->members, was_never, r);
	if (r->groups.n)
		table_sweep(&r->groups, is_unborn, r);
	next_frame(r);
}
