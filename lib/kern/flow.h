/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow tables as rows: records read from the mapped arrays without a system
 * call, and what changed since an earlier reading. */
#ifndef KL_FLOW_H
#define KL_FLOW_H

#include "map.h"

/* A record as it stands. Counters count from when it was made; they wrap: packets
 * at 2^43, bytes at 2^51, the others at 2^32. All zero: none. */
struct flow_raw {
	struct prefix x;	/* the other side, the whole address */
	uint32_t id;		/* direction, protocol, port: as in struct kl_flow */
	uint32_t seen_j;	/* when it was made: tells it from another record of the same flow */
	uint32_t syn, drops, est;
	uint32_t carry;		/* this and pb as in the record: unchanged when nothing arrived */
	uint64_t pb;
	uint64_t pkts, bytes;	/* dropped ones included */
};

static inline bool flow_out(uint32_t id)
{
	return id & KL_FLOW_OUT;
}

static inline uint8_t flow_proto(uint32_t id)
{
	return (uint8_t)(id >> 16);
}

static inline uint16_t flow_port(uint32_t id)
{
	return (uint16_t)id;
}

/* What was counted between two readings. */
struct flow_delta {
	uint64_t pkts, bytes, syn, drops, est;
};

/* now less prev; prev another record: all of now. */
void flow_diff(const struct flow_raw *now, const struct flow_raw *prev, struct flow_delta *d);
/* Adds d to sum. */
void flow_add(struct flow_delta *sum, const struct flow_delta *d);

/* One family's flow table, mapped read-only. n: records. */
struct kern_flow {
	const uint64_t *tags;
	const struct kl_flow *hot;	/* record w of set s: [s * KL_WAYS + w] */
	uint32_t sets;
};
int kern_flow(struct kern *k, int family, struct kern_flow *out);

struct flow_walk {
	struct kern_flow t[2];	/* IPv4, IPv6 */
	uint32_t set;
	int family, way;
};

/* Maps both tables. 0 or -errno. */
int flow_open(struct flow_walk *w, struct kern *k);
/* Starts over. */
void flow_rewind(struct flow_walk *w);
/* Records both tables hold together: for arrays of one element a record. */
size_t flow_slots(const struct flow_walk *w);
/* The next record in *out and its number in *slot. prev is an array by slot: records
 * without a packet since then are passed over. */
bool flow_next(struct flow_walk *w, const struct flow_raw *prev, struct flow_raw *out, size_t *slot);

#endif
