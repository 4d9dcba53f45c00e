/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of edges, of which the normals are kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "flowrow.h"
#include "normals.h"
#include "tsv.h"

struct reader {
	struct normals *k;
	struct flowrow col;
	int state, obs, median[RATES], mad[RATES], peak[RATES];
	uint64_t min_obs;
};

static int by_key(const void *a, const void *b)
{
	const struct flow *x = &((const struct normal *)a)->key, *y = &((const struct normal *)b)->key;
	int d = memcmp(&x->src, &y->src, sizeof(x->src));

	if (!d)
		d = x->proto - y->proto;
	if (!d)
		d = x->out - y->out;
	return d ? d : x->port - y->port;
}

static bool is(const struct tsv_row *r, int col, const char *word)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	return n == strlen(word) && !memcmp(s, word, n);
}

static void row(void *self, const struct tsv_row *r)
{
	struct reader *k = self;
	struct normals *to = k->k;
	struct normal x = { 0 };
	uint64_t obs;

	if (is(r, k->obs, "-") ||
	    !(is(r, k->state, "learned") || is(r, k->state, "approved") || is(r, k->state, "frozen")))
		return;
	if (tsv_u64(r, k->obs, &obs) || flowrow_key(&k->col, r, &x.key) || obs < k->min_obs || !obs)
		return;
	for (int i = 0; i < RATES; i++)
		if (tsv_f64(r, k->median[i], &x.median[i]) || tsv_f64(r, k->mad[i], &x.mad[i]) ||
		    tsv_f64(r, k->peak[i], &x.peak[i]))
			return;
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 1024;
		struct normal *more = reallocarray(to->x, cap, sizeof(*more));

		if (!more)
			die(KL_SYSTEM, "out of memory for %zu edges", cap);
		to->x = more;
		to->cap = cap;
	}
	to->x[to->n++] = x;
}

int normals_read(struct normals *k, const char *path, uint64_t min_obs)
{
	struct reader r = { .k = k, .min_obs = min_obs };
	const struct tsv_bind bind[] = {
		{ "dir", &r.col.dir, false }, { "src", &r.col.src, false }, { "port", &r.col.port, false },
		{ "proto", &r.col.proto, false }, { "state", &r.state, false }, { "bl_obs", &r.obs, false },
		{ "bl_pps_median", &r.median[PPS], false }, { "bl_pps_mad", &r.mad[PPS], false },
		{ "bl_pps_peak", &r.peak[PPS], false }, { "bl_bps_median", &r.median[BPS], false },
		{ "bl_bps_mad", &r.mad[BPS], false }, { "bl_bps_peak", &r.peak[BPS], false },
		{ NULL, NULL, false } };
	const struct tsv_ops ops = { .bind = bind, .row = row };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), st;
	struct tsv_in *in;

	file_changed(path, &k->seen);
	if (fd < 0) {
		warn("cannot read '%s': %s", path, strerror(errno));
		return -1;
	}
	in = tsv_open(path, fd, &ops, &r);
	while (tsv_step(in) > 0)
		;
	st = tsv_close(in);
	close(fd);
	if (st != KL_OK && st != KL_NO) {
		normals_free(k);
		return -1;
	}
	if (k->n)
		qsort(k->x, k->n, sizeof(*k->x), by_key);
	return 0;
}

void normals_free(struct normals *k)
{
	free(k->x);
	*k = (struct normals){ 0 };
}

void normals_refresh(struct normals *k, const char *path, uint64_t min_obs)
{
	struct normals x = { 0 };

	if (!file_changed(path, &k->seen))
		return;
	if (normals_read(&x, path, min_obs))
		return warn("what '%s' said before stays", path);
	x.seen = k->seen;
	normals_free(k);
	*k = x;
}

void normals_count(struct normals *k, const struct flow *f)
{
	struct normal key = { .key = *f }, *found;

	if (!k->n)
		return;
	found = bsearch(&key, k->x, k->n, sizeof(*k->x), by_key);
	key.key.port = 0;
	if (!found && f->soft)
		found = bsearch(&key, k->x, k->n, sizeof(*k->x), by_key);
	if (!found)
		return;
	found->key.pkts += f->pkts;
	found->key.bytes += f->bytes;
	found->key.est += f->est;
}
