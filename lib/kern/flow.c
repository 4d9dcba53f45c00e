/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the flow tables. */
#include <string.h>

#include "flow.h"
#include "src.h"

void flow_diff(const struct flow_raw *n, const struct flow_raw *p, struct flow_delta *d)
{
	static const struct flow_raw none;

	if (p->seen_j != n->seen_j || p->id != n->id || memcmp(p->x.a, n->x.a, sizeof(p->x.a)))
		p = &none;
	/* In their own width, as they wrap. */
	d->pkts = (n->pkts - p->pkts) & PB_PKTS_MASK;
	d->bytes = (n->bytes - p->bytes) & PB_BYTES_MASK;
	d->syn = (uint32_t)(n->syn - p->syn);
	d->drops = (uint32_t)(n->drops - p->drops);
	d->est = (uint32_t)(n->est - p->est);
}

void flow_add(struct flow_delta *sum, const struct flow_delta *d)
{
	sum->pkts += d->pkts;
	sum->bytes += d->bytes;
	sum->syn += d->syn;
	sum->drops += d->drops;
	sum->est += d->est;
}

int flow_open(struct flow_walk *w, struct kern *k)
{
	int err = kern_flow(k, 4, &w->t[0]);

	if (!err)
		err = kern_flow(k, 6, &w->t[1]);
	flow_rewind(w);
	return err;
}

void flow_rewind(struct flow_walk *w)
{
	w->family = w->way = 0;
	w->set = 0;
}

size_t flow_slots(const struct flow_walk *w)
{
	return ((size_t)w->t[0].sets + w->t[1].sets) * KL_WAYS;
}

/* The tag of one way, ordered against what is read of its record. 0: empty, or being filled. */
static uint8_t tag_of(const struct kern_flow *t, uint32_t set, int way)
{
	return (uint8_t)(__atomic_load_n(&t->tags[set], __ATOMIC_ACQUIRE) >> way * 8 & 0x7f);
}

static void read_record(const volatile struct kl_flow *h, struct flow_raw *out)
{
	uint64_t key[2] = { h->key[0], h->key[1] };
	struct pb pb;

	memcpy(out->x.a, key, 16);
	out->x.len = 128;
	out->id = h->id;
	out->seen_j = h->seen_j;
	/* Before the packets: a packet that comes meanwhile is not a SYN, nor dropped, before it is one. */
	out->syn = h->syn;
	out->drops = h->drops;
	out->est = h->est;
	out->carry = h->carry;
	pb = pb_read(&h->pb, &h->carry);
	out->pb = pb.word;
	out->pkts = pb.pkts;
	out->bytes = pb.bytes;
}

/* Nothing arrived since then: the word moves with every packet. */
static bool idle(const volatile struct kl_flow *h, const struct flow_raw *p)
{
	return p->pb == h->pb && p->carry == h->carry && p->seen_j == h->seen_j && p->id == h->id &&
	       !memcmp(p->x.a, (const void *)h->key, 16);
}

bool flow_next(struct flow_walk *w, const struct flow_raw *prev, struct flow_raw *out, size_t *slot)
{
	const volatile struct kl_flow *h;
	const struct kern_flow *t;
	uint8_t tag;
	size_t at;
	int way;

	for (; w->family < 2; w->family++, w->set = 0) {
		t = &w->t[w->family];
		for (; w->set < t->sets; w->set++, w->way = 0) {
			if (!((const volatile uint64_t *)t->tags)[w->set])
				continue;
			while ((way = w->way++) < (int)KL_WAYS) {
				tag = tag_of(t, w->set, way);
				if (!tag)
					continue;
				at = (size_t)w->set * KL_WAYS + (size_t)way;
				h = &t->hot[at];
				*slot = at + (w->family ? (size_t)w->t[0].sets * KL_WAYS : 0);
				if (idle(h, &prev[*slot]))
					continue;
				read_record(h, out);
				__atomic_thread_fence(__ATOMIC_ACQUIRE);
				/* Given to another flow meanwhile: that one's packets come next time. */
				if (tag_of(t, w->set, way) != tag || h->seen_j != out->seen_j)
					continue;
				return true;
			}
		}
	}
	return false;
}
