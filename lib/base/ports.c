/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports as options give them. */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "edge.h"
#include "num.h"
#include "ports.h"

const char *ports_get(struct ports *p, const char *range, const char *services)
{
	static const struct prefix any;		/* the protocols with ports are the same for both families */
	size_t n = strcspn(range, "-");
	uint32_t lo, hi;

	*p = (struct ports){ 0 };
	if (!range[n] || get_u32(range, n, &lo) || get_u32(range + n + 1, strlen(range + n + 1), &hi))
		return range;
	if (!lo || lo > hi || hi > UINT16_MAX)
		return range;
	p->lo = (uint16_t)lo;
	p->hi = (uint16_t)hi;
	for (const char *s = services; s; s = s[n] ? s + n + 1 : NULL) {
		struct service *more = reallocarray(p->service, p->services + 1, sizeof(*more));

		if (!more)
			die(KL_SYSTEM, "out of memory");
		p->service = more;
		more += p->services;
		n = strcspn(s, ",");
		if (edge_get(s, n, &any, &more->port, &more->proto) || !proto_has_ports(more->proto))
			return s;
		p->services++;
	}
	return NULL;
}

void ports_need(struct ports *p, const char *range, const char *services)
{
	const char *bad = ports_get(p, range, services);

	if (bad == range)
		die(KL_USAGE, "bad value '%s' for --ephemeral: ports LO-HI, 1 to 65535", bad);
	if (bad)
		die(KL_USAGE, "bad value '%s' for --service: PORT/PROTO, with tcp, udp or sctp", bad);
}
