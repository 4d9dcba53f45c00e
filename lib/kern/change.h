/* SPDX-License-Identifier: BSD-2-Clause */
/* A change of one setting, from the words people write. */
#ifndef KL_CHANGE_H
#define KL_CHANGE_H

#include "settings.h"

struct change {			/* {0} before change_get() */
	enum { CHANGE_WORD, CHANGE_LIMIT, CHANGE_SAMPLE, CHANGE_DEAD_MAN, CHANGE_CONFIRM } what;
	uint32_t set, clear;	/* KL_F_* */
	uint32_t rate, burst;	/* rate 0: no limit */
	uint32_t sample;
	enum kl_dead mode;
	int64_t dead_ms;	/* 0: off */
};

/* Exactly s as seconds, or as a duration, of at least one second. 0, or -1. */
int seconds_get(const char *s, int64_t *ms);
#define SECONDS "seconds, or a duration like 5m, at least 1 s"

/* n words, 1 at least: a key and its value. NULL, or what is wrong with them, static. */
const char *change_get(struct change *c, char *const *v, int n);
/* Is it one that a trial takes back? */
bool change_is_tried(const struct change *c);
/* Makes it. 0; or -errno, of kern_confirm() too. Needs kern_lock(). */
int change_make(struct kern *k, const struct change *c);

/* The i-th setting whose value is a word, and that word; NULL behind the last. */
const char *setting_word(uint32_t features, size_t i, const char **word);
extern const char *const dead_word[KL_PASS_ALL + 1];

#endif
