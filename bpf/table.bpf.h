/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The counting table: a source's record found or made. Two candidate sets of
 * eight ways; the tag word of a set says which ways are worth a look, so a
 * packet costs one line of tags and one line of record.
 *
 * A record is claimed by compare-and-exchange on its tag byte (0x80: being
 * filled), filled, then published. Two CPUs meeting a new source at once end
 * at one record: the second sees the claim and looks again.
 *
 * When both sets are full, a record whose source was seen once gives way, but
 * only to a source that knocked before: a spoofed flood of sources that never
 * return displaces nobody, and costs no memory traffic.
 */
#ifndef KL_TABLE_BPF_H
#define KL_TABLE_BPF_H

#include "sets.bpf.h"

/* Tries while another CPU fills a record of the set. */
#ifdef KL_OLD_ATOMICS
#define LOOKS 8		/* each costs the older verifier more */
#else
#define LOOKS 24
#endif
#define AGE_S 8		/* seconds a full set keeps its seen-twice bits */

/* Is the lowest way in m the source's record? */
static __always_inline bool is_at(struct rec *f, const struct pkt *k, struct hot_set *h, __u32 s, __u64 m)
{
	__u32 way = way_of(m) & (KL_WAYS - 1);
	struct kl_src *q = &h->r[way];

	if (q->key[1] != k->lo || q->key[0] != k->hi)
		return false;
	f->hot = q;
	f->set = s;
	f->way = way;
	return true;
}

/* Which of up to four ways in m of set s holds work.k's source? -1: none. More
 * false matches of a 7-bit tag in one set of eight come once in ten million
 * look-ups, and then cost a second record of the same source, no more. */
__noinline int search(__u32 s, __u64 m)
{
	struct work *w = work_of();
	struct hot_set *h;
	struct rec f = { 0 };

	if (!w)
		return -1;
	h = ELEM_OF(w->k.family, src, s);
	if (!h || !m)
		return -1;
	if (is_at(&f, &w->k, h, s, m) || ((m &= m - 1) && is_at(&f, &w->k, h, s, m)) ||
	    ((m &= m - 1) && is_at(&f, &w->k, h, s, m)) || ((m &= m - 1) && is_at(&f, &w->k, h, s, m)))
		return f.way;
	return -1;
}

static __always_inline void seen_again(struct tag_word *w, __u32 s, __u32 way, __u64 seen)
{
	__u64 hot = 0x80ull << (way & 7) * 8;

	if (!(seen & hot))
		cas(&w->w, s, seen, seen | hot);
}

/* A full pair of sets meets a source it does not know: which record may it
 * take? 0: none. Clears seen-twice bits that are old, for the next one. */
static __always_inline __u64 victim(__u64 *word, __u64 seen, __u32 s, __u64 h, __u32 now)
{
	__u64 once = ~seen & HIGH, m;
	__u32 rot = (h >> 45) & 56, *aged = &aged_j[s & (AGE_CELLS - 1)];

	if (once) {
		m = once & (~0ull << rot);
		return m ? m : once;
	}
	if (!*aged)
		*aged = now | 1;
	if (now - *aged >= AGE_S * cfg.hz) {
		*aged = now | 1;
		cas(word, s, seen, seen & ~HIGH);
	}
	return 0;
}

static __always_inline bool knocked(__u64 h)
{
	__u32 i = (h >> 12) & (DOOR_CELLS - 1);
	__u16 who = h >> 48;

	if (door[i] == who)
		return true;
	door[i] = who;
	return false;
}

static __always_inline void fill(const struct rec *f, const struct pkt *k, __u32 now)
{
	struct kl_cold *c = cold_of(k->family, f);
	struct kl_src *r = f->hot;

	r->key[0] = k->hi;
	r->key[1] = k->lo;
	r->tat = 0;
	r->pb = 0;
	r->syn = r->udp = r->drop_deny = r->drop_rl = 0;
	r->until_j = now;		/* to be judged */
	r->pol = 0;
	r->seen_j = now;
	r->port = 0;
	r->epoch = (cfg.epoch - 1) << 1;	/* not of this tick, nor of the next */
	if (c) {
		c->odd = c->rst = c->icmp = c->other = c->drop_allow = 0;
		c->carry = 0;
		c->ivl = c->tol = 0;
	}
}

/* Takes for work.k's source the lowest way in m of set s, whose tags were
 * `seen`, and fills its record. The way, or -1. */
__noinline int claim(__u32 s, __u64 seen, __u64 m, __u64 tag, __u32 now)
{
	__u32 way = way_of(m) & (KL_WAYS - 1);
	__u64 byte = 0xffull << way * 8;
	struct work *wk = work_of();
	struct rec f = { .set = s, .way = way };
	struct tag_word *w;
	struct hot_set *h;

	if (!wk)
		return -1;
	w = ELEM_OF(wk->k.family, tags, s);
	h = ELEM_OF(wk->k.family, src, s);
	if (!w || !h || !cas(&w->w, s, seen, (seen & ~byte) | 0x80ull << way * 8))
		return -1;
	f.hot = &h->r[way];
	fill(&f, &wk->k, now);
	add_ordered(&w->w, s, (tag - 0x80) << way * 8);
	return way;
}

enum { NO_ROOM, FOUND, MADE, EVICTED };
#define PLACE(how, set, way) ((set) << 5 | ((way) & 7) << 2 | (how))

/* The whole search for work.k's source: every match in both sets, else a new
 * record. NO_ROOM, or the PLACE. */
__noinline int find_or_make(__u64 h, __u32 now)
{
	struct work *wk = work_of();
	const struct pkt *k;
	__u64 tag = tag_of(h), h2 = rehash(h), seen1, seen2, e1, e2;
	__u32 s1 = set_of(h >> 32), s2 = set_of(h2), s;
	struct tag_word *w1, *w2;
	int i, how, way;

	if (!wk)
		return NO_ROOM;
	k = &wk->k;
	if (s2 == s1)
		s2 = s1 ? s1 - 1 : 1;
	w1 = ELEM_OF(k->family, tags, s1);
	w2 = ELEM_OF(k->family, tags, s2);
	if (!w1 || !w2)
		return NO_ROOM;
	for (i = 0; i < LOOKS; i++) {
		seen1 = *(volatile __u64 *)&w1->w;
		seen2 = *(volatile __u64 *)&w2->w;
		way = search(s1, match(seen1, tag));
		if (way >= 0) {
			seen_again(w1, s1, way, seen1);
			return PLACE(FOUND, s1, way);
		}
		way = search(s2, match(seen2, tag));
		if (way >= 0) {
			seen_again(w2, s2, way, seen2);
			return PLACE(FOUND, s2, way);
		}
		e1 = match(seen1, 0);		/* empty, or being filled */
		e2 = match(seen2, 0);
		if ((e1 & seen1) | (e2 & seen2))
			continue;		/* perhaps with this very source */
		how = MADE;
		if (!(e1 | e2)) {
			if (!knocked(h2))
				return NO_ROOM;
			how = EVICTED;
			e1 = victim(&w1->w, seen1, s1, h2, now);
			e2 = e1 ? 0 : victim(&w2->w, seen2, s2, h2, now);
			if (!(e1 | e2))
				return NO_ROOM;
		}
		s = ways_in(e1) >= ways_in(e2) ? s1 : s2;
		way = s == s1 ? claim(s1, seen1, e1, tag, now) : claim(s2, seen2, e2, tag, now);
		if (way >= 0)
			return PLACE(how, s, way);
	}
	return NO_ROOM;
}

/* The record of k's source in *f; made when there is room. */
static __always_inline void find(struct rec *f, const struct pkt *k, __u64 h, struct kl_totals *t, __u32 now)
{
	__u32 s1 = set_of(h >> 32);
	__u64 tag = tag_of(h), seen, m;
	struct tag_word *w = ELEM_OF(k->family, tags, s1);
	struct hot_set *hs;
	__u64 way;
	__u32 at;

	f->hot = 0;
	f->set = f->way = 0;
	hs = ELEM_OF(k->family, src, s1);
	if (w && hs) {
		seen = *(volatile __u64 *)&w->w;
		m = match(seen, tag);
		if (m && is_at(f, k, hs, s1, m)) {
			seen_again(w, s1, f->way, seen);
			return;
		}
	}
	at = find_or_make(h, now);
	f->set = at >> 5;
	way = at >> 2;
	hs = ELEM_OF(k->family, src, f->set);
	if (at && hs) {
		asm volatile("%0 &= 7" : "+r"(way));	/* the compiler would drop a mask it can prove */
		f->hot = &hs->r[way];
		f->way = way;
	}
	at &= 3;
	if (at >= MADE)
		t->new_sources++;
	if (at == EVICTED)
		t->evicted++;
}

#endif
