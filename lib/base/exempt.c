/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of prefixes that follows its file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "exempt.h"
#include "file.h"

static const char *add(void *set, const struct prefix *x, long line)
{
	(void)line;
	ranges_add(set, x);
	return NULL;
}

/* A file that is away counts as one with no inode. */
static void look(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	if (stat(path, st))
		memset(st, 0, sizeof(*st));
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The number of bad lines, each reported; -1 with errno. */
static long read_set(const char *path, struct ranges *set)
{
	long bad = list_read(path, add, set);

	if (bad)
		ranges_free(set);
	else
		ranges_seal(set);
	return bad;
}

void exempt_open(struct exempt *e, const char *path)
{
	long bad;

	e->path = path;
	if (!path)
		return;
	look(path, &e->seen);
	bad = read_set(path, &e->set);
	if (bad < 0)
		die(KL_USAGE, "cannot read '%s': %s", path, strerror(errno));
	if (bad)
		exit(KL_USAGE);
}

bool exempt_refresh(struct exempt *e)
{
	struct ranges set = { 0 };
	struct stat now;
	long bad;

	if (!e->path)
		return false;
	look(e->path, &now);
	if (same(&now, &e->seen))
		return false;
	e->seen = now;
	bad = read_set(e->path, &set);
	if (bad < 0)
		warn("cannot read '%s': %s; the list read before stays", e->path, strerror(errno));
	else if (bad)
		warn("'%s' is broken; the list read before stays", e->path);
	if (bad)
		return false;
	ranges_free(&e->set);
	e->set = set;
	return true;
}

void exempt_close(struct exempt *e)
{
	ranges_free(&e->set);
}

bool exempt_has(const void *exempt, const struct prefix *x)
{
	return ranges_meet(&((const struct exempt *)exempt)->set, x);
}
