/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Shield: parse, allow (a hit is final), deny, limit, count, verdict.
 *
 * A packet of a known source runs without a helper call: array look-ups are
 * inlined, the clock is jiffies, the tables' answer is cached in the record.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "parse.bpf.h"
#include "maps.bpf.h"
#include "sets.bpf.h"
#include "table.bpf.h"
#include "judge.bpf.h"
#include "limit.bpf.h"
#include "count.bpf.h"
#include "event.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define ESSENTIAL_PPS 1000	/* beyond it such packets are judged like any other */

/* Without these the host loses its address or its neighbours: IPv6 neighbour
 * discovery, which only the link itself can send (RFC 4861: hop limit 255),
 * and DHCP replies (RFC 2131, RFC 8415). ARP is not IP and passes anyway. */
static __always_inline bool essential(const struct pkt *k, __u64 now_j)
{
	__u32 ivl, tol;

	if (k->frag)
		return false;
	if (k->family == 6 && k->proto == 58) {
		if (!k->flagged || k->flags < 133 || k->flags > 137 || k->hops != 255)
			return false;
	} else if (k->proto != 17 || !k->ports || k->sport != (k->family == 4 ? 67 : 547) ||
		   k->dport != (k->family == 4 ? 68 : 546)) {
		return false;
	}
	kl_gcra(cfg.hz, ESSENTIAL_PPS, ESSENTIAL_PPS, &ivl, &tol);
	return within(&essential_tat, 0, now_j, ivl, tol);
}

/* Where the source stands: flags of KL_POL_*, and its own limit. */
static __always_inline __u32 standing(struct kl_totals *t, const struct rec *f, struct work *w, __u64 full_lo,
				      __u32 now, __u32 *ivl, __u32 *tol)
{
	const __u32 fine_bits = KL_F_SRC6_64 | KL_F_SRC6_FINE;
	struct pkt *k = &w->k;
	bool fine = k->family == 6 && (cfg.features & fine_bits) == fine_bits;
	__u32 gen = gen_of(k->hi, k->lo);
	struct kl_src *r = fine ? 0 : f->hot;
	struct kl_cold *c;

	if (r && (r->pol & ~0xffu) == gen && (__s32)(now - r->until_j) < 0) {
		if (r->pol & KL_POL_LIMIT) {
			c = cold_of(k->family, f);
			if (c) {
				*ivl = c->ivl;
				*tol = c->tol;
			}
		}
		return r->pol & 0xff;
	}
	w->j.hi = k->hi;
	w->j.lo = full_lo;
	w->j.family = k->family;
	w->j.now = now;
	judge();
	*ivl = w->j.ivl;
	*tol = w->j.tol;
	if (r) {
		t->judged++;
		if (w->j.pol & KL_POL_LIMIT) {
			c = cold_of(k->family, f);
			if (c) {
				c->ivl = *ivl;
				c->tol = *tol;
			}
		}
		r->until_j = w->j.until_j;
		r->pol = gen | w->j.pol;
	}
	return w->j.pol;
}

static __always_inline __u32 verdict(struct kl_totals *t, const struct rec *f, struct work *w, __u64 h,
				     __u64 full_lo, __u64 now_j)
{
	__u32 on = cfg.features, pol = 0, ivl = 0, tol = 0;

	if (!on)
		return KL_PASS;
	if (on & KL_F_JUDGE)
		pol = standing(t, f, w, full_lo, now_j, &ivl, &tol);
	if (pol & KL_POL_ALLOW) {
		t->allow_hits++;
		return KL_PASS;
	}
	if (on & KL_F_ENFORCE_ALLOW)
		return KL_DROP_ALLOW;
	if (pol & KL_POL_DENY)
		return KL_DROP_DENY;
	if (!(pol & KL_POL_LIMIT)) {
		if (!(on & KL_F_DEFAULT_LIMIT))
			return KL_PASS;
		ivl = rl.ivl;
		tol = rl.tol;
	}
	t->rl_hits++;
	if (f->hot)
		return within(&f->hot->tat, f->set, now_j, ivl, tol) ? KL_PASS : KL_DROP_RL;
	h = rehash(h) & (KL_SHARED - 1);
	return within(&shared_tat[h], h, now_j, ivl, tol) ? KL_PASS : KL_DROP_RL;
}

SEC("xdp")
int kl_shield(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 now_j = bpf_jiffies64(), h, full_lo;
	__u32 v = KL_PASS, class;
	struct kl_totals *t = totals_of();
	struct work *w;
	struct pkt *k;
	struct rec f;
	int frame;

	if (!t)
		return XDP_ABORTED;	/* cannot be: the array has one element */
	w = (struct work *)t->own;
	k = &w->k;
	k->len = end - data;
	frame = parse(k, data, end);
	if (frame != FRAME_IP) {
		t->other_bytes += k->len;
		if (frame == FRAME_OTHER) {
			t->other++;
			return XDP_PASS;
		}
		t->malformed++;
		if (!(cfg.features & KL_F_ENFORCE_ALLOW))
			return XDP_PASS;
		t->drop_malformed++;
		return XDP_DROP;
	}
	full_lo = k->lo;
	if (k->family == 6 && cfg.features & KL_F_SRC6_64)
		k->lo = 0;
	h = src_hash(k);
	find(&f, k, h, t, now_j);

	if (essential(k, now_j))
		t->essential++;
	else
		v = verdict(t, &f, w, h, full_lo, now_j);

	class = class_of(k);
	count(&t->all, k, v, class);
	if (k->frag) {
		if (k->family == 4)
			t->frags4++;
		else
			t->frags6++;
	}
	if (f.hot)
		count_src(t, &f, k, v);
	else
		count(&t->un, k, v, class);
	if (v == KL_PASS)
		return XDP_PASS;
	if (cfg.sample)
		tell(v, full_lo);
	return XDP_DROP;
}
