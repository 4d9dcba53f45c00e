/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Compare-and-exchange and friends in the two flavours of the program. BPF
 * got fetching atomics, or, and compare-exchange in kernel 5.12; the flavour
 * for older ones does the same under a spin lock chosen by `cell`: all writers
 * of one word must name the same cell.
 */
#ifndef KL_ATOMIC_BPF_H
#define KL_ATOMIC_BPF_H

#include "maps.bpf.h"

/* Exact on any number of CPUs in both flavours (xadd is in BPF from the start). */
#define ADD(x, n) ((void)__sync_fetch_and_add(&(x), (n)))

#ifndef KL_OLD_ATOMICS

static __always_inline bool cas(__u64 *p, __u32 cell, __u64 old, __u64 new)
{
	return __sync_val_compare_and_swap(p, old, new) == old;
}

/* Compare-and-exchange on a word that others add to without naming a cell. */
#define cas_added cas

static __always_inline __u64 add_fetch(__u64 *p, __u64 n)
{
	return __sync_fetch_and_add(p, n) + n;
}

/* A full barrier: what was stored before is visible before the sum. */
static __always_inline void add_ordered(__u64 *p, __u32 cell, __u64 n)
{
	__u64 was = __sync_fetch_and_add(p, n);

	asm volatile("" : : "r"(was));
}

static __always_inline void set_bits(__u64 *p, __u64 bits)
{
	if ((*p & bits) != bits)
		__sync_fetch_and_or(p, bits);
}

#else

static __always_inline struct lock *lock_of(__u32 cell)
{
	__u32 i = cell & 4095;

	return bpf_map_lookup_elem(&locks, &i);
}

static __always_inline bool cas(__u64 *p, __u32 cell, __u64 old, __u64 new)
{
	struct lock *l = lock_of(cell);
	bool same = false;

	if (!l)
		return false;
	bpf_spin_lock(&l->l);
	if (*(volatile __u64 *)p == old) {
		*(volatile __u64 *)p = new;
		same = true;
	}
	bpf_spin_unlock(&l->l);
	return same;
}

/* Additions in between are kept: the difference is added. True for the one who took it. */
static __always_inline bool cas_added(__u64 *p, __u32 cell, __u64 old, __u64 new)
{
	struct lock *l = lock_of(cell);
	bool mine = false;

	if (!l)
		return false;
	bpf_spin_lock(&l->l);
	if ((*(volatile __u64 *)p & (old - new)) == old - new) {
		__sync_fetch_and_add(p, new - old);
		mine = true;
	}
	bpf_spin_unlock(&l->l);
	return mine;
}

static __always_inline __u64 add_fetch(__u64 *p, __u64 n)
{
	__sync_fetch_and_add(p, n);
	return *(volatile __u64 *)p;
}

static __always_inline void add_ordered(__u64 *p, __u32 cell, __u64 n)
{
	struct lock *l = lock_of(cell);

	if (!l)
		return;
	bpf_spin_lock(&l->l);
	*(volatile __u64 *)p += n;
	bpf_spin_unlock(&l->l);
}

/* Two CPUs may race here and lose one of two ports of a tick: the sketch is an estimate anyway. */
static __always_inline void set_bits(__u64 *p, __u64 bits)
{
	*p |= bits;
}

#endif
#endif
