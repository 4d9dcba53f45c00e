/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets counted one by one into sources, their distinct ports and their
 * flows: exactly, with a few dozen bytes for each of them. Pure.
 */
#ifndef KL_TALLY_H
#define KL_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/addr.h"
#include "../base/table.h"

struct tally_packet {
	struct prefix src;	/* whom it is counted for */
	uint32_t len;		/* bytes of the frame */
	uint16_t port;		/* destination, host order; when ported, else 0 */
	bool ported;		/* has ports, and they are known */
	bool out;		/* direction, of its flow */
	bool answer;		/* by its ports it answers who receives it */
	uint8_t proto;		/* IP protocol number */
	uint8_t flags;		/* of TCP, as in its header; 0 when unknown */
};

struct tally_count {
	uint64_t pkts, bytes, tcp, udp, icmp, syn, ack, rst, answers, fresh;
};

struct tally_src {
	struct prefix x;
	bool ported;		/* a packet had a port */
	uint16_t port;		/* the first one, then */
	uint32_t ports;		/* distinct ones */
	struct tally_count n;
};

struct tally_flow {
	struct prefix key;	/* what tally.c makes of the four below */
	bool out;
	uint8_t proto;
	uint16_t port;
	uint32_t src;		/* index in tally.srcs */
	uint64_t pkts, bytes, syn;
};

struct tally {
	bool by_flow;		/* flows are counted; else the distinct ports of sources */
	struct tally_count all;
	struct table srcs;	/* struct tally_src, in the order they came */
	struct table flows;	/* struct tally_flow, in the order they came */
	struct table seen;	/* ports of sources, their first one excepted */
	struct table known;	/* struct prefix: every source so far; of no use to flows */
};

void tally_init(struct tally *t, bool by_flow);
void tally_free(struct tally *t);
void tally_clear(struct tally *t);	/* counts from 0; keeps the memory, and whom it knows */

void tally_add(struct tally *t, const struct tally_packet *p);

#endif
