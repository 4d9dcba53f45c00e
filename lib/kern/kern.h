/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of lib/kern share; commands include map.h and link.h. */
#ifndef KL_KERN_H
#define KL_KERN_H

#include "map.h"
#include "pins.h"

struct kern {
	int fd[PINS];
	uint32_t max[PINS];	/* entries each map may hold */
	uint64_t ino[PINS];	/* of each pin, when it was opened */
	int dir;		/* the pin directory, for its lock */
	bool write;
	volatile struct kl_cfg *cfg;
	volatile struct kl_rl_cfg *rl;
	volatile struct kl_edge_cfg *edge[2];	/* IPv4, IPv6 */
};

/* Writes off a trial that ran out. */
void kern_settle(struct kern *k);

#endif
