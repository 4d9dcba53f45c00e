/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-score: src frames in, score frames out; pure, one row in, one row out.
 *
 * Reads frames of src rows, appends the triggers each row was held against,
 * its severity and the signal that led, and keeps nothing between rows. Triggers
 * may be raised for a source by its own row, and for all between two frames. What
 * it reads passes through byte for byte, columns it does not know included.
 * The star row gets no severity: the totals of all sources are nobody's.
 */
#include <string.h>
#include <unistd.h>

#include "../lib/base/counts.h"
#include "../lib/base/die.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/triggers.h"
#include "../lib/base/tsv.h"
#include "../lib/core/score.h"
#include "schema.h"

static struct score_conf conf = {
	.trig = { 1200, 250, 20, 0 },
	.weight = { .55, .30, .15, 0 },
	.cap = 3,
	.combine = SCORE_MAX,
};
static const char *const combines[] = { "max", "sum", NULL };
static struct counts counts;
static const char *path;

#define NUMBER(name, to, help) \
	{ name, 0, OPT_F64, &(to), 0, TRIGGER_MAX, name[0] == 't' ? "N" : "F", help, NULL, true, NULL }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "combine", 0, OPT_WORD, &conf.combine, 0, 0, "max|sum",
	  "severity: larger of sum and top ratio, or sum", combines, true, NULL },
	SCAN_ROW(counts.scan),
	{ "triggers", 0, OPT_STR, &path, 0, 0, "FILE", "triggers, read again when they change",
	  NULL, false, NULL },
	NUMBER("trig-pps", conf.trig[SIG_PPS], "packets/s that count 1; 0: off"),
	NUMBER("trig-syn", conf.trig[SIG_SYN], "SYN packets/s that count 1; 0: off"),
	NUMBER("trig-scan", conf.trig[SIG_SCAN], "distinct ports/s that count 1; 0: off"),
	NUMBER("trig-bps", conf.trig[SIG_BPS], "bytes/s that count 1; 0: off"),
	NUMBER("w-pps", conf.weight[SIG_PPS], "weight of packets in the sum"),
	NUMBER("w-syn", conf.weight[SIG_SYN], "weight of SYNs in the sum"),
	NUMBER("w-scan", conf.weight[SIG_SCAN], "weight of ports in the sum"),
	NUMBER("w-bps", conf.weight[SIG_BPS], "weight of bytes in the sum"),
	NUMBER("sev-cap", conf.cap, "no ratio counts for more"),
	OPT_END,
};

/* What kl-fsm(1) takes: no source is worse than that. */
#define SEV_MAX 1e9

static void check_conf(void)
{
	double weights = 0;

	for (int i = 0; i < SIGNALS; i++)
		weights += conf.weight[i];
	if (conf.cap * weights > SEV_MAX || (conf.combine == SCORE_MAX && conf.cap > SEV_MAX))
		die(KL_USAGE, "--sev-cap and the weights allow a severity above 10^9");
}

static const struct opt_page page = {
	.synopsis = "[-c FILE] [--combine max|sum] [--scan ports|probes] [--triggers FILE]\n"
		    " [--trig-pps N] [--trig-syn N] [--trig-scan N] [--trig-bps N] [--w-pps F]\n"
		    " [--w-syn F] [--w-scan F] [--w-bps F] [--sev-cap F] [FILE ...]",
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
};

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

static void print_row(struct state *s, const struct tsv_row *r, const struct cells *trig,
		      const struct score *v)
{
	static const char *const why[] = { "-", "pps", "syn", "scan", "bps" };
	struct tsv_out *o = &s->out;
	char *p;

	tsv_put(o, r->line, r->len);
	p = tsv_room(o, sizeof(trig->text) + PUT_MAX + 8);
	memcpy(p, trig->text, trig->len);
	p += trig->len;
	*p++ = '\t';
	if (v)
		p = put_f64(p, v->sev, 6);
	else
		*p++ = '-';
	*p++ = '\t';
	p = stpcpy(p, why[v ? v->why + 1 : 0]);
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

/* A trigger for this source alone: no lower than the one for all, where that is looked at. */
static int base_of(const struct tsv_row *r, int col, double *trig)
{
	uint32_t n;
	const char *cell = tsv_cell(r, col, &n);
	double base;

	if (*trig <= 0 || (n == 1 && *cell == '-'))
		return 0;
	if (tsv_f64(r, col, &base))
		return -1;
	if (base > TRIGGER_MAX)
		return tsv_bad(r, col, "above 10^12"), -1;
	if (base > *trig)
		*trig = base;
	return 0;
}

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
		return print_row(s, r, &s->all, &v);
	}
	own = conf;
	for (int i = 0; i < SIGNALS; i++)
		if (s->base[i] >= 0 && base_of(r, s->base[i], &own.trig[i]))
			return;
	v = score_of(&own, count, dt);
	if (!memcmp(own.trig, conf.trig, sizeof(own.trig)))
		return print_row(s, r, &s->all, &v);
	trig_text(&s->own, own.trig);
	print_row(s, r, &s->own, &v);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct state *s = self;

	begin(s);
	print_row(s, star, &s->all, NULL);
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
		{ NULL, NULL, false },
	};
	static const char *const adds[] = { SCORE_ADDS, NULL };
	static const struct tsv_ops ops = {
		.bind = bind, .adds = adds, .header = header, .row = row, .frame = frame, .cut = cut,
	};
	int i, st, worst = KL_OK;

	kl_name = "kl-score";
	i = opt_parse(argc, argv, &page);
	check_conf();
	triggers_open(&s.file, path, conf.trig);
	trig_text(&s.all, conf.trig);
	tsv_out_init(&s.out, STDOUT_FILENO, "stdout");
	do {
		st = tsv_run(i < argc ? argv[i] : NULL, &ops, &s);
		if (st > worst)
			worst = st;
	} while (++i < argc);
	tsv_out_close(&s.out);
	return worst;
}
