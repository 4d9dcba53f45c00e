/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference's surge: who came and how, in a list. */
#ifndef KL_MODEL_SURGE_H
#define KL_MODEL_SURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

struct model_src;

struct knock {			/* what has to come again */
	uint8_t src[16], proto;
	bool syn, segment;	/* segment: TCP, and no SYN; sport and seq count */
	uint16_t dport, sport;
	uint32_t seq, len;	/* len of what is not TCP */
	bool passed;
	uint64_t at;		/* ns */
};

enum knock_is { KNOCK_FIRST, KNOCK_EARLY, KNOCK_AGAIN };

/* The packet w as something that may come again; false: it cannot be told. */
bool knock_of(struct knock *k, const struct wire *w);
/* How k comes at `now`, by the *n noted ones; notes it. *twin: one like it passed. */
enum knock_is knock(struct knock *noted, size_t *n, const struct knock *k, uint64_t now, bool *twin);

#endif
