/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and prefixes as text, both ways, against the C library's. */
#include <arpa/inet.h>
#include <stdio.h>

#include "../../lib/base/addr.h"
#include "fuzz.h"

/* What prefix_get() is to make of the n bytes at s, a NUL behind them; s is changed. */
static int oracle(char *s, size_t n, struct prefix *x)
{
	char *slash = strchr(s, '/');
	unsigned long len, most = 32;

	*x = (struct prefix){ .a = { [10] = 0xff, [11] = 0xff } };
	if (strlen(s) != n)
		return -1;
	if (slash)
		*slash++ = 0;
	if (inet_pton(AF_INET, s, x->a + 12) != 1) {
		most = 128;
		if (inet_pton(AF_INET6, s, x->a) != 1)
			return -1;
	}
	len = slash ? strtoul(slash, NULL, 10) : most;
	if (slash && (!*slash || slash[strspn(slash, "0123456789")] || (*slash == '0' && slash[1])))
		return -1;
	if (len > most)
		return -1;
	x->len = (uint8_t)(128 - most + len);
	for (unsigned i = x->len; i < 128; i++)
		if (x->a[i / 8] >> (7 - i % 8) & 1)
			return -2;
	return 0;
}

static void check_text(const struct prefix *x)
{
	char s[PREFIX_TEXT], want[64];
	size_t n = (size_t)(prefix_put(s, x) - s);
	bool is4 = prefix_is4(x);
	struct prefix y;

	MUST(n < PREFIX_TEXT && !prefix_get(s, n, &y) && prefix_eq(x, &y));
	inet_ntop(is4 ? AF_INET : AF_INET6, is4 ? x->a + 12 : x->a, want, sizeof(want));
	if (!is4 && strchr(want, '.'))	/* ::a.b.c.d is the C library's spelling alone */
		return;
	if (x->len < 128)
		sprintf(want + strlen(want), "/%u", is4 ? x->len - 96u : x->len);
	MUST(n == strlen(want) && !memcmp(s, want, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *tight = copy_of(p, n), *text = strndup((const char *)p, n);
	struct prefix x, y;
	int st = prefix_get(tight, n, &x);

	MUST(st == oracle(text, n, &y) && (st || prefix_eq(&x, &y)));
	if (!st)
		check_text(&x);
	free(tight);
	free(text);
	return 0;
}
