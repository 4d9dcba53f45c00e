/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is appended to and does not grow. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "journal.h"

static void add(struct journal *j, const char *s, size_t n)
{
	if (j->cap - j->n < n) {
		j->cap = 2 * (j->n + n);
		j->text = realloc(j->text, j->cap);
		if (!j->text)
			die(KL_SYSTEM, "out of memory");
	}
	memcpy(j->text + j->n, s, n);
	j->n += n;
}

void journal_row(struct journal *j, const char *row, size_t n)
{
	if (j->rows++ < JOURNAL_ROWS)
		add(j, row, n);
}

/* The file to append n bytes to; *new: it has nothing yet. */
static int open_for(const char *path, size_t n, bool *new)
{
	char old[4096];
	struct stat st;

	if (!stat(path, &st) && (size_t)st.st_size + n > JOURNAL_BYTES) {
		if (strlen(path) + 3 > sizeof(old))
			return errno = ENAMETOOLONG, -1;
		strcpy(stpcpy(old, path), ".1");
		if (rename(path, old))
			return -1;
	}
	*new = stat(path, &st) || !st.st_size;
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

void journal_frame(struct journal *j, const char *path, const char *header, const char *star)
{
	size_t left = j->rows > JOURNAL_ROWS ? j->rows - JOURNAL_ROWS : 0, head = strlen(header);
	bool new = true;
	int fd;

	if (!j->rows)
		return;
	add(j, star, strlen(star));
	fd = open_for(path, j->n, &new);
	if (fd < 0 || (new && write(fd, header, head) != (ssize_t)head) ||
	    write(fd, j->text, j->n) != (ssize_t)j->n || close(fd))
		die(KL_SYSTEM, "cannot write '%s': %s", path, strerror(errno));
	j->n = j->rows = 0;
	if (left)
		warn("%zu rows of a tick are not in '%s'", left, path);
}

void journal_free(struct journal *j)
{
	free(j->text);
	*j = (struct journal){ 0 };
}
