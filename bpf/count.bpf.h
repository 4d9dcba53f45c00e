/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Counting: totals on this CPU, the source's record with atomics. Few things
 * are counted for a common packet, the rest is derived by the reader: tcp is
 * pkts less udp, icmp and other; ack is tcp less syn and odd.
 */
#ifndef KL_COUNT_BPF_H
#define KL_COUNT_BPF_H

#include "table.bpf.h"

enum verdict { V_PASS, V_ALLOW, V_DENY, V_RL };	/* V_ALLOW: dropped, not in allow */

static __always_inline bool is_syn(const struct pkt *k)
{
	return (k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline void count_totals(struct kl_totals *t, const struct pkt *k)
{
	if (k->family == 4) {
		t->v4++;
		if (k->frag)
			t->frags4++;
	} else {
		t->v6++;
		if (k->frag)
			t->frags6++;
	}
	if (k->proto == 6) {
		t->tcp++;
		if (k->flags & TCP_ACK)
			t->ack++;
		if (k->flags & TCP_SYN) {
			if (k->flags & TCP_ACK)
				t->synack++;
			else
				t->syn++;
		}
		if (k->flags & TCP_RST)
			t->rst++;
	} else if (k->proto == 17) {
		t->udp++;
	} else if (k->proto == 1 || k->proto == 58) {
		t->icmp++;
	}
}

static __always_inline void count_verdict(struct kl_totals *t, __u32 v)
{
	if (v == V_PASS)
		t->pass++;
	else if (v == V_DENY)
		t->drop_deny++;
	else if (v == V_RL)
		t->drop_rl++;
	else
		t->drop_allow++;
}

static __always_inline void count_untracked(struct kl_untracked *u, const struct pkt *k, __u32 v)
{
	u->pkts++;
	u->bytes += k->len;
	if (k->proto == 6) {
		u->tcp++;
		if (is_syn(k))
			u->syn++;
		if (k->flags & TCP_ACK)
			u->ack++;
		if (k->flags & TCP_RST)
			u->rst++;
	} else if (k->proto == 17) {
		u->udp++;
	} else if (k->proto == 1 || k->proto == 58) {
		u->icmp++;
	}
	if (v == V_DENY)
		u->drop_deny++;
	else if (v == V_RL)
		u->drop_rl++;
	else if (v == V_ALLOW)
		u->drop_allow++;
}

static __always_inline void port_mark(struct kl_ports *p, __u16 port)
{
	__u32 x = (port ^ (__u32)cfg.seed[0]) * 0x85ebca6bu, i;

	x ^= x >> 15;
	x *= 0xc2b2ae35u;
	x ^= x >> 13;
	i = ((x & 0xffff) * KL_PORTS_FINE) >> 16;
	set_bits(&p->w[(i >> 6) & 7], 1ull << (i & 63));
	if (!((x >> 16) & (KL_PORTS_SAMPLE - 1))) {
		i = KL_PORTS_FINE + ((x >> 23) & (KL_PORTS_COARSE - 1));
		set_bits(&p->w[(i >> 6) & 7], 1ull << (i & 63));
	}
}

/* One port a tick needs no sketch: it is in the record. */
static __always_inline void count_port(struct kl_totals *t, struct kl_src *r, const struct rec *f,
				       const struct pkt *k)
{
	__u16 tick = cfg.epoch << 1, was = r->epoch;
	struct kl_ports *p;
	int i;

	if ((was ^ tick) & 0xfffe) {
		r->port = k->dport;
		r->epoch = tick;
		return;
	}
	if (!(was & 1) && r->port == k->dport)
		return;
	p = ports_of(k->family, f);
	if (!p)
		return;
	if (!(was & 1)) {
#pragma unroll
		for (i = 0; i < 8; i++)
			p->w[i] = 0;
		port_mark(p, r->port);
		r->epoch = tick | 1;
	}
	port_mark(p, k->dport);
	t->port_changes++;
}

static __always_inline void count_src(struct kl_totals *t, const struct rec *f, const struct pkt *k, __u32 v)
{
	struct kl_src *r = f->hot;
	struct kl_cold *c = 0;

	ADD(r->pkts, 1);
	ADD(r->bytes, k->len);
	if (v == V_DENY)
		ADD(r->drop_deny, 1);
	else if (v == V_RL)
		ADD(r->drop_rl, 1);
	else if (v == V_ALLOW)
		c = cold_of(k->family, f);
	if (c)
		ADD(c->drop_allow, 1);
	if (k->ports)
		count_port(t, r, f, k);
	if (k->proto == 17) {
		ADD(r->udp, 1);
		return;
	}
	if (k->proto == 6) {
		if (is_syn(k))
			ADD(r->syn, 1);
		if (k->flags & TCP_RST || !(k->flags & (TCP_ACK | TCP_SYN))) {
			c = cold_of(k->family, f);
			if (!c)
				return;
			if (k->flags & TCP_RST)
				ADD(c->rst, 1);
			if (!(k->flags & (TCP_ACK | TCP_SYN)))
				ADD(c->odd, 1);
		}
		return;
	}
	c = cold_of(k->family, f);
	if (!c)
		return;
	if (k->proto == 1 || k->proto == 58)
		ADD(c->icmp, 1);
	else
		ADD(c->other, 1);
}

#endif
