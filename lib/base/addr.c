/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as text, both ways, by hand: inet_pton() and inet_ntop() cost
 * several times the rest of a row. */
#include "addr.h"
#include "num.h"

static const uint8_t map4[12] = { [10] = 0xff, [11] = 0xff };

/* Four octets; *s moves behind them. */
static int get4(const char **s, const char *end, uint8_t *a)
{
	const char *p = *s;
	int i;

	for (i = 0; i < 4; i++) {
		const char *from;
		unsigned int v = 0;

		if (i && (p == end || *p++ != '.'))
			return -1;
		for (from = p; p < end && p - from < 3 && *p >= '0' && *p <= '9'; p++)
			v = v * 10 + (unsigned int)(*p - '0');
		if (p == from || v > 255 || (p - from > 1 && *from == '0'))
			return -1;
		a[i] = (uint8_t)v;
	}
	*s = p;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to eight groups, one "::", the last two perhaps as an IPv4 address. */
static int get6(const char **s, const char *end, uint8_t *a)
{
	const char *p = *s;
	uint8_t b[16];
	int n = 0, gap = -1;

	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (n < 16 && p < end && hex(*p) >= 0) {
		const char *from = p;
		unsigned int v = 0;

		for (; p < end && p - from < 4 && hex(*p) >= 0; p++)
			v = v << 4 | (unsigned int)hex(*p);
		if (p < end && *p == '.') {
			p = from;
			if (n > 12 || get4(&p, end, b + n))
				return -1;
			n += 4;
			break;
		}
		b[n++] = (uint8_t)(v >> 8);
		b[n++] = (uint8_t)v;
		if (p == end || *p != ':')
			break;
		if (end - p >= 2 && p[1] == ':') {
			if (gap >= 0)
				return -1;
			gap = n;
			p += 2;
		} else if (n == 16 || end - p < 2 || hex(p[1]) < 0) {
			return -1;	/* a colon that leads nowhere */
		} else {
			p++;
		}
	}
	/* "::" stands for one group at least (RFC 4291, 2.2). */
	if (gap < 0 ? n != 16 : n > 14)
		return -1;
	if (gap < 0)
		gap = n;
	memset(a, 0, 16);
	memcpy(a, b, (size_t)gap);
	memcpy(a + 16 - (n - gap), b + gap, (size_t)(n - gap));
	*s = p;
	return 0;
}

int prefix_get(const char *s, size_t n, struct prefix *out)
{
	const char *end = s + n;
	struct prefix x, whole;
	uint32_t len, max = 32;

	memcpy(x.a, map4, 12);
	if (get4(&s, end, x.a + 12)) {
		max = 128;
		if (get6(&s, end, x.a))
			return -1;
	}
	len = max;
	if (s < end) {
		if (*s++ != '/' || end - s > 3 || (end - s > 1 && *s == '0') ||
		    get_u32(s, (size_t)(end - s), &len) || len > max)
			return -1;
	}
	x.len = (uint8_t)(128 - max + len);
	whole = x;
	prefix_mask(&x);
	*out = x;
	return prefix_eq(&x, &whole) ? 0 : -2;
}

static char *put4(char *p, const uint8_t *a)
{
	int i;

	for (i = 0; i < 4; i++) {
		unsigned int v = a[i];

		if (i)
			*p++ = '.';
		if (v >= 100) {
			*p++ = (char)('0' + v / 100);
			v %= 100;
			*p++ = (char)('0' + v / 10);
		} else if (v >= 10) {
			*p++ = (char)('0' + v / 10);
		}
		*p++ = (char)('0' + v % 10);
	}
	return p;
}

/* RFC 5952: lower case, no leading zeros, the longest run of two or more zero
 * groups as "::", the first of equals. */
static char *put6(char *p, const uint8_t *a)
{
	static const char digits[] = "0123456789abcdef";
	int i, j, gap = -1, len = 1;
	unsigned int g[8];

	for (i = 0; i < 8; i++)
		g[i] = (unsigned int)a[2 * i] << 8 | a[2 * i + 1];
	for (i = 0; i < 8; i = j + 1) {
		for (j = i; j < 8 && !g[j]; j++)
			;
		if (j - i > len) {
			gap = i;
			len = j - i;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == gap) {
			*p++ = ':';
			i += len - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		if (g[i] > 0xfff)
			*p++ = digits[g[i] >> 12];
		if (g[i] > 0xff)
			*p++ = digits[g[i] >> 8 & 15];
		if (g[i] > 0xf)
			*p++ = digits[g[i] >> 4 & 15];
		*p++ = digits[g[i] & 15];
	}
	return p;
}

char *prefix_put(char *p, const struct prefix *x)
{
	bool v4 = prefix_is4(x);

	p = v4 ? put4(p, x->a + 12) : put6(p, x->a);
	if (x->len < 128) {
		*p++ = '/';
		p = put_u64(p, v4 ? x->len - 96u : x->len);
	}
	return p;
}

const char *prefix_str(const struct prefix *x)
{
	static char text[PREFIX_TEXT + 1];

	*prefix_put(text, x) = 0;
	return text;
}

void prefix_mask(struct prefix *x)
{
	unsigned int i = x->len / 8;

	if (i >= 16)
		return;
	x->a[i] &= (uint8_t)(0xff00 >> x->len % 8);
	memset(x->a + i + 1, 0, 15 - i);
}

void prefix_last(const struct prefix *x, uint8_t last[16])
{
	memcpy(last, x->a, 16);
	for (int bit = x->len; bit < 128; bit++)
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

bool prefix_covers(const struct prefix *x, const struct prefix *y)
{
	struct prefix cut = *y;

	if (x->len > y->len)
		return false;
	cut.len = x->len;
	prefix_mask(&cut);
	return prefix_eq(&cut, x);
}
