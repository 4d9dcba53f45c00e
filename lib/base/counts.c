/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of a row. */
#include "counts.h"

const char *const scan_words[] = { "ports", "probes", NULL };

int count_get(const struct tsv_row *r, int col, uint64_t *out)
{
	const char *cell = "-";
	uint32_t n = 1;

	if (col >= 0)
		cell = tsv_cell(r, col, &n);
	if (n == 1 && *cell == '-') {
		*out = 0;
		return 0;
	}
	return tsv_u64(r, col, out);
}

static uint64_t less(uint64_t n, uint64_t some) { return some < n ? n - some : 0; }

/* Whom this host asks much comes to as many ports as it asked from: no more ports
 * were probed than packets came that are no answers. Nor does a RST probe: a server sends one
 * to each port of a client that is gone. Those with an ACK are taken off twice, so
 * that never so many are taken off that a SYN or a UDP packet would be missed. */
static int only_probes(const struct counts *c, const struct tsv_row *r, uint64_t n[COUNTS])
{
	uint64_t left = n[0], answer[3], rst, udp, most;

	for (int i = 0; i < 3; i++) {
		if (count_get(r, c->answer[i], &answer[i]))
			return -1;
		left = less(left, answer[i]);
	}
	if (left > n[1] && n[2]) {
		if (count_get(r, c->rst, &rst) || count_get(r, c->udp, &udp))
			return -1;
		most = less(less(left, n[1]), less(udp, answer[2]));
		left -= rst < most ? rst : most;
	}
	if (n[2] > left)
		n[2] = left;
	return 0;
}

int counts_get(struct counts *c, const struct tsv_row *r, uint64_t n[COUNTS], double *dt)
{
	if (memo_f64(&c->tick, r, c->dt, dt) || tsv_u64(r, c->col[0], &n[0]) ||
	    tsv_u64(r, c->col[1], &n[1]) || count_get(r, c->col[2], &n[2]) || tsv_u64(r, c->col[3], &n[3]) ||
	    (c->scan == SCAN_PROBES && only_probes(c, r, n)))
		return -1;
	if (*dt > 0)
		return 0;
	tsv_bad(r, c->dt, "not a number > 0");
	return -1;
}

int drops_get(const struct drops *d, const struct tsv_row *r, uint64_t *rl, uint64_t *all)
{
	const int col[] = { d->rl, d->deny, d->allow };
	uint64_t n[3] = { 0 };

	for (int i = 0; i < 3; i++)
		if (col[i] >= 0 && tsv_u64(r, col[i], &n[i]))
			return -1;
	*rl = n[0];
	*all = n[0] + n[1] + n[2];
	return 0;
}

bool cell_is(const struct tsv_row *r, int col, const char *word)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	return n == strlen(word) && !memcmp(s, word, n);
}
