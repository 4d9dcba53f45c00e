/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaded program, as link.c and shield.c share it. */
#ifndef KL_SHIELD_H
#define KL_SHIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct bpf_object;

struct shield {
	struct bpf_object *obj;
	void *skel;
	void (*destroy)(void *skel);
	char dir[256];
	int prog, egress;	/* program descriptors */
	uint32_t sets;
	uint32_t from;		/* the older ABI this took over from, 0: none */
	bool made, old;
};

/* Loads the program with maps of its own, small and pinned nowhere: for tests. object: a file that holds
 * it; NULL: the one inside, in flavour f. shield_free() ends it. 0, or -errno. */
int shield_private(struct shield **s, const char *object, enum flavour f);

#endif
