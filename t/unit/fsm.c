/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine: published vectors, each step's edges, what a violation
 * does, and that forgetting trivial sources changes no decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../lib/core/fsm.h"

#define S 1000
#define T0 ((int64_t)1700000000 * S)

static const struct fsm_cfg base = {
	.sev_step = { 1, 2, 3 },
	.sev_decay_below = .25,
	.sev_delta = { 1, 2, 3 },
	.at = { 0, 3, 6, 12 },
	.ttl = { 0, 30 * S, 60 * S, 300 * S },
	.hold_soft = 10 * S,
	.hold_hard = 20 * S,
	.cooldown = 1 * S,
	.up_need = 2,
	.down_need = 3,
	.block_min_sev = 2.5,
	.block_min_dur = 5 * S,
	.noncomp_at = 10,
	.noncomp_drop = 5,
	.noncomp_sev = 2,
	.noncomp_reset_below = .3,
	.max_level = LEVEL_BLOCK,
	.offence_max = 8,
};

static enum fsm_why step(struct fsm *s, const struct fsm_cfg *c, double sev, double drop, int64_t now)
{
	struct fsm_in in = { sev, drop };

	return fsm_step(s, c, &in, now);
}

static struct fsm fresh(void)
{
	struct fsm s;

	fsm_init(&s, T0);
	return s;
}

static void names(void **state)
{
	assert_string_equal(level_str(0), "OBSERVE");
	assert_string_equal(level_str(1), "RATE_SOFT");
	assert_string_equal(level_str(2), "RATE_HARD");
	assert_string_equal(level_str(3), "BLOCK");
	assert_string_equal(level_str(99), "UNKNOWN");
	assert_string_equal(level_str(-1), "UNKNOWN");
	for (int i = 0; i < LEVELS; i++)
		assert_int_equal(level_get(level_str(i), strlen(level_str(i))), i);
	assert_int_equal(level_get("BLOCKS", 6), -1);
	assert_int_equal(level_get("BLOC", 4), -1);
	assert_int_equal(level_get("-", 1), -1);
}

static void strikes_add_up(void **state)
{
	struct fsm s = fresh();

	step(&s, &base, 1.1, 0, T0);
	assert_int_equal(s.strikes, 1);
	step(&s, &base, 2.1, 0, T0 + S);
	assert_int_equal(s.strikes, 3);
	step(&s, &base, 3.0, 0, T0 + 2 * S);
	assert_int_equal(s.strikes, 6);
	step(&s, &base, 0.999999, 0, T0 + 3 * S);
	assert_int_equal(s.strikes, 6);
}

static void reaches_block(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	int i;

	c.block_min_sev = 0, c.block_min_dur = 0, c.up_need = 1;
	for (i = 0; i < 100 && s.level < LEVEL_BLOCK; i++)
		step(&s, &c, 3.1, 0, T0 + 2 * S * i);
	assert_int_equal(s.level, LEVEL_BLOCK);
	assert_int_equal(i, 4);
}

static void soft_ends(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.up_need = c.down_need = 1;
	s.level = LEVEL_SOFT, s.expires = s.last_trigger = T0 - 120 * S, s.down = 1;
	assert_int_equal(step(&s, &c, 0, 0, T0 + 2 * S), FSM_QUIET);
	assert_int_equal(s.level, LEVEL_OBSERVE);
	assert_true(s.expires == FSM_UNSET);
}

static void hard_ends(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.up_need = c.down_need = 1;
	s.level = LEVEL_HARD, s.expires = s.last_trigger = T0 - 300 * S, s.down = 1, s.strikes = 4;
	step(&s, &c, 0, 0, T0 + 2 * S);
	assert_int_equal(s.level, LEVEL_SOFT);
	assert_int_equal(s.expires, T0 + 32 * S);
}

static void gate_holds(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.up_need = 1, c.block_min_dur = 10 * S;
	s.strikes = 12;
	assert_int_equal(step(&s, &c, 2.6, 0, T0), FSM_GATE);
	assert_int_equal(s.level, LEVEL_HARD);
}

static void gate_opens(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.up_need = 1;
	s.strikes = 12, s.high_since = T0 - 10 * S;
	assert_int_equal(step(&s, &c, 3.0, 0, T0 + 2 * S), FSM_SIGNAL);
	assert_int_equal(s.level, LEVEL_BLOCK);
}

static void streak_before_level(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	static const int want[] = { LEVEL_OBSERVE, LEVEL_OBSERVE, LEVEL_SOFT };

	c.up_need = 3, c.at[LEVEL_HARD] = 100, c.at[LEVEL_BLOCK] = 200;
	c.block_min_sev = 0, c.block_min_dur = 0;
	s.strikes = 3;
	for (int i = 0; i < 3; i++) {
		step(&s, &c, 1.1, 0, T0 + 2 * S * i);
		assert_int_equal(s.level, want[i]);
	}
}

static void quiet_streak_before_release(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	static const int want[] = { LEVEL_SOFT, LEVEL_SOFT, LEVEL_OBSERVE };

	c.up_need = 1;
	s.level = LEVEL_SOFT, s.expires = s.last_trigger = T0 - 300 * S, s.strikes = 3;
	for (int i = 0; i < 3; i++) {
		step(&s, &c, 0, 0, T0 + 2 * S * i);
		assert_int_equal(s.level, want[i]);
	}
}

static void ignoring_the_limit(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.noncomp_at = 3, c.noncomp_drop = 1, c.up_need = 1, c.block_min_sev = 0, c.block_min_dur = 0;
	s.level = LEVEL_HARD, s.strikes = 6, s.expires = T0 + 60 * S, s.cooldown = T0 - 2 * S;
	assert_int_equal(step(&s, &c, .5, 5, T0), FSM_SIGNAL);
	assert_int_equal(step(&s, &c, .5, 5, T0 + 2 * S), FSM_SIGNAL);
	assert_int_equal(s.level, LEVEL_HARD);
	assert_int_equal(step(&s, &c, .5, 5, T0 + 4 * S), FSM_NONCOMP);
	assert_int_equal(s.level, LEVEL_BLOCK);
}

/* The count also needs no streak: nothing here is ever high. */
static void noncomp_by_severity(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.noncomp_at = 2, c.noncomp_sev = .5, c.block_min_sev = 0;
	s.level = LEVEL_HARD, s.strikes = 6;
	step(&s, &c, .5, 0, T0);
	assert_int_equal(s.noncomp, 1);
	step(&s, &c, .3, 0, T0 + S);	/* neither counts nor resets */
	assert_int_equal(s.noncomp, 1);
	step(&s, &c, .299999, 1, T0 + 2 * S);	/* drops keep it from resetting */
	assert_int_equal(s.noncomp, 1);
	step(&s, &c, .299999, 0, T0 + 3 * S);
	assert_int_equal(s.noncomp, 0);
	step(&s, &c, .5, 0, T0 + 4 * S);
	step(&s, &c, .5, 0, T0 + 5 * S);
	assert_int_equal(s.level, LEVEL_BLOCK);
}

static void transitions_say_so(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	step(&s, &c, 0, 0, T0);
	assert_int_equal(s.level, LEVEL_OBSERVE);
	assert_true(fsm_trivial(&s, &c, T0));
	c.up_need = 1, c.block_min_sev = 0, c.block_min_dur = 0;
	s.strikes = 3;
	step(&s, &c, 1.1, 0, T0 + S);
	assert_int_equal(s.level, LEVEL_SOFT);
	assert_int_equal(s.since, T0 + S);
	assert_int_equal(s.cooldown, T0 + 2 * S);
	assert_int_equal(s.expires, T0 + 31 * S);
}

/* now > t is strict everywhere, now - t >= d is not. */
static void edges_of_time(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.down_need = 1, c.hold_soft = 10 * S;
	s.level = LEVEL_SOFT, s.strikes = 3;
	s.expires = s.cooldown = T0, s.last_trigger = T0 - 10 * S;
	struct fsm at = s, cool = s, held = s;

	at.cooldown = T0 - 1, at.strikes = 5;
	step(&at, &c, 0, 0, T0);
	assert_int_equal(at.level, LEVEL_SOFT);
	cool.expires = T0 - 1;
	step(&cool, &c, 0, 0, T0);
	assert_int_equal(cool.level, LEVEL_SOFT);
	held.last_trigger = T0 - 10 * S + 2;
	step(&held, &c, 0, 0, T0 + 1);
	assert_int_equal(held.strikes, 2);	/* strikes no longer justify the level */
	assert_int_equal(held.level, LEVEL_OBSERVE);
	s.strikes = 5, held = s, held.last_trigger = T0 - 10 * S + 2;
	step(&held, &c, 0, 0, T0 + 1);
	assert_int_equal(held.level, LEVEL_SOFT);
	step(&s, &c, 0, 0, T0 + 1);
	assert_int_equal(s.level, LEVEL_OBSERVE);
}

static void block_is_held(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	s.level = LEVEL_BLOCK, s.expires = T0 + S, s.strikes = 0, s.cooldown = T0 - S;
	step(&s, &c, 0, 0, T0 + S - 1);
	assert_int_equal(s.level, LEVEL_BLOCK);
	step(&s, &c, 0, 0, T0 + S);	/* now < expires no longer holds it */
	assert_int_equal(s.level, LEVEL_OBSERVE);
}

static void gate_edges(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh(), t;

	c.up_need = 1, c.cooldown = 0;
	s.strikes = 12;
	step(&s, &c, 2.5, 0, T0);
	assert_int_equal(s.high_since, T0);
	t = s;
	assert_int_equal(step(&s, &c, 2.5, 0, T0 + 5 * S - 1), FSM_GATE);
	assert_int_equal(step(&t, &c, 2.5, 0, T0 + 5 * S), FSM_SIGNAL);
	assert_int_equal(t.level, LEVEL_BLOCK);
	step(&s, &c, 2.499999, 0, T0 + 6 * S);
	assert_true(s.high_since == FSM_UNSET);
}

/* Zero is a time like any other. */
static void time_zero(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s;

	fsm_init(&s, 0);
	c.up_need = 1, c.ttl[LEVEL_SOFT] = 0, c.cooldown = 0;
	s.strikes = 3;
	step(&s, &c, 1, 0, 0);
	assert_int_equal(s.level, LEVEL_SOFT);
	assert_int_equal(s.expires, 0);
	assert_int_equal(s.last_trigger, 0);
	s.down = 3, s.strikes = 6;
	step(&s, &c, 0, 0, 9999);
	assert_int_equal(s.level, LEVEL_SOFT);	/* held by last_trigger = 0 */
	step(&s, &c, 0, 0, 10000);
	assert_int_equal(s.level, LEVEL_OBSERVE);
}

static void cap(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.max_strikes = 7;
	for (int i = 0; i < 5; i++)
		step(&s, &c, 3, 0, T0 + S * i);
	assert_int_equal(s.strikes, 7);
	fsm_violation(&s, &c, 100, false, T0);
	assert_int_equal(s.strikes, 7);
	fsm_violation(&s, &c, 0, true, T0);	/* force is above the cap */
	assert_int_equal(s.strikes, 13);
	fsm_violation(&s, &c, 5, false, T0);
	assert_int_equal(s.strikes, 13);
	c.max_strikes = 0;
	fsm_violation(&s, &c, UINT32_MAX, false, T0);
	assert_int_equal(s.strikes, FSM_STRIKES_MAX);
}

static void violations(void **state)
{
	struct fsm s = fresh();

	fsm_violation(&s, &base, 3, false, T0);
	assert_int_equal(step(&s, &base, 0, 0, T0), FSM_VIOLATION);
	assert_int_equal(s.level, LEVEL_SOFT);	/* with no row at all */
	assert_int_equal(s.strikes, 3);
	assert_int_equal(s.last_trigger, T0);
	assert_int_equal(step(&s, &base, 0, 0, T0 + S), FSM_QUIET);
	assert_int_equal(s.up, 0);

	s = fresh();
	fsm_violation(&s, &base, 0, true, T0);	/* past streak and gate */
	step(&s, &base, 0, 0, T0);
	assert_int_equal(s.level, LEVEL_BLOCK);
	assert_int_equal(s.strikes, 13);
	assert_false(s.force);

	s = fresh();
	s.cooldown = T0 + S;	/* waits for the cooldown, stays asked for */
	fsm_violation(&s, &base, 0, true, T0);
	step(&s, &base, 0, 0, T0);
	assert_int_equal(s.level, LEVEL_OBSERVE);
	assert_true(s.force);
	step(&s, &base, 0, 0, T0 + S + 1);
	assert_int_equal(s.level, LEVEL_BLOCK);
}

/* Where no strike is asked for a level, an old trigger still holds one. */
static void trigger_outlives_strikes(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	s.last_trigger = T0;
	assert_true(fsm_trivial(&s, &c, T0));
	c.at[LEVEL_SOFT] = 0;
	assert_false(fsm_trivial(&s, &c, T0 + 20 * S - 1));
	assert_true(fsm_trivial(&s, &c, T0 + 20 * S));
	s.cooldown = T0 + 20 * S;
	assert_false(fsm_trivial(&s, &c, T0 + 20 * S));
}

/*
 * Two machines on the same random ticks: one keeps every source for ever, the
 * other forgets trivial ones and steps a source it does not hold only when
 * the tick is not inert. Small settings, so that every edge is met often.
 */
static void forgetting(void **state)
{
	static const double sevs[] = { 0, 0, 0, .2, .25, .9, 1, 1.5, 2, 2.5, 3 };
	static const double drops[] = { 0, 0, 0, 1, 5, 6 };
	unsigned seed = 7, levels = 0;

	for (int run = 0; run < 3000; run++) {
		struct fsm_cfg c = base;
		struct fsm keep = fresh(), hold = fresh();
		bool held = false;
		int64_t now = T0;

		c.at[LEVEL_SOFT] = rand_r(&seed) % 3;
		c.at[LEVEL_HARD] = c.at[LEVEL_SOFT] + rand_r(&seed) % 3;
		c.at[LEVEL_BLOCK] = c.at[LEVEL_HARD] + rand_r(&seed) % 4;
		for (int i = 0; i < 3; i++) {
			c.sev_delta[i] = rand_r(&seed) % 3;
			c.ttl[i + 1] = rand_r(&seed) % 5 * S;
		}
		c.hold_soft = rand_r(&seed) % 6 * S, c.hold_hard = rand_r(&seed) % 6 * S;
		c.cooldown = rand_r(&seed) % 4 * S;
		c.up_need = rand_r(&seed) % 3, c.down_need = rand_r(&seed) % 4;
		c.block_min_sev = rand_r(&seed) % 2 ? 0 : .5 * (rand_r(&seed) % 6);
		c.block_min_dur = rand_r(&seed) % 3 * S;
		c.noncomp_at = rand_r(&seed) % 4;
		c.noncomp_drop = rand_r(&seed) % 2 ? 5 : 0;
		for (int i = 0; i < 120; i++, now += (1 + rand_r(&seed) % 3) * S) {
			bool busy = i / 15 % 2 == 0;
			struct fsm_in in = { busy ? sevs[rand_r(&seed) % 11] : 0,
					     busy ? drops[rand_r(&seed) % 6] : 0 };

			fsm_step(&keep, &c, &in, now);
			if (!held && !fsm_inert(&c, &in)) {
				fsm_init(&hold, now);
				held = true;
			}
			if (held) {
				fsm_step(&hold, &c, &in, now);
				held = !fsm_trivial(&hold, &c, now);
			}
			assert_int_equal(keep.level, held ? hold.level : LEVEL_OBSERVE);
			assert_int_equal(keep.strikes, held ? hold.strikes : 0);
			levels |= 1u << keep.level;
		}
	}
	assert_int_equal(levels, 15);
}

/* High until it is blocked, then quiet until it is in OBSERVE again; *now goes along. The block's TTL. */
static int64_t blocked_once(struct fsm *s, const struct fsm_cfg *c, int64_t *now)
{
	int64_t ttl;

	for (int i = 0; i < 60 && s->level < LEVEL_BLOCK; i++)
		step(s, c, 3, 0, *now += S);
	assert_int_equal(s->level, LEVEL_BLOCK);
	ttl = s->expires - s->since;
	for (int i = 0; i < 4000 && s->level > LEVEL_OBSERVE; i++)
		step(s, c, 0, 0, *now += S);
	assert_int_equal(s->level, LEVEL_OBSERVE);
	return ttl;
}

static void blocks_get_longer(void **state)
{
	static const int times[] = { 1, 2, 4, 6, 6, 6 };
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	int64_t now = T0;

	c.offence_window = 3600 * S, c.offence_max = 6;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(blocked_once(&s, &c, &now), times[i] * c.ttl[LEVEL_BLOCK]);
		assert_int_equal(s.offences, i < 2 ? i + 1 : 3);
	}
	s = fresh();
	c.offence_max = 1;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(blocked_once(&s, &c, &now), c.ttl[LEVEL_BLOCK]);
		assert_int_equal(s.offences, 1);
	}
	s = fresh();
	c.offence_window = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(blocked_once(&s, &c, &now), base.ttl[LEVEL_BLOCK]);
	assert_int_equal(s.offences, 0);
	assert_true(s.offended == FSM_UNSET);
}

static void offences_are_forgotten(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	int64_t now = T0, end;

	c.offence_window = 600 * S;
	c.ttl[LEVEL_BLOCK] = 700 * S;	/* longer than a window: it stands still meanwhile */
	blocked_once(&s, &c, &now);
	assert_int_equal(s.offences, 1);
	blocked_once(&s, &c, &now);
	assert_int_equal(s.offences, 2);
	end = s.offended;
	assert_true(end <= now && end > now - 200 * S);
	step(&s, &c, 0, 0, end + 600 * S - 1);
	assert_int_equal(s.offences, 2);
	assert_false(fsm_trivial(&s, &c, end + 600 * S - 1));
	assert_true(fsm_idle(&s, &c, end + 600 * S - 1));
	step(&s, &c, 0, 0, end + 600 * S);
	assert_int_equal(s.offences, 1);
	step(&s, &c, 0, 0, end + 1200 * S - 1);
	assert_int_equal(s.offences, 1);
	step(&s, &c, 0, 0, end + 1200 * S);
	assert_int_equal(s.offences, 0);
	assert_true(s.offended == FSM_UNSET);
	assert_true(fsm_trivial(&s, &c, end + 1200 * S));

	/* Several windows at once, a clock that went back, a time that is missing. */
	s = fresh(), s.offences = 3, s.offended = T0;
	step(&s, &c, 0, 0, T0 - 9000 * S);
	assert_int_equal(s.offences, 3);
	step(&s, &c, 0, 0, T0 + 1300 * S);
	assert_int_equal(s.offences, 1);
	assert_int_equal(s.offended, T0 + 1200 * S);
	s = fresh(), s.offences = 3;
	step(&s, &c, 0, 0, T0);
	assert_int_equal(s.offences, 3);
	assert_int_equal(s.offended, T0);
	/* Off is off, whatever was remembered. */
	c.offence_window = 0;
	assert_true(fsm_trivial(&s, &c, T0));
	step(&s, &c, 0, 0, T0 + S);
	assert_int_equal(s.offences, 0);
}

static void offenders_are_limited_sooner(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();

	c.offence_window = 3600 * S, c.up_need = 4;
	s.offences = 1, s.offended = T0;
	step(&s, &c, 2, 0, T0 + S);	/* 2 strikes of 3, in one high tick of 4 */
	assert_int_equal(s.level, LEVEL_SOFT);
	s = fresh(), s.offences = 10, s.offended = T0;
	step(&s, &c, .9, 0, T0 + S);
	assert_int_equal(s.level, LEVEL_OBSERVE);
	step(&s, &c, 1, 0, T0 + 2 * S);
	assert_int_equal(s.level, LEVEL_SOFT);
	/* BLOCK asks for the streak as ever, the gate wide open. */
	s = fresh(), s.offences = 3, s.offended = T0, s.strikes = 40;
	c.block_min_sev = 0, c.cooldown = 0;
	for (int i = 1; i < 4; i++) {
		step(&s, &c, 3, 0, T0 + i * S);
		assert_int_equal(s.level, LEVEL_HARD);
	}
	step(&s, &c, 3, 0, T0 + 4 * S);
	assert_int_equal(s.level, LEVEL_BLOCK);
	/* Nothing less than soft-at 0 or up-need 0 asks for. */
	s = fresh(), s.offences = 2, s.offended = T0;
	c.up_need = 0, c.at[LEVEL_SOFT] = 0;
	step(&s, &c, 0, 0, T0 + S);
	assert_int_equal(s.level, LEVEL_SOFT);
}

static void ceiling(void **state)
{
	for (int max = LEVEL_OBSERVE; max < LEVEL_BLOCK; max++) {
		struct fsm_cfg c = base;
		struct fsm s = fresh();
		int64_t now = T0, since;

		c.max_level = max;
		for (int i = 0; i < 20; i++) {
			enum fsm_why why = step(&s, &c, 3, 20, now += S);

			assert_true(s.level <= max);
			assert_true(i < 8 || why == FSM_CEILING);
		}
		assert_int_equal(s.level, max);
		since = s.since;
		assert_true(since < T0 + 4 * S);
		for (int i = 0; i < 200; i++)
			step(&s, &c, 3, 20, now += S);
		assert_int_equal(s.since, since);
		/* Past its TTL, quiet: it goes down, and a forced violation that met the ceiling is no
		 * longer on its way. */
		fsm_violation(&s, &c, 0, true, now);
		assert_int_equal(step(&s, &c, 0, 0, now += S), FSM_CEILING);
		assert_false(s.force);
		for (int i = 0; i < 200; i++) {
			int was = s.level;

			step(&s, &c, 0, 0, now += S);
			assert_true(s.level <= was);
		}
		assert_int_equal(s.level, LEVEL_OBSERVE);
	}
}

static void ceiling_lowered(void **state)
{
	struct fsm_cfg c = base;
	struct fsm s = fresh();
	int64_t now = T0;

	for (int i = 0; i < 60 && s.level < LEVEL_BLOCK; i++)
		step(&s, &c, 3, 0, now += S);
	assert_int_equal(s.level, LEVEL_BLOCK);
	c.max_level = LEVEL_SOFT;
	assert_int_equal(step(&s, &c, 0, 0, now += S / 2), FSM_CEILING);	/* in its cooldown */
	assert_int_equal(s.level, LEVEL_SOFT);
	assert_int_equal(s.expires, now + c.ttl[LEVEL_SOFT]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(strikes_add_up),
		cmocka_unit_test(reaches_block),
		cmocka_unit_test(soft_ends),
		cmocka_unit_test(hard_ends),
		cmocka_unit_test(gate_holds),
		cmocka_unit_test(gate_opens),
		cmocka_unit_test(streak_before_level),
		cmocka_unit_test(quiet_streak_before_release),
		cmocka_unit_test(ignoring_the_limit),
		cmocka_unit_test(noncomp_by_severity),
		cmocka_unit_test(transitions_say_so),
		cmocka_unit_test(edges_of_time),
		cmocka_unit_test(block_is_held),
		cmocka_unit_test(gate_edges),
		cmocka_unit_test(time_zero),
		cmocka_unit_test(cap),
		cmocka_unit_test(violations),
		cmocka_unit_test(trigger_outlives_strikes),
		cmocka_unit_test(forgetting),
		cmocka_unit_test(blocks_get_longer),
		cmocka_unit_test(offences_are_forgotten),
		cmocka_unit_test(offenders_are_limited_sooner),
		cmocka_unit_test(ceiling),
		cmocka_unit_test(ceiling_lowered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
