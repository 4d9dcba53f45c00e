/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Flows: an edge's record found, made, counted. Whole addresses, both directions. */
#ifndef KL_FLOW_BPF_H
#define KL_FLOW_BPF_H

#include "count.bpf.h"

static __always_inline bool flow_is(const struct kl_flow *q, const struct pkt *k)
{
	return q->key[1] == k->whole && q->key[0] == k->hi && q->id == k->flow;
}

static __always_inline __u32 flow_sets(void)
{
	return cfg.flow_sets;
}

static __always_inline void flow_fill(const struct flow_rec *f, const struct pkt *k, __u32 now)
{
	struct kl_flow_cold *c = flow_cold_of(k->family, f);
	struct kl_flow *r = f->r;

	r->key[0] = k->hi;
	r->key[1] = k->whole;
	r->pb = 0;
	r->id = k->flow;
	r->carry = r->syn = r->drops = r->est = r->pol = 0;
	r->until_j = now;		/* to be judged */
	r->seen_j = now;
	if (c) {
		c->tat = 0;
		c->ivl = c->tol = 0;
	}
}

#define KIND flow
#include "table.bpf.h"
#undef KIND

/* The record of k's flow, k->flow set, when a peek did not find it. Packets that were dropped make none: else
 * a scanner behind a deny rule would fill the table. */
static __always_inline void flow_make(struct flow_rec *f, struct kl_totals *t, const struct pkt *k, __u64 h,
				      __u32 now, __u32 make)
{
	__u32 how = flow_find(f, k, h, now, make);

	if (how >= MADE)
		t->flows++;
	if (how == EVICTED)
		t->flows_evicted++;
	if (!f->r && make)
		t->flows_lost++;
}

static __always_inline void count_flow(const struct flow_rec *f, const struct pkt *k, __u32 pkts, __u32 v)
{
	struct kl_flow *r = f->r;

	if (!r)
		return;
	if (add_fetch(&r->pb, ((__u64)pkts << KL_PB_SHIFT) + k->len) & (KL_PB_PKTS | KL_PB_BYTES))
		carry(&r->pb, &r->carry, f->set);
	if (k->proto == 6 && is_syn(k))
		ADD(r->syn, pkts);
	if (v != KL_PASS)
		ADD(r->drops, 1);
}

#endif
