/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: built in one buffer, written in one call, so that the lines of
 * the stages of a pipe never mix. Bytes that could steer a terminal are shown as '?'. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"

const char *kl_name = "kernloom";

static void vwarn(const char *fmt, va_list ap)
{
	char msg[1024];
	int err = errno;
	size_t n, i;

	n = (size_t)snprintf(msg, sizeof(msg) - 1, "%s: ", kl_name);
	if (n < sizeof(msg) - 1)
		vsnprintf(msg + n, sizeof(msg) - 1 - n, fmt, ap);
	n = strlen(msg);
	for (i = 0; i < n; i++)
		if ((unsigned char)msg[i] < ' ' || msg[i] == 0x7f)
			msg[i] = '?';
	msg[n++] = '\n';
	/* Nothing is left to tell when stderr cannot be written. */
	if (write(STDERR_FILENO, msg, n) < 0)
		errno = err;
	errno = err;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarn(fmt, ap);
	va_end(ap);
}

void die(enum kl_status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarn(fmt, ap);
	va_end(ap);
	exit(st);
}

void *xalloc(unsigned long n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		die(KL_SYSTEM, "out of memory");
	return p;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xalloc(n), s, n);
}
