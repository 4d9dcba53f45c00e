/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The sources' table: whom a record is of, and what stands in a new one. */
#ifndef KL_SRC_BPF_H
#define KL_SRC_BPF_H

#include "sets.bpf.h"

static __always_inline bool src_is(const struct kl_src *q, const struct pkt *k)
{
	return q->key[1] == k->lo && q->key[0] == k->hi;
}

static __always_inline __u32 src_sets(void)
{
	return cfg.sets;
}

static __always_inline void src_fill(const struct src_rec *f, const struct pkt *k, __u32 now)
{
	struct kl_cold *c = cold_of(k->family, f);
	struct kl_src *r = f->r;

	r->key[0] = k->hi;
	r->key[1] = k->lo;
	r->tat = 0;
	r->pb = r->denied = 0;
	r->syn = r->udp = r->drop_rl = 0;
	r->until_j = now;		/* to be judged */
	r->pol = 0;
	r->port = 0;
	r->epoch = (cfg.epoch - 1) << 1;	/* not of this tick, nor of the next */
	if (c) {
		c->odd = c->rst = c->icmp = c->other = c->drop_allow = 0;
		c->carry = c->carry_denied = c->answers = 0;
		c->seen_j = now;
		c->ivl = c->tol = 0;
	}
}

#define KIND src
#include "table.bpf.h"
#undef KIND

#endif
