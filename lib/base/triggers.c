/* SPDX-License-Identifier: BSD-2-Clause */
/* Triggers that follow their file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "file.h"
#include "num.h"
#include "opt.h"
#include "triggers.h"

const char *const trigger_key[TRIGGERS] = { "trig-pps", "trig-syn", "trig-scan", "trig-bps" };

/* A file that is away counts as one with no inode. */
static void look(const char *path, struct stat *st)
{
	if (stat(path, st))
		memset(st, 0, sizeof(*st));
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One line, NUL-terminated. NULL, or what is wrong with it. */
static const char *take_line(char *s, double trig[TRIGGERS])
{
	char *value = strchr(s, '\t');
	double v;
	int i;

	if (!value)
		return "not a key and a value with a TAB between";
	*value++ = 0;
	if (!strcmp(s, "key") && !strcmp(value, "value"))
		return NULL;
	for (i = 0; i < TRIGGERS && strcmp(s, trigger_key[i]); i++)
		;
	if (i == TRIGGERS)
		return "not a trigger";
	if (get_f64(value, strlen(value), &v) || v < 0 || v > TRIGGER_MAX)
		return "not a number, 0 to 1000000000000, for";
	trig[i] = v;
	return NULL;
}

/* 0: trig holds what the file says. -1: reported; it may hold a part. */
static int read_file(const char *path, double trig[TRIGGERS])
{
	size_t n;
	char *text = slurp(path, &n), *rest = text, *s;
	const char *wrong = NULL;
	long line = 0;

	if (!text) {
		warn("cannot read '%s': %s", path, strerror(errno));
		return -1;
	}
	if (!n || text[n - 1] != '\n') {
		warn("%s: the last line does not end with a newline", path);
		free(text);
		return -1;
	}
	while (!wrong && (s = strsep(&rest, "\n")) && (rest || *s)) {
		line++;
		wrong = take_line(s, trig);
		if (wrong)
			warn("%s:%ld: %s '%.60s'", path, line, wrong, s);
	}
	free(text);
	return wrong ? -1 : 0;
}

static int load(struct triggers *t)
{
	double trig[TRIGGERS];
	int i;

	memcpy(trig, t->given, sizeof(trig));
	if (t->seen.st_ino && read_file(t->path, trig))
		return -1;
	for (i = 0; i < TRIGGERS; i++)
		t->trig[i] = opt_on_line(&t->trig[i]) ? t->given[i] : trig[i];
	return 0;
}

void triggers_open(struct triggers *t, const char *path, double trig[TRIGGERS])
{
	*t = (struct triggers){ .path = path, .trig = trig };
	memcpy(t->given, trig, sizeof(t->given));
	if (!path)
		return;
	look(path, &t->seen);
	if (!file_lost(path) && load(t))
		exit(KL_USAGE);
}

bool triggers_refresh(struct triggers *t)
{
	double was[TRIGGERS];
	struct stat now;

	if (!t->path)
		return false;
	look(t->path, &now);
	if (same(&now, &t->seen))
		return false;
	t->seen = now;
	memcpy(was, t->trig, sizeof(was));
	if (!now.st_ino) {
		warn("'%s' is gone; the triggers read before stay", t->path);
		return false;
	}
	if (load(t))
		warn("'%s' is broken; the triggers read before stay", t->path);
	return memcmp(was, t->trig, sizeof(was));
}

void triggers_save(const char *path, const double trig[TRIGGERS])
{
	char text[TRIGGERS * (PUT_MAX + 16) + 16], *p = stpcpy(text, "key\tvalue\n");
	struct newfile f;

	for (int i = 0; i < TRIGGERS; i++) {
		if (!(trig[i] > 0))
			continue;
		p = stpcpy(p, trigger_key[i]);
		*p++ = '\t';
		p = put_f64(p, trig[i], 3);
		*p++ = '\n';
	}
	newfile_open(&f, path, 0644);
	newfile_write(&f, text, (size_t)(p - text));
	newfile_commit(&f, DISK_SOON);
}

int trigger_own(const struct tsv_row *r, int col, double *trig)
{
	uint32_t n;
	const char *cell = tsv_cell(r, col, &n);
	double base;

	if (*trig <= 0 || (n == 1 && *cell == '-'))
		return 0;
	if (tsv_f64(r, col, &base))
		return -1;
	if (base > TRIGGER_MAX)
		return tsv_bad(r, col, "above 10^12"), -1;
	if (base > *trig)
		*trig = base;
	return 0;
}
