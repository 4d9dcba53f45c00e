/* SPDX-License-Identifier: BSD-2-Clause */
/* What was tallied, as rows. Nothing was dropped. */
#include "../base/edge.h"
#include "../base/num.h"
#include "tally_text.h"

static char *cell(char *p, uint64_t v)
{
	*p++ = '\t';
	if (v < 10) {		/* most are */
		*p++ = (char)('0' + v);
		return p;
	}
	return put_u64(p, v);
}

char *tally_src_put(char *p, const struct tally *t, const struct tally_src *s)
{
	const struct tally_count *n = s ? &s->n : &t->all;

	p = s ? prefix_put(p, &s->x) : stpcpy(p, "*");
	p = cell(cell(cell(cell(p, n->pkts), n->bytes), n->tcp), n->udp);
	p = cell(cell(cell(cell(p, n->icmp), n->syn), n->ack), n->rst);
	p = s ? cell(p, s->ports) : stpcpy(p, "\t-");
	p = stpcpy(p, "\t0\t0\t0");
	p = s ? cell(p, n->answers) : stpcpy(p, "\t-");
	return stpcpy(cell(p, n->fresh), "\n");
}

char *tally_flow_put(char *p, const struct tally *t, const struct tally_flow *f)
{
	if (f) {
		const struct tally_src *s = table_at(&t->srcs, f->src);

		p = prefix_put(stpcpy(p, f->out ? "out\t" : "in\t"), &s->x);
		p = cell(p, f->port);
		*p++ = '\t';
		p = proto_put(p, &s->x, f->proto);
		p = cell(cell(cell(p, f->pkts), f->bytes), f->syn);
	} else {
		p = stpcpy(p, "-\t*\t-\t-");
		p = cell(cell(cell(p, t->all.pkts), t->all.bytes), t->all.syn);
	}
	return stpcpy(p, "\t0\t-\n");
}
