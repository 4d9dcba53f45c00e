/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame as the RFCs tell it: the reference's own reading, sharing nothing with the packet path's parser. */
#ifndef KL_WIRE_H
#define KL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *p;
	size_t n;
};

enum wire_kind { WIRE_OTHER, WIRE_IP, WIRE_BAD };
enum wire_frag { WIRE_WHOLE, WIRE_FIRST, WIRE_LATER };

struct wire {
	enum wire_kind kind;
	uint16_t type;			/* EtherType behind the tags */
	size_t len;			/* of the frame */
	int family;			/* 4 or 6 */
	uint8_t src[16], dst[16];	/* IPv4 as ::ffff:a.b.c.d */
	uint8_t proto;			/* of what follows the last header that could be read */
	uint8_t hops;
	enum wire_frag frag;
	uint32_t id;			/* of the fragments */
	bool has_ports, has_flags, has_type;
	uint16_t sport, dport;
	uint8_t flags;			/* of TCP */
	uint32_t seq, ack;		/* with flags */
	uint8_t icmp;			/* type */
	struct span body;		/* what the IP packet carries, as far as the frame holds it */
};

void wire_read(struct wire *w, const uint8_t *frame, size_t n);
/* Are they protocols with ports, and headers that IPv6 puts before the transport's? */
bool wire_ported(uint8_t proto);
bool wire_extension(uint8_t proto);
unsigned wire_be16(const uint8_t *p);

#endif
