/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counts of a row. */
#include "rates.h"

bool cell_is(const struct tsv_row *r, int col, const char *word)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	return n == strlen(word) && !memcmp(s, word, n);
}

int rates_get(struct rates_cols *c, const struct tsv_row *r, struct rates *out)
{
	const int drop[] = { c->drop_rl, c->drop_deny, c->drop_allow };
	uint64_t n;
	int i;

	*out = (struct rates){ 0 };
	if (memo_f64(&c->tick, r, c->dt, &out->dt))
		return -1;
	if (out->dt <= 0)
		return tsv_bad(r, c->dt, "not above 0"), -1;
	for (i = 0; i < RATES; i++)
		if (!(i == 2 && cell_is(r, c->count[i], "-")) && tsv_u64(r, c->count[i], &out->count[i]))
			return -1;
	for (i = 0; i < 3; i++) {
		if (drop[i] < 0)
			continue;
		if (tsv_u64(r, drop[i], &n))
			return -1;
		out->dropped += n;
		if (!i)
			out->drop_rl = n;
	}
	return 0;
}
