/* SPDX-License-Identifier: BSD-2-Clause */
/* What was tallied, as rows of schemas/src.tsv and schemas/flow.tsv. */
#ifndef KL_TALLY_TEXT_H
#define KL_TALLY_TEXT_H

#include "tally.h"

#define TALLY_TEXT 384		/* room for all that is written here */

/* The cells from src on and the LF at p, no NUL; returns the end. s NULL: the star row. */
char *tally_src_put(char *p, const struct tally *t, const struct tally_src *s);
/* The cells from dir on; f NULL: the star row. */
char *tally_flow_put(char *p, const struct tally *t, const struct tally_flow *f);

#endif
