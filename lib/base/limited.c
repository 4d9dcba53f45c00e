/* SPDX-License-Identifier: BSD-2-Clause */
/* Levels as a set of addresses. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "die.h"
#include "limited.h"
#include "tsv.h"

struct source {
	struct prefix x;
	bool limited;
};

struct levels {
	const struct limited *l;
	int src, level, from;
	struct table now, next;		/* struct source: whole frames; the one under way */
};

static void row(void *self, const struct tsv_row *r)
{
	struct levels *k = self;
	struct prefix x;
	const char *s;
	uint32_t n;
	int level;

	s = tsv_cell(r, k->src, &n);
	if (prefix_get(s, n, &x)) {
		tsv_bad(r, k->src, "not an address or prefix");
		return;
	}
	s = tsv_cell(r, k->level, &n);
	level = k->l->level(s, n);
	if (level < 0)
		tsv_bad(r, k->level, "not a level");
	else
		((struct source *)table_get(&k->next, &x))->limited = level > 0;
}

static void frame(void *self, const struct tsv_row *star)
{
	struct levels *k = self;

	(void)star;
	if (k->from >= 0)
		table_clear(&k->now);
	for (size_t i = 0; i < k->next.n; i++) {
		const struct source *s = table_at(&k->next, i);

		((struct source *)table_get(&k->now, &s->x))->limited = s->limited;
	}
	table_clear(&k->next);
}

static void cut(void *self)
{
	table_clear(&((struct levels *)self)->next);
}

/* Reads path's whole frames; 0, or a status after a message. */
static int read_levels(struct levels *k, int fd)
{
	const struct tsv_bind bind[] = { { "src", &k->src, false }, { "level", &k->level, false },
					 { "from", &k->from, true }, { 0 } };
	const struct tsv_ops ops = { .bind = bind, .row = row, .frame = frame, .cut = cut };
	struct tsv_in *in = tsv_open(k->l->path, fd, &ops, k);

	while (tsv_step(in))
		;
	return tsv_leave(in);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void replace(struct limited *l, const struct table *now)
{
	ranges_free(&l->set);
	for (size_t i = 0; i < now->n; i++) {
		const struct source *s = table_at(now, i);

		if (s->limited)
			ranges_add(&l->set, &s->x);
	}
	ranges_seal(&l->set);
}

bool limited_refresh(struct limited *l)
{
	struct levels k = { .l = l };
	bool first = !l->seen.st_nlink, had = l->seen.st_ino;
	struct stat st;
	int fd, bad;

	if (!l->path)
		return false;
	fd = open(l->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);	/* a FIFO would make it wait */
	if (fd < 0 && errno == ENOENT) {
		if (first || had)
			warn("'%s' is not there: nobody counts as limited", l->path);
		ranges_free(&l->set);
		l->seen = (struct stat){ .st_nlink = 1 };
		return had;
	}
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (first || had)
			warn("cannot read '%s': %s; the levels read before stay", l->path,
			     fd < 0 ? strerror(errno) : "not a regular file");
		l->seen = (struct stat){ .st_nlink = 1 };
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (same(&st, &l->seen)) {
		close(fd);
		return false;
	}
	l->seen = st;
	table_init(&k.now, sizeof(struct source));
	table_init(&k.next, sizeof(struct source));
	bad = read_levels(&k, fd);
	close(fd);
	if (bad == KL_INPUT)
		warn("'%s' is broken; the levels read before stay", l->path);
	else
		replace(l, &k.now);
	table_free(&k.now);
	table_free(&k.next);
	return bad != KL_INPUT;
}

void limited_free(struct limited *l)
{
	ranges_free(&l->set);
}
