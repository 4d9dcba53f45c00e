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
