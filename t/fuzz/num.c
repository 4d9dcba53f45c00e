/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and times from text, against the C library's. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "../../lib/base/num.h"
#include "fuzz.h"

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* s is tight with a NUL behind it, and whole says that there is no NUL within. */
static void check_whole(const char *tight, const char *s, size_t n, bool whole)
{
	bool neg = *s == '-', ok = whole && digits(s + neg) && digits(s + neg) == n - neg, fits;
	unsigned long long u = 0;
	long long i = 0;
	uint64_t u64;
	uint32_t u32;
	int64_t i64;

	errno = 0;
	u = strtoull(s, NULL, 10);
	fits = ok && !neg && !errno;
	MUST(!get_u64(tight, n, &u64) == fits && (!fits || u64 == u));
	fits = fits && u <= UINT32_MAX;
	MUST(!get_u32(tight, n, &u32) == fits && (!fits || u32 == u));
	errno = 0;
	i = strtoll(s, NULL, 10);
	fits = ok && !errno;
	MUST(!get_i64(tight, n, &i64) == fits && (!fits || i64 == i));
}

static void check_f64(const char *tight, const char *s, size_t n, bool whole)
{
	const char *p = s + (*s == '-'), *dot = p + digits(p);
	bool ok = whole && dot != p && (!*dot || (*dot == '.' && digits(dot + 1))) && isfinite(strtod(s, NULL));
	double v;

	if (n > 1000)		/* beyond 1024 bytes it depends on where the digits are */
		return;
	ok = ok && dot + (*dot == '.') + (*dot ? digits(dot + 1) : 0) == s + n;
	MUST(!get_f64(tight, n, &v) == ok && (!ok || v == strtod(s, NULL)));
}

/* A time has one text but for zeros in front. */
static void check_time(const char *tight, size_t n)
{
	char text[PUT_MAX];
	int64_t ms;
	size_t k;

	if (get_time(tight, n, &ms))
		return;
	k = (size_t)(put_time(text, ms) - text);
	MUST(ms >= 0 && k <= n && !memcmp(text, tight + n - k, k) && strspn(tight, "0") >= n - k);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *tight = copy_of(p, n), *s = strndup((const char *)p, n);
	bool whole = strlen(s) == n;

	check_whole(tight, s, n, whole);
	check_f64(tight, s, n, whole);
	check_time(tight, n);
	free(tight);
	free(s);
	return 0;
}
