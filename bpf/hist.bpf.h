/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Histograms: lengths of all frames, well-known destination ports. */
#ifndef KL_HIST_BPF_H
#define KL_HIST_BPF_H

#include "maps.bpf.h"

static __always_inline void count_hist(const struct pkt *k, __u32 v)
{
	__u32 zero = 0, len = k->len, port = k->dport, bin = 0;
	struct kl_hist *h = bpf_map_lookup_elem(&hist, &zero);
	int i;

	if (!h)
		return;
#pragma unroll
	for (i = 0; i < KL_HIST_LENS - 1; i++)
		bin += len >= 64u << i;
	asm volatile("" : "+r"(bin), "+r"(port));
	bin &= 15;
	if (bin < KL_HIST_LENS) {
		h->len[bin].pkts++;
		h->len[bin].bytes += len;
	}
	if (port && port < KL_HIST_PORTS) {
		h->port[port].pkts++;
		h->port[port].bytes += len;
		h->port[port].drops += v != KL_PASS;
	}
}

#endif
