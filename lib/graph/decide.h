/* SPDX-License-Identifier: BSD-2-Clause */
/* What people decide about edges. All begin and end a change of the database and the frozen baseline, and
 * return a status, after a message when that is not KL_OK. words: which edges, see pick.h; none: all. */
#ifndef KL_GRAPH_DECIDE_H
#define KL_GRAPH_DECIDE_H

struct graph_files {
	const char *db, *frozen;
};

/* The learned ones become frozen, but for those that a denied prefix holds. Prints how many. */
int decide_freeze(const struct graph_files *at, char **words);
/* Those become approved, or denied; an edge nobody saw, or of a prefix, is made. */
int decide_approve(const struct graph_files *at, char **words);
int decide_deny(const struct graph_files *at, char **words);
/* Those are gone, as if never seen. */
int decide_forget(const struct graph_files *at, char **words);
/* What the text file says is frozen, approved and denied, and nothing else is. */
int decide_import(const struct graph_files *at, const char *file);
/* The baseline of the database into a file; "-": to stdout. */
int decide_export(const struct graph_files *at, const char *file);

#endif
