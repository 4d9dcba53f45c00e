/* SPDX-License-Identifier: BSD-2-Clause */
/* A table made what a list says, by difference. */
#ifndef KL_SYNC_H
#define KL_SYNC_H

#include "rules.h"

struct synced {
	size_t put, del;	/* rules that had to be written, removed */
	size_t held;		/* of the list, those that stand there as another owner's */
};

/* Makes the table's rules of `owner` exactly those of want, whose rules are all his: what is missing or
 * differs is put, and only then what is not wanted removed; a rule of others that lives is left alone.
 * One that ends is good enough while half of the time it is wanted for is left. Leaves want sorted, each
 * key once. dry: counts only. 0; or -errno, with *why as in rules_load() or NULL. */
int rules_sync(struct rules *want, struct kern *k, enum kl_table t, uint32_t owner, bool dry,
	       struct synced *n, const char **why);

#endif
