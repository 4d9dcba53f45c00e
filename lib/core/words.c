/* SPDX-License-Identifier: BSD-2-Clause */
/* Words under numbers. Few and mostly the same as last time: no hash. */
#include <stdbool.h>
#include <string.h>

#include "words.h"

static bool is(const struct words *w, unsigned i, const char *s, size_t n)
{
	return w->len[i] == n && !memcmp(w->text[i], s, n);
}

int words_number(struct words *w, const char *s, size_t n)
{
	if (w->last < w->n && is(w, w->last, s, n))
		return (int)w->last;
	for (w->last = 0; w->last < w->n; w->last++)
		if (is(w, w->last, s, n))
			return (int)w->last;
	if (n > WORD_MAX || w->n == WORDS_MAX)
		return -1;
	memcpy(w->text[w->n], s, n);
	w->text[w->n][n] = 0;
	w->len[w->n] = (uint8_t)n;
	return (int)w->n++;
}
