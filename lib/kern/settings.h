/* SPDX-License-Identifier: BSD-2-Clause */
/* What is set in the packet path, on trial or for good. What writes needs kern_lock(). */
#ifndef KL_SETTINGS_H
#define KL_SETTINGS_H

#include "map.h"

/* What is set. Of a trial that ran out: what was before, whether that is written down already or not;
 * so it needs no lock. */
struct kern_settings {
	uint32_t features;	/* KL_F_* */
	uint64_t rate, burst;	/* the default limit; rate 0: none */
};
void kern_settings(struct kern *k, struct kern_settings *out);

/* Sets the default limit; rate 0: none. */
int kern_default_limit(struct kern *k, uint64_t rate, uint64_t burst);
/* Sets and clears KL_F_* bits at once, then has every record judged anew. */
int kern_feature(struct kern *k, uint32_t set, uint32_t clear);

/* Begins a trial of `ms` milliseconds: what is KL_F_TRIED, and the default limit, as they are now come
 * back unless kern_confirm() is called in time; the packet path sees to it. During a trial: it ends `ms`
 * from now, what comes back stays what it was. */
int kern_try(struct kern *k, int64_t ms);
/* Ends the trial, keeping what was tried. -ENOENT: there is none; -ETIME: the latest ran out. */
int kern_confirm(struct kern *k);
/* Milliseconds left of the trial under way; 0: it ran out, the latest of all; -1: neither. */
int64_t kern_trial_left(struct kern *k);

/* The dead-man switch: mode after `ms` without kern_beat(); ms 0: off. Counts as a beat. */
int kern_dead_man(struct kern *k, enum kl_dead mode, int64_t ms);
/* kl-apply is here. */
void kern_beat(struct kern *k);
/* Has the switch fallen? Its mode is in force then. */
bool kern_fallen(struct kern *k);

/* A surge until `until` (boot time ns; 0: none, it is over), or prolongs the one that is. In it `rate`
 * packets a second of each class pass untested; 0: none do. */
void kern_surge(struct kern *k, uint64_t until, uint32_t rate);
/* When it ends, or ended though nobody said that it is over; 0: there is none. */
uint64_t kern_surging(struct kern *k);

#endif
