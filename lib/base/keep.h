/* SPDX-License-Identifier: BSD-2-Clause */
/* A table kept between runs: one frame of kl-tsv(5) in a file, a row an entry. */
#ifndef KL_KEEP_H
#define KL_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "table.h"

#define KEEP_CELLS 1024		/* room put() has */

struct keep {
	const char *header;	/* time, src, and at most 64 columns of cells */
	/* Writes the cells of an entry at p, a TAB before each; returns the end. */
	char *(*put)(char *p, const void *entry);
	/* Reads them into a new entry, whose key is set. -1, or the index of the
	 * first bad cell with *want saying what it should be. */
	int (*get)(void *entry, const char *const cell[], const uint32_t len[], const char **want);
};

/* Replaces path by the table. Ends the command (status 4) when it cannot; path is then as it was. */
void keep_save(const struct keep *k, const char *path, const struct table *t, int64_t time);

/* Fills the empty table from path and sets *time. False: there is no such file. Ends the
 * command with a message when it cannot be read (status 4) or is not one whole frame (status 3). */
bool keep_load(const struct keep *k, const char *path, struct table *t, int64_t *time);

#endif
