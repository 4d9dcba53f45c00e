/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What crosses between the kernel programs and user space: the key and the
 * value of every pinned map. Included by both sides, compiled by both
 * compilers; every size and offset is asserted here and nowhere else.
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d, except in
 * the keys of maps whose name says 4. Times are nanoseconds of CLOCK_BOOTTIME
 * (0: no expiry), or jiffies where a name ends in _j.
 */
#ifndef KL_ABI_H
#define KL_ABI_H

#include <linux/types.h>

#define KL_ABI_MAGIC   0x4b4c5348u	/* "KLSH" */
#define KL_ABI_VERSION 3u

/* kl_cfg.features */
#define KL_F_ENFORCE_ALLOW (1u << 0)	/* a source outside allow is dropped */
#define KL_F_ALLOW         (1u << 1)	/* the allow tables are not empty */
#define KL_F_DENY          (1u << 2)	/* the deny hashes are not empty */
#define KL_F_DENY_LPM      (1u << 3)	/* the deny prefix tables are not empty */
#define KL_F_LIMIT         (1u << 4)	/* the limit hashes are not empty */
#define KL_F_LIMIT_LPM     (1u << 5)	/* the limit prefix tables are not empty */
#define KL_F_DEFAULT_LIMIT (1u << 6)	/* kl_rl_cfg holds a limit */
#define KL_F_SRC6_64       (1u << 7)	/* IPv6 sources are kept per /64 */
#define KL_F_SRC6_FINE     (1u << 8)	/* some IPv6 rule is longer than /64 */
#define KL_F_FLOWS         (1u << 9)	/* flows are counted */
#define KL_F_EDGE_DENY     (1u << 10)	/* edge-mode deny: denied edges are dropped */
#define KL_F_EDGE_ALLOW    (1u << 11)	/* edge-mode allow: all but allowed edges and replies are */
#define KL_F_HIST          (1u << 12)	/* histograms are counted */
#define KL_F_TIMED         (1u << 13)	/* a trial, the dead-man switch or a surge: see in_force() */
#define KL_F_SURGE         (1u << 14)	/* sources without a history are tested, until surge_ns */

/* Any of these: a source has a judgement to look up. */
#define KL_F_JUDGE (KL_F_ENFORCE_ALLOW | KL_F_ALLOW | KL_F_DENY | \
		    KL_F_DENY_LPM | KL_F_LIMIT | KL_F_LIMIT_LPM)
/* What a trial takes back, and what hangs on edges. */
#define KL_F_TRIED (KL_F_ENFORCE_ALLOW | KL_F_DEFAULT_LIMIT | KL_F_SRC6_64 | \
		    KL_F_EDGE_DENY | KL_F_EDGE_ALLOW)
#define KL_F_EDGE  (KL_F_EDGE_DENY | KL_F_EDGE_ALLOW)

/* Who made an entry, and so who may remove it. */
enum kl_owner { KL_OPERATOR = 1, KL_IQ = 2, KL_GRAPH = 3 };

/* kl_src.pol: generation << 8 | what the tables say of this source */
#define KL_POL_ALLOW 1u		/* in the allow table: passes, whatever else */
#define KL_POL_DENY  2u		/* in a deny table */
#define KL_POL_LIMIT 4u		/* has a limit of its own, in kl_cold */
/* Beside them, kept at every judgement: what surges found out about the source. */
#define KL_POL_SUSPECT 0x10u	/* dropped in one: how old its record is proves nothing */
#define KL_POL_CAME    0x20u	/* a packet of it passed its test */
#define KL_POL_KNOWN   0x80u	/* it has a history: passes */
#define KL_POL_SURGE   0xb0u

/* kl_flow.pol, likewise, of the edge tables and kl_edge_cfg.gen */
#define KL_EPOL_ALLOW 1u
#define KL_EPOL_DENY  2u
#define KL_EPOL_LIMIT 4u	/* in kl_flow_cold */

#define KL_GENS   4096u		/* generation cells, a power of two */
#define KL_WAYS   8u		/* records a set */
#define KL_SHARED 4096u		/* buckets for packets whose source has no record */

/*
 * kernloom_cfg, one value. User space writes it; the packet path reads it.
 * A writer of rules adds 1 to gen[cell of the address], or to gen_all when a
 * prefix changed, AFTER the table was written: a record whose generation
 * (gen_all + gen[cell]) is an older one is judged again at its next packet.
 */
struct kl_cfg {
	__u32 magic, abi;
	__u32 features;		/* KL_F_* */
	__u32 hz;		/* jiffies a second, 100..1000 */
	__u64 seed[3];		/* factors of the tables' hash: odd, random a load */
	__u32 sets;		/* sets of each family's table, >= 2 */
	__u32 epoch;		/* tick of the port sketch, written by kl-dump-src */
	__u64 epoch_ns;		/* when it was last advanced, CLOCK_BOOTTIME */
	__u32 sample;		/* events: one drop in N, 0 none */
	__u32 gen_all;
	__u64 reader_ns;	/* lease of the one reader of the events: when it last looked, 0: none */
	__u32 flow_sets;	/* sets of each family's flow table, >= 2 */
	__u32 before;		/* KL_F_TRIED bits as they were before the trial */
	__u64 trial_ns;		/* when it ends unless confirmed, CLOCK_BOOTTIME; 0: none */
	__u64 beat_ns;		/* when kl-apply last was there */
	__u64 dead_ns;		/* for how long it may stay away; 0: for ever */
	__u32 dead_mode;	/* enum kl_dead: what happens then */
	__u32 lapsed;		/* the latest trial ran out, and user space took note */
	__u64 born_ns;		/* when the counters began, CLOCK_BOOTTIME; 0: an older kl-attach made them */
	__u64 surge_ns;		/* when the surge ends unless it is prolonged, CLOCK_BOOTTIME; 0: none */
	__u32 surge_ivl;	/* pace at which packets pass untested, of kl_gcra(), by class; 0: none */
	__u32 surge_j;		/* written by the packet path: younger records are no history (low 32 bits) */
	__u32 zero[14];
	__u32 gen[KL_GENS];
	/* Written by the packet path, a line of its own. */
	__u32 fallen;		/* KL_FELL_*, KL_SURGES */
	__u32 looked_j;		/* at which jiffy it was found out */
	__u64 falls;		/* how often the dead-man switch fell */
};
enum kl_dead { KL_KEEP, KL_LIMITS, KL_PASS_ALL };
#define KL_FELL_TRIAL 1u	/* nobody confirmed: what was before is in force */
#define KL_FELL_DEAD  2u	/* no kl-apply for dead_ns: dead_mode is in force */
#define KL_SURGES     4u	/* the surge is not over */

/* kernloom_rl_cfg, one value: the default limit, and the one before the trial. rate 0: none. */
struct kl_rl {
	__u64 rate;		/* packets a second */
	__u64 burst;		/* packets */
	__u32 ivl, tol;		/* of kl_gcra() */
};
struct kl_rl_cfg {
	struct kl_rl now, before;
};

/* kernloom_edge4_cfg and its twin, one value. gen: added to after an edge changed; a flow judged
 * under another one is judged again. */
struct kl_edge_cfg {
	__u32 gen;
	__u32 has;		/* KL_EPOL_*: which tables are not empty */
};

/* Values of allow (both families, LPM) and deny (hash and LPM). */
struct kl_rule {
	__u64 until;		/* boot time ns, 0: for ever */
	__u32 owner;		/* enum kl_owner */
	__u32 plen;		/* its own prefix length in its family, 0..32|128 */
};

/* Values of kernloom_rl_policy4/6 (hash) and their _lpm twins. */
struct kl_limit {
	__u64 rate;		/* packets a second, >= 1 */
	__u64 burst;		/* packets, >= 1 */
	__u64 until;
	__u32 owner;
	__u32 plen;
};

struct kl_lpm4 { __u32 plen; __u8 a[4]; };
struct kl_lpm6 { __u32 plen; __u8 a[16]; };

/* Keys of kernloom_edge4_allow, _deny (values: kl_rule) and _rl_policy (kl_limit) and their twins: who, to
 * which port of this host. Port in host order, 0 for protocols without. */
struct kl_edge4 { __u8 a[4]; __u16 port; __u8 proto, zero; };
struct kl_edge6 { __u8 a[16]; __u16 port; __u8 proto, zero; };

/*
 * The counting table, one for each family. A set is one tag word
 * (kernloom_src4_stats_tags) and eight records; element s of each array below
 * is set s. Byte w of the word is 0 (record w is empty), 0x80 (being filled)
 * or a 7-bit tag, with bit 7 set once its source was seen twice.
 */
struct kl_src {			/* kernloom_src4_stats: one cache line a source */
	__u64 key[2];		/* address, network order, v4-mapped */
	__u64 tat;		/* GCRA: theoretical arrival time, jiffies << 20 */
	__u64 pb;		/* packets << 36 | bytes of frames: one atomic for both */
	__u64 denied;		/* the same of denied packets, which are not in pb */
	__u32 syn;		/* SYN without ACK. Counters wrap; readers take differences */
	__u32 udp;
	__u32 drop_rl;
	__u32 until_j;		/* judge again at this jiffy (low 32 bits) */
	__u32 pol;
	__u16 port;		/* the first destination port of this tick */
	__u16 epoch;		/* its tick << 1 | more than one port was seen */
};
struct kl_cold {		/* kernloom_src4_stats_cold */
	__u32 odd;		/* TCP without ACK that is not a SYN, or whose flags are unknown */
	__u32 rst;
	__u32 icmp;		/* ICMP or ICMPv6 */
	__u32 other;		/* neither TCP, UDP nor ICMP */
	__u32 drop_allow;
	__u32 carry;		/* out of pb: times 2^27 packets << 16 | times 2^35 bytes */
	__u32 carry_denied;	/* out of denied */
	__u32 seen_j;		/* jiffy of the first packet: tells two records of one source apart */
	__u32 ivl, tol;		/* its own limit: jiffies << 20 a packet; tolerance, jiffies << 8 */
	__u32 answers;		/* UDP packets that answer this host, by their ports: is_answer() */
};
#define KL_PB_SHIFT 36
#define KL_PB_PKTS  (1ull << 63)	/* half of the packets' field is used: carry it */
#define KL_PB_BYTES (1ull << 35)	/* half of the bytes' */
/* Distinct ports of a tick: linear counting at three resolutions. A port's hash
 * sets one of the first PORTS_FINE bits; of one port in 8 also one of the next
 * PORTS_MID, of one in 128 one of the last PORTS_COARSE. The first packet of a
 * tick to a second port clears them all. */
#define KL_PORTS_FINE   256u
#define KL_PORTS_MID    128u
#define KL_PORTS_COARSE 128u
struct kl_ports { __u64 w[8]; };	/* kernloom_src4_stats_ports */

/*
 * The flow table, sets and tags like those of the sources: an edge's counters
 * and its cached judgement. Addresses are whole here, whatever sources are kept under.
 */
struct kl_flow {		/* kernloom_flow4_stats */
	__u64 key[2];		/* the other side's address, network order, v4-mapped */
	__u64 pb;		/* packets << 36 | bytes */
	__u32 id;		/* direction (KL_FLOW_OUT) | protocol << 16 | destination port */
	__u32 carry;		/* out of pb, as in kl_cold */
	__u32 syn, drops;
	__u32 pol, until_j;
	__u32 seen_j;		/* jiffy of the first packet */
	__u32 est;		/* handshakes completed. Was 0 before it was counted: the ABI is the same */
	__u32 zero[2];
};
struct kl_flow_cold {		/* kernloom_flow4_stats_cold: the limit of an edge */
	__u64 tat;
	__u32 ivl, tol;
};
#define KL_FLOW_OUT  (1u << 24)	/* id: this host sent it */

/*
 * kernloom_conns: what this host sent lately, so that replies pass in edge-mode
 * allow, and first fragments that passed, so that the others may. Element s is
 * set s. A fingerprint stands for (kind, both addresses, ports, protocol).
 */
struct kl_conn {
	__u64 print;		/* 0: free */
	__u32 until;		/* jiffies >> 8 */
	__u32 closing;		/* this host sent a FIN or RST */
};
#define KL_CONN_SETS 32768u	/* of KL_WAYS each */

/* kernloom_totals: one value a CPU. Readers add the CPUs. IP packets are counted once, by class:
 * class = IPv6 << 5 | l4 << 3 | SYN << 2 | RST << 1 | ACK, flags of TCP only. */
enum { KL_L4_OTHER, KL_L4_TCP, KL_L4_UDP, KL_L4_ICMP };
enum kl_verdict { KL_PASS, KL_DROP_ALLOW, KL_DROP_DENY, KL_DROP_RL, KL_VERDICTS };
#define KL_CLASSES 64
struct kl_count {
	__u64 bytes;
	__u64 verdict[KL_VERDICTS];
	__u64 class[KL_CLASSES];
};
struct kl_totals {
	struct kl_count all;	/* every IP packet */
	struct kl_count un;	/* of them, those whose source got no record */
	__u64 other, other_bytes;	/* frames that are not IP */
	__u64 malformed;	/* an IP EtherType without a valid IP header, or over four VLAN tags */
	__u64 drop_malformed;	/* those, while enforce-allow was on */
	__u64 frags4, frags6;
	__u64 essential;	/* neighbour discovery, listener queries, DHCP replies: passed unjudged */
	__u64 allow_hits, rl_hits;
	__u64 port_changes;	/* packets to a port new to their source in this tick, but its first */
	__u64 new_sources, evicted;
	__u64 judged;		/* table look-ups made for a record */
	__u64 events, events_lost;	/* told; not told because the ring was full */
	__u64 drop_edge;	/* of the denied packets, those an edge rule or edge-mode allow stopped */
	__u64 drop_frag;	/* of those, later fragments whose first one did not pass, or is unknown */
	__u64 drop_other;	/* frames neither IP nor of the link's own protocols, in edge-mode allow */
	__u64 replies;		/* packets that passed as replies */
	__u64 flows, flows_evicted, flows_lost;	/* records made, given away; packets that got none */
	__u64 conns, conns_lost;	/* remembered; forgotten before their time, for want of room */
	__u64 fallen;		/* packets while a trial had run out or the dead-man switch had fallen */
	__u64 own[14];		/* the packet path's: the packet under way. Readers pass it over */
	__u64 drop_surge;	/* of those above a limit, packets of sources a surge had not let in */
	__u64 surge_came;	/* packets that let their source in */
};

/* kernloom_hist, one value a CPU. Lengths of frames by powers of two: bin i holds those below 64 << i,
 * the last one the rest; ports 1..1023 of TCP, UDP and SCTP, destination. */
#define KL_HIST_LENS  16
#define KL_HIST_PORTS 1024
struct kl_hist {
	struct { __u64 pkts, bytes; } len[KL_HIST_LENS];
	struct { __u64 pkts, bytes, drops; } port[KL_HIST_PORTS];	/* both numbers are powers of two */
};

/* kernloom_events: one dropped packet of an IPv4 or IPv6 source. */
struct kl_event {
	__u64 time;		/* CLOCK_BOOTTIME */
	__u64 src[2];		/* the whole address, network order, v4-mapped */
	__u32 len;		/* of the frame */
	__u32 aux;		/* dropped packets it stands for: kl_cfg.sample */
	__u16 port;		/* destination, host order; 0: none, or not in this fragment */
	__u8 proto;
	__u8 reason;		/* enum kl_verdict, or one of: */
	__u32 zero;
};

#define KL_EVENT_EDGE 16	/* reason: an edge rule, or edge-mode allow */
#define KL_EVENT_SCAN 17	/* no drop: a source came to some 32 ports in one tick */

/* The cell of kl_cfg.gen that speaks for an address. hi is the address's
 * first 8 bytes as loaded, lo the last 8; of IPv6 only the /64 counts, so that
 * every address under one record shares its cell. */
static inline __attribute__((always_inline)) __u32 kl_gen_cell(__u64 hi, __u64 lo)
{
	__u64 x = hi ? hi : lo;

	return (__u32)((x * 0x9E3779B97F4A7C15ull) >> 52) & (KL_GENS - 1);
}

/*
 * A limit in the packet path's terms (GCRA, ITU-T I.371): *ivl is the time of
 * one packet in jiffies << 20, *tol how far ahead of its time a packet may
 * come, in jiffies << 8. The clock moves in whole jiffies, so at least one
 * jiffy's worth passes at once: else no rate above burst * hz could be had.
 */
static inline __attribute__((always_inline)) void kl_gcra(__u32 hz, __u64 rate, __u64 burst,
							  __u32 *ivl, __u32 *tol)
{
	__u64 i = rate ? ((__u64)hz << 20) / rate : 0, t;

	if (!i)
		i = 1;
	if (burst > 0xffffffffull)
		burst = 0xffffffffull;
	t = ((burst ? burst - 1 : 0) * i + 4095) >> 12;	/* up: all of burst passes at once */
	if (t < 256)
		t = 256;
	*ivl = (__u32)i;
	*tol = t > 0xffffffffull ? 0xffffffffu : (__u32)t;
}

#define KL_SIZE(t, n) _Static_assert(sizeof(struct t) == (n), #t)
#define KL_AT(t, m, n) _Static_assert(__builtin_offsetof(struct t, m) == (n), #t "." #m)
KL_SIZE(kl_cfg, 192 + 4 * KL_GENS + 16);
KL_AT(kl_cfg, seed, 16);
KL_AT(kl_cfg, epoch, 44);
KL_AT(kl_cfg, gen_all, 60);
KL_AT(kl_cfg, gen, 192);
KL_AT(kl_cfg, fallen, 192 + 4 * KL_GENS);
KL_SIZE(kl_rl_cfg, 48);
KL_SIZE(kl_edge_cfg, 8);
KL_SIZE(kl_rule, 16);
KL_SIZE(kl_limit, 32);
KL_SIZE(kl_lpm4, 8);
KL_SIZE(kl_lpm6, 20);
KL_SIZE(kl_edge4, 8);
KL_SIZE(kl_edge6, 20);
KL_SIZE(kl_src, 64);
KL_AT(kl_src, tat, 16);
KL_AT(kl_src, pb, 24);
KL_AT(kl_src, denied, 32);
KL_AT(kl_src, until_j, 52);
KL_AT(kl_src, epoch, 62);
KL_SIZE(kl_cold, 44);
KL_SIZE(kl_ports, 64);
KL_SIZE(kl_flow, 64);
KL_AT(kl_flow, pb, 16);
KL_AT(kl_flow, id, 24);
KL_SIZE(kl_flow_cold, 16);
KL_SIZE(kl_conn, 16);
KL_SIZE(kl_count, 69 * 8);
KL_SIZE(kl_totals, (2 * 69 + 25 + 16) * 8);
KL_AT(kl_totals, drop_surge, (2 * 69 + 25 + 14) * 8);
KL_AT(kl_cfg, surge_ns, 120);
KL_SIZE(kl_hist, (2 * KL_HIST_LENS + 3 * KL_HIST_PORTS) * 8);
KL_SIZE(kl_event, 40);
KL_AT(kl_event, src, 8);
KL_AT(kl_event, len, 24);
KL_AT(kl_event, port, 32);
KL_AT(kl_event, reason, 35);

#endif
