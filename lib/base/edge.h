/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edges as text. People write the two cells behind a source as PORT/PROTO; in
 * streams they are a column each. PROTO is a name (tcp udp icmp sctp gre ...)
 * or a number; icmp is ICMP beside an IPv4 address and ICMPv6 beside an IPv6 one.
 */
#ifndef KL_EDGE_H
#define KL_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

#define EDGE_TEXT 48		/* room for the longest text of either form */

static inline bool proto_has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

/* Exactly the n bytes at s as a protocol of packets from src, in either form. 0, or -1. */
int proto_get(const char *s, size_t n, const struct prefix *src, uint8_t *proto);
/* As streams have it: tcp udp icmp or a number. Writes at p without NUL, returns the end. */
char *proto_put(char *p, const struct prefix *src, uint8_t proto);

/* Exactly the n bytes at s as the source of an edge: one address. NULL, or what is wrong with it, static. */
const char *edge_src_get(const char *s, size_t n, struct prefix *src);
/* Exactly the n bytes at s as PORT/PROTO. The same returns. The port is 0 where the protocol
 * has none, and never where it has. */
const char *edge_get(const char *s, size_t n, const struct prefix *src, uint16_t *port, uint8_t *proto);
/* As people write it. Writes at p without NUL, returns the end. */
char *edge_put(char *p, const struct prefix *src, uint16_t port, uint8_t proto);
/* "SRC PORT/PROTO" with NUL in a static buffer, for messages only. */
const char *edge_str(const struct prefix *src, uint16_t port, uint8_t proto);

#endif
