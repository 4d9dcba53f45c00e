/* SPDX-License-Identifier: BSD-2-Clause */
/* Decisions, as statements. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/num.h"
#include "../base/sqltext.h"
#include "../base/tsv.h"
#include "decide.h"
#include "edges.h"
#include "frozen.h"
#include "pick.h"

static int done(struct frozen *f, int64_t n)
{
	if (!n) {
		warn("there is no such edge");
		frozen_undo(f);
		return KL_NO;
	}
	frozen_commit(f);
	return KL_OK;
}

static void bar(void *self, char *cell[], int n)
{
	struct edgeline k;

	if (n == 4 && edges_key(&k, cell[0], cell[1], cell[2], cell[3]))
		pick_put(self, "barred", cell[0], &k, true);
}

int decide_freeze(const struct graph_files *at, char **words)
{
	struct frozen f;
	int64_t n, all;

	if (!frozen_begin(&f, at->db, at->frozen, false))
		return KL_NO;
	fputs("SELECT dir, src, port, proto FROM graph_edges WHERE state = 'denied' AND bits < 128;\n",
	      f.s.sql);
	pick_words(&f.s, words);
	pick_table(&f.s, "barred");
	sqlite_run(&f.s, bar, &f.s);
	fprintf(f.s.sql, "UPDATE graph_edges SET state = 'frozen' WHERE state = 'learned' AND NOT %s%s;\n",
		IN_PICK("barred"), *words ? " AND " PICKED : "");
	fputs("SELECT changes();\n", f.s.sql);
	n = sqlite_number(&f.s);
	fputs("SELECT count(*) FROM graph_edges WHERE state = 'frozen';\n", f.s.sql);
	all = sqlite_number(&f.s);
	frozen_commit(&f);
	if (printf("%lld edges frozen, %lld in all\n", (long long)n, (long long)all) < 0 || fflush(stdout))
		die(KL_SYSTEM, "cannot write stdout: %s", strerror(errno));
	return KL_OK;
}

static int decide(const struct graph_files *at, char **words, const char *state)
{
	struct frozen f;

	if (!frozen_begin(&f, at->db, at->frozen, false))
		return KL_NO;
	pick_words(&f.s, words);
	fprintf(f.s.sql,
		"INSERT INTO graph_edges (dir, src, port, proto, state, addr, bits)"
		" SELECT dir, src, port, proto, '%s', addr, bits FROM picked WHERE named"
		" ON CONFLICT DO NOTHING;\n"
		"UPDATE graph_edges SET state = '%s' WHERE state <> '%s' AND " PICKED ";\n"
		"SELECT count(*) FROM graph_edges WHERE " PICKED ";\n",
		state, state, state);
	return done(&f, sqlite_number(&f.s));
}

int decide_approve(const struct graph_files *at, char **words)
{
	return decide(at, words, "approved");
}

int decide_deny(const struct graph_files *at, char **words)
{
	return decide(at, words, "denied");
}

int decide_forget(const struct graph_files *at, char **words)
{
	struct frozen f;

	if (!frozen_begin(&f, at->db, at->frozen, false))
		return KL_NO;
	pick_words(&f.s, words);
	fputs("DELETE FROM graph_edges WHERE " PICKED ";\nSELECT changes();\n", f.s.sql);
	return done(&f, sqlite_number(&f.s));
}

static void put_text(FILE *sql, const char *s, size_t n)
{
	char *text = xalloc(2 * n + 20);

	*sql_text(text, s, n) = 0;
	fputs(text, sql);
	free(text);
}

static void want(struct sqlite *s, const struct edgefile *f)
{
	char key[SQL_SRC + SQL_ADDR + 64], *p;

	fputs("CREATE TEMP TABLE wanted (dir, src, addr, bits, port, proto, state, above, behind,"
	      " PRIMARY KEY (dir, src, port, proto));\n",
	      s->sql);
	for (const struct edgeline *e = f->e; e < f->e + f->n; e++) {
		p = stpcpy(sql_src(key, &e->src), ",");
		p = stpcpy(sql_addr(p, e->src.a), ",");
		p = stpcpy(put_u64(p, e->src.len), ",");
		p = stpcpy(put_u64(p, e->port), ",'");
		*stpcpy(proto_put(p, &e->src, e->proto), "'") = 0;
		fprintf(s->sql, "INSERT INTO wanted VALUES('%s',%s,'%s',", edge_dirs[e->dir], key,
			edge_states[e->state]);
		put_text(s->sql, e->above, e->above_n);
		fputc(',', s->sql);
		put_text(s->sql, e->behind, e->behind_n);
		fputs(");\n", s->sql);
	}
	fputs("UPDATE meta SET head = ", s->sql);
	put_text(s->sql, f->text, f->head_n);
	fputs(", foot = ", s->sql);
	put_text(s->sql, f->foot, f->foot_n);
	fputs(";\n", s->sql);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int decide_import(const struct graph_files *at, const char *file)
{
	struct edgefile e = { 0 };
	struct frozen f;
	long bad = edgefile_read(&e, file);

	if (bad < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", file, strerror(errno));
	if (bad)
		return KL_INPUT;
	if (!frozen_begin(&f, at->db, at->frozen, is_same_file(file, at->frozen))) {
		edgefile_free(&e);
		return KL_NO;
	}
	want(&f.s, &e);
	edgefile_free(&e);
	fputs("DELETE FROM graph_edges WHERE state IN ('frozen', 'approved', 'denied')"
	      " AND (dir, src, port, proto) NOT IN (SELECT dir, src, port, proto FROM wanted);\n"
	      "INSERT INTO graph_edges (dir, src, port, proto, state, addr, bits, above, behind)"
	      " SELECT dir, src, port, proto, state, addr, bits, above, behind FROM wanted WHERE true"
	      " ON CONFLICT (dir, src, port, proto) DO UPDATE SET state = excluded.state,"
	      " above = excluded.above, behind = excluded.behind;\n",
	      f.s.sql);
	frozen_commit(&f);
	return KL_OK;
}

int decide_export(const struct graph_files *at, const char *file)
{
	struct newfile to;
	struct sqlite s;
	struct tsv_out out;
	size_t n;
	char *text;

	sqlite_open(&s, at->db, false);
	text = frozen_text(&s, &n);
	sqlite_close(&s);
	if (strcmp(file, "-")) {
		newfile_open(&to, file, 0644);
		newfile_write(&to, text, n);
		newfile_commit(&to, DISK_NOW);
	} else {
		tsv_out_init(&out, STDOUT_FILENO, "stdout");
		tsv_put(&out, text, n);
		tsv_out_close(&out);
	}
	free(text);
	return KL_OK;
}
