/* SPDX-License-Identifier: BSD-2-Clause */
/* Files replaced whole, files read whole, lists of prefixes and edges. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "edge.h"
#include "file.h"
#include "num.h"
#include "sync.h"

#define SLURP_MAX ((size_t)1 << 28)	/* /dev/zero has no end, and memory has */
#define LIST_SAID 10		/* bad lines of a list that are shown */

static _Noreturn void newfile_fail(struct newfile *f, int err)
{
	newfile_abandon(f);
	die(KL_SYSTEM, "cannot write '%s': %s", f->path, strerror(err));
}

static bool is_at(const struct stat *st, const char *path)
{
	struct stat now;

	return !lstat(path, &now) && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/*
 * Opens and locks f->tmp: one that a dead writer left, or, when its writer is
 * done, what a living one had. In a folder that is everyone's the name may have
 * been planted: another user's file is put away, for its owner could write to it
 * ever after, and what is no file, or has a second name, is not touched.
 */
static void take(struct newfile *f)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat st;

	for (;;) {
		int fd = open(f->tmp, flags, 0600), err = errno;

		if (fd < 0 ? lstat(f->tmp, &st) : fstat(fd, &st))
			newfile_fail(f, err);
		if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
			die(KL_SYSTEM, "cannot write '%s': '%s' is not a regular file with one name", f->path,
			    f->tmp);
		if (st.st_uid != geteuid()) {
			if (unlink(f->tmp) && errno != ENOENT)
				newfile_fail(f, errno);
		} else if (fd < 0) {
			newfile_fail(f, err);
		} else {
			while ((err = flock(fd, LOCK_EX) ? errno : 0) == EINTR)
				;
			if (err)
				newfile_fail(f, err);
			if (is_at(&st, f->tmp)) {
				f->fd = fd;
				return;
			}
		}
		if (fd >= 0)
			close(fd);
	}
}

void newfile_open(struct newfile *f, const char *path, int mode)
{
	char *real = realpath(path, NULL);	/* a symbolic link stays one */
	const char *slash;
	struct stat st;

	*f = (struct newfile){ .path = path, .mode = (mode_t)mode, .fd = -1 };
	f->to = real ? real : xstrdup(path);
	if (!stat(f->to, &st) && !S_ISREG(st.st_mode))
		die(KL_SYSTEM, "cannot replace '%s': not a regular file", path);
	slash = strrchr(f->to, '/');
	slash = slash ? slash + 1 : f->to;
	f->tmp = xalloc(strlen(f->to) + sizeof("..new"));
	sprintf(f->tmp, "%.*s.%s.new", (int)(slash - f->to), f->to, slash);
	take(f);
	if (ftruncate(f->fd, 0))
		newfile_fail(f, errno);
}

void newfile_write(struct newfile *f, const void *p, size_t n)
{
	while (n) {
		ssize_t w = write(f->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			newfile_fail(f, errno);
		p = (const char *)p + w;
		n -= (size_t)w;
	}
}

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = xstrdup(slash ? path : ".");
	int fd;

	if (slash)
		dir[slash - path + 1] = 0;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return fd;
}

void newfile_sync(struct newfile *f)
{
	if (fchmod(f->fd, f->mode) || fsync(f->fd))
		newfile_fail(f, errno);
}

/* The lock is held until the name is gone: who waits for it must not get what is path by then. */
void newfile_commit(struct newfile *f, enum disk when)
{
	int folder = open_folder(f->to), fd = f->fd, err;

	if (folder < 0 || fchmod(fd, f->mode) || (when == DISK_NOW && fsync(fd)) || rename(f->tmp, f->to)) {
		err = errno;
		if (folder >= 0)
			close(folder);
		newfile_fail(f, err);
	}
	f->fd = -1;
	newfile_abandon(f);
	if (when == DISK_SOON) {
		flock(fd, LOCK_UN);
		sync_later(fd, folder, f->path);
		return;
	}
	err = sync_now(fd, folder);
	if (err)
		die(KL_SYSTEM, "cannot write '%s': %s", f->path, strerror(err));
	sync_wait();
}

void newfile_abandon(struct newfile *f)
{
	if (f->fd >= 0) {
		unlink(f->tmp);
		close(f->fd);
	}
	free(f->tmp);
	free(f->to);
	f->tmp = f->to = NULL;
	f->fd = -1;
}

char *slurp(const char *path, size_t *n)
{
	bool own = strcmp(path, "-");
	int fd = own ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, err;
	size_t room = 65536, have = 0;
	char *text = NULL, *more;
	struct stat st;
	ssize_t r;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		room = (size_t)st.st_size + 2;	/* one read more sees the end */
	do {
		if (have >= SLURP_MAX) {
			errno = EFBIG;
			goto fail;
		}
		if (!text || have + 1 == room) {
			more = realloc(text, text ? room *= 2 : room);
			if (!more)
				goto fail;
			text = more;
		}
		do
			r = read(fd, text + have, room - have - 1);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			goto fail;
		have += (size_t)r;
	} while (r);
	if (own)
		close(fd);
	text[have] = 0;
	*n = have;
	return text;
fail:
	err = errno;
	free(text);
	if (own)
		close(fd);
	errno = err;
	return NULL;
}

/* The first word of the line in [*s, *s + n), comments apart; its length. */
static size_t list_word(const char **s, size_t n)
{
	const char *p = *s, *end = p + n;

	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	*s = p;
	while (p < end && !memchr(" \t\r,#;", *p, 6))
		p++;
	return (size_t)(p - *s);
}

#define END_MAX 10000000000000	/* Unix ms in 2286: as nanoseconds they still fit 64 bits */

/* What a list is of, and what its lines go to. */
struct list {
	const char *(*prefix)(void *arg, const struct prefix *x, long line);	/* or, NULL: */
	const char *(*rule)(void *arg, const struct rule *key, long line);
	bool edges, timed;
	void *arg;
	long line;
};

static const char *get_end(const char *s, size_t n, uint64_t *ms)
{
	uint32_t whole;
	int64_t t;

	*ms = 0;
	if (n == 1 && *s == '-')
		return NULL;
	if (!get_u32(s, n, &whole))
		t = whole * 1000ll;
	else if (get_time(s, n, &t) || t > END_MAX)
		return "not Unix seconds, nor -";
	*ms = t ? (uint64_t)t : 1;
	return NULL;
}

/* The line that ends at eol and begins with the *n bytes at *s. NULL, or what is wrong with the word that is
 * there then. */
static const char *list_line(const struct list *l, const char **s, size_t *n, const char *eol)
{
	struct rule r = { 0 };
	const char *why;

	if (!l->edges)
		switch (prefix_get(*s, *n, &r.x)) {
		case 0:
			why = NULL;
			break;
		case -2:
			return "bits set behind the prefix length";
		default:
			return "not an address or prefix";
		}
	else
		why = edge_src_get(*s, *n, &r.x);
	if (!why && l->edges) {
		*s += *n;
		*n = list_word(s, (size_t)(eol - *s));
		why = edge_get(*s, *n, &r.x, &r.port, &r.proto);
	}
	if (!why && l->timed) {
		*s += *n;
		*n = list_word(s, (size_t)(eol - *s));
		why = get_end(*s, *n, &r.until);
	}
	if (why)
		return why;
	return l->prefix ? l->prefix(l->arg, &r.x, l->line) : l->rule(l->arg, &r, l->line);
}

static long list_lines(const char *path, struct list *l)
{
	const char *name = strcmp(path, "-") ? path : "stdin";
	const char *p, *end, *eol, *why;
	long bad = 0;
	size_t n;
	char *text = slurp(path, &n);

	if (!text)
		return -1;
	for (p = text, end = text + n; p < end; p = eol + 1) {
		l->line++;
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		n = list_word(&p, (size_t)(eol - p));
		if (!n && (p == eol || *p == '#' || *p == ';'))
			continue;
		why = list_line(l, &p, &n, eol);
		if (why && ++bad <= LIST_SAID)
			warn("%s:%ld: %s '%.*s'", name, l->line, why, n > 64 ? 64 : (int)n, p);
	}
	if (bad > LIST_SAID)
		warn("%s: %ld more bad lines", name, bad - LIST_SAID);
	free(text);
	return bad;
}

long list_read(const char *path, const char *(*each)(void *arg, const struct prefix *x, long line),
	       void *arg)
{
	struct list l = { .prefix = each, .arg = arg };

	return list_lines(path, &l);
}

long list_read_rules(const char *path, bool edges, bool timed,
		     const char *(*each)(void *arg, const struct rule *key, long line), void *arg)
{
	struct list l = { .rule = each, .edges = edges, .timed = timed, .arg = arg };

	return list_lines(path, &l);
}

bool file_lost(const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size)
		return false;
	warn("%s: empty, as a machine that went down leaves it: begun anew", path);
	return true;
}

bool file_changed(const char *path, struct stat *seen)
{
	struct stat was = *seen;

	if (stat(path, seen))
		memset(seen, 0, sizeof(*seen));
	return was.st_ino != seen->st_ino || was.st_size != seen->st_size ||
	       was.st_mtim.tv_sec != seen->st_mtim.tv_sec || was.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}
