/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database behind sqlite3(1), which runs as a child: statements go in, rows come out. What goes wrong
 * there ends the command (status 4) with one line that names the database; a transaction that was not
 * committed has then not been.
 */
#ifndef KL_GRAPH_SQLITE_H
#define KL_GRAPH_SQLITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct sqlite {
	const char *db; /* kept, not copied */
	FILE *sql; /* statements for the next sqlite_run() are written here */
	char *text;
	size_t n;
	int to, pid;
	FILE *rows, *errors;
	char *line;
	size_t room;
};

/* Starts it; waits up to ten seconds for who else writes. !write: db is opened for reading only, and must be
 * there. Tables are made when write and missing; those of another schema are refused. */
void sqlite_open(struct sqlite *s, const char *db, bool write);
void sqlite_close(struct sqlite *s); /* what was not committed is undone */

#define SQLITE_CELLS 32
/* Hands over what was written to s->sql, and gives each row that comes of it to row(), which may be NULL:
 * its n cells, NULL where the value is, valid until it returns. */
void sqlite_run(struct sqlite *s, void (*row)(void *self, char *cell[], int n), void *self);
/* The same when a single whole number comes of it, or nothing, which is 0. */
int64_t sqlite_number(struct sqlite *s);

#endif
