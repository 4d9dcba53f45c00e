/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What is a reply: a packet of a conversation that this host took part in by
 * sending, an ICMP error about such a packet, a later fragment of a packet
 * that passed. A SYN never is one. This host's answer to a SYN is not taken
 * for taking part, so nobody fills the memory from outside.
 */
#ifndef KL_REPLY_BPF_H
#define KL_REPLY_BPF_H

#include "conn.bpf.h"

/* Idle seconds: RFC 5382 (REQ-5) for TCP, RFC 4787 (REQ-5) for UDP, RFC 5508 (REQ-2) for echo, Linux's
 * reassembly time for fragments. Other protocols: as Linux's connection tracking. */
#define TCP_LIFE   7440
#define TCP_BRIEF  240		/* opening or closing */
#define UDP_LIFE   300
#define ECHO_LIFE  60
#define OTHER_LIFE 600
#define FRAG_LIFE  30

/* The destination of k in *hi, *lo. */
static __always_inline bool to_of(const struct pkt *k, const __u8 *data, const __u8 *end, __u64 *hi,
				  __u64 *lo)
{
	const __u8 *p = data + (k->l3 & 63);

	if (k->family == 4) {
		if (p + 20 > end)
			return false;
		*hi = 0;
		*lo = MAPPED4(*(const __u32 *)(p + 16));
		return true;
	}
	if (p + 40 > end)
		return false;
	*hi = *(const __u64 *)(p + 24);
	*lo = *(const __u64 *)(p + 32);
	return true;
}

/* The packet an ICMP error is about, which this host sent: its ends. p: behind the error's 8 bytes; left:
 * what of the error, they included, lies inside its IP packet. */
static __always_inline bool inner(struct ends *e, __u32 family, const __u8 *p, const __u8 *end, __u32 left)
{
	__u32 head = 40;

	if (family == 4) {
		if (p + 20 > end || p[0] >> 4 != 4 || BE16(p + 6) & 0x1fff)
			return false;
		head = (p[0] & 15) * 4;
		/* Only of what it sent itself: the error came to the sender. */
		if (head < 20 || e->llo != MAPPED4(*(const __u32 *)(p + 12)))
			return false;
		e->proto = p[9];
		e->rhi = 0;
		e->rlo = MAPPED4(*(const __u32 *)(p + 16));
	} else {
		if (p + 40 > end || p[0] >> 4 != 6 || e->lhi != *(const __u64 *)(p + 8) ||
		    e->llo != *(const __u64 *)(p + 16))
			return false;
		e->proto = p[6];
		e->rhi = *(const __u64 *)(p + 24);
		e->rlo = *(const __u64 *)(p + 32);
	}
	p += head;
	e->rport = e->lport = 0;
	if (p + 8 > end || left < 8 + head + 8)
		return false;
	if (e->proto == 6 || e->proto == 17 || e->proto == 132) {
		e->lport = BE16(p);
		e->rport = BE16(p + 2);
	} else if (e->proto == (family == 4 ? 1 : 58)) {
		if (p[0] != (family == 4 ? 8 : 128))
			return false;
		e->lport = BE16(p + 4);
	}
	return true;
}

static __always_inline bool is_error(const struct pkt *k)
{
	if (k->family == 4)	/* unreachable, time exceeded, parameter problem */
		return k->flags == 3 || k->flags == 11 || k->flags == 12;
	return k->flags >= 1 && k->flags <= 4;
}

/* RFC 8200, 4.5: of IPv6 addresses and identification; later fragments may name another header. */
static __always_inline void frag_ends(struct ends *e, const struct pkt *k)
{
	e->kind = OF_FRAG;
	e->proto = k->family == 4 ? k->proto : 0;
	e->rport = k->id >> 16;
	e->lport = k->id & 0xffff;
}

/* Is work.k a reply to what this host sent, or a later fragment of a packet that passed? */
__noinline int reply(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *p;
	struct work *w = work_of();
	struct ends e = { .kind = OF_CONN };
	const struct pkt *k;

	if (!w)
		return 0;
	k = &w->k;
	if (!to_of(k, data, end, &e.lhi, &e.llo))
		return 0;
	e.rhi = k->hi;
	e.rlo = k->whole;
	e.proto = k->proto;
	if (k->frag == FRAG_LATER) {
		frag_ends(&e, k);
	} else if (k->ports) {
		if (k->proto == 6 && (!k->flagged || (k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN))
			return 0;	/* never a new connection */
		e.rport = k->sport;
		e.lport = k->dport;
	} else if (k->proto == (k->family == 4 ? 1 : 58)) {
		p = AT(k, data);
		if (p + 8 > end || k->left < 8 || !k->flagged)
			return 0;
		if (is_error(k)) {
			if (!inner(&e, k->family, p + 8, end, k->left))
				return 0;
		} else if (k->flags == (k->family == 4 ? 0 : 129)) {
			e.lport = BE16(p + 4);
		} else {
			return 0;
		}
	}
	return known(print_of(&e), w->j.now64);
}

/* work.k, a first fragment, passed: so may the others. */
__noinline int frag_passed(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct kl_totals *t = totals_of();
	struct ends e = { 0 };
	struct work *w;

	if (!t)
		return 0;
	w = (struct work *)t->own;
	if (!to_of(&w->k, data, end, &e.lhi, &e.llo))
		return 0;
	e.rhi = w->k.hi;
	e.rlo = w->k.whole;
	frag_ends(&e, &w->k);
	remember(t, print_of(&e), w->j.now64, FRAG_LIFE, FRAG_LIFE, true, 0, false);
	return 0;
}

#endif
