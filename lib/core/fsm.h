/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine of one source: from a tick's severity to the level wanted
 * for it. Pure: the clock is the data's, nothing is read, written or kept
 * outside the structs. Times and durations are milliseconds.
 *
 * A source begins, and after every trouble ends, in the trivial state: OBSERVE
 * without strikes, streak or timers. A trivial source need not be remembered:
 * all it could have counted by then is quiet ticks, and they are set back to
 * zero by whatever gives it a strike again. Offences outlast the trouble: while
 * one is remembered the source is.
 */
#ifndef KL_FSM_H
#define KL_FSM_H

#include "fsm_cfg.h"

#define FSM_UNSET	INT64_MIN	/* a time that is not set */

struct fsm {
	int64_t  expires;	/* end of the level's TTL */
	int64_t  cooldown;	/* no transition up to this time */
	int64_t  last_trigger;	/* last tick that gave strikes */
	int64_t  high_since;	/* since when the gate's severity is reached */
	int64_t  since;		/* when the level was entered */
	int64_t  offended;	/* from when on the next offence is forgotten; set while there are any */
	uint32_t strikes, up, down, noncomp;
	uint8_t  level;		/* enum level */
	uint8_t  offences;	/* blocks that are remembered, <= FSM_OFFENCES_MAX */
	bool     force;		/* the next transition asks for neither streak nor gate */
	bool     violated;	/* a violation came in this tick; cleared by the step */
};

/* One tick of one source. drop: packets a second its limit dropped. */
struct fsm_in {
	double sev, drop;
};

static inline double fsm_rate(uint64_t drops, double seconds)
{
	return (double)drops / seconds;
}

/* What led to a step's outcome. */
enum fsm_why {
	FSM_QUIET,	/* nothing: at rest or on its way down */
	FSM_SIGNAL,	/* the severity of this tick */
	FSM_VIOLATION,
	FSM_GATE,	/* BLOCK was due; the gate let it be RATE_HARD */
	FSM_NONCOMP,	/* BLOCK for ignoring its limit */
	FSM_CEILING,	/* more was due than max_level */
};

/* A source first seen at now, in the trivial state. */
void fsm_init(struct fsm *s, int64_t now);

/* Moves s on by one tick, which ends at now. */
enum fsm_why fsm_step(struct fsm *s, const struct fsm_cfg *c, const struct fsm_in *in, int64_t now);

/* Adds strikes, or with force asks for BLOCK at once. The step of the same tick
 * comes next; its low severity then does not count as quiet. */
void fsm_violation(struct fsm *s, const struct fsm_cfg *c, uint32_t strikes, bool force, int64_t now);

/* The clock that s was stepped by was set back by ms: what it remembers, it remembers by the new one. */
void fsm_shift(struct fsm *s, int64_t ms);

/* Whether s, stepped at now, decides from here on like a source never seen, its offences aside; */
bool fsm_idle(const struct fsm *s, const struct fsm_cfg *c, int64_t now);
/* whether they are no more either. */
static inline bool fsm_trivial(const struct fsm *s, const struct fsm_cfg *c, int64_t now)
{
	return (!s->offences || !c->offence_window) && fsm_idle(s, c, now);
}

/* Whether a source never seen would be trivial again after this tick. */
static inline bool fsm_inert(const struct fsm_cfg *c, const struct fsm_in *in)
{
	return in->sev < c->sev_step[0] && (c->block_min_sev <= 0 || in->sev < c->block_min_sev) &&
	       (c->noncomp_drop <= 0 || in->drop < c->noncomp_drop) && (c->at[LEVEL_SOFT] || c->up_need);
}

#endif
