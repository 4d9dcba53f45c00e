/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From what is wanted for a source and what the kernel's tables hold for it
 * to what has to be written. Pure: times are nanoseconds of one clock that
 * the caller reads; nothing here knows which.
 *
 * An entry is leased: it is written to end when its level ends, and for as
 * long as the level is wanted beyond that it is written again before half
 * its time is over. So a level that is held never lapses, and what nobody
 * holds any more ends by itself within one time to live.
 */
#ifndef KL_DIFF_H
#define KL_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/addr.h"
#include "level.h"

/* Whose the entry of a source in a table is. What belongs to others is never
 * written over while it lives, and never removed. */
enum holder { HELD_NONE, HELD_OURS, HELD_OTHERS };

struct limit { uint32_t rate, burst; };	/* packets a second, packets */

/* What the tables hold for one source. An entry of a struct table. */
struct held {
	struct prefix x;
	uint8_t deny, limit;		/* enum holder */
	uint8_t known;			/* these two are the caller's */
	uint32_t frame;
	struct limit is;		/* the limit it holds */
	uint64_t deny_until, limit_until;	/* 0: for ever */
};

/* The limit of a level: rate and burst as given; but with a factor and a
 * trigger (packets a second) above 0, rate is their product cut to a whole
 * number and at least 1, burst twice the rate. */
struct limit limit_of(struct limit given, double factor, double trigger);

/* What each level lets pass, and of a surge those who are untested: surge, a fifth of it, a twentieth. */
struct rates {
	struct limit soft, hard;
	double soft_factor, hard_factor;
	uint32_t surge;			/* packets a second */
};
void limits_of(struct limit limit[LEVELS], const struct rates *r, double trigger);
uint32_t surge_of(const struct rates *r, enum level level);

/* Is any of it ours? */
static inline bool held_ours(const struct held *h)
{
	return h->deny == HELD_OURS || h->limit == HELD_OURS;
}

/* Did all ours that h holds end by now? False when it holds none of ours. */
bool held_ended(const struct held *h, uint64_t now);

/* What is wanted for one source. */
struct want {
	enum level level;
	int64_t ttl;		/* time to live of the level, > 0 */
	int64_t left;		/* of it, from now on; may be over */
};

/* A source's time to live and what is left of it, in ns, from its row: since
 * and until and the time now, all in Unix ms. until < 0: it has none; then, and
 * when it is no longer than 0, the lease is DIFF_LEASE. A lease is never
 * shorter than three ticks, so that one late frame makes no gap. */
#define DIFF_LEASE 60000000000ll
void want_lease(struct want *w, int64_t since, int64_t until, int64_t now, int64_t tick);

/* When something that is not in a table ends, when it is set now (ns of the clock of the result): as an entry
 * would that is written now. The rest as of want_lease(). */
uint64_t lease_end(int64_t since, int64_t until, int64_t real, int64_t tick, uint64_t now);

enum {
	PUT_DENY = 1, PUT_LIMIT = 2,	/* first, */
	DEL_DENY = 4, DEL_LIMIT = 8,	/* and only then: no gap between levels */
	KEEP = 16,			/* an entry of others stands where ours would */
	NEW_DENY = 32,			/* with PUT_DENY: it was not denied until now */
	DIFF_WRITES = PUT_DENY | PUT_LIMIT | DEL_DENY | DEL_LIMIT,
};

/* The writes that make h what w wants. limit: of each level. now: as h's
 * times. *until: the end of what is put. */
unsigned diff(const struct held *h, const struct want *w, const struct limit limit[LEVELS], uint64_t now,
	      uint64_t *until);

#endif
