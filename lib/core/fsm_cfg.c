/* SPDX-License-Identifier: BSD-2-Clause */
/* What the settings of the state machine say together. */
#include "fsm_cfg.h"

const char *fsm_disorder(const struct fsm_cfg *c)
{
	if (c->at[LEVEL_SOFT] > c->at[LEVEL_HARD])
		return "--soft-at is above --hard-at";
	if (c->at[LEVEL_HARD] > c->at[LEVEL_BLOCK])
		return "--hard-at is above --block-at";
	if (c->sev_step[0] > c->sev_step[1])
		return "--sev-step1 is above --sev-step2";
	if (c->sev_step[1] > c->sev_step[2])
		return "--sev-step2 is above --sev-step3";
	return NULL;
}

uint32_t fsm_default_max(const struct fsm_cfg *c)
{
	uint32_t at = c->at[LEVEL_BLOCK] ? c->at[LEVEL_BLOCK] : 1;

	return at > FSM_STRIKES_MAX / 4 ? FSM_STRIKES_MAX : 4 * at;
}

struct fsm_cfg fsm_surge_cfg(const struct fsm_cfg *c, int64_t ttl)
{
	struct fsm_cfg s = *c;

	for (int i = LEVEL_SOFT; i < LEVELS; i++)
		s.ttl[i] = ttl;
	s.hold_soft = s.hold_hard = ttl / 3;
	s.cooldown = ttl / 10;
	s.up_need = 1;
	s.noncomp_at = 0;
	s.offence_window = 0;
	/* More would only have to be taken back when it is over. */
	s.max_strikes = c->at[LEVEL_BLOCK] ? c->at[LEVEL_BLOCK] : 1;
	return s;
}
