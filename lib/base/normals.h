/* SPDX-License-Identifier: BSD-2-Clause */
/* What is normal on edges: a frame of schemas/edge.tsv, as kl-graph list prints it, made for looking up. */
#ifndef KL_NORMALS_H
#define KL_NORMALS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "flow.h"

enum { PPS, BPS, RATES };

struct normal {
	struct flow key;	/* src, out, proto, port; its counts: by normals_count(), 0 at first */
	double median[RATES], mad[RATES], peak[RATES];	/* packets and bytes a second */
};

struct normals {		/* zeroed: none */
	struct normal *x;	/* sorted */
	size_t n, cap;
	struct stat seen;	/* the file as it was read last, or tried to */
};

/* Reads path into the empty k: the edges that are learned, approved or frozen, and have min_obs observations
 * or more. 0; or -1 after a message, when it is not there or not one: k is empty then. A bad row is
 * reported and passed over. */
int normals_read(struct normals *k, const char *path, uint64_t min_obs);
/* Reads it again when it is another; when it cannot, that is said and k stays as it was. */
void normals_refresh(struct normals *k, const char *path, uint64_t min_obs);
void normals_free(struct normals *k);	/* empty again */
/* Adds pkts, bytes and est of the flow to the edge it is of; a client's to that of port 0. */
void normals_count(struct normals *k, const struct flow *f);

#endif
