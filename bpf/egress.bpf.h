/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Outbound, at TC egress: remembers what this host sends, so that its replies
 * pass in edge-mode allow, also those to connections older than that mode; and
 * counts outbound flows. Passes everything.
 */
#ifndef KL_EGRESS_BPF_H
#define KL_EGRESS_BPF_H

#include <linux/pkt_cls.h>

#include "flow.bpf.h"
#include "reply.bpf.h"
#include "shake.bpf.h"

#define HEADERS 128u	/* linear bytes worth having: Ethernet, tags, IP, TCP without options */

/* Remembers work.k, sent by this host's work.j.hi, .lo to k->hi, k->whole. */
__noinline int sent(struct __sk_buff *skb)
{
	const __u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end, *p;
	__u32 life = OTHER_LIFE, brief = TCP_BRIEF, closing = 0;
	struct kl_totals *t = totals_of();
	struct ends e = { .kind = OF_CONN };
	bool make = true, anew = false;
	const struct pkt *k;
	struct work *w;

	if (!t)
		return 0;
	w = (struct work *)t->own;
	k = &w->k;
	e.rhi = k->hi;
	e.rlo = k->whole;
	e.lhi = w->j.hi;
	e.llo = w->j.lo;
	e.proto = k->proto;
	e.rport = k->dport;
	e.lport = k->sport;
	if (k->proto == 6) {
		if (!k->flagged)
			return 0;
		p = AT(k, data);
		if ((k->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && p + 8 <= end)
			shake_begin(k, BE32(p + 4));
		anew = (k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
		closing = k->flags & (TCP_FIN | TCP_RST) ? 1 : 0;
		make = !(k->flags & TCP_RST) && (k->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
		life = k->flags & TCP_SYN ? TCP_BRIEF : TCP_LIFE;
	} else if (k->proto == 17) {
		if (!k->ports)
			return 0;
		life = brief = UDP_LIFE;
	} else if (k->proto == (k->family == 4 ? 1 : 58)) {
		p = AT(k, data);
		if (p + 8 > end || k->left < 8 || !k->flagged || k->flags != (k->family == 4 ? 8 : 128))
			return 0;
		e.lport = BE16(p + 4);
		life = brief = ECHO_LIFE;
	}
	remember(t, print_of(&e), w->j.now64, life, brief, make, closing, anew);
	return 0;
}

SEC("tc")
int kl_egress(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u64 now_j = bpf_jiffies64();
	struct kl_totals *t = totals_of();
	struct flow_rec f;
	struct work *w;
	struct pkt *k;
	__u32 pkts;
	__u64 h;

	if (!t)
		return TC_ACT_UNSPEC;
	if (data + HEADERS > end && end - data < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	w = (struct work *)t->own;
	k = &w->k;
	if (parse(k, data, end) != FRAME_IP)
		return TC_ACT_UNSPEC;
	w->j.hi = k->hi;
	w->j.lo = k->lo;
	w->j.now64 = now_j;
	if (!to_of(k, data, end, &k->hi, &k->whole))
		return TC_ACT_UNSPEC;
	k->lo = k->whole;
	k->len = skb->len;
	if (k->frag != FRAG_LATER)
		sent(skb);
	if (cfg.features & KL_F_FLOWS) {
		k->flow = KL_FLOW_OUT | (__u32)k->proto << 16 | k->dport;
		h = flow_hash(k, src_hash(k));
		if (!flow_peek(&f, k, h))
			flow_make(&f, t, k, h, now_j, 1);
		pkts = skb->gso_segs;
		count_flow(&f, k, pkts > 1 ? pkts : 1, KL_PASS);
	}
	return TC_ACT_UNSPEC;
}

#endif
