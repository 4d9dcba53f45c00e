/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* What passes whatever is set, as long as it is little: without it the host is off the network. */
#ifndef KL_ESSENTIAL_BPF_H
#define KL_ESSENTIAL_BPF_H

#include "limit.bpf.h"

#define ESSENTIAL_PPS 1000	/* beyond it such packets are judged like any other */

/* Queries of multicast listeners. A switch that gets no answer to its own stops passing the groups on that
 * neighbours solicit by. Routers pass no link-local source on (RFC 3810, 5.1.14; RFC 4291, 2.5.6). */
static __always_inline bool mld_query(const struct pkt *k)
{
	return k->flags == 130 && k->hops == 1 && NUM64(k->hi) >> 54 == 0xfe80 >> 6;
}

/* Without these the host loses its address or its neighbours: IPv6 neighbour
 * discovery, which only the link itself can send (RFC 4861: hop limit 255),
 * and DHCP replies (RFC 2131, RFC 8415). ARP is not IP and passes anyway. */
static __always_inline bool essential(const struct pkt *k, __u64 now_j)
{
	__u32 ivl, tol;

	if (k->frag)
		return false;
	if (k->family == 6 && k->proto == 58) {
		if (!k->flagged || ((k->flags < 133 || k->flags > 137 || k->hops != 255) && !mld_query(k)))
			return false;
	} else if (k->proto != 17 || !k->ports || k->sport != (k->family == 4 ? 67 : 547) ||
		   k->dport != (k->family == 4 ? 68 : 546)) {
		return false;
	}
	kl_gcra(cfg.hz, ESSENTIAL_PPS, ESSENTIAL_PPS, &ivl, &tol);
	return within(&essential_tat, 0, now_j, ivl, tol);
}

#endif
