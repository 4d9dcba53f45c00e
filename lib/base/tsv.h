/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of kl-tsv(5): read frames, write frames. The loop lives here; a
 * command supplies one function for a row and one for a finished frame.
 */
#ifndef KL_TSV_H
#define KL_TSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TSV_COLS 128		/* columns a stream may have */
#define TSV_LINE 65536		/* bytes a line may have */

/* ---- writing ---- */

struct tsv_out {
	int fd;
	char *buf, *p, *end;	/* p: where the next byte goes */
	const char *what;	/* for messages */
};

/* A writer on fd; makes a pipe as large as it may be. what is kept. */
void tsv_out_init(struct tsv_out *o, int fd, const char *what);
void tsv_flush(struct tsv_out *o);		/* ends the command when it cannot write */
/* Room for n <= TSV_LINE more bytes at o->p; writes out full buffers. */
static inline char *tsv_room(struct tsv_out *o, size_t n)
{
	if ((size_t)(o->end - o->p) < n)
		tsv_flush(o);
	return o->p;
}
void tsv_put(struct tsv_out *o, const char *s, size_t n);
void tsv_puts(struct tsv_out *o, const char *s);
void tsv_out_close(struct tsv_out *o);		/* flushes and closes, checks both; frees */

/* ---- reading ---- */

/* A row under the eyes. Cell i is [line + off[i], line + off[i+1] - 1). */
struct tsv_row {
	const char *line;	/* without its LF, not NUL-terminated */
	uint32_t len;
	uint32_t n;		/* cells */
	const uint32_t *off;
	int64_t time;		/* cell 0, milliseconds */
	bool star;		/* src is "*": the frame's totals, its last row */
};
static inline const char *tsv_cell(const struct tsv_row *r, int col, uint32_t *n)
{
	*n = r->off[col + 1] - 1 - r->off[col];
	return r->line + r->off[col];
}

/* A column a command binds by name. */
struct tsv_bind {
	const char *name;
	int *at;		/* set at each header; -1 when absent and optional */
	bool optional;
};

struct tsv_ops {
	const struct tsv_bind *bind;	/* ends with a NULL name; "time" and "src" are bound anyway */
	const char *const *adds;	/* NULL, or columns not to be in it, with room for them; or NULL */
	bool lenient;			/* a broken line is a bad row: reported, skipped */
	/* Each may be NULL. All get the self of tsv_run(). */
	void (*header)(void *self, const char *line, size_t len);	/* after binding */
	void (*row)(void *self, const struct tsv_row *r);	/* not the star row */
	void (*frame)(void *self, const struct tsv_row *star);	/* the frame is whole */
	void (*cut)(void *self);	/* the frame under way ended without its star row */
};

/*
 * Reads name ("-" or NULL: stdin) to its end. Returns KL_OK; KL_NO when rows were skipped;
 * KL_INPUT after a message when the input broke its schema: no header, a needed column missing,
 * any named twice, a wrong number of cells, an empty cell, a byte that may not stand in a cell, a
 * line over TSV_LINE, no LF at the end, no line at all: reading ends there; or a frame without
 * star row: reported, dropped, reading goes on. Ends the command when name cannot be opened or read.
 */
int tsv_run(const char *name, const struct tsv_ops *ops, void *self);

/* The same in steps, for who reads two inputs or stops on a signal. fd < 0: opens name. A step
 * is one read(): 1 go on, 0 the end, -1 nothing now (errno EAGAIN) or a signal came (EINTR).
 * tsv_close() returns what tsv_run() would; a given fd stays open. tsv_leave(): before the end. */
struct tsv_in *tsv_open(const char *name, int fd, const struct tsv_ops *ops, void *self);
int tsv_step(struct tsv_in *in);
int tsv_close(struct tsv_in *in);
int tsv_leave(struct tsv_in *in);

/* Reports a bad cell of the row being handled: "NAME: FILE:LINE: COLUMN: what 'cell'", once a frame,
 * the other rows counted ("suppressed N"), and has the run return KL_NO. The caller skips the row. */
void tsv_bad(const struct tsv_row *r, int col, const char *what);

/* Typed cells: 0, or -1 after tsv_bad(). what goes into the message: the range expected. */
int tsv_u64(const struct tsv_row *r, int col, uint64_t *out);
int tsv_f64(const struct tsv_row *r, int col, double *out);	/* >= 0 */
int tsv_time(const struct tsv_row *r, int col, int64_t *ms);

#endif
