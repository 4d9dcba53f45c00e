/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports as options give them: a range, and a list of services. */
#ifndef KL_PORTS_H
#define KL_PORTS_H

#include <stddef.h>
#include <stdint.h>

struct service {
	uint16_t port;
	uint8_t proto;
};

struct ports {
	uint16_t lo, hi;	/* the ephemeral ones of this host, as in ip_local_port_range */
	struct service *service;	/* of these a port never is a client's; free() it */
	size_t services;
};

/* Fills p from "LO-HI", 1 to 65535, and from "PORT/PROTO,..." or NULL. NULL, or the text that is neither. */
const char *ports_get(struct ports *p, const char *range, const char *services);

/* The same of --ephemeral and --service; ends the command when one is bad. */
void ports_need(struct ports *p, const char *range, const char *services);

#endif
