/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pinned maps of one instance, behind a wall: nothing of libbpf shows.
 * Functions return 0 or a count, or -errno, and print nothing.
 */
#ifndef KL_MAP_H
#define KL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/kl_abi.h"
#include "../base/addr.h"
#include "../base/rule.h"

#define KL_BPFFS "/sys/fs/bpf"

enum kl_table { KL_ALLOW, KL_DENY, KL_LIMIT, KL_EDGE_ALLOW, KL_EDGE_DENY, KL_EDGE_LIMIT, KL_TABLES };

static inline bool is_edge(enum kl_table t)
{
	return t >= KL_EDGE_ALLOW;
}

struct kern;

/* Opens the instance pinned under dir. -ENOENT: nothing is attached there;
 * -EPERM, -EACCES: no privilege; -EPROTO: another ABI (*why says which);
 * -ENODEV: a pin is missing (*why names it). *why points to static text. write: will change. */
int kern_open(struct kern **k, const char *dir, bool write, const char **why);
void kern_close(struct kern *k);
/* What went wrong in kern_open(), for a message "cannot open DIR: ..."; static. */
const char *kern_strerror(int err, const char *why);

/* The live configuration and default limit, mapped; never NULL. Read-only
 * unless opened for writing. */
volatile struct kl_cfg *kern_cfg(struct kern *k);
volatile struct kl_rl_cfg *kern_rl(struct kern *k);

/* Takes the instance's writer lock (flock on dir), waiting for it; released by kern_unlock(),
 * kern_close() or death. Everything below that writes needs it held. A trial that ran out is
 * written off on the way: what the kernel went back to is what the settings say then. */
int kern_lock(struct kern *k);
void kern_unlock(struct kern *k);

/* Are the pins still those that were opened? 0; -ENOENT when one is gone, -ESTALE
 * when another map stands in its place (*why names it). */
int kern_alive(struct kern *k, const char **why);

/* Both of them, the lock only with `lock`: before a round of changes, */
int kern_enter(struct kern *k, bool lock, const char **why);
/* and when it is done: the dead-man switch is held, the lock given back. */
void kern_leave(struct kern *k);

/* Calls each() for every entry of the table, both families, expired ones
 * too, by batches; stops when it returns non-zero and returns that. */
int kern_walk(struct kern *k, enum kl_table t, int (*each)(void *arg, const struct rule *r), void *arg);
/* The entry with exactly that key: the prefix, and of edges port and protocol. 1 found, 0 not. */
int kern_find(struct kern *k, enum kl_table t, const struct rule *key, struct rule *out);
/* Adds or replaces n rules. Returns how many went in; when fewer than n,
 * *err is the errno of the first that did not (E2BIG, ENOSPC: the table is full). Bumps generations. */
size_t kern_put(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err);
/* Removes the keys of n rules; absent ones count as removed. Same return. */
size_t kern_del(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err);
/* Name of the map that holds such a prefix, and its capacity: for messages. */
const char *kern_map_name(enum kl_table t, const struct prefix *x);
uint32_t kern_map_max(struct kern *k, enum kl_table t, const struct prefix *x);

/* The totals over all CPUs, by what was counted rather than by class. */
struct totals {
	uint64_t pkts, bytes, pass, drop_allow, drop_deny, drop_rl;
	uint64_t v4, v6, tcp, udp, icmp, syn, synack, rst, ack;
};
struct kern_totals {
	struct totals all, un;	/* un: IP packets whose source got no record */
	struct kl_totals raw;
};
int kern_totals(struct kern *k, struct kern_totals *out);
/* The histograms, all CPUs added; hist.h has them as bins. */
int kern_hist(struct kern *k, struct kl_hist *out);

uint64_t boot_ns(void);			/* CLOCK_BOOTTIME */
int64_t real_ms(void);			/* CLOCK_REALTIME, Unix milliseconds */

/* A number that tells whose counters these are: an instance has one of its own, made anew when they are. */
uint32_t kern_instance(struct kern *k);
/* Snapshots are dated by the clock that nobody sets: milliseconds of CLOCK_BOOTTIME. What was counted since
 * one that was taken then was counted in so many seconds. OTHER, or a time to come: it is of another
 * instance, or of before the machine went down; all was counted since this instance began. */
#define KERN_OTHER INT64_MAX
double kern_since(struct kern *k, int64_t then);

#endif
