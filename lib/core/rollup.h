/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From sources that misbehave to the prefix they come from. A prefix with a
 * misbehaving source in it is watched: its other sources are remembered for as
 * long as the window, so that it is known whom a rule for all of it would hit.
 * What a frame says counts when it is whole. Times are milliseconds, of the data. Pure.
 *
 * IPv4: /24, /16. IPv6: /64, /56, /48. The narrowest that has enough of them is rolled up; what it
 * holds counts no more for wider ones.
 */
#ifndef KL_ROLLUP_H
#define KL_ROLLUP_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/table.h"
#include "score.h"

#define ROLLUP_SUMS 13		/* counts of a row that are added up; [0] is packets */
#define ROLLUP_WIDER 4		/* a prefix one step wider asks for so many times the sources */
#define ROLLUP_UNSET INT64_MIN

struct rollup_cfg {
	uint32_t members;	/* sources that make a narrow prefix suspect, >= 2 */
	double sev;		/* from which severity on a source misbehaves, > 0 */
	double factor;		/* a prefix is held against so many times the triggers, > 0 */
	double cap;		/* no ratio counts for more */
	double max_clean;	/* the largest share of well-behaved sources, or of their packets */
	int64_t window;		/* how long what a source did counts */
	int64_t watch;		/* how long a prefix is looked at before it is rolled up */
	uint32_t max_sources;	/* remembered at once; further ones are not */
};

struct rollup_row {
	struct prefix x;
	double sev, ratio[SIGNALS];	/* rate by trigger */
	uint64_t count[ROLLUP_SUMS];
	bool fresh;		/* its first tick */
};

struct rollup_member {		/* keys are addresses, or what sources are kept under */
	struct prefix x;
	bool bad_now, fresh_now;	/* in the frame under way, when tick is its */
	uint32_t tick;
	/* Watched since; when it last sent, misbehaved, was new: ROLLUP_UNSET never. */
	int64_t first, last, bad, fresh;
};

enum rollup_verdict { ROLLUP_NO, ROLLUP_WAIT, ROLLUP_REFUSED, ROLLUP_YES };

struct rollup_group {
	struct prefix x;
	uint8_t level;		/* 0: the narrowest */
	uint8_t verdict;	/* enum rollup_verdict, of the last whole frame */
	bool held_back;		/* a narrower one inside it waits, or was refused */
	uint32_t tick, born_tick;
	int64_t born, said;	/* watched since; said to be refused */
	uint64_t sum[ROLLUP_SUMS], clean_pkts;	/* of the tick */
	double ratio[SIGNALS];	/* of those that misbehave, added up */
	uint64_t bad, fresh, clean;	/* sources within the window: misbehaving, new, neither */
	uint64_t open, parts;	/* misbehaving and not rolled up more narrowly; the prefixes they are in */
	double share, sev;	/* the larger share that is clean; severity of the prefix */
};

struct rollup {
	const struct rollup_cfg *cfg;
	struct table members, groups;
	uint8_t near[65536];	/* new IPv6 sources of the frame, by a hash of their /64 */
	uint32_t tick;
	uint64_t lost;		/* sources of this frame that there was no room to remember */
	int64_t time;		/* of the last whole frame */
};

/* cfg is kept. The tables end the command when memory is out. */
void rollup_init(struct rollup *r, const struct rollup_cfg *cfg);
void rollup_free(struct rollup *r);
/* The members are those of an earlier run: finds their prefixes again. */
void rollup_resume(struct rollup *r, int64_t now);

/* A row of the frame under way, which ends at now. */
void rollup_note(struct rollup *r, const struct rollup_row *row, int64_t now);
/* Whether a row that is neither bad nor fresh has to be noted at all. */
static inline bool rollup_idle(const struct rollup *r)
{
	return !r->groups.n;
}
/* The frame is whole: judges every prefix. each() gets those to be rolled up or refused, the
 * narrow ones first, and whether to say that one is refused: once a window. */
void rollup_step(struct rollup *r, int64_t now,
		 void (*each)(void *self, const struct rollup_group *g, bool say), void *self);
/* It never will be. */
void rollup_cut(struct rollup *r);

#endif
