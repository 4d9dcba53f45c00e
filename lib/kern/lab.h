/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of its own on a bench: no interface, no pins. Frames go in by
 * BPF_PROG_TEST_RUN, time passes by moving what is remembered into the past, the rules
 * are written through kern_*() as ever. Functions return 0 or -errno and print nothing.
 */
#ifndef KL_LAB_H
#define KL_LAB_H

#include "link.h"
#include "map.h"

struct lab;

/* Ticks of the packet path's clock in a second of the bench: more than the kernel's, so that what passes of
 * real time during a trial counts for little. */
#define LAB_HZ 4000u
/* What the kernel takes for a test: from outside, from this host; at most. */
#define LAB_IN_MIN  14u
#define LAB_OUT_MIN 54u
#define LAB_MAX     3400u

/* object, f: as of shield_private(). */
int lab_open(struct lab **l, const char *object, enum flavour f);
void lab_close(struct lab *l);
/* Borrowed: what was loaded, as an instance open for writing. kern_lock() and kern_alive() are not for it. */
struct kern *lab_kern(struct lab *l);
/* Tag by which the kernel names the program's instructions, in hex; static. "" when it has none. */
const char *lab_tag(struct lab *l);
/* The tag of the first program attached under dir, likewise. -ENOENT: none is. */
int lab_running_tag(const char *dir, const char **tag);

/* As if just loaded: counters, records, conversations; rules stay. full: every table is without room for one
 * more record; spent: so is the budget of essential packets. */
int lab_clear(struct lab *l, bool full, bool spent);
/* A frame from outside: *pass. From this host, as a train of `segs` segments. */
int lab_in(struct lab *l, const void *frame, size_t n, bool *pass);
int lab_out(struct lab *l, const void *frame, size_t n, unsigned segs);
/* Replaces a rule without a word that it changed: as if it had always been so. */
int lab_put(struct lab *l, enum kl_table t, const struct rule *r);
/* Seconds pass for records and conversations; the expiry of rules and what is in kl_cfg is the caller's. */
void lab_pass(struct lab *l, unsigned seconds);

/* One record of each, and how many there are in both families; i counts from 0, empty ones are passed over:
 * NULL after the last. *i is moved behind what was found. */
const struct kl_src *lab_src(struct lab *l, size_t *i, const struct kl_cold **cold);
const struct kl_flow *lab_flow(struct lab *l, size_t *i);

#endif
