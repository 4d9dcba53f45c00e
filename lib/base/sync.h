/* SPDX-License-Identifier: BSD-2-Clause */
/* Files forced to the disk while the caller goes on: a tick does not wait for a slow disk. */
#ifndef KL_SYNC_H
#define KL_SYNC_H

/* Takes the open file and its folder; another thread fsyncs and closes both. A file of that path that
 * still waits for its turn is left out: the new one replaced it. path is kept, not copied. Ends the
 * command (status 4) when an earlier one could not be forced. Waits for the disk itself where no thread
 * is to be had, or SYNC_FILES of other paths are before it. */
#define SYNC_FILES 8
void sync_later(int fd, int folder, const char *path);

/* All handed over are on the disk. Ends the command (status 4) when one is not. */
void sync_wait(void);

/* Forces one at once and closes both. 0, or the error. */
int sync_now(int fd, int folder);

#endif
