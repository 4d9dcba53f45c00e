/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program on its bench against the reference: the same world, the same frames; after each frame the same
 * verdict and totals, at the end the same records, flows and histograms.
 * Functions return 0: equal; 1: a difference, told in d->what; -errno.
 */
#ifndef KL_DUEL_H
#define KL_DUEL_H

#include "../kern/lab.h"
#include "gen.h"

struct duel {
	struct lab *lab;
	struct model m;
	struct gen g;
	struct kl_totals was;	/* the program's totals before the frame under way */
	uint64_t base, passed;	/* boot time ns the world began at; how much passed in it since */
	unsigned passes, waits;
	struct frame f;		/* the latest */
	unsigned step;		/* and its number in its world */
	char what[160];		/* the difference: what, wanted, got */
	uint64_t pairs, worlds, late;	/* frames compared; worlds; those begun anew, being late */
	uint64_t changes[2];	/* of ports: the program's estimate, the reference's count */
};

/* object, f: as of shield_private(). */
int duel_open(struct duel *d, const char *object, enum flavour f);
void duel_close(struct duel *d);

/* A new world w, of which times are relative to duel_now(). */
uint64_t duel_now(void);
int duel_begin(struct duel *d, const struct world *w, uint64_t now);
/* A frame through both. *want, *got: their verdicts, where the frame came from outside. */
int duel_frame(struct duel *d, const struct frame *f, enum model_why *want, enum model_why *got);
/* The records of both. */
int duel_records(struct duel *d);

/* Changes to the world under way. */
int duel_add(struct duel *d, enum kl_table t, const struct rule *r);
int duel_del(struct duel *d, enum kl_table t, size_t i);
int duel_set(struct duel *d, const struct policy *s);
/* A surge begins, or is over. */
int duel_surge(struct duel *d, bool on);
/* Seconds pass: 7 more than a multiple of 30, and four times at most, so that nothing ends just now (all that
 * ends does so after multiples of 30); or 2, three times at most and the others as often. */
int duel_pass(struct duel *d, unsigned seconds);

/* A world of chance with `steps` frames: the given ones, or made ones. */
int duel_world(struct duel *d, uint64_t seed, unsigned steps, const struct frame *given);

#endif
