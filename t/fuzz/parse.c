/* SPDX-License-Identifier: BSD-2-Clause */
/* The packet path's parser on any frame: nothing outside of it is read, and nothing is taken for
 * ports, flags or a type but what is the first fragment's own, within its IP header's length. */
#include "../../bpf/parse.bpf.h"
#include "fuzz.h"

/* What the parser promises to have set in k; all else is zero. */
static void known(const struct pkt *k, int kind, struct pkt *x)
{
	memset(x, 0, sizeof(*x));
	x->ports = k->ports, x->sport = k->sport, x->dport = k->dport;
	x->flagged = k->flagged, x->flags = k->flags, x->frag = k->frag;
	if (kind == FRAME_IP) {
		x->hi = k->hi, x->lo = k->lo, x->hops = k->hops;
		x->family = k->family, x->proto = k->proto;
	}
}

/* Parses a copy of just that size, which begins at any address. */
static int parse_copy(const uint8_t *p, size_t n, struct pkt *out)
{
	uint8_t *copy = copy_of(p, n);
	struct pkt k;
	int kind;

	memset(&k, 0xa5, sizeof(k));
	kind = parse(&k, copy, copy + n);
	known(&k, kind, out);
	free(copy);
	return kind;
}

/* Where the IP packet ends that begins at p + at, by its own header; n when that is further. */
static size_t ip_end(const uint8_t *p, size_t n, size_t at, int family)
{
	size_t len = family == 4 ? BE16(p + at + 2) : BE16(p + at + 4);

	if (!len)
		return n;
	len += at + (family == 4 ? 0 : 40);
	return len < n ? len : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t at = 12, end, head;
	struct pkt k, again;
	int kind = parse_copy(p, n, &k);
	uint8_t *other;

	MUST(kind == FRAME_OTHER || kind == FRAME_IP || kind == FRAME_BAD);
	if (kind != FRAME_IP) {
		MUST(!k.ports && !k.flagged);
		return 0;
	}
	MUST(!(k.ports && k.frag == FRAG_LATER) && !(k.flagged && k.frag == FRAG_LATER));
	MUST(!k.ports || k.proto == 6 || k.proto == 17 || k.proto == 132);
	MUST(k.ports || (!k.sport && !k.dport));
	MUST(!k.flagged || k.proto == 6 || k.proto == 1 || k.proto == 58);
	while (is_vlan(LOAD(uint16_t, p + at)))
		at += 4;
	at += 2;
	MUST(p[at] >> 4 == k.family && at <= 14 + 4 * KL_VLANS);
	end = ip_end(p, n, at, k.family);
	/* Of a later IPv4 fragment all that follows the header is the sender's choice. */
	head = at + (p[at] & 15) * 4;
	if (k.family == 4 && (k.frag == FRAG_LATER || end < head))
		end = head;
	other = copy_of(p, n);
	for (size_t i = end; i < n; i++)
		other[i] = (uint8_t)~other[i];
	MUST(parse_copy(other, n, &again) == FRAME_IP && !memcmp(&k, &again, sizeof(k)));
	/* Nor does it matter whether those bytes came along. */
	MUST(parse_copy(other, end, &again) == FRAME_IP && !memcmp(&k, &again, sizeof(k)));
	free(other);
	return 0;
}
