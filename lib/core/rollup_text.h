/* SPDX-License-Identifier: BSD-2-Clause */
/* A watched source as cells of schemas/rollup.tsv, a prefix as those that schemas/rolled.tsv adds. */
#ifndef KL_ROLLUP_TEXT_H
#define KL_ROLLUP_TEXT_H

#include "rollup.h"

/* As lib/base/keep.h wants them, of a struct rollup_member. */
char *rollup_put(char *p, const void *member);
int rollup_get(void *member, const char *const cell[], const uint32_t len[], const char **want);

/* The added cells of a prefix at p, a TAB before each, and the LF; returns the end. */
char *rollup_cells(char *p, const struct rollup_group *g);

#endif
