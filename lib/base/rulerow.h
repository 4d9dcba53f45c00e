/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the rule stream (schemas/rule.tsv) as text. */
#ifndef KL_RULEROW_H
#define KL_RULEROW_H

#include <stdbool.h>

#include "rule.h"

#define RULE_UNKNOWN UINT64_MAX	/* hits that print as "-" */
#define RULE_ROW     512	/* room for the longest row */

/* Names of the owners, that of 1 first; ends with NULL. */
extern const char *const rule_owner[];

/* What the rows of a table share. */
struct ruletable {
	const char *name;
	bool limit, edge;	/* its rules have a rate and a burst, a port and a protocol */
	uint64_t boot;		/* the same moment by the clock of rules and, in ms, by that of rows */
	int64_t real;
};

/* Writes a row with its LF at p, without NUL; returns the end. */
char *rulerow_put(char *p, const struct ruletable *t, const struct rule *r, uint64_t hits);
/* The star row, for n rules. */
char *rulestar_put(char *p, int64_t real, uint64_t n);

#endif
