/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The tuple step, by edge-mode. deny: a denied edge is dropped. allow: so is
 * whatever is neither an allowed edge nor a reply. In both the limit of an edge
 * holds. An edge is (source, destination port, protocol); port 0 for protocols
 * without ports, so that ICMP, GRE or ESP are edges too.
 */
#ifndef KL_TUPLE_BPF_H
#define KL_TUPLE_BPF_H

#include "flow.bpf.h"
#include "judge.bpf.h"
#include "limit.bpf.h"
#include "reply.bpf.h"

/* What the edge tables say of work.k's edge: KL_EPOL_* in work.j. */
#define EDGE_JUDGE(family, j, k, has)					\
do {									\
	struct kl_rule *r_;						\
	struct kl_limit *l_;						\
	if ((has) & KL_EPOL_ALLOW) {					\
		r_ = bpf_map_lookup_elem(&edge_allow##family, k);	\
		if (r_ && alive(j, r_->until, now_ns))			\
			(j)->pol |= KL_EPOL_ALLOW;			\
	}								\
	if ((has) & KL_EPOL_DENY) {					\
		r_ = bpf_map_lookup_elem(&edge_deny##family, k);	\
		if (r_ && alive(j, r_->until, now_ns))			\
			(j)->pol |= KL_EPOL_DENY;			\
	}								\
	if ((has) & KL_EPOL_LIMIT) {					\
		l_ = bpf_map_lookup_elem(&edge_limit##family, k);	\
		if (l_ && alive(j, l_->until, now_ns)) {		\
			(j)->pol |= KL_EPOL_LIMIT;			\
			kl_gcra(cfg.hz, l_->rate, l_->burst, &(j)->ivl, &(j)->tol);	\
		}							\
	}								\
} while (0)

__noinline int edge_judge(void)
{
	__u64 now_ns = bpf_ktime_get_boot_ns();
	struct work *w = work_of();
	const struct pkt *k;
	struct judged *j;

	if (!w)
		return 0;
	k = &w->k;
	j = &w->j;
	j->pol = 0;
	j->until_j = j->now + FAR_J;
	if (k->family == 4) {
		struct kl_edge4 e = { .port = k->dport, .proto = k->proto };

		__builtin_memcpy(e.a, (__u8 *)&k->lo + 4, 4);
		EDGE_JUDGE(4, j, &e, edge4.has);
	} else {
		struct kl_edge6 e = { .port = k->dport, .proto = k->proto };

		__builtin_memcpy(e.a, &k->hi, 8);
		__builtin_memcpy(e.a + 8, &k->whole, 8);
		EDGE_JUDGE(6, j, &e, edge6.has);
	}
	return 0;
}

/* Its edge's standing, from the record while that is of this generation. */
static __always_inline __u32 edge_standing(const struct flow_rec *f, struct work *w, __u32 *ivl, __u32 *tol)
{
	const struct pkt *k = &w->k;
	__u32 gen = (k->family == 4 ? edge4.gen : edge6.gen) << 8;
	struct kl_flow *r = f->r;
	struct kl_flow_cold *c;

	if (r && (r->pol & ~0xffu) == gen && (__s32)(w->j.now - r->until_j) < 0) {
		c = r->pol & KL_EPOL_LIMIT ? flow_cold_of(k->family, f) : 0;
		if (c) {
			*ivl = c->ivl;
			*tol = c->tol;
		}
		return r->pol & 0xff;
	}
	edge_judge();
	*ivl = w->j.ivl;
	*tol = w->j.tol;
	if (r) {
		c = w->j.pol & KL_EPOL_LIMIT ? flow_cold_of(k->family, f) : 0;
		if (c) {
			c->ivl = *ivl;
			c->tol = *tol;
		}
		r->until_j = w->j.until_j;
		r->pol = gen | w->j.pol;
	}
	return w->j.pol;
}

static __always_inline bool has_ports(__u32 proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

/* Are the ports where nobody may look, or behind more headers than are walked? RFC 7112 lets a node drop
 * first fragments that do not hold the whole chain; no sender makes such packets. */
static __always_inline bool hidden(const struct pkt *k)
{
	__u32 p = k->proto;

	if (k->frag == FRAG_LATER)
		return false;
	if (has_ports(p))
		return !k->ports;
	return k->family == 6 &&
	       (p == 0 || p == 43 || p == 44 || p == 51 || p == 60 || p == 135 || p == 139 || p == 140);
}

/* Does the record alone say that k passes? Of a fresh edge that is neither denied nor limited and, in
 * edge-mode allow, is allowed: what a host with a baseline sees most. All else takes the step. */
static __always_inline bool edge_passes(const struct kl_flow *r, const struct pkt *k, __u32 on, __u32 now)
{
	__u32 gen = (k->family == 4 ? edge4.gen : edge6.gen) << 8, pol;

	if (!r || (__s32)(now - r->until_j) >= 0)
		return false;
	pol = r->pol ^ gen;
	return (pol == KL_EPOL_ALLOW || (!pol && !(on & KL_F_EDGE_ALLOW))) && k->ports && !k->frag;
}

/* The step for work.k, whose flow's record is at `place`; 0: it has none. KL_PASS; KL_DROP_DENY: the
 * edge is denied, or not allowed; KL_DROP_RL: above its limit. */
__noinline int tuple(struct xdp_md *ctx, __u32 on, __u32 place)
{
	struct flow_rec f = { .set = place >> 5, .way = place >> 2 & 7 };
	__u32 ivl = 0, tol = 0, pol, h;
	struct kl_totals *t = totals_of();
	struct kl_flow_cold *c;
	struct flow_set *s;
	const struct pkt *k;
	struct work *w;

	if (!t)
		return KL_DROP_DENY;
	w = (struct work *)t->own;
	k = &w->k;
	s = place ? ELEM_OF(k->family, flow, f.set) : 0;
	if (s)
		f.r = &s->r[f.way & (KL_WAYS - 1)];
	pol = edge_standing(&f, w, &ivl, &tol);
	if (pol & KL_EPOL_DENY || hidden(k))
		return KL_DROP_DENY;
	if (on & KL_F_EDGE_ALLOW &&
	    (!(pol & KL_EPOL_ALLOW) || (k->frag == FRAG_LATER && has_ports(k->proto)))) {
		if (!reply(ctx)) {
			if (k->frag == FRAG_LATER)
				t->drop_frag++;
			return KL_DROP_DENY;
		}
		t->replies++;
	}
	if (pol & KL_EPOL_LIMIT) {
		t->rl_hits++;
		c = f.r ? flow_cold_of(k->family, &f) : 0;
		h = flow_hash(k, src_hash(k)) >> 52;
		if (!(c ? within(&c->tat, f.set, w->j.now64, ivl, tol) :
			  within(&shared_tat[h & (KL_SHARED - 1)], h, w->j.now64, ivl, tol)))
			return KL_DROP_RL;
	}
	if (on & KL_F_EDGE_ALLOW && k->frag == FRAG_FIRST)
		frag_passed(ctx);
	return KL_PASS;
}

#endif
