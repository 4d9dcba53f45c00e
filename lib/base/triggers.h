/* SPDX-License-Identifier: BSD-2-Clause */
/* The triggers of the four signals as a file that is read again when it changed: settings
 * (key TAB value) of the keys below; a key that is not there keeps what the options gave. */
#ifndef KL_TRIGGERS_H
#define KL_TRIGGERS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "tsv.h"

#define TRIGGERS 4		/* packets, SYNs, ports, bytes a second */
#define TRIGGER_MAX 1e12
extern const char *const trigger_key[TRIGGERS];

struct triggers {
	const char *path;	/* kept, not copied; NULL: no file */
	double *trig;		/* TRIGGERS of them, in force */
	double given[TRIGGERS];	/* by options and settings files */
	struct stat seen;
};

/* trig holds what opt_parse() left there; those on the command line are never changed. A file
 * that is not there yet, or, said, is empty, changes nothing; a broken one ends the command (status 2). */
void triggers_open(struct triggers *t, const char *path, double trig[TRIGGERS]);

/* Reads the file again if it is another than before. True: trig changed. A broken one is
 * reported once and changes nothing. */
bool triggers_refresh(struct triggers *t);

/* Replaces path by those of the triggers that are > 0. Ends the command (status 4) when it cannot. */
void triggers_save(const char *path, const double trig[TRIGGERS]);

/* A trigger for the source of r alone, in column col: no lower than *trig, the one for all, where that
 * is looked at; '-': there is none. 0, or -1 after tsv_bad(). */
int trigger_own(const struct tsv_row *r, int col, double *trig);

#endif
