/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was decided about edges, in two places that say the same: the database, and the frozen baseline, a
 * text file. A change is written to both or to neither: it is made in a transaction, the file's new bytes are
 * on disk before that is committed, and get their name when it is.
 */
#ifndef KL_GRAPH_FROZEN_H
#define KL_GRAPH_FROZEN_H

#include "../base/edgefile.h"
#include "../base/file.h"
#include "sqlite.h"

struct frozen {
	struct sqlite s;
	const char *file;
	char *was; /* the file's bytes as the database had them before */
	size_t was_n;
	bool there; /* the file was */
};

/* What the database holds, sorted, into the empty f. */
void frozen_load(struct sqlite *s, struct edgefile *f);
/* The same as the file's bytes; free() them. */
char *frozen_text(struct sqlite *s, size_t *n);

/* Begins a change of db and file. False, after a message: the file is not what the database holds, so that
 * somebody's change would be lost; reimport: that is what is wanted. */
bool frozen_begin(struct frozen *f, const char *db, const char *file, bool reimport);
/* Ends it. What was written to f->s.sql is done first. */
void frozen_commit(struct frozen *f);
void frozen_undo(struct frozen *f);

#endif
