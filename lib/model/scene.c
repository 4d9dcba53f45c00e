/* SPDX-License-Identifier: BSD-2-Clause */
/* One source in each family sends to one host: 203.0.113.7 to 192.0.2.1, 2001:db8::7 to 2001:db8:ffff::1. */
#include <stdio.h>
#include <string.h>

#include "scene.h"

#define MACS	 "020000000001" "020000000002"
#define HERE4	 "c0000201"
#define THERE4	 "cb007107"
#define HERE6	 "20010db8ffff00000000000000000001"
#define THERE6	 "20010db8000000000000000000000007"
#define NEAR6	 "20010db8000000000000000000000008"	/* of the same /64 */
#define TAG	 "8100002a"
#define IP4(total, frag, proto) "08004500" total "0001" frag "40" proto "0000" THERE4 HERE4
#define OUT4(total, proto) "08004500" total "00010000" "40" proto "0000" HERE4 THERE4
#define IP6(len, next) "86dd60000000" len next "40" THERE6 HERE6
#define OUT6(len, next) "86dd60000000" len next "40" HERE6 THERE6
#define TCP(from, to, flags) from to "0000000000000000" "50" flags "00000000" "0000"
#define ACKS(from, to, number, flags) from to "00000000" number "50" flags "00000000" "0000"
#define UDP(from, to) from to "00080000"
#define ECHO(type) type "00" "0000" "00070001"
#define HTTPS	 "01bb"
#define DNS	 "0035"
#define SSH	 "0016"
#define HIGH	 "9c40"	/* 40000 */

static const struct { const char *name, *hex; } frames[] = {
	{ "udp", MACS IP4("001c", "0000", "11") UDP(HIGH, DNS) },
	{ "syn", MACS IP4("0028", "0000", "06") TCP(HIGH, HTTPS, "02") },
	{ "syn-ssh", MACS IP4("0028", "0000", "06") TCP(HIGH, SSH, "02") },
	{ "synack", MACS IP4("0028", "0000", "06") TCP(HTTPS, HIGH, "12") },
	{ "ack-https", MACS IP4("0028", "0000", "06") TCP(HTTPS, HIGH, "10") },
	{ "ack", MACS IP4("0028", "0000", "06") ACKS(HIGH, HTTPS, "00000001", "10") },
	{ "ack-of-more", MACS IP4("0028", "0000", "06") ACKS(HIGH, HTTPS, "00000002", "10") },
	{ "ack-of-less", MACS IP4("0028", "0000", "06") ACKS(HIGH, HTTPS, "00000000", "10") },
	{ "ack-rst", MACS IP4("0028", "0000", "06") ACKS(HIGH, HTTPS, "00000001", "14") },
	{ "ack-syn", MACS IP4("0028", "0000", "06") ACKS(HIGH, HTTPS, "00000001", "12") },
	{ "syn-back", MACS IP4("0028", "0000", "06") TCP(HTTPS, HIGH, "02") },
	{ "vlan-udp", MACS TAG IP4("001c", "0000", "11") UDP(HIGH, DNS) },
	{ "vlan-syn", MACS TAG IP4("0028", "0000", "06") TCP(HIGH, HTTPS, "02") },
	{ "qinq-syn", MACS "88a80001" TAG IP4("0028", "0000", "06") TCP(HIGH, HTTPS, "02") },
	{ "3-tags-syn", MACS "91000001" TAG TAG IP4("0028", "0000", "06") TCP(HIGH, HTTPS, "02") },
	{ "5-tags-syn", MACS TAG TAG TAG TAG TAG IP4("0028", "0000", "06") TCP(HIGH, HTTPS, "02") },
	{ "options-syn",
	  MACS "08004600002c000100004006" "0000" THERE4 HERE4 "94040000" TCP(HIGH, HTTPS, "02") },
	{ "cut-header", MACS "0800" "4500001c00010000" },
	{ "icmp-echo", MACS IP4("001c", "0000", "01") ECHO("08") },
	{ "icmp-reply", MACS IP4("001c", "0000", "01") ECHO("00") },
	{ "icmp-unreachable",
	  MACS IP4("0038", "0000", "01") "0303000000000000"
	  "4500001c000100004011" "0000" HERE4 THERE4 UDP(HIGH, DNS) },
	{ "gre", MACS IP4("0018", "0000", "2f") "00000800" },
	{ "esp", MACS IP4("001c", "0000", "32") "0000000100000001" },
	{ "sctp", MACS IP4("0020", "0000", "84") HIGH HTTPS "0000000000000000" },
	{ "first-fragment", MACS IP4("0028", "2000", "06") TCP(HIGH, HTTPS, "02") },
	{ "first-fragment-cut", MACS IP4("0016", "2000", "06") HIGH },
	{ "later-fragment", MACS IP4("0028", "0003", "06") TCP(HIGH, SSH, "02") },
	{ "later-fragment-as-port", MACS IP4("0028", "0003", "06") TCP(HIGH, HTTPS, "02") },
	{ "ip6-syn", MACS IP6("0014", "06") TCP(HIGH, HTTPS, "02") },
	{ "ip6-syn-ssh", MACS IP6("0014", "06") TCP(HIGH, SSH, "02") },
	{ "ip6-udp", MACS IP6("0008", "11") UDP(HIGH, DNS) },
	{ "ip6-udp-reply", MACS IP6("0008", "11") UDP(DNS, HIGH) },
	{ "ip6-near-syn", MACS "86dd600000000014" "0640" NEAR6 HERE6 TCP(HIGH, HTTPS, "02") },
	{ "ip6-vlan-syn", MACS TAG IP6("0014", "06") TCP(HIGH, HTTPS, "02") },
	{ "ip6-hopopts-syn", MACS IP6("001c", "00") "0600010400000000" TCP(HIGH, HTTPS, "02") },
	{ "ip6-hopopts-ssh", MACS IP6("001c", "00") "0600010400000000" TCP(HIGH, SSH, "02") },
	{ "ip6-routing-syn", MACS IP6("001c", "2b") "0600000000000000" TCP(HIGH, HTTPS, "02") },
	{ "ip6-dstopts-syn", MACS IP6("001c", "3c") "0600010400000000" TCP(HIGH, HTTPS, "02") },
	{ "ip6-icmp-echo", MACS IP6("0008", "3a") ECHO("80") },
	{ "ip6-gre", MACS IP6("0004", "2f") "00000800" },
	{ "ip6-first-fragment", MACS IP6("001c", "2c") "0600000100000009" TCP(HIGH, HTTPS, "02") },
	{ "ip6-later-fragment", MACS IP6("001c", "2c") "0600001800000009" TCP(HIGH, SSH, "02") },
	{ "ip6-later-fragment-as-port", MACS IP6("001c", "2c") "0600001800000009" TCP(HIGH, HTTPS, "02") },
	{ "nd", MACS "86dd600000000008" "3aff" THERE6 HERE6 "8700000000000000" },
	{ "nd-routed", MACS IP6("0008", "3a") "8700000000000000" },
	{ "dhcp", MACS IP4("001c", "0000", "11") UDP("0043", "0044") },
	{ "dhcp6", MACS IP6("0008", "11") UDP("0223", "0222") },
	{ "arp", MACS "0806" "00010800060400010200000000010000000002000000000000000000" },
	{ "pppoe", MACS "8864" "11000001001e0021" "4500001c" "0001000040110000" THERE4 HERE4 UDP(HIGH, DNS) },
	{ "own-syn", MACS OUT4("0028", "06") TCP(HIGH, HTTPS, "02") },
	{ "own-synack", MACS OUT4("0028", "06") TCP(HTTPS, HIGH, "12") },
	{ "own-ack", MACS OUT4("0028", "06") TCP(HIGH, HTTPS, "10") },
	{ "own-fin", MACS OUT4("0028", "06") TCP(HIGH, HTTPS, "11") },
	{ "own-udp", MACS OUT4("001c", "11") UDP(HIGH, DNS) "000000000000000000000000" },
	{ "own-ping", MACS OUT4("001c", "01") ECHO("08") "000000000000000000000000" },
	{ "own-ip6-udp", MACS OUT6("0008", "11") UDP(HIGH, DNS) },
};

#define BOTH(t) { t, "203.0.113.7", 0, 0, 0, 0 }, { t, "2001:db8::7", 0, 0, 0, 0 }
#define EDGES(t, port, proto) { t, "203.0.113.7", port, proto, 0, 0 }, { t, "2001:db8::7", port, proto, 0, 0 }
/* Every way in that some filter has left open, to a port that may be allowed and to others. */
#define MATRIX(tcp, rest, bad)									\
	{ "udp", rest, 0 }, { "syn", tcp, 0 }, { "syn-ssh", rest, 0 },				\
	{ "vlan-udp", rest, 0 }, { "vlan-syn", tcp, 0 }, { "qinq-syn", tcp, 0 },		\
	{ "3-tags-syn", tcp, 0 }, { "5-tags-syn", bad, 0 }, { "options-syn", tcp, 0 },		\
	{ "cut-header", bad, 0 }, { "icmp-echo", rest, 0 }, { "gre", rest, 0 },			\
	{ "esp", rest, 0 }, { "sctp", rest, 0 }, { "later-fragment", rest, 0 },			\
	{ "later-fragment-as-port", rest, 0 }, { "first-fragment-cut", rest, 0 },		\
	{ "ip6-syn", tcp, 0 }, { "ip6-syn-ssh", rest, 0 }, { "ip6-udp", rest, 0 },		\
	{ "ip6-vlan-syn", tcp, 0 }, { "ip6-hopopts-syn", tcp, 0 },				\
	{ "ip6-hopopts-ssh", rest, 0 }, { "ip6-routing-syn", tcp, 0 },				\
	{ "ip6-dstopts-syn", tcp, 0 }, { "ip6-icmp-echo", rest, 0 }, { "ip6-gre", rest, 0 },	\
	{ "ip6-later-fragment", rest, 0 }, { "ip6-later-fragment-as-port", rest, 0 },		\
	{ "nd-routed", rest, 0 }, { "arp", WHY_PASS, 0 }, { "nd", WHY_PASS, 0 },		\
	{ "dhcp", WHY_PASS, 0 }, { "dhcp6", WHY_PASS, 0 }

const struct scene scenes[] = {
	{ .name = "nothing-set", .steps = { MATRIX(WHY_PASS, WHY_PASS, WHY_PASS) } },
	{ .name = "deny-host", .rules = { BOTH(KL_DENY) },
	  .steps = { MATRIX(WHY_DENY, WHY_DENY, WHY_PASS) } },
	{ .name = "deny-prefix", .flows = true,
	  .rules = { { KL_DENY, "203.0.113.0/24", 0, 0, 0, 0 }, { KL_DENY, "2001:db8::/64", 0, 0, 0, 0 } },
	  .steps = { MATRIX(WHY_DENY, WHY_DENY, WHY_PASS) } },
	{ .name = "deny-tables-full", .full = true, .rules = { BOTH(KL_DENY) },
	  .steps = { MATRIX(WHY_DENY, WHY_DENY, WHY_PASS) } },
	{ .name = "enforce-allow", .set = { .enforce_allow = true },
	  .steps = { MATRIX(WHY_ALLOW, WHY_ALLOW, WHY_MALFORMED) } },
	{ .name = "allow-wins", .set = { .enforce_allow = true, .edge = EDGE_ALLOW, .rate = 1, .burst = 1 },
	  .rules = { BOTH(KL_ALLOW), BOTH(KL_DENY), EDGES(KL_EDGE_DENY, 443, 6) },
	  .steps = { MATRIX(WHY_PASS, WHY_PASS, WHY_MALFORMED) } },
	{ .name = "edge-allow-nothing", .set = { .edge = EDGE_ALLOW },
	  .steps = { MATRIX(WHY_EDGE, WHY_EDGE, WHY_MALFORMED), { "pppoe", WHY_OTHER, 0 } } },
	{ .name = "edge-allow-443", .set = { .edge = EDGE_ALLOW }, .rules = { EDGES(KL_EDGE_ALLOW, 443, 6) },
	  .steps = { MATRIX(WHY_PASS, WHY_EDGE, WHY_MALFORMED), { "pppoe", WHY_OTHER, 0 } } },
	{ .name = "edge-allow-443-full", .set = { .edge = EDGE_ALLOW }, .full = true,
	  .rules = { EDGES(KL_EDGE_ALLOW, 443, 6) }, .steps = { MATRIX(WHY_PASS, WHY_EDGE, WHY_MALFORMED) } },
	{ .name = "edge-deny-443", .set = { .edge = EDGE_DENY }, .rules = { EDGES(KL_EDGE_DENY, 443, 6) },
	  .steps = { { "syn", WHY_EDGE, 0 }, { "vlan-syn", WHY_EDGE, 0 }, { "options-syn", WHY_EDGE, 0 },
		     { "ip6-syn", WHY_EDGE, 0 }, { "ip6-hopopts-syn", WHY_EDGE, 0 },
		     { "syn-ssh", WHY_PASS, 0 }, { "first-fragment", WHY_EDGE, 0 },
		     { "first-fragment-cut", WHY_EDGE, 0 },
		     { "sctp", WHY_PASS, 0 }, { "udp", WHY_PASS, 0 } } },
	{ .name = "edge-gre-icmp", .set = { .edge = EDGE_ALLOW },
	  .rules = { EDGES(KL_EDGE_ALLOW, 0, 47), { KL_EDGE_ALLOW, "203.0.113.7", 0, 1, 0, 0 },
		     { KL_EDGE_ALLOW, "2001:db8::7", 0, 58, 0, 0 } },
	  .steps = { { "gre", WHY_PASS, 0 }, { "ip6-gre", WHY_PASS, 0 }, { "icmp-echo", WHY_PASS, 0 },
		     { "ip6-icmp-echo", WHY_PASS, 0 }, { "esp", WHY_EDGE, 0 }, { "syn", WHY_EDGE, 0 } } },
	{ .name = "fragments", .set = { .edge = EDGE_ALLOW }, .rules = { EDGES(KL_EDGE_ALLOW, 443, 6) },
	  .steps = { { "later-fragment", WHY_EDGE, 0 }, { "first-fragment", WHY_PASS, 0 },
		     { "later-fragment", WHY_PASS, 0 }, { "ip6-later-fragment", WHY_EDGE, 0 },
		     { "ip6-first-fragment", WHY_PASS, 0 }, { "ip6-later-fragment", WHY_PASS, 0 },
		     { "later-fragment", WHY_EDGE, 37 }, { "ip6-later-fragment", WHY_EDGE, 0 } } },
	{ .name = "replies", .set = { .edge = EDGE_ALLOW }, .flows = true,
	  .steps = { { "synack", WHY_EDGE, 0 }, { "out own-syn", WHY_PASS, 0 }, { "synack", WHY_PASS, 0 },
		     { "syn-back", WHY_EDGE, 0 }, { "syn", WHY_EDGE, 0 }, { "icmp-reply", WHY_EDGE, 0 },
		     { "out own-ping", WHY_PASS, 0 }, { "icmp-reply", WHY_PASS, 0 },
		     { "icmp-echo", WHY_EDGE, 0 }, { "icmp-unreachable", WHY_EDGE, 0 },
		     { "out own-udp", WHY_PASS, 0 },
		     { "icmp-unreachable", WHY_PASS, 0 }, { "ip6-udp-reply", WHY_EDGE, 0 },
		     { "out own-ip6-udp", WHY_PASS, 0 }, { "ip6-udp-reply", WHY_PASS, 0 },
		     { "icmp-reply", WHY_EDGE, 127 }, { "ip6-udp-reply", WHY_PASS, 0 },
		     { "ip6-udp-reply", WHY_EDGE, 307 } } },
	{ .name = "answer-is-no-talk", .set = { .edge = EDGE_ALLOW },
	  .steps = { { "out own-synack", WHY_PASS, 0 }, { "ack-https", WHY_EDGE, 0 } } },
	{ .name = "handshake", .flows = true,	/* completed once */
	  .steps = { { "ack", WHY_PASS, 0 }, { "out own-synack", WHY_PASS, 0 }, { "ack", WHY_PASS, 0 },
		     { "ack", WHY_PASS, 0 } } },
	{ .name = "no-handshake", .flows = true,
	  .steps = { { "out own-synack", WHY_PASS, 0 }, { "ack-rst", WHY_PASS, 0 },
		     { "ack-syn", WHY_PASS, 0 }, { "ack-of-more", WHY_PASS, 0 },
		     { "ack-of-less", WHY_PASS, 0 } } },
	{ .name = "handshake-refused", .flows = true, .set = { .edge = EDGE_DENY },
	  .rules = { EDGES(KL_EDGE_DENY, 443, 6) },
	  .steps = { { "out own-synack", WHY_PASS, 0 }, { "ack", WHY_EDGE, 0 } } },
	{ .name = "talk-ends", .set = { .edge = EDGE_ALLOW },
	  .steps = { { "out own-syn", WHY_PASS, 0 }, { "out own-ack", WHY_PASS, 0 },
		     { "synack", WHY_PASS, 607 }, { "out own-fin", WHY_PASS, 0 }, { "synack", WHY_PASS, 127 },
		     { "out own-ack", WHY_PASS, 0 }, { "synack", WHY_EDGE, 307 } } },
	{ .name = "limit", .rules = { { KL_LIMIT, "203.0.113.7", 0, 0, 1, 3 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "udp", WHY_PASS, 0 }, { "icmp-echo", WHY_PASS, 0 },
		     { "syn", WHY_LIMIT, 0 }, { "syn", WHY_LIMIT, 0 }, { "syn", WHY_PASS, 7 },
		     { "later-fragment", WHY_PASS, 0 }, { "gre", WHY_PASS, 0 }, { "syn", WHY_LIMIT, 0 },
		     { "ip6-syn", WHY_PASS, 0 } } },
	{ .name = "limit-refills", .rules = { { KL_LIMIT, "203.0.113.0/24", 0, 0, 1, 10 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_LIMIT, 0 }, { "syn", WHY_PASS, 7 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn", WHY_LIMIT, 0 } } },
	{ .name = "limit-default-64", .set = { .rate = 1, .burst = 2, .src6_64 = true },
	  .steps = { { "ip6-syn", WHY_PASS, 0 }, { "ip6-near-syn", WHY_PASS, 0 }, { "ip6-syn", WHY_LIMIT, 0 },
		     { "ip6-near-syn", WHY_LIMIT, 0 }, { "syn", WHY_PASS, 0 }, { "nd", WHY_PASS, 0 } } },
	{ .name = "limit-tables-full", .full = true, .rules = { { KL_LIMIT, "203.0.113.7", 0, 0, 1, 2 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "syn", WHY_LIMIT, 0 },
		     { "udp", WHY_LIMIT, 0 } } },
	{ .name = "edge-limit", .set = { .edge = EDGE_ALLOW },
	  .rules = { EDGES(KL_EDGE_ALLOW, 443, 6), { KL_EDGE_LIMIT, "203.0.113.7", 443, 6, 1, 2 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "vlan-syn", WHY_PASS, 0 }, { "syn", WHY_LIMIT, 0 },
		     { "ip6-syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 7 } } },
	{ .name = "two-ports-in-turn",		/* are two ports, not a scan; SYN-ACK is no SYN */
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn-ssh", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 },
		     { "syn-ssh", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "synack", WHY_PASS, 0 } } },
	{ .name = "trial-lapsed", .set = { .enforce_allow = true, .edge = EDGE_ALLOW }, .lapsed = true,
	  .steps = { { "syn", WHY_PASS, 0 }, { "ip6-syn", WHY_PASS, 0 }, { "gre", WHY_PASS, 0 } } },
	{ .name = "dead-man-limits", .set = { .enforce_allow = true, .edge = EDGE_ALLOW }, .dead = KL_LIMITS,
	  .rules = { BOTH(KL_DENY), { KL_LIMIT, "203.0.113.7", 0, 0, 1, 1 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn", WHY_LIMIT, 0 }, { "ip6-syn", WHY_PASS, 0 } } },
	{ .name = "dead-man-pass", .dead = KL_PASS_ALL,
	  .set = { .enforce_allow = true, .rate = 1, .burst = 1 },
	  .rules = { BOTH(KL_DENY), { KL_LIMIT, "203.0.113.7", 0, 0, 1, 1 } },
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 }, { "ip6-syn", WHY_PASS, 0 } } },
	/* 71 seconds pass before the same may come again of an address that ends in 7. */
	{ .name = "surge-syn", .surges = true,
	  .steps = { { "syn", WHY_SURGE, 0 }, { "syn", WHY_SURGE, 0 }, { "syn", WHY_PASS, 2 },
		     { "syn", WHY_PASS, 0 }, { "syn", WHY_SURGE, 2 }, { "syn-ssh", WHY_SURGE, 0 },
		     { "icmp-echo", WHY_SURGE, 0 }, { "ack-https", WHY_PASS, 0 },
		     { "syn-ssh", WHY_PASS, 0 }, { "icmp-echo", WHY_PASS, 0 } } },
	{ .name = "surge-again", .surges = true,
	  .steps = { { "syn", WHY_SURGE, 0 }, { "syn", WHY_PASS, 2 }, { "syn", WHY_SURGE, 67 },
		     { "syn", WHY_SURGE, 7 }, { "syn", WHY_PASS, 2 } } },
	{ .name = "surge-late", .surges = true,
	  .steps = { { "syn", WHY_SURGE, 0 }, { "syn", WHY_SURGE, 37 }, { "gre", WHY_SURGE, 7 },
		     { "syn", WHY_PASS, 2 } } },
	{ .name = "surge-segment", .surges = true,
	  .steps = { { "ack-https", WHY_SURGE, 0 }, { "synack", WHY_SURGE, 0 },
		     { "ack-https", WHY_PASS, 2 }, { "ack-https", WHY_PASS, 0 },
		     { "ack-https", WHY_SURGE, 2 }, { "udp", WHY_PASS, 0 }, { "syn", WHY_PASS, 0 } } },
	{ .name = "surge-udp", .surges = true,
	  .steps = { { "udp", WHY_SURGE, 0 }, { "udp", WHY_PASS, 2 }, { "udp", WHY_SURGE, 2 },
		     { "gre", WHY_SURGE, 0 }, { "later-fragment", WHY_SURGE, 0 },
		     { "sctp", WHY_PASS, 0 }, { "udp", WHY_PASS, 0 } } },
	{ .name = "surge-history",
	  .steps = { { "syn", WHY_PASS, 0 }, { "ack-https", WHY_PASS, 0 }, { "udp", WHY_PASS, 0 },
		     { "udp", WHY_PASS, 37 | SURGE_BEGINS }, { "gre", WHY_PASS, 0 },
		     { "ip6-syn", WHY_SURGE, 0 }, { "ip6-gre", WHY_PASS, SURGE_ENDS } } },
	{ .name = "surge-knocked-only",
	  .steps = { { "syn", WHY_PASS, 0 }, { "syn-ssh", WHY_PASS, 0 }, { "udp", WHY_PASS, 0 },
		     { "udp", WHY_SURGE, 37 | SURGE_BEGINS } } },
	{ .name = "surge-young",
	  .steps = { { "ack-https", WHY_PASS, 0 }, { "ack-https", WHY_PASS, 0 },
		     { "ack-https", WHY_SURGE, 7 | SURGE_BEGINS }, { "ack-https", WHY_PASS, SURGE_ENDS },
		     { "udp", WHY_SURGE, 37 | SURGE_BEGINS } } },
	{ .name = "surge-replies", .surges = true,
	  .steps = { { "synack", WHY_SURGE, 0 }, { "out own-syn", WHY_PASS, 0 },
		     { "synack", WHY_PASS, 0 }, { "out own-ping", WHY_PASS, 0 },
		     { "icmp-reply", WHY_PASS, 0 }, { "syn", WHY_SURGE, 0 } } },
	{ .name = "surge-ip6", .surges = true,
	  .steps = { { "ip6-syn", WHY_SURGE, 0 }, { "ip6-near-syn", WHY_SURGE, 0 },
		     { "ip6-syn", WHY_PASS, 2 }, { "ip6-udp", WHY_PASS, 0 }, { "nd", WHY_PASS, 0 },
		     { "ip6-near-syn", WHY_PASS, 0 }, { "ip6-syn", WHY_PASS, 2 } } },
	{ .name = "surge-full", .full = true, .surges = true,
	  .steps = { { "syn", WHY_SURGE, 0 }, { "syn", WHY_PASS, 2 }, { "ack-https", WHY_SURGE, 0 },
		     { "ack-https", WHY_PASS, 2 } } },
	{ .name = "surge-allowed", .surges = true, .rules = { BOTH(KL_ALLOW) },
	  .steps = { { "syn", WHY_PASS, 0 }, { "ip6-udp", WHY_PASS, 0 }, { "gre", WHY_PASS, 0 } } },
	{ .name = "surge-denied", .surges = true, .rules = { BOTH(KL_DENY) },
	  .steps = { { "syn", WHY_DENY, 0 }, { "syn", WHY_DENY, 2 } } },
	{ .name = "surge-dead-man", .surges = true, .dead = KL_LIMITS,
	  .steps = { { "syn", WHY_PASS, 0 }, { "ip6-udp", WHY_PASS, 0 } } },
};
const size_t scenes_n = sizeof(scenes) / sizeof(*scenes);

int scene_world(const struct scene *s, struct world *w, uint64_t now)
{
	const struct scene_rule *r;
	struct rule *to;

	memset(w, 0, sizeof(*w));
	w->set = s->set;
	w->flows = s->flows;
	w->full = s->full;
	w->hist = true;
	w->trial = s->lapsed ? now - 1 : 0;
	w->dead = s->dead != KL_KEEP ? now - 1 : 0;
	w->dead_mode = s->dead;
	w->surges = s->surges;
	w->surge = s->surges ? now + 1000000000000000 : 0;
	w->surge_since = 0;
	for (r = s->rules; r->addr; r++) {
		to = &w->rules[r->table][w->n[r->table]++];
		if (prefix_get(r->addr, strlen(r->addr), &to->x))
			return -1;
		to->port = r->port;
		to->proto = r->proto;
		to->rate = r->rate;
		to->burst = r->burst;
		to->owner = KL_OPERATOR;
	}
	return 0;
}

int scene_frame(const struct scene_step *s, struct frame *f)
{
	const char *name = s->packet, *hex;
	unsigned byte;
	size_t i;

	memset(f, 0, sizeof(*f));
	f->out = !strncmp(name, "out ", 4);
	name += f->out ? 4 : 0;
	for (i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		if (strcmp(frames[i].name, name))
			continue;
		for (hex = frames[i].hex; sscanf(hex, "%2x", &byte) == 1; hex += 2)
			f->b[f->n++] = (uint8_t)byte;
		return 0;
	}
	return -1;
}
