/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, durations, switches and times as configuration files write them. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/num.h"
#include "value.h"

#define DUR_MAX_MS ((int64_t)100 * 365 * 86400 * 1000)

static size_t digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i;
}

int value_number(const char *s, size_t n, double *out)
{
	char text[VALUE_TEXT];
	size_t i = n && (*s == '-' || *s == '+'), whole, part = 0, more;
	double v;

	whole = digits(s + i, n - i);
	if (n >= sizeof(text) || (whole > 1 && s[i] == '0'))
		return -1;
	i += whole;
	if (i < n && s[i] == '.') {
		part = digits(s + i + 1, n - i - 1);
		i += 1 + part;
	}
	if (!whole && !part)
		return -1;
	if (i < n && (s[i] == 'e' || s[i] == 'E')) {
		i++;
		i += i < n && (s[i] == '-' || s[i] == '+');
		more = digits(s + i, n - i);
		if (!more)
			return -1;
		i += more;
	}
	if (i != n)
		return -1;
	memcpy(text, s, n);
	text[n] = 0;
	v = strtod(text, NULL);
	if (!isfinite(v))
		return -1;
	*out = v;
	return 0;
}

void value_number_put(char out[VALUE_TEXT], double v)
{
	char *end;

	if (v == 0)
		v = 0;		/* no "-0" */
	end = put_f64(out, v, 9);
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	*end = 0;
}

/* The unit at s: its length, and its nanoseconds in *ns. 0: none. */
static size_t unit(const char *s, size_t n, int64_t *ns)
{
	static const struct { const char *name; int64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 },
		{ "ms", 1000000 }, { "s", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t i, len;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		len = strlen(units[i].name);
		if (len <= n && !memcmp(s, units[i].name, len) &&
		    (len == n || !isalpha((unsigned char)s[len]))) {
			*ns = units[i].ns;
			return len;
		}
	}
	return 0;
}

/* One number with its unit at s: its length, and nanoseconds added to *sum. 0: none. */
static size_t term(const char *s, size_t n, double *sum)
{
	size_t whole = digits(s, n), part = 0, len;
	char text[VALUE_TEXT];
	int64_t ns;

	len = whole;
	if (len < n && s[len] == '.') {
		part = digits(s + len + 1, n - len - 1);
		len += 1 + part;
	}
	if ((!whole && !part) || len >= sizeof(text))
		return 0;
	memcpy(text, s, len);
	text[len] = 0;
	n = unit(s + len, n - len, &ns);
	if (!n)
		return 0;
	*sum += strtod(text, NULL) * (double)ns;
	return len + n;
}

int value_duration(const char *s, size_t n, char out[VALUE_TEXT])
{
	bool minus = n && *s == '-', sign = n && (*s == '-' || *s == '+');
	size_t i = sign, len;
	double ns = 0, ms;
	int64_t got;

	if (n == i)
		return -1;
	if (n - i == 1 && s[i] == '0')
		i++;
	while (i < n) {
		len = term(s + i, n - i, &ns);
		if (!len)
			return -1;
		i += len;
	}
	/* Rounded to the nanosecond that Go counts in: 0.1ms is 100000 of them. */
	ms = round(ns) / 1e6;
	if ((minus && ns > 0) || ms > (double)DUR_MAX_MS || ms != floor(ms))
		return -2;
	if (n < VALUE_TEXT && !get_dur(s, n, &got) && (double)got == ms) {
		memcpy(out, s, n);
		out[n] = 0;
	} else {
		snprintf(out, VALUE_TEXT, "%.0f%s", ms, ms > 0 ? "ms" : "");
	}
	return 0;
}

int value_switch(const char *s, size_t n, bool *out)
{
	static const char *const words[] = { "true", "yes", "on", "false", "no", "off" };
	size_t i, k;

	for (i = 0; i < 6; i++) {
		if (strlen(words[i]) != n || strncasecmp(s, words[i], n))
			continue;
		/* True and TRUE, but not tRue. */
		for (k = 2; k < n && !isupper((unsigned char)s[k]) == !isupper((unsigned char)s[1]); k++)
			;
		if (k < n || (isupper((unsigned char)s[1]) && !isupper((unsigned char)s[0])))
			return -1;
		*out = i < 3;
		return 0;
	}
	return -1;
}

/* Exactly n digits at *s, which moves on; -1: they are not there. */
static int number_of(const char **s, const char *end, int n)
{
	int v = 0;

	if (end - *s < n || digits(*s, (size_t)n) != (size_t)n)
		return -1;
	while (n--)
		v = v * 10 + *(*s)++ - '0';
	return v;
}

static bool byte_of(const char **s, const char *end, const char *set)
{
	if (*s == end || !**s || !strchr(set, **s))
		return false;
	(*s)++;
	return true;
}

/* Days since 1970 of a date of the Gregorian calendar; month 1..12. */
static int64_t days(int y, int m, int d)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int full = m > 2 ? y : y - 1;	/* years whose leap day is over */

	return (int64_t)(y - 1970) * 365 + full / 4 - 492 - (full / 100 - 19) + full / 400 - 4 +
	       before[m - 1] + d - 1;
}

static int month_days(int y, int m)
{
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return n[m - 1] + (m == 2 && ((y % 4 == 0 && y % 100) || y % 400 == 0));
}

int value_rfc3339(const char *s, size_t n, int64_t *out)
{
	const char *end = s + n, *from;
	int y, mon, d, h, min, sec, zh = 0, zm = 0;
	int64_t ns = 0, t;
	bool west = false;

	y = number_of(&s, end, 4);
	if (y < 1970 || y > 2261 || !byte_of(&s, end, "-"))
		return -1;
	mon = number_of(&s, end, 2);
	if (mon < 1 || mon > 12 || !byte_of(&s, end, "-"))
		return -1;
	d = number_of(&s, end, 2);
	if (d < 1 || d > month_days(y, mon) || !byte_of(&s, end, "Tt"))
		return -1;
	h = number_of(&s, end, 2);
	if (h < 0 || h > 23 || !byte_of(&s, end, ":"))
		return -1;
	min = number_of(&s, end, 2);
	if (min < 0 || min > 59 || !byte_of(&s, end, ":"))
		return -1;
	sec = number_of(&s, end, 2);
	if (sec < 0 || sec > 59)
		return -1;
	if (byte_of(&s, end, ".")) {
		from = s;
		for (int64_t unit = 100000000; s < end && digits(s, 1); s++, unit /= 10)
			ns += (*s - '0') * unit;
		if (s == from)
			return -1;
	}
	if (!byte_of(&s, end, "Zz")) {
		if (!byte_of(&s, end, "+-"))
			return -1;
		west = s[-1] == '-';
		zh = number_of(&s, end, 2);
		if (zh < 0 || zh > 23 || !byte_of(&s, end, ":"))
			return -1;
		zm = number_of(&s, end, 2);
		if (zm < 0 || zm > 59)
			return -1;
	}
	if (s != end)
		return -1;
	t = days(y, mon, d) * 86400 + h * 3600 + min * 60 + sec - (west ? -1 : 1) * (zh * 3600 + zm * 60);
	*out = t * 1000000000 + ns;
	return 0;
}

unsigned value_distance(const char *a, const char *b)
{
	unsigned row[VALUE_TEXT], left, corner, i, j;
	size_t n = strlen(a), m = strlen(b);

	if (m + 1 > VALUE_TEXT || n + 1 > VALUE_TEXT)
		return 9;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= m; j++) {
			left = corner + (a[i - 1] != b[j - 1]);
			corner = row[j];
			if (row[j] + 1 < left)
				left = row[j] + 1;
			if (row[j - 1] + 1 < left)
				left = row[j - 1] + 1;
			row[j] = left;
		}
	}
	return row[m] < 9 ? row[m] : 9;
}
