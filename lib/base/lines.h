/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines kept in the order they came, to be handed out again in that order. */
#ifndef KL_LINES_H
#define KL_LINES_H

#include <stddef.h>

struct lines {			/* {0} is empty */
	char *p;
	size_t n, cap, at;	/* at: of the next one handed out */
};

/* Keeps the n bytes at s, which hold no LF. Ends the command when memory is out. */
void lines_add(struct lines *l, const char *s, size_t n);
/* The next line and its length, without LF; NULL behind the last one. */
const char *lines_next(struct lines *l, size_t *n);
void lines_clear(struct lines *l);	/* forgets them, keeps the memory */
void lines_free(struct lines *l);

#endif
