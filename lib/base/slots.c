/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays to files and back. The star row's slot is the number of the instance. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "num.h"
#include "slots.h"
#include "tsv.h"

#define COLS_MAX 64
#define PIECE	 65536

/* The names of the columns behind time, in one allocation the caller frees. */
static size_t columns(const struct slots *s, char **text, const char *name[])
{
	char *rest = *text = xstrdup(s->header), *one;
	size_t n = 0;

	strsep(&rest, "\t");
	while (n < COLS_MAX && (one = strsep(&rest, "\t")))
		name[n++] = one;
	return n;
}

static char *put_key(char *p, int64_t time, uint64_t slot)
{
	p = put_time(p, time);
	*p++ = '\t';
	return put_u64(p, slot);
}

void slots_save(const struct slots *s, const char *path, const void *array, uint32_t instance, int64_t time)
{
	char *buf = xalloc(PIECE), *p = buf, *cells, *end, *text;
	const char *name[COLS_MAX];
	size_t cols = columns(s, &text, name), i;
	struct newfile f;

	newfile_open(&f, path, 0644);
	newfile_write(&f, s->header, strlen(s->header));
	newfile_write(&f, "\n", 1);
	for (i = 0; i < s->n; i++) {
		if (p > buf + PIECE - SLOTS_CELLS - 2 * PUT_MAX) {
			newfile_write(&f, buf, (size_t)(p - buf));
			p = buf;
		}
		cells = put_key(p, time, i);
		end = s->put(cells, (const char *)array + i * s->size);
		if (end == cells)
			continue;
		*end++ = '\n';
		p = end;
	}
	newfile_write(&f, buf, (size_t)(p - buf));
	p = put_key(buf, time, instance);
	for (i = 1; i < cols; i++)
		p = stpcpy(p, strcmp(name[i], "src") ? "\t-" : "\t*");
	*p++ = '\n';
	newfile_write(&f, buf, (size_t)(p - buf));
	newfile_commit(&f, DISK_NOW);
	free(text);
	free(buf);
}

struct load {
	const struct slots *s;
	char *array;
	int col[COLS_MAX];	/* of slot, then of the cells */
	size_t cols;
	unsigned frames;
	uint64_t instance;
	int64_t time;
};

static void row(void *self, const struct tsv_row *r)
{
	const char *cell[COLS_MAX], *wrong;
	char has[SLOTS_CELLS], *element;
	struct load *l = self;
	uint32_t len[COLS_MAX];
	uint64_t slot;
	int bad;

	if (tsv_u64(r, l->col[0], &slot) || slot >= l->s->n)
		return;
	element = l->array + slot * l->s->size;
	if (l->s->put(has, element) != has) {
		tsv_bad(r, l->col[0], "here twice");
		return;
	}
	for (size_t i = 1; i < l->cols; i++) {
		cell[i - 1] = "0";
		len[i - 1] = 1;
		if (l->col[i] >= 0)
			cell[i - 1] = tsv_cell(r, l->col[i], &len[i - 1]);
	}
	bad = l->s->get(element, cell, len, &wrong);
	if (bad >= 0)
		tsv_bad(r, l->col[bad + 1], wrong);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct load *l = self;

	tsv_u64(star, l->col[0], &l->instance);
	l->frames++;
	l->time = star->time;
}

bool slots_load(const struct slots *s, const char *path, void *array, uint32_t instance, int64_t *time)
{
	struct load l = { .s = s, .array = array };
	struct tsv_bind bind[COLS_MAX + 1] = { 0 };
	struct tsv_ops ops = { .bind = bind, .row = row, .frame = frame };
	const char *name[COLS_MAX];
	char *text;

	if (access(path, F_OK) && errno == ENOENT)
		return false;
	l.cols = columns(s, &text, name);
	for (size_t i = 0; i < l.cols; i++)
		bind[i] = (struct tsv_bind){ name[i], &l.col[i], i + s->later >= l.cols };
	if (tsv_run(path, &ops, &l))
		exit(KL_INPUT);
	free(text);
	if (l.frames != 1)
		die(KL_INPUT, "%s: %u frames, not one", path, l.frames);
	if (l.instance != instance)
		memset(array, 0, s->size * s->n);
	*time = l.instance == instance ? l.time : INT64_MAX;
	return true;
}
