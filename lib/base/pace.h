/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticks at a steady pace. From pace_start() on, SIGTERM and SIGINT end the
 * process only inside pace_wait(): between two ticks, never within one. */
#ifndef KL_PACE_H
#define KL_PACE_H

#include <stdint.h>

struct pace {
	int64_t every, next;	/* ns of CLOCK_MONOTONIC */
};

/* Begins now; every: nanoseconds, > 0. */
void pace_start(struct pace *p, int64_t every);
/* Sleeps to the next tick. Ticks missed meanwhile are left out, not made up for. */
void pace_wait(struct pace *p);

#endif
