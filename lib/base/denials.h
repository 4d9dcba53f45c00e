/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges that are to be denied for a while, and a file that says which: a list as kl-rule(8) loads it. */
#ifndef KL_DENIALS_H
#define KL_DENIALS_H

#include "edgefile.h"

#define DENIALS_MAX 65536u	/* what the kernel's table holds */

struct denials {		/* zeroed: none */
	struct edgefile list;	/* the first `sorted` in order; line: until when, Unix seconds */
	size_t sorted;
	size_t refused;		/* in the frame under way, for want of room */
	bool changed;		/* the file says something else */
};

/* The edge is to be denied until then, Unix ms. Within a frame no edge is noted twice. One without a
 * port though its protocol has them is none. */
void denials_note(struct denials *d, const struct prefix *src, uint16_t port, uint8_t proto, int64_t until);
/* The frame is whole: forgets those whose time is over. Returns how many there was no room for. */
size_t denials_frame(struct denials *d, int64_t now);
/* Replaces path by the edges and those that f denies, addresses to this host, for good; ends the command when
 * it cannot. Nothing is done when nothing changed since. The disk follows soon, or in denials_close(). */
void denials_save(struct denials *d, const char *path, const struct edgefile *f);
void denials_close(struct denials *d);

#endif
