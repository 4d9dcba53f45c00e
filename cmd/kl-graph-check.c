/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-graph-check: holds flows against the frozen baseline.
 *
 * Reads:  flow frames; the frozen baseline, again when it changes.
 * Writes: violation frames, for kl-fsm --violations; the edges to be denied, as a
 *         list for kl-rule(8) sync; the latest violations, in a file.
 * Keeps:  the denied edges of the last while, and what went over edges in the window
 *         under way, in memory.
 *
 * One violation an edge and tick. What may be the reply to this host's own
 * question is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/base/denials.h"
#include "../lib/base/die.h"
#include "../lib/base/file.h"
#include "../lib/base/flowrow.h"
#include "../lib/base/journal.h"
#include "../lib/base/normals.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/base/violation.h"
#include "../lib/core/flows.h"
#include "../lib/core/graph.h"
#include "../lib/core/normal.h"
#include "schema.h"

static struct {
	struct graph_conf conf;
	struct normal_conf normal;
	const char *frozen, *deny, *log, *baselines, *ephemeral, *services;
	uint64_t min_obs;
	int64_t deny_ttl, window;
} o = { .normal = { 5, 1.5 }, .ephemeral = "32768-60999", .min_obs = 30, .deny_ttl = 600000,
	.window = 10000 };

static const char *const modes[] = { "learn", "frozen-observe", "frozen-enforce", NULL };
static const char *const forces[] = { "proven", "never", "always", NULL };

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "frozen", 0, OPT_STR, &o.frozen, 0, 0, "FILE", "the frozen baseline", 0, false, 0 },
	{ "graph-mode", 0, OPT_WORD, &o.conf.mode, 0, 0, "MODE",
	  "learn, frozen-observe or frozen-enforce", modes, true, 0 },
	{ "force", 0, OPT_WORD, &o.conf.force, 0, 0, "WHEN",
	  "when frozen-enforce blocks a source: proven, never, always", forces, false, 0 },
	{ "deny", 0, OPT_STR, &o.deny, 0, 0, "FILE", "keep the edges to be denied in FILE", 0, false, 0 },
	{ "deny-ttl", 0, OPT_DUR, &o.deny_ttl, .001, 3e9, "DUR", "after its last packet", 0, false, 0 },
	{ "log", 0, OPT_STR, &o.log, 0, 0, "FILE", "keep the latest violations in FILE", 0, false, 0 },
	{ "baselines", 0, OPT_STR, &o.baselines, 0, 0, "FILE", "what is normal on edges", 0, false, 0 },
	{ "baseline-window", 0, OPT_DUR, &o.window, .001, 3e9, "DUR", "time that is looked at", 0, true, 0 },
	{ "baseline-threshold", 0, OPT_F64, &o.normal.threshold, 0, 1e9, "F", "MADs; 0: any", 0, true, 0 },
	{ "baseline-peak-tolerance", 0, OPT_F64, &o.normal.tolerance, 0, 1e9, "F", "peaks", 0, true, 0 },
	{ "baseline-min-obs", 0, OPT_U64, &o.min_obs, 1, 1e15, "N", "of so many observations", 0, true, 0 },
	{ "ephemeral", 0, OPT_STR, &o.ephemeral, 0, 0, "LO-HI", "client ports of this host", 0, true, 0 },
	{ "service", 0, OPT_STR, &o.services, 0, 0, "LIST", "PORT/PROTO,...: no client's port", 0, true, 0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[-c FILE] --frozen FILE [--baselines FILE] [--deny FILE] [--log FILE]\n"
		    " [OPTION ...] [FILE]",
	.purpose = "hold flows against the frozen baseline",
	.opts = opts,
};

struct check {
	struct flowrow col;
	struct ports ports;
	struct edgefile file;
	struct graph graph;
	struct stat seen;		/* the baseline as it was read last, or tried to */
	struct normals normals;		/* with what went over the edges since `since` */
	int64_t since;			/* 0: no frame came yet */
	struct journal log;
	struct flowlist flows;		/* of the frame under way */
	struct denials denials;
	bool headed;
	struct tsv_out out;
};

/* Reads the baseline, when it is another than before; one that is broken is said, and the old one kept. */
static void read_frozen(struct check *k, bool first)
{
	struct edgefile f = { 0 };
	long bad;

	if (!file_changed(o.frozen, &k->seen) && !first)
		return;
	bad = edgefile_read(&f, o.frozen);
	if (bad < 0 && first)
		die(KL_USAGE, "cannot read '%s': %s", o.frozen, strerror(errno));
	if (bad && first)
		exit(KL_USAGE);
	if (bad)
		return warn("'%s' is %s; what it said before stays", o.frozen, bad < 0 ? "gone" : "broken");
	edgefile_sort(&f);
	edgefile_free(&k->file);
	graph_free(&k->graph);
	k->file = f;
	if (graph_init(&k->graph, &k->file))
		die(KL_SYSTEM, "out of memory");
	k->denials.changed = true;
}

static void put_violation(struct check *k, const struct flow *f, const char *kind, const struct verdict *v,
			  const struct tsv_row *star)
{
	char text[VIOLATION_TEXT + PUT_MAX], *p;

	memcpy(text, star->line, star->off[1]);
	p = violation_put(text + star->off[1], f, kind, v->score, v->strikes, v->force);
	tsv_put(&k->out, text, (size_t)(p - text));
	if (o.log)
		journal_row(&k->log, text, (size_t)(p - text));
}

/* The window is over: what was too much in it. A forged address must not cost its owner strikes. */
static void judge_window(struct check *k, const struct tsv_row *star)
{
	int64_t ms = star->time - k->since;
	struct excess e[2];

	if (k->since && ms >= 0 && ms < o.window)
		return;
	for (struct normal *x = k->normals.x; x && x < k->normals.x + k->normals.n; x++) {
		size_t n = k->since && ms > 0 && x->key.pkts ? normal_judge(x, &o.normal, ms, e) : 0;
		bool strikes = !x->key.out && (x->key.est || o.conf.force == FORCE_ALWAYS);

		for (size_t i = 0; i < n; i++)
			put_violation(k, &x->key, e[i].kind,
				      &(struct verdict){ .score = e[i].score, .strikes = strikes }, star);
		x->key.pkts = x->key.bytes = x->key.est = 0;
	}
	k->since = star->time;
	if (o.baselines)
		normals_refresh(&k->normals, o.baselines, o.min_obs);
}

static void row(void *self, const struct tsv_row *r)
{
	struct check *k = self;
	struct flow f;
	uint64_t dt;

	if (!flowrow_get(&k->col, r, &f, &dt))
		flowlist_add(&k->flows, &f);
}

static void end_frame(struct check *k, const struct tsv_row *star)
{
	char text[64];

	memcpy(text, star->line, star->off[1]);
	strcpy(text + star->off[1], "-\t*\t-\t-\t-\t-\t-\t-\n");
	tsv_puts(&k->out, text);
	tsv_flush(&k->out);
	if (o.log)
		journal_frame(&k->log, o.log, VIOLATION_HEADER "\n", text);
}

static void frame(void *self, const struct tsv_row *star)
{
	static const char *const kinds[] = { "-", "new-edge", "denied-edge" };
	struct check *k = self;
	const struct flow *f;
	struct verdict v;
	size_t refused;

	read_frozen(k, false);
	k->flows.n = flows_settle(k->flows.f, k->flows.n, &k->ports);
	for (size_t i = 0; i < k->flows.n; i++) {
		f = &k->flows.f[i];
		normals_count(&k->normals, f);
		v = graph_judge(&k->graph, &o.conf, f);
		if (v.kind == KIND_NONE)
			continue;
		put_violation(k, f, kinds[v.kind], &v, star);
		if (!f->out && (o.conf.mode == GRAPH_ENFORCE || v.kind == KIND_DENIED))
			denials_note(&k->denials, &f->src, f->port, f->proto, star->time + o.deny_ttl);
	}
	judge_window(k, star);
	refused = denials_frame(&k->denials, star->time);
	if (refused)
		warn("%zu edges are not denied: %u are", refused, DENIALS_MAX);
	if (o.deny)
		denials_save(&k->denials, o.deny, &k->file);
	end_frame(k, star);
	k->flows.n = 0;
}

static void cut(void *self)
{
	((struct check *)self)->flows.n = 0;
}

static void header(void *self, const char *line, size_t n)
{
	struct check *k = self;

	(void)line, (void)n;
	if (!k->headed)
		tsv_puts(&k->out, VIOLATION_HEADER "\n");
	k->headed = true;
}

static const char *configure(int argc, char **argv, struct check *k)
{
	int at = opt_parse(argc, argv, &page);

	ports_need(&k->ports, o.ephemeral, o.services);
	if (!o.frozen)
		die(KL_USAGE, "--frozen is needed: the baseline to hold flows against");
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	return argv[at];
}

int main(int argc, char **argv)
{
	static struct check k;
	static const struct tsv_bind bind[] = { FLOWROW_BIND(k.col), { NULL, NULL, false } };
	static const struct tsv_ops ops = { .bind = bind, .header = header, .row = row,
					    .frame = frame, .cut = cut };
	const char *input;
	int st;

	kl_name = "kl-graph-check";
	input = configure(argc, argv, &k);
	read_frozen(&k, true);
	if (o.baselines && normals_read(&k.normals, o.baselines, o.min_obs))
		exit(KL_USAGE);
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");
	st = serve(input, &ops, &k);
	tsv_out_close(&k.out);
	graph_free(&k.graph);
	edgefile_free(&k.file);
	denials_close(&k.denials);
	flowlist_free(&k.flows);
	normals_free(&k.normals);
	journal_free(&k.log);
	free(k.ports.service);
	return st;
}
