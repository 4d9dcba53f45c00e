/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of one table in memory, in order, and what each of them dropped. */
#ifndef KL_RULES_H
#define KL_RULES_H

#include "map.h"

/* Names of the tables, as people and streams call them. */
extern const char *const rules_table[KL_TABLES];

static inline bool is_limit(enum kl_table t)	/* its rules have a rate and a burst */
{
	return t == KL_LIMIT || t == KL_EDGE_LIMIT;
}

struct rules {			/* {0} is an empty one */
	struct rule *r;
	uint64_t *hits;		/* of each, once rules_hits() was called */
	size_t n, cap;
};

/* Adds one, copied. 0, or -ENOMEM. */
int rules_add(struct rules *s, const struct rule *r);
void rules_free(struct rules *s);

/* Adds the table's entries, in the kernel's order; those that ended by now, and those of
 * the owners whose bits (1u << enum kl_owner) are set, leave the kernel instead.
 * How many left, or -errno. */
long rules_sweep(struct rules *s, struct kern *k, enum kl_table t, uint64_t now, uint32_t owners);

/* IPv4 first, then by address, the shorter prefix first, then by protocol and port: < 0, 0, > 0. */
int rule_order(const void *a, const void *b);
void rules_sort(struct rules *s);

/* Adds or replaces n rules of any mixture; err[i] is 0, or the errno of rule i. A full map keeps
 * out what is new to it and nothing else. Returns how many went in. */
size_t rules_put(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err);
/* Removes the keys of n rules; absent ones count as removed. The same returns. */
size_t rules_del(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err);
/* What a write of x that ended with err met: the map, its capacity, the error. Static. */
const char *rules_why(struct kern *k, enum kl_table t, const struct prefix *x, int err);
/* Adds or replaces all of s; what ended makes room when a map is full. 0; or -errno of the first that did
 * not go in, with *why: what that met, and how many went in. Static. */
int rules_load(const struct rules *s, struct kern *k, enum kl_table t, const char **why);

#define HITS_UNKNOWN UINT64_MAX

/* hits[i]: packets that rule i of the sorted set dropped of sources which
 * still have a record; a packet counts for the longest rule that covers its
 * source. Of an edge: packets of exactly that edge dropped for whatever reason,
 * while its flow has a record. HITS_UNKNOWN for both allow tables, which drop
 * nothing, and for rules that see less than a record: longer than the prefix
 * under which IPv6 sources are kept. 0, or -errno. */
int rules_hits(struct rules *s, struct kern *k, enum kl_table t);

#endif
