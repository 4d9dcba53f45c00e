/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges for people and programs, to stdout. */
#ifndef KL_GRAPH_SHOW_H
#define KL_GRAPH_SHOW_H

#include "edges.h"

/* Edge frames (schemas/edge.tsv). */
void show_list(struct sqlite *s, const struct edges_of *of);
/* A rehearsal frame: what freezing now would cut, then what it would keep. */
void show_rehearsal(struct sqlite *s, const struct edges_of *of);
/* A graph for dot(1): sources, this host's services, hosts it talks to; states as colours. violations: NULL,
 * or frames of them, whose edges are red. Returns a status. */
int show_dot(struct sqlite *s, const struct edges_of *of, const char *violations);

#endif
