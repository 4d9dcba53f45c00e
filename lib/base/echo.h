/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that come back from the other end of the pipe one stands in, through a FIFO. */
#ifndef KL_ECHO_H
#define KL_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "tsv.h"

struct echo {
	const char *path;	/* not copied */
	const struct tsv_ops *ops;
	void *self;
	int fd;			/* for poll(): POLLIN, then echo_step() */
	struct tsv_in *in;
	bool heard;		/* the writer of the moment sent something */
	int status;		/* of the writers that are gone */
};

/* Opens the FIFO; never waits for a writer. Writers may come and go, each begins with a header. ops
 * (kept) should be lenient. Ends the command when it cannot be opened (status 4) or is no FIFO (2). */
void echo_open(struct echo *e, const char *path, const struct tsv_ops *ops, void *self);

/* Reads a piece of what poll() saw. False: its writer went. */
bool echo_step(struct echo *e, short seen);

/* Reads what there is and then, for at most wait milliseconds, what comes: until *done, or, with NULL,
 * until the writer is gone. False: that did not happen. */
bool echo_until(struct echo *e, int64_t wait, const bool *done);

/* KL_OK, KL_NO when rows were bad, KL_INPUT when a frame was cut. */
int echo_close(struct echo *e);

#endif
