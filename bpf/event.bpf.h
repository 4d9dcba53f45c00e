/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Events: one dropped packet in cfg.sample is told through a ring. Which one is
 * counted on each CPU by its own totals: no random number, no state of its own.
 */
#ifndef KL_EVENT_BPF_H
#define KL_EVENT_BPF_H

#include "maps.bpf.h"

/* Tells of work.k, dropped for v and counted, if it is its turn. lo: of the whole
 * address, which a source kept per /64 has lost in k. The reader looks often
 * enough by itself: waking it would cost more than the event. */
__noinline int tell(__u32 v, __u64 lo)
{
	struct kl_totals *t = totals_of();
	__u32 sample = cfg.sample;
	const struct pkt *k;
	struct kl_event *e;
	__u64 drops;

	if (!t || !sample)
		return 0;
	drops = t->all.verdict[KL_DROP_ALLOW] + t->all.verdict[KL_DROP_DENY] + t->all.verdict[KL_DROP_RL];
	if (drops % sample)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		t->events_lost++;
		return 0;
	}
	k = &((struct work *)t->own)->k;
	e->time = bpf_ktime_get_boot_ns();
	e->src[0] = k->hi;
	e->src[1] = lo;
	e->len = k->len;
	e->aux = sample;
	e->port = k->dport;
	e->proto = k->proto;
	e->reason = v;
	e->zero = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	t->events++;
	return 0;
}

#endif
