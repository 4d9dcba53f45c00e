/* SPDX-License-Identifier: BSD-2-Clause */
/* SQL values as text. */
#include "sqltext.h"

static char *hex(char *p, const uint8_t *s, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	*p++ = 'x';
	*p++ = '\'';
	for (; n; n--, s++) {
		*p++ = digit[*s >> 4];
		*p++ = digit[*s & 15];
	}
	*p++ = '\'';
	return p;
}

char *sql_src(char *p, const struct prefix *x)
{
	*p++ = '\'';
	p = prefix_put(p, x);
	*p++ = '\'';
	return p;
}

char *sql_addr(char *p, const uint8_t a[16])
{
	return hex(p, a, 16);
}

char *sql_text(char *p, const char *s, size_t n)
{
	p = hex(stpcpy(p, "CAST("), (const uint8_t *)s, n);
	return stpcpy(p, " AS TEXT)");
}
