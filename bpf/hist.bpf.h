/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Histograms: lengths of all frames, well-known destination ports. */
#ifndef KL_HIST_BPF_H
#define KL_HIST_BPF_H

#include "maps.bpf.h"

/* work.k, a frame that was dropped or not. */
__noinline int count_hist(__u32 dropped)
{
	struct work *w = work_of();
	__u32 zero = 0, bin = 0;
	struct kl_hist *h = bpf_map_lookup_elem(&hist, &zero);
	__u64 len, port;
	int i;

	if (!h || !w)
		return 0;
	len = w->k.len;
	port = w->k.dport;
#pragma unroll
	for (i = 0; i < KL_HIST_LENS - 1; i++)
		bin += len >= 64u << i;
	/* Masks the compiler would drop, for it knows what the verifier of 5.10 does not. */
	asm volatile("" : "+r"(bin), "+r"(port));
	bin &= KL_HIST_LENS - 1;
	h->len[bin].pkts++;
	h->len[bin].bytes += len;
	if (!port || port >= KL_HIST_PORTS)
		return 0;
	asm volatile("%0 &= 1023" : "+r"(port));
	h->port[port].pkts++;
	h->port[port].bytes += len;
	h->port[port].drops += dropped;
	return 0;
}

#endif
