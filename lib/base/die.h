/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to stderr, one line each, prefixed by the command's name; and the
 * exit statuses every command shares. */
#ifndef KL_DIE_H
#define KL_DIE_H

#include <stdarg.h>

enum kl_status {
	KL_OK = 0,
	KL_NO = 1,	/* a predicate says no, or bad rows were skipped */
	KL_USAGE = 2,	/* called wrongly, or bad configuration */
	KL_INPUT = 3,	/* input broke its schema or stopped inside a frame */
	KL_SYSTEM = 4,	/* the system failed; retrying may help */
};

/* The command's name, as messages print it. Set first thing in main(); the
 * string is kept, not copied. */
extern const char *kl_name;

/* "NAME: MESSAGE\n" to stderr, in one write. Keeps errno. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, then exit with that status. */
_Noreturn void die(enum kl_status st, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* malloc/calloc/strdup that end the command (status 4) when memory is out. */
void *xalloc(unsigned long n);		/* zeroed; free() it */
char *xstrdup(const char *s);

#endif
