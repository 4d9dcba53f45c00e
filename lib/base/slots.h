/* SPDX-License-Identifier: BSD-2-Clause */
/* An array kept between runs: one frame of kl-tsv(5) in a file, a row an element that is not
 * empty, with its index in the column `slot`. */
#ifndef KL_SLOTS_H
#define KL_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_CELLS 1024	/* room put() has */

struct slots {
	const char *header;	/* time, slot, and at most 62 columns of cells, src among them */
	size_t size, n;		/* bytes an element; elements */
	/* Writes the cells of an element at p, a TAB before each; returns the end, or p: it is empty. */
	char *(*put)(char *p, const void *element);
	/* Reads them into a zeroed element. -1, or the index of the first bad cell with *wrong saying
	 * what it is not: "not a number". */
	int (*get)(void *element, const char *const cell[], const uint32_t len[], const char **wrong);
	size_t later;		/* columns, the last ones, that older files lack: read as 0 */
};

/* Replaces path by the array. instance: a number that tells whose it is. Ends the command
 * (status 4) when it cannot; path is then as it was. */
void slots_save(const struct slots *s, const char *path, const void *array, uint32_t instance, int64_t time);

/* Fills the zeroed array from path and sets *time. False: there is no such file. When the file is of another
 * instance the array stays zeroed, and *time is INT64_MAX. Rows beyond the array's end are passed over. Ends
 * the command with a message when the file cannot be read (status 4) or is not one whole frame (status 3). */
bool slots_load(const struct slots *s, const char *path, void *array, uint32_t instance, int64_t *time);

#endif
