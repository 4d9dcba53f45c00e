/* SPDX-License-Identifier: BSD-2-Clause */
/* The read loop of a command that ends cleanly on a signal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "die.h"
#include "serve.h"

static volatile sig_atomic_t told;

static void on_signal(int sig)
{
	told = sig;
}

/* Holds the two back, but for ppoll() with the mask in *before. */
static void hold_signals(sigset_t *before)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t ours;

	sigemptyset(&act.sa_mask);
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigprocmask(SIG_BLOCK, &ours, before);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
}

int serve(const char *name, const struct tsv_ops *ops, void *self)
{
	bool named = name && strcmp(name, "-");
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	struct tsv_in *in;
	sigset_t before;
	int st;

	hold_signals(&before);
	if (named)
		p.fd = open(name, O_RDONLY | O_CLOEXEC);
	if (p.fd < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", name, strerror(errno));
	in = tsv_open(name, p.fd, ops, self);
	do
		ppoll(&p, 1, NULL, &before);
	while (!told && tsv_step(in));
	if (told && ops->cut)
		ops->cut(self);
	st = told ? tsv_leave(in) : tsv_close(in);
	if (named)
		close(p.fd);
	return st;
}
