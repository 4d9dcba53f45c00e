/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources under watch and prefixes, as text. */
#include "../base/num.h"
#include "rollup_text.h"

static char *put_when(char *p, int64_t t)
{
	*p++ = '\t';
	if (t != ROLLUP_UNSET)
		return put_time(p, t);
	*p++ = '-';
	return p;
}

char *rollup_put(char *p, const void *member)
{
	const struct rollup_member *m = member;

	return put_when(put_when(put_when(put_when(p, m->first), m->last), m->bad), m->fresh);
}

int rollup_get(void *member, const char *const cell[], const uint32_t len[], const char **want)
{
	struct rollup_member *m = member;
	int64_t *to[] = { &m->first, &m->last, &m->bad, &m->fresh };

	for (int i = 0; i < 4; i++) {
		*want = i < 2 ? "a time in seconds with three decimals" :
				"a time in seconds with three decimals, or -";
		if (i >= 2 && len[i] == 1 && *cell[i] == '-')
			*to[i] = ROLLUP_UNSET;
		else if (get_time(cell[i], len[i], to[i]))
			return i;
	}
	return -1;
}

char *rollup_cells(char *p, const struct rollup_group *g)
{
	*p++ = '\t';
	p = put_u64(p, g->bad + (g->level ? 0 : g->fresh));
	*p++ = '\t';
	p = put_u64(p, g->clean);
	*p++ = '\t';
	p = put_u64(p, g->clean_pkts);
	*p++ = '\t';
	p = put_f64(p, g->share, 6);
	*p++ = '\n';
	return p;
}
