/* SPDX-License-Identifier: BSD-2-Clause */
/* Written by hand: settings, frames that get past other filters, and what must become of each. */
#ifndef KL_SCENE_H
#define KL_SCENE_H

#include "gen.h"

struct scene_rule {
	enum kl_table table;
	const char *addr;		/* NULL: no more rules */
	uint16_t port;
	uint8_t proto;
	uint32_t rate, burst;
};
struct scene_step {
	const char *packet;		/* of scene_frames[], or "out" and one this host sends */
	enum model_why want;
	unsigned after;			/* seconds before it, as for duel_pass(), and what happens then */
};
#define SURGE_BEGINS 0x10000u
#define SURGE_ENDS   0x20000u
#define SCENE_AFTER(step) ((step)->after & 0xffff)
#define SCENE_RULES 8
#define SCENE_STEPS 40
struct scene {
	const char *name;
	struct policy set;
	bool flows, full;
	enum kl_dead dead;		/* the switch has fallen to it; KL_KEEP: it is not set */
	bool surges;			/* one goes on, without a budget */
	bool lapsed;			/* `set` was on trial and nobody confirmed */
	struct scene_rule rules[SCENE_RULES];
	struct scene_step steps[SCENE_STEPS];
};

extern const struct scene scenes[];
extern const size_t scenes_n;

/* The world of a scene at `now`; -1 when its text is wrong. */
int scene_world(const struct scene *s, struct world *w, uint64_t now);
/* The frame of a step; -1 when there is none of that name. */
int scene_frame(const struct scene_step *s, struct frame *f);

#endif
