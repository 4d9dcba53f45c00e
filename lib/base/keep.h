/* SPDX-License-Identifier: BSD-2-Clause */
/* A table kept between runs: frames of kl-tsv(5) in a file, a row an entry. */
#ifndef KL_KEEP_H
#define KL_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "file.h"
#include "table.h"
#include "tsv.h"

#define KEEP_CELLS 1024		/* room put() has */

struct keep {
	const char *header;	/* time, src, and at most 64 columns of cells */
	/* Writes the cells of an entry at p, a TAB before each; returns the end. */
	char *(*put)(char *p, const void *entry);
	/* Reads them into a new entry, whose key is set. -1, or the index of the
	 * first bad cell with *want saying what it should be. */
	int (*get)(void *entry, const char *const cell[], const uint32_t len[], const char **want);
};

/* Replaces path by the table. Ends the command (status 4) when it cannot; path is then as it was. */
void keep_save(const struct keep *k, const char *path, const struct table *t, int64_t time, enum disk when);

/* Fills the empty table from path and sets *time. False: there is no such file, or, said, it is empty.
 * Ends the command with a message when it cannot be read (status 4) or is not one whole frame (status 3). */
bool keep_load(const struct keep *k, const char *path, struct table *t, int64_t *time);

/* The same of a single entry of `size` bytes, its key set. Loading one that is not there changes nothing. */
void keep_save_one(const struct keep *k, const char *path, const void *entry, size_t size, int64_t time,
		   enum disk when);
bool keep_load_one(const struct keep *k, const char *path, void *entry, size_t size, int64_t *time);

/*
 * A table kept up to date in path while it changes, frame by frame. A small one is
 * saved whole. To a large one's file frames are appended that hold what changed
 * since the one before, until that is as much as the first frame or KEEP_EVERY is
 * over; then it is saved whole again. All end the command (status 4) when they
 * cannot write.
 */
#define KEEP_EVERY 30000	/* the longest time, in milliseconds of the data, between two whole ones */

struct keeper {
	const struct keep *k;
	const char *path;	/* not copied */
	struct tsv_out out;	/* appends to path; no buffer: nothing can be */
	char *what;		/* path, for its messages */
	uint64_t room;		/* bytes yet to be appended */
	bool rows;		/* some of the frame under way were appended */
	bool begun, behind;	/* saved is set; path has no whole frame of the last one's time */
	int64_t saved;		/* when it was saved whole, or the first frame */
};

/* Begins. As keep_load(), but of a file with appended frames: a later row of a source replaces the
 * earlier one. When the last one was cut while being appended, it is dropped, with a message. */
bool keeper_load(struct keeper *k, const struct keep *cells, const char *path, struct table *t,
		 int64_t *time);
/* The same; a file from before there were the last `newer` columns has NULL for their cells. */
bool keeper_load_old(struct keeper *k, const struct keep *cells, size_t newer, const char *path,
		     struct table *t, int64_t *time);
/* Drops what was loaded, of the time then, when that is further than ttl from now; said once. */
void keeper_fresh(const struct keeper *k, struct table *t, int64_t then, int64_t now, int64_t ttl);
/* The frame of that time, under way, changed this entry. */
void keeper_row(struct keeper *k, int64_t time, const void *entry);
/* The frame is whole. urgent: path must have it before anybody is told of it. */
void keeper_frame(struct keeper *k, const struct table *t, int64_t time, bool urgent);
/* The last one was: saves it whole if it is not, and it is on the disk. */
void keeper_close(struct keeper *k, const struct table *t, int64_t time);

#endif
