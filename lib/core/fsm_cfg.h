/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings of the state machine. */
#ifndef KL_FSM_CFG_H
#define KL_FSM_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "level.h"

#define FSM_STRIKES_MAX INT32_MAX
#define FSM_OFFENCES_MAX 10			/* of one source; 2^10 is the largest offence_max */

struct fsm_cfg {
	double   sev_step[3], sev_decay_below;	/* step[0] <= step[1] <= step[2] */
	uint32_t sev_delta[3];			/* strikes for reaching each step */
	uint32_t at[LEVELS];			/* strikes a level asks for; of OBSERVE unused */
	int64_t  ttl[LEVELS];
	int64_t  hold_soft, hold_hard;		/* quiet asked of a level before its TTL ends it */
	int64_t  cooldown;			/* between two transitions */
	uint32_t up_need, down_need;		/* ticks */
	double   block_min_sev;			/* the gate of BLOCK; 0: none */
	int64_t  block_min_dur;
	uint32_t noncomp_at;			/* 0: off */
	double   noncomp_drop;			/* limited packets a second; 0: not looked at */
	double   noncomp_sev, noncomp_reset_below;
	uint32_t max_strikes;			/* 0: FSM_STRIKES_MAX */
	int	 max_level;			/* no level above this is wanted */
	int64_t  offence_window;		/* for how long a block is remembered; 0: not at all */
	uint32_t offence_max;			/* how often ttl[LEVEL_BLOCK] they make it; >= 1 */
};

/* What kl-fsm does unless told otherwise. */
#define FSM_DEFAULTS { .sev_step = { 1, 2, 3 }, .sev_delta = { 1, 2, 3 }, .sev_decay_below = 0.25, \
	.at = { 0, 3, 6, 12 }, .ttl = { 0, 60000, 300000, 600000 }, .hold_soft = 10000, .hold_hard = 20000, \
	.cooldown = 5000, .up_need = 2, .down_need = 3, .block_min_sev = 2.5, .block_min_dur = 5000, \
	.noncomp_at = 10, .noncomp_drop = 5, .noncomp_sev = 2, .noncomp_reset_below = 0.3, \
	.max_level = LEVEL_BLOCK, .offence_max = 8 }

/* How a surge is decided about, when sources are by c: by the same strikes, but from one tick on, and within
 * seconds. ttl: of its levels, ms. */
struct fsm_cfg fsm_surge_cfg(const struct fsm_cfg *c, int64_t ttl);
/* max_strikes when nobody said it. */
uint32_t fsm_default_max(const struct fsm_cfg *c);
/* NULL, or which two settings of c stand the wrong way round. */
const char *fsm_disorder(const struct fsm_cfg *c);

#endif
