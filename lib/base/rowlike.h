/* SPDX-License-Identifier: BSD-2-Clause */
/* A row made in the shape of another, when a frame needs one that did not come in. */
#ifndef KL_ROWLIKE_H
#define KL_ROWLIKE_H

#include "addr.h"
#include "tsv.h"

/* Writes the time and the columns of like, without LF: x in column src, word
 * in column col, "-" in all others. Needs room for a line. Returns the end. */
char *rowlike_put(char *p, const struct tsv_row *like, int src, const struct prefix *x, int col,
		  const char *word);

#endif
