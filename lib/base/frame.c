/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "frame.h"
#include "num.h"
#include "tsv.h"

#define PIECE 65536

void frame_save(const char *path, const char *header, int64_t time, size_t n,
		char *(*put)(void *self, size_t i, char *p), void *self, enum disk when)
{
	char *buf = xalloc(PIECE), *p = buf;
	struct newfile f;
	const char *c;

	newfile_open(&f, path, 0644);
	newfile_write(&f, header, strlen(header));
	newfile_write(&f, "\n", 1);
	for (size_t i = 0; i < n; i++) {
		if (p > buf + PIECE - PUT_MAX - FRAME_ROW) {
			newfile_write(&f, buf, (size_t)(p - buf));
			p = buf;
		}
		p = put_time(p, time);
		*p++ = '\t';
		p = put(self, i, p);
		*p++ = '\n';
	}
	newfile_write(&f, buf, (size_t)(p - buf));
	p = stpcpy(put_time(buf, time), "\t*");
	for (c = strchr(header, '\t') + 1; (c = strchr(c, '\t')); c++)
		p = stpcpy(p, "\t-");
	*p++ = '\n';
	newfile_write(&f, buf, (size_t)(p - buf));
	newfile_commit(&f, when);
	free(buf);
}

struct load {
	const char *path, *header;
	int (*get)(void *self, const char *const cell[], const uint32_t len[], const char **want);
	void *self;
	unsigned frames;
	int64_t time;
};

static void header(void *self, const char *line, size_t n)
{
	struct load *l = self;

	if (strlen(l->header) != n || memcmp(l->header, line, n))
		die(KL_INPUT, "%s:1: other columns than this command keeps", l->path);
}

static void row(void *self, const struct tsv_row *r)
{
	struct load *l = self;
	const char *cell[TSV_COLS], *want;
	uint32_t len[TSV_COLS], i;
	int bad;

	for (i = 1; i < r->n; i++)
		cell[i - 1] = tsv_cell(r, (int)i, &len[i - 1]);
	bad = l->get(l->self, cell, len, &want);
	if (bad >= 0)
		tsv_bad(r, bad + 1, want);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct load *l = self;

	l->frames++;
	l->time = star->time;
}

bool frame_load(const char *path, const char *head, int64_t *time,
		int (*get)(void *self, const char *const cell[], const uint32_t len[], const char **want),
		void *self)
{
	static const struct tsv_bind none[] = { { NULL, NULL, false } };
	static const struct tsv_ops ops = { .bind = none, .header = header, .row = row, .frame = frame };
	struct load l = { .path = path, .header = head, .get = get, .self = self };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tsv_in *in;

	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", path, strerror(errno));
	if (file_lost(path)) {
		close(fd);
		return false;
	}
	in = tsv_open(path, fd, &ops, &l);
	while (tsv_step(in))
		;
	if (tsv_close(in))
		exit(KL_INPUT);
	close(fd);
	if (l.frames != 1)
		die(KL_INPUT, "%s: %u frames, not one", path, l.frames);
	*time = l.time;
	return true;
}
