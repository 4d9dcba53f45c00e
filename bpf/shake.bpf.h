/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Completed handshakes: what this host answered to a SYN, until the other side acknowledges it. Whoever
 * only pretends to be that side does not see the answer and cannot name its sequence number (RFC 9293, 3.5),
 * so such a packet proves whose it is; nothing else that arrives does. A memory of their own, and
 * a small one: a flood of SYNs costs the evidence of a moment, never a conversation.
 */
#ifndef KL_SHAKE_BPF_H
#define KL_SHAKE_BPF_H

#include "sets.bpf.h"

/* One word an answer: the hash of who and which ports, and in its low half, by exclusive or, the number. */
static __always_inline __u64 shake_hash(const struct pkt *k, __u32 here, __u32 there)
{
	__u64 who = k->family == 4 ? ADDR4(k->whole) * cfg.seed[0] :
				     NUM64(k->hi) * cfg.seed[1] + NUM64(k->whole) * cfg.seed[0];

	return rehash(who + (here << 16 | there) * cfg.seed[2]);
}

static __always_inline __u64 *shake_set(__u64 h)
{
	return &shakes[(h >> 50 & (SHAKE_SETS - 1)) * SHAKE_WAYS];
}

/* k, with k->hi, ->whole the other side, is this host's answer to a SYN; number: its own. */
static __always_inline void shake_begin(const struct pkt *k, __u32 number)
{
	__u64 h = shake_hash(k, k->sport, k->dport), word = h ^ number;
	__u64 *w = shake_set(h);
	int i;

#pragma unroll
	for (i = 0; i < SHAKE_WAYS; i++)
		if (w[i] == word)
			return;			/* sent again */
#pragma unroll
	for (i = SHAKE_WAYS - 1; i > 0; i--)
		w[i] = w[i - 1];
	w[0] = word;
	answers = 1;
}

static __always_inline bool may_complete(const struct pkt *k)
{
	return answers && k->proto == 6 && (k->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

/* Is work.k the first to acknowledge such an answer? */
__noinline int completes(struct xdp_md *ctx)
{
	const __u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end, *p;
	struct work *w = work_of();
	const struct pkt *k;
	__u64 h, *set;
	int i;

	if (!w)
		return 0;
	k = &w->k;
	p = AT(k, data);
	if (p + 12 > end)
		return 0;
	h = shake_hash(k, k->dport, k->sport);
	set = shake_set(h);
	h ^= BE32(p + 8) - 1;
#pragma unroll
	for (i = 0; i < SHAKE_WAYS; i++)
		if (set[i] == h) {
			set[i] = 0;
			return 1;
		}
	return 0;
}

#endif
