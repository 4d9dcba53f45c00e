/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is limited or blocked now, from a file that somebody else keeps up to date: frames with the columns
 * src and level. */
#ifndef KL_LIMITED_H
#define KL_LIMITED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "ranges.h"
#include "table.h"

struct limited {
	const char *path;	/* NULL: nobody is, ever; kept, not copied */
	/* Of the n bytes at s: 0 not limited, > 0 limited, -1 no level. */
	int (*level)(const char *s, size_t n);
	struct ranges set;
	struct stat seen;	/* the file as it was read last, or tried to */
};

/*
 * Reads the file again if it is another than it was; true when the set was replaced. Level frames
 * (with the column from) name all who are limited, the last one counts; else, as in a state file, each row
 * stays until a later one of the same source. A frame that is not there whole is still being written and
 * counts for nothing. A file that is not there: nobody is limited, which is said once; one that
 * cannot be read, or is broken, is reported and the set kept.
 */
bool limited_refresh(struct limited *l);
void limited_free(struct limited *l);

#endif
