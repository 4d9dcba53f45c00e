/* SPDX-License-Identifier: BSD-2-Clause */
/* GraphProposal documents of Kernloom IQ, in YAML. */
#ifndef KL_GRAPH_PROPOSAL_H
#define KL_GRAPH_PROPOSAL_H

#include "decide.h"
#include "edges.h"

/* Writes those edges to file ("-": stdout); of->states NULL: all but expired ones. node: what this host is
 * called there. Returns KL_OK. */
int proposal_export(const struct graph_files *at, const struct edges_of *of, const char *node,
		    const char *file);

/* Adds its edges to the database, and those that are decided to the baseline; what is there is kept: evidence
 * is that of who has more, and denied stays denied. Returns a status, after messages with FILE:LINE. */
int proposal_import(const struct graph_files *at, const char *file);

#endif
