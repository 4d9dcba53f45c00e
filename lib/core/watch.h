/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All sources worth remembering, stepped frame by frame. What a frame says of
 * a source is only noted; it counts when the frame is whole, so that of a cut
 * frame nothing has to be undone. 112 bytes a source, and its index.
 */
#ifndef KL_WATCH_H
#define KL_WATCH_H

#include "../base/addr.h"
#include "../base/table.h"
#include "fsm.h"
#include "words.h"

struct source {
	struct prefix x;
	uint8_t  why, kind;	/* words: of in, and of a violation */
	bool     moved;		/* in this tick, see struct watch */
	uint32_t tick;		/* the frame that in belongs to; of another it is void */
	struct fsm f;
	struct fsm_in in;
};

#define WATCH_IDLE 131072	/* sources that may be kept for their offences alone; the oldest go */

struct watch {
	const struct fsm_cfg *cfg;
	const struct fsm_cfg *surge;	/* of all sources together, whose prefix is ::/0 */
	/* Whether x is never to be above OBSERVE; asked with list. */
	bool (*exempt)(const void *list, const struct prefix *x);
	const void *list;
	/* Called with self for every source that is above OBSERVE, was so before this tick, or
	 * has strikes. sev is that of the tick, why what led here. */
	void (*each)(void *self, const struct source *s, int from, double sev, const char *why);
	void *self;
	/* NULL, or called with self behind those for every source whose level changed in this tick, that
	 * a violation came for, or that is forgotten, which then is as if it had come just now. */
	void (*moved)(void *self, const struct source *s);

	struct table sources;	/* struct source, in the order they came */
	struct words words;	/* reasons given in this frame */
	uint32_t tick;
	int64_t time;		/* of the last whole frame */
	bool recheck;		/* set it when other sources may be exempt than before */
	bool changed;		/* a level was in the last whole frame */
	size_t idle, surplus;	/* sources kept for their offences alone; of them, how many are too many */
};

/* The members up to moved are the caller's to fill in first. */
void watch_init(struct watch *w);

/* All sources together are one that has a state of its own: the surge. No list exempts it. */
static inline bool is_surge(const struct prefix *x)
{
	return !x->len;
}

enum watch_note {
	WATCH_OK,
	WATCH_TWICE,	/* not noted: the frame spoke of this source before */
	WATCH_NO_WORD,	/* not noted: why is no word, see words_number() */
	WATCH_ALL,	/* not noted: ::/0 is the star row's */
};

/* The sources are those of an earlier run, up to w->time: forgets the trivial ones. */
void watch_resume(struct watch *w);

/* What the frame under way says of a source, with the n bytes at why. */
enum watch_note watch_note(struct watch *w, const struct prefix *x, const struct fsm_in *in, const char *why,
			   size_t n, int64_t now);

/* The same of all sources together, from the star row. */
enum watch_note watch_all(struct watch *w, const struct fsm_in *in, const char *why, size_t n, int64_t now);

/* Has the frame under way noted for x even if it is no more than a benign row. */
void watch_expect(struct watch *w, const struct prefix *x, int64_t now);

/* A violation, to be followed by watch_step() for the same time. */
void watch_violation(struct watch *w, const struct prefix *x, uint32_t strikes, bool force, const char *kind,
		     int64_t now);

/* The frame is whole: steps every source, forgets the trivial ones. When it is earlier than the last one,
 * what was before is taken to have been as much earlier. */
void watch_step(struct watch *w, int64_t now);
/* It never will be. */
void watch_cut(struct watch *w);

/* A source's cells in schemas/state.tsv and back, as lib/base/keep.h wants them. */
char *source_put(char *p, const void *source);
int source_get(void *source, const char *const cell[], const uint32_t len[], const char **want);

#endif
