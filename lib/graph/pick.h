/* SPDX-License-Identifier: BSD-2-Clause */
/* Which edges a command is about, as people say it: [DIR] SRC [PORT/PROTO], again and again. */
#ifndef KL_GRAPH_PICK_H
#define KL_GRAPH_PICK_H

#include "../base/edgefile.h"
#include "sqlite.h"

/*
 * Writes statements that fill temp.picked from the words. SRC is an address or a prefix, and stands for all
 * in it; PORT/PROTO is as in the frozen baseline; without DIR it is "in" for an edge, and both for a source.
 * Ends the command (status 2) when they are not that. Returns how many edges there are with PORT/PROTO: those
 * are rows with named set.
 */
int pick_words(struct sqlite *s, char **word);

/* A row of a table like temp.picked; dir NULL: both. */
void pick_table(struct sqlite *s, const char *table);
void pick_put(struct sqlite *s, const char *table, const char *dir, const struct edgeline *k, bool named);

/* An SQL condition on graph_edges: one of the rows of the table is about it. */
#define IN_PICK(table)                                                                                       \
	"EXISTS (SELECT 1 FROM " table " p WHERE graph_edges.addr BETWEEN p.addr AND p.last"                 \
	" AND graph_edges.bits >= p.bits AND (p.dir IS NULL OR p.dir = graph_edges.dir)"                     \
	" AND (NOT p.named OR (p.port = graph_edges.port AND p.proto = graph_edges.proto)))"
#define PICKED IN_PICK("picked")

#endif
