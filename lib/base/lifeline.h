/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the caller of a command cannot do without, in the network namespace it is called in. */
#ifndef KL_LIFELINE_H
#define KL_LIFELINE_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

#define LIFELINES 64

struct lifeline {
	const char *what;	/* "the SSH peer", "the default gateway", "the resolver" */
	struct prefix x;	/* one address */
	uint16_t port;		/* of this host, at which it is served by TCP; 0: it serves this host */
};

/*
 * The peer of the SSH session this process runs in, as SSH_CONNECTION says or, where sudo hid that,
 * the nearest ancestor's; the default gateways of both families; the resolvers of /etc/resolv.conf and
 * of systemd-resolved. This host's own addresses are left out, and an address of which more than one
 * is true is told once, as the first of them. Returns how many were put into l. Ends the command,
 * status 4, when what says so is there and cannot be read or understood.
 */
size_t lifelines(struct lifeline l[LIFELINES]);

#endif
