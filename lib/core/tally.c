/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting packets by source, distinct port and flow. */
#include "tally.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMP6 = 58 };
enum { SYN = 2, RST = 4, ACK = 16 };

void tally_init(struct tally *t, bool by_flow)
{
	*t = (struct tally){ .by_flow = by_flow };
	table_init(&t->srcs, sizeof(struct tally_src));
	table_init(&t->flows, sizeof(struct tally_flow));
	table_init(&t->seen, sizeof(struct prefix));
	table_init(&t->known, sizeof(struct prefix));
}

void tally_free(struct tally *t)
{
	table_free(&t->srcs);
	table_free(&t->flows);
	table_free(&t->seen);
	table_free(&t->known);
}

/* An empty one costs nothing: many ticks are, and the index of a flood is large. */
static void clear(struct table *t)
{
	if (t->n)
		table_clear(t);
}

void tally_clear(struct tally *t)
{
	t->all = (struct tally_count){ 0 };
	clear(&t->srcs);
	clear(&t->flows);
	clear(&t->seen);
}

static bool is_syn(const struct tally_packet *p)
{
	return p->proto == TCP && (p->flags & (SYN | ACK)) == SYN;
}

static void count(struct tally_count *n, const struct tally_packet *p)
{
	n->pkts++;
	n->bytes += p->len;
	switch (p->proto) {
	case TCP:
		n->tcp++;
		n->syn += is_syn(p);
		n->ack += !!(p->flags & ACK);
		n->rst += !!(p->flags & RST);
		break;
	case UDP:
		n->udp++;
		n->answers += p->answer;
		break;
	case ICMP:
	case ICMP6:
		n->icmp++;
		break;
	}
}

/* A key of the other tables: what belongs to source number src. */
static struct prefix key_of(uint32_t src, uint16_t port, uint8_t proto, bool out)
{
	struct prefix key = { .len = out };

	memcpy(key.a, &src, sizeof(src));
	memcpy(key.a + 8, &port, sizeof(port));
	key.a[10] = proto;
	return key;
}

/* The first port is in the source and nowhere else: most sources have one. */
static void count_port(struct tally *t, struct tally_src *s, uint32_t at, uint16_t port)
{
	size_t before = t->seen.n;
	struct prefix key;

	if (!s->ported) {
		s->ported = true;
		s->port = port;
		s->ports = 1;
		return;
	}
	if (s->port == port)
		return;
	key = key_of(at, port, 0, false);
	table_get(&t->seen, &key);
	s->ports += t->seen.n > before;
}

static void count_flow(struct tally *t, uint32_t at, const struct tally_packet *p)
{
	struct prefix key = key_of(at, p->port, p->proto, p->out);
	struct tally_flow *f = table_get(&t->flows, &key);

	if (!f->pkts) {
		f->out = p->out;
		f->proto = p->proto;
		f->port = p->port;
		f->src = at;
	}
	f->pkts++;
	f->bytes += p->len;
	f->syn += is_syn(p);
}

/* The first packet of a source in this tick: was it ever here? */
static void meet(struct tally *t, struct tally_src *s)
{
	size_t before = t->known.n;

	table_get(&t->known, &s->x);
	s->n.fresh = t->known.n > before;
	t->all.fresh += s->n.fresh;
}

void tally_add(struct tally *t, const struct tally_packet *p)
{
	struct tally_src *s = table_get(&t->srcs, &p->src);
	uint32_t at = (uint32_t)t->srcs.last;

	if (!t->by_flow && !s->n.pkts)
		meet(t, s);
	count(&t->all, p);
	count(&s->n, p);
	if (t->by_flow)
		count_flow(t, at, p);
	else if (p->ported)
		count_port(t, s, at, p->port);
}
