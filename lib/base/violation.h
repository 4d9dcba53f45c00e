/* SPDX-License-Identifier: BSD-2-Clause */
/* Violation frames (schemas/violation.tsv), read beside another input: from a
 * file or a FIFO, never waiting for either. */
#ifndef KL_VIOLATION_H
#define KL_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

#define KIND_MAX 31		/* bytes of a kind */

struct violation {
	int64_t time;		/* milliseconds */
	struct prefix src;
	bool force, counted;
	uint32_t strikes;	/* when counted */
	uint32_t score;		/* 0..100 */
	char kind[KIND_MAX + 1];
};

struct violations;

/*
 * Opens path. after: a regular file was read before up to that time; its rows
 * not later than that are passed over (INT64_MIN: none). Ends the command when
 * path cannot be opened. A FIFO needs no writer; every writer begins
 * with a header, and what one left unfinished is reported and dropped.
 */
struct violations *violations_open(const char *path, int64_t after);

/* The next row, when one with time <= until has come in a whole frame. Broken
 * rows are reported with file and line, and passed over. Rows are taken to come
 * in order of time: a row behind a later one waits for it. */
bool violations_next(struct violations *v, int64_t until, struct violation *out);

/* KL_OK, KL_NO when rows were broken, KL_INPUT when a frame was cut. Frees.
 * NULL is a source of no violations, for these two. */
int violations_close(struct violations *v);

#endif
