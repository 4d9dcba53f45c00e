/* SPDX-License-Identifier: BSD-2-Clause */
/* What a row counts, as far as it is judged: packets, SYNs, ports and bytes of a tick. */
#ifndef KL_COUNTS_H
#define KL_COUNTS_H

#include "memo.h"
#include "tsv.h"

#define COUNTS 4

/* Words of an option --scan, and what they stand for. */
extern const char *const scan_words[];
enum { SCAN_PORTS, SCAN_PROBES };
#define SCAN_ROW(to) \
	{ "scan", 0, OPT_WORD, &(to), 0, 0, "ports|probes", \
	  "distinct ports, or no more of them than packets that are no answers", scan_words, true, NULL }

struct counts {
	int scan;		/* of SCAN_*: what is given out as ports */
	int dt, col[COUNTS];	/* columns */
	int answer[3];		/* of packets that may be answers to this host; -1 when absent */
	int rst, udp;		/* of packets with RST, of UDP; -1 when absent */
	struct memo tick;
};

/* Rows of a table of struct tsv_bind for the struct counts c. */
#define COUNTS_BIND(c) \
	{ "dt", &(c).dt, false }, { "pkts", &(c).col[0], false }, { "syn", &(c).col[1], false }, \
	{ "ports", &(c).col[2], false }, { "bytes", &(c).col[3], false }, { "ack", &(c).answer[0], true }, \
	{ "icmp", &(c).answer[1], true }, { "answers", &(c).answer[2], true }, { "rst", &(c).rst, true }, \
	{ "udp", &(c).udp, true }

/* Fills n, and dt with the length of the tick, > 0. A count of '-', which is for what was not counted,
 * is 0. Returns 0, or -1 after tsv_bad(). */
int counts_get(struct counts *c, const struct tsv_row *r, uint64_t n[COUNTS], double *dt);

/* A count; '-' is 0, and so is a column that is absent: col -1. 0, or -1 after tsv_bad(). */
int count_get(const struct tsv_row *r, int col, uint64_t *out);

struct drops { int rl, deny, allow; };	/* columns of packets dropped; -1 when absent */
#define DROPS_BIND(d) \
	{ "drop_rl", &(d).rl, true }, { "drop_deny", &(d).deny, true }, { "drop_allow", &(d).allow, true }
/* *rl those dropped by a limit, *all those for any reason. 0, or -1 after tsv_bad(). */
int drops_get(const struct drops *d, const struct tsv_row *r, uint64_t *rl, uint64_t *all);

/* Is the cell that word? */
bool cell_is(const struct tsv_row *r, int col, const char *word);

#endif
