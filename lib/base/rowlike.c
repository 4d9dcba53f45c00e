/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows made in the shape of others. */
#include "rowlike.h"

char *rowlike_put(char *p, const struct tsv_row *like, int src, const struct prefix *x, int col,
		  const char *word)
{
	p = mempcpy(p, like->line, like->off[1] - 1);
	for (int i = 1; i < (int)like->n; i++) {
		*p++ = '\t';
		p = i == src ? prefix_put(p, x) : stpcpy(p, i == col ? word : "-");
	}
	return p;
}
