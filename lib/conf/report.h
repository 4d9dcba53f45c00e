/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with configuration, a line each: "NAME: FILE:LINE:COLUMN: PATH: what". */
#ifndef KL_CONF_REPORT_H
#define KL_CONF_REPORT_H

#include <stddef.h>

#define REPORT_MAX 20		/* errors that are shown */

#define PLACE_PATH 160

struct place {
	const char *file;	/* kept */
	size_t line, column;	/* from 1 */
	char path[PLACE_PATH];	/* of keys, "spec.graph.mode" */
};

struct report {			/* zeroed: nothing so far */
	unsigned errors;	/* found; those above REPORT_MAX are counted only */
};

/* An error. what is printed as it is; see got(). */
void report_error(struct report *r, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Something that is read and has no effect, or another one than one might think. */
void report_warning(const struct place *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends the command (status 2) when there were errors; says how many more there are. */
void report_end(const struct report *r);

/* The n bytes at s as a message shows them: at most 60, what is not printable as '?'. A static buffer. */
const char *report_text(const char *s, size_t n);

#endif
