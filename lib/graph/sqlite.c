/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite3(1) as a child, statements and rows as lines. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/die.h"
#include "../base/num.h"
#include "kliq_sql.h"
#include "sqlite.h"

#define SCHEMA_VERSION 1 /* kliq.sql has it too */
#define MARK "." /* a line that is no row: each has two cells, or is a number */
#define NONE "\x01" /* the text of NULL: no text here may have that byte */

extern char **environ;

/* "Runtime error near line 3: database is locked (5)" without where in our statements, and without the
 * constraint that is only there to say it. */
static const char *reason(char *line)
{
	char *s = strstr(line, "rror"), *colon = s ? strstr(s, ": ") : NULL;
	static const char check[] = "CHECK constraint failed: ";

	s = colon ? colon + 2 : line;
	if (!strncmp(s, check, strlen(check)))
		s += strlen(check);
	s[strcspn(s, "\n")] = 0;
	return s;
}

static _Noreturn void failed(struct sqlite *s)
{
	char *line = NULL;
	size_t room = 0;
	int st = 0;

	fclose(s->rows);
	close(s->to);
	while (waitpid(s->pid, &st, 0) < 0 && errno == EINTR)
		;
	rewind(s->errors);
	if (getline(&line, &room, s->errors) > 0)
		die(KL_SYSTEM, "database '%s': %s", s->db, reason(line));
	if (WIFSIGNALED(st))
		die(KL_SYSTEM, "database '%s': sqlite3 was killed by signal %d", s->db, WTERMSIG(st));
	die(KL_SYSTEM, "database '%s': sqlite3 ended with status %d", s->db, WEXITSTATUS(st));
}

static void start(struct sqlite *s, bool write)
{
	char *path = xalloc(strlen(s->db) + 3);
	/* An option, a URI and :memory: would be read as such. */
	char *args[] = { "sqlite3", "-batch", "-bail", "-init", "/dev/null", write ? "-list" : "-readonly",
			 path,      NULL };
	posix_spawn_file_actions_t fa;
	int in[2], out[2], err;

	sprintf(path, "%s%s", *s->db == '/' ? "" : "./", s->db);
	s->errors = tmpfile();
	if (!s->errors || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) || pipe2(out, O_CLOEXEC))
		die(KL_SYSTEM, "cannot start sqlite3: %s", strerror(errno));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[1], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, fileno(s->errors), STDERR_FILENO);
	err = posix_spawnp(&s->pid, args[0], &fa, NULL, args, environ);
	if (err)
		die(KL_SYSTEM, "cannot start sqlite3: %s", strerror(err));
	posix_spawn_file_actions_destroy(&fa);
	close(in[1]);
	close(out[1]);
	s->to = in[0];
	s->rows = fdopen(out[0], "r");
	if (!s->rows)
		die(KL_SYSTEM, "out of memory");
	free(path);
}

static void begin(struct sqlite *s)
{
	s->text = NULL;
	s->sql = open_memstream(&s->text, &s->n);
	if (!s->sql)
		die(KL_SYSTEM, "out of memory");
}

/* What making the tables says otherwise. */
static void check(struct sqlite *s)
{
	fputs("SELECT count(*) FROM pragma_table_info('graph_edges') WHERE name = 'node_id';\n", s->sql);
	if (sqlite_number(s))
		die(KL_SYSTEM, "database '%s': of Kernloom IQ: kliq import reads it", s->db);
	fputs("SELECT count(*) FROM sqlite_schema WHERE name = 'meta';\n", s->sql);
	if (!sqlite_number(s))
		die(KL_SYSTEM, "database '%s': nothing was recorded in it yet", s->db);
	fputs("SELECT schema_version FROM meta;\n", s->sql);
	if (sqlite_number(s) != SCHEMA_VERSION)
		die(KL_SYSTEM, "database '%s': of another schema version than %d", s->db, SCHEMA_VERSION);
}

void sqlite_open(struct sqlite *s, const char *db, bool write)
{
	*s = (struct sqlite){ .db = db };
	start(s, write);
	begin(s);
	fputs(".timeout 10000\n.output /dev/null\n", s->sql);
	if (write)
		fputs("PRAGMA secure_delete = OFF;\n" KLIQ_SQL, s->sql);
	fputs("PRAGMA cache_size = -65536;\n.output\n.mode list\n.separator \"\\t\"\n.nullvalue \"" NONE
	      "\"\n",
	      s->sql);
	sqlite_run(s, NULL, NULL);
	if (!write)
		check(s);
}

/* All of it, without the signal that a child that is gone would give. */
static void send_all(struct sqlite *s)
{
	const char *p = s->text;

	while (s->n) {
		ssize_t w = send(s->to, p, s->n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			failed(s);
		p += w;
		s->n -= (size_t)w;
	}
}

static void split(char *line, void (*row)(void *self, char *cell[], int n), void *self)
{
	char *cell[SQLITE_CELLS], *one;
	int n = 0;

	line[strcspn(line, "\n")] = 0;
	while (n < SQLITE_CELLS && (one = strsep(&line, "\t")))
		cell[n++] = strcmp(one, NONE) ? one : NULL;
	row(self, cell, n);
}

void sqlite_run(struct sqlite *s, void (*row)(void *self, char *cell[], int n), void *self)
{
	fputs(".print \"" MARK "\"\n", s->sql);
	if (fclose(s->sql))
		die(KL_SYSTEM, "out of memory");
	send_all(s);
	free(s->text);
	begin(s);
	for (;;) {
		if (getline(&s->line, &s->room, s->rows) < 0)
			failed(s);
		if (!strcmp(s->line, MARK "\n"))
			return;
		if (row)
			split(s->line, row, self);
	}
}

static void number(void *self, char *cell[], int n)
{
	int64_t *out = self;

	if (n && cell[0])
		get_i64(cell[0], strlen(cell[0]), out);
}

int64_t sqlite_number(struct sqlite *s)
{
	int64_t out = 0;

	sqlite_run(s, number, &out);
	return out;
}

void sqlite_close(struct sqlite *s)
{
	int st;

	fclose(s->sql);
	free(s->text);
	free(s->line);
	close(s->to);
	fclose(s->rows);
	while (waitpid(s->pid, &st, 0) < 0 && errno == EINTR)
		;
	fclose(s->errors);
}
