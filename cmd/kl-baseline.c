/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-baseline: learns what is normal for each source, and tells how much it may do.
 *
 * Reads:  src frames from FILE or stdin, with the column level as kl-recall adds it.
 * Writes: the rows as they came, with four columns base_X: what this source may do by
 *         what was learned before this frame.
 * Keeps:  mean and peak of each source, in memory and in a file when told so.
 *
 * Rows are only noted; the frame is learned when its star row came. A source is not
 * learned from while it is above OBSERVE, while anything of it is dropped, or while it
 * is at its trigger.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/counts.h"
#include "../lib/base/die.h"
#include "../lib/base/keep.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/base/sync.h"
#include "../lib/base/triggers.h"
#include "../lib/core/baseline.h"
#include "schema.h"

#define DROPS 3

static struct {
	struct baseline_cfg cfg;
	struct counts counts;
	double trig[SIGNALS];
	const char *state, *triggers;
} o = { .cfg = BASELINE_DEFAULTS };

#define TRIG(name, i, what) { name, 0, OPT_F64, &o.trig[i], 0, TRIGGER_MAX, "N", what, 0, true, 0 }
#define F64(name, to, max, help) { name, 0, OPT_F64, &o.cfg.to, 0, max, "F", help, 0, true, 0 }
#define U32(name, to, min, help) { name, 0, OPT_U32, &o.cfg.to, min, UINT32_MAX - 1, "N", help, 0, true, 0 }
#define PATH(name, c, to, help) { name, c, OPT_STR, &o.to, 0, 0, "FILE", help, 0, false, 0 }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	PATH("state", 's', state, "keep what was learned in FILE between runs"),
	PATH("triggers", 0, triggers, "triggers as kl-tune keeps them, read again when changed"),
	TRIG("trig-pps", SIG_PPS, "packets/s for all sources; 0: not known"),
	TRIG("trig-syn", SIG_SYN, "SYN packets/s; 0: not known"),
	TRIG("trig-scan", SIG_SCAN, "distinct ports/s; 0: not known"),
	TRIG("trig-bps", SIG_BPS, "bytes/s; 0: not known"),
	SCAN_ROW(o.counts.scan),
	F64("srcbl-alpha", alpha, 1, "weight of a new rate in the mean"),
	F64("srcbl-alpha-stable", alpha_stable, 1, "the same of a promoted source"),
	F64("srcbl-min-pps", min_pps, 1e9, "rows with fewer packets/s are not learned from"),
	U32("srcbl-min-obs", min_obs, 1, "rows before a source is promoted"),
	U32("srcbl-max-sources", max_sources, 1, "sources remembered"),
	F64("srcbl-peak-mul", peak_mul, 1000, "times its peak is what a source may do"),
	F64("srcbl-min-conf", min_conf, 1, "confidence before that counts"),
	{ "srcbl-peak-half-life", 0, OPT_DUR, &o.cfg.half_life, 0, 0, "DUR",
	  "in which a peak falls to half; 0: never", 0, true, 0 },
	{ "srcbl-max-growth", 0, OPT_F64, &o.cfg.max_growth, 1, 1e6, "F",
	  "times a day, beyond the triggers for all", 0, true, 0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[-c FILE] [-s FILE] [--triggers FILE] [OPTION ...] [FILE]",
	.purpose = "learn what is normal for each source, and tell how much it may do",
	.opts = opts,
};

struct kl {
	struct baseline b;
	struct triggers file;
	struct tsv_out out;
	int src, level, drop[DROPS];	/* columns; -1 when absent */
	bool begun;			/* the frame under way was looked at */
	bool clocked, behind;		/* saved is set; the file is behind last */
	int64_t saved, last;		/* when the file was; the last whole frame */
};

static const struct keep cells = { BASELINE_HEADER, normal_put, normal_get };

static void begin(struct kl *k)
{
	if (!k->begun)
		triggers_refresh(&k->file);
	k->begun = true;
}

/* 1: the row may be learned from; 0: not; -1 after tsv_bad(). */
static int may_learn(const struct kl *k, const struct tsv_row *r)
{
	uint64_t drops;
	uint32_t n;
	const char *s;

	for (int i = 0; i < DROPS; i++) {
		if (k->drop[i] < 0)
			continue;
		if (tsv_u64(r, k->drop[i], &drops))
			return -1;
		if (drops)
			return 0;
	}
	if (k->level < 0)
		return 1;
	s = tsv_cell(r, k->level, &n);
	return n == 7 && !memcmp(s, "OBSERVE", 7);
}

static void put(struct kl *k, const struct tsv_row *r, const struct normal *n)
{
	char *p;

	tsv_put(&k->out, r->line, r->len);
	p = tsv_room(&k->out, SIGNALS * (PUT_MAX + 1) + 1);
	for (int i = 0; i < SIGNALS; i++) {
		*p++ = '\t';
		if (n)
			p = put_f64(p, normal_allows(n, &o.cfg, o.trig, i), 3);
		else
			*p++ = '-';
	}
	*p++ = '\n';
	k->out.p = p;
}

static void row(void *self, const struct tsv_row *r)
{
	struct kl *k = self;
	uint64_t count[SIGNALS];
	double rate[SIGNALS], dt;
	struct normal *n;
	struct prefix x;
	uint32_t len;
	const char *s = tsv_cell(r, k->src, &len);
	int may;

	begin(k);
	if (prefix_get(s, len, &x))
		return tsv_bad(r, k->src, "not an address or prefix");
	may = may_learn(k, r);
	if (may < 0 || counts_get(&o.counts, r, count, &dt))
		return;
	n = table_find(&k->b.normals, &x);
	put(k, r, n && normal_holds(n, &o.cfg, r->time) ? n : NULL);
	for (int i = 0; i < SIGNALS; i++)
		rate[i] = (double)count[i] / dt;
	if (may && baseline_note(&k->b, &x, n, rate, r->time))
		die(KL_SYSTEM, "out of memory for a frame: %s", strerror(ENOMEM));
}

static void save(struct kl *k, enum disk when)
{
	keep_save(&cells, o.state, &k->b.normals, k->last, when);
	k->saved = k->last;
	k->behind = false;
}

static void frame(void *self, const struct tsv_row *star)
{
	struct kl *k = self;
	uint64_t refused;

	begin(k);
	put(k, star, NULL);
	tsv_flush(&k->out);
	refused = baseline_frame(&k->b, star->time);
	if (refused)
		warn("frame %.*s: %llu sources are not learned from: %zu are remembered",
		     (int)star->off[1] - 1, star->line, (unsigned long long)refused, k->b.normals.n);
	k->last = star->time;
	if (!k->clocked)
		k->saved = k->last;
	k->clocked = k->behind = true;
	if (o.state && llabs(k->last - k->saved) >= KEEP_EVERY)
		save(k, DISK_SOON);
	k->begun = false;
}

static void cut(void *self)
{
	struct kl *k = self;

	baseline_cut(&k->b);
	k->begun = false;
}

static void header(void *self, const char *line, size_t n)
{
	tsv_put(&((struct kl *)self)->out, line, n);
	tsv_puts(&((struct kl *)self)->out, BASED_ADDS_HEADER "\n");
}

int main(int argc, char **argv)
{
	static struct kl k = { .b = { .cfg = &o.cfg, .trig = o.trig } };
	static const struct tsv_bind bind[] = {
		COUNTS_BIND(o.counts),
		{ "src", &k.src, false },
		{ "level", &k.level, true },
		{ "drop_rl", &k.drop[0], false },
		{ "drop_deny", &k.drop[1], true },
		{ "drop_allow", &k.drop[2], true },
		{ NULL, NULL, false },
	};
	static const char *const adds[] = { BASED_ADDS, NULL };
	static const struct tsv_ops ops = {
		.bind = bind, .adds = adds, .header = header, .row = row, .frame = frame, .cut = cut,
	};
	int at, st;

	kl_name = "kl-baseline";
	at = opt_parse(argc, argv, &page);
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	triggers_open(&k.file, o.triggers, o.trig);
	baseline_init(&k.b);
	if (o.state)
		k.clocked = keep_load(&cells, o.state, &k.b.normals, &k.last);
	k.saved = k.last;
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");

	st = serve(argv[at], &ops, &k);
	tsv_out_close(&k.out);
	if (o.state && k.behind)
		save(&k, DISK_NOW);
	sync_wait();
	baseline_free(&k.b);
	return st;
}
