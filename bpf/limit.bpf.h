/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The limiter: GCRA (ITU-T I.371), the form of the token bucket that keeps one
 * number, the time the next packet is due, and so loses no remainder. The clock
 * is bpf_jiffies64(), a load instead of a call. Exact on any number of CPUs:
 * a packet passes only if it moved the number by compare-and-exchange.
 */
#ifndef KL_LIMIT_BPF_H
#define KL_LIMIT_BPF_H

#include "atomic.bpf.h"

#define LIMIT_TRIES 16	/* lost races before a packet is dropped: the limit holds, never fails open */

static __always_inline bool within(__u64 *tat, __u32 cell, __u64 now_j, __u32 ivl, __u32 tol)
{
	__u64 now = now_j << 20, due, next;
	int i;

	for (i = 0; i < LIMIT_TRIES; i++) {
		due = *(volatile __u64 *)tat;
		next = due > now ? due : now;
		if (next - now > (__u64)tol << 12)
			return false;
		if (cas(tat, cell, due, next + ivl))
			return true;
	}
	return false;
}

#endif
