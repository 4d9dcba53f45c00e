/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Table of contents of the kernel side's memory. Each map: who writes, who
 * reads, what happens when it is full. The pin's name is in the map's name;
 * lib/kern/pins.h lists both.
 */
#ifndef KL_MAPS_BPF_H
#define KL_MAPS_BPF_H

#include "kl_abi.h"
#include "parse.bpf.h"

#define MAP(name, kind, k, v, max, flags)			\
	struct {						\
		__uint(type, BPF_MAP_TYPE_##kind);		\
		__uint(max_entries, max);			\
		__uint(map_flags, flags);			\
		__type(key, k);					\
		__type(value, v);				\
	} name SEC(".maps")

struct tag_word { __u64 w; };
struct src_set { struct kl_src r[KL_WAYS]; };
struct src_cold_set { struct kl_cold r[KL_WAYS]; };
struct src_port_set { struct kl_ports r[KL_WAYS]; };
struct flow_set { struct kl_flow r[KL_WAYS]; };
struct flow_cold_set { struct kl_flow_cold r[KL_WAYS]; };
struct conn_set { struct kl_conn r[KL_WAYS]; };
struct addr4 { __u8 a[4]; };
struct addr6 { __u8 a[16]; };

/* Configuration: user space writes, the packet path reads. Never full: one value each. */
struct kl_cfg cfg SEC(".data.cfg");
struct kl_rl_cfg rl SEC(".data.rl");
struct kl_edge_cfg edge4 SEC(".data.edge4");
struct kl_edge_cfg edge6 SEC(".data.edge6");

/* Totals and histograms: the packet path writes, kl-dump-total reads. One value a CPU. */
MAP(totals, PERCPU_ARRAY, __u32, struct kl_totals, 1, 0);
MAP(hist, PERCPU_ARRAY, __u32, struct kl_hist, 1, 0);

/* The counting tables: the packet path writes, kl-dump-src reads by mmap. Sized at load. Full: a source
 * seen twice takes the record of one seen once; others are judged and limited without a record, and
 * counted as untracked. */
MAP(src_tags4, ARRAY, __u32, struct tag_word, 2, BPF_F_MMAPABLE);
MAP(src4, ARRAY, __u32, struct src_set, 2, BPF_F_MMAPABLE);
MAP(src_cold4, ARRAY, __u32, struct src_cold_set, 2, BPF_F_MMAPABLE);
MAP(src_ports4, ARRAY, __u32, struct src_port_set, 2, BPF_F_MMAPABLE);
MAP(src_tags6, ARRAY, __u32, struct tag_word, 2, BPF_F_MMAPABLE);
MAP(src6, ARRAY, __u32, struct src_set, 2, BPF_F_MMAPABLE);
MAP(src_cold6, ARRAY, __u32, struct src_cold_set, 2, BPF_F_MMAPABLE);
MAP(src_ports6, ARRAY, __u32, struct src_port_set, 2, BPF_F_MMAPABLE);

/* The flow tables: the packet path writes, kl-dump-flow reads by mmap. Sized at load. Full: as the counting
 * tables; a flow without a record is judged by the edge tables all the same, and counted as lost. */
MAP(flow_tags4, ARRAY, __u32, struct tag_word, 2, BPF_F_MMAPABLE);
MAP(flow4, ARRAY, __u32, struct flow_set, 2, BPF_F_MMAPABLE);
MAP(flow_cold4, ARRAY, __u32, struct flow_cold_set, 2, BPF_F_MMAPABLE);
MAP(flow_tags6, ARRAY, __u32, struct tag_word, 2, BPF_F_MMAPABLE);
MAP(flow6, ARRAY, __u32, struct flow_set, 2, BPF_F_MMAPABLE);
MAP(flow_cold6, ARRAY, __u32, struct flow_cold_set, 2, BPF_F_MMAPABLE);

/* What this host sent: the egress program writes, the packet path reads and writes (fragments). Full: what
 * ended, else what ends first, is forgotten and counted (conns_lost): edge-mode allow drops its replies. */
MAP(conns, ARRAY, __u32, struct conn_set, KL_CONN_SETS, BPF_F_MMAPABLE);

/* The rules: kl-rule and kl-apply write, the packet path reads them for a source's judgement. Full: the
 * insert fails (E2BIG or ENOSPC) and its writer says so; nothing is ever evicted. */
MAP(allow4, LPM_TRIE, struct kl_lpm4, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(allow6, LPM_TRIE, struct kl_lpm6, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(deny4, HASH, struct addr4, struct kl_rule, 1048576, BPF_F_NO_PREALLOC);
MAP(deny6, HASH, struct addr6, struct kl_rule, 1048576, BPF_F_NO_PREALLOC);
MAP(deny4_lpm, LPM_TRIE, struct kl_lpm4, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(deny6_lpm, LPM_TRIE, struct kl_lpm6, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(limit4, HASH, struct addr4, struct kl_limit, 262144, BPF_F_NO_PREALLOC);
MAP(limit6, HASH, struct addr6, struct kl_limit, 262144, BPF_F_NO_PREALLOC);
MAP(limit4_lpm, LPM_TRIE, struct kl_lpm4, struct kl_limit, 65536, BPF_F_NO_PREALLOC);
MAP(limit6_lpm, LPM_TRIE, struct kl_lpm6, struct kl_limit, 65536, BPF_F_NO_PREALLOC);
MAP(edge_allow4, HASH, struct kl_edge4, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(edge_allow6, HASH, struct kl_edge6, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(edge_deny4, HASH, struct kl_edge4, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(edge_deny6, HASH, struct kl_edge6, struct kl_rule, 262144, BPF_F_NO_PREALLOC);
MAP(edge_limit4, HASH, struct kl_edge4, struct kl_limit, 65536, BPF_F_NO_PREALLOC);
MAP(edge_limit6, HASH, struct kl_edge6, struct kl_limit, 65536, BPF_F_NO_PREALLOC);

/* Events: the packet path writes, one kl-events reads. Full: the event is lost and counted (events_lost). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* The packet path's own, not pinned: lost at an upgrade without harm. A new value overwrites an old one: none
 * is ever full. What is in .bss is one value of one map, which before kernel 6.1 ends at 4 MiB (E2BIG). */
#define DOOR_CELLS 1048576u
#define AGE_CELLS  65536u
__u64 shared_tat[KL_SHARED];	/* limiter of packets without a record, by hash of the source */
__u64 essential_tat;		/* budget of neighbour discovery, listener queries and DHCP */
__u16 door[DOOR_CELLS];		/* who knocked at a full set lately: 16 bits of the hash */
__u32 src_aged[AGE_CELLS];	/* when a set's seen-twice bits were cleared, jiffies */
__u32 flow_aged[AGE_CELLS];
#define SHAKE_SETS 16384u
#define SHAKE_WAYS 4
__u64 shakes[SHAKE_SETS * SHAKE_WAYS];	/* answers to SYNs, by set, the oldest last */
__u32 answers;			/* there were some: the egress program is attached */
__u64 surge_tat[4];		/* budgets of packets that pass a surge untested, by KL_L4_* */
#define SURGE_SETS 524288u
struct surge_set { __u32 c[4]; };	/* who came in a surge: tag, passed, when; see surge.bpf.h */
MAP(surge_sets, ARRAY, __u32, struct surge_set, SURGE_SETS, BPF_F_MMAPABLE);

/* What the tables are asked about an address, and their answer. */
struct judged {
	__u64 hi, lo;		/* in */
	__u64 now64;		/* in: jiffies */
	__u32 family, now;	/* in; now: their low half */
	__u32 pol;		/* KL_POL_*, without generation */
	__u32 until_j;
	__u32 ivl, tol;		/* with KL_POL_LIMIT */
};

/* The packet under way, one a CPU, behind the totals: one look-up for both. Not on the stack: what the
 * verifier knows of a stack slot multiplies the paths it walks; of a map's memory it knows nothing. And
 * global functions, which it walks once, may take only numbers before kernel 5.13. */
struct work {
	struct pkt k;
	struct judged j;
};
_Static_assert(sizeof(struct work) <= sizeof(((struct kl_totals *)0)->own), "kl_totals.own is too small");

static __always_inline struct kl_totals *totals_of(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

static __always_inline struct work *work_of(void)
{
	struct kl_totals *t = totals_of();

	return t ? (struct work *)t->own : 0;
}

/* What the flavour for kernels before 5.12 has for compare-and-exchange. Shared by every program of the
 * instance, so that two of them may run side by side while one replaces the other. Never full. */
struct lock { struct bpf_spin_lock l; };
MAP(locks, ARRAY, __u32, struct lock, 4096, 0);

#endif
