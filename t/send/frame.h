/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame out of KEY=VALUE words, or given as hex; of a walk, the i'th. */
#ifndef T_SEND_FRAME_H
#define T_SEND_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME 2048		/* bytes of the longest */
#define COUNT_MAX 10000000L

struct frame {
	uint8_t dmac[6], smac[6], src[16], dst[16];
	uint16_t vlan[8];
	int vlans;
	bool six;
	char ext[64];		/* names of extension headers, comma-separated */
	int proto, sport, dport, flags, ttl;
	int len, opt;		/* payload bytes, IPv4 option bytes */
	int frag;		/* -1: none, else offset in units of 8 bytes */
	int id;			/* of the fragments' packet */
	bool more;
	int cut;		/* frame cut to so many bytes; 0: whole */
	long srcs, nets, dsts, dports;
	uint8_t hex[FRAME];
	int hexlen;
};

/* s as a number from min to max. Exits 2 when it is none, naming key. */
long frame_number(const char *key, const char *s, long min, long max);

/* Takes one KEY=VALUE; w is written to. Exits 2 when it is none. */
void frame_word(struct frame *f, char *w);

/* The i'th frame into out, FRAME bytes; its length. */
int frame_build(const struct frame *f, long i, uint8_t *out);

#endif
