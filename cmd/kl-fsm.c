/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-fsm: decides which level each source is to have.
 *
 * Reads:  score frames from FILE or stdin; violation frames; a whitelist.
 * Writes: level frames to stdout: a row for every source that is above
 *         OBSERVE, was so before this tick, or has strikes.
 * Keeps:  the state of such sources, in memory and in a file when told so. A
 *         source that never was in trouble costs a look-up and no memory.
 *
 * Rows only note what a source did; all are stepped when the star row came.
 * A changed level is saved before it is told: no later run may take it back.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../lib/base/die.h"
#include "../lib/base/exempt.h"
#include "../lib/base/keep.h"
#include "../lib/base/opt.h"
#include "../lib/base/scorerow.h"
#include "../lib/base/serve.h"
#include "../lib/base/violation.h"
#include "../lib/core/fsm_text.h"
#include "../lib/core/watch.h"
#include "schema.h"

static struct {
	struct fsm_cfg fsm, surge;
	const char *state, *violations, *whitelist;
	int64_t state_ttl, surge_ttl;
	bool max_given;
} o = { .fsm = FSM_DEFAULTS, .state_ttl = 3600000, .surge_ttl = 10000 };

#define U32(name, to, help) { name, 0, OPT_U32, &o.fsm.to, 0, FSM_STRIKES_MAX - 1, "N", help, 0, true, 0 }
#define F64(name, to, help) { name, 0, OPT_F64, &o.fsm.to, 0, SCOREROW_SEV, "F", help, 0, true, 0 }
#define DUR(name, to, help) { name, 0, OPT_DUR, &o.to, 0, 0, "DUR", help, 0, true, 0 }
#define PATH(name, c, to, set, help) { name, c, OPT_STR, &o.to, 0, 0, "FILE", help, 0, set, 0 }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	PATH("state", 's', state, false, "keep the state in FILE between runs"),
	DUR("state-ttl", state_ttl, "a state further than this from the first frame is dropped"),
	PATH("violations", 0, violations, false, "apply the violation frames of FILE, which may be a FIFO"),
	PATH("whitelist", 0, whitelist, true, "never raise the addresses and prefixes of FILE"),
	U32("soft-at", at[LEVEL_SOFT], "strikes for RATE_SOFT"),
	U32("hard-at", at[LEVEL_HARD], "strikes for RATE_HARD"),
	U32("block-at", at[LEVEL_BLOCK], "strikes for BLOCK"),
	{ "max-strikes", 0, OPT_U32, &o.fsm.max_strikes, 0, FSM_STRIKES_MAX, "N",
	  "strikes a source may collect, 0 any; when not given 4 x block-at", 0, true, &o.max_given },
	{ "max-level", 0, OPT_WORD, &o.fsm.max_level, 0, 0, "LEVEL", "none above it", level_name, true, 0 },
	DUR("offence-window", fsm.offence_window, "time to forget a block in, 0 none is remembered"),
	{ "offence-max", 0, OPT_U32, &o.fsm.offence_max, 1, 1 << FSM_OFFENCES_MAX, "N",
	  "times block-ttl that a block lasts at most", 0, true, 0 },
	U32("up-need", up_need, "high ticks before a level is raised"),
	U32("down-need", down_need, "quiet ticks before a strike or a level is taken off"),
	F64("sev-step1", sev_step[0], "severity of a high tick"),
	F64("sev-step2", sev_step[1], "severity of a higher one"),
	F64("sev-step3", sev_step[2], "severity of the highest"),
	U32("sev-delta1", sev_delta[0], "strikes for step 1"),
	U32("sev-delta2", sev_delta[1], "strikes for step 2"),
	U32("sev-delta3", sev_delta[2], "strikes for step 3"),
	F64("sev-decay-below", sev_decay_below, "severity below which a tick is quiet"),
	F64("block-min-sev", block_min_sev, "severity BLOCK asks for, 0 none"),
	DUR("block-min-dur", fsm.block_min_dur, "for how long it asks for it"),
	DUR("min-hold-soft", fsm.hold_soft, "time without strikes before RATE_SOFT ends"),
	DUR("min-hold-hard", fsm.hold_hard, "time without strikes before RATE_HARD or BLOCK ends"),
	DUR("cooldown", fsm.cooldown, "time between two changes of a level"),
	DUR("soft-ttl", fsm.ttl[LEVEL_SOFT], "time before RATE_SOFT may end"),
	DUR("hard-ttl", fsm.ttl[LEVEL_HARD], "time before RATE_HARD may end"),
	DUR("block-ttl", fsm.ttl[LEVEL_BLOCK], "time before BLOCK may end"),
	DUR("surge-ttl", surge_ttl, "time before a level of the surge may end"),
	U32("noncomp-at", noncomp_at, "ticks of ignoring its limit that turn RATE_HARD into BLOCK, 0 never"),
	F64("noncomp-drop", noncomp_drop, "limited packets a second that are ignoring it, 0 none"),
	F64("noncomp-sev", noncomp_sev, "severity that is ignoring it, 0 none"),
	F64("noncomp-reset-below", noncomp_reset_below, "severity below which that count starts anew"),
	OPT_END
};

struct kl {
	struct watch watch;
	struct exempt white;
	struct violations *violations;
	struct tsv_out out;
	struct scorerow col;
	char surge[LEVEL_TEXT];	/* the star row, while there is one */
	size_t surge_len;
	bool headed, begun;	/* the output has its header; this frame was looked at */
	bool loaded;		/* the state is an earlier run's */
	struct keeper state;	/* the file of it */
};

static const struct keep cells = { STATE_HEADER, source_put, source_get };

/* What is due before anything of a frame. */
static void begin(struct kl *k, int64_t time)
{
	const struct violation *v;

	if (k->begun)
		return;
	if (k->loaded)
		keeper_fresh(&k->state, &k->watch.sources, k->watch.time, time, o.state_ttl);
	k->loaded = false;
	k->watch.recheck |= exempt_refresh(&k->white);
	k->begun = true;
	for (size_t n = violations_due(k->violations, time, &v); n; n--, v++)
		watch_expect(&k->watch, &v->src, time);
}

static void row(void *self, const struct tsv_row *r)
{
	struct kl *k = self;
	struct fsm_in in;
	struct prefix x;
	enum watch_note note;
	const char *why;
	uint32_t n;

	begin(k, r->time);
	if (scorerow_get(&k->col, r, &x, &in.sev, &in.drop))
		return;
	why = tsv_cell(r, k->col.why, &n);
	note = watch_note(&k->watch, &x, &in, why, n, r->time);
	if (note == WATCH_TWICE)
		tsv_bad(r, k->col.src, "here twice in one frame");
	else if (note == WATCH_ALL)
		tsv_bad(r, k->col.src, "all sources together, which the star row is of");
	else if (note == WATCH_NO_WORD)
		tsv_bad(r, k->col.why, "longer than 31 bytes, or the 256th word in one frame");
}

static void level(void *self, const struct source *s, int from, double sev, const char *why)
{
	struct kl *k = self;

	char *p = is_surge(&s->x) ? k->surge : tsv_room(&k->out, LEVEL_TEXT);
	char *end = level_put(p, k->watch.time, &s->x, &s->f, from, sev, why);

	if (!is_surge(&s->x))
		k->out.p = end;
	else if (s->f.level != LEVEL_OBSERVE)
		k->surge_len = (size_t)(end - p);
}

static void moved(void *self, const struct source *s)
{
	struct kl *k = self;

	keeper_row(&k->state, k->watch.time, s);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct kl *k = self;
	struct watch *w = &k->watch;
	struct fsm_in in = { 0 };
	const struct violation *v;
	const char *why;
	uint32_t len;

	begin(k, star->time);
	why = tsv_cell(star, k->col.why, &len);
	if (scorerow_star(&k->col, star, &in.sev) > 0 && watch_all(w, &in, why, len, star->time))
		tsv_bad(star, k->col.why, "longer than 31 bytes");
	k->surge_len = 0;
	for (size_t n = violations_due(k->violations, star->time, &v); n; n--, v++)
		watch_violation(w, &v->src, v->strikes, v->force, v->kind, star->time);
	violations_done(k->violations);
	watch_step(w, star->time);
	if (o.state)
		keeper_frame(&k->state, &w->sources, w->time, w->changed);
	if (!k->surge_len) {
		tsv_put(&k->out, star->line, star->off[1]);
		tsv_puts(&k->out, "*\t-\t-\t-\t-\t-\t-\t-\n");
	}
	tsv_put(&k->out, k->surge, k->surge_len);
	tsv_flush(&k->out);
	k->begun = false;
}

static void cut(void *self)
{
	struct kl *k = self;

	watch_cut(&k->watch);
	k->begun = false;
}

static void header(void *self, const char *line, size_t len)
{
	struct kl *k = self;

	(void)line, (void)len;
	if (!k->headed)
		tsv_puts(&k->out, LEVEL_HEADER "\n");
	k->headed = true;
}

static const char *configure(int argc, char **argv)
{
	static const struct opt_page page = {
		.synopsis = "[-c FILE] [-s FILE] [--violations FILE] [--whitelist FILE] [OPTION ...] [FILE]",
		.purpose = "decide from severities which level each source is to have",
		.opts = opts,
	};
	int at = opt_parse(argc, argv, &page);
	const char *wrong = fsm_disorder(&o.fsm);

	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	if (wrong)
		die(KL_USAGE, "%s", wrong);
	if (!o.max_given)
		o.fsm.max_strikes = fsm_default_max(&o.fsm);
	o.surge = fsm_surge_cfg(&o.fsm, o.surge_ttl);
	return argv[at];
}

int main(int argc, char **argv)
{
	struct kl k = { .watch = { &o.fsm, &o.surge, exempt_has, &k.white, level, &k, NULL } };
	const struct tsv_bind bind[] = { SCOREROW_BIND(k.col), { 0 } };
	const struct tsv_ops ops = { .bind = bind, .header = header, .row = row, .frame = frame, .cut = cut };
	const char *input;
	int st, side;

	kl_name = "kl-fsm";
	input = configure(argc, argv);
	watch_init(&k.watch);
	exempt_open(&k.white, o.whitelist);
	if (o.state) {
		k.watch.moved = moved;
		k.loaded = keeper_load_old(&k.state, &cells, FSM_NEWER, o.state, &k.watch.sources,
					   &k.watch.time);
	}
	watch_resume(&k.watch);
	if (o.violations)
		k.violations = violations_open(o.violations, k.loaded ? k.watch.time : INT64_MIN);
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");

	st = serve(input, &ops, &k);
	tsv_out_close(&k.out);
	if (o.state)
		keeper_close(&k.state, &k.watch.sources, k.watch.time);
	side = violations_close(k.violations);
	exempt_close(&k.white);
	table_free(&k.watch.sources);
	return side > st ? side : st;
}
