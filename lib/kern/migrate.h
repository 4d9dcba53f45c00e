/* SPDX-License-Identifier: BSD-2-Clause */
/* A running instance of an older ABI, taken over: its rules and settings, not its counters. */
#ifndef KL_MIGRATE_H
#define KL_MIGRATE_H

#include "../../bpf/kl_abi.h"
#include "pins.h"

struct legacy {
	int fd[PINS];		/* pins that are kept as they are; -1: made anew */
	uint32_t abi, sets;	/* sets of its counting tables */
	uint32_t features, sample;
	struct kl_rl limit;	/* its default limit */
	/* Since ABI 2; 0 before. */
	uint64_t seed[3];	/* of its hashes: what it remembers of conversations goes by them */
	uint32_t flow_sets, dead_mode;
	uint64_t beat_ns, dead_ns;
};

/* Is an older instance pinned under dir? 0: *l is filled, legacy_close() it. -ENOENT: no instance;
 * -EPROTO: not one of ours, a newer one, or one whose rules look different (*why names the pin). */
int legacy_open(struct legacy *l, const char *dir, const char **why);
void legacy_close(struct legacy *l);

/* Pins that are written beside the old ones first carry this behind their name. */
#define NEW_PIN "_new"
/* Removes such left by a death in between. 0 or -errno. */
int new_pins_drop(const char *dir);
/* Puts each of them in place of the old one. 0 or -errno. */
int new_pins_rename(const char *dir);

#endif
