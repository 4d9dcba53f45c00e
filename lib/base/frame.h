/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is one frame of rows in a fixed order: written whole, read whole. */
#ifndef KL_FRAME_H
#define KL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file.h"

#define FRAME_ROW 1024	/* room for the cells of a row behind its time */

/* n rows: put() writes row i's cells at p, src first, a TAB between, and returns the end. Replaces
 * path at once; ends the command (status 4) when it cannot. header: the schema's. */
void frame_save(const char *path, const char *header, int64_t time, size_t n,
		char *(*put)(void *self, size_t i, char *p), void *self, enum disk when);

/* Calls get() for each row with its cells behind time, as many as the header has; it returns -1, or which
 * of them, counted from src, is not *want. False: there is no such file, or, said, it is empty. Ends the
 * command with a message when it cannot be read (status 4) or is not one whole frame under that header
 * (status 3). */
bool frame_load(const char *path, const char *header, int64_t *time,
		int (*get)(void *self, const char *const cell[], const uint32_t len[], const char **want),
		void *self);

#endif
