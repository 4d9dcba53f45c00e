/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-rule: adds, removes, lists, loads and syncs the rules of sources and of edges.
 *
 * Reads:  lists of addresses and prefixes, or of edges; the pinned tables.
 * Writes: the pinned tables; list: one frame of rules to stdout; sync -n: two counts.
 *
 * The packet path ignores rules that ended; list and flush remove them, the others when a map is
 * full. A list is read before the instance is locked: what feeds it may be a kl-rule itself.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "../lib/base/die.h"
#include "../lib/base/edge.h"
#include "../lib/base/opt.h"
#include "../lib/base/rulerow.h"
#include "../lib/base/target.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/sync.h"
#include "schema.h"

static struct {
	const char *dir;
	int64_t ttl;
	uint32_t rate, burst;
	int owner;
	bool has_owner, dry, timed;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, 0, 0 },
	{ "ttl", 't', OPT_DUR, &o.ttl, .001, 3e9, "DUR", "the rules end after DUR (never)", 0, 0, 0 },
	{ "rate", 'r', OPT_U32, &o.rate, 1, UINT32_MAX, "N", "of limits: packets a second", 0, 0, 0 },
	{ "burst", 'b', OPT_U32, &o.burst, 1, UINT32_MAX, "N", "at once (twice rate)", 0, 0, 0 },
	{ "owner", 'o', OPT_WORD, &o.owner, 0, 0, "WHO", "operator iq graph", rule_owner, 0, &o.has_owner },
	{ "dry-run", 'n', OPT_FLAG, &o.dry, 0, 0, 0, "sync: write nothing, print the counts", 0, 0, 0 },
	{ "until", 0, OPT_FLAG, &o.timed, 0, 0, 0, "sync: each line tells the end of its rule", 0, 0, 0 },
	OPT_END
};

#define TABLES "allow, deny, limit, edge-allow, edge-deny or edge-limit"

struct job {
	struct kern *k;
	enum kl_table t, end;		/* the table; for list, one behind the last */
	struct rules set;
	long bad;			/* lines of the list that are no rules */
	uint64_t boot;			/* now, on both clocks */
	int64_t real;
};

static _Noreturn void fail(const struct job *j, long err, const char *why)
{
	die(KL_SYSTEM, "table %s: %s", rules_table[j->t], why ? why : strerror((int)-err));
}

static void collect(void *self, const struct rule *key)
{
	struct job *j = self;
	struct rule r = *key;

	if (!j->boot)			/* the same for all, and not before the list was there */
		j->boot = boot_ns(), j->real = real_ms();
	if (r.until && r.until <= (uint64_t)j->real)	/* it is over */
		return;
	if (r.until || o.ttl)
		r.until = j->boot + 1000000 * (r.until ? r.until - (uint64_t)j->real : (uint64_t)o.ttl);
	r.owner = (uint32_t)o.owner + KL_OPERATOR;
	r.rate = o.rate;
	r.burst = o.burst ? o.burst : 2ull * o.rate;
	if (rules_add(&j->set, &r))
		fail(j, -ENOMEM, NULL);
}

static void warn_idle(const struct job *j)
{
	if (is_edge(j->t) && !(kern_cfg(j->k)->features & KL_F_EDGE))
		warn("edge-mode is off: nothing applies this yet (kl-set edge-mode deny|allow)");
}

static enum kl_status add(struct job *j)
{
	const char *why;
	int err = rules_load(&j->set, j->k, j->t, &why);

	if (err)
		fail(j, err, why);
	warn_idle(j);
	return j->bad ? KL_NO : KL_OK;
}

static enum kl_status sync_table(struct job *j)
{
	const char *why;
	struct synced n;
	int err = rules_sync(&j->set, j->k, j->t, (uint32_t)o.owner + KL_OPERATOR, o.dry, &n, &why);

	if (err)
		fail(j, err, why);
	if (o.dry && (printf("put %zu del %zu\n", n.put, n.del) < 0 || fflush(stdout)))
		die(KL_SYSTEM, "cannot write stdout: %s", strerror(errno));
	if (n.put && !o.dry)
		warn_idle(j);
	if (n.held)
		warn("table %s: %zu rules of the list are others' and stay so", rules_table[j->t], n.held);
	return n.held ? KL_NO : KL_OK;
}

static enum kl_status del(struct job *j)
{
	enum kl_status st = KL_OK;
	struct rule old;
	int found, err = 0;

	for (const struct rule *r = j->set.r; r < j->set.r + j->set.n; r++) {
		found = kern_find(j->k, j->t, r, &old);
		if (found > 0 && kern_del(j->k, j->t, r, 1, &err) == 1)
			continue;
		if (found)
			fail(j, found < 0 ? found : -err, NULL);
		warn("table %s has no rule '%s'", rules_table[j->t],
		     is_edge(j->t) ? edge_str(&r->x, r->port, r->proto) : prefix_str(&r->x));
		st = KL_NO;
	}
	return st;
}

static enum kl_status flush(struct job *j)
{
	long n = rules_sweep(&j->set, j->k, j->t, j->boot, o.has_owner ? 2u << o.owner : ~0u);

	if (n < 0)
		fail(j, n, NULL);
	return KL_OK;
}

static enum kl_status list(struct job *j)
{
	struct tsv_out out;
	size_t n = 0;

	tsv_out_init(&out, 1, "stdout");
	tsv_puts(&out, RULE_HEADER "\n");
	for (; j->t < j->end; j->t++) {
		struct ruletable t = { rules_table[j->t], is_limit(j->t), is_edge(j->t), j->boot, j->real };
		long err = rules_sweep(&j->set, j->k, j->t, j->boot, 0);

		rules_sort(&j->set);
		if (err >= 0)
			err = rules_hits(&j->set, j->k, j->t);
		if (err < 0)
			fail(j, err, NULL);
		for (size_t i = 0; i < j->set.n; i++)
			out.p = rulerow_put(tsv_room(&out, RULE_ROW), &t, &j->set.r[i], j->set.hits[i]);
		n += j->set.n;
		rules_free(&j->set);
	}
	out.p = rulestar_put(tsv_room(&out, RULE_ROW), j->real, n);
	tsv_out_close(&out);
	return KL_OK;
}

static const struct verb {
	const char *name;
	enum kl_status (*run)(struct job *j);
	int keys;			/* operands behind TABLE, at most */
	bool makes, reads;		/* rules; a list */
} verbs[] = {
	{ "add", add, 1, true, false },	      { "del", del, INT_MAX, false, false },
	{ "list", list, 0, false, false },    { "load", add, 0, true, true },
	{ "sync", sync_table, 0, true, true }, { "flush", flush, 0, false, false },
};

static const struct opt_page page = {
	.synopsis = "[-p DIR] add TABLE KEY [--ttl DUR] [--rate N --burst N] [--owner WHO]\n"
		    "[-p DIR] del TABLE KEY ...\n"
		    "[-p DIR] list [TABLE]\n"
		    "[-p DIR] load TABLE [FILE] [--ttl DUR] [--rate N --burst N] [--owner WHO]\n"
		    "[-p DIR] sync TABLE [FILE] --owner WHO [-n] [--ttl DUR] [--until] [--rate N --burst N]\n"
		    "[-p DIR] flush TABLE [--owner WHO]",
	.purpose = "add, remove, list, load and sync the rules of sources and of edges",
	.opts = opts,
};

static void check_options(const struct job *j, const struct verb *v)
{
	bool limit = v->makes && is_limit(j->t), syncs = v->run == sync_table;
	const char *lacks = limit && !o.rate ? "rate" : syncs && !o.has_owner ? "owner" : NULL;

	if (lacks)
		die(KL_USAGE, "%s %s: --%s is missing", v->name, rules_table[j->t], lacks);
	if (!limit && (o.rate || o.burst))
		die(KL_USAGE, "%s %s takes no --%s", v->name, rules_table[j->t], o.rate ? "rate" : "burst");
	if (!v->makes && (o.ttl || (o.has_owner && v->run != flush)))
		die(KL_USAGE, "%s takes no %s", v->name, o.ttl ? "--ttl" : "--owner");
	if ((o.dry || o.timed) && !syncs)
		die(KL_USAGE, "%s takes no --%s", v->name, o.dry ? "dry-run" : "until");
}

/* What comes behind TABLE: keys, or the file that holds them. */
static void operands(struct job *j, const struct verb *v, char **arg)
{
	if (v->keys)
		target_words(v->name, rules_table[j->t], is_edge(j->t), v->keys, arg, collect, j);
	else if (*arg && arg[v->reads])
		die(KL_USAGE, "%s: one operand too many: '%s'", v->name, arg[v->reads]);
	else if (v->reads)
		j->bad = target_list(*arg ? *arg : "-", is_edge(j->t), o.timed, collect, j);
	if (j->bad && v->run == sync_table)
		die(KL_INPUT, "table %s stays as it is: the list is broken", rules_table[j->t]);
}

int main(int argc, char **argv)
{
	const struct verb *v = verbs, *end = verbs + sizeof(verbs) / sizeof(*verbs);
	struct job j = { 0 };
	enum kl_status st;
	const char *why;
	int at, err;

	kl_name = "kl-rule";
	at = opt_parse(argc, argv, &page);
	while (at < argc && v < end && strcmp(v->name, argv[at]))
		v++;
	if (v == end || at == argc)
		die(KL_USAGE, "no command '%s': add del list load sync flush", at < argc ? argv[at] : "");
	if (!argv[++at] && v->run != list)
		die(KL_USAGE, "%s: no table given: " TABLES, v->name);
	while (argv[at] && j.t < KL_TABLES && strcmp(rules_table[j.t], argv[at]))
		j.t++;
	if (j.t == KL_TABLES)
		die(KL_USAGE, "unknown table '%s': " TABLES, argv[at]);
	j.end = argv[at] ? j.t + 1 : KL_TABLES;
	check_options(&j, v);
	if (argv[at])
		operands(&j, v, argv + at + 1);
	err = kern_open(&j.k, o.dir, true, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	err = kern_lock(j.k);
	if (err)
		die(KL_SYSTEM, "cannot lock '%s': %s", o.dir, strerror(-err));
	j.boot = boot_ns(), j.real = real_ms();
	st = v->run(&j);
	kern_close(j.k);
	rules_free(&j.set);
	return st;
}
