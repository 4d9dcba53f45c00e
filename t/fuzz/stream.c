/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of the stream, whose input comes in pieces of any size, against
 * a model that has it whole. */
#include "model.h"

static struct log got;
static int extra;

static void header(void *self, const char *line, size_t n)
{
	note(self, 'H', 0, line, n);
}

static void cut(void *self)
{
	note(self, 'C', 0, "", 0);
}

static void row(void *self, const struct tsv_row *r)
{
	uint64_t v;
	uint32_t n;
	const char *s = tsv_cell(r, (int)r->n - 1, &n);

	MUST(r->line + r->len == s + n && r->off[0] == 0);
	note(self, r->star ? 'F' : 'R', r->time, s, n);
	if (extra >= 0 && !r->star)
		tsv_u64(r, extra, &v);
}

static int run(void *ops)
{
	return tsv_run(NULL, ops, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct tsv_bind bind[] = { { "x", &extra, true }, { 0 } };
	bool lenient = take_byte(&p, &n) & 1;
	struct tsv_ops ops = { bind, NULL, lenient, header, row, row, cut };
	uint8_t seed = take_byte(&p, &n);
	const char *s = unfold(p, n, &n);
	int st;

	got.n = 0;
	feed(s, n, seed);
	st = status_of(run, &ops);
	MUST(st == model(s, n, lenient));
	MUST(got.n == want.n && !memcmp(got.s, want.s, got.n));
	MUST(!st == !said);
	return 0;
}
