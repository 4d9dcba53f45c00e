/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows wait in a queue until their frame is whole and its time has come. Input
 * is read only as long as all of the queue is due: a writer that runs ahead
 * of the data's time waits in its pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "edge.h"
#include "edgefile.h"
#include "num.h"
#include "tsv.h"
#include "violation.h"

struct violations {
	const char *path;
	int fd;
	bool fifo;
	bool heard;		/* the writer of the moment sent something */
	bool ended;		/* the last look at a file found its end */
	int64_t after, until;	/* until: of the last look */
	struct tsv_in *in;
	int status;
	int src, kind, score, strikes, force;
	struct tsv_bind bind[6];
	struct tsv_ops ops;
	struct violation *row;	/* [next, due) are due, [due, whole) later, [whole, n) may yet be cut */
	size_t next, due, whole, n, cap;
};

static int get_row(const struct violations *v, const struct tsv_row *r, struct violation *x)
{
	uint32_t n, score;
	const char *s = tsv_cell(r, v->src, &n);

	x->time = r->time;
	if (prefix_get(s, n, &x->src))
		return tsv_bad(r, v->src, "not an address or prefix"), -1;
	s = tsv_cell(r, v->kind, &n);
	if (n > KIND_MAX)
		return tsv_bad(r, v->kind, "longer than 31 bytes"), -1;
	memcpy(x->kind, s, n);
	s = tsv_cell(r, v->score, &n);
	if (get_u32(s, n, &score) || score > 100)
		return tsv_bad(r, v->score, "not a whole number, 0 to 100"), -1;
	s = tsv_cell(r, v->strikes, &n);
	if (n == 1 && *s == '-')
		x->strikes = score >= 90 ? 3 : score >= 75 ? 2 : 1;
	else if (get_u32(s, n, &x->strikes) || x->strikes > INT32_MAX)
		return tsv_bad(r, v->strikes, "not a whole number, 0 to 2147483647, or -"), -1;
	s = tsv_cell(r, v->force, &n);
	if (n != 1 || (*s != '0' && *s != '1'))
		return tsv_bad(r, v->force, "not 0 or 1"), -1;
	x->force = *s == '1';
	return 0;
}

static void row(void *self, const struct tsv_row *r)
{
	struct violations *v = self;
	struct violation x = { 0 };

	if (get_row(v, r, &x) || (!v->fifo && x.time <= v->after))
		return;
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->row = reallocarray(v->row, v->cap, sizeof(*v->row));
		if (!v->row)
			die(KL_SYSTEM, "out of memory for %zu violations", v->cap);
	}
	v->row[v->n++] = x;
}

static void frame(void *self, const struct tsv_row *star)
{
	struct violations *v = self;

	(void)star;
	v->whole = v->n;
}

static void cut(void *self)
{
	struct violations *v = self;

	v->n = v->whole;
}

char *violation_put(char *p, const struct flow *f, const char *kind, unsigned score, bool strikes,
		    bool force)
{
	p = stpcpy(stpcpy(p, edge_dirs[f->out]), "\t");
	p = prefix_put(p, &f->src);
	*p++ = '\t';
	p = put_u64(p, f->port);
	*p++ = '\t';
	p = proto_put(p, &f->src, f->proto);
	p = stpcpy(stpcpy(stpcpy(p, "\t"), kind), "\t");
	p = put_u64(p, score);
	return stpcpy(stpcpy(p, strikes ? "\t-\t" : "\t0\t"), force ? "1\n" : "0\n");
}

struct violations *violations_open(const char *path, int64_t after)
{
	struct violations *v = xalloc(sizeof(*v));
	struct stat st;

	v->path = path;
	v->after = after;
	v->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (v->fd < 0 || fstat(v->fd, &st))
		die(KL_SYSTEM, "cannot read '%s': %s", path, strerror(errno));
	v->fifo = !S_ISREG(st.st_mode);
	memcpy(v->bind, (struct tsv_bind[]){ { "kind", &v->kind, false }, { "score", &v->score, false },
					     { "strikes", &v->strikes, false }, { "force", &v->force, false },
					     { "src", &v->src, false } },
	       5 * sizeof(*v->bind));
	v->ops = (struct tsv_ops){ .bind = v->bind, .row = row, .frame = frame, .cut = cut, .lenient = true };
	v->in = tsv_open(path, v->fd, &v->ops, v);
	return v;
}

/* One piece more. False: nothing for now. */
static bool more(struct violations *v)
{
	int got = tsv_step(v->in), st;

	v->ended = !got;
	if (got > 0)
		v->heard = true;
	if (got || !v->fifo || !v->heard)
		return got > 0 || (got < 0 && errno == EINTR);
	/* The writer went; the next one's header is a first line again. */
	st = tsv_close(v->in);
	v->status = st > v->status ? st : v->status;
	v->in = tsv_open(v->path, v->fd, &v->ops, v);
	v->heard = false;
	return true;
}

size_t violations_due(struct violations *v, int64_t until, const struct violation **first)
{
	if (!v)
		return 0;
	/* The clock was set back: what waits by the old one would wait for ever, and all behind it. */
	for (size_t i = v->next; until < v->until && i < v->n; i++)
		if (v->row[i].time > until)
			v->row[i].time = until;
	v->until = until;
	v->due = v->next;
	do
		while (v->due < v->whole && v->row[v->due].time <= until)
			v->due++;
	while (v->due == v->whole && more(v));
	*first = v->row ? v->row + v->next : NULL;
	return v->due - v->next;
}

void violations_done(struct violations *v)
{
	if (!v || !v->row)
		return;
	v->next = v->due;
	if (v->next < v->whole)
		return;
	memmove(v->row, v->row + v->whole, (v->n - v->whole) * sizeof(*v->row));
	v->n -= v->whole;
	v->next = v->due = v->whole = 0;
}

int violations_close(struct violations *v)
{
	int st;

	if (!v)
		return KL_OK;
	/* What a live writer, or a file read in part, has left is not to blame. */
	st = v->ended && !v->fifo ? tsv_close(v->in) : tsv_leave(v->in);
	st = st > v->status ? st : v->status;
	close(v->fd);
	free(v->row);
	free(v);
	return st;
}
