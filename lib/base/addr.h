/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and prefixes of both families in one form: 16 bytes in network
 * order, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), and a length counted in
 * those 128 bits: an IPv4 host is /128, an IPv4 /24 is /120.
 */
#ifndef KL_ADDR_H
#define KL_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix {			/* 17 bytes, no padding: compare with memcmp */
	uint8_t a[16];
	uint8_t len;		/* 0..128 */
};

#define PREFIX_TEXT 44		/* room for the longest text, with NUL */

/* Exactly the n bytes at s as "A.B.C.D", "V6", either with "/LEN". IPv4 is
 * strict dotted decimal (no leading zeros, four parts); IPv6 as RFC 4291,
 * v4-mapped text becomes IPv4. Returns 0; -1 when it is neither; -2 when bits
 * behind LEN are set (*out then holds the masked prefix). */
int prefix_get(const char *s, size_t n, struct prefix *out);

/* As text: IPv4 dotted, IPv6 as RFC 5952; "/LEN" unless it is a single host.
 * Writes at p without NUL, returns the end; PREFIX_TEXT bytes are enough. */
char *prefix_put(char *p, const struct prefix *x);
/* The same with NUL in a static buffer, for messages only. */
const char *prefix_str(const struct prefix *x);

/* Clears the bits behind x->len. */
void prefix_mask(struct prefix *x);
/* The last address in it. */
void prefix_last(const struct prefix *x, uint8_t last[16]);

static inline bool prefix_is4(const struct prefix *x)
{
	static const uint8_t map[12] = { [10] = 0xff, [11] = 0xff };

	return x->len >= 96 && !memcmp(x->a, map, 12);
}

static inline bool prefix_eq(const struct prefix *x, const struct prefix *y)
{
	return !memcmp(x, y, sizeof(*x));
}

/* Does x hold all of y? */
bool prefix_covers(const struct prefix *x, const struct prefix *y);

#endif
