/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flow is by the frozen baseline, and what follows from that. Pure.
 *
 * A source address can be forged: what would cut a peer off because of one packet
 * "from" it serves who wants it cut off. So a source that has edges of its own gets
 * strikes only for flows whose handshake was completed; else the edge alone pays.
 */
#ifndef KL_GRAPH_H
#define KL_GRAPH_H

#include "../base/edgefile.h"
#include "../base/flow.h"

enum graph_mode { GRAPH_LEARN, GRAPH_OBSERVE, GRAPH_ENFORCE };
enum graph_force { FORCE_PROVEN, FORCE_NEVER, FORCE_ALWAYS };
enum graph_kind { KIND_NONE, KIND_NEW, KIND_DENIED };

struct graph_conf {
	int mode, force;	/* of the enums above */
};

struct graph {			/* the baseline, made for looking up; zeroed: an empty one */
	const struct edgefile *file;		/* sorted */
	const struct edgeline **wide;		/* its lines of prefixes */
	size_t wides;
};

struct verdict {
	enum graph_kind kind;
	bool proven;		/* the source has shown that it is there */
	bool known;		/* it has frozen or approved edges */
	unsigned score;		/* 0..100 */
	bool strikes;		/* what the score stands for counts, else none do */
	bool force;
};

/* Looks at f, which is sorted and kept. 0, or -1 without memory; graph_free() it. */
int graph_init(struct graph *g, const struct edgefile *f);
void graph_free(struct graph *g);

/* f as flows_settle() leaves it. */
struct verdict graph_judge(const struct graph *g, const struct graph_conf *c, const struct flow *f);

#endif
