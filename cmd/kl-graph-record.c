/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-graph-record: flow frames in, SQL for sqlite3(1) out, one transaction a frame.
 *
 * Reads:  flow frames; with --levels, who is limited now.
 * Writes: the statements that make the tables (once), then a frame's rows and what makes evidence of
 *         them; of its own only numbers and addresses, so nothing read can become SQL.
 * Keeps:  nothing. Whether a port is a client's, what is promoted and what is normal the database
 *         decides, from what it holds.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../lib/base/die.h"
#include "../lib/base/flowrow.h"
#include "../lib/base/limited.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/base/sqltext.h"
#include "../lib/core/flows.h"
#include "../lib/core/level.h"
#include "kliq_sql.h"
#include "schema.h"

#define ROW_MAX 160
#define SILENT	".output /dev/null\n"
#define ALOUD	".output\n"

static const char *const switches[] = { "off", "on", NULL };

static struct {
	uint64_t min_seen, min_windows, long_obs, max_candidates, max_of_source;
	uint64_t min_obs, min_packets, min_bytes;
	int64_t min_age, window, long_age, expire, hold, half_life;
	double alpha, alpha_first, min_pps, min_bps;
	int no_broadcast, no_loopback;
	bool schema, report;
	const char *cidrs, *ephemeral, *services, *levels;
} o = {
	.min_seen = 5, .min_windows = 3, .min_age = 600000, .window = 60000, .long_obs = 5,
	.long_age = 168 * 3600000ll, .expire = 720 * 3600000ll, .max_candidates = 20000, .max_of_source = 100,
	.hold = 3600000, .alpha = .02, .alpha_first = .1, .min_obs = 30, .no_broadcast = 1, .no_loopback = 1,
	.ephemeral = "32768-60999",
};

#define COUNT(name, to, min, help) { name, 0, OPT_U64, &(to), min, 1e15, "N", help, 0, true, 0 }
#define SPAN(name, to, min, help) { name, 0, OPT_DUR, &(to), min, 3e9, "DUR", help, 0, true, 0 }
#define REAL(name, to, max, help) { name, 0, OPT_F64, &(to), 0, max, "F", help, 0, true, 0 }
#define SWITCH(name, to, help) { name, 0, OPT_WORD, &(to), 0, 0, "on|off", help, switches, true, 0 }

static const struct opt opts[] = {
	OPT_CONF_ROW,
	COUNT("graph-min-seen", o.min_seen, 1, "learned: ticks an edge was seen in"),
	COUNT("graph-min-windows", o.min_windows, 1, "learned: windows of time it was seen in"),
	SPAN("graph-min-age", o.min_age, 0, "learned: time since it was seen first"),
	SPAN("graph-window", o.window, .001, "length of such a window"),
	SPAN("graph-expire-ttl", o.expire, .001, "forgotten when not seen for so long"),
	COUNT("graph-max-candidates", o.max_candidates, 1, "candidates that are kept"),
	COUNT("graph-max-source-candidates", o.max_of_source, 1, "of one source; above: a scanner"),
	SPAN("graph-scan-hold", o.hold, .001, "nothing new from a scanner for so long"),
	SWITCH("graph-exclude-broadcast", o.no_broadcast, "pass over multicast and broadcast"),
	SWITCH("graph-exclude-loopback", o.no_loopback, "pass over 127.0.0.0/8 and ::1"),
	{ "graph-exclude-source-cidrs", 0, OPT_LIST, &o.cidrs, 0, 0, "LIST", "pass over these sources",
	  0, true, 0 },
	COUNT("graph-min-packets", o.min_packets, 0, "pass over rows with fewer packets"),
	COUNT("graph-min-bytes", o.min_bytes, 0, "pass over rows with fewer bytes"),
	REAL("baseline-alpha", o.alpha, 1, "weight of an observation"),
	REAL("baseline-alpha-bootstrap", o.alpha_first, 1, "weight of the first ones, if larger"),
	COUNT("baseline-min-obs", o.min_obs, 1, "observations that are first ones"),
	COUNT("baseline-min-obs-time", o.long_obs, 1, "learned when rare: observations"),
	SPAN("baseline-min-age", o.long_age, 0, "learned when rare: time since seen first"),
	REAL("baseline-min-update-pps", o.min_pps, 1e12, "observe no fewer packets/s"),
	REAL("baseline-min-update-bps", o.min_bps, 1e12, "observe no fewer bytes/s"),
	SPAN("baseline-peak-decay-half-life", o.half_life, 0, "in which a peak halves; 0: never"),
	{ "ephemeral", 0, OPT_STR, &o.ephemeral, 0, 0, "LO-HI", "client ports of this host", 0, true, 0 },
	{ "service", 0, OPT_LIST, &o.services, 0, 0, "PORT/PROTO", "never a client's port", 0, true, 0 },
	{ "levels", 0, OPT_STR, &o.levels, 0, 0, "FILE", "learn nothing of who is limited there", 0, 0, 0 },
	{ "report", 0, OPT_FLAG, &o.report, 0, 0, 0, "have sqlite3 print a row for every commit", 0, 0, 0 },
	{ "schema", 0, OPT_FLAG, &o.schema, 0, 0, 0, "print what makes the tables, and exit", 0, 0, 0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[-c FILE] [--levels FILE] [--report] [OPTION ...] [FILE]\n--schema",
	.purpose = "turn flows into SQL that learns which edges there are",
	.opts = opts,
};

struct record {
	struct flowrow col;
	struct ranges passed;		/* sources that are passed over */
	struct ports ports;
	struct limited limited;
	struct flowlist flows;		/* of the frame under way */
	uint64_t dt;			/* its length, ms */
	bool begun;			/* the tables are made */
	struct tsv_out out;
};

static void row(void *self, const struct tsv_row *r)
{
	struct record *k = self;
	struct flow f;

	if (flowrow_get(&k->col, r, &f, &k->dt) || f.drops >= f.pkts || flow_is_attempt(&f) ||
	    f.pkts < o.min_packets || f.bytes < o.min_bytes || ranges_meet(&k->passed, &f.src))
		return;
	flowlist_add(&k->flows, &f);
}

static void put_conf(struct tsv_out *out)
{
	const uint64_t n[] = { o.min_seen, o.min_windows, (uint64_t)o.min_age, (uint64_t)o.window, o.long_obs,
			       (uint64_t)o.long_age, (uint64_t)o.expire, o.max_candidates, o.max_of_source,
			       (uint64_t)o.hold, o.min_obs, (uint64_t)o.half_life };
	const double first = o.alpha_first > o.alpha ? o.alpha_first : o.alpha;
	const double f[] = { o.alpha, first, o.min_pps, o.min_bps };
	char *p = stpcpy(tsv_room(out, 1024), "INSERT INTO conf VALUES(");

	for (size_t i = 0; i < sizeof(n) / sizeof(*n); i++) {
		p = put_u64(p, n[i]);
		*p++ = ',';
	}
	for (size_t i = 0; i < sizeof(f) / sizeof(*f); i++) {
		p = put_f64(p, f[i], 9);
		*p++ = i < 3 ? ',' : ')';
	}
	out->p = stpcpy(p, ";\n");
}

static void header(void *self, const char *line, size_t n)
{
	struct record *k = self;

	(void)line, (void)n;
	if (k->begun)
		return;
	k->begun = true;
	tsv_puts(&k->out, ".bail on\n.timeout 10000\n" SILENT KLIQ_SQL RECORD_SQL);
	put_conf(&k->out);
	tsv_puts(&k->out, ALOUD);
	if (o.report)
		tsv_puts(&k->out, ".mode tabs\n.print \"" RECORDED_HEADER "\"\n");
	tsv_flush(&k->out);
}

/* Who is limited, anew when that changed; their flows are no evidence. */
static void pass_over_limited(struct record *k)
{
	const struct ranges *set = &k->limited.set;
	struct flowlist *l = &k->flows;
	size_t n = 0;

	if (limited_refresh(&k->limited)) {
		tsv_puts(&k->out, "DELETE FROM limited;\n");
		for (size_t i = 0; i < set->n; i++) {
			char *p = stpcpy(tsv_room(&k->out, ROW_MAX), "INSERT INTO limited VALUES(");

			p = sql_addr(p, set->r[i].lo);
			*p++ = ',';
			k->out.p = stpcpy(sql_addr(p, set->r[i].hi), ");\n");
		}
	}
	for (size_t i = 0; i < l->n; i++)
		if (!ranges_meet(set, &l->f[i].src))
			l->f[n++] = l->f[i];
	l->n = n;
}

static void frame(void *self, const struct tsv_row *star)
{
	struct record *k = self;
	char *p;

	pass_over_limited(k);
	k->flows.n = flows_settle(k->flows.f, k->flows.n, &k->ports);
	flowlist_sql(&k->out, &k->flows, false, "tick");
	flowlist_sql(&k->out, &k->flows, true, "soft");
	p = stpcpy(tsv_room(&k->out, ROW_MAX), "INSERT INTO frame VALUES(");
	p = put_i64(p, star->time);
	*p++ = ',';
	p = put_u64(p, k->flows.n ? k->dt : 1);
	k->out.p = stpcpy(p, ");\n");
	tsv_puts(&k->out, TICK_SQL);
	if (o.report)
		tsv_puts(&k->out, REPORT_SQL);
	tsv_puts(&k->out, SILENT "PRAGMA wal_checkpoint(PASSIVE);\n" ALOUD);
	tsv_flush(&k->out);
	k->flows.n = 0;
}

static void cut(void *self)
{
	((struct record *)self)->flows.n = 0;
}

static const char *configure(int argc, char **argv, struct record *k)
{
	int at = opt_parse(argc, argv, &page);
	const char *bad;

	ports_need(&k->ports, o.ephemeral, o.services);
	if (o.no_broadcast)
		ranges_add_list(&k->passed, "0.0.0.0,224.0.0.0/4,255.255.255.255,::,ff00::/8");
	if (o.no_loopback)
		ranges_add_list(&k->passed, "127.0.0.0/8,::1");
	bad = o.cidrs ? ranges_add_list(&k->passed, o.cidrs) : NULL;
	if (bad)
		die(KL_USAGE, "bad value '%s' for --graph-exclude-source-cidrs: addresses and prefixes", bad);
	ranges_seal(&k->passed);
	k->limited = (struct limited){ .path = o.levels, .level = level_get };
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	return argv[at];
}

int main(int argc, char **argv)
{
	static struct record k;
	static const struct tsv_bind bind[] = {
		FLOWROW_BIND(k.col), { NULL, NULL, false }
	};
	static const struct tsv_ops ops = { .bind = bind, .header = header, .row = row,
					    .frame = frame, .cut = cut };
	const char *input;
	int st = KL_OK;

	kl_name = "kl-graph-record";
	input = configure(argc, argv, &k);
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");
	if (o.schema)
		tsv_puts(&k.out, SILENT KLIQ_SQL ALOUD);
	else
		st = serve(input, &ops, &k);
	tsv_out_close(&k.out);
	limited_free(&k.limited);
	ranges_free(&k.passed);
	free(k.ports.service);
	flowlist_free(&k.flows);
	return st;
}
