/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counting table. */
#include <math.h>
#include <string.h>

#include "src.h"

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;	/* counters of one record are read one after the other */
}

static void derive(struct src_delta *d, uint64_t other, uint64_t odd)
{
	d->tcp = less(d->pkts, d->udp + d->icmp + other);
	d->ack = less(d->tcp, d->syn + odd);
}

void src_diff(const struct src_raw *n, const struct src_raw *p, struct src_delta *d)
{
	static const struct src_raw none;

	if (!p || p->seen_j != n->seen_j || memcmp(p->x.a, n->x.a, sizeof(p->x.a)))
		p = &none;
	/* In their own width, as they wrap. */
	d->pkts = (n->pkts - p->pkts) & PB_PKTS_MASK;
	d->bytes = (n->bytes - p->bytes) & PB_BYTES_MASK;
	d->udp = (uint32_t)(n->udp - p->udp);
	d->icmp = (uint32_t)(n->icmp - p->icmp);
	d->syn = (uint32_t)(n->syn - p->syn);
	d->rst = (uint32_t)(n->rst - p->rst);
	d->drop_allow = (uint32_t)(n->drop_allow - p->drop_allow);
	d->drop_deny = (uint32_t)(n->drop_deny - p->drop_deny);
	d->drop_rl = (uint32_t)(n->drop_rl - p->drop_rl);
	d->answers = (uint32_t)(n->answers - p->answers);
	d->fresh = p == &none;
	derive(d, (uint32_t)(n->other - p->other), (uint32_t)(n->odd - p->odd));
}

void src_diff_totals(const struct src_raw *n, const struct src_raw *p, struct src_delta *d)
{
	static const struct src_raw none;
	uint32_t unknown, kept_out;

	src_diff(n, p, d);
	if (p->seen_j != n->seen_j)
		p = &none;
	unknown = n->untracked - p->untracked;
	kept_out = n->drop_surge - p->drop_surge;
	/* Whom a surge kept out has mostly no record, and is untracked too. */
	d->fresh = (uint32_t)(n->made - p->made);
	d->fresh += unknown > kept_out ? unknown : kept_out;
}

void src_of_totals(const struct kern_totals *t, struct src_raw *r)
{
	const struct totals *u = &t->all;

	*r = (struct src_raw){
		.pkts = u->pkts,
		.bytes = u->bytes,
		.syn = (uint32_t)u->syn,
		.udp = (uint32_t)u->udp,
		.icmp = (uint32_t)u->icmp,
		.other = (uint32_t)(u->pkts - u->tcp - u->udp - u->icmp),
		.odd = (uint32_t)(u->tcp - u->syn - u->ack),
		.rst = (uint32_t)u->rst,
		.drop_allow = (uint32_t)u->drop_allow,
		.drop_deny = (uint32_t)u->drop_deny,
		.drop_rl = (uint32_t)u->drop_rl,
		.made = (uint32_t)t->raw.new_sources,
		.untracked = (uint32_t)t->un.pkts,
		.drop_surge = (uint32_t)t->raw.drop_surge,
	};
}

/* Linear counting (Whang et al. 1990): n = -m ln(z/m), z of m bits unset. */
static double linear(const __u64 *w, unsigned bits, unsigned *unset)
{
	unsigned i;

	*unset = bits;
	for (i = 0; i < bits / 64; i++)
		*unset -= (unsigned)__builtin_popcountll(w[i]);
	return *unset == bits ? 0 : -(double)bits * log((*unset ? *unset : 0.5) / bits);
}

/* The finest resolution that is not near its end: the standard error is below 9 %
 * to 800 ports, below 17 % beyond. */
static uint32_t estimate(const struct kl_ports *p)
{
	unsigned unset;
	double n = linear(p->w, KL_PORTS_FINE, &unset);

	if (unset < 12) {
		n = 8 * linear(p->w + KL_PORTS_FINE / 64, KL_PORTS_MID, &unset);
		if (unset < 3)
			n = 128 * linear(p->w + (KL_PORTS_FINE + KL_PORTS_MID) / 64, KL_PORTS_COARSE, &unset);
	}
	return n > 65536 ? 65536 : (uint32_t)lround(n);
}

int src_open(struct src_walk *w, struct kern *k)
{
	int err = kern_src(k, 4, &w->t[0]);

	if (!err)
		err = kern_src(k, 6, &w->t[1]);
	src_rewind(w, k);
	return err;
}

void src_rewind(struct src_walk *w, struct kern *k)
{
	w->epoch = kern_cfg(k)->epoch;
	w->len6 = kern_cfg(k)->features & KL_F_SRC6_64 ? 64 : 128;
	w->family = w->way = 0;
	w->set = 0;
}

size_t src_slots(const struct src_walk *w)
{
	return ((size_t)w->t[0].sets + w->t[1].sets) * KL_WAYS;
}

struct pb pb_read(const volatile __u64 *word, const volatile __u32 *carry)
{
	struct pb p;
	uint32_t c;

	do {			/* a carry moves counts from one to the other */
		c = *carry;
		p.word = *word;
	} while (c != *carry);
	p.pkts = ((uint64_t)(c >> 16) << 27) + (p.word >> KL_PB_SHIFT);
	p.bytes = ((uint64_t)(c & 0xffff) << 35) + (p.word & ((1ull << KL_PB_SHIFT) - 1));
	return p;
}

static void read_record(const struct src_walk *w, const struct kern_src *t, size_t at, struct src_raw *out)
{
	const volatile struct kl_src *h = &t->hot[at];
	const volatile struct kl_cold *c = &t->cold[at];
	uint64_t key[2] = { h->key[0], h->key[1] };
	uint16_t epoch = h->epoch;
	struct pb taken, denied;

	memcpy(out->x.a, key, 16);
	out->x.len = w->family ? w->len6 : 128;
	out->ports = (epoch ^ w->epoch << 1) & 0xfffe ? 0 : epoch & 1 ? estimate(&t->ports[at]) : 1;
	out->seen_j = c->seen_j;
	out->syn = h->syn;
	out->udp = h->udp;
	out->icmp = c->icmp;
	out->other = c->other;
	out->odd = c->odd;
	out->rst = c->rst;
	out->answers = c->answers;
	out->drop_allow = c->drop_allow;
	out->drop_rl = h->drop_rl;
	taken = pb_read(&h->pb, &c->carry);
	denied = pb_read(&h->denied, &c->carry_denied);
	out->pb = taken.word;
	out->denied = denied.word;
	out->drop_deny = (uint32_t)denied.pkts;
	out->pkts = taken.pkts + denied.pkts;
	out->bytes = taken.bytes + denied.bytes;
}

/* Nothing arrived since then: one of two words moves with every packet. */
static bool idle(const struct kern_src *t, size_t at, const struct src_raw *p)
{
	const volatile struct kl_src *h = &t->hot[at];

	return p->pb == h->pb && p->denied == h->denied && !memcmp(p->x.a, (const void *)h->key, 16) &&
	       p->seen_j == t->cold[at].seen_j;
}

bool src_next(struct src_walk *w, const struct src_raw *prev, struct src_raw *out, size_t *slot)
{
	const struct kern_src *t;
	uint64_t word;
	size_t at;

	for (; w->family < 2; w->family++, w->set = 0, w->way = 0) {
		t = &w->t[w->family];
		for (; w->set < t->sets; w->set++, w->way = 0) {
			word = ((const volatile uint64_t *)t->tags)[w->set];
			if (!word)
				continue;
			for (; w->way < (int)KL_WAYS; w->way++) {
				if (!(word >> w->way * 8 & 0x7f))
					continue;
				at = (size_t)w->set * KL_WAYS + (size_t)w->way;
				*slot = at + (w->family ? (size_t)w->t[0].sets * KL_WAYS : 0);
				if (prev && idle(t, at, &prev[*slot]))
					continue;
				read_record(w, t, at, out);
				w->way++;
				return true;
			}
		}
	}
	return false;
}

void src_tick(struct kern *k, uint64_t dt_ns)
{
	volatile struct kl_cfg *cfg = kern_cfg(k);
	uint64_t now = boot_ns();

	if (now - cfg->epoch_ns < dt_ns / 2)
		return;
	cfg->epoch_ns = now;
	__atomic_fetch_add(&cfg->epoch, 1, __ATOMIC_SEQ_CST);
}
