/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Shield: parse, allow (a hit is final), deny, limit, tuple, count, verdict.
 *
 * A packet of a known source runs without a helper call: array look-ups are
 * inlined, the clock is jiffies, the tables' answer is cached in the record.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "parse.bpf.h"
#include "maps.bpf.h"
#include "guard.bpf.h"
#include "src.bpf.h"
#include "judge.bpf.h"
#include "limit.bpf.h"
#include "essential.bpf.h"
#include "tuple.bpf.h"
#include "shake.bpf.h"
#include "surge.bpf.h"
#include "count.bpf.h"
#include "hist.bpf.h"
#include "event.bpf.h"
#include "egress.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Where the source stands: flags of KL_POL_*, and its own limit. */
static __always_inline __u32 standing(struct kl_totals *t, const struct src_rec *f, struct work *w, __u32 on,
				      __u32 now, __u32 *ivl, __u32 *tol)
{
	const __u32 fine_bits = KL_F_SRC6_64 | KL_F_SRC6_FINE;
	struct pkt *k = &w->k;
	bool fine = k->family == 6 && (on & fine_bits) == fine_bits;
	__u32 gen = gen_of(k->hi, k->lo);
	struct kl_src *r = fine ? 0 : f->r;
	struct kl_cold *c;
	struct judged *j;

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
	judge();
	j = &w->j;
	asm volatile("" : "+r"(j));	/* else the way of known sources computes its members' addresses */
	*ivl = j->ivl;
	*tol = j->tol;
	if (r) {
		t->judged++;
		if (j->pol & KL_POL_LIMIT) {
			c = cold_of(k->family, f);
			if (c) {
				c->ivl = *ivl;
				c->tol = *tol;
			}
		}
		r->until_j = j->until_j;
		r->pol = gen | j->pol | (r->pol & KL_POL_SURGE);
	}
	return j->pol;
}

#define FINAL 16u	/* beside KL_PASS: whatever the tuple */

/* By source: allow, deny, limit. */
static __always_inline __u32 verdict(struct kl_totals *t, const struct src_rec *f, struct work *w, __u64 h,
				     __u32 on, __u64 now_j)
{
	__u32 pol = 0, ivl = 0, tol = 0;

	if (!(on & KL_F_JUDGE))
		goto limit;		/* no rules, nothing to enforce */
	pol = standing(t, f, w, on, now_j, &ivl, &tol);
	if (pol & KL_POL_ALLOW) {
		t->allow_hits++;
		return KL_PASS | FINAL;
	}
	if (on & KL_F_ENFORCE_ALLOW)
		return KL_DROP_ALLOW;
	if (pol & KL_POL_DENY && on & (KL_F_DENY | KL_F_DENY_LPM))
		return KL_DROP_DENY;
limit:
	if (!(pol & KL_POL_LIMIT)) {
		if (!(on & KL_F_DEFAULT_LIMIT))
			return KL_PASS;
		if (on & KL_F_TIMED && cfg.fallen & KL_FELL_TRIAL) {
			ivl = rl.before.ivl;
			tol = rl.before.tol;
		} else {
			ivl = rl.now.ivl;
			tol = rl.now.tol;
		}
	}
	t->rl_hits++;
	if (f->r)
		return within(&f->r->tat, f->set, now_j, ivl, tol) ? KL_PASS : KL_DROP_RL;
	h = rehash(h) & (KL_SHARED - 1);
	return within(&shared_tat[h], h, now_j, ivl, tol) ? KL_PASS : KL_DROP_RL;
}

/* Of frames that are not IP, edge-mode allow passes ARP and what the link itself runs on: LLC (spanning
 * tree), LACP, LLDP, 802.1X, PTP. What carries IP inside, PPPoE or MPLS, is not among them. */
static __always_inline bool of_the_link(__u16 type)
{
	return type < 0x600 || type == 0x0806 || type == 0x8809 || type == 0x88cc || type == 0x888e ||
	       type == 0x88f7;
}

static __always_inline int not_ip(struct kl_totals *t, const struct pkt *k, int frame, __u32 on)
{
	t->other_bytes += k->len;
	if (frame == FRAME_BAD) {
		t->malformed++;
		if (!(on & (KL_F_ENFORCE_ALLOW | KL_F_EDGE_ALLOW)))
			return XDP_PASS;
		t->drop_malformed++;
		return XDP_DROP;
	}
	t->other++;
	if (!(on & KL_F_EDGE_ALLOW) || of_the_link(k->type))
		return XDP_PASS;
	t->drop_other++;
	return XDP_DROP;
}

SEC("xdp")
int kl_shield(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 v = KL_PASS, class, on = cfg.features, how, reason;
	__u64 now_j = bpf_jiffies64(), h;
	struct kl_totals *t = totals_of();
	struct flow_rec flow;		/* read only where .r is set: kernels before 6.3 mind */
	struct src_rec f;
	struct work *w;
	struct pkt *k;
	int frame;

	if (!t)
		return XDP_ABORTED;	/* cannot be: the array has one element */
	w = (struct work *)t->own;
	k = &w->k;
	k->len = end - data;
	if (on & KL_F_TIMED)
		on = in_force(t, on, now_j);
	frame = parse(k, data, end);
	if (frame != FRAME_IP) {
		if (on & KL_F_HIST)
			count_hist(0);
		return not_ip(t, k, frame, on);
	}
	asm volatile("" : "+r"(w));	/* its members by offset, not by addresses computed before */
	k = &w->k;
	w->j.now64 = now_j;
	w->j.now = now_j;
	k->whole = k->lo;
	if (k->family != 4 && on & KL_F_SRC6_64)
		k->lo = 0;
	h = src_hash(k);
	flow.r = 0;
	if (on & (KL_F_FLOWS | KL_F_EDGE)) {
		k->flow = (__u32)k->proto << 16 | k->dport;
		flow_peek(&flow, k, flow_hash(k, h));	/* here: so both tables are waited for at once */
	}
	if (!src_peek(&f, k, h)) {
		how = src_find(&f, k, h, now_j, !(on & KL_F_SURGE));
		if (how >= MADE)
			t->new_sources++;
		if (how == EVICTED)
			t->evicted++;
	}

	if (essential(k, now_j)) {
		t->essential++;
		v = KL_PASS | FINAL;
	} else if (on & (KL_F_JUDGE | KL_F_DEFAULT_LIMIT | KL_F_SURGE)) {	/* the two look at no more */
		v = verdict(t, &f, w, h, on, now_j);
		if (on & KL_F_SURGE && v == KL_PASS && !(f.r && f.r->pol & KL_POL_KNOWN))
			v = surge(ctx, f.r ? PLACE(FOUND, f.set, f.way) : 0);
	}
	reason = v;
	if (on & (KL_F_FLOWS | KL_F_EDGE)) {
		if (!flow.r)
			flow_make(&flow, t, k, flow_hash(k, h), now_j, (v & ~FINAL) == KL_PASS);
		if (v == KL_PASS && on & KL_F_EDGE && !edge_passes(flow.r, k, on, now_j)) {
			reason = v = tuple(ctx, on, flow.r ? PLACE(FOUND, flow.set, flow.way) : 0);
			if (v == KL_DROP_DENY) {
				t->drop_edge++;
				reason = KL_EVENT_EDGE;
			}
		}
	}
	v &= ~FINAL;

	class = class_of(k);
	count(&t->all, k, v, class);
	if (on & KL_F_HIST)
		count_hist(v != KL_PASS);
	if (k->frag) {
		if (k->family == 4)
			t->frags4++;
		else
			t->frags6++;
	}
	count_flow(&flow, k, 1, v);	/* here: the source's addition, locked too, waits for fewer stores */
	if (f.r)
		count_src(t, &f, k, v);
	else
		count(&t->un, k, v, class);
	if (v == KL_PASS) {
		if (flow.r && may_complete(k) && completes(ctx))
			ADD(flow.r->est, 1);
		return XDP_PASS;
	}
	if (its_turn(t, cfg.sample))
		tell(reason, cfg.sample);
	return XDP_DROP;
}
