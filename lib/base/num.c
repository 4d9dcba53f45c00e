/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as text, both ways, by hand: a row of the stream holds twenty of
 * them, and the C library's readers and writers cost ten times the rest. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num.h"

#define F64_TEXT 1024		/* longest fraction read */
#define DUR_MAX (36525 * INT64_C(86400000))

/* 10^k is a double without error up to k = 22. */
static const double ten[] = { 1e0,  1e1,  1e2,	1e3,  1e4,  1e5,  1e6,	1e7,  1e8,  1e9,  1e10, 1e11,
			      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static inline unsigned int digit(char c)
{
	return (unsigned int)(unsigned char)c - '0';
}

int get_u64(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!n)
		return -1;
	if (n <= 19) {		/* cannot overflow */
		for (i = 0; i < n; i++) {
			unsigned int d = digit(s[i]);

			if (d > 9)
				return -1;
			v = v * 10 + d;
		}
	} else {
		for (i = 0; i < n; i++) {
			unsigned int d = digit(s[i]);

			if (d > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
				return -1;
		}
	}
	*out = v;
	return 0;
}

int get_u32(const char *s, size_t n, uint32_t *out)
{
	uint64_t v;

	if (get_u64(s, n, &v) || v > UINT32_MAX)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

int get_i64(const char *s, size_t n, int64_t *out)
{
	bool neg = n && *s == '-';
	uint64_t v;

	if (get_u64(s + neg, n - neg, &v) || v > (uint64_t)INT64_MAX + neg)
		return -1;
	*out = neg ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int get_f64(const char *s, size_t n, double *out)
{
	bool neg = n && *s == '-';
	size_t i = neg, digits = 0, behind = 0;
	char text[F64_TEXT + 1];
	bool dot = false;
	uint64_t m = 0;
	double v;

	for (; i < n; i++) {
		unsigned int d = digit(s[i]);

		if (d <= 9) {
			m = m * 10 + d;		/* wraps only where it is not used */
			digits += digits || d;
			behind += dot;
		} else if (s[i] == '.' && !dot && i > neg) {
			dot = true;
		} else {
			return -1;
		}
	}
	if (i == neg || (dot && !behind))
		return -1;
	if (digits <= 15 && behind <= 22) {	/* both exact, so one rounding: the nearest */
		v = (double)m / ten[behind];
		*out = neg ? -v : v;
		return 0;
	}
	if (n > F64_TEXT)
		return -1;
	memcpy(text, s, n);
	text[n] = 0;
	v = strtod(text, NULL);
	if (!isfinite(v))
		return -1;
	*out = v;
	return 0;
}

int get_time(const char *s, size_t n, int64_t *ms)
{
	uint64_t sec, frac;

	if (n < 5 || s[n - 4] != '.' || get_u64(s, n - 4, &sec) || get_u64(s + n - 3, 3, &frac) ||
	    sec > (uint64_t)(INT64_MAX / 1000 - 1))
		return -1;
	*ms = (int64_t)(sec * 1000 + frac);
	return 0;
}

/* The unit at s in milliseconds; *n: its length. 0: none. */
static int64_t unit_ms(const char *s, size_t left, size_t *n)
{
	*n = 1;
	if (!left)
		return 0;
	switch (*s) {
	case 'm':
		if (left > 1 && s[1] == 's') {
			*n = 2;
			return 1;
		}
		return 60000;
	case 's':
		return 1000;
	case 'h':
		return 3600000;
	case 'd':
		return 86400000;
	}
	return 0;
}

int get_dur(const char *s, size_t n, int64_t *ms)
{
	int64_t sum = 0;
	size_t i = 0;

	if (n == 1 && *s == '0') {
		*ms = 0;
		return 0;
	}
	while (i < n) {
		size_t whole = i, frac, skip;
		int64_t unit, part = 0, scale = 1;
		uint64_t v;

		while (i < n && digit(s[i]) <= 9)
			i++;
		if (get_u64(s + whole, i - whole, &v))
			return -1;
		if (i < n && s[i] == '.') {
			frac = ++i;
			for (; i < n && digit(s[i]) <= 9 && i - frac < 9; i++) {
				part = part * 10 + digit(s[i]);
				scale *= 10;
			}
			if (i == frac)
				return -1;
		}
		unit = unit_ms(s + i, n - i, &skip);
		if (!unit || v > (uint64_t)(DUR_MAX / unit) || part * unit % scale)
			return -1;
		i += skip;
		sum += (int64_t)v * unit + part * unit / scale;
		if (sum > DUR_MAX)
			return -1;
	}
	if (!n)
		return -1;
	*ms = sum;
	return 0;
}

static const char two[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
			  "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
			  "8081828384858687888990919293949596979899";

/* The last n digits of v, zeros in front. */
static char *put_fixed(char *p, uint64_t v, int n)
{
	char *end = p + n;

	for (p = end; n >= 2; n -= 2, v /= 100)
		memcpy(p -= 2, two + 2 * (v % 100), 2);
	if (n)
		p[-1] = (char)('0' + v % 10);
	return end;
}

char *put_u64(char *p, uint64_t v)
{
	static const uint64_t pow[] = { 10,	100,	 1000,	   10000,     100000,
					1000000, 10000000, 100000000, 1000000000 };
	uint64_t top;
	int n = 0;

	if (v < 10) {
		*p = (char)('0' + v);
		return p + 1;
	}
	if (v >= 1000000000) {
		top = v / 1000000000;
		return put_fixed(put_u64(p, top), v - top * 1000000000, 9);
	}
	while (v >= pow[n])
		n++;
	return put_fixed(p, v, n + 1);
}

char *put_i64(char *p, int64_t v)
{
	if (v >= 0)
		return put_u64(p, (uint64_t)v);
	*p++ = '-';
	return put_u64(p, 0 - (uint64_t)v);
}

/*
 * v * 10^decimals is rounded once. Its fraction is a multiple of its last
 * place, which is 1/2 at most below 2^52, and the error is half of that at
 * most: only a fraction of exactly 1/2 can lie on the other side, and there
 * fma() yields the error itself. printf() breaks true ties to the even digit.
 */
char *put_f64(char *p, double v, int decimals)
{
	double a = fabs(v), scale = ten[decimals], x = a * scale, left;
	uint64_t i, whole;

	if (!(x < 0x1p52))
		return p + snprintf(p, PUT_MAX, "%.*f", decimals, v);
	i = (uint64_t)x;
	left = x - (double)i;
	if (left == 0.5) {
		double err = fma(a, scale, -x);

		i += err > 0 || (err == 0 && (i & 1));
	} else {
		i += left > 0.5;
	}
	if (signbit(v))
		*p++ = '-';
	whole = i / (uint64_t)scale;
	p = put_u64(p, whole);
	*p++ = '.';
	return put_fixed(p, i - whole * (uint64_t)scale, decimals);
}

char *put_time(char *p, int64_t ms)
{
	p = put_u64(p, (uint64_t)ms / 1000);
	*p++ = '.';
	return put_fixed(p, (uint64_t)ms % 1000, 3);
}
