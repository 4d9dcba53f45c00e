/* SPDX-License-Identifier: BSD-2-Clause */
/* When the newest pack of each name was issued. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/die.h"
#include "../base/file.h"
#include "issued.h"
#include "report.h"
#include "value.h"

#define HEADER "name\tissued_at"

static struct issued_row *find(const struct issued *i, const char *name)
{
	for (size_t k = 0; k < i->n; k++)
		if (!strcmp(i->rows[k].name, name))
			return &i->rows[k];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct issued_row *)a)->name, ((const struct issued_row *)b)->name);
}

static void add(struct issued *i, const char *name, const char *text, int64_t ns)
{
	struct issued_row *row = find(i, name);

	if (!row) {
		i->rows = realloc(i->rows, (i->n + 1) * sizeof(*i->rows));
		if (!i->rows)
			die(KL_SYSTEM, "out of memory");
		row = &i->rows[i->n++];
		row->name = xstrdup(name);
	}
	row->ns = ns;
	snprintf(row->text, sizeof(row->text), "%s", text);
	qsort(i->rows, i->n, sizeof(*i->rows), by_name);
}

void issued_open(struct issued *i, const char *path, bool missing)
{
	char *text, *line, *tab, *eol;
	size_t n, number = 0;
	int64_t ns;

	*i = (struct issued){ .path = path };
	text = slurp(path, &n);
	if (!text && errno == ENOENT && missing)
		return;
	if (!text)
		die(KL_USAGE, "cannot read '%s': %s", path, strerror(errno));
	for (line = text; line < text + n; line = eol + 1) {
		number++;
		eol = memchr(line, '\n', (size_t)(text + n - line));
		if (!eol)
			die(KL_USAGE, "%s:%zu: the last line does not end with a newline", path, number);
		*eol = 0;
		if (number == 1 && !strcmp(line, HEADER))
			continue;
		tab = strchr(line, '\t');
		if (number == 1 || !tab || tab == line || eol - tab > ISSUED_TEXT ||
		    value_rfc3339(tab + 1, strlen(tab + 1), &ns))
			die(KL_USAGE, "%s:%zu: expected %s, got '%s'", path, number,
			    number == 1 ? "the header name, issued_at" : "a name, a TAB and a time",
			    report_text(line, (size_t)(eol - line)));
		*tab = 0;
		add(i, line, tab + 1, ns);
	}
	free(text);
}

void issued_save(const struct issued *i)
{
	struct newfile f;

	newfile_open(&f, i->path, 0644);
	newfile_write(&f, HEADER "\n", strlen(HEADER "\n"));
	for (size_t k = 0; k < i->n; k++) {
		newfile_write(&f, i->rows[k].name, strlen(i->rows[k].name));
		newfile_write(&f, "\t", 1);
		newfile_write(&f, i->rows[k].text, strlen(i->rows[k].text));
		newfile_write(&f, "\n", 1);
	}
	newfile_commit(&f, DISK_NOW);
}

void issued_free(struct issued *i)
{
	for (size_t k = 0; k < i->n; k++)
		free(i->rows[k].name);
	free(i->rows);
}

const char *issued_check(struct issued *i, const char *name, const char *text, int64_t ns)
{
	const struct issued_row *row = find(i, name);

	if (row && (!text || ns < row->ns))
		return row->text;
	if (text && (!row || ns > row->ns))
		add(i, name, text, ns);
	return NULL;
}
