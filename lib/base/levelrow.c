/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading rows that say what is wanted. */
#include "die.h"
#include "levelrow.h"

int levelrow_get(const struct levelrow *c, const struct tsv_row *r, struct prefix *x, int *level,
		 int64_t *since, int64_t *until)
{
	uint32_t n, m;
	const char *src = tsv_cell(r, c->src, &n), *name = tsv_cell(r, c->level, &m);

	*since = 0;
	*until = -1;
	*level = 0;
	if (x && prefix_get(src, n, x))
		return tsv_bad(r, c->src, "not an address or prefix"), -1;
	if (!x && m == 1 && *name == '-')
		return 0;
	while (*level < c->n && (strlen(c->words[*level]) != m || memcmp(c->words[*level], name, m)))
		++*level;
	if (*level == c->n)
		return tsv_bad(r, c->level, "not OBSERVE, RATE_SOFT, RATE_HARD or BLOCK"), -1;
	if (*tsv_cell(r, c->until, &n) == '-')
		return 0;
	return tsv_time(r, c->until, until) || tsv_time(r, c->since, since) ? -1 : 0;
}

bool frame_stale(const struct tsv_row *star, int64_t now, int64_t max, const char *option)
{
	int64_t age = now - star->time;

	if (age <= max && -age <= max)
		return false;
	warn("frame %.*s refused: %.3f s %s (%s)", (int)star->off[1] - 1, star->line,
	     (double)(age < 0 ? -age : age) / 1000, age < 0 ? "in the future" : "old", option);
	return true;
}
