/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, from the inside out: payload, transport, IP, tags, Ethernet, and then some damage. */
#include <string.h>

#include "gen.h"

#define PICK(g, array) (array)[gen_below(g, sizeof(array) / sizeof(*(array)))]

/* Bytes that grow to the front: a header is put before what it heads. */
struct back {
	uint8_t b[GEN_MAX];
	size_t at;
};

static uint8_t *front(struct back *k, size_t n)
{
	k->at -= n;
	memset(k->b + k->at, 0, n);
	return k->b + k->at;
}

static size_t length(const struct back *k)
{
	return sizeof(k->b) - k->at;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void noise(struct gen *g, uint8_t *p, size_t n)
{
	while (n--)
		*p++ = (uint8_t)gen_below(g, 256);
}

static uint16_t some_port(struct gen *g)
{
	return gen_chance(g, 50) ? (uint16_t)gen_below(g, 65536) : g->port[gen_below(g, g->ports)];
}

static void new_talk(struct gen *g, struct talk *t)
{
	static const uint8_t protos[] = { 6, 6, 6, 17, 17, 17, 132, 47, 50, 51, 59, 41, 4, 255 };

	t->six = (int)gen_below(g, 2);
	memcpy(t->there, g->remote[t->six][gen_below(g, g->remotes[t->six])], 16);
	memcpy(t->here, g->local[t->six][gen_below(g, g->locals[t->six])], 16);
	t->proto = gen_chance(g, 250) ? (gen_chance(g, 900) == !t->six ? 1 : 58) : PICK(g, protos);
	t->lport = some_port(g);
	t->rport = some_port(g);
	t->id = (uint16_t)gen_below(g, 4);
}

static void ip4(struct gen *g, struct back *k, const struct talk *t, bool out, unsigned frag, bool plain)
{
	static const uint8_t ttl[] = { 1, 64, 255 };
	size_t options = !plain && gen_chance(g, 150) ? gen_below(g, 11) * 4 : 0;
	size_t total = length(k) + 20 + options;
	uint8_t *p;

	noise(g, front(k, options), options);
	p = front(k, 20);
	p[0] = (uint8_t)(0x45 + options / 4);
	put16(p + 4, t->id);
	put16(p + 6, frag | (gen_chance(g, 300) ? 0x4000 : 0));
	p[8] = PICK(g, ttl);
	p[9] = t->proto;
	memcpy(p + 12, (out ? t->here : t->there) + 12, 4);
	memcpy(p + 16, (out ? t->there : t->here) + 12, 4);
	if (!plain && gen_chance(g, 80))
		total = gen_chance(g, 300) ? 0 : gen_below(g, 2 * total);
	put16(p + 2, (unsigned)total);
	if (!plain && gen_chance(g, 15))
		p[0] = (uint8_t)gen_below(g, 256);
}

/* frag: as IPv4 has it, in units of 8 bytes, 0x2000: more. */
static void ip6(struct gen *g, struct back *k, const struct talk *t, bool out, unsigned frag, bool plain)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	uint8_t nexthdr = t->proto, kind, *p;
	unsigned n = 0, at, i;
	size_t extra;

	if (!plain && gen_chance(g, 350))
		n = 1 + (unsigned)gen_below(g, gen_chance(g, 200) ? 10 : 3);
	at = frag ? (unsigned)gen_below(g, n + 1) : n + 1;
	for (i = 0; i <= n; i++) {
		if (i == at) {
			p = front(k, 8);
			p[0] = nexthdr;
			put16(p + 2, (frag & 0x1fff) << 3 | (frag & 0x2000 ? 1 : 0));
			put16(p + 6, t->id);
			nexthdr = 44;
		}
		if (i == n)
			break;
		kind = PICK(g, kinds);
		extra = kind == 44 ? 0 : gen_below(g, 3);
		p = front(k, 8 + extra * (kind == 51 ? 4 : 8));
		p[0] = nexthdr;
		p[1] = (uint8_t)extra;
		if (kind == 44 && !gen_chance(g, 800))
			put16(p + 2, (unsigned)gen_below(g, 4) << 3 | (unsigned)gen_below(g, 2));
		else if (gen_chance(g, 30))
			p[1] = (uint8_t)gen_below(g, 256);
		nexthdr = kind;
	}
	extra = length(k);
	p = front(k, 40);
	p[0] = 0x60;
	if (!plain && gen_chance(g, 80))
		extra = gen_chance(g, 300) ? 0 : gen_below(g, 2 * extra + 1);
	put16(p + 4, (unsigned)extra);
	p[6] = nexthdr;
	p[7] = gen_chance(g, 500) ? 255 : gen_chance(g, 500) ? 64 : 1;
	memcpy(p + 8, out ? t->here : t->there, 16);
	memcpy(p + 24, out ? t->there : t->here, 16);
	if (!plain && gen_chance(g, 15))
		p[0] = (uint8_t)gen_below(g, 256);
}

static void tcp(struct gen *g, struct back *k, unsigned from, unsigned to)
{
	static const uint8_t usual[] = { 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14 };
	uint8_t *p = front(k, 20);

	put16(p, from);
	put16(p + 2, to);
	/* Few numbers, that one side's is often what the other one expects. */
	p[7] = (uint8_t)gen_below(g, 2);
	p[11] = (uint8_t)gen_below(g, 3);
	if (gen_chance(g, 100))
		memset(p + 4, 0xff, 4);
	p[12] = 0x50;
	p[13] = gen_chance(g, 700) ? PICK(g, usual) : (uint8_t)gen_below(g, 256);
}

/* The transport's header, or a piece of it that leaves ports or flags out. */
static void transport(struct gen *g, struct back *k, const struct talk *t, bool out, int depth);

/* An error quotes what this host sent; sometimes what it never did. */
static void error(struct gen *g, struct back *k, const struct talk *t, int depth)
{
	struct talk quote = gen_chance(g, 700) ? g->talk[gen_below(g, GEN_TALKS)] : *t;
	static const uint8_t kinds4[] = { 3, 11, 12, 5, 4 }, kinds6[] = { 1, 2, 3, 4, 5 };
	uint8_t *p;

	if (gen_chance(g, 900) && quote.six != t->six)
		quote = *t;
	if (gen_chance(g, 900))
		memcpy(quote.here, t->here, 16);
	transport(g, k, &quote, !gen_chance(g, 50), depth + 1);
	if (quote.six)
		ip6(g, k, &quote, !gen_chance(g, 50), 0, gen_chance(g, 700));
	else
		ip4(g, k, &quote, !gen_chance(g, 50), gen_chance(g, 50) ? (unsigned)gen_below(g, 4) : 0,
		    gen_chance(g, 700));
	p = front(k, 8);
	p[0] = t->six ? PICK(g, kinds6) : PICK(g, kinds4);
}

static void transport(struct gen *g, struct back *k, const struct talk *t, bool out, int depth)
{
	static const uint8_t echo4[] = { 8, 0 }, echo6[] = { 128, 129 };
	unsigned from = out ? t->lport : t->rport, to = out ? t->rport : t->lport;
	uint8_t *p;

	if (t->proto == 6) {
		tcp(g, k, from, to);
	} else if (wire_ported(t->proto)) {
		p = front(k, t->proto == 17 ? 8 : 12);
		put16(p, from);
		put16(p + 2, to);
	} else if (t->proto == 1 || t->proto == 58) {
		if (!depth && gen_chance(g, 350)) {
			error(g, k, t, depth);
			return;
		}
		p = front(k, 8);
		p[0] = t->proto == 1 ? echo4[!out] : echo6[!out];
		if (gen_chance(g, 200))
			p[0] = (uint8_t)(gen_chance(g, 500) ? 133 + gen_below(g, 6) : gen_below(g, 256));
		put16(p + 4, t->id);
	} else {
		noise(g, front(k, 8), 8);
	}
}

/* Neighbour discovery, listener queries and DHCP, from the server or nearly. */
static void essential(struct gen *g, struct back *k, struct talk *t)
{
	uint8_t *p = front(k, 8);

	if (t->six && gen_chance(g, 600)) {
		t->proto = 58;
		p[0] = (uint8_t)(132 + gen_below(g, 7));
		if (gen_chance(g, 400)) {
			p[0] = 130;
			t->there[0] = 0xfe;
			t->there[1] = (uint8_t)(gen_chance(g, 800) ? 0x80 + gen_below(g, 64) :
								      gen_below(g, 256));
		}
		return;
	}
	t->proto = 17;
	put16(p, t->six ? 547 : 67);
	put16(p + 2, t->six ? 546 : 68);
	if (gen_chance(g, 100))
		put16(p + gen_below(g, 2) * 2, some_port(g));
}

static void tags(struct gen *g, struct back *k)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100 };
	unsigned n = gen_chance(g, 700) ? 0 : 1 + (unsigned)gen_below(g, gen_chance(g, 500) ? 2 : 5);
	uint8_t *p;

	while (n--) {		/* before the type that stands in front now */
		p = front(k, 2);
		put16(p, (unsigned)gen_below(g, 65536));
		put16(front(k, 2), PICK(g, types));
	}
}

static void not_ip(struct gen *g, struct back *k)
{
	static const uint16_t types[] = { 0x0806, 0x88cc, 0x8864, 0x8863, 0x8847, 0x8809, 0x888e, 0x88f7,
					  0x0026, 0x05ff, 0x0600 };

	noise(g, front(k, 46), 46);
	put16(front(k, 2), gen_chance(g, 900) ? PICK(g, types) : (unsigned)gen_below(g, 65536));
}

void gen_damage(struct gen *g, struct frame *f)
{
	unsigned n;

	if (gen_chance(g, 500)) {
		f->n = 14 + gen_below(g, f->n > 14 ? f->n - 13 : 1);
		return;
	}
	for (n = 1 + (unsigned)gen_below(g, 3); n && f->n > 12; n--)
		f->b[12 + gen_below(g, f->n - 12 < 80 ? f->n - 12 : 80)] ^= (uint8_t)(1u << gen_below(g, 8));
}

void gen_frame(struct gen *g, struct frame *f)
{
	struct talk *t = &g->talk[gen_below(g, GEN_TALKS)], now;
	struct back k = { .at = GEN_MAX };
	unsigned frag = 0;
	size_t pad;

	if (!t->proto || gen_chance(g, 400))
		new_talk(g, t);
	now = *t;
	f->out = gen_chance(g, 300);
	f->segs = gen_chance(g, 100) ? (unsigned)gen_below(g, 5) : 0;
	if (gen_chance(g, 50)) {
		not_ip(g, &k);
	} else {
		pad = gen_chance(g, 100) ? gen_below(g, 1200) : gen_below(g, 40);
		noise(g, front(&k, pad), pad);
		if (gen_chance(g, 60))
			essential(g, &k, &now);
		else if (!gen_chance(g, 60))
			transport(g, &k, &now, f->out, 0);
		if (gen_chance(g, 200))
			frag = gen_chance(g, 500) ? 0x2000 : (unsigned)gen_below(g, 0x4000);
		if (now.six)
			ip6(g, &k, &now, f->out, frag, false);
		else
			ip4(g, &k, &now, f->out, frag, false);
		put16(front(&k, 2), now.six ? 0x86dd : 0x0800);
	}
	tags(g, &k);
	noise(g, front(&k, 12), 12);
	f->n = length(&k);
	memcpy(f->b, k.b + k.at, f->n);
	if (gen_chance(g, 100)) {	/* padding, as short frames have */
		pad = gen_below(g, 20);
		noise(g, f->b + f->n, pad);
		f->n += pad;
	}
	if (gen_chance(g, 60))
		gen_damage(g, f);
}
