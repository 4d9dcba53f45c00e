/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A table of records, found or made. Two candidate sets of eight ways; the tag
 * word of a set says which ways are worth a look, so a packet costs one line
 * of tags and one line of record.
 *
 * A record is claimed by compare-and-exchange on its tag byte (0x80: being
 * filled), filled, then published. Two CPUs meeting a new key at once end
 * at one record: the second sees the claim and looks again.
 *
 * When both sets are full, a record whose key was seen once gives way, but
 * only to a key that knocked before: a spoofed flood of sources that never
 * return displaces nobody, and costs no memory traffic.
 *
 * Included once for each KIND of record, src and flow: KIND_rec, KIND_is(),
 * KIND_fill(), KIND_sets(), KIND_aged[], and the arrays KIND_tags4|6 and KIND4|6 are there by then.
 */
#include "sets.bpf.h"

#undef OF_KIND
#undef OF_KIND_
#undef KIND_ARRAY
#undef KIND_TAGS
#define OF_KIND_(kind, name) kind##name
#define OF_KIND__(kind, name) OF_KIND_(kind, name)
#define OF_KIND(name) OF_KIND__(KIND, name)

#ifndef KL_TABLE_BPF_H
#define KL_TABLE_BPF_H
/* Tries while another CPU fills a record of the set. */
#ifdef KL_OLD_ATOMICS
#define LOOKS 8		/* each costs the older verifier more */
#else
#define LOOKS 24
#endif
#define AGE_S 8		/* seconds a full set keeps its seen-twice bits */

enum { NO_ROOM, FOUND, MADE, EVICTED };
#define PLACE(how, set, way) ((set) << 5 | ((way) & 7) << 2 | (how))

/* hot: the top bit of the way's byte. */
static __always_inline void seen_again(struct tag_word *w, __u32 s, __u64 hot, __u64 seen)
{
	if (!(seen & hot))
		cas(&w->w, s, seen, seen | hot);
}
#endif

/* Is the lowest way in m the record of k's key? */
static __always_inline bool OF_KIND(_is_at)(struct OF_KIND(_rec) *f, const struct pkt *k,
					    struct OF_KIND(_set) *h, __u32 s, __u64 m)
{
	__u32 way = way_of(m) & (KL_WAYS - 1);
	__typeof__(f->r) r = &h->r[way];

	asm volatile("" : "+r"(r));	/* computed once */
	if (!OF_KIND(_is)(r, k))
		return false;
	f->r = r;
	f->set = s;
	f->way = way;
	return true;
}

/* Which of up to four ways in m of set s holds work.k's key? -1: none. More
 * false matches of a 7-bit tag in one set of eight come once in ten million
 * look-ups, and then cost a second record of the same key, no more. */
__noinline int OF_KIND(_search)(__u32 s, __u64 m)
{
	struct work *w = work_of();
	struct OF_KIND(_rec) f = { 0 };
	struct OF_KIND(_set) *h;

	if (!w)
		return -1;
	h = ELEM_OF(w->k.family, KIND, s);
	if (!h || !m)
		return -1;
	if (OF_KIND(_is_at)(&f, &w->k, h, s, m) || ((m &= m - 1) && OF_KIND(_is_at)(&f, &w->k, h, s, m)) ||
	    ((m &= m - 1) && OF_KIND(_is_at)(&f, &w->k, h, s, m)) ||
	    ((m &= m - 1) && OF_KIND(_is_at)(&f, &w->k, h, s, m)))
		return f.way;
	return -1;
}

/* A full pair of sets meets a key it does not know: which record may it take? 0: none. Clears seen-twice
 * bits that are old, for the next one; not in a surge, whose strangers come again just to be let in. */
static __always_inline __u64 OF_KIND(_victim)(struct tag_word *w, __u64 seen, __u32 s, __u64 h, __u32 now)
{
	__u64 once = ~seen & HIGH, m;
	__u32 rot = (h >> 45) & 56, *aged = &OF_KIND(_aged)[s & (AGE_CELLS - 1)];

	if (once) {
		m = once & (~0ull << rot);
		return m ? m : once;
	}
	if (!*aged)
		*aged = now | 1;
	/* now | 1 may be one jiffy ahead */
	if ((__s32)(now - *aged) >= (__s32)(AGE_S * cfg.hz) && !(cfg.features & KL_F_SURGE)) {
		*aged = now | 1;
		cas(&w->w, s, seen, seen & ~HIGH);
	}
	return 0;
}

/* Takes for work.k's key the lowest way in m of set s, whose tags were
 * `seen`, and fills its record. The way, or -1. */
__noinline int OF_KIND(_claim)(__u32 s, __u64 seen, __u64 m, __u64 tag, __u32 now)
{
	__u32 way = way_of(m) & (KL_WAYS - 1);
	__u64 byte = 0xffull << way * 8;
	struct work *wk = work_of();
	struct OF_KIND(_rec) f = { .set = s, .way = way };
	struct OF_KIND(_set) *h;
	struct tag_word *w;

	if (!wk)
		return -1;
	w = ELEM_OF(wk->k.family, OF_KIND(_tags), s);
	h = ELEM_OF(wk->k.family, KIND, s);
	if (!w || !h || !cas(&w->w, s, seen, (seen & ~byte) | 0x80ull << way * 8))
		return -1;
	f.r = &h->r[way];
	OF_KIND(_fill)(&f, &wk->k, now);
	add_ordered(&w->w, s, (tag - 0x80) << way * 8);
	return way;
}

/* The whole search for work.k's key: every match in both sets, else, with make, a new
 * record. NO_ROOM, or the PLACE. */
__noinline int OF_KIND(_find_or_make)(__u64 h, __u32 now, __u32 make)
{
	__u64 tag = tag_of(h), h2 = rehash(h), seen1, seen2, e1, e2;
	__u32 sets = OF_KIND(_sets)(), s1 = set_of(h >> 32, sets), s2 = other_set(h2, s1, sets), s;
	struct work *wk = work_of();
	struct tag_word *w1, *w2;
	const struct pkt *k;
	int i, how, way;

	if (!wk)
		return NO_ROOM;
	k = &wk->k;
	w1 = ELEM_OF(k->family, OF_KIND(_tags), s1);
	w2 = ELEM_OF(k->family, OF_KIND(_tags), s2);
	if (!w1 || !w2)
		return NO_ROOM;
	for (i = 0; i < LOOKS; i++) {
		seen1 = *(volatile __u64 *)&w1->w;
		seen2 = *(volatile __u64 *)&w2->w;
		way = OF_KIND(_search)(s1, match(seen1, tag));
		if (way >= 0) {
			seen_again(w1, s1, 0x80ull << (way & 7) * 8, seen1);
			return PLACE(FOUND, s1, way);
		}
		way = OF_KIND(_search)(s2, match(seen2, tag));
		if (way >= 0) {
			seen_again(w2, s2, 0x80ull << (way & 7) * 8, seen2);
			return PLACE(FOUND, s2, way);
		}
		if (!make)
			return NO_ROOM;
		e1 = match(seen1, 0);		/* empty, or being filled */
		e2 = match(seen2, 0);
		if ((e1 & seen1) | (e2 & seen2))
			continue;		/* perhaps with this very key */
		how = MADE;
		if (!(e1 | e2)) {
			if (!knocked(h2))
				return NO_ROOM;
			how = EVICTED;
			e1 = OF_KIND(_victim)(w1, seen1, s1, h2, now);
			e2 = e1 ? 0 : OF_KIND(_victim)(w2, seen2, s2, h2, now);
			if (!(e1 | e2))
				return NO_ROOM;
		}
		s = ways_in(e1) >= ways_in(e2) ? s1 : s2;
		way = s == s1 ? OF_KIND(_claim)(s1, seen1, e1, tag, now) :
				OF_KIND(_claim)(s2, seen2, e2, tag, now);
		if (way >= 0)
			return PLACE(how, s, way);
	}
	return NO_ROOM;
}

/* The record of k's key in *f when the first way that looks like it is it, as nearly always; else none. */
static __always_inline bool OF_KIND(_peek)(struct OF_KIND(_rec) *f, const struct pkt *k, __u64 h)
{
	__u32 s1 = set_of(h >> 32, OF_KIND(_sets)());
	struct tag_word *w = ELEM_OF(k->family, OF_KIND(_tags), s1);
	__u64 tag = tag_of(h), seen, m;
	struct OF_KIND(_set) *hs;

	hs = ELEM_OF(k->family, KIND, s1);
	if (w && hs) {
		seen = *(volatile __u64 *)&w->w;
		m = match(seen, tag);
		if (m && OF_KIND(_is_at)(f, k, hs, s1, m)) {
			seen_again(w, s1, m & -m, seen);
			return true;
		}
	}
	f->r = 0;
	return false;
}

/* A longer search for it; with make there is a new one when there is room. How it came: NO_ROOM, FOUND,
 * MADE, EVICTED. */
static __always_inline __u32 OF_KIND(_find)(struct OF_KIND(_rec) *f, const struct pkt *k, __u64 h, __u32 now,
					    __u32 make)
{
	__u32 at = OF_KIND(_find_or_make)(h, now, make);
	struct OF_KIND(_set) *hs;
	__u64 way = at >> 2;

	f->r = 0;
	f->way = 0;
	f->set = at >> 5;
	hs = ELEM_OF(k->family, KIND, f->set);
	if (!at || !hs)
		return NO_ROOM;
	asm volatile("%0 &= 7" : "+r"(way));	/* the compiler would drop a mask it can prove */
	f->r = &hs->r[way];
	f->way = way;
	return at & 3;
}
