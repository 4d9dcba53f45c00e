/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables to files and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "keep.h"
#include "num.h"
#include "sync.h"

#define COLS_MAX 64
#define PIECE	 65536
#define ROW	 (PUT_MAX + PREFIX_TEXT + KEEP_CELLS + 2)
#define SMALL	 10000		/* entries that are saved whole whenever one changes */

/* The names of the cells' columns, in one allocation the caller frees. */
static size_t columns(const struct keep *k, char **text, const char *name[])
{
	char *rest = *text = xstrdup(k->header), *one;
	size_t n = 0;

	strsep(&rest, "\t");	/* time */
	strsep(&rest, "\t");	/* src */
	while (n < COLS_MAX && (one = strsep(&rest, "\t")))
		name[n++] = one;
	return n;
}

static char *put_row(const struct keep *k, char *p, int64_t time, const void *entry)
{
	p = put_time(p, time);
	*p++ = '\t';
	p = prefix_put(p, entry);
	p = k->put(p, entry);
	*p++ = '\n';
	return p;
}

static char *put_star(const struct keep *k, char *p, int64_t time)
{
	const char *s = strchr(k->header, '\t') + 1;	/* src */

	p = put_time(p, time);
	p = stpcpy(p, "\t*");
	while ((s = strchr(s, '\t'))) {
		s++;
		p = stpcpy(p, "\t-");
	}
	*p++ = '\n';
	return p;
}

void keep_save(const struct keep *k, const char *path, const struct table *t, int64_t time, enum disk when)
{
	char *buf = xalloc(PIECE), *p = buf;
	struct newfile f;

	newfile_open(&f, path, 0644);
	p += sprintf(p, "%s\n", k->header);
	for (size_t i = 0; i < t->n; i++) {
		if (p > buf + PIECE - ROW) {
			newfile_write(&f, buf, (size_t)(p - buf));
			p = buf;
		}
		p = put_row(k, p, time, table_at(t, i));
	}
	newfile_write(&f, buf, (size_t)(p - buf));
	p = put_star(k, buf, time);
	newfile_write(&f, buf, (size_t)(p - buf));
	newfile_commit(&f, when);
	free(buf);
}

struct load {
	const struct keep *k;
	struct table *t;
	struct table next;	/* of an appended frame, until its star row came */
	int src, col[COLS_MAX];
	size_t cols;
	unsigned frames;
	int64_t time;
};

static void row(void *self, const struct tsv_row *r)
{
	struct load *l = self;
	struct table *t = l->frames ? &l->next : l->t;
	const char *cell[COLS_MAX], *s, *want;
	uint32_t len[COLS_MAX], n;
	size_t had = t->n;
	struct prefix x;
	void *entry;
	int bad;

	s = tsv_cell(r, l->src, &n);
	if (prefix_get(s, n, &x)) {
		tsv_bad(r, l->src, "not an address or prefix");
		return;
	}
	entry = table_get(t, &x);
	if (t->n == had) {
		tsv_bad(r, l->src, "here twice");
		return;
	}
	for (size_t i = 0; i < l->cols; i++)
		cell[i] = l->col[i] < 0 ? NULL : tsv_cell(r, l->col[i], &len[i]);
	bad = l->k->get(entry, cell, len, &want);
	if (bad >= 0)
		tsv_bad(r, l->col[bad], want);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct load *l = self;

	for (size_t i = 0; i < l->next.n; i++)
		memcpy(table_get(l->t, table_at(&l->next, i)), table_at(&l->next, i), l->t->size);
	table_clear(&l->next);
	l->frames++;
	l->time = star->time;
}

/* The last frame was being appended when its writer died: rows without their
 * star row, or without the end of a line. */
static bool is_cut(const struct load *l, int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	return l->next.n || (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n');
}

static bool load(const struct keep *k, size_t newer, const char *path, struct table *t, int64_t *time,
		 bool appended)
{
	struct load l = { .k = k, .t = t };
	struct tsv_bind bind[COLS_MAX + 2] = { { "src", &l.src, false } };
	struct tsv_ops ops = { .bind = bind, .row = row, .frame = frame };
	int fd = open(path, O_RDONLY | O_CLOEXEC), st;
	const char *name[COLS_MAX];
	struct tsv_in *in;
	char *text;
	bool cut;

	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", path, strerror(errno));
	if (file_lost(path)) {
		close(fd);
		return false;
	}
	l.cols = columns(k, &text, name);
	for (size_t i = 0; i < l.cols; i++)
		bind[i + 1] = (struct tsv_bind){ name[i], &l.col[i], i + newer >= l.cols };
	table_init(&l.next, t->size);
	in = tsv_open(path, fd, &ops, &l);
	while (tsv_step(in))
		;
	appended &= l.frames > 0;
	st = appended ? tsv_leave(in) : tsv_close(in);
	cut = appended && is_cut(&l, fd);
	close(fd);
	table_free(&l.next);
	free(text);
	if (st)
		exit(KL_INPUT);
	if (!l.frames || (l.frames > 1 && !appended))
		die(KL_INPUT, "%s: %u frames, not one", path, l.frames);
	if (cut)
		warn("%s: dropped its last frame, which is cut", path);
	*time = l.time;
	return true;
}

bool keep_load(const struct keep *k, const char *path, struct table *t, int64_t *time)
{
	return load(k, 0, path, t, time, false);
}

void keep_save_one(const struct keep *k, const char *path, const void *entry, size_t size, int64_t time,
		   enum disk when)
{
	struct table t;

	table_init(&t, size);
	memcpy(table_get(&t, entry), entry, size);
	keep_save(k, path, &t, time, when);
	table_free(&t);
}

bool keep_load_one(const struct keep *k, const char *path, void *entry, size_t size, int64_t *time)
{
	const void *was = NULL;
	struct table t;

	table_init(&t, size);
	if (keep_load(k, path, &t, time))
		was = table_find(&t, entry);
	if (was)
		memcpy(entry, was, size);
	table_free(&t);
	return was != NULL;
}

/* ---- kept while it changes ---- */

bool keeper_load_old(struct keeper *k, const struct keep *cells, size_t newer, const char *path,
		     struct table *t, int64_t *time)
{
	*k = (struct keeper){ .k = cells, .path = path };
	k->begun = load(cells, newer, path, t, time, true);
	if (k->begun)
		k->saved = *time;
	return k->begun;
}

bool keeper_load(struct keeper *k, const struct keep *cells, const char *path, struct table *t,
		 int64_t *time)
{
	return keeper_load_old(k, cells, 0, path, t, time);
}

void keeper_fresh(const struct keeper *k, struct table *t, int64_t then, int64_t now, int64_t ttl)
{
	long long gap = llabs(now - then);

	if (gap <= ttl)
		return;
	warn("%s: dropped: %lld s away from the first frame", k->path, gap / 1000);
	table_clear(t);
}

static void forget_file(struct keeper *k)
{
	k->room = 0;
	if (!k->out.buf)
		return;
	k->out.p = k->out.buf;	/* of a frame that is not to be appended any more */
	tsv_out_close(&k->out);
	free(k->what);
}

static void append_to(struct keeper *k)
{
	int fd = open(k->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(KL_SYSTEM, "cannot append to '%s': %s", k->path, strerror(errno));
	k->what = xalloc(strlen(k->path) + 3);
	sprintf(k->what, "'%s'", k->path);
	tsv_out_init(&k->out, fd, k->what);
	k->room = (uint64_t)st.st_size;
}

static void save(struct keeper *k, const struct table *t, int64_t time, enum disk when)
{
	forget_file(k);
	keep_save(k->k, k->path, t, time, when);
	k->saved = time;
	k->rows = k->behind = false;
	if (t->n > SMALL)
		append_to(k);
}

void keeper_row(struct keeper *k, int64_t time, const void *entry)
{
	char *p, *from;

	k->rows = true;
	if (!k->room)
		return;
	from = tsv_room(&k->out, ROW);
	p = k->out.p = put_row(k->k, from, time, entry);
	k->room -= (uint64_t)(p - from) < k->room ? (uint64_t)(p - from) : k->room;
}

/*
 * Ends the frame under way in the file. False: that is outgrown, or no longer
 * what path names. No fsync: what is written outlives its writer, and when the
 * machine goes down the kernel's tables, which the state must not fall behind, go too.
 */
static bool append(struct keeper *k, int64_t time)
{
	struct stat st;

	if (!k->room || fstat(k->out.fd, &st) || !st.st_nlink)
		return false;
	if (k->rows) {
		k->out.p = put_star(k->k, tsv_room(&k->out, ROW), time);
		tsv_flush(&k->out);
	}
	return true;
}

void keeper_frame(struct keeper *k, const struct table *t, int64_t time, bool urgent)
{
	if (!k->begun)
		k->saved = time;
	k->begun = k->behind = true;
	if (!(k->out.buf ? append(k, time) : !urgent) || (t->n && llabs(time - k->saved) >= KEEP_EVERY))
		save(k, t, time, DISK_SOON);
	k->rows = false;
}

void keeper_close(struct keeper *k, const struct table *t, int64_t time)
{
	if (k->behind)
		save(k, t, time, DISK_NOW);
	else
		sync_wait();
	forget_file(k);
}
