/* SPDX-License-Identifier: BSD-2-Clause */
/* One thread that waits for the disk. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "sync.h"

#define STACK (256 * 1024)	/* bytes */

struct file {
	int fd, folder;
	const char *path;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static struct file queue[SYNC_FILES];
static size_t queued;
static bool running, busy;
static const char *failed;	/* the first path that was not forced, and why */
static int failed_err;

int sync_now(int fd, int folder)
{
	int err = fsync(fd) ? errno : 0;

	if (close(fd) && !err)
		err = errno;
	/* The name is on disk only when its folder is. EINVAL: a file system that has nothing to do there. */
	if (fsync(folder) && errno != EINVAL && !err)
		err = errno;
	close(folder);
	return err;
}

static void *worker(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		struct file f;
		int err;

		while (!queued)
			pthread_cond_wait(&work, &lock);
		f = queue[0];
		memmove(queue, queue + 1, --queued * sizeof(f));
		busy = true;
		pthread_mutex_unlock(&lock);
		err = sync_now(f.fd, f.folder);
		pthread_mutex_lock(&lock);
		busy = false;
		if (err && !failed) {
			failed = f.path;
			failed_err = err;
		}
		pthread_cond_broadcast(&done);
	}
	return NULL;
}

/* Signals are for the threads that were there before. */
static bool start(void)
{
	pthread_attr_t attr;
	sigset_t all, was;
	pthread_t t;

	if (running || pthread_attr_init(&attr))
		return running;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	running = !pthread_attr_setstacksize(&attr, STACK) &&
		  !pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) &&
		  !pthread_create(&t, &attr, worker, NULL);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	pthread_attr_destroy(&attr);
	return running;
}

/* With the lock held. */
static bool enqueue(const struct file *f)
{
	size_t i;

	for (i = 0; i < queued && strcmp(queue[i].path, f->path); i++)
		;
	if (i == SYNC_FILES)
		return false;
	if (i < queued) {
		close(queue[i].fd);
		close(queue[i].folder);
	} else {
		queued++;
	}
	queue[i] = *f;
	pthread_cond_signal(&work);
	return true;
}

static void check(const char *path, int err)
{
	if (path)
		die(KL_SYSTEM, "cannot write '%s': %s", path, strerror(err));
}

void sync_later(int fd, int folder, const char *path)
{
	const struct file f = { fd, folder, path };
	const char *bad;
	int err;
	bool taken;

	pthread_mutex_lock(&lock);
	bad = failed;
	err = failed_err;
	taken = start() && enqueue(&f);
	pthread_mutex_unlock(&lock);
	check(bad, err);
	if (taken)
		return;
	err = sync_now(fd, folder);
	check(err ? path : NULL, err);
}

void sync_wait(void)
{
	const char *bad;
	int err;

	pthread_mutex_lock(&lock);
	while (queued || busy)
		pthread_cond_wait(&done, &lock);
	bad = failed;
	err = failed_err;
	pthread_mutex_unlock(&lock);
	check(bad, err);
}
