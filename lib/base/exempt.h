/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of addresses and prefixes in a file, held as a set and read again
 * when the file changes. */
#ifndef KL_EXEMPT_H
#define KL_EXEMPT_H

#include <sys/stat.h>

#include "ranges.h"

struct exempt {			/* zeroed with path NULL: nobody, for ever */
	const char *path;	/* kept, not copied */
	struct ranges set;
	struct stat seen;	/* the file as it was read last, or tried to */
};

/* Reads path for the first time; NULL: nobody. Ends the command (status 2) with a message
 * when it cannot be read or holds a line that is no prefix. */
void exempt_open(struct exempt *e, const char *path);

/* Reads it again if it is another file than it was: true when the set was
 * replaced. An unreadable or broken one is reported once and the set kept. */
bool exempt_refresh(struct exempt *e);

void exempt_close(struct exempt *e);

/* Whether any address of x is in the set of a struct exempt. */
bool exempt_has(const void *exempt, const struct prefix *x);

#endif
