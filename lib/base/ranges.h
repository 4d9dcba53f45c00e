/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of addresses, given as prefixes and held as sorted, disjoint ranges:
 * 32 bytes a range, and one binary search a question.
 */
#ifndef KL_RANGES_H
#define KL_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "addr.h"

struct ranges {			/* zeroed: the empty set */
	struct range {
		uint8_t lo[16], hi[16];
	} *r;
	size_t n, cap;
};

/* Adds a prefix; ends the command when memory is out. ranges_meet() may be
 * asked again only after ranges_seal(). */
void ranges_add(struct ranges *s, const struct prefix *x);
/* Adds a list with commas between. NULL, or from where on it is none. */
const char *ranges_add_list(struct ranges *s, const char *list);
void ranges_seal(struct ranges *s);
void ranges_free(struct ranges *s);	/* empty again */

/* Whether any address of x is in the set. */
bool ranges_meet(const struct ranges *s, const struct prefix *x);

#endif
