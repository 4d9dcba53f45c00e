/* SPDX-License-Identifier: BSD-2-Clause */
/* One rule of any table, in the form all commands use. */
#ifndef KL_RULE_H
#define KL_RULE_H

#include <stdint.h>

#include "addr.h"

struct rule {
	struct prefix x;
	uint8_t proto;		/* of edges; port: of this host, 0 for protocols without */
	uint16_t port;
	uint64_t rate, burst;	/* of limits; else 0 */
	uint64_t until;		/* boot time ns, 0 for ever */
	uint32_t owner;		/* enum kl_owner */
};

#endif
