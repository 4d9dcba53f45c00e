/* SPDX-License-Identifier: BSD-2-Clause */
/* What went over one edge in one tick. */
#ifndef KL_FLOW_H
#define KL_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct flow {
	struct prefix src;	/* the other side, an address */
	bool out;
	uint8_t proto;
	uint16_t port;		/* destination; 0: none, or unknown */
	bool soft;		/* not read: may be a client's port, see flows_settle() */
	uint64_t pkts, bytes, syn, drops, est;	/* est: as schemas/flow.tsv has it; 0 when unknown */
};

#endif
