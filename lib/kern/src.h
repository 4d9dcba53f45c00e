/* SPDX-License-Identifier: BSD-2-Clause */
/* The counting table as rows: records read from the mapped arrays without a
 * system call, and what changed since an earlier reading. */
#ifndef KL_SRC_H
#define KL_SRC_H

#include "map.h"

/* A record as it stands. Counters count from when it was made; they wrap: packets at
 * 2^43, bytes at 2^51, the others at 2^32. */
struct src_raw {
	struct prefix x;
	uint32_t seen_j;	/* when it was made: tells it from another record of the same source */
	uint32_t ports;		/* distinct destination ports of this tick */
	uint32_t syn, udp, icmp, other, odd, rst, answers;
	uint32_t drop_allow, drop_deny, drop_rl;
	uint32_t made, untracked, drop_surge;	/* of the totals: see kl_totals; else 0 */
	uint64_t pkts, bytes;	/* denied ones included */
	uint64_t pb, denied;	/* as in the record: unchanged when nothing arrived */
};

/* What was counted between two readings. */
struct src_delta {
	uint64_t pkts, bytes, tcp, udp, icmp, syn, ack, rst;
	uint64_t drop_allow, drop_deny, drop_rl, answers;
	uint64_t fresh;		/* of a record: 1 when it is new; of the totals: see schemas/src.tsv */
};

/* A word of packets << 36 | bytes and what was carried out of it. */
struct pb {
	uint64_t word, pkts, bytes;
};
#define PB_PKTS_MASK  ((1ull << 43) - 1)	/* both wrap */
#define PB_BYTES_MASK ((1ull << 51) - 1)
/* Both of one moment, though the packet path carries meanwhile. */
struct pb pb_read(const volatile __u64 *word, const volatile __u32 *carry);

/* now less prev; prev NULL, or another record: all of now. */
void src_diff(const struct src_raw *now, const struct src_raw *prev, struct src_delta *d);
/* The same of the totals; prev is never NULL. */
void src_diff_totals(const struct src_raw *now, const struct src_raw *prev, struct src_delta *d);
/* The totals, as a record of the source ::/0. */
void src_of_totals(const struct kern_totals *t, struct src_raw *out);

/* One family's counting table, mapped read-only. n: records. */
struct kern_src {
	const uint64_t *tags;
	const struct kl_src *hot;	/* record w of set s: [s * KL_WAYS + w] */
	const struct kl_cold *cold;
	const struct kl_ports *ports;
	uint32_t sets;
};
int kern_src(struct kern *k, int family /* 4 or 6 */, struct kern_src *out);

struct src_walk {
	struct kern_src t[2];
	uint32_t epoch;
	uint8_t len6;		/* 64 or 128 */
	uint32_t set;
	int family, way;	/* 0: IPv4, 1: IPv6 */
};

/* Maps both tables. 0 or -errno. */
int src_open(struct src_walk *w, struct kern *k);
/* Starts over, for the tick under way. */
void src_rewind(struct src_walk *w, struct kern *k);
/* Records both tables hold together: for arrays of one element a record. */
size_t src_slots(const struct src_walk *w);
/* The next record in *out and its number in *slot. prev, when not NULL, is an
 * array by slot: records without a packet since then are passed over. */
bool src_next(struct src_walk *w, const struct src_raw *prev, struct src_raw *out, size_t *slot);
/* Begins a new tick of the port sketches, unless another reader did less than
 * half of dt_ns ago. */
void src_tick(struct kern *k, uint64_t dt_ns);

#endif
