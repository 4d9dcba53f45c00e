/* SPDX-License-Identifier: BSD-2-Clause */
/* Durations from text, against a second reader that counts in 10^-9 ms. */
#include "../../lib/base/num.h"
#include "fuzz.h"

#define NANO 1000000000

static const struct { const char *name; int64_t ms; } unit[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* The milliseconds that s spells; -1: none. */
static int64_t oracle(const char *s)
{
	const int64_t most = 36525 * INT64_C(86400000);
	__int128 sum = 0, part;
	size_t i;

	if (!strcmp(s, "0"))
		return 0;
	if (!*s)
		return -1;
	while (*s) {
		if (!digits(s))
			return -1;
		for (part = 0; digits(s); s++)
			part = part > most ? part : part * 10 + (*s - '0');
		part *= NANO;
		if (*s == '.') {
			int64_t place = NANO / 10;

			if (!digits(++s) || digits(s) > 9)
				return -1;
			for (; digits(s); s++, place /= 10)
				part += (*s - '0') * place;
		}
		for (i = 0; i < 5 && strncmp(s, unit[i].name, strlen(unit[i].name)); i++)
			;
		if (i == 5)
			return -1;
		s += strlen(unit[i].name);
		part *= unit[i].ms;
		sum += part;
		if (part % NANO || sum / NANO > most)
			return -1;
	}
	return (int64_t)(sum / NANO);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *tight = copy_of(p, n), *s = strndup((const char *)p, n);
	int64_t ms = -1, want = strlen(s) == n ? oracle(s) : -1;

	MUST(get_dur(tight, n, &ms) == (want < 0 ? -1 : 0) && ms == want);
	free(tight);
	free(s);
	return 0;
}
