/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the rule stream (schemas/rule.tsv) as text. */
#ifndef KL_RULEROW_H
#define KL_RULEROW_H

#include "addr.h"

#define RULE_UNKNOWN UINT64_MAX	/* a number that prints as "-" */
#define RULE_ROW     512	/* room for the longest row */

struct rulerow {
	int64_t time, until;	/* Unix ms; until < 0: never */
	const char *table, *owner;
	const struct prefix *key;	/* NULL: the star row */
	uint64_t rate, burst, hits;
};

/* Writes the row with its LF at p, without NUL; returns the end. */
char *rulerow_put(char *p, const struct rulerow *r);

#endif
