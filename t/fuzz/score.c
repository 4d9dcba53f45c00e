/* SPDX-License-Identifier: BSD-2-Clause */
/* kl-score(1) as a whole: its status, its messages, and that what it writes of
 * whole frames is a stream. */
#define main score_main
#include "../../cmd/kl-score.c"
#undef main

#include "fuzz.h"

static int read_back(void *ops)
{
	return tsv_run(NULL, ops, NULL);
}

/* A row may be as long as a line may be, and then grows. */
static bool outgrown(const char *s, size_t n)
{
	for (const char *lf; n && (lf = memchr(s, '\n', n)); n -= (size_t)(lf + 1 - s), s = lf + 1)
		if (lf - s > TSV_LINE)
			return true;
	return false;
}

static int run(void *words)
{
	char **argv = words;
	int argc = 0;

	while (argv[argc])
		argc++;
	return score_main(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tsv_ops any;
	uint8_t how = take_byte(&p, &n), seed = take_byte(&p, &n);
	char *argv[] = { "kl-score", "--combine", how & 1 ? "sum" : "max",
			 how & 2 ? "--trig-bps=1000" : NULL, NULL };
	const char *s = unfold(p, n, &n);
	void *copy;
	bool long_lines;
	int st, back;

	feed(s, n, seed);
	st = status_of(run, argv);
	free_left();
	MUST((st == KL_OK || st == KL_NO || st == KL_INPUT) && !st == !said);
	MUST(out_n || st == KL_INPUT);
	copy = copy_of(out, n = out_n);
	feed(copy, n, seed);
	long_lines = outgrown(copy, n);
	back = status_of(read_back, &any);
	free(copy);
	/* What was cut is passed on as it came: cut. */
	MUST(back == KL_OK || (back == KL_INPUT && (st == KL_INPUT || long_lines)));
	return 0;
}
