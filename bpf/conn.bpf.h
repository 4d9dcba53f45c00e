/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What this host sent, remembered as 64-bit fingerprints under secret factors:
 * no key that could be read half-written, one compare-and-exchange to write, 16
 * bytes a conversation.
 */
#ifndef KL_CONN_BPF_H
#define KL_CONN_BPF_H

#include "sets.bpf.h"

enum { OF_CONN = 1, OF_FRAG };

struct ends {			/* of a conversation; addresses as in struct pkt */
	__u64 rhi, rlo, lhi, llo;
	__u32 rport, lport;	/* of echo: 0 and the identifier; of fragments: their id */
	__u8 proto, kind;
};

/* Never 0. Every word passes through a secret product and a mixing before the next one comes, so that no
 * difference in one cancels a difference in another. */
static __always_inline __u64 print_of(const struct ends *e)
{
	__u64 h = ((__u64)e->kind << 56 | (__u64)e->proto << 48 | (__u64)e->rport << 32) ^ e->lport;

	h = rehash((h ^ cfg.seed[2]) * cfg.seed[0]);
	h = rehash((h ^ e->rlo) * cfg.seed[1]);
	h = rehash((h ^ e->llo) * cfg.seed[2]);
	if (e->rhi | e->lhi) {
		h = rehash((h ^ e->rhi) * cfg.seed[0]);
		h = rehash((h ^ e->lhi) * cfg.seed[1]);
	}
	return h | 1;
}

static __always_inline struct conn_set *conns_of(__u64 print)
{
	__u32 s = print >> 49;

	_Static_assert(KL_CONN_SETS == 1 << 15, "fifteen bits choose the set");
	return bpf_map_lookup_elem(&conns, &s);
}

/* Is it remembered? */
static __always_inline bool known(__u64 print, __u64 now_j)
{
	struct conn_set *s = conns_of(print);
	int i;

	if (!s)
		return false;
#pragma unroll
	for (i = 0; i < (int)KL_WAYS; i++)
		if (s->r[i].print == print)
			return s->r[i].until > (__u32)(now_j >> 8);
	return false;
}

/* Remembers for `life` seconds from now: prolongs what is there; with make also what is new. */
static __always_inline void remember(struct kl_totals *t, __u64 print, __u64 now_j, __u32 life, __u32 brief,
				     bool make, __u32 closing, bool anew)
{
	__u32 now = now_j >> 8, until, least = ~0u;
	struct conn_set *s = conns_of(print);
	struct kl_conn *c = 0, *old = 0;
	__u64 was;
	int i;

	if (!s)
		return;
#pragma unroll
	for (i = 0; i < (int)KL_WAYS; i++) {
		struct kl_conn *r = &s->r[i];

		if (r->print == print)
			c = r;
		else if (r->until < least) {	/* free ones have 0 */
			least = r->until;
			old = r;
		}
	}
	if (c && c->until > now) {
		if (anew)
			c->closing = 0;
		if (closing)
			c->closing = 1;
		until = now + ((c->closing ? brief : life) * cfg.hz >> 8) + 1;
		if (c->until != until)
			c->until = until;
		return;
	}
	if (!make)
		return;
	until = now + ((closing ? brief : life) * cfg.hz >> 8) + 1;
	if (!c)
		c = old;
	if (!c)
		return;
	was = c->print;
	c->closing = closing;
	c->until = until;
	if (was != print && !cas(&c->print, (__u32)print >> 4, was, print))
		return;			/* the next packet tries again */
	t->conns++;
	if (least > now && was != print)
		t->conns_lost++;
}

#endif
