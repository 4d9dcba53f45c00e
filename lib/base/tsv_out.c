/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a stream: one buffer, written out when full and when the frame is. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "die.h"
#include "tsv.h"

#define PIPE_SIZE (1 << 20)
#define OUT_SIZE  (2 * TSV_LINE)

void tsv_out_init(struct tsv_out *o, int fd, const char *what)
{
	fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);	/* not a pipe, or over the limit: as it is */
	o->fd = fd;
	o->what = what;
	o->buf = o->p = xalloc(OUT_SIZE);
	o->end = o->buf + OUT_SIZE;
}

void tsv_flush(struct tsv_out *o)
{
	const char *p = o->buf;

	while (p < o->p) {
		ssize_t n = write(o->fd, p, (size_t)(o->p - p));

		if (n >= 0)
			p += n;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1);
		else if (errno != EINTR)
			die(KL_SYSTEM, "cannot write %s: %s", o->what, strerror(errno));
	}
	o->p = o->buf;
}

void tsv_put(struct tsv_out *o, const char *s, size_t n)
{
	while (n > TSV_LINE) {
		memcpy(tsv_room(o, TSV_LINE), s, TSV_LINE);
		o->p += TSV_LINE;
		s += TSV_LINE;
		n -= TSV_LINE;
	}
	memcpy(tsv_room(o, n), s, n);
	o->p += n;
}

void tsv_puts(struct tsv_out *o, const char *s)
{
	tsv_put(o, s, strlen(s));
}

void tsv_out_close(struct tsv_out *o)
{
	tsv_flush(o);
	if (close(o->fd))
		die(KL_SYSTEM, "cannot write %s: %s", o->what, strerror(errno));
	free(o->buf);
	*o = (struct tsv_out){ .fd = -1 };
}
