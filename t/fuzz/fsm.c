/* SPDX-License-Identifier: BSD-2-Clause */
/* kl-fsm(1) as a whole, with a whitelist and violations: its status, its
 * messages, and that whatever comes in, whole frames come out. */
#include <stdio.h>

#define main fsm_main
#define serve tsv_run		/* which holds no signals back */
#include "../../cmd/kl-fsm.c"
#undef main

#include "fuzz.h"

static int whole(void *ops)
{
	return tsv_run(NULL, ops, NULL);
}

static int run(void *argv)
{
	return fsm_main(7, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct tsv_ops any = { .lenient = false };
	uint8_t seed = take_byte(&p, &n);
	char white[32], side[32], *text;
	char *argv[] = { "kl-fsm", "--whitelist", white, "--violations", side, "--block-min-dur=1s", "-", NULL };
	size_t size;
	int fd[2], st;

	text = take_text(&p, &n, &size);
	fd[0] = file_of(text, size, white);
	free(text);
	text = take_text(&p, &n, &size);
	fd[1] = file_of(text, size, side);
	free(text);
	feed(p, n, seed);
	st = status_of(run, argv);
	free_left();
	MUST(st >= KL_OK && st <= KL_INPUT && !st == !said);
	close(fd[0]);
	close(fd[1]);
	if (!out_n)
		return 0;
	text = copy_of(out, size = out_n);
	feed(text, size, seed);
	MUST(status_of(whole, (void *)&any) == KL_OK && !said);
	free(text);
	return 0;
}
