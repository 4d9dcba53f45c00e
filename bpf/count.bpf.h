/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Counting: totals on this CPU, the source's record with atomics. Few things
 * are counted for a common packet, the rest is derived by the reader: tcp is
 * pkts less udp, icmp and other; ack is tcp less syn and odd.
 */
#ifndef KL_COUNT_BPF_H
#define KL_COUNT_BPF_H

#include "event.bpf.h"
#include "src.bpf.h"

static __always_inline bool is_syn(const struct pkt *k)
{
	return (k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline __u32 class_of(const struct pkt *k)
{
	__u32 c = (k->family & 2) << 4;		/* 6 has it, 4 has not */

	if (k->proto == 6)
		return c | KL_L4_TCP << 3 | (k->flags & TCP_SYN) << 1 | (k->flags & TCP_RST) >> 1 |
		       (k->flags & TCP_ACK) >> 4;
	if (k->proto == 17)
		return c | KL_L4_UDP << 3;
	if (k->proto == 1 || k->proto == 58)
		return c | KL_L4_ICMP << 3;
	return c;
}

static __always_inline void count(struct kl_count *n, const struct pkt *k, __u32 v, __u32 class)
{
	/* The compiler would drop masks it can prove; before 5.11 the verifier cannot follow its proof. */
	asm volatile("" : "+r"(v), "+r"(class));
	n->bytes += k->len;
	n->verdict[v & (KL_VERDICTS - 1)]++;
	n->class[class & (KL_CLASSES - 1)]++;
}

/* Half of a field of a packets-and-bytes word is used up: moves that to where it fits. A
 * reader between the two steps sees the count go back, and reads again. */
static __noinline int carry(__u64 *word, __u32 *to, __u32 cell)
{
	__u64 pb;

	if (!word || !to)
		return 0;
	pb = *(volatile __u64 *)word;
	if (pb & KL_PB_PKTS && cas_added(word, cell, pb, pb - KL_PB_PKTS))
		ADD(*to, 1u << 16);		/* the upper half wraps by itself */
	pb = *(volatile __u64 *)word;
	if (pb & KL_PB_BYTES && cas_added(word, cell, pb, pb - KL_PB_BYTES))
		ADD(*to, ~*(volatile __u32 *)to & 0xffff ? 1u : 1u - (1u << 16));
	return 0;
}

/* True when it was not set. */
static __always_inline bool port_bit(struct kl_ports *p, __u32 i)
{
	__u64 *w = &p->w[(i >> 6) & 7], bit = 1ull << (i & 63);
	bool new = !(*w & bit);

	set_bits(w, bit);
	return new;
}

/* NEW_PORT: its mark was not there. SCAN: some 32 ports of this tick are marked now, and were not before:
 * of one port in eight the middle resolution has a bit, and SCAN_BITS of those are set. */
#define SCAN_BITS 4
enum { NEW_PORT = 1, SCAN = 2 };
static __always_inline __u32 port_mark(struct kl_ports *p, __u16 port)
{
	const __u32 mid = KL_PORTS_FINE / 64;
	__u64 was, is;
	__u32 new;
	int i;

	__u32 x = (port ^ (__u32)cfg.seed[0]) * 0x85ebca6bu;

	x ^= x >> 15;
	x *= 0xc2b2ae35u;
	x ^= x >> 13;
	new = port_bit(p, x & (KL_PORTS_FINE - 1)) ? NEW_PORT : 0;
	if (!(x >> 18 & 127))
		port_bit(p, KL_PORTS_FINE + KL_PORTS_MID + (x >> 25));
	if (x >> 8 & 7)
		return new;
	was = p->w[mid] | p->w[mid + 1];
	port_bit(p, KL_PORTS_FINE + (x >> 11 & (KL_PORTS_MID - 1)));
	is = p->w[mid] | p->w[mid + 1];
	if (is == was)
		return new;
#pragma unroll
	for (i = 1; i < SCAN_BITS; i++)
		is &= is - 1;
	return is && !(is & (is - 1)) ? new | SCAN : new;
}

/* One port a tick needs no sketch: it is in the record. */
static __always_inline void count_port(struct kl_totals *t, struct kl_src *r, const struct src_rec *f,
				       const struct pkt *k)
{
	__u16 tick = cfg.epoch << 1, was = r->epoch;
	struct kl_ports *p;
	__u32 mark;
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
	mark = port_mark(p, k->dport);
	t->port_changes += mark & NEW_PORT;
	if (mark & SCAN && cfg.sample)
		tell(KL_EVENT_SCAN, 1);
}

static __always_inline void count_src(struct kl_totals *t, const struct src_rec *f, const struct pkt *k,
				      __u32 v)
{
	__u64 one = (1ull << KL_PB_SHIFT) + k->len;
	struct kl_src *r = f->r;
	struct kl_cold *c;

	/* Two words, so that a denied packet, too, costs one addition. */
	if (v == KL_DROP_DENY) {
		if (add_fetch(&r->denied, one) & (KL_PB_PKTS | KL_PB_BYTES)) {
			c = cold_of(k->family, f);
			carry(&r->denied, c ? &c->carry_denied : 0, f->set);
		}
	} else if (add_fetch(&r->pb, one) & (KL_PB_PKTS | KL_PB_BYTES)) {
		c = cold_of(k->family, f);
		carry(&r->pb, c ? &c->carry : 0, f->set);
	}
	if (v == KL_DROP_RL) {
		ADD(r->drop_rl, 1);
	} else if (v == KL_DROP_ALLOW) {
		c = cold_of(k->family, f);
		if (c)
			ADD(c->drop_allow, 1);
	}
	if (k->ports)
		count_port(t, r, f, k);
	if (k->proto == 17) {
		ADD(r->udp, 1);
		if (!is_answer(k))
			return;
		c = cold_of(k->family, f);
		if (c)
			ADD(c->answers, 1);
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
