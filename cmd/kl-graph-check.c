/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-graph-check: holds flows against the frozen baseline.
 *
 * Reads:  flow frames; the frozen baseline, again when it changes.
 * Writes: violation frames, for kl-fsm --violations; the edges to be denied, as a
 *         list for kl-rule(8) sync.
 * Keeps:  the denied edges of the last while, in memory.
 *
 * One violation an edge and tick. What may be the reply to this host's own
 * question is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/base/denials.h"
#include "../lib/base/die.h"
#include "../lib/base/edge.h"
#include "../lib/base/flowrow.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/serve.h"
#include "../lib/core/flows.h"
#include "../lib/core/graph.h"
#include "schema.h"

static struct {
	struct graph_conf conf;
	const char *frozen, *deny, *ephemeral, *services;
	int64_t deny_ttl;
} o = { .ephemeral = "32768-60999", .deny_ttl = 600000 };

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
	{ "deny-ttl", 0, OPT_DUR, &o.deny_ttl, .001, 3e9, "DUR", "for how long after its last packet",
	  0, false, 0 },
	{ "ephemeral", 0, OPT_STR, &o.ephemeral, 0, 0, "LO-HI", "client ports of this host", 0, true, 0 },
	{ "service", 0, OPT_STR, &o.services, 0, 0, "LIST", "PORT/PROTO,...: no client's port", 0, true, 0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[-c FILE] --frozen FILE [--deny FILE] [OPTION ...] [FILE]",
	.purpose = "hold flows against the frozen baseline",
	.opts = opts,
};

struct check {
	struct flowrow col;
	struct ports ports;
	struct edgefile file;
	struct graph graph;
	struct stat seen;		/* the baseline as it was read last, or tried to */
	struct flowlist flows;		/* of the frame under way */
	struct denials denials;
	bool headed;
	struct tsv_out out;
};

/* Reads the baseline, when it is another than before; one that is broken is said, and the old one kept. */
static void read_frozen(struct check *k, bool first)
{
	struct edgefile f = { 0 };
	struct graph g;
	struct stat now;
	long bad;

	if (stat(o.frozen, &now))
		memset(&now, 0, sizeof(now));
	if (!first && now.st_ino == k->seen.st_ino && now.st_size == k->seen.st_size &&
	    now.st_mtim.tv_sec == k->seen.st_mtim.tv_sec && now.st_mtim.tv_nsec == k->seen.st_mtim.tv_nsec)
		return;
	k->seen = now;
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
	if (graph_init(&g, &k->file))
		die(KL_SYSTEM, "out of memory");
	k->graph = g;
	k->denials.changed = true;
}

static void put_violation(struct check *k, const struct flow *f, const struct verdict *v,
			  const struct tsv_row *star)
{
	static const char *const kind[] = { "-", "new-edge", "denied-edge" };
	char *p;

	tsv_put(&k->out, star->line, star->off[1]);
	p = tsv_room(&k->out, 256);
	p = stpcpy(stpcpy(p, edge_dirs[f->out]), "\t");
	p = prefix_put(p, &f->src);
	*p++ = '\t';
	p = put_u64(p, f->port);
	*p++ = '\t';
	p = proto_put(p, &f->src, f->proto);
	p = stpcpy(stpcpy(stpcpy(p, "\t"), kind[v->kind]), "\t");
	p = put_u64(p, v->score);
	k->out.p = stpcpy(stpcpy(p, v->strikes ? "\t-\t" : "\t0\t"), v->force ? "1\n" : "0\n");
}

static void row(void *self, const struct tsv_row *r)
{
	struct check *k = self;
	struct flow f;
	uint64_t dt;

	if (!flowrow_get(&k->col, r, &f, &dt))
		flowlist_add(&k->flows, &f);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct check *k = self;
	const struct flow *f;
	struct verdict v;
	size_t refused;

	read_frozen(k, false);
	k->flows.n = flows_settle(k->flows.f, k->flows.n, &k->ports);
	for (size_t i = 0; i < k->flows.n; i++) {
		f = &k->flows.f[i];
		v = graph_judge(&k->graph, &o.conf, f);
		if (v.kind == KIND_NONE)
			continue;
		put_violation(k, f, &v, star);
		if (!f->out && (o.conf.mode == GRAPH_ENFORCE || v.kind == KIND_DENIED))
			denials_note(&k->denials, &f->src, f->port, f->proto, star->time + o.deny_ttl);
	}
	refused = denials_frame(&k->denials, star->time);
	if (refused)
		warn("%zu edges are not denied: %u are", refused, DENIALS_MAX);
	if (o.deny)
		denials_save(&k->denials, o.deny, &k->file);
	tsv_put(&k->out, star->line, star->off[1]);
	tsv_puts(&k->out, "-\t*\t-\t-\t-\t-\t-\t-\n");
	tsv_flush(&k->out);
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
	const char *bad = ports_get(&k->ports, o.ephemeral, o.services);

	if (bad == o.ephemeral)
		die(KL_USAGE, "bad value '%s' for --ephemeral: ports LO-HI, 1 to 65535", bad);
	if (bad)
		die(KL_USAGE, "bad value '%s' for --service: PORT/PROTO, with tcp, udp or sctp", bad);
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
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");
	st = serve(input, &ops, &k);
	tsv_out_close(&k.out);
	graph_free(&k.graph);
	edgefile_free(&k.file);
	edgefile_free(&k.denials.list);
	flowlist_free(&k.flows);
	free(k.ports.service);
	return st;
}
