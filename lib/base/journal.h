/* SPDX-License-Identifier: BSD-2-Clause */
/* The latest frames of a stream in a file: appended, and begun anew, with the old one as PATH.1, when it
 * would grow beyond JOURNAL_BYTES. Both are streams of kl-tsv(5), whole at any moment but for a crash. */
#ifndef KL_JOURNAL_H
#define KL_JOURNAL_H

#include <stddef.h>

#define JOURNAL_BYTES (1u << 20)
#define JOURNAL_ROWS 1000	/* of a frame that are kept */

struct journal {		/* zeroed: a frame without rows */
	char *text;		/* the rows of the frame under way */
	size_t n, cap, rows;
};

/* One more row, with its LF. */
void journal_row(struct journal *j, const char *row, size_t n);
/* The frame is whole: its rows, and its star row, to path, if it has rows. header: with its LF. Ends the
 * command when it cannot; says how many rows were left out. */
void journal_frame(struct journal *j, const char *path, const char *header, const char *star);
void journal_free(struct journal *j);

#endif
