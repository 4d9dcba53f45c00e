/* SPDX-License-Identifier: BSD-2-Clause */
/* The database and the frozen baseline, changed together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/die.h"
#include "../base/num.h"
#include "edges.h"
#include "frozen.h"

/* Comments, which the lines of f point into. */
struct load {
	struct sqlite *s;
	struct edgefile *f;
	char *text;
	size_t n, cap;
};

static int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* What hex stands for, at the end of the text; its length. */
static size_t keep(struct load *l, const char *hex)
{
	size_t n = strlen(hex) / 2;

	if (l->n + n > l->cap) {
		l->cap = 2 * (l->n + n);
		l->text = realloc(l->text, l->cap);
		if (!l->text)
			die(KL_SYSTEM, "out of memory");
	}
	for (size_t i = 0; i < n; i++)
		l->text[l->n++] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return n;
}

static void row(void *self, char *cell[], int n)
{
	struct load *l = self;
	struct edgeline *e = edgefile_add(l->f);
	int state = 0;

	if (n != 7 || !edges_key(e, cell[0], cell[1], cell[2], cell[3]))
		die(KL_INPUT, "database '%s': a row that is no edge", l->s->db);
	while (edge_states[state] && strcmp(edge_states[state], cell[4]))
		state++;
	e->state = (uint8_t)state;
	e->above_n = keep(l, cell[5]);
	e->behind_n = keep(l, cell[6]);
}

static void ends(void *self, char *cell[], int n)
{
	struct load *l = self;

	(void)n;
	l->f->head_n = keep(l, cell[0]);
	l->f->foot_n = keep(l, cell[1]);
}

void frozen_load(struct sqlite *s, struct edgefile *f)
{
	struct load l = { .s = s, .f = f, .text = xalloc(1), .cap = 1 };
	char *p;

	fputs("SELECT hex(head), hex(foot) FROM meta;\n", s->sql);
	sqlite_run(s, ends, &l);
	fputs("SELECT dir, src, port, proto, state, hex(above), hex(behind) FROM graph_edges"
	      " WHERE state IN ('frozen', 'approved', 'denied');\n",
	      s->sql);
	sqlite_run(s, row, &l);
	f->text = p = l.text;
	p += f->head_n;
	f->foot = p;
	p += f->foot_n;
	for (size_t i = 0; i < f->n; i++) {
		f->e[i].above = f->e[i].above_n ? p : NULL;
		p += f->e[i].above_n;
		f->e[i].behind = f->e[i].behind_n ? p : NULL;
		p += f->e[i].behind_n;
	}
	edgefile_sort(f);
}

char *frozen_text(struct sqlite *s, size_t *n)
{
	struct edgefile f = { 0 };
	char *text;

	frozen_load(s, &f);
	text = edgefile_text(&f, n);
	edgefile_free(&f);
	return text;
}

/* The first line in which the file is another than the database says. */
static void say_where(const struct frozen *f, const char *is, size_t n)
{
	size_t i = 0, from = 0;
	long line = 1;

	for (; i < n && i < f->was_n && is[i] == f->was[i]; i++)
		if (is[i] == '\n') {
			line++;
			from = i + 1;
		}
	n = from < n ? strcspn(is + from, "\n") : 0;
	warn("%s:%ld: not what the database holds: import or export it first '%.*s'", f->file, line,
	     n > 64 ? 64 : (int)n, is + from);
}

bool frozen_begin(struct frozen *f, const char *db, const char *file, bool reimport)
{
	bool same;
	size_t n;
	char *is;

	*f = (struct frozen){ .file = file };
	sqlite_open(&f->s, db, true);
	fputs("BEGIN IMMEDIATE;\n", f->s.sql);
	f->was = frozen_text(&f->s, &f->was_n);
	is = slurp(file, &n);
	if (!is && errno != ENOENT)
		die(KL_SYSTEM, "cannot read '%s': %s", file, strerror(errno));
	f->there = is;
	same = !is || (n == f->was_n && !memcmp(is, f->was, n));
	if (!same && !reimport) {
		say_where(f, is, n);
		frozen_undo(f);
	}
	free(is);
	return same || reimport;
}

void frozen_commit(struct frozen *f)
{
	struct newfile file;
	size_t n;
	char *text = frozen_text(&f->s, &n);
	bool write = f->there || n;

	if (write) {
		newfile_open(&file, f->file, 0644);
		newfile_write(&file, text, n);
		newfile_sync(&file);
	}
	fputs("COMMIT;\n", f->s.sql);
	sqlite_run(&f->s, NULL, NULL);
	if (write)
		newfile_commit(&file, DISK_NOW);
	free(text);
	frozen_undo(f);
}

void frozen_undo(struct frozen *f)
{
	sqlite_close(&f->s);
	free(f->was);
}
