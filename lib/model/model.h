/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference: what the packet path must do, in plain and slow C. Linear
 * searches over small arrays, time in nanoseconds, no cache of any kind. It
 * shares with the packet path the layout of the counters it is compared by, nothing else.
 */
#ifndef KL_MODEL_H
#define KL_MODEL_H

#include "../../bpf/kl_abi.h"
#include "../base/rule.h"
#include "../kern/map.h"
#include "surge.h"
#include "wire.h"

#define MODEL_STEPS 512		/* frames before it must be cleared: no table below overflows */
#define MODEL_RULES 48		/* of each table */

enum edge_mode { EDGE_OFF, EDGE_DENY, EDGE_ALLOW };
struct policy {		/* what a trial takes back */
	bool enforce_allow, src6_64;
	enum edge_mode edge;
	uint64_t rate, burst;	/* the default limit; rate 0: none */
};

struct world {
	struct policy set, before;
	uint64_t trial;		/* when the trial ends, boot time ns; 0: none */
	uint64_t dead;		/* when the dead-man switch falls; 0: never */
	enum kl_dead dead_mode;
	bool surges;		/* there may be surges, and are no limits */
	uint64_t surge;		/* when the surge ends; 0: there is none */
	uint64_t surge_since;	/* it begins with the first frame in it; 0: not yet */
	bool surge_free;	/* its budget is never used up; else there is none */
	bool flows, hist;
	bool full;		/* no table has room for one more record */
	bool spent;		/* the budget of essential packets is used up */
	uint64_t jiffy;		/* ns; a limit lets as much pass at once */
	struct rule rules[KL_TABLES][MODEL_RULES];
	size_t n[KL_TABLES];
};

struct model_src {
	uint8_t a[16];
	uint64_t tat;		/* when the next packet of a limited source is due */
	uint64_t seen;		/* its first packet */
	bool suspect, came, known;	/* by surges */
	uint64_t pkts, bytes, denied, denied_bytes;
	uint32_t syn, udp, answers, rst, odd, icmp, other, drop_rl, drop_allow;
};
struct model_flow {
	uint8_t a[16];
	bool out;
	uint8_t proto;
	uint16_t port;
	uint64_t tat, pkts, bytes;
	uint32_t syn, drops, est;
};
struct model_talk {		/* a conversation of this host, or fragments under way */
	uint8_t here[16], there[16];
	bool frags, closing;
	uint8_t proto;
	uint16_t lport, rport;	/* of echo: the identifier in lport */
	uint32_t id;
	uint64_t until;
};

struct model_shake {		/* this host answered a SYN, and the other side did not confirm it yet */
	uint8_t there[16];
	uint16_t lport, rport;
	uint32_t seq;
};

struct model {
	struct world w;
	uint64_t now;		/* boot time ns */
	struct kl_totals t;	/* judged, events and what is lost for want of room stay 0 */
	struct kl_hist h;
	struct model_src src[MODEL_STEPS];
	struct model_flow flow[MODEL_STEPS];
	struct model_talk talk[2 * MODEL_STEPS];
	struct model_shake shake[MODEL_STEPS];
	struct knock knock[MODEL_STEPS];
	struct { const struct model_src *src; uint16_t port; } port[MODEL_STEPS];
	size_t srcs, flows, talks, shakes, ports, knocks;
};

/* Forgets everything; world and time are the caller's to set. */
void model_clear(struct model *m);

enum model_why { WHY_PASS, WHY_ALLOW, WHY_DENY, WHY_LIMIT, WHY_SURGE, WHY_EDGE, WHY_MALFORMED, WHY_OTHER };
extern const char *const model_whys[];
/* A frame that arrives: its verdict, with what it counts and teaches. */
enum model_why model_in(struct model *m, const uint8_t *frame, size_t n);
/* A frame this host sends, as `pkts` packets (segmentation offload). */
void model_out(struct model *m, const uint8_t *frame, size_t n, unsigned pkts);

#endif
