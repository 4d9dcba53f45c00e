/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for what comes back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "echo.h"

/* A FIFO whose writer went is hung up until it is opened anew; the new one is there before the old one
 * goes, so that a writer always finds a reader. */
static void open_fifo(struct echo *e)
{
	int was = e->fd;
	struct stat st;

	e->fd = open(e->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (e->fd < 0 || fstat(e->fd, &st))
		die(KL_SYSTEM, "cannot read '%s': %s", e->path, strerror(errno));
	if (!S_ISFIFO(st.st_mode))
		die(KL_USAGE, "'%s' is not a FIFO", e->path);
	if (was >= 0)
		close(was);
	e->in = tsv_open(e->path, e->fd, e->ops, e->self);
	e->heard = false;
}

void echo_open(struct echo *e, const char *path, const struct tsv_ops *ops, void *self)
{
	*e = (struct echo){ .path = path, .ops = ops, .self = self, .fd = -1 };
	open_fifo(e);
}

/* A writer that sent nothing owes no header. */
static void leave(struct echo *e)
{
	int st = e->heard ? tsv_close(e->in) : tsv_leave(e->in);

	e->status = st > e->status ? st : e->status;
}

bool echo_step(struct echo *e, short seen)
{
	int got = seen & (POLLIN | POLLHUP) ? tsv_step(e->in) : 1;

	if (got > 0 && seen & POLLIN)
		e->heard = true;
	if (got || !(seen & POLLHUP))
		return true;
	leave(e);
	open_fifo(e);
	return false;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool echo_until(struct echo *e, int64_t wait, const bool *done)
{
	int64_t end = now_ms() + wait;

	while (!done || !*done) {
		struct pollfd p = { .fd = e->fd, .events = POLLIN };
		int64_t left = end - now_ms();
		int n = poll(&p, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);

		if (n < 0 && errno != EINTR)
			die(KL_SYSTEM, "cannot wait for '%s': %s", e->path, strerror(errno));
		if (n > 0 && !echo_step(e, p.revents) && !done)
			return true;
		if (!n && left <= 0)
			return false;
	}
	return true;
}

int echo_close(struct echo *e)
{
	leave(e);
	close(e->fd);
	return e->status;
}
