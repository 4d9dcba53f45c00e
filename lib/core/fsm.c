/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine. fsm_step() reads as the nine steps of kl-fsm(1). */
#include "fsm.h"

void fsm_init(struct fsm *s, int64_t now)
{
	*s = (struct fsm){ .expires = FSM_UNSET,
			   .cooldown = FSM_UNSET,
			   .last_trigger = FSM_UNSET,
			   .high_since = FSM_UNSET,
			   .since = now };
}

/* A cap stops growth; it takes nothing from what a forced violation set. */
static void add_strikes(struct fsm *s, const struct fsm_cfg *c, uint32_t n)
{
	uint64_t cap = c->max_strikes ? c->max_strikes : FSM_STRIKES_MAX;
	uint64_t sum = (uint64_t)s->strikes + n;

	if (cap < s->strikes)
		cap = s->strikes;
	s->strikes = sum < cap ? sum : cap;
}

void fsm_violation(struct fsm *s, const struct fsm_cfg *c, uint32_t strikes, bool force, int64_t now)
{
	if (!force)
		add_strikes(s, c, strikes);
	else if (s->strikes <= c->at[LEVEL_BLOCK])
		s->strikes = c->at[LEVEL_BLOCK] + 1;
	s->force |= force;
	s->violated = true;
	if (s->up < c->up_need)
		s->up = c->up_need;
	s->down = 0;
	s->last_trigger = now;
	/* The gate's timer is left alone: the step of this tick sets or clears it. */
}

/* The last time there is a text for (get_time() of num.h) is the end of everything. */
static int64_t later(int64_t t, int64_t ms)
{
	const int64_t end = (INT64_MAX / 1000 - 1) * 1000 + 999;

	return ms < end - t ? t + ms : end;
}

static void transition(struct fsm *s, const struct fsm_cfg *c, int level, int64_t now)
{
	s->level = level;
	s->since = now;
	s->cooldown = later(now, c->cooldown);
	s->expires = level == LEVEL_OBSERVE ? FSM_UNSET : later(now, c->ttl[level]);
}

static bool quiet_for(const struct fsm *s, int64_t hold, int64_t now)
{
	return s->last_trigger == FSM_UNSET || now - s->last_trigger >= hold;
}

static void streaks(struct fsm *s, bool high, bool low)
{
	if (high) {
		s->up++;
		s->down = 0;
	} else if (s->violated) {
		return;
	} else if (low) {
		s->down++;
		s->up = 0;
	} else {
		s->up -= s->up > 0;
		s->down -= s->down > 0;
	}
}

static void strikes(struct fsm *s, const struct fsm_cfg *c, double sev, bool low, int64_t now)
{
	uint32_t delta = 0;

	for (int i = 2; i >= 0; i--) {
		if (sev >= c->sev_step[i]) {
			delta = c->sev_delta[i];
			break;
		}
	}
	if (delta) {
		add_strikes(s, c, delta);
		s->last_trigger = now;
	} else if (sev < c->sev_step[0] && s->strikes && low && !s->violated && s->down >= c->down_need) {
		s->strikes--;
	}
}

static void noncompliance(struct fsm *s, const struct fsm_cfg *c, const struct fsm_in *in)
{
	if (s->level < LEVEL_SOFT || !c->noncomp_at)
		s->noncomp = 0;
	else if ((c->noncomp_drop > 0 && in->drop >= c->noncomp_drop) ||
		 (c->noncomp_sev > 0 && in->sev >= c->noncomp_sev))
		s->noncomp++;
	else if (in->sev < c->noncomp_reset_below && !(in->drop > 0))
		s->noncomp = 0;
}

/* One level down when its TTL is over and the source is quiet. */
static void step_down(struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	int64_t hold = s->level == LEVEL_SOFT ? c->hold_soft : c->hold_hard;

	if (s->level > LEVEL_OBSERVE && s->expires != FSM_UNSET && now > s->expires &&
	    s->down >= c->down_need && now > s->cooldown && quiet_for(s, hold, now))
		transition(s, c, s->level - 1, now);
}

static int by_strikes(const struct fsm *s, const struct fsm_cfg *c)
{
	int level = LEVEL_BLOCK;

	while (level > LEVEL_OBSERVE && s->strikes < c->at[level])
		level--;
	return level;
}

enum fsm_why fsm_step(struct fsm *s, const struct fsm_cfg *c, const struct fsm_in *in, int64_t now)
{
	bool high = in->sev >= c->sev_step[0] || (c->noncomp_drop > 0 && in->drop >= c->noncomp_drop);
	bool low = in->sev < c->sev_decay_below && !(in->drop > 0);
	enum fsm_why why = s->violated ? FSM_VIOLATION : in->sev > 0 ? FSM_SIGNAL : FSM_QUIET;
	int from = s->level, target;

	if (!(c->block_min_sev > 0 && in->sev >= c->block_min_sev))
		s->high_since = FSM_UNSET;
	else if (s->high_since == FSM_UNSET)
		s->high_since = now;

	streaks(s, high, low);
	strikes(s, c, in->sev, low, now);
	noncompliance(s, c, in);
	step_down(s, c, now);

	target = by_strikes(s, c);
	if (s->level == LEVEL_HARD && c->noncomp_at && s->noncomp >= c->noncomp_at) {
		target = LEVEL_BLOCK;
		why = FSM_NONCOMP;
	} else if (target > s->level && s->up < c->up_need && !s->force) {
		target = s->level;
	}
	if (s->level == LEVEL_BLOCK && s->expires != FSM_UNSET && now < s->expires)
		target = LEVEL_BLOCK;
	if (target == LEVEL_BLOCK && s->level < LEVEL_BLOCK && c->block_min_sev > 0 && !s->force &&
	    (s->high_since == FSM_UNSET ||
	     (c->block_min_dur > 0 && now - s->high_since < c->block_min_dur))) {
		target = LEVEL_HARD;
		why = FSM_GATE;
	}
	if (target != s->level && now > s->cooldown) {
		transition(s, c, target, now);
		s->force = false;
	}
	s->violated = false;
	return s->level < from ? FSM_QUIET : why;
}

bool fsm_trivial(const struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	int64_t hold = c->hold_soft > c->hold_hard ? c->hold_soft : c->hold_hard;

	/* With soft-at 0 a level can be left by time without a strike to date
	 * its trigger anew: there the old trigger counts until it is out of reach. */
	return s->level == LEVEL_OBSERVE && !s->strikes && !s->up && s->high_since == FSM_UNSET &&
	       now > s->cooldown && (c->at[LEVEL_SOFT] || quiet_for(s, hold, now));
}
