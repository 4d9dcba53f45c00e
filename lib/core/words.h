/* SPDX-License-Identifier: BSD-2-Clause */
/* A few short words under small numbers, so that a row keeps one byte of them. */
#ifndef KL_WORDS_H
#define KL_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORD_MAX  31		/* bytes of a word */
#define WORDS_MAX 256

struct words {			/* zeroed: none */
	unsigned n, last;
	uint8_t len[WORDS_MAX];
	char text[WORDS_MAX][WORD_MAX + 1];
};

/* The number of the n bytes at s. -1: longer than WORD_MAX, or one word too many. */
int words_number(struct words *w, const char *s, size_t n);

#endif
