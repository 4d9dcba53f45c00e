/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Sets of the counting table: where a source hashes to, and arithmetic on tag words. */
#ifndef KL_SETS_BPF_H
#define KL_SETS_BPF_H

#include "atomic.bpf.h"
#include "parse.bpf.h"

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull

/* A record and where it is; r NULL: there is none. */
struct src_rec {
	struct kl_src *r;
	__u32 set, way;
};
struct flow_rec {
	struct kl_flow *r;
	__u32 set, way;
};

/* Multiply-shift hashing (Dietzfelbinger et al. 1997) with secret odd factors:
 * the top bits are good, and nobody outside can aim at a set. */
static __always_inline __u64 src_hash(const struct pkt *k)
{
	if (k->family == 4)
		return ADDR4(k->lo) * cfg.seed[0];
	/* As numbers: addresses differ in their last bytes, and those must reach every bit. */
	return NUM64(k->hi) * cfg.seed[1] + NUM64(k->lo) * cfg.seed[0];
}

/* Of a flow, out of its source's, unless that was cut. */
static __always_inline __u64 flow_hash(const struct pkt *k, __u64 src)
{
	if (k->whole != k->lo)
		src = NUM64(k->hi) * cfg.seed[1] + NUM64(k->whole) * cfg.seed[0];
	return src + k->flow * cfg.seed[2];
}

/* A second hash out of the first, all bits good: the other set, the door. */
static __always_inline __u64 rehash(__u64 h)
{
	h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9ull;
	return h ^ h >> 32;
}

static __always_inline __u32 set_of(__u32 bits, __u32 sets)
{
	return ((__u64)bits * sets) >> 32;
}

/* The second set of h2 = rehash(h), whose first is s1. */
static __always_inline __u32 other_set(__u64 h2, __u32 s1, __u32 sets)
{
	__u32 s2 = set_of(h2, sets);

	return s2 != s1 ? s2 : s1 ? s1 - 1 : 1;
}

/* From bits that the set does not use, high and low: sources of one set differ in some. */
static __always_inline __u64 tag_of(__u64 h)
{
	h = (h >> 24 ^ h >> 36) & 127;
	return h ? h : 127;
}

/* Element s of a family's array. The verifier turns an array look-up into a few
 * instructions only where the map is one and the same on every path: the empty
 * asm keeps the compiler from joining the two calls. */
#define ELEM_OF(family, name, s) ELEM_OF_(family, name, s)
#define ELEM_OF_(family, name, s)					\
({									\
	void *e_;							\
	if ((family) == 4) {						\
		e_ = bpf_map_lookup_elem(&name##4, &(s));		\
		asm volatile("" : "+r"(e_));				\
	} else {							\
		e_ = bpf_map_lookup_elem(&name##6, &(s));		\
	}								\
	e_;								\
})

static __always_inline struct kl_cold *cold_of(__u32 family, const struct src_rec *f)
{
	struct src_cold_set *c = ELEM_OF(family, src_cold, f->set);

	return c ? &c->r[f->way & (KL_WAYS - 1)] : 0;
}

static __always_inline struct kl_ports *ports_of(__u32 family, const struct src_rec *f)
{
	struct src_port_set *c = ELEM_OF(family, src_ports, f->set);

	return c ? &c->r[f->way & (KL_WAYS - 1)] : 0;
}

static __always_inline struct kl_flow_cold *flow_cold_of(__u32 family, const struct flow_rec *f)
{
	struct flow_cold_set *c = ELEM_OF(family, flow_cold, f->set);

	return c ? &c->r[f->way & (KL_WAYS - 1)] : 0;
}

/* Bit 7 of every byte whose low 7 bits equal tag's. */
static __always_inline __u64 match(__u64 word, __u64 tag)
{
	return (HIGH - ((word & ~HIGH) ^ (tag * ONES))) & HIGH;
}

/* The byte number of the lowest bit of m. */
static __always_inline __u32 way_of(__u64 m)
{
	return (((m & -m) >> 7) * 0x0001020304050607ull) >> 56;
}

static __always_inline __u64 ways_in(__u64 m)
{
	return (m >> 7) * ONES >> 56;
}

/* Who knocked at a full set lately? */
static __always_inline bool knocked(__u64 h)
{
	__u32 i = (h >> 12) & (DOOR_CELLS - 1);
	__u16 who = h >> 48;

	who |= !who;			/* 0 is nobody's: else every 65,536th had knocked before */
	if (door[i] == who)
		return true;
	door[i] = who;
	return false;
}

#endif
