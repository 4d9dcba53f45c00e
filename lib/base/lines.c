/* SPDX-License-Identifier: BSD-2-Clause */
/* One buffer that doubles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "lines.h"

void lines_add(struct lines *l, const char *s, size_t n)
{
	if (l->cap - l->n < n + 1) {
		size_t cap = 2 * l->cap + n + 4096;
		char *p = realloc(l->p, cap);

		if (!p)
			die(KL_SYSTEM, "cannot keep %zu bytes of rows: %s", cap, strerror(errno));
		l->p = p;
		l->cap = cap;
	}
	memcpy(l->p + l->n, s, n);
	l->n += n;
	l->p[l->n++] = '\n';
}

const char *lines_next(struct lines *l, size_t *n)
{
	const char *s = l->p + l->at;

	if (l->at == l->n)
		return NULL;
	*n = (size_t)((char *)memchr(s, '\n', l->n - l->at) - s);
	l->at += *n + 1;
	return s;
}

void lines_clear(struct lines *l)
{
	l->n = l->at = 0;
}

void lines_free(struct lines *l)
{
	free(l->p);
	*l = (struct lines){ 0 };
}
