/* SPDX-License-Identifier: BSD-2-Clause */
/* The levels a source can have, and their names in the stream. */
#ifndef KL_LEVEL_H
#define KL_LEVEL_H

#include <stddef.h>

enum level { LEVEL_OBSERVE, LEVEL_SOFT, LEVEL_HARD, LEVEL_BLOCK, LEVELS };
extern const char *const level_name[LEVELS + 1];	/* NULL behind the last */

/* The name of any number: "UNKNOWN" for what is no level. */
const char *level_str(int level);
/* The level of the n bytes at s, or -1. */
int level_get(const char *s, size_t n);

#endif
