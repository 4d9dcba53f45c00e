/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What is in force by itself: a trial nobody confirmed goes back, when
 * kl-apply stays away the dead-man switch falls, and a surge that nobody
 * prolongs is over. The clock is asked once a jiffy, so a packet pays for it
 * only while one of them is set, and next to nothing then.
 */
#ifndef KL_GUARD_BPF_H
#define KL_GUARD_BPF_H

#include "atomic.bpf.h"

#define HISTORY_S 10	/* how old a record must be when a surge begins: it was noticed late */
#define POLICY (KL_F_JUDGE | KL_F_DEFAULT_LIMIT | KL_F_EDGE | KL_F_SURGE)

static __always_inline __u32 fallen(__u64 now_j)
{
	__u32 fell = 0, was = cfg.fallen;
	__u64 now;

	if (cfg.looked_j == (__u32)now_j)
		return was;
	now = bpf_ktime_get_boot_ns();
	if (cfg.trial_ns && now >= cfg.trial_ns)
		fell |= KL_FELL_TRIAL;
	if (cfg.dead_ns && (__s64)(now - cfg.beat_ns) > (__s64)cfg.dead_ns)
		fell |= KL_FELL_DEAD;
	if (fell & ~was & KL_FELL_DEAD)
		ADD(cfg.falls, 1);
	if (cfg.surge_ns && now < cfg.surge_ns) {
		fell |= KL_SURGES;
		if (!(was & KL_SURGES))
			cfg.surge_j = (__u32)now_j - HISTORY_S * cfg.hz;
	}
	cfg.fallen = fell;
	cfg.looked_j = now_j;
	return fell;
}

/* The features in force, of those set. */
static __always_inline __u32 in_force(struct kl_totals *t, __u32 on, __u64 now_j)
{
	__u32 fell = fallen(now_j);

	if (!(fell & KL_SURGES))
		on &= ~KL_F_SURGE;
	if (!(fell & ~KL_SURGES))
		return on;
	t->fallen++;
	if (fell & KL_FELL_TRIAL)
		on = (on & ~KL_F_TRIED) | (cfg.before & KL_F_TRIED);
	if (fell & KL_FELL_DEAD && cfg.dead_mode == KL_PASS_ALL)
		on &= ~POLICY;
	if (fell & KL_FELL_DEAD && cfg.dead_mode == KL_LIMITS)
		on &= ~(KL_F_ENFORCE_ALLOW | KL_F_DENY | KL_F_DENY_LPM | KL_F_EDGE | KL_F_SURGE);
	return on;
}

#endif
