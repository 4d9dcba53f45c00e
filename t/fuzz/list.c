/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of prefixes as people write them, and the set a whitelist is held as. */
#include <stdio.h>

#include "../../lib/base/die.h"
#include "../../lib/base/exempt.h"
#include "../../lib/base/file.h"
#include "fuzz.h"

#define MOST 64			/* prefixes that are looked at */

struct found {
	struct { struct prefix x; long line; } at[MOST];
	size_t n;
};

static const char *add(void *found, const struct prefix *x, long line)
{
	struct found *f = found;

	if (f->n < MOST) {
		f->at[f->n].x = *x;
		f->at[f->n].line = line;
	}
	f->n++;
	return NULL;
}

/* The same, a byte after the other. Returns the number of bad lines. */
static long oracle(const char *s, const char *end, struct found *f)
{
	long line = 1, bad = 0;

	for (; s < end; s++, line++) {
		struct prefix x;
		const char *word;

		while (s < end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		for (word = s; s < end && *s != '\n' && (!*s || !strchr(" \t\r,#;", *s)); s++)
			;
		if (s == word && (s == end || *s == '\n' || *s == '#' || *s == ';'))
			;
		else if (prefix_get(word, (size_t)(s - word), &x))
			bad++;
		else
			add(f, &x, line);
		while (s < end && *s != '\n')
			s++;
	}
	return bad;
}

static int open_set(void *set)
{
	exempt_open(set, "-");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t seed = take_byte(&p, &n);
	struct found got = { .n = 0 }, want = { .n = 0 };
	struct exempt set = { 0 };
	long bad = oracle((const char *)p, (const char *)p + n, &want);

	feed(p, n, seed);
	said = 0;
	MUST(list_read("-", add, &got) == bad && said == (unsigned)(bad > 10 ? 11 : bad));
	MUST(!memcmp(&got, &want, sizeof(got)));
	feed(p, n, seed);
	MUST(status_of(open_set, &set) == (bad ? KL_USAGE : 0));
	for (size_t i = 0; !bad && i < want.n && i < MOST; i++)
		MUST(exempt_has(&set, &want.at[i].x));
	exempt_close(&set);
	return 0;
}
