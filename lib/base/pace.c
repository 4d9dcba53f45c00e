/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticks at a steady pace. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "pace.h"

#define SEC 1000000000ll

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

static void ending(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

void pace_start(struct pace *p, int64_t every)
{
	ending(SIG_BLOCK);
	p->every = every;
	p->next = now() + every;
}

void pace_wait(struct pace *p)
{
	struct timespec t = { .tv_sec = p->next / SEC, .tv_nsec = p->next % SEC };
	int64_t late;

	ending(SIG_UNBLOCK);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	ending(SIG_BLOCK);
	late = now() - p->next;
	p->next += (late / p->every + 1) * p->every;
}
