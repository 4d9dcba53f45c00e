/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that does not answer: loaded before the C library (LD_PRELOAD), fsync
 * and fdatasync wait for as long as there is the file that KL_STUCK names, to
 * which each that waits adds a byte. When KL_BROKEN names a file they fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int wait_and(long what, int fd)
{
	const char *stuck = getenv("KL_STUCK"), *broken = getenv("KL_BROKEN");
	int said = stuck ? open(stuck, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	if (said >= 0) {
		if (write(said, ".", 1) != 1)
			_exit(99);
		close(said);
		while (!access(stuck, F_OK))
			usleep(1000);
	}
	if (broken && !access(broken, F_OK)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(what, fd);
}

int fsync(int fd)
{
	return wait_and(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return wait_and(SYS_fdatasync, fd);
}
