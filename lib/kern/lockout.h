/* SPDX-License-Identifier: BSD-2-Clause */
/* What would go wrong if nobody but the allowed came through. */
#ifndef KL_LOCKOUT_H
#define KL_LOCKOUT_H

#include "../base/lifeline.h"
#include "map.h"

/*
 * Asks the tables of the instance pinned under dir what enforce-allow (edges: edge-mode allow) would
 * do now: an empty list, lifelines cut off, replies dropped for want of the outbound program. Hands
 * tell() a line on each, which names the command that helps. How many those were, or -errno.
 */
int lockout(struct kern *k, const char *dir, bool edges, const struct lifeline *l, size_t n,
	    void (*tell)(const char *line));

#endif
