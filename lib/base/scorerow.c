/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading rows that were scored. */
#include "scorerow.h"

static int get_sev(const struct scorerow *c, const struct tsv_row *r, double *sev)
{
	if (tsv_f64(r, c->sev, sev))
		return -1;
	if (*sev > SCOREROW_SEV)
		return tsv_bad(r, c->sev, "above 10^9"), -1;
	return 0;
}

int scorerow_get(struct scorerow *c, const struct tsv_row *r, struct prefix *x, double *sev, double *drop)
{
	uint64_t drops;
	uint32_t n;
	double dt;
	const char *s = tsv_cell(r, c->src, &n);

	if (prefix_get(s, n, x))
		return tsv_bad(r, c->src, "not an address or prefix"), -1;
	if (get_sev(c, r, sev) || tsv_u64(r, c->drop_rl, &drops) || memo_f64(&c->tick, r, c->dt, &dt))
		return -1;
	if (dt <= 0)
		return tsv_bad(r, c->dt, "not above 0"), -1;
	*drop = (double)drops / dt;
	return 0;
}

int scorerow_star(const struct scorerow *c, const struct tsv_row *star, double *sev)
{
	uint32_t n;

	if (*tsv_cell(star, c->sev, &n) == '-')
		return 0;
	return get_sev(c, star, sev) ? -1 : 1;
}
