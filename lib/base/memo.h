/* SPDX-License-Identifier: BSD-2-Clause */
/* A numeric cell that mostly says what it said one row before: read once. */
#ifndef KL_MEMO_H
#define KL_MEMO_H

#include "tsv.h"

struct memo {			/* zeroed: nothing read yet */
	char text[16];
	uint32_t n;
	double v;
};

/* As tsv_f64(). */
static inline int memo_f64(struct memo *m, const struct tsv_row *r, int col, double *out)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	if (n != m->n || memcmp(s, m->text, n)) {
		if (tsv_f64(r, col, &m->v))
			return -1;
		m->n = n <= sizeof(m->text) ? n : 0;
		memcpy(m->text, s, m->n);
	}
	*out = m->v;
	return 0;
}

#endif
