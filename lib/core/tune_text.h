/* SPDX-License-Identifier: BSD-2-Clause */
/* What kl-tune keeps, as cells of schemas/tune.tsv and schemas/sample.tsv and back. */
#ifndef KL_TUNE_TEXT_H
#define KL_TUNE_TEXT_H

#include "tune.h"

#define HISTORY 30u	/* steps remembered */

struct history {
	struct tuned step[HISTORY];	/* the latest first */
	bool imported[HISTORY];
	size_t n;
};
void history_add(struct history *h, const struct tuned *d, bool imported);

struct learned {		/* all that kl-tune knows */
	const struct tune_conf *conf;
	double given[METRICS];	/* the triggers it began from */
	bool known;		/* those are */
	struct tune tune;
	struct history history;
	struct sample sample;
};

/* The trigger m is given. True: and not as the one it was learned from, so that it is learned anew. */
bool learned_from(struct learned *l, int m, double given);

/* Rows of the two files as lib/base/frame.h asks for them, learned being a struct learned: row i of
 * 2 + history.n, and of sample.n. Return the end. */
char *tune_put(void *learned, size_t i, char *p);
char *sample_put(void *learned, size_t i, char *p);
/* And back, in the same order: -1, or which cell, counted from src, is not *want (static). */
int tune_get(void *learned, const char *const cell[], const uint32_t len[], const char **want);
int sample_get(void *learned, const char *const cell[], const uint32_t len[], const char **want);

#endif
