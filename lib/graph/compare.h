/* SPDX-License-Identifier: BSD-2-Clause */
/* The frozen baseline, the database, and what is on the wire now, side by side. */
#ifndef KL_GRAPH_COMPARE_H
#define KL_GRAPH_COMPARE_H

#include "../base/ports.h"
#include "decide.h"

/* Prints a difference frame (schemas/difference.tsv): the edges the three do not agree about. wire: flow
 * frames, which are added up; NULL: that is not looked at. Returns KL_OK when there are none, KL_NO when
 * there are, another status after a message. */
int compare(const struct graph_files *at, const char *wire, const struct ports *ports);

#endif
