/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow rows on their way to edges: whose port is a service's, and whose a
 * client's, which changes with every connection. Pure.
 *
 * A TCP flow with a SYN was opened in this tick, by who sent it: its destination port
 * is a service. Of the others, what comes in to an ephemeral port of this host, what
 * goes out to one of any host, and what goes out to a port from 1024 on of who
 * came in to a service here, may be a reply.
 */
#ifndef KL_FLOWS_H
#define KL_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/flow.h"
#include "../base/ports.h"

/* TCP that is nothing but SYNs: somebody tried, nobody talked. Port scans are that. */
static inline bool flow_is_attempt(const struct flow *f)
{
	return f->proto == 6 && f->syn >= f->pkts;
}

/* Sorts the n flows of one frame by address, protocol, direction and port, adds up those that
 * are of one edge, and sets soft. A port that is unknown though its protocol has ports is soft too. Returns
 * how many are left. */
size_t flows_settle(struct flow *f, size_t n, const struct ports *p);

#endif
