/* SPDX-License-Identifier: BSD-2-Clause */
/* A source as text: its state as the cells of schemas/state.tsv from `level` on,
 * and back; and a row of schemas/level.tsv. */
#ifndef KL_FSM_TEXT_H
#define KL_FSM_TEXT_H

#include "../base/addr.h"
#include "fsm.h"

#define FSM_CELLS 13
#define FSM_NEWER 2	/* of them, the last ones, that an older state lacks */
#define FSM_TEXT 256	/* room for all of them */

/* Writes the cells at p, a TAB before each, no NUL; returns the end. */
char *fsm_put(char *p, const struct fsm *s);

/* Reads FSM_CELLS cells of len[i] bytes, NULL for one that is not there. Returns -1, or the index
 * of the first cell that is not what it should be, with *want saying what that is. */
int fsm_get(struct fsm *s, const char *const cell[], const uint32_t len[], const char **want);

#define LEVEL_TEXT 256	/* room for a row */

/* Writes the level row of x at p, with its LF; returns the end. Of ::/0 it is the star row. */
char *level_put(char *p, int64_t time, const struct prefix *x, const struct fsm *s, int from, double sev,
		const char *why);

#endif
