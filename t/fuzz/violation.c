/* SPDX-License-Identifier: BSD-2-Clause */
/* Violation frames beside another input, from a file or from a pipe whose
 * writer writes on between two looks: only rows of whole frames, only when due. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../lib/base/die.h"
#include "../../lib/base/violation.h"
#include "fuzz.h"

struct asked {
	char path[32];
	int64_t after;
	int writer;		/* of the pipe, or -1 */
	const char *text;	/* what it has still to write */
	size_t text_n;
	const uint8_t *step;	/* how far time goes on from one look to the next */
	size_t steps, rows;
};

static void check(const struct violation *v, const struct asked *a, int64_t now)
{
	MUST(v->time >= 0 && v->time <= now && v->time > a->after);
	MUST(v->src.len <= 128 && v->strikes <= INT32_MAX && *v->kind && strlen(v->kind) <= KIND_MAX);
}

static void write_on(struct asked *a, size_t n)
{
	n = a->writer < 0 ? 0 : n < a->text_n ? n : a->text_n;
	MUST(!n || write(a->writer, a->text, n) == (ssize_t)n);
	a->text += n;
	a->text_n -= n;
}

static int run(void *arg)
{
	struct asked *a = arg;
	struct violations *v = violations_open(a->path, a->after);
	const struct violation *x;
	int64_t now = 0;

	for (size_t i = 0; i < a->steps; i++) {
		write_on(a, a->step[i]);
		now += a->step[i] * INT64_C(500);
		for (size_t k = violations_due(v, now, &x); k; k--, x++, a->rows++)
			check(x, a, now);
		if (a->step[i] & 1)	/* else the same rows are due again */
			violations_done(v);
	}
	return violations_close(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t how = take_byte(&p, &n);
	size_t size, stars = 0;
	char *text = take_text(&p, &n, &size);
	struct asked a = { "", INT64_MIN, -1, text, size, p, n, 0 };
	int fd[2], st;

	for (size_t i = 0; i + 2 <= size; i++)
		stars += !memcmp(text + i, "\t*", 2);
	if (how & 1) {
		MUST(!pipe2(fd, O_NONBLOCK | O_CLOEXEC) && size <= 65536);
		a.writer = fd[1];
		snprintf(a.path, sizeof(a.path), "/proc/self/fd/%d", fd[0]);
	} else {
		fd[0] = file_of(text, size, a.path);
		a.after = how & 2 ? 1000 : INT64_MIN;
	}
	st = status_of(run, &a);
	MUST(!st == !said && (st == KL_OK || st == KL_NO || st == KL_INPUT));
	MUST(stars || !a.rows);
	if (how & 1)
		close(fd[1]);
	close(fd[0]);
	free(text);
	return 0;
}
