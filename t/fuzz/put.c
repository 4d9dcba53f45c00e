/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as text, against printf() and back. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "../../lib/base/num.h"
#include "fuzz.h"

/* What put wrote up to end, in a block of just PUT_MAX bytes, is want. */
static void check(char *text, const char *end, const char *want)
{
	MUST(end - text <= PUT_MAX && (size_t)(end - text) == strlen(want) && !memcmp(text, want, strlen(want)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int decimals = 1 + take_byte(&p, &n) % 9;
	char *text = malloc(PUT_MAX), want[400];
	uint64_t u;
	int64_t i;
	double f;

	if (n >= sizeof(u)) {
		memcpy(&u, p, sizeof(u));
		memcpy(&i, p, sizeof(i));
		memcpy(&f, p, sizeof(f));
		sprintf(want, "%" PRIu64, u);
		check(text, put_u64(text, u), want);
		sprintf(want, "%" PRId64, i);
		check(text, put_i64(text, i), want);
		i &= INT64_MAX;
		sprintf(want, "%" PRId64 ".%03d", i / 1000, (int)(i % 1000));
		check(text, put_time(text, i), want);
		if (!(fabs(f) < 1e15))
			f = (double)(u >> 14) / 1e3;
		sprintf(want, "%.*f", decimals, f);
		check(text, put_f64(text, f, decimals), want);
	}
	free(text);
	return 0;
}
