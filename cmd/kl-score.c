/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-score: src frames in, score frames out; pure, one row in, one row out.
 *
 * Reads frames of src rows, appends the triggers each row was held against,
 * its severity and the signal that led, and keeps nothing between rows. What
 * it reads passes through byte for byte, columns it does not know included.
 * The star row gets no severity: the totals of all sources are nobody's.
 */
#include <string.h>
#include <unistd.h>

#include "../lib/base/die.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
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
static int scan;
static const char *const scans[] = { "ports", "probes", NULL };
#define SCAN_PROBES 1

#define NUMBER(name, to, help) \
	{ name, 0, OPT_F64, &(to), 0, 1e12, name[0] == 't' ? "N" : "F", help, NULL, true, NULL }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "combine", 0, OPT_WORD, &conf.combine, 0, 0, "max|sum",
	  "severity: larger of sum and top ratio, or sum", combines, true, NULL },
	{ "scan", 0, OPT_WORD, &scan, 0, 0, "ports|probes",
	  "a scan is distinct ports, or as many of them as packets that are no answers", scans, true, NULL },
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
	.synopsis = "[-c FILE] [--combine max|sum] [--scan ports|probes] [--trig-pps N]\n"
		    " [--trig-syn N] [--trig-scan N] [--trig-bps N] [--w-pps F] [--w-syn F] [--w-scan F]\n"
		    " [--w-bps F] [--sev-cap F] [FILE ...]",
	.purpose = "Judge how badly each source of a tick behaves.",
	.opts = opts,
};

struct state {
	struct tsv_out out;
	int dt, count[SIGNALS];			/* columns */
	int answer[3];				/* of what answers this host; -1 when absent */
	char trig[SIGNALS * (PUT_MAX + 1)];	/* the cells of the triggers, a TAB before each */
	size_t trig_len;
};

static void print_row(struct state *s, const struct tsv_row *r, const struct score *v)
{
	static const char *const why[] = { "-", "pps", "syn", "scan", "bps" };
	struct tsv_out *o = &s->out;
	char *p;

	tsv_put(o, r->line, r->len);
	p = tsv_room(o, sizeof(s->trig) + PUT_MAX + 8);
	memcpy(p, s->trig, s->trig_len);
	p += s->trig_len;
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

	tsv_put(&s->out, line, n);
	tsv_puts(&s->out, SCORE_ADDS_HEADER "\n");
}

/* A count; '-', which is for what was not counted, as 0. */
static int count_of(const struct tsv_row *r, int col, uint64_t *out)
{
	uint32_t n;
	const char *cell = tsv_cell(r, col, &n);

	if (n == 1 && *cell == '-') {
		*out = 0;
		return 0;
	}
	return tsv_u64(r, col, out);
}

/* Whom this host asks much comes to as many ports as it asked from: no more ports
 * were probed than packets came that are no answers. */
static int only_probes(const struct state *s, const struct tsv_row *r, uint64_t count[SIGNALS])
{
	uint64_t left = count[SIG_PPS], n;

	for (int i = 0; i < 3; i++) {
		if (s->answer[i] < 0)
			continue;
		if (count_of(r, s->answer[i], &n))
			return -1;
		left = n < left ? left - n : 0;
	}
	if (count[SIG_SCAN] > left)
		count[SIG_SCAN] = left;
	return 0;
}

static void row(void *self, const struct tsv_row *r)
{
	struct state *s = self;
	uint64_t count[SIGNALS];
	struct score v;
	double dt;

	if (tsv_f64(r, s->dt, &dt) || tsv_u64(r, s->count[SIG_PPS], &count[SIG_PPS]) ||
	    tsv_u64(r, s->count[SIG_SYN], &count[SIG_SYN]) ||
	    count_of(r, s->count[SIG_SCAN], &count[SIG_SCAN]) ||
	    tsv_u64(r, s->count[SIG_BPS], &count[SIG_BPS]) ||
	    (scan == SCAN_PROBES && only_probes(s, r, count)))
		return;
	if (dt <= 0) {
		tsv_bad(r, s->dt, "not a number > 0");
		return;
	}
	v = score_of(&conf, count, dt);
	print_row(s, r, &v);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct state *s = self;

	print_row(s, star, NULL);
	tsv_flush(&s->out);
}

static void trig_text(struct state *s)
{
	char *p = s->trig;
	int i;

	for (i = 0; i < SIGNALS; i++) {
		*p++ = '\t';
		p = put_f64(p, conf.trig[i], 3);
	}
	s->trig_len = (size_t)(p - s->trig);
}

int main(int argc, char **argv)
{
	static struct state s;
	static const struct tsv_bind bind[] = {
		{ "dt", &s.dt, false },
		{ "pkts", &s.count[SIG_PPS], false },
		{ "syn", &s.count[SIG_SYN], false },
		{ "ports", &s.count[SIG_SCAN], false },
		{ "bytes", &s.count[SIG_BPS], false },
		{ "ack", &s.answer[0], true },
		{ "icmp", &s.answer[1], true },
		{ "answers", &s.answer[2], true },
		{ NULL, NULL, false },
	};
	static const char *const adds[] = { SCORE_ADDS, NULL };
	static const struct tsv_ops ops = {
		.bind = bind, .adds = adds, .header = header, .row = row, .frame = frame,
	};
	int i, st, worst = KL_OK;

	kl_name = "kl-score";
	i = opt_parse(argc, argv, &page);
	check_conf();
	trig_text(&s);
	tsv_out_init(&s.out, STDOUT_FILENO, "stdout");
	do {
		st = tsv_run(i < argc ? argv[i] : NULL, &ops, &s);
		if (st > worst)
			worst = st;
	} while (++i < argc);
	tsv_out_close(&s.out);
	return worst;
}
