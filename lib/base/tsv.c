/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a stream. Input is read in large pieces; only whole lines are looked at,
 * what is left of a piece is moved in front of where the next one goes. Marks
 * (marks.h) are taken 64 bytes at a time and spent line after line.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "die.h"
#include "marks.h"
#include "num.h"
#include "tsv.h"

#define PIPE_SIZE (1 << 20)
#define IN_SIZE   (256 * 1024)
#define TIME_TEXT 24
#define SHOWN     48		/* bytes of a bad cell in a message */

struct tsv_in {
	struct tsv_row row;	/* first: tsv_bad() comes from it to the reader */
	const char *name;	/* for messages */
	const struct tsv_ops *ops;
	void *self;
	int fd;
	bool owned;		/* fd is ours to close */
	bool broken;		/* nothing more is read */
	enum kl_status status;
	uint64_t line;

	char *buf;		/* tail, piece, and 64 bytes that marks() may touch */
	size_t tail;		/* bytes of an unfinished line before buf + TSV_LINE */
	bool skip;		/* up to the next LF: the rest of a line that was too long */

	uint32_t cols;		/* 0: no header yet */
	int src;
	char *head;		/* the header line */
	uint32_t head_off[TSV_COLS + 2];

	bool open;		/* rows of a frame came, its star row did not */
	int64_t frame;		/* its time, and the text of it */
	char text[TIME_TEXT];
	uint32_t text_len;
	uint64_t bad;		/* bad rows of this frame, the one of bad_line last */
	uint64_t bad_line;

	uint32_t off[TSV_COLS + 2];
};

#define IN_AT(in) ((in)->buf + TSV_LINE + 1)	/* where pieces are read to */

static const char *time_text(int64_t ms)
{
	static char s[PUT_MAX + 1];

	*put_time(s, ms) = 0;
	return s;
}

static void frame_end(struct tsv_in *in)
{
	if (in->bad > 1)
		warn("%s: frame %s: suppressed %llu", in->name, time_text(in->frame),
		     (unsigned long long)in->bad - 1);
	in->bad = in->bad_line = 0;
	in->open = false;
}

static void frame_drop(struct tsv_in *in)
{
	if (in->ops->cut)
		in->ops->cut(in->self);
	frame_end(in);
}

/* The frame under way ends here without its star row. */
static void frame_cut(struct tsv_in *in)
{
	if (!in->open)
		return;
	warn("%s:%llu: frame %s ended without its star row", in->name, (unsigned long long)in->line,
	     time_text(in->frame));
	in->status = KL_INPUT;
	frame_drop(in);
}

/* The input broke its schema at s: one line, and the end of reading; or a bad
 * row, reported as tsv_bad() does, when the command is lenient. */
static void broken(struct tsv_in *in, const char *what, const char *s, size_t n)
{
	bool more = n > SHOWN;

	if (in->ops->lenient && in->bad++)
		return;
	if (s)
		warn("%s:%llu: %s '%.*s%s'", in->name, (unsigned long long)in->line, what,
		     more ? SHOWN : (int)n, s, more ? "..." : "");
	else
		warn("%s:%llu: %s", in->name, (unsigned long long)in->line, what);
	if (in->ops->lenient) {
		in->bad_line = in->line;
		in->status = in->status ? in->status : KL_NO;
		return;
	}
	in->broken = true;
	in->status = KL_INPUT;
	if (in->open)
		frame_drop(in);
}

static uint32_t cell_is(const struct tsv_in *in, uint32_t i, const char *name)
{
	size_t n = strlen(name);

	return in->head_off[i + 1] - 1 - in->head_off[i] == n && !memcmp(in->head + in->head_off[i], name, n);
}

static int column(const struct tsv_in *in, const char *name)
{
	uint32_t i;

	for (i = 0; i < in->cols; i++)
		if (cell_is(in, i, name))
			return (int)i;
	return -1;
}

static bool same_cell(const struct tsv_in *in, uint32_t i, uint32_t j)
{
	uint32_t n = in->head_off[i + 1] - in->head_off[i];

	return in->head_off[j + 1] - in->head_off[j] == n &&
	       !memcmp(in->head + in->head_off[i], in->head + in->head_off[j], n - 1);
}

/* Rows under such a header are none, until a better one comes. */
static void bad_header(struct tsv_in *in, const char *what, const char *s, size_t n)
{
	broken(in, what, s, n);
	in->status = KL_INPUT;
	in->cols = 0;
}

/* Binds the columns of the header that was just split into row. */
static void take_header(struct tsv_in *in)
{
	const struct tsv_row *r = &in->row;
	const struct tsv_ops *ops = in->ops;
	const struct tsv_bind *b;
	const char *const *a;
	uint32_t i, j;

	frame_cut(in);
	free(in->head);
	in->head = memcpy(xalloc(r->len + 1), r->line, r->len);
	memcpy(in->head_off, r->off, (r->n + 1) * sizeof(*r->off));
	in->cols = r->n;
	for (i = 1; i < in->cols; i++)
		for (j = 0; j < i; j++)
			if (same_cell(in, i, j))
				return bad_header(in, "column named twice", in->head + in->head_off[i],
						  in->head_off[i + 1] - 1 - in->head_off[i]);
	in->src = column(in, "src");
	if (in->src < 0)
		return bad_header(in, "missing column", "src", 3);
	for (b = ops->bind; b && b->name; b++) {
		*b->at = column(in, b->name);
		if (*b->at < 0 && !b->optional)
			return bad_header(in, "missing column", b->name, strlen(b->name));
	}
	for (a = ops->adds; a && *a; a++) {
		if (column(in, *a) >= 0)
			return bad_header(in, "column is already there", *a, strlen(*a));
		if (in->cols + (a - ops->adds) >= TSV_COLS)
			return bad_header(in, "128 columns leave no room for", *a, strlen(*a));
	}
	if (ops->header)
		ops->header(in->self, r->line, r->len);
}

static void take_row(struct tsv_in *in)
{
	struct tsv_row *r = &in->row;
	uint32_t n;
	const char *s;

	if (r->n != in->cols) {
		char what[64];

		snprintf(what, sizeof(what), "%u cells under a header of %u", r->n, in->cols);
		return broken(in, what, NULL, 0);
	}
	s = tsv_cell(r, 0, &n);
	if (n != in->text_len || memcmp(s, in->text, n)) {
		int64_t ms;

		if (get_time(s, n, &ms) || n > TIME_TEXT)
			return broken(in, "time: not Unix seconds with three decimals", s, n);
		if (in->open && ms != in->frame)
			frame_cut(in);
		in->frame = ms;
		in->text_len = n;
		memcpy(in->text, s, n);
	}
	in->open = true;
	r->time = in->frame;
	s = tsv_cell(r, in->src, &n);
	r->star = n == 1 && *s == '*';
	if (!r->star) {
		if (in->ops->row)
			in->ops->row(in->self, r);
		return;
	}
	if (in->ops->frame)
		in->ops->frame(in->self, r);
	frame_end(in);
}

static void take_line(struct tsv_in *in)
{
	const struct tsv_row *r = &in->row;

	if (r->off[1] == 5 && !memcmp(r->line, "time", 4))
		take_header(in);
	else if (in->cols)
		take_row(in);
	else
		broken(in, "no header: the first column is not 'time' but", r->line, r->off[1] - 1);
}

/* What is wrong with a byte that is no end of a cell. */
static void bad_byte(struct tsv_in *in, unsigned char c)
{
	char what[64];

	if (c == '"')
		return broken(in, "a quotation mark may not stand in a cell", NULL, 0);
	if (c == '\r')
		return broken(in, "a carriage return may not stand in a cell", NULL, 0);
	snprintf(what, sizeof(what), "byte 0x%02x may not stand in a cell", c);
	broken(in, what, NULL, 0);
}

static inline const char *next_mark(const char **block, uint64_t *m)
{
	const char *at;

	while (!*m)
		*m = marks(*block += 64);
	at = *block + __builtin_ctzll(*m);
	*m &= *m - 1;
	return at;
}

/* Splits and hands over the lines of [p, end); the last byte is an LF. */
static void take_lines(struct tsv_in *in, const char *p, const char *end)
{
	struct tsv_row *r = &in->row;
	const char *block = p;
	uint64_t m = marks(block);

	r->off = in->off;
	in->off[0] = 0;
	while (p < end) {
		const char *cell = p, *at;
		uint32_t n = 0;

		in->line++;
		for (;;) {
			at = next_mark(&block, &m);
			if ((*at != '\t' && *at != '\n') || at == cell)
				break;
			cell = at + 1;
			n += n <= TSV_COLS;
			in->off[n] = (uint32_t)(cell - p);
			if (*at == '\n')
				break;
		}
		r->line = p;
		r->len = (uint32_t)(at - p);
		r->n = n;
		if (*at != '\t' && *at != '\n')
			bad_byte(in, (unsigned char)*at);
		else if (at == cell)
			broken(in, at == p && *at == '\n' ? "empty line" : "empty cell", NULL, 0);
		else if (at - p > TSV_LINE)
			broken(in, "line is longer than 65536 bytes", NULL, 0);
		else if (n > TSV_COLS)
			broken(in, "more than 128 columns", NULL, 0);
		else
			take_line(in);
		if (in->broken)
			return;
		while (*at != '\n')
			at = next_mark(&block, &m);
		p = at + 1;
	}
}

struct tsv_in *tsv_open(const char *name, int fd, const struct tsv_ops *ops, void *self)
{
	struct tsv_in *in = xalloc(sizeof(*in));

	in->name = name && strcmp(name, "-") ? name : "stdin";
	in->fd = fd;
	if (fd < 0) {
		in->owned = name && strcmp(name, "-");
		in->fd = in->owned ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
		if (in->fd < 0)
			die(KL_SYSTEM, "cannot read '%s': %s", in->name, strerror(errno));
	}
	fcntl(in->fd, F_SETPIPE_SZ, PIPE_SIZE);
	in->ops = ops;
	in->self = self;
	in->buf = xalloc(TSV_LINE + 1 + IN_SIZE + 64);
	return in;
}

int tsv_step(struct tsv_in *in)
{
	char *at = IN_AT(in), *from = at - in->tail, *end, *lf;
	ssize_t n;

	if (in->broken)
		return 0;
	n = read(in->fd, at, IN_SIZE);
	if (n < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return -1;
		die(KL_SYSTEM, "cannot read '%s': %s", in->name, strerror(errno));
	}
	if (!n)
		return 0;
	end = at + n;
	if (in->skip) {
		lf = memchr(at, '\n', (size_t)n);
		if (!lf)
			return 1;
		from = at = lf + 1;
		in->skip = false;
	}
	lf = memrchr(at, '\n', (size_t)(end - at));
	if (lf) {
		take_lines(in, from, lf + 1);
		from = lf + 1;
	}
	in->tail = (size_t)(end - from);
	if (in->broken)
		return 0;
	if (in->tail > TSV_LINE) {
		in->line++;
		broken(in, "line is longer than 65536 bytes", NULL, 0);
		in->tail = 0;
		in->skip = true;
		return !in->broken;
	}
	memmove(IN_AT(in) - in->tail, from, in->tail);
	return 1;
}

int tsv_leave(struct tsv_in *in)
{
	int st = in->status;

	if (in->owned)
		close(in->fd);
	free(in->head);
	free(in->buf);
	free(in);
	return st;
}

int tsv_close(struct tsv_in *in)
{
	if (!in->broken && in->tail) {
		in->line++;
		broken(in, "the last line does not end with a newline", NULL, 0);
	} else if (!in->broken && !in->line) {
		warn("%s: empty: not even a header", in->name);
		in->status = KL_INPUT;
	}
	frame_cut(in);
	return tsv_leave(in);
}

int tsv_run(const char *name, const struct tsv_ops *ops, void *self)
{
	struct tsv_in *in = tsv_open(name, -1, ops, self);

	for (;;) {
		int more = tsv_step(in);

		if (!more)
			return tsv_close(in);
		if (more < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = in->fd, .events = POLLIN }, 1, -1);
	}
}

/* ---- cells ---- */

void tsv_bad(const struct tsv_row *r, int col, const char *what)
{
	struct tsv_in *in = (struct tsv_in *)(uintptr_t)r;
	uint32_t n, name_n = in->head_off[col + 1] - 1 - in->head_off[col];
	const char *s = tsv_cell(r, col, &n);

	if (in->status == KL_OK)
		in->status = KL_NO;
	if (in->bad_line == in->line)
		return;		/* another cell of the same row */
	in->bad_line = in->line;
	if (in->bad++)
		return;
	warn("%s:%llu: %.*s: %s '%.*s%s'", in->name, (unsigned long long)in->line, (int)name_n,
	     in->head + in->head_off[col], what, n > SHOWN ? SHOWN : (int)n, s, n > SHOWN ? "..." : "");
}

int tsv_u64(const struct tsv_row *r, int col, uint64_t *out)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	if (!get_u64(s, n, out))
		return 0;
	tsv_bad(r, col, "not a whole number");
	return -1;
}

int tsv_f64(const struct tsv_row *r, int col, double *out)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);
	double v;

	if (!get_f64(s, n, &v) && v >= 0) {
		*out = v;
		return 0;
	}
	tsv_bad(r, col, "not a number >= 0");
	return -1;
}

int tsv_time(const struct tsv_row *r, int col, int64_t *ms)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	if (!get_time(s, n, ms))
		return 0;
	tsv_bad(r, col, "not Unix seconds with three decimals");
	return -1;
}
