/* SPDX-License-Identifier: BSD-2-Clause */
/* Violation frames (schemas/violation.tsv), read beside another input: from a
 * file or a FIFO, never waiting for either. */
#ifndef KL_VIOLATION_H
#define KL_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

#define KIND_MAX 31		/* bytes of a kind */

struct violation {
	int64_t time;		/* milliseconds */
	struct prefix src;
	bool force;
	uint32_t strikes;	/* those given, or what the score stands for */
	char kind[KIND_MAX + 1];
};

/* The cells behind the time of a row about the flow, and LF, at p, with at most VIOLATION_TEXT bytes; without
 * NUL. strikes: those the score stands for count, else none. Returns the end. */
#define VIOLATION_TEXT 192
char *violation_put(char *p, const struct flow *f, const char *kind, unsigned score, bool strikes,
		    bool force);

struct violations;

/*
 * Opens path. after: a regular file was read before up to that time; its rows
 * not later than that are passed over (INT64_MIN: none). Ends the command when
 * path cannot be opened. A FIFO needs no writer; every writer begins
 * with a header, and what one left unfinished is reported and dropped.
 */
struct violations *violations_open(const char *path, int64_t after);

/* How many rows with time <= until have come in whole frames, and where the
 * first stands, until the next call. Broken rows are reported with file and
 * line, and passed over. Rows are taken to come in order of time: a row
 * behind a later one waits for it. When until is earlier than at the last
 * call, nothing that came by then waits any more. */
size_t violations_due(struct violations *v, int64_t until, const struct violation **first);
/* Those are done with. */
void violations_done(struct violations *v);

/* KL_OK, KL_NO when rows were broken, KL_INPUT when a frame was cut. Frees.
 * For all three NULL is where no violations come from. */
int violations_close(struct violations *v);

#endif
