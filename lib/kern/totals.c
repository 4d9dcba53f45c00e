/* SPDX-License-Identifier: BSD-2-Clause */
/* The totals: classes of packets, a value a CPU, to what people ask for. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kern.h"

static void by_kind(const struct kl_count *c, struct totals *t)
{
	bool syn, rst, ack;
	uint64_t n;
	int i, l4;

	*t = (struct totals){ .bytes = c->bytes, .pass = c->verdict[KL_PASS],
			      .drop_allow = c->verdict[KL_DROP_ALLOW],
			      .drop_deny = c->verdict[KL_DROP_DENY], .drop_rl = c->verdict[KL_DROP_RL] };
	for (i = 0; i < KL_CLASSES; i++) {
		n = c->class[i];
		l4 = i >> 3 & 3;
		syn = i & 4;
		rst = i & 2;
		ack = i & 1;
		t->pkts += n;
		*(i & 32 ? &t->v6 : &t->v4) += n;
		t->tcp += l4 == KL_L4_TCP ? n : 0;
		t->udp += l4 == KL_L4_UDP ? n : 0;
		t->icmp += l4 == KL_L4_ICMP ? n : 0;
		t->syn += syn && !ack ? n : 0;
		t->synack += syn && ack ? n : 0;
		t->rst += rst ? n : 0;
		t->ack += ack ? n : 0;
	}
}

int kern_totals(struct kern *k, struct kern_totals *out)
{
	const size_t words = sizeof(out->raw) / sizeof(uint64_t);
	int cpus = libbpf_num_possible_cpus(), i;
	uint64_t *all, *sum = (uint64_t *)&out->raw;
	uint32_t zero = 0;
	size_t w;

	if (cpus < 0)
		return cpus;
	all = calloc((size_t)cpus, sizeof(out->raw));
	if (!all)
		return -ENOMEM;
	if (bpf_map_lookup_elem(k->fd[PIN_TOTALS], &zero, all)) {
		free(all);
		return -errno;
	}
	memset(out, 0, sizeof(*out));
	for (i = 0; i < cpus; i++)
		for (w = 0; w < words; w++)
			sum[w] += all[(size_t)i * words + w];
	free(all);
	by_kind(&out->raw.all, &out->all);
	by_kind(&out->raw.un, &out->un);
	return 0;
}
