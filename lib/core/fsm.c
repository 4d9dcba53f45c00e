/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine. fsm_step() reads as the nine steps of kl-fsm(1). */
#include "fsm.h"

void fsm_init(struct fsm *s, int64_t now)
{
	*s = (struct fsm){ .expires = FSM_UNSET,
			   .cooldown = FSM_UNSET,
			   .last_trigger = FSM_UNSET,
			   .high_since = FSM_UNSET,
			   .offended = FSM_UNSET,
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

/* How often ttl[LEVEL_BLOCK] the next block is to last: doubled by each offence. */
static int64_t longer(const struct fsm *s, const struct fsm_cfg *c)
{
	uint32_t times = 1u << s->offences;

	return times < c->offence_max ? times : c->offence_max;
}

/* Of no more offences than reach offence_max: so the next window forgets one that counts. */
static void offend(struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	if (!c->offence_window)
		return;
	s->offences += !s->offences || longer(s, c) < c->offence_max;
	s->offended = now;
}

/* One offence is forgotten for each window spent out of BLOCK. */
static void forgive(struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	if (!c->offence_window)
		s->offences = 0;
	else if (s->offences && (s->level == LEVEL_BLOCK || s->offended == FSM_UNSET))
		s->offended = now;
	for (; s->offences && now - s->offended >= c->offence_window; s->offences--)
		s->offended += c->offence_window;
	if (!s->offences)
		s->offended = FSM_UNSET;
}

static void transition(struct fsm *s, const struct fsm_cfg *c, int level, int64_t now)
{
	int64_t ttl = c->ttl[level];

	if (level == LEVEL_BLOCK) {
		ttl *= longer(s, c);
		offend(s, c, now);
	}
	s->level = level;
	s->since = now;
	s->cooldown = later(now, c->cooldown);
	s->expires = level == LEVEL_OBSERVE ? FSM_UNSET : later(now, ttl);
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
	uint32_t soft = c->at[LEVEL_SOFT];
	int level = LEVEL_BLOCK;

	while (level > LEVEL_SOFT && s->strikes < c->at[level])
		level--;
	if (level > LEVEL_SOFT)
		return level;
	if (s->offences && soft)
		soft = soft > s->offences ? soft - s->offences : 1;
	return s->strikes >= soft ? LEVEL_SOFT : LEVEL_OBSERVE;
}

/* The level the streak of high ticks allows when target is asked for. One tick is enough to limit a
 * known offender; to block it, it takes what it takes for everybody. */
static int by_streak(const struct fsm *s, const struct fsm_cfg *c, int target)
{
	if (target <= s->level || s->up >= c->up_need || s->force)
		return target;
	if (!s->offences || !s->up || s->level >= LEVEL_HARD)
		return s->level;
	return target < LEVEL_HARD ? target : LEVEL_HARD;
}

static bool gate_shut(const struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	return c->block_min_sev > 0 && !s->force &&
	       (s->high_since == FSM_UNSET ||
		(c->block_min_dur > 0 && now - s->high_since < c->block_min_dur));
}

enum fsm_why fsm_step(struct fsm *s, const struct fsm_cfg *c, const struct fsm_in *in, int64_t now)
{
	bool high = in->sev >= c->sev_step[0] || (c->noncomp_drop > 0 && in->drop >= c->noncomp_drop);
	bool low = in->sev < c->sev_decay_below && !(in->drop > 0);
	enum fsm_why why = s->violated ? FSM_VIOLATION : in->sev > 0 ? FSM_SIGNAL : FSM_QUIET;
	bool lowered = s->level > c->max_level;	/* it is from before there was that ceiling */
	int from = s->level, target;

	if (lowered)
		transition(s, c, c->max_level, now);
	if (!(c->block_min_sev > 0 && in->sev >= c->block_min_sev))
		s->high_since = FSM_UNSET;
	else if (s->high_since == FSM_UNSET)
		s->high_since = now;

	forgive(s, c, now);
	streaks(s, high, low);
	strikes(s, c, in->sev, low, now);
	noncompliance(s, c, in);
	step_down(s, c, now);

	target = by_strikes(s, c);
	if (s->level == LEVEL_HARD && c->noncomp_at && s->noncomp >= c->noncomp_at) {
		target = LEVEL_BLOCK;
		why = FSM_NONCOMP;
	} else {
		target = by_streak(s, c, target);
	}
	if (s->level == LEVEL_BLOCK && s->expires != FSM_UNSET && now < s->expires)
		target = LEVEL_BLOCK;
	if (target == LEVEL_BLOCK && s->level < LEVEL_BLOCK && gate_shut(s, c, now)) {
		target = LEVEL_HARD;
		why = FSM_GATE;
	}
	if (target > c->max_level) {
		target = c->max_level;
		why = FSM_CEILING;
		s->force &= s->level != target;	/* it has all there is to have */
	}
	if (target != s->level && now > s->cooldown) {
		transition(s, c, target, now);
		s->force = false;
	}
	s->violated = false;
	return lowered ? FSM_CEILING : s->level < from ? FSM_QUIET : why;
}

static void shift(int64_t *t, int64_t ms)
{
	if (*t != FSM_UNSET)
		*t = *t > ms ? *t - ms : 0;
}

void fsm_shift(struct fsm *s, int64_t ms)
{
	shift(&s->expires, ms);
	shift(&s->cooldown, ms);
	shift(&s->last_trigger, ms);
	shift(&s->high_since, ms);
	shift(&s->since, ms);
	shift(&s->offended, ms);
}

bool fsm_idle(const struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	int64_t hold = c->hold_soft > c->hold_hard ? c->hold_soft : c->hold_hard;

	/* With soft-at 0 a level can be left by time without a strike to date
	 * its trigger anew: there the old trigger counts until it is out of reach. */
	return s->level == LEVEL_OBSERVE && !s->strikes && !s->up && s->high_since == FSM_UNSET &&
	       now > s->cooldown && (c->at[LEVEL_SOFT] || quiet_for(s, hold, now));
}
