/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-tune: learns what the triggers of this host should be.
 *
 * Reads:  score frames; column level of kl-recall when it is there.
 * Writes: the same frames, byte for byte; the triggers, as settings, to a file.
 * Keeps:  a sample of what sources that were left alone did, and the history of
 *         its steps, in two files.
 *
 * Rows only note; they count when their frame is whole and its tick was clean.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/counts.h"
#include "../lib/base/die.h"
#include "../lib/base/frame.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/base/sync.h"
#include "../lib/base/triggers.h"
#include "../lib/core/clean.h"
#include "../lib/core/score.h"
#include "../lib/core/tune_text.h"
#include "schema.h"

#define SAMPLES 20000u		/* the median of so many is within 1 % of its rank */
#define SAVE_EVERY 30000	/* ms of the data between two states saved */

static struct {
	struct tune_conf tune;
	struct clean_conf clean;
	const char *state, *out;
	double trig[METRICS];
	int64_t half_life;
	struct counts counts;
} o = { .clean = CLEAN_DEFAULTS, .trig = { 1200, 250, 20, 0 }, .half_life = 86400000 };

#define SWITCH(name, to, help) { name, 0, OPT_WORD, &o.to, 0, 0, "on|off", help, switches, true, 0 }
#define U32(name, to, help) { name, 0, OPT_U32, &o.to, 0, UINT32_MAX, "N", help, 0, true, 0 }
#define F64(name, to, max, help) { name, 0, OPT_F64, &o.to, 0, max, "F", help, 0, true, 0 }
#define DUR(name, to, help) { name, 0, OPT_DUR, &o.to, 0, 3e9, "DUR", help, 0, true, 0 }
#define PATH(name, c, to, help) { name, c, OPT_STR, &o.to, 0, 0, "FILE", help, 0, false, 0 }
#define PHASE(n, i) \
	DUR("bootstrap-every" n, tune.every[i], "time between two steps in phase " n), \
	F64("bootstrap-max-up" n, tune.up[i], 100, "largest rise of a step in phase " n ", 0 any"), \
	F64("bootstrap-max-down" n, tune.down[i], 1, "largest fall of a step in phase " n ", 0 any"), \
	F64("bootstrap-alpha" n, tune.alpha[i], 1, "of no effect: phase " n " is not smoothed")

static const char *const switches[] = { "off", "on", NULL };
static const struct opt opts[] = {
	OPT_CONF_ROW,
	PATH("state", 's', state, "keep what was learned in FILE, its samples in FILE.samples"),
	PATH("out", 'o', out, "write the triggers to FILE, as settings"),
	SCAN_ROW(o.counts.scan),
	SWITCH("autotune", tune.on, "make steps; off: pass rows on, keep the triggers"),
	F64("trig-pps", trig[SIG_PPS], 1e12, "packets/s to begin with; 0: not looked at, not tuned"),
	F64("trig-syn", trig[SIG_SYN], 1e12, "SYN packets/s to begin with"),
	F64("trig-scan", trig[SIG_SCAN], 1e12, "distinct ports/s to begin with"),
	F64("trig-bps", trig[SIG_BPS], 1e12, "bytes/s to begin with"),
	F64("autotune-floor-pps", tune.floor[SIG_PPS], 1e12, "never below"),
	F64("autotune-floor-syn", tune.floor[SIG_SYN], 1e12, "never below"),
	F64("autotune-floor-scan", tune.floor[SIG_SCAN], 1e12, "never below"),
	F64("autotune-floor-bps", tune.floor[SIG_BPS], 1e12, "never below; 0: bytes are not tuned"),
	U32("autotune-min-samples", tune.min_samples, "samples a step needs"),
	DUR("autotune-every", tune.autotune_every, "time between two steps without bootstrap"),
	F64("autotune-k", tune.k, 1000, "MADs above the median, behind the bootstrap"),
	F64("autotune-max-change-up", tune.steady_up, 100, "largest rise of a step then, 0 any"),
	F64("autotune-max-change-down", tune.steady_down, 1, "largest fall of a step then, 0 any"),
	F64("autotune-alpha", tune.steady_alpha, 1, "share of a step that is made then; 0 or 1: all of it"),
	SWITCH("bootstrap", tune.bootstrap, "begin with three phases of larger steps"),
	DUR("bootstrap-window", tune.window, "observed time they take"),
	DUR("bootstrap-phase1-end", tune.end1, "observed time at the end of phase 1"),
	DUR("bootstrap-phase2-end", tune.end2, "observed time at the end of phase 2"),
	PHASE("1", 0), PHASE("2", 1), PHASE("3", 2),
	F64("bootstrap-k-start", tune.k_start, 1000, "MADs above the median at the beginning"),
	F64("bootstrap-k-final", tune.k_final, 1000, "and at its end"),
	U32("bootstrap-min-windows", tune.min_windows, "steps before a trigger may fall in it"),
	U32("bootstrap-min-sources", tune.min_sources, "sources in a tick before one may, too"),
	DUR("steady-every", tune.steady_every, "time between two steps behind it"),
	F64("learn-max-sev", clean.max_sev, 1e9, "sources above that severity are not learned from"),
	F64("learn-min-pps", clean.min_pps, 1e12, "nor those that send less"),
	F64("learn-sev-gt", clean.hot_sev, 1e9, "severity from which a source is hot"),
	F64("learn-frac-gt", clean.hot_share, 1, "share of hot ones in what passed that spoils a tick"),
	F64("learn-max-drop-ratio", clean.drop_share, 1, "share of drops in OBSERVE that does; 0 any"),
	DUR("learn-half-life", half_life, "after which a sample counts half"),
	OPT_END
};

struct kl {
	struct tsv_out out;
	int src, sev, level;		/* columns; level may be -1 */
	struct drops drops;
	struct clean clean;		/* the tick under way */
	struct learned learned;
	int64_t saved;
	uint32_t sources;		/* most in a tick since the last step */
	float scratch[SAMPLES];
	char *samples;			/* the file of them */
};

static void pass(void *self, const char *line, size_t n)
{
	struct kl *k = self;

	tsv_put(&k->out, line, n);
	tsv_puts(&k->out, "\n");
}

static void row(void *self, const struct tsv_row *r)
{
	struct kl *k = self;
	struct clean_row c;
	struct prefix x;
	const char *s;
	uint32_t n;

	pass(k, r->line, r->len);
	if (counts_get(&o.counts, r, c.count, &c.dt) || tsv_f64(r, k->sev, &c.sev) ||
	    drops_get(&k->drops, r, &c.drop_rl, &c.dropped))
		return;
	c.observe = k->level < 0 || cell_is(r, k->level, "OBSERVE");
	if (!clean_add(&k->clean, &o.clean, &c))
		return;
	s = tsv_cell(r, k->src, &n);
	if (prefix_get(s, n, &x))
		return tsv_bad(r, k->src, "not an address or prefix");
	if (clean_keep(&k->clean, &x, &c))
		die(KL_SYSTEM, "out of memory");
}

static void save(struct kl *k, int64_t time, enum disk when)
{
	struct learned *l = &k->learned;

	k->saved = time;
	if (!o.state)
		return;
	frame_save(k->samples, SAMPLE_HEADER, time, l->sample.n, sample_put, l, when);
	frame_save(o.state, TUNE_HEADER, time, 2 + l->history.n, tune_put, l, when);
}

/* The triggers, for kl-score(1) to read again. */
static void tell(const struct kl *k)
{
	if (o.out)
		triggers_save(o.out, k->learned.tune.trig);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct kl *k = self;
	struct learned *l = &k->learned;
	bool clean = clean_tick(&k->clean, &o.clean);
	struct tuned d;
	double dt;

	if (!memo_f64(&o.counts.tick, star, o.counts.dt, &dt) && dt > 0)
		tune_tick(&l->tune, (int64_t)(dt * 1000 + .5), clean);
	sample_time(&l->sample, star->time);
	for (size_t i = 0; clean && i < k->clean.n; i++)
		sample_offer(&l->sample, &k->clean.row[i].x, k->clean.row[i].rate);
	if (k->clean.sources > k->sources)
		k->sources = k->clean.sources;
	clean_next(&k->clean);
	if (tune_step(&o.tune, &l->tune, &l->sample, k->sources, star->time, k->scratch, &d)) {
		history_add(&l->history, &d, false);
		k->sources = 0;
		save(k, star->time, DISK_SOON);	/* what is told is remembered */
		tell(k);
	} else if (llabs(star->time - k->saved) >= SAVE_EVERY) {
		save(k, star->time, DISK_SOON);
	}
	pass(k, star->line, star->len);
	tsv_flush(&k->out);
}

static void cut(void *self)
{
	struct kl *k = self;

	clean_next(&k->clean);
}

/* What was learned from another trigger than is given now is of no use. */
static void compare(struct kl *k)
{
	for (int m = 0; m < METRICS; m++) {
		if (!learned_from(&k->learned, m, o.trig[m]))
			continue;
		warn("%s is given as %g, no more as before: learned anew from there", trigger_key[m],
		     o.trig[m]);
		save(k, k->saved, DISK_NOW);
	}
}

/* Goes on where an earlier run stopped. */
static void begin(struct kl *k)
{
	struct learned *l = &k->learned;
	int64_t time;

	l->conf = &o.tune;
	memcpy(l->tune.trig, o.trig, sizeof(o.trig));
	if (sample_init(&l->sample, SAMPLES, o.half_life, 1))
		die(KL_SYSTEM, "out of memory");
	if (o.state) {
		k->samples = xalloc(strlen(o.state) + sizeof(".samples"));
		stpcpy(stpcpy(k->samples, o.state), ".samples");
		frame_load(o.state, TUNE_HEADER, &k->saved, tune_get, l);
		frame_load(k->samples, SAMPLE_HEADER, &time, sample_get, l);
	}
	compare(k);
	tell(k);
}

static const struct opt_page page = {
	.synopsis = "[-c FILE] [-s FILE] [-o FILE] [OPTION ...] [FILE]",
	.purpose = "learn what the triggers of this host should be",
	.opts = opts,
};

int main(int argc, char **argv)
{
	static struct kl k;
	const struct tsv_bind bind[] = {
		COUNTS_BIND(o.counts), DROPS_BIND(k.drops), { "src", &k.src, false },
		{ "sev", &k.sev, false }, { "level", &k.level, true }, { NULL, NULL, false },
	};
	const struct tsv_ops ops = { .bind = bind, .header = pass, .row = row, .frame = frame, .cut = cut };
	const char *bad;
	int at, st;

	kl_name = "kl-tune";
	o.tune = tune_defaults;
	at = opt_parse(argc, argv, &page);
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	bad = tune_conf_bad(&o.tune);
	if (bad || !o.half_life)
		die(KL_USAGE, "%s", bad ? bad : "--learn-half-life is 0");
	begin(&k);
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");
	st = serve(at < argc ? argv[at] : "-", &ops, &k);
	tsv_out_close(&k.out);
	save(&k, k.saved, DISK_NOW);
	sync_wait();
	return st;
}
