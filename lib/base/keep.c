/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables to files and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "keep.h"
#include "num.h"
#include "tsv.h"

#define COLS_MAX 64
#define PIECE	 65536

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

static char *put_key(char *p, int64_t time, const char *src, size_t n)
{
	p = put_time(p, time);
	*p++ = '\t';
	memcpy(p, src, n);
	return p + n;
}

void keep_save(const struct keep *k, const char *path, const struct table *t, int64_t time)
{
	char *buf = xalloc(PIECE), *p = buf, src[PREFIX_TEXT], *text;
	const char *name[COLS_MAX];
	size_t cols = columns(k, &text, name);
	struct newfile f;

	newfile_open(&f, path, 0644);
	p += sprintf(p, "%s\n", k->header);
	for (size_t i = 0; i < t->n; i++) {
		const struct prefix *x = table_at(t, i);

		if (p > buf + PIECE - KEEP_CELLS - PREFIX_TEXT - PUT_MAX - 2) {
			newfile_write(&f, buf, (size_t)(p - buf));
			p = buf;
		}
		p = put_key(p, time, src, (size_t)(prefix_put(src, x) - src));
		p = k->put(p, x);
		*p++ = '\n';
	}
	newfile_write(&f, buf, (size_t)(p - buf));
	p = put_key(buf, time, "*", 1);
	for (size_t i = 0; i < cols; i++)
		p = stpcpy(p, "\t-");
	*p++ = '\n';
	newfile_write(&f, buf, (size_t)(p - buf));
	newfile_commit(&f);
	free(text);
	free(buf);
}

struct load {
	const struct keep *k;
	struct table *t;
	int src, col[COLS_MAX];
	size_t cols;
	unsigned frames;
	int64_t time;
};

static void row(void *self, const struct tsv_row *r)
{
	struct load *l = self;
	const char *cell[COLS_MAX], *s, *want;
	uint32_t len[COLS_MAX], n;
	size_t had = l->t->n;
	struct prefix x;
	void *entry;
	int bad;

	s = tsv_cell(r, l->src, &n);
	if (prefix_get(s, n, &x)) {
		tsv_bad(r, l->src, "not an address or prefix");
		return;
	}
	entry = table_get(l->t, &x);
	if (l->t->n == had) {
		tsv_bad(r, l->src, "here twice");
		return;
	}
	for (size_t i = 0; i < l->cols; i++)
		cell[i] = tsv_cell(r, l->col[i], &len[i]);
	bad = l->k->get(entry, cell, len, &want);
	if (bad >= 0)
		tsv_bad(r, l->col[bad], want);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct load *l = self;

	l->frames++;
	l->time = star->time;
}

bool keep_load(const struct keep *k, const char *path, struct table *t, int64_t *time)
{
	struct load l = { .k = k, .t = t };
	struct tsv_bind bind[COLS_MAX + 2] = { { "src", &l.src, false } };
	struct tsv_ops ops = { .bind = bind, .row = row, .frame = frame };
	const char *name[COLS_MAX];
	char *text;

	if (access(path, F_OK) && errno == ENOENT)
		return false;
	l.cols = columns(k, &text, name);
	for (size_t i = 0; i < l.cols; i++)
		bind[i + 1] = (struct tsv_bind){ name[i], &l.col[i], false };
	if (tsv_run(path, &ops, &l))
		exit(KL_INPUT);
	free(text);
	if (l.frames != 1)
		die(KL_INPUT, "%s: %u frames, not one", path, l.frames);
	*time = l.time;
	return true;
}
