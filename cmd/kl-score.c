/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-score: src frames in, score frames out; pure, one row in, one row out.
 *
 * Reads frames of src rows, appends the triggers each row was held against,
 * its severity and the signal that led, and keeps nothing between rows. Triggers
 * may be raised for a source by its own row, and for all between two frames. What
 * it reads passes through byte for byte, columns it does not know included.
 * Keeps, with -s, what it learned of strangers: by them, mainly, the star row is judged.
 */
#include <string.h>
#include <unistd.h>

#include "../lib/base/counts.h"
#include "../lib/base/die.h"
#include "../lib/base/keep.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/triggers.h"
#include "../lib/base/tsv.h"
#include "../lib/core/score.h"
#include "../lib/core/total.h"
#include "schema.h"

static struct score_conf conf = {
	.trig = { 1200, 250, 20, 0 },
	.weight = { .55, .30, .15, 0 },
	.cap = 3,
	.combine = SCORE_MAX,
};
static const char *const combines[] = { "max", "sum", NULL };
static struct counts counts;
static const char *path, *kept;
static struct total_cfg whole = { .trig = { 0, 0, 1000 }, .factor = 4, .warmup = 60000 };

#define NUMBER(name, to, help) \
	{ name, 0, OPT_F64, &(to), 0, TRIGGER_MAX, name[0] == 't' ? "N" : "F", help, NULL, true, NULL }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "combine", 0, OPT_WORD, &conf.combine, 0, 0, "max|sum",
	  "severity: larger of sum and top ratio, or sum", combines, true, NULL },
	SCAN_ROW(counts.scan),
	{ "triggers", 0, OPT_STR, &path, 0, 0, "FILE", "triggers, read again when they change",
	  NULL, false, NULL },
	{ "state", 's', OPT_STR, &kept, 0, 0, "FILE", "keep what was learned of strangers in FILE", 0, 0, 0 },
	NUMBER("trig-pps", conf.trig[SIG_PPS], "packets/s that count 1; 0: off"),
	NUMBER("trig-syn", conf.trig[SIG_SYN], "SYN packets/s that count 1; 0: off"),
	NUMBER("trig-scan", conf.trig[SIG_SCAN], "distinct ports/s that count 1; 0: off"),
	NUMBER("trig-bps", conf.trig[SIG_BPS], "bytes/s that count 1; 0: off"),
	NUMBER("w-pps", conf.weight[SIG_PPS], "weight of packets in the sum"),
	NUMBER("w-syn", conf.weight[SIG_SYN], "weight of SYNs in the sum"),
	NUMBER("w-scan", conf.weight[SIG_SCAN], "weight of ports in the sum"),
	NUMBER("w-bps", conf.weight[SIG_BPS], "weight of bytes in the sum"),
	NUMBER("sev-cap", conf.cap, "no ratio counts for more"),
	NUMBER("total-trig-pps", whole.trig[TOTAL_PPS], "packets/s of all sources that count 1; 0: off"),
	NUMBER("total-trig-syn", whole.trig[TOTAL_SYN], "SYN packets/s of all sources; 0: off"),
	NUMBER("total-trig-new", whole.trig[TOTAL_NEW], "strangers/s that count 1, at least; 0: off"),
	NUMBER("total-factor", whole.factor, "strangers: so many times their usual rate"),
	{ "total-warmup", 0, OPT_DUR, &whole.warmup, 0, 0, "DUR", "time before all together are judged",
	  0, true, 0 },
	OPT_END,
};

static const struct opt_page page = {
	.synopsis = "[-c FILE] [--combine max|sum] [--scan ports|probes] [--triggers FILE]\n"
		    " [--trig-pps N] [--trig-syn N] [--trig-scan N] [--trig-bps N] [--w-pps F]\n"
		    " [--w-syn F] [--w-scan F] [--w-bps F] [--sev-cap F]\n"
		    " [--total-trig-pps N] [--total-trig-syn N] [--total-trig-new N]\n"
		    " [--total-factor N] [--total-warmup DUR] [-s FILE] [FILE ...]",
	.purpose = "Judge how badly each source of a tick behaves.",
	.opts = opts,
};

struct cells {			/* of triggers, a TAB before each */
	char text[SIGNALS * (PUT_MAX + 1)];
	size_t len;
};

struct state {
	struct tsv_out out;
	struct triggers file;
	int base[SIGNALS];	/* columns; -1 when absent */
	bool based, begun;	/* one is there; this frame was looked at */
	struct cells all, own;	/* triggers for every source, for one */
	int fresh;		/* column; -1 when absent */
	struct total total;
	int64_t saved;		/* when total was */
};

#define SAVE_EVERY 60000	/* ms of the data */
static const struct keep cells = { STRANGER_HEADER, total_put, total_get };

static void trig_text(struct cells *c, const double trig[SIGNALS])
{
	char *p = c->text;

	for (int i = 0; i < SIGNALS; i++) {
		*p++ = '\t';
		p = put_f64(p, trig[i], 3);
	}
	c->len = (size_t)(p - c->text);
}

/* The triggers may be others from this frame on. */
static void begin(struct state *s)
{
	if (!s->begun && triggers_refresh(&s->file))
		trig_text(&s->all, conf.trig);
	s->begun = true;
}

static void print_row(struct state *s, const struct tsv_row *r, const struct cells *trig, double sev,
		      const char *why)
{
	struct tsv_out *o = &s->out;
	char *p;

	tsv_put(o, r->line, r->len);
	p = tsv_room(o, sizeof(trig->text) + PUT_MAX + 8);
	memcpy(p, trig->text, trig->len);
	p += trig->len;
	*p++ = '\t';
	if (sev >= 0)
		p = put_f64(p, sev, 6);
	else
		*p++ = '-';
	*p++ = '\t';
	p = stpcpy(p, why);
	*p++ = '\n';
	o->p = p;
}

static void header(void *self, const char *line, size_t n)
{
	struct state *s = self;

	s->based = false;
	for (int i = 0; i < SIGNALS; i++)
		s->based |= s->base[i] >= 0;
	tsv_put(&s->out, line, n);
	tsv_puts(&s->out, SCORE_ADDS_HEADER "\n");
}

static const char *const signals[] = { "-", "pps", "syn", "scan", "bps" };

static void row(void *self, const struct tsv_row *r)
{
	struct state *s = self;
	uint64_t count[SIGNALS];
	struct score_conf own;
	struct score v;
	double dt;

	begin(s);
	if (counts_get(&counts, r, count, &dt))
		return;
	if (!s->based) {
		v = score_of(&conf, count, dt);
		return print_row(s, r, &s->all, v.sev, signals[v.why + 1]);
	}
	own = conf;
	for (int i = 0; i < SIGNALS; i++)
		if (s->base[i] >= 0 && trigger_own(r, s->base[i], &own.trig[i]))
			return;
	v = score_of(&own, count, dt);
	if (!memcmp(own.trig, conf.trig, sizeof(own.trig)))
		return print_row(s, r, &s->all, v.sev, signals[v.why + 1]);
	trig_text(&s->own, own.trig);
	print_row(s, r, &s->own, v.sev, signals[v.why + 1]);
}

static void save(const struct state *s, enum disk when)
{
	if (kept && s->total.time != INT64_MIN)
		keep_save_one(&cells, kept, &s->total, sizeof(s->total), s->total.time, when);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct state *s = self;

	static const char *const why[] = { "-", "pps", "syn", "new" };
	uint64_t count[COUNTS], n[TOTALS];
	double dt, sev = -1;
	int lead = -1;
	bool on;

	begin(s);
	on = s->fresh >= 0 || whole.trig[TOTAL_PPS] > 0 || whole.trig[TOTAL_SYN] > 0;
	if (on && !counts_get(&counts, star, count, &dt) && !count_get(star, s->fresh, &n[TOTAL_NEW])) {
		n[TOTAL_PPS] = count[SIG_PPS];
		n[TOTAL_SYN] = count[SIG_SYN];
		sev = total_step(&s->total, &whole, n, s->fresh >= 0, dt, star->time, &lead);
		if (star->time - s->saved >= SAVE_EVERY) {
			save(s, DISK_SOON);
			s->saved = star->time;
		}
	}
	print_row(s, star, &s->all, sev, why[lead + 1]);
	tsv_flush(&s->out);
	s->begun = false;
}

static void cut(void *self)
{
	((struct state *)self)->begun = false;
}

int main(int argc, char **argv)
{
	static struct state s;
	static const struct tsv_bind bind[] = {
		COUNTS_BIND(counts),
		{ "base_pps", &s.base[SIG_PPS], true },
		{ "base_syn", &s.base[SIG_SYN], true },
		{ "base_scan", &s.base[SIG_SCAN], true },
		{ "base_bps", &s.base[SIG_BPS], true },
		{ "new", &s.fresh, true },
		{ NULL, NULL, false },
	};
	static const char *const adds[] = { SCORE_ADDS, NULL };
	static const struct tsv_ops ops = {
		.bind = bind, .adds = adds, .header = header, .row = row, .frame = frame, .cut = cut,
	};
	int i, st, worst = KL_OK;
	int64_t time;

	kl_name = "kl-score";
	i = opt_parse(argc, argv, &page);
	if (score_top(&conf) > SCORE_MAX_SEV)
		die(KL_USAGE, "--sev-cap and the weights allow a severity above 10^9");
	whole.cap = conf.cap;
	total_init(&s.total);
	if (kept && keep_load_one(&cells, kept, &s.total, sizeof(s.total), &time))
		s.saved = s.total.time = time;
	triggers_open(&s.file, path, conf.trig);
	trig_text(&s.all, conf.trig);
	tsv_out_init(&s.out, STDOUT_FILENO, "stdout");
	do {
		st = tsv_run(i < argc ? argv[i] : NULL, &ops, &s);
		if (st > worst)
			worst = st;
	} while (++i < argc);
	tsv_out_close(&s.out);
	save(&s, DISK_NOW);
	return worst;
}
