/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The newest time each pack was issued at, by its name, so that an older one is
 * not taken again: in memory, and in a file of the columns name and issued_at.
 */
#ifndef KL_CONF_ISSUED_H
#define KL_CONF_ISSUED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISSUED_TEXT 64		/* bytes of a time, with NUL */

struct issued_row {
	char *name;
	char text[ISSUED_TEXT];	/* as the pack had it */
	int64_t ns;		/* Unix time */
};

struct issued {
	const char *path;	/* kept */
	struct issued_row *rows;	/* by name */
	size_t n;
};

/* Reads path; missing: whether there need be no such file. Ends the command (status 2) when it cannot be
 * read or is none. */
void issued_open(struct issued *i, const char *path, bool missing);
/* Writes it anew, atomically; ends the command (status 4) when it cannot. */
void issued_save(const struct issued *i);
void issued_free(struct issued *i);

/* A pack of that name issued at ns, in its own words text (NULL: it does not say). NULL: it is taken, and
 * remembered from now on; else the text of the newest one. */
const char *issued_check(struct issued *i, const char *name, const char *text, int64_t ns);

#endif
