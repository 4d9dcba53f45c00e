/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of events, read by one at a time. */
#ifndef KL_EVENT_H
#define KL_EVENT_H

#include "map.h"

struct ring_buffer;

struct events {
	struct kern *k;
	struct ring_buffer *ring;
	uint64_t lease;		/* what this reader last put into kl_cfg.reader_ns */
	struct kl_event *e;	/* taken from the ring, in its order */
	size_t n, cap;
};

/* Becomes the reader of an instance opened for writing. Waits, two seconds at most, for the lease
 * of one that died. 0, or -errno: -EBUSY when another one reads. */
int events_open(struct events *v, struct kern *k);
/* Adds what is in the ring to e[]; the caller empties it by n = 0. To be called several times a
 * second: the ring holds some 21,000. 0, or -errno: -EBUSY when another one took over while this one
 * stood still, -EBADMSG when an event is not one of this ABI, -ENOMEM. */
int events_read(struct events *v);
/* Gives the lease back, frees. The rest stays in the ring. */
void events_close(struct events *v);

#endif
