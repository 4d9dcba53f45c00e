/* SPDX-License-Identifier: BSD-2-Clause */
/* Captured packets of other link types, as the Ethernet frames they would have been. */
#ifndef KL_ETHER_H
#define KL_ETHER_H

#include <stddef.h>
#include <stdint.h>

#define ETHER_HEAD 14

struct ether_link;

/* What is known of a link type, by its number in libpcap; NULL: it is none of Ethernet,
 * raw IP, Linux cooked capture (both versions) and the loopback types of the BSDs. Static. */
const struct ether_link *ether_link(int dlt);

/* Bytes in front of the packet there, where Ethernet has ETHER_HEAD. */
size_t ether_head(const struct ether_link *l);

/* The n bytes at p, as Ethernet: p itself, or buf, which has room for ETHER_HEAD bytes more and
 * holds a header without addresses, then the packet. *n becomes the length. */
const uint8_t *ether_frame(const struct ether_link *l, const uint8_t *p, size_t *n, uint8_t *buf);

#endif
