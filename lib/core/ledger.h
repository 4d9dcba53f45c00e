/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books of kl-apply(8): what the tables hold for which source, as far as
 * is known, and what the frame under way claims. Pure: the kernel is read and
 * written by the caller, who tells what he found and did.
 */
#ifndef KL_LEDGER_H
#define KL_LEDGER_H

#include "../base/rule.h"
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
	uint32_t owner;		/* of our rules */
	uint32_t max_new;	/* sources a frame may newly deny */
	/* Has what the table of denials, or of limits, holds for h noted. */
	void (*ask)(void *self, struct held *h, bool deny);
	void *self;

	struct claim *claim;	/* in the order of the rows, then the unnamed ones */
	size_t n, cap, todo;	/* todo: how many have something to write */
	struct rule *rule;	/* what is being written */
	int *err;
	size_t room;		/* of rule and err */
	uint32_t frame;		/* number of the frame under way */
	size_t next;		/* where the recheck goes on */
	bool deny;		/* the table being read whole */
	size_t seen[2];		/* rules each had then */
	int64_t tick;		/* from it to this one, ms; 0: not known */
	int64_t last;		/* time of the frame before, Unix ms; 0: none */
};

void ledger_init(struct ledger *l);	/* limit, owner, max_new, ask and self are the caller's to set */
void ledger_free(struct ledger *l);

static inline struct held *ledger_held(const struct ledger *l, const struct claim *c)
{
	return table_at(&l->held, c->at);
}

/* One row more. 0; -EEXIST: the frame named that source before; -ENOMEM. */
int ledger_claim(struct ledger *l, const struct prefix *x, enum level level, int64_t since, int64_t until);

/* The table of denials, or of limits, holds r for h; NULL: nothing. */
void ledger_note(const struct ledger *l, struct held *h, bool deny, const struct rule *r);
/* A table is read whole: blank says which and forgets it, then meet() gets each of its rules (ledger: a
 * struct ledger; always 0). Those of others only matter where something is held or wanted. */
void ledger_blank(struct ledger *l, bool deny);
int ledger_meet(void *ledger, const struct rule *r);

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

/* What op (one of PUT_*, DEL_*) has to write, in l->rule; returns how many. A claim whose write failed
 * has no other. wrote: l->err[i] is 0 or the errno of l->rule[i]. */
size_t ledger_writes(struct ledger *l, unsigned op);
void ledger_wrote(struct ledger *l, unsigned op);
/* How many claims had a failure; *first: the first of them. */
size_t ledger_failed(const struct ledger *l, const struct claim **first);

#define RECEIPT_TEXT 64
/* The receipt's cells at p, a TAB before each: what was done for the claim, how it ended. Returns the end. */
char *claim_receipt(char *p, const struct claim *c, bool dry);

/* On to the next frame; this one's claims and what is of no use any more are forgotten. */
void ledger_next(struct ledger *l);

#endif
