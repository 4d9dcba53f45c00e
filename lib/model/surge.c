/* SPDX-License-Identifier: BSD-2-Clause */
/* Knocking, and knocking again. */
#include <string.h>

#include "surge.h"

#define EIGHTH	 125000000ull
#define MEMORY	 2048		/* eighths of a second after which time begins anew */

bool knock_of(struct knock *k, const struct wire *w)
{
	memset(k, 0, sizeof(*k));
	if (!w->has_ports)
		return false;
	memcpy(k->src, w->src, 16);
	k->proto = w->proto;
	k->dport = w->dport;
	if (w->proto != 6 || !w->has_flags) {
		k->len = (uint32_t)w->len;
	} else if ((w->flags & 0x12) == 0x02) {
		k->syn = true;
	} else {
		k->segment = true;
		k->sport = w->sport;
		k->seq = wire_be16(w->body.p + 4) << 16 | wire_be16(w->body.p + 6);
	}
	return true;
}

static bool same(const struct knock *a, const struct knock *b)
{
	return !memcmp(a->src, b->src, 16) && a->proto == b->proto && a->segment == b->segment &&
	       a->dport == b->dport && a->sport == b->sport && a->seq == b->seq && a->len == b->len;
}

enum knock_is knock(struct knock *noted, size_t *n, const struct knock *k, uint64_t now, bool *twin)
{
	unsigned age, quiet = 8 * (64 + k->src[15] % 64), early = k->syn ? 7 : 2;
	struct knock *o;

	*twin = false;
	for (o = noted; o < noted + *n && !same(o, k); o++)
		;
	if (o < noted + *n) {
		age = (unsigned)((now - o->at) / EIGHTH % MEMORY);
		*twin = o->passed;
		if (o->passed && age < 4)
			return KNOCK_AGAIN;
		if (o->passed ? age < quiet : age < early)
			return KNOCK_EARLY;
		if (!o->passed && age <= 80) {
			o->passed = true;
			o->at = now;
			return KNOCK_AGAIN;
		}
	} else {
		++*n;
	}
	*o = *k;
	o->at = now;
	return KNOCK_FIRST;
}
