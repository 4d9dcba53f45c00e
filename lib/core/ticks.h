/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticks by the clock of what is counted: they begin with the first event and follow
 * each other without a hole, but for long times without any. Pure; times are ns.
 */
#ifndef KL_TICKS_H
#define KL_TICKS_H

#include <stdbool.h>
#include <stdint.h>

struct ticks {
	int64_t every;		/* length of a tick, > 0 */
	int64_t gap;		/* a longer time without an event has no ticks; 0: it has */
	/* The rest begins zeroed. */
	bool begun;
	int64_t end;		/* of the tick under way */
	int64_t first, last;	/* earliest and latest event */
	int64_t quiet;		/* from the latest event to the one before it */
	uint64_t late;		/* events more than a tick behind the latest; they do not set it back */
	uint64_t gaps;		/* left out, and */
	int64_t skipped;	/* the ticks in them, ns */
};

/* An event at t >= 0. */
void ticks_event(struct ticks *k, int64_t t);
/* Whether the tick under way ended before that event: *end is when, and the next one begins.
 * To be asked until it says no. */
bool ticks_over(struct ticks *k, int64_t t, int64_t *end);

/* The least number of whole ticks, >= 1, that holds all events from the earliest on, as a length. */
static inline int64_t ticks_span(const struct ticks *k)
{
	return ((k->last - k->first) / k->every + 1) * k->every;
}

#endif
