/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader and writer of the stream: both ways to find marks, pieces of any
 * size, lines handed over as they arrive, what is bound and what is dropped. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../lib/base/die.h"
#include "../../lib/base/marks.h"
#include "../../lib/base/tsv.h"

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static uint64_t plain_marks(const unsigned char *p)
{
	uint64_t m = 0;
	int i;

	for (i = 0; i < 64; i++)
		if (p[i] < 0x20 || p[i] == '"' || p[i] == 0x7f)
			m |= UINT64_C(1) << i;
	return m;
}

static void marks_of_every_byte(void **state)
{
	unsigned char b[64];
	int c, i, round;

	for (round = 0; round < 200; round++)
		for (c = 0; c < 256; c++) {
			for (i = 0; i < 64; i++)
				b[i] = round & 1 ? (unsigned char)rnd() : "a \x80\xff"[rnd() % 4];
			b[rnd() % 64] = (unsigned char)c;
			assert_true(marks_swar((char *)b) == plain_marks(b));
			assert_true(marks((char *)b) == plain_marks(b));
		}
}

/* What a run did, as text: H header, R row, F frame, C cut; cells and times. */
struct seen {
	char *s;
	size_t n, room;
	int pkts, note;
	bool cells;
};

static void say(struct seen *v, const char *s, size_t n)
{
	if (v->n + n + 1 > v->room)
		v->s = realloc(v->s, v->room = 2 * (v->n + n + 1));
	memcpy(v->s + v->n, s, n);
	v->s[v->n += n] = 0;
}

static void on_header(void *self, const char *line, size_t n)
{
	say(self, "H", 1);
	if (((struct seen *)self)->cells)
		say(self, line, n);
}

static void say_row(struct seen *v, const char *what, const struct tsv_row *r)
{
	uint32_t n;
	const char *s;
	char t[48];

	say(v, what, 1);
	if (!v->cells)
		return;
	s = tsv_cell(r, v->pkts, &n);
	say(v, s, n);
	if (v->note >= 0) {
		s = tsv_cell(r, v->note, &n);
		say(v, ",", 1);
		say(v, s, n);
	}
	snprintf(t, sizeof(t), "@%lld ", (long long)r->time);
	say(v, t, strlen(t));
}

static void on_row(void *self, const struct tsv_row *r)
{
	say_row(self, "R", r);
}

static void on_frame(void *self, const struct tsv_row *r)
{
	assert_true(r->star);
	say_row(self, "F", r);
}

static void on_cut(void *self)
{
	say(self, "C", 1);
}

static const struct tsv_ops *ops_for(struct seen *v)
{
	static struct tsv_bind bind[3];
	static struct tsv_ops ops;

	bind[0] = (struct tsv_bind){ "pkts", &v->pkts, false };
	bind[1] = (struct tsv_bind){ "note", &v->note, true };
	ops = (struct tsv_ops){ .bind = bind, .header = on_header, .row = on_row, .frame = on_frame, .cut = on_cut };
	return &ops;
}

/* Runs text through a reader that gets it in pieces of at most piece bytes. */
static int run(struct seen *v, const char *text, size_t n, size_t piece)
{
	int p[2], st;
	struct tsv_in *in;

	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	in = tsv_open("x", p[0], ops_for(v), v);
	while (n) {
		size_t k = n < piece ? n : piece;

		assert_int_equal(write(p[1], text, k), (ssize_t)k);
		text += k;
		n -= k;
		if (!tsv_step(in))
			break;
	}
	close(p[1]);
	while (tsv_step(in) > 0)
		;
	st = tsv_close(in);
	close(p[0]);
	return st;
}

#define CHECK(text, want, status)                                                                                      \
	do {                                                                                                           \
		struct seen v_ = { .cells = true };                                                                    \
		size_t piece_;                                                                                         \
		for (piece_ = 1; piece_ < sizeof(text) + 1; piece_++) {                                                \
			v_.n = 0;                                                                                      \
			say(&v_, "", 0);                                                                               \
			assert_int_equal(run(&v_, text, sizeof(text) - 1, piece_), status);                            \
			assert_string_equal(v_.s, want);                                                               \
		}                                                                                                      \
		free(v_.s);                                                                                            \
	} while (0)

static void frames(void **state)
{
	CHECK("time\tsrc\tpkts\n", "Htime\tsrc\tpkts", KL_OK);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\n1.000\t*\t6\n2.500\t*\t-\n",
	      "Htime\tsrc\tpktsR5@1000 F6@1000 F-@2500 ", KL_OK);
	CHECK("time\tnote\tpkts\tsrc\n1.000\tn\t5\ta\n1.000\tm\t6\t*\n",
	      "Htime\tnote\tpkts\tsrcR5,n@1000 F6,m@1000 ", KL_OK);
	/* columns change in the middle; two frames of one time */
	CHECK("time\tsrc\tpkts\n1.000\t*\t6\ntime\tpkts\tsrc\n1.000\t7\tb\n1.000\t8\t*\n",
	      "Htime\tsrc\tpktsF6@1000 Htime\tpkts\tsrcR7@1000 F8@1000 ", KL_OK);
}

static void cut_frames(void **state)
{
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\n", "Htime\tsrc\tpktsR5@1000 C", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\n2.000\tb\t6\n2.000\t*\t7\n",
	      "Htime\tsrc\tpktsR5@1000 CR6@2000 F7@2000 ", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\ntime\tsrc\tpkts\n1.000\t*\t7\n",
	      "Htime\tsrc\tpktsR5@1000 CHtime\tsrc\tpktsF7@1000 ", KL_INPUT);
	CHECK("time\tsrc\tpkts\n2.000\ta\t5\n1.000\t*\t7\n", "Htime\tsrc\tpktsR5@2000 CF7@1000 ", KL_INPUT);
}

static void broken_input(void **state)
{
	CHECK("", "", KL_INPUT);
	CHECK("\n", "", KL_INPUT);
	CHECK("1.000\ta\t5\n", "", KL_INPUT);
	CHECK("time\tsrc\n", "", KL_INPUT);
	CHECK("time\tpkts\n", "", KL_INPUT);
	CHECK("time\tsrc\tpkts\tx\tx\n", "", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\n1.000\tb\n1.000\t*\t6\n", "Htime\tsrc\tpktsR5@1000 C", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\t6\n1.000\t*\t6\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\t\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n\ta\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1\ta\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\t5\r\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\"\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\0\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
	CHECK("time\tsrc\tpkts\n1.000\ta\x7f\t5\n", "Htime\tsrc\tpkts", KL_INPUT);
}

static void any_other_byte_may_stand(void **state)
{
	char text[] = "time\tsrc\tpkts\n1.000\t?\t5\n1.000\t*\t6\n";
	int c;

	for (c = 0x20; c < 256; c++) {
		struct seen v = { 0 };

		if (c == '"' || c == 0x7f || c == '*')
			continue;
		text[20] = (char)c;
		assert_int_equal(run(&v, text, sizeof(text) - 1, sizeof(text)), KL_OK);
		assert_string_equal(v.s, "HRF");
		free(v.s);
	}
}

/* Random frames in pieces of random size, against a count made while writing. */
static void pieces(void **state)
{
	static char text[300000];
	int round;

	for (round = 0; round < 40; round++) {
		struct seen v = { .cells = true }, want = { .cells = true };
		char *p = text + sprintf(text, "time\tfill\tsrc\tpkts\n");
		int t, i;

		say(&want, "Htime\tfill\tsrc\tpkts", 19);
		for (t = 1; p < text + 200000; t++)
			for (i = (int)(rnd() % 20); i >= 0; i--) {
				int width = (int)(rnd() % (rnd() % 50 ? 90 : 6000)) + 1;
				unsigned int pkts = (unsigned int)rnd() >> rnd() % 32;
				char row[64];

				p += sprintf(p, "%d.%03d\t%0*d\t%s\t%u\n", t, t % 1000, width, 0, i ? "10.0.0.1" : "*",
					     pkts);
				sprintf(row, "%c%u@%d ", i ? 'R' : 'F', pkts, t * 1000 + t % 1000);
				say(&want, row, strlen(row));
			}
		assert_int_equal(run(&v, text, (size_t)(p - text), rnd() % 3 ? 1 + rnd() % 65536 : 1 + rnd() % 100), KL_OK);
		assert_string_equal(v.s, want.s);
		free(v.s);
		free(want.s);
	}
}

static void long_lines(void **state)
{
	static char text[200000];
	static const size_t width[] = { TSV_LINE - 13, TSV_LINE - 12, TSV_LINE + 5000 };
	size_t i, piece;

	for (i = 0; i < 3; i++)
		for (piece = 4096; piece <= 65536; piece *= 4) {
			char *p = text + sprintf(text, "time\tsrc\tfill\tpkts\n");
			struct seen v = { 0 };

			p += sprintf(p, "1.000\t*\t");
			memset(p, 'x', width[i]);
			p += width[i];
			p += sprintf(p, "\t1234\n");
			/* 8 before, 5 after: the first is 65536 bytes long */
			assert_int_equal(run(&v, text, (size_t)(p - text), piece), i ? KL_INPUT : KL_OK);
			assert_string_equal(v.s, i ? "H" : "HF");
			free(v.s);
		}
}

/* The lenient pass over all of a line that is too long, in whatever pieces it comes. */
static void rest_of_a_long_line(void **state)
{
	static char fill[TSV_LINE + 1];
	struct seen v = { .cells = true };
	struct tsv_ops ops = *ops_for(&v);
	struct tsv_in *in;
	int p[2];

	memset(fill, 'x', sizeof(fill));
	ops.lenient = true;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	in = tsv_open("x", p[0], &ops, &v);
	assert_int_equal(write(p[1], "time\tsrc\tpkts\n", 14), 14);
	assert_int_equal(tsv_step(in), 1);
	assert_int_equal(write(p[1], fill, sizeof(fill)), sizeof(fill));
	assert_int_equal(tsv_step(in), 1);
	assert_int_equal(write(p[1], "1.0", 3), 3);
	assert_int_equal(tsv_step(in), 1);
	assert_int_equal(write(p[1], "00\tb\t5\n1.000\ta\t6\n1.000\t*\t7\n1.0", 30), 30);
	assert_int_equal(tsv_step(in), 1);
	assert_int_equal(write(p[1], "00\t*\t8\n", 7), 7);
	close(p[1]);
	while (tsv_step(in) > 0)
		;
	assert_int_equal(tsv_close(in), KL_NO);
	assert_string_equal(v.s, "Htime\tsrc\tpktsR6@1000 F7@1000 F8@1000 ");
	close(p[0]);
	free(v.s);
}

static void many_columns(void **state)
{
	int n, i;

	for (n = TSV_COLS; n <= TSV_COLS + 70; n += 35) {
		struct seen text = { 0 }, v = { 0 };
		char cell[16];

		say(&text, "time\tsrc\tpkts", 13);
		for (i = 3; i < n; i++)
			say(&text, cell, (size_t)sprintf(cell, "\tc%d", i));
		say(&text, "\n1.000\t*\t5", 10);
		for (i = 3; i < n; i++)
			say(&text, cell, (size_t)sprintf(cell, "\t%d", i));
		say(&text, "\n", 1);
		assert_int_equal(run(&v, text.s, text.n, 60000), n > TSV_COLS ? KL_INPUT : KL_OK);
		if (n <= TSV_COLS)
			assert_string_equal(v.s, "HF");
		else
			assert_null(v.s);
		free(v.s);
		free(text.s);
	}
}

/* A line is handed over by the step that reads its end, no later. */
static void lines_as_they_arrive(void **state)
{
	struct seen v = { 0 };
	struct tsv_in *in;
	int p[2];

	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	in = tsv_open("x", p[0], ops_for(&v), &v);
	assert_int_equal(tsv_step(in), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(p[1], "time\tsrc\tpkts\n1.0", 17), 17);
	assert_int_equal(tsv_step(in), 1);
	assert_string_equal(v.s, "H");
	assert_int_equal(write(p[1], "00\ta\t5\n1.000\t*\t6\n", 17), 17);
	assert_int_equal(tsv_step(in), 1);
	assert_string_equal(v.s, "HRF");
	assert_int_equal(tsv_step(in), -1);
	close(p[1]);
	assert_int_equal(tsv_step(in), 0);
	assert_int_equal(tsv_close(in), KL_OK);
	assert_int_not_equal(fcntl(p[0], F_GETFD), -1);
	close(p[0]);
	free(v.s);
}

static void writer(void **state)
{
	size_t n = 3 * TSV_LINE + 7, i;
	int fd = memfd_create("out", 0), keep = dup(fd);
	char *big = malloc(n), *got = malloc(n + 16);
	struct tsv_out o;

	for (i = 0; i < n; i++)
		big[i] = (char)('a' + i % 26);
	tsv_out_init(&o, fd, "out");
	tsv_puts(&o, "head\n");
	memcpy(tsv_room(&o, TSV_LINE), "row\n", 4);
	o.p += 4;
	assert_int_equal(lseek(keep, 0, SEEK_END), 0);
	tsv_flush(&o);
	assert_int_equal(lseek(keep, 0, SEEK_END), 9);
	tsv_put(&o, big, n);
	tsv_out_close(&o);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(pread(keep, got, n + 16, 0), (ssize_t)(n + 9));
	assert_memory_equal(got, "head\nrow\n", 9);
	assert_memory_equal(got + 9, big, n);
	close(keep);
	free(big);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_of_every_byte),
		cmocka_unit_test(frames),
		cmocka_unit_test(cut_frames),
		cmocka_unit_test(broken_input),
		cmocka_unit_test(any_other_byte_may_stand),
		cmocka_unit_test(pieces),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(rest_of_a_long_line),
		cmocka_unit_test(many_columns),
		cmocka_unit_test(lines_as_they_arrive),
		cmocka_unit_test(writer),
	};

	return cmocka_run_group_tests_name("tsv", tests, NULL, NULL);
}
