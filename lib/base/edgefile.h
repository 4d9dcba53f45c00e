/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frozen baseline: a text file of edges, made for review. A line is
 * "DIR SRC PORT/PROTO STATE", one blank between, and perhaps a comment behind
 * two blanks: "in 10.0.0.5 443/tcp frozen  # backups". Lines that begin with
 * '#', and empty ones, belong to the edge below them; those above the file's first
 * empty line, when no edge is among them, to the file. What is read is exactly what
 * would be written: another spelling is a mistake, so that a file goes round byte for byte.
 */
#ifndef KL_EDGEFILE_H
#define KL_EDGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

enum edge_dir { EDGE_IN, EDGE_OUT };
enum edge_state { EDGE_FROZEN, EDGE_APPROVED, EDGE_DENIED };
extern const char *const edge_dirs[];	/* "in" "out", then NULL */
extern const char *const edge_states[];	/* "frozen" "approved" "denied", then NULL */

struct edgeline {
	struct prefix src;	/* the other side; an address when frozen */
	uint8_t dir, proto, state;
	uint16_t port;		/* of this host when dir is in, else of the other side; 0: none, or `*` */
	const char *above;	/* its comment lines, with their LF, and what is behind its STATE; not NUL- */
	const char *behind;	/* terminated, NULL with length 0: none */
	size_t above_n, behind_n;
	long line;		/* counted from 1; 0: not from the file */
};

struct edgefile {		/* zeroed: empty */
	struct edgeline *e;
	size_t n, cap;
	char *text;		/* what the comments point into */
	size_t head_n;		/* bytes of it that belong to the file */
	const char *foot;	/* comment lines below the last edge */
	size_t foot_n;
};

/* Reads path ("-": stdin) into the empty f, in its own order. Mistakes, an edge told twice among them, are
 * reported as "FILE:LINE: what 'text'", at most 10, then their number; returns how many there were, or
 * -1 with errno when it cannot be read. f is empty again unless 0 is returned. */
long edgefile_read(struct edgefile *f, const char *path);
/* Another edge, zeroed, at the end. Ends the command when memory is out. Pointers to others are void. */
struct edgeline *edgefile_add(struct edgefile *f);
void edgefile_free(struct edgefile *f);	/* empty again */

/* The order of the file: dir; IPv4 before IPv6; address, wider prefixes first; protocol; port. */
int edgeline_cmp(const void *a, const void *b);
void edgefile_sort(struct edgefile *f);
/* The edge of that key (src whole, state and comments not looked at) in a sorted f; NULL: there is none. */
struct edgeline *edgefile_find(const struct edgefile *f, const struct edgeline *key);

/* The file's bytes, in f's order; *n of them; free() them. Ends the command when memory is out. */
char *edgefile_text(const struct edgefile *f, size_t *n);

#define EDGELINE_TEXT 96	/* room for the longest line without comment */
/* "DIR SRC PORT/PROTO STATE" at p, without NUL; returns the end. */
char *edgeline_put(char *p, const struct edgeline *e);
/* Exactly the n bytes at s as that, no comment. NULL, or what is wrong, static; *at: with which part. */
const char *edgeline_get(const char *s, size_t n, struct edgeline *e, const char **at);

/* PORT/PROTO of files: `*` where a protocol with ports has port 0, and only the names of streams. */
char *edgeport_put(char *p, const struct prefix *src, uint16_t port, uint8_t proto);
const char *edgeport_get(const char *s, size_t n, const struct prefix *src, uint16_t *port, uint8_t *proto);

#endif
