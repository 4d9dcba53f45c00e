/* SPDX-License-Identifier: BSD-2-Clause */
/* The edges of the database, one by one, in the order of the frozen baseline. */
#ifndef KL_GRAPH_EDGES_H
#define KL_GRAPH_EDGES_H

#include "../base/edgefile.h"
#include "sqlite.h"

enum learned_state { CANDIDATE, LEARNED, APPROVED, FROZEN, DENIED, EXPIRED, LEARNED_STATES };
extern const char *const learned_states[]; /* their names, then NULL */

struct edge {
	struct edgeline k; /* its key; no state, no comments */
	enum learned_state state;
	int64_t first_seen, last_seen; /* Unix ms; 0: never */
	uint64_t seen, windows, days_seen, days, pkts, bytes, obs;
	char *normal[6]; /* pps median, mad, peak, bps median, mad, peak with three decimals; NULL: no obs */
};

/* Which edges: NULLs are all. */
struct edges_of {
	const char *states; /* names with commas between */
	const struct prefix *src;
};

/* Is it a list of names of states? */
bool edges_are_states(const char *list);

/* Calls each() with them. The time of the last tick that was recorded, Unix ms, comes first. */
int64_t edges_now(struct sqlite *s);
void edges_each(struct sqlite *s, const struct edges_of *of, void (*each)(void *self, const struct edge *e),
		void *self);

/* One of edge_dirs, an address or prefix, a port and a protocol as streams have them, into the key. False:
 * they are not that. */
bool edges_key(struct edgeline *k, const char *dir, const char *src, const char *port, const char *proto);

#endif
