/* SPDX-License-Identifier: BSD-2-Clause */
/* The sources being watched. */
#include <string.h>

#include "fsm_text.h"
#include "watch.h"

static void next_frame(struct watch *w)
{
	w->tick++;
	w->words.n = 0;
	words_number(&w->words, "violation", 9);	/* word 0, for a kind there is no room for */
}

void watch_init(struct watch *w)
{
	table_init(&w->sources, sizeof(struct source));
	w->recheck = true;
	next_frame(w);
}

static const struct fsm_cfg *cfg_of(const struct watch *w, const struct source *s)
{
	return is_surge(&s->x) ? w->surge : w->cfg;
}

static bool is_exempt(const struct watch *w, const struct prefix *x)
{
	return !is_surge(x) && w->exempt(w->list, x);
}

/* The source of that prefix, new if need be; NULL when it is exempt. */
static struct source *get(struct watch *w, const struct prefix *x, int64_t now)
{
	struct source *s = table_find(&w->sources, x);

	if (s || is_exempt(w, x))
		return s;
	s = table_get(&w->sources, x);
	fsm_init(&s->f, now);
	return s;
}

static enum watch_note note(struct watch *w, const struct fsm_cfg *cfg, const struct prefix *x,
			    const struct fsm_in *in, const char *why, size_t n, int64_t now)
{
	struct source *s = fsm_inert(cfg, in) ? table_find(&w->sources, x) : get(w, x, now);
	int word;

	if (!s)
		return WATCH_OK;
	if (s->tick == w->tick)
		return WATCH_TWICE;
	word = words_number(&w->words, why, n);
	if (word < 0)
		return WATCH_NO_WORD;
	s->why = (uint8_t)word;
	s->tick = w->tick;
	s->in = *in;
	return WATCH_OK;
}

enum watch_note watch_note(struct watch *w, const struct prefix *x, const struct fsm_in *in, const char *why,
			   size_t n, int64_t now)
{
	return is_surge(x) ? WATCH_ALL : note(w, w->cfg, x, in, why, n, now);
}

enum watch_note watch_all(struct watch *w, const struct fsm_in *in, const char *why, size_t n, int64_t now)
{
	const struct prefix all = { 0 };

	return note(w, w->surge, &all, in, why, n, now);
}

/* A whole frame is earlier than the one before it: the clock was set back. All that was before keeps
 * its distance from now; else who is blocked would stay so, and who is in his cooldown unharmed, for
 * as long again. */
static void follow(struct watch *w, int64_t now)
{
	for (size_t i = 0; now < w->time && i < w->sources.n; i++) {
		struct source *s = table_at(&w->sources, i);

		/* Unless it came with this frame. */
		if (s->f.since != now || s->f.last_trigger != FSM_UNSET)
			fsm_shift(&s->f, w->time - now);
	}
	if (now < w->time)
		w->time = now;
}

void watch_expect(struct watch *w, const struct prefix *x, int64_t now)
{
	get(w, x, now);
}

void watch_violation(struct watch *w, const struct prefix *x, uint32_t strikes, bool force, const char *kind,
		     int64_t now)
{
	struct source *s;
	int word;

	follow(w, now);
	s = is_surge(x) ? NULL : get(w, x, now);
	if (!s)
		return;
	fsm_violation(&s->f, w->cfg, strikes, force, now);
	word = words_number(&w->words, kind, strlen(kind));
	s->kind = word < 0 ? 0 : (uint8_t)word;
	s->moved = true;
}

static const char *said(const struct watch *w, const struct source *s, enum fsm_why why)
{
	switch (why) {
	case FSM_SIGNAL:
		return w->words.text[s->why];
	case FSM_VIOLATION:
		return w->words.text[s->kind];
	case FSM_GATE:
		return "gate";
	case FSM_NONCOMP:
		return "noncomp";
	case FSM_CEILING:
		return "ceiling";
	default:
		return "quiet";
	}
}

static void step(struct watch *w, struct source *s)
{
	struct fsm_in in = s->tick == w->tick ? s->in : (struct fsm_in){ 0 };
	const char *why = "whitelist";
	int from = s->f.level;

	if (w->recheck && is_exempt(w, &s->x))
		fsm_init(&s->f, w->time);
	else
		why = said(w, s, fsm_step(&s->f, cfg_of(w, s), &in, w->time));
	if (s->f.level != from)
		s->moved = w->changed = true;
	if (s->f.level != LEVEL_OBSERVE || from != LEVEL_OBSERVE || s->f.strikes)
		w->each(w->self, s, from, in.sev, why);
}

static int is_trivial(void *source, void *watch)
{
	const struct watch *w = watch;

	return fsm_trivial(&((struct source *)source)->f, cfg_of(w, source), w->time);
}

static int settle(void *source, void *watch)
{
	struct watch *w = watch;
	struct source *s = source;
	bool gone = is_trivial(s, w);

	if (!gone && fsm_idle(&s->f, cfg_of(w, s), w->time)) {
		gone = w->surplus > 0;
		w->surplus -= gone;
		w->idle += !gone;
	}
	if (gone)
		fsm_init(&s->f, w->time);
	if (w->moved && (gone || s->moved))
		w->moved(w->self, s);
	s->moved = false;
	return gone;
}

void watch_step(struct watch *w, int64_t now)
{
	follow(w, now);
	w->time = now;
	w->changed = false;
	w->idle = 0;
	for (size_t i = 0; i < w->sources.n; i++)
		step(w, table_at(&w->sources, i));
	table_sweep(&w->sources, settle, w);
	w->surplus = w->idle > WATCH_IDLE ? w->idle - WATCH_IDLE : 0;
	w->recheck = false;
	next_frame(w);
}

void watch_resume(struct watch *w)
{
	table_sweep(&w->sources, is_trivial, w);
}

void watch_cut(struct watch *w)
{
	/* Sources that only this frame spoke of are trivial still. */
	table_sweep(&w->sources, is_trivial, w);
	next_frame(w);
}

char *source_put(char *p, const void *source)
{
	return fsm_put(p, &((const struct source *)source)->f);
}

int source_get(void *source, const char *const cell[], const uint32_t len[], const char **want)
{
	return fsm_get(&((struct source *)source)->f, cell, len, want);
}
