/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading by taking bytes off the front: whoever takes more than there is gets nothing. */
#include <string.h>

#include "wire.h"

#define TAGS	4	/* more VLAN tags are not looked behind */
#define HEADERS 7	/* IPv6 extension headers behind which a transport is looked at */

unsigned wire_be16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static const uint8_t *take(struct span *s, size_t n)
{
	const uint8_t *p = s->p;

	if (s->n < n)
		return NULL;
	s->p += n;
	s->n -= n;
	return p;
}

static void clip(struct span *s, size_t n)
{
	if (s->n > n)
		s->n = n;
}

bool wire_ported(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132;	/* TCP, UDP, SCTP */
}

/* RFC 8200, and what IANA lists beside it: mobility, HIP, shim6. ESP hides what follows: not one of them. */
bool wire_extension(uint8_t proto)
{
	static const uint8_t all[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	return memchr(all, proto, sizeof(all)) != NULL;
}

static bool is_tag(unsigned type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;	/* 802.1Q, 802.1ad, older QinQ */
}

static void mapped(uint8_t *to, const uint8_t *four)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, four, 4);
}

static void transport(struct wire *w)
{
	struct span s = w->body;
	const uint8_t *p;

	if (w->frag == WIRE_LATER)
		return;
	if (wire_ported(w->proto)) {
		p = take(&s, 4);
		if (!p)
			return;
		w->has_ports = true;
		w->sport = (uint16_t)wire_be16(p);
		w->dport = (uint16_t)wire_be16(p + 2);
		/* Sequence, acknowledgement, offset, flags: RFC 9293, 3.1 */
		p = w->proto == 6 ? take(&s, 10) : NULL;
		if (p) {
			w->has_flags = true;
			w->flags = p[9];
			w->seq = wire_be16(p) * 65536u + wire_be16(p + 2);
			w->ack = wire_be16(p + 4) * 65536u + wire_be16(p + 6);
		}
	} else if (w->proto == 1 || w->proto == 58) {
		p = take(&s, 1);
		if (p) {
			w->has_type = true;
			w->icmp = *p;
		}
	}
}

/* RFC 791 */
static enum wire_kind read4(struct wire *w, struct span s)
{
	const uint8_t *h = take(&s, 20);
	size_t options, total;
	unsigned off;

	if (!h || h[0] / 16 != 4 || h[0] % 16 < 5)
		return WIRE_BAD;
	options = (h[0] % 16 - 5u) * 4;
	if (!take(&s, options))
		return WIRE_BAD;
	total = wire_be16(h + 2);
	if (total)		/* 0: segmentation offload did not set it */
		clip(&s, total > 20 + options ? total - 20 - options : 0);
	w->family = 4;
	mapped(w->src, h + 12);
	mapped(w->dst, h + 16);
	w->proto = h[9];
	w->hops = h[8];
	off = wire_be16(h + 6);
	w->frag = off % 8192 ? WIRE_LATER : off & 0x2000 ? WIRE_FIRST : WIRE_WHOLE;
	w->id = wire_be16(h + 4);
	w->body = s;
	transport(w);
	return WIRE_IP;
}

/* RFC 8200, 4: each header names the next and, but for the fragment header, its own length. */
static enum wire_kind read6(struct wire *w, struct span s)
{
	const uint8_t *h = take(&s, 40), *e;
	size_t size;
	int i;

	if (!h || h[0] / 16 != 6)
		return WIRE_BAD;
	if (wire_be16(h + 4))	/* 0: a jumbogram, or segmentation offload */
		clip(&s, wire_be16(h + 4));
	w->family = 6;
	memcpy(w->src, h + 8, 16);
	memcpy(w->dst, h + 24, 16);
	w->proto = h[6];
	w->hops = h[7];
	for (i = 0; wire_extension(w->proto); i++) {
		if (i > HEADERS || s.n < 8)
			return WIRE_IP;
		e = s.p;
		size = 8;
		if (w->proto == 51)		/* RFC 4302: 4-byte words, less two */
			size = (e[1] + 2u) * 4;
		else if (w->proto != 44)	/* 8-byte words, less one */
			size = (e[1] + 1u) * 8;
		else if (wire_be16(e + 2) / 8)
			w->frag = WIRE_LATER;
		else
			w->frag = e[3] & 1 ? WIRE_FIRST : WIRE_WHOLE;
		if (w->proto == 44 && w->frag != WIRE_WHOLE)
			w->id = wire_be16(e + 4) * 65536u + wire_be16(e + 6);
		w->proto = e[0];
		if (w->frag == WIRE_LATER || !take(&s, size))
			return WIRE_IP;
	}
	if (i > HEADERS)
		return WIRE_IP;
	w->body = s;
	transport(w);
	return WIRE_IP;
}

void wire_read(struct wire *w, const uint8_t *frame, size_t n)
{
	struct span s = { frame, n };
	const uint8_t *p = take(&s, 14);
	int tags;

	memset(w, 0, sizeof(*w));
	w->len = n;
	w->kind = WIRE_OTHER;
	if (!p)
		return;
	w->type = (uint16_t)wire_be16(p + 12);
	for (tags = 0; is_tag(w->type); tags++) {
		p = tags < TAGS ? take(&s, 4) : NULL;
		if (!p) {
			w->kind = WIRE_BAD;
			return;
		}
		w->type = (uint16_t)wire_be16(p + 2);
	}
	if (w->type == 0x0800)
		w->kind = read4(w, s);
	else if (w->type == 0x86dd)
		w->kind = read6(w, s);
}
