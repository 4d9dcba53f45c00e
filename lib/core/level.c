/* SPDX-License-Identifier: BSD-2-Clause */
/* Levels by name. */
#include <string.h>

#include "level.h"

const char *const level_name[LEVELS + 1] = { "OBSERVE", "RATE_SOFT", "RATE_HARD", "BLOCK", NULL };

const char *level_str(int level)
{
	return level >= 0 && level < LEVELS ? level_name[level] : "UNKNOWN";
}

int level_get(const char *s, size_t n)
{
	for (int i = 0; i < LEVELS; i++)
		if (strlen(level_name[i]) == n && !memcmp(level_name[i], s, n))
			return i;
	return -1;
}
