/* SPDX-License-Identifier: BSD-2-Clause */
/* Located messages of configuration files. */
#include <stdio.h>
#include <stdlib.h>

#include "../base/die.h"
#include "report.h"

#define SHOWN 60		/* bytes of a value that are shown */

static void say(const struct place *at, const char *kind, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	warn("%s:%zu:%zu: %s: %s%s", at->file, at->line, at->column, at->path, kind, text);
}

void report_error(struct report *r, const struct place *at, const char *fmt, ...)
{
	va_list args;

	if (r->errors++ >= REPORT_MAX)
		return;
	va_start(args, fmt);
	say(at, "", fmt, args);
	va_end(args);
}

void report_warning(const struct place *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(at, "warning: ", fmt, args);
	va_end(args);
}

void report_end(const struct report *r)
{
	if (!r->errors)
		return;
	if (r->errors > REPORT_MAX)
		die(KL_USAGE, "%u more errors", r->errors - REPORT_MAX);
	exit(KL_USAGE);
}

const char *report_text(const char *s, size_t n)
{
	static char text[SHOWN + 4];
	size_t i, len = n < SHOWN ? n : SHOWN;

	for (i = 0; i < len; i++)
		text[i] = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
	snprintf(text + len, sizeof(text) - len, "%s", n > len ? "..." : "");
	return text;
}
