/* SPDX-License-Identifier: BSD-2-Clause */
/* Chance, from a seed: small worlds whose rules are met often, and frames of every kind and none. */
#ifndef KL_GEN_H
#define KL_GEN_H

#include "model.h"

#define GEN_MAX   2048u		/* bytes of a made frame */
#define POOL      16
#define GEN_TALKS 8

struct frame {
	uint8_t b[GEN_MAX * 2];
	size_t n;
	bool out;		/* this host sends it */
	unsigned segs;
};

struct gen {
	uint64_t s;		/* the state of chance */
	/* Whom the frames and rules are of: addresses of the others and of this host, by family; ports. */
	uint8_t remote[2][POOL][16], local[2][POOL][16];
	unsigned remotes[2], locals[2], ports;
	uint16_t port[POOL];
	bool fast;		/* are limits, in this world */
	struct talk {		/* of which more packets come, in both directions */
		int six;
		uint8_t here[16], there[16], proto;
		uint16_t lport, rport, id;
	} talk[GEN_TALKS];
};

void gen_init(struct gen *g, uint64_t seed);
/* The addresses and ports of n frames instead of the usual ones; few of many. */
void gen_pool_of(struct gen *g, const struct frame *f, size_t n);
/* A number below n. */
uint64_t gen_below(struct gen *g, uint64_t n);
static inline bool gen_chance(struct gen *g, unsigned per_mille)
{
	return gen_below(g, 1000) < per_mille;
}

/* Settings and rules, as they stand at `now`. */
void gen_world(struct gen *g, struct world *w, uint64_t now);
void gen_settings(struct gen *g, struct policy *s);
void gen_rule(struct gen *g, enum kl_table t, struct rule *r, uint64_t now);

void gen_frame(struct gen *g, struct frame *f);
/* Some bytes changed, or its end cut off. */
void gen_damage(struct gen *g, struct frame *f);

#endif
