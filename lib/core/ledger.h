/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books of kl-apply(8): what the tables hold for which source, as far as
 * is known, and what the frame under way claims. Pure: the kernel is read and
 * written by the caller, who tells what he found and did.
 */
#ifndef KL_LEDGER_H
#define KL_LEDGER_H

#include "../base/table.h"
#include "diff.h"

#define NOT_HELD UINT32_MAX

struct claim {			/* one row of the frame */
	uint32_t at;		/* in held, or NOT_HELD: nothing wanted, nothing held */
	bool unnamed;		/* no row: an entry of ours that is to go */
	bool capped, stale;	/* its level was lowered; the frame was refused */
	int err;		/* errno of the write that failed */
	unsigned ops;		/* of diff() */
	int64_t since, until;	/* Unix ms; until < 0: none */
	struct want want;
	uint64_t end;		/* of what is put */
};

struct ledger {
	struct table held;	/* struct held */
	struct limit limit[LEVELS];
	uint32_t max_new;	/* sources a frame may newly deny */
	/* Notes what the table of denials, or of limits, holds for h. */
	void (*ask)(void *self, struct held *h, bool deny);
	void *self;

	struct claim *claim;	/* in the order of the rows, then the unnamed ones */
	size_t n, cap, todo;	/* todo: how many have something to write */
	uint32_t frame;		/* number of the frame under way */
	size_t next;		/* where the recheck goes on */
	int64_t last;		/* time of the frame before, Unix ms; 0: none */
};

void ledger_init(struct ledger *l);
void ledger_free(struct ledger *l);

static inline struct held *ledger_held(const struct ledger *l, const struct claim *c)
{
	return table_at(&l->held, c->at);
}

/* One row more. 0; -EEXIST: the frame named that source before; -ENOMEM. */
int ledger_claim(struct ledger *l, const struct prefix *x, enum level level, int64_t since, int64_t until);

/* What a table holds for h; of limits rate and burst as well. */
void held_note(struct held *h, bool deny, enum holder who, struct limit is, uint64_t until);

/* Asks for the next n held entries, going round, as far as this frame names them. */
void ledger_recheck(struct ledger *l, size_t n);

/* The rows are all there. Adds a claim for each entry of ours that no row
 * names and that ended - with sync, for each that no row names - and finds
 * what may have to be written. time, real: of the frame and now, Unix ms; now: as
 * held's times. 0, or -ENOMEM. */
int ledger_close(struct ledger *l, bool sync, int64_t time, int64_t real, uint64_t now);
/* Decides what is to be written. asked: held is known to be up to date; else
 * ask() is called for each entry that would be touched. When no more sources may be
 * denied the rest gets the hard limit; returns how many those are. */
size_t ledger_plan(struct ledger *l, bool asked, uint64_t now);

/* Marks the frame's claims as refused: nothing is done for them. */
void ledger_refuse(struct ledger *l);

/* The next claim behind c (NULL: the first) that asks for op and had no failure; NULL: none. */
struct claim *ledger_each(const struct ledger *l, struct claim *c, unsigned op);

/* The receipt's cells: what was done for a claim, and how it ended. */
const char *claim_action(const struct claim *c);
const char *claim_result(const struct claim *c, bool dry);	/* static */

/* On to the next frame; this one's claims and what is of no use any more are forgotten. */
void ledger_next(struct ledger *l);

#endif
