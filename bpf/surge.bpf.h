/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A surge: the host is flooded by sources that were never here. Who has a
 * history passes. Anybody else is dropped at first and let in when he comes
 * again as somebody does who waits for an answer: not at once, and soon.
 *
 *   SYN          again from the same address to the same port; none waits less than a second (RFC 6298)
 *   other TCP    the same segment again
 *   UDP, SCTP    as long a packet again from the same address to the same port
 *
 * Who was let in has shown little: a flood may repeat itself. So the same packet
 * then is dropped for a minute or two; known is who goes on with another one,
 * behind a SYN one that is none.
 *
 * Who came is kept as fingerprints in sets of four cells: tag << 12 | passed << 11 | time in
 * eighths of a second. A new one takes the oldest cell of its set.
 */
#ifndef KL_SURGE_BPF_H
#define KL_SURGE_BPF_H

#include "count.bpf.h"
#include "limit.bpf.h"
#include "reply.bpf.h"

#define SURGE_EARLY  2		/* eighths of a second: a second packet before is none that waits */
#define SURGE_SYN    7		/* as a SYN */
#define SURGE_LATE   80		/* and one behind this begins anew */
#define SURGE_TWINS  4		/* others beside the one that passed pass for so long */
#define SURGE_AGAIN  512	/* then the same one not for 64 s, and the last byte of its address more */
#define SURGE_PASSED 2048u
#define SURGE_TIME   2047u

enum { COMES_FIRST, COMES_EARLY, COMES_AGAIN };

static __always_inline __u64 surge_now(__u64 now_j)
{
	return (now_j << 3) / cfg.hz;
}

/* What has to come again; 0: nothing to tell it by. */
static __always_inline __u64 surge_print(const struct pkt *k, const __u8 *p, const __u8 *end)
{
	__u64 what = (__u64)k->proto << 48 | (__u64)k->dport << 32, h;

	if (!k->ports || k->frag == FRAG_LATER)
		return 0;
	if (k->proto != 6 || !k->flagged) {
		what |= k->len;
	} else if (!is_syn(k)) {
		if (p + 8 > end)
			return 0;
		what |= *(const __u32 *)(p + 4) | 1ull << 56;
		what ^= (__u64)k->sport << 40;
	}
	h = rehash((what ^ cfg.seed[2]) * cfg.seed[0]);
	h = rehash((h ^ k->whole) * cfg.seed[1]);
	if (k->hi)
		h = rehash((h ^ k->hi) * cfg.seed[2]);
	return h | 1ull << 44;	/* the tag is never 0: an empty cell is nobody's */
}

/* How the packet of fingerprint h comes, not before `early`. *twin: one like it passed. Notes it. */
static __always_inline __u32 surge_comes(__u64 h, __u64 now, __u32 early, __u32 last, bool *twin)
{
	__u32 set = h & (SURGE_SETS - 1), tag = h >> 44, oldest = 0, at = 0, age, i, c;
	struct surge_set *s = bpf_map_lookup_elem(&surge_sets, &set);

	*twin = false;
	if (!s)
		return COMES_FIRST;	/* cannot be: the array has them all */
#pragma unroll
	for (i = 0; i < 4; i++) {
		c = *(volatile __u32 *)&s->c[i];
		age = (now - c) & SURGE_TIME;
		if (c >> 12 == tag) {
			at = i;
			break;
		}
		if (!c)
			age = SURGE_TIME + 1;
		if (age >= oldest) {
			oldest = age;
			at = i;
		}
	}
	asm volatile("%0 &= 3" : "+r"(at));	/* the compiler would drop a mask it can prove */
	if (i < 4) {
		if (c & SURGE_PASSED) {
			*twin = true;
			if (age < SURGE_TWINS)
				return COMES_AGAIN;
			if (age < SURGE_AGAIN + last * 8)
				return COMES_EARLY;
		} else if (age < early) {
			return COMES_EARLY;
		} else if (age <= SURGE_LATE) {
			s->c[at] = tag << 12 | SURGE_PASSED | (now & SURGE_TIME);
			return COMES_AGAIN;
		}
	}
	s->c[at] = tag << 12 | (now & SURGE_TIME);
	return COMES_FIRST;
}

/* A record that is older than the surge, of a source that did more than knock. Records older than 2^31
 * jiffies, 24 days at 1000 a second, look young: their sources are tested like others. */
static __always_inline bool established(const struct kl_src *r, const struct kl_cold *c)
{
	return (__s32)(c->seen_j - cfg.surge_j) < 0 &&
	       (c->carry || (__u32)(r->pb >> KL_PB_SHIFT) >= r->syn + 2);
}

/* Who did no more than knock in a surge, or if there is none, than knock twice, counts as seen once in set
 * s, and may have to give way. Before a surge is noticed its flood filled the table, and it keeps coming. */
static __always_inline void yields(__u32 family, __u32 s)
{
	struct tag_word *w = ELEM_OF(family, src_tags, s);
	struct src_set *h = ELEM_OF(family, src, s);
	__u64 seen, once = 0, twice = 0;
	__u32 i, pol;

	if (!w || !h)
		return;
	seen = *(volatile __u64 *)&w->w;
#pragma unroll
	for (i = 0; i < KL_WAYS; i++) {
		pol = h->r[i].pol & KL_POL_SURGE;
		if (!(seen & 127ull << i * 8))
			continue;	/* being filled */
		if (pol == KL_POL_SUSPECT)
			once |= 128ull << i * 8;
		else if (pol && !(pol & KL_POL_KNOWN))
			twice |= 128ull << i * 8;
	}
	cas(&w->w, s, seen, seen & ~(once ? once : twice));
}

__noinline int make_room(__u64 h)
{
	__u32 sets = src_sets(), s = set_of(h >> 32, sets);
	struct work *w = work_of();

	if (!w)
		return 0;
	yields(w->k.family, s);
	yields(w->k.family, other_set(rehash(h), s, sets));
	return 1;
}

/* The record of work.k's source, made if there is room: it knocks twice. */
static __always_inline struct kl_src *surge_record(struct kl_totals *t, const struct pkt *k, __u64 now_j)
{
	__u64 h = src_hash(k);
	__u32 at = src_find_or_make(h, now_j, 1);
	struct tag_word *w;
	struct src_set *s;
	__u32 set, way;

	if (!at && make_room(h))
		at = src_find_or_make(h, now_j, 1);
	if (!at)
		return 0;
	if ((at & 3) >= MADE)
		t->new_sources++;
	if ((at & 3) == EVICTED)
		t->evicted++;
	set = at >> 5;
	way = at >> 2;
	asm volatile("%0 &= 7" : "+r"(way));
	w = ELEM_OF(k->family, src_tags, set);
	s = ELEM_OF(k->family, src, set);
	if (!w || !s)
		return 0;
	seen_again(w, set, 0x80ull << way * 8, *(volatile __u64 *)&w->w);
	return &s->r[way];
}

/* The step for work.k, whose source is not known and has its record at `place`; 0: it has none.
 * KL_PASS or KL_DROP_RL. */
__noinline int surge(struct xdp_md *ctx, __u32 place)
{
	struct src_rec f = { .set = place >> 5, .way = place >> 2 & 7 };
	struct kl_totals *t = totals_of();
	__u32 pol = 0, comes = COMES_FIRST, class;
	struct src_set *s;
	struct kl_cold *c;
	const struct pkt *k;
	struct work *w;
	bool syn, twin = false;
	__u64 h;

	if (!t)
		return KL_DROP_RL;
	w = (struct work *)t->own;
	k = &w->k;
	s = place ? ELEM_OF(k->family, src, f.set) : 0;
	if (s) {
		f.r = &s->r[f.way & (KL_WAYS - 1)];
		pol = f.r->pol & KL_POL_SURGE;
		c = cold_of(k->family, &f);
		if (!pol && c && established(f.r, c)) {
			f.r->pol |= KL_POL_KNOWN;
			return KL_PASS;
		}
	}
	syn = k->proto == 6 && is_syn(k);
	if (!syn && reply(ctx))
		return KL_PASS;
	h = surge_print(k, AT(k, (void *)(long)ctx->data), (void *)(long)ctx->data_end);
	if (h)
		comes = surge_comes(h, surge_now(w->j.now64), syn ? SURGE_SYN : SURGE_EARLY,
				    NUM64(k->whole) & 63, &twin);
	if (h && !syn && !twin && pol & KL_POL_CAME) {
		f.r->pol |= KL_POL_KNOWN;
		return KL_PASS;
	}
	class = k->proto == 6 ? KL_L4_TCP : k->proto == 17 ? KL_L4_UDP : k->proto == 1 || k->proto == 58 ?
		KL_L4_ICMP : KL_L4_OTHER;
	if (comes != COMES_AGAIN) {
		if (!cfg.surge_ivl ||
		    !within(&surge_tat[class], class, w->j.now64, cfg.surge_ivl, cfg.hz << 6)) {
			if (f.r && !pol)
				f.r->pol |= KL_POL_SUSPECT;
			t->drop_surge++;
			return KL_DROP_RL;
		}
		if (!syn)
			return KL_PASS;
	}
	t->surge_came++;
	if (!f.r)
		f.r = surge_record(t, k, w->j.now64);
	if (f.r)
		f.r->pol |= KL_POL_CAME;
	return KL_PASS;
}

#endif
