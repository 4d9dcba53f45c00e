/* SPDX-License-Identifier: BSD-2-Clause */
/* The totals: classes of packets, a value a CPU, to what people ask for. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
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

/* The one value of a pinned array with a value a CPU, all of them added. */
static int add_cpus(struct kern *k, int pin, uint64_t *sum, size_t words)
{
	int cpus = libbpf_num_possible_cpus(), i;
	uint32_t zero = 0;
	uint64_t *all;
	size_t w;

	if (cpus < 0)
		return cpus;
	all = calloc((size_t)cpus * words, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (bpf_map_lookup_elem(k->fd[pin], &zero, all)) {
		free(all);
		return -errno;
	}
	memset(sum, 0, words * sizeof(*sum));
	for (i = 0; i < cpus; i++)
		for (w = 0; w < words; w++)
			sum[w] += all[(size_t)i * words + w];
	free(all);
	return 0;
}

int kern_hist(struct kern *k, struct kl_hist *out)
{
	return add_cpus(k, PIN_HIST, (uint64_t *)out, sizeof(*out) / sizeof(uint64_t));
}

int hist_read(struct kern *k, uint64_t bin[HIST_BINS][HIST_WORDS])
{
	struct kl_hist h;
	int i, err = kern_hist(k, &h);

	if (err)
		return err;
	for (i = 0; i < KL_HIST_LENS; i++) {
		bin[i][HIST_PKTS] = h.len[i].pkts;
		bin[i][HIST_BYTES] = h.len[i].bytes;
		bin[i][HIST_DROPS] = 0;
	}
	_Static_assert(sizeof(h.port) == KL_HIST_PORTS * sizeof(*bin), "a port has the words of a bin");
	memcpy(bin + KL_HIST_LENS, h.port, sizeof(h.port));
	return 0;
}

int kern_totals(struct kern *k, struct kern_totals *out)
{
	int err = add_cpus(k, PIN_TOTALS, (uint64_t *)&out->raw, sizeof(out->raw) / sizeof(uint64_t));

	if (err)
		return err;
	by_kind(&out->raw.all, &out->all);
	by_kind(&out->raw.un, &out->un);
	return 0;
}
