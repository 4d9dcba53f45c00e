/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <time.h>

#include "pace.h"

#define SEC 1000000000ll

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

void pace_start(struct pace *p, int64_t every)
{
	p->every = every;
	p->next = now() + every;
}

void pace_wait(struct pace *p)
{
	struct timespec t = { .tv_sec = p->next / SEC, .tv_nsec = p->next % SEC };
	int64_t late;

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	late = now() - p->next;
	p->next += (late / p->every + 1) * p->every;
}
