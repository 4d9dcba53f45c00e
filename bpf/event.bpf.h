/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Events: one dropped packet in cfg.sample is told through a ring. Which one is
 * counted on each CPU by its own totals: no random number, no state of its own.
 */
#ifndef KL_EVENT_BPF_H
#define KL_EVENT_BPF_H

#include "maps.bpf.h"

/* Tells of work.k, for which aux packets stand. The reader looks often enough by
 * itself: waking it would cost more than the event. */
__noinline int tell(__u32 reason, __u32 aux)
{
	struct kl_totals *t = totals_of();
	const struct pkt *k;
	struct kl_event *e;

	if (!t)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		t->events_lost++;
		return 0;
	}
	k = &((struct work *)t->own)->k;
	e->time = bpf_ktime_get_boot_ns();
	e->src[0] = k->hi;
	e->src[1] = k->whole;
	e->len = k->len;
	e->aux = aux;
	e->port = k->dport;
	e->proto = k->proto;
	e->reason = reason;
	e->zero = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	t->events++;
	return 0;
}

/* Is a dropped and counted packet to be told of? */
static __always_inline bool its_turn(const struct kl_totals *t, __u32 sample)
{
	const __u64 *n = t->all.verdict;

	return sample && (n[KL_DROP_ALLOW] + n[KL_DROP_DENY] + n[KL_DROP_RL]) % sample == 0;
}

#endif
