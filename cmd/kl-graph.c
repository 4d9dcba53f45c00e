/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-graph: shows the edges that were learned, and what people decide about them.
 *
 * Reads:  the database kl-graph-record(1) fills; the frozen baseline, a text file made for review;
 *         diff: flow frames; dot: violation frames; import: a baseline or a GraphProposal.
 * Writes: listings to stdout; freeze, approve, deny, forget and import: database and baseline, both or
 *         neither. The database is reached through sqlite3(1), and so by no other rules than anybody's.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/base/die.h"
#include "../lib/base/opt.h"
#include "../lib/graph/compare.h"
#include "../lib/graph/proposal.h"
#include "../lib/graph/show.h"

enum { TEXT, YAML };
static const char *const formats[] = { [TEXT] = "text", [YAML] = "yaml", NULL };

static struct {
	struct graph_files at;
	const char *states, *src, *violations, *node, *ephemeral, *services;
	int format;
	bool rehearse, has_format;
} o = {
	.at = { "/var/lib/kernloom/iq/kliq.db", "/var/lib/kernloom/iq/frozen.txt" },
	.node = "local", .ephemeral = "32768-60999",
};

static const struct opt opts[] = {
	OPT_CONF_ROW,
	{ "db", 0, OPT_STR, &o.at.db, 0, 0, "FILE", "the database", 0, 0, 0 },
	{ "frozen", 0, OPT_STR, &o.at.frozen, 0, 0, "FILE", "the frozen baseline", 0, 0, 0 },
	{ "state", 0, OPT_LIST, &o.states, 0, 0, "LIST", "edges in these states", 0, 0, 0 },
	{ "src", 0, OPT_STR, &o.src, 0, 0, "PREFIX", "edges of these sources", 0, 0, 0 },
	{ "rehearse", 0, OPT_FLAG, &o.rehearse, 0, 0, 0, "freeze: show what it would cut, and keep", 0, 0,
	  0 },
	{ "format", 0, OPT_WORD, &o.format, 0, 0, "text|yaml", "export, import (by the file's name, or text)",
	  formats, 0, &o.has_format },
	{ "node", 0, OPT_STR, &o.node, 0, 0, "NAME", "export: this host's name in a proposal", 0, 0, 0 },
	{ "violations", 0, OPT_STR, &o.violations, 0, 0, "FILE", "dot: edges that are to be red", 0, 0, 0 },
	{ "ephemeral", 0, OPT_STR, &o.ephemeral, 0, 0, "LO-HI", "diff: client ports of this host", 0, true,
	  0 },
	{ "service", 0, OPT_LIST, &o.services, 0, 0, "PORT/PROTO", "diff: never a client's port", 0, true,
	  0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[--db FILE] list [--state LIST] [--src PREFIX]\n"
		    "[--db FILE] freeze --rehearse [--src PREFIX]\n"
		    "[--db FILE] [--frozen FILE] freeze [EDGE ...]\n"
		    "[--db FILE] [--frozen FILE] approve|deny|forget EDGE ...\n"
		    "[--db FILE] [--frozen FILE] import [--format text|yaml] [FILE]\n"
		    "[--db FILE] export [--format text|yaml] [--state LIST] [--node NAME] [FILE]\n"
		    "[--db FILE] [--frozen FILE] diff [-c FILE] [--ephemeral LO-HI]\n"
		    " [--service PORT/PROTO] [FLOWS]\n"
		    "[--db FILE] dot [--state LIST] [--src PREFIX] [--violations FILE]",
	.purpose = "show and decide which edges there may be",
	.opts = opts,
};

static struct prefix src;
static struct ports ports;

static struct edges_of chosen(void)
{
	struct edges_of of = { .states = o.states, .src = o.src ? &src : NULL };

	if (o.states && !edges_are_states(o.states))
		die(KL_USAGE, "bad value '%s' for --state: names of states with commas between", o.states);
	if (o.src && prefix_get(o.src, strlen(o.src), &src))
		die(KL_USAGE, "bad value '%s' for --src: an address or prefix", o.src);
	return of;
}

static int list(char **word)
{
	const struct edges_of of = chosen();
	struct sqlite s;

	(void)word;
	sqlite_open(&s, o.at.db, false);
	show_list(&s, &of);
	sqlite_close(&s);
	return KL_OK;
}

static int freeze(char **word)
{
	const struct edges_of of = chosen();
	struct sqlite s;

	if (!o.rehearse)
		return decide_freeze(&o.at, word);
	if (*word)
		die(KL_USAGE, "freeze --rehearse: one operand too many: '%s'", *word);
	sqlite_open(&s, o.at.db, false);
	show_rehearsal(&s, &of);
	sqlite_close(&s);
	return KL_OK;
}

static int approve(char **word)
{
	return decide_approve(&o.at, word);
}

static int deny(char **word)
{
	return decide_deny(&o.at, word);
}

static int forget(char **word)
{
	return decide_forget(&o.at, word);
}

static bool is_yaml(const char *file)
{
	const char *dot = strrchr(file, '.');

	if (o.has_format)
		return o.format == YAML;
	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

static int import(char **word)
{
	const char *file = *word ? *word : o.at.frozen;

	return is_yaml(file) ? proposal_import(&o.at, file) : decide_import(&o.at, file);
}

static int export(char **word)
{
	const struct edges_of of = chosen();
	const char *file = *word ? *word : "-";

	if (is_yaml(file))
		return proposal_export(&o.at, &of, o.node, file);
	if (o.states)
		die(KL_USAGE, "export: --state goes with --format yaml: a baseline is whole");
	return decide_export(&o.at, file);
}

static int diff(char **word)
{
	return compare(&o.at, *word, &ports);
}

static int dot(char **word)
{
	const struct edges_of of = chosen();
	struct sqlite s;
	int st;

	(void)word;
	sqlite_open(&s, o.at.db, false);
	st = show_dot(&s, &of, o.violations);
	sqlite_close(&s);
	return st;
}

static const struct verb {
	const char *name;
	int (*run)(char **word);
	int least, most;		/* operands */
} verbs[] = {
	{ "list", list, 0, 0 },		 { "freeze", freeze, 0, 1 << 20 }, { "approve", approve, 1, 1 << 20 },
	{ "deny", deny, 1, 1 << 20 },	 { "forget", forget, 1, 1 << 20 }, { "export", export, 0, 1 },
	{ "import", import, 0, 1 },	 { "diff", diff, 0, 1 },	   { "dot", dot, 0, 0 },
};
#define VERBS "list, freeze, approve, deny, forget, export, import, diff, dot"

int main(int argc, char **argv)
{
	const struct verb *v = verbs, *end = verbs + sizeof(verbs) / sizeof(*verbs);
	const char *bad;
	int at, st;

	kl_name = "kl-graph";
	at = opt_parse(argc, argv, &page);
	bad = ports_get(&ports, o.ephemeral, o.services);
	if (bad)
		die(KL_USAGE, "bad value '%s' for --%s: ports LO-HI, or PORT/PROTO", bad,
		    bad == o.ephemeral ? "ephemeral" : "service");
	while (at < argc && v < end && strcmp(v->name, argv[at]))
		v++;
	if (at == argc || v == end)
		die(KL_USAGE, "no command '%s': " VERBS, at < argc ? argv[at] : "");
	at++;
	if (argc - at < v->least)
		die(KL_USAGE, "%s: which edge? SRC or SRC PORT/PROTO", v->name);
	if (argc - at > v->most)
		die(KL_USAGE, "%s: one operand too many: '%s'", v->name, argv[at + v->most]);
	if (o.rehearse && v->run != freeze)
		die(KL_USAGE, "%s takes no --rehearse", v->name);
	st = v->run(argv + at);
	free(ports.service);
	return st;
}
