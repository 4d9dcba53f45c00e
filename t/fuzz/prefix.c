/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes made of bytes as they come, which no text may lead to: what covers
 * what, sets of them, and their text. */
#include "../../lib/base/addr.h"
#include "../../lib/base/ranges.h"
#include "fuzz.h"

#define MOST 32

/* Do the first bits of both agree? */
static bool agree(const struct prefix *x, const struct prefix *y, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((x->a[i / 8] ^ y->a[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static void check_mask(const uint8_t *p, const struct prefix *x)
{
	static const struct prefix zero;
	struct prefix raw, rest = *x;

	memcpy(&raw, p, sizeof(raw));
	MUST(agree(&raw, x, x->len));
	for (unsigned i = 0; i < x->len; i++)
		rest.a[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	MUST(agree(&rest, &zero, 128));
}

static void check_text(const struct prefix *x)
{
	char s[PREFIX_TEXT];
	size_t n = (size_t)(prefix_put(s, x) - s);
	struct prefix y;

	MUST(n < PREFIX_TEXT && !prefix_get(s, n, &y) && prefix_eq(x, &y));
}

/* All but the first are in the set that is asked for the first. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ranges set = { 0 };
	struct prefix x[MOST];
	size_t count = n / sizeof(*x) < MOST ? n / sizeof(*x) : MOST;
	bool in = false;

	for (size_t i = 0; i < count; i++) {
		memcpy(&x[i], p + i * sizeof(*x), sizeof(*x));
		x[i].len %= 129;
		prefix_mask(&x[i]);
		check_mask(p + i * sizeof(*x), &x[i]);
		check_text(&x[i]);
		MUST(prefix_covers(&x[i], &x[0]) == (x[i].len <= x[0].len && agree(&x[i], &x[0], x[i].len)));
		in |= i && (prefix_covers(&x[i], &x[0]) || prefix_covers(&x[0], &x[i]));
		if (i)
			ranges_add(&set, &x[i]);
	}
	ranges_seal(&set);
	MUST(!count || ranges_meet(&set, &x[0]) == in);
	ranges_free(&set);
	return 0;
}
