/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are there whole or not at all, and lists that people write. */
#ifndef KL_FILE_H
#define KL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "rule.h"

/*
 * A new file beside path, ".NAME.new", to become path by commit. abandon or a
 * crash leaves path as it was. There is one such name a path: a second writer
 * waits for the first, and what a dead one left is used again. Only their owner
 * can open it before commit. All end the command (status 4) with a message on
 * failure, and leave no such file behind.
 */
enum disk {
	DISK_NOW,	/* fsync, rename, fsync the folder; and what was to follow soon did */
	DISK_SOON,	/* rename: all see it, and it outlives its writer. The fsyncs follow (sync.h); a
			 * machine that goes down before may leave it empty, as its file system will */
};
struct newfile {
	const char *path;	/* kept, not copied */
	char *to, *tmp;		/* the file that path is, links followed; the new one */
	mode_t mode;
	int fd;
};
void newfile_open(struct newfile *f, const char *path, int mode);
void newfile_write(struct newfile *f, const void *p, size_t n);
void newfile_sync(struct newfile *f);		/* its bytes and mode are on disk: commit will hardly fail */
void newfile_commit(struct newfile *f, enum disk when);
void newfile_abandon(struct newfile *f);

/* The whole file; *n bytes and a NUL behind them; free() it. "-" is stdin.
 * NULL with errno when it cannot be read; EFBIG: it has 256 MiB or more. */
char *slurp(const char *path, size_t *n);

/* Is path a file without a byte, as a machine that goes down leaves what was DISK_SOON? Says so. */
bool file_lost(const char *path);

/* Is path another file than it was when seen was filled, or gone? Fills seen, zeroed: never there. */
bool file_changed(const char *path, struct stat *seen);

/*
 * Reads a list of addresses and prefixes, one a line, as blocklists come:
 * '#' and ';' start a comment, blank lines are skipped, what follows the
 * first blank or comma on a line is ignored. Calls each() for every prefix, with
 * line, counted from 1. A line that is no prefix, or whose each() returns a
 * message, is reported as "FILE:LINE: what 'text'" (at most 10 of them, then
 * their number) and counted. Host bits set behind the prefix length are an
 * error. Returns the number of bad lines; -1 with errno when unreadable.
 */
long list_read(const char *path, const char *(*each)(void *arg, const struct prefix *x, long line),
	       void *arg);

/* The same of keys of rules, the rest of which is 0. edges: the lines begin with SRC PORT/PROTO, blanks or
 * TABs between (see edge.h). timed: behind the key a line says when its rule ends, in Unix seconds up to
 * 2286 with no decimals or three, or "-" for never; until is that in Unix ms. */
long list_read_rules(const char *path, bool edges, bool timed,
		     const char *(*each)(void *arg, const struct rule *key, long line), void *arg);

#endif
