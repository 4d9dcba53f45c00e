/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-rollup: one row for a prefix of which many addresses misbehave.
 *
 * Reads score frames from FILE or stdin; passes every row through, or with --min-sev those
 * worth a decision, with four cells added on its right, and puts rows for prefixes before the star row.
 * Keeps, in memory and in a file when told so, the sources of prefixes in
 * which one misbehaved lately, and no others.
 *
 * Whom a rule for a prefix would hit besides is counted before it is rolled up: above
 * --rollup-max-clean its row has severity 0, a message says so, and its addresses stand for themselves.
 */
#include <inttypes.h>
#include <unistd.h>

#include "../lib/base/die.h"
#include "../lib/base/keep.h"
#include "../lib/base/memo.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/core/rollup.h"
#include "../lib/core/rollup_text.h"
#include "schema.h"

static struct {
	struct rollup_cfg roll;
	const char *state;
	double min_sev;
} o = { .roll = { .members = 8, .sev = .5, .factor = 4, .cap = 3, .max_clean = .1, .window = 10000,
		  .watch = 3000, .max_sources = 1000000 } };

#define U32(name, to, min, help) { name, 0, OPT_U32, &o.roll.to, min, 1e9, "N", help, 0, true, 0 }
#define F64(name, to, min, max, help) { name, 0, OPT_F64, &o.roll.to, min, max, "F", help, 0, true, 0 }
#define DUR(name, to, min, help) { name, 0, OPT_DUR, &o.roll.to, min, 86400, "DUR", help, 0, true, 0 }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "state", 's', OPT_STR, &o.state, 0, 0, "FILE", "keep who is watched in FILE", 0, 0, 0 },
	U32("rollup-members", members, 2, "misbehaving addresses that make a /24 or /64 suspect"),
	F64("rollup-sev", sev, .001, 1e9, "severity from which on an address misbehaves"),
	F64("rollup-factor", factor, .001, 1e9, "a prefix is held against so many times the triggers"),
	F64("rollup-max-clean", max_clean, 0, 1, "largest share of others a rule may hit"),
	DUR("rollup-window", window, .001, "how long what an address did counts"),
	DUR("rollup-watch", watch, 0, "how long a prefix is looked at before it is rolled up"),
	U32("rollup-max-sources", max_sources, 1, "addresses remembered at once"),
	F64("sev-cap", cap, 0, 1e9, "no ratio counts for more"),
	{ "min-sev", 0, OPT_F64, &o.min_sev, 0, 1e9, "F",
	  "severity a row needs to pass, unless a limit dropped of its packets", 0, 0, 0 },
	OPT_END
};

static const char *const sums[ROLLUP_SUMS] = { "pkts", "bytes", "tcp", "udp", "icmp", "syn", "ack", "rst",
					       "ports", "drop_allow", "drop_deny", "drop_rl", "new" };
enum { DROP_RL = ROLLUP_SUMS - 2, NEW };
static const char *const trigs[SIGNALS] = { "trig_pps", "trig_syn", "trig_scan", "trig_bps" };
static const int counted[SIGNALS] = { 0, 5, 8, 1 };	/* in sums: what each trigger is of */

struct state {
	struct rollup roll;
	struct tsv_out out;
	struct memo tick, sev;
	int dt, src, sevs, why, sum[ROLLUP_SUMS], trig[SIGNALS];	/* columns */
	const struct tsv_row *star;
};

static const struct keep cells = { ROLLUP_HEADER, rollup_put, rollup_get };

static int get_count(const struct tsv_row *r, int col, uint64_t *out)
{
	uint32_t n;

	*out = 0;
	return col < 0 || *tsv_cell(r, col, &n) == '-' ? 0 : tsv_u64(r, col, out);
}

static int get_row(struct state *s, const struct tsv_row *r, struct rollup_row *in)
{
	double dt, trig;
	uint32_t n;
	const char *src = tsv_cell(r, s->src, &n);

	if (prefix_get(src, n, &in->x))
		return tsv_bad(r, s->src, "not an address or prefix"), -1;
	if (memo_f64(&s->tick, r, s->dt, &dt))
		return -1;
	if (dt <= 0)
		return tsv_bad(r, s->dt, "not above 0"), -1;
	for (int i = 0; i < ROLLUP_SUMS; i++)
		if (get_count(r, s->sum[i], &in->count[i]))
			return -1;
	for (int i = 0; i < SIGNALS; i++) {
		if (tsv_f64(r, s->trig[i], &trig))
			return -1;
		in->ratio[i] = ratio_of(in->count[counted[i]], dt, trig);
	}
	in->fresh = in->count[NEW] > 0;
	return 0;
}

static bool is_new(const struct state *s, const struct tsv_row *r)
{
	int col = s->sum[NEW];
	uint32_t n;

	return col >= 0 && *tsv_cell(r, col, &n) == '1';
}

/* Whether it may stay out: to kl-fsm a source without a row was silent. */
static bool is_calm(const struct state *s, const struct tsv_row *r, double sev)
{
	int col = s->sum[DROP_RL];
	uint32_t n;

	return sev < o.min_sev && (col < 0 || strchr("0-", *tsv_cell(r, col, &n)));
}

static void row(void *self, const struct tsv_row *r)
{
	struct state *s = self;
	struct rollup_row in;

	if (memo_f64(&s->sev, r, s->sevs, &in.sev))
		return;
	if (in.sev >= o.roll.sev || is_new(s, r) || !rollup_idle(&s->roll)) {
		if (get_row(s, r, &in))
			return;
		rollup_note(&s->roll, &in, r->time);
	}
	if (is_calm(s, r, in.sev))
		return;
	tsv_put(&s->out, r->line, r->len);
	tsv_puts(&s->out, "\t-\t-\t-\t-\n");
}

/* One cell of a prefix's row; what is not known of a prefix is "-". */
static char *put_cell(const struct state *s, char *p, const struct rollup_group *g, int col)
{
	const char *star;
	uint32_t n;

	star = tsv_cell(s->star, col, &n);
	if (col == 0 || col == s->dt)
		return mempcpy(p, star, n);
	if (col == s->src)
		return prefix_put(p, &g->x);
	if (col == s->sevs)
		return put_f64(p, g->sev, 6);
	if (col == s->why)
		return stpcpy(p, g->verdict == ROLLUP_REFUSED ? "refused" : "rollup");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		if (col == s->sum[i])
			return put_u64(p, g->sum[i]);
	return stpcpy(p, "-");
}

static void prefix_row(void *self, const struct rollup_group *g, bool say)
{
	struct state *s = self;
	char *p = tsv_room(&s->out, TSV_LINE);

	for (int i = 0; i < (int)s->star->n; i++) {
		if (i)
			*p++ = '\t';
		p = put_cell(s, p, g, i);
	}
	s->out.p = rollup_cells(p, g);
	if (say)
		warn("%s is not rolled up: %.1f %% of it is clean, %" PRIu64 " of %" PRIu64
		     " addresses (--rollup-max-clean %g)",
		     prefix_str(&g->x), 100 * g->share, g->clean, g->clean + g->bad + g->fresh,
		     o.roll.max_clean);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct state *s = self;
	uint64_t lost = s->roll.lost;

	s->star = star;
	rollup_step(&s->roll, star->time, prefix_row, s);
	if (lost)
		warn("no room for %" PRIu64 " addresses (--rollup-max-sources %u)", lost,
		     o.roll.max_sources);
	tsv_put(&s->out, star->line, star->len);
	tsv_puts(&s->out, "\t-\t-\t-\t-\n");
	tsv_flush(&s->out);
}

static void cut(void *self)
{
	rollup_cut(&((struct state *)self)->roll);
}

static void header(void *self, const char *line, size_t n)
{
	struct state *s = self;

	tsv_put(&s->out, line, n);
	tsv_puts(&s->out, ROLLED_ADDS_HEADER "\n");
}

static const struct opt_page page = {
	.synopsis = "[-c FILE] [-s FILE] [--rollup-members N] [--rollup-sev F] [--rollup-factor F]\n"
		    " [--rollup-max-clean F] [--rollup-window DUR] [--rollup-watch DUR]\n"
		    " [--rollup-max-sources N] [--sev-cap F] [--min-sev F] [FILE]",
	.purpose = "one row for a prefix of which many addresses misbehave",
	.opts = opts,
};

int main(int argc, char **argv)
{
	static struct state s;
	struct tsv_bind bind[5 + ROLLUP_SUMS + SIGNALS] = {
		{ "dt", &s.dt, 0 }, { "src", &s.src, 0 }, { "sev", &s.sevs, 0 }, { "why", &s.why, 0 },
	};
	const struct tsv_ops ops = { .bind = bind, .adds = (const char *const[]){ ROLLED_ADDS, NULL },
				     .header = header, .row = row, .frame = frame, .cut = cut };
	int at, st;

	kl_name = "kl-rollup";
	at = opt_parse(argc, argv, &page);
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	for (int i = 0; i < ROLLUP_SUMS; i++)
		bind[4 + i] = (struct tsv_bind){ sums[i], &s.sum[i], i > 0 };
	for (int i = 0; i < SIGNALS; i++)
		bind[4 + ROLLUP_SUMS + i] = (struct tsv_bind){ trigs[i], &s.trig[i], 0 };
	rollup_init(&s.roll, &o.roll);
	if (o.state && keep_load(&cells, o.state, &s.roll.members, &s.roll.time))
		rollup_resume(&s.roll, s.roll.time);
	tsv_out_init(&s.out, STDOUT_FILENO, "stdout");
	st = serve(argv[at], &ops, &s);
	tsv_out_close(&s.out);
	if (o.state)
		keep_save(&cells, o.state, &s.roll.members, s.roll.time, DISK_NOW);
	rollup_free(&s.roll);
	return st;
}
