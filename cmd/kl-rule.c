/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-rule: adds, removes, lists and loads the rules allow, deny and limit.
 *
 * Reads:  lists of addresses and prefixes (load); the pinned tables.
 * Writes: the pinned tables; list: one frame of rules to stdout.
 *
 * A rule replaces the one with the same prefix. The packet path ignores rules
 * that ended; list and flush remove them, add and load when a map is full.
 */
#include <errno.h>
#include <limits.h>

#include "../lib/base/die.h"
#include "../lib/base/file.h"
#include "../lib/base/opt.h"
#include "../lib/base/rulerow.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/rules.h"
#include "schema.h"

static const char *const owners[] = { "operator", "iq", NULL };

static struct {
	const char *dir;
	int64_t ttl;
	uint32_t rate, burst;
	int owner;
	bool has_owner;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, 0, 0 },
	{ "ttl", 't', OPT_DUR, &o.ttl, .001, 3e9, "DUR", "the rules end after DUR (never)", 0, 0, 0 },
	{ "rate", 'r', OPT_U32, &o.rate, 1, UINT32_MAX, "N", "limit: packets a second", 0, 0, 0 },
	{ "burst", 'b', OPT_U32, &o.burst, 1, UINT32_MAX, "N", "at once (twice rate)", 0, 0, 0 },
	{ "owner", 'o', OPT_WORD, &o.owner, 0, 0, "WHO", "operator or iq", owners, 0, &o.has_owner },
	OPT_END
};

static const char *const table_name[KL_TABLES] = {
	"allow", "deny", "limit", "edge-allow", "edge-deny", "edge-limit",
};

struct job {
	struct kern *k;
	enum kl_table t, end;		/* the table; for list, one behind the last */
	struct rule proto;		/* what is made, but for its prefix */
	struct rules set;
	const char *file;
	uint64_t boot;			/* now, on both clocks */
	int64_t real;
};

static _Noreturn void fail(const struct job *j, long err)
{
	die(KL_SYSTEM, "table %s: %s", table_name[j->t], strerror((int)-err));
}

static const char *collect(void *self, const struct prefix *x, long line)
{
	struct job *j = self;
	int err;

	(void)line;
	j->proto.x = *x;
	err = rules_add(&j->set, &j->proto);
	if (err)
		fail(j, err);
	return NULL;
}

static enum kl_status add(struct job *j)
{
	const char *why;
	long in = rules_load(&j->set, j->k, j->t, &why);

	if (in < 0)
		fail(j, in);
	if ((size_t)in < j->set.n)
		die(KL_SYSTEM, "table %s: %s: %ld of %zu rules went in, nothing already in is lost",
		    table_name[j->t], why, in, j->set.n);
	return KL_OK;
}

static enum kl_status load(struct job *j)
{
	long bad = list_read(j->file, collect, j);

	if (bad < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", j->file, strerror(errno));
	add(j);
	return bad ? KL_NO : KL_OK;
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
			fail(j, found < 0 ? found : -err);
		warn("table %s has no rule '%s'", table_name[j->t], prefix_str(&r->x));
		st = KL_NO;
	}
	return st;
}

static enum kl_status flush(struct job *j)
{
	long n = rules_sweep(&j->set, j->k, j->t, j->boot, o.has_owner ? 1u << j->proto.owner : ~0u);

	if (n < 0)
		fail(j, n);
	return KL_OK;
}

static size_t list_table(struct job *j, struct tsv_out *out)
{
	static const char *const owner[] = { "-", "operator", "iq", "graph" };
	struct rulerow row = { j->real, -1, table_name[j->t], "-", NULL, RULE_UNKNOWN, RULE_UNKNOWN, 0 };
	long err = rules_sweep(&j->set, j->k, j->t, j->boot, 0);
	size_t n = 0;

	rules_sort(&j->set);
	if (err >= 0)
		err = rules_hits(&j->set, j->k, j->t);
	if (err < 0)
		fail(j, err);
	for (const struct rule *r = j->set.r; r < j->set.r + j->set.n; r++, n++) {
		row.key = &r->x;
		row.until = r->until ? j->real + (int64_t)(r->until - j->boot) / 1000000 : -1;
		row.owner = owner[r->owner % 4];
		row.rate = j->t == KL_LIMIT ? r->rate : RULE_UNKNOWN;
		row.burst = j->t == KL_LIMIT ? r->burst : RULE_UNKNOWN;
		row.hits = j->set.hits[n];
		out->p = rulerow_put(tsv_room(out, RULE_ROW), &row);
	}
	rules_free(&j->set);
	return n;
}

static enum kl_status list(struct job *j)
{
	struct rulerow star = { j->real, -1, "-", "-", NULL, RULE_UNKNOWN, RULE_UNKNOWN, 0 };
	struct tsv_out out;

	tsv_out_init(&out, 1, "stdout");
	tsv_puts(&out, RULE_HEADER "\n");
	for (; j->t < j->end; j->t++)
		star.hits += list_table(j, &out);
	out.p = rulerow_put(tsv_room(&out, RULE_ROW), &star);
	tsv_out_close(&out);
	return KL_OK;
}

static const struct verb {
	const char *name;
	enum kl_status (*run)(struct job *j);
	int min, max;			/* operands behind TABLE */
} verbs[] = {
	{ "add", add, 1, 1 },	{ "del", del, 1, INT_MAX }, { "list", list, 0, 0 },
	{ "load", load, 0, 1 }, { "flush", flush, 0, 0 },
};

static const struct opt_page page = {
	.synopsis = "[-p DIR] add TABLE PREFIX [--ttl DUR] [--rate N --burst N] [--owner WHO]\n"
		    "[-p DIR] del TABLE PREFIX ...\n"
		    "[-p DIR] list [TABLE]\n"
		    "[-p DIR] load TABLE [FILE] [--ttl DUR] [--rate N --burst N] [--owner WHO]\n"
		    "[-p DIR] flush TABLE [--owner WHO]",
	.purpose = "add, remove, list and load the rules allow, deny and limit",
	.opts = opts,
};

static void check_options(struct job *j, const struct verb *v)
{
	bool makes = v->run == add || v->run == load, limit = makes && j->t == KL_LIMIT;

	if (limit && !o.rate)
		die(KL_USAGE, "%s limit: --rate is missing", v->name);
	if (!limit && (o.rate || o.burst))
		die(KL_USAGE, "%s %s takes no --%s", v->name, table_name[j->t], o.rate ? "rate" : "burst");
	if (!makes && (o.ttl || (o.has_owner && v->run != flush)))
		die(KL_USAGE, "%s takes no %s", v->name, o.ttl ? "--ttl" : "--owner");
	j->proto.owner = o.owner ? KL_IQ : KL_OPERATOR;
	j->proto.until = o.ttl ? j->boot + (uint64_t)o.ttl * 1000000 : 0;
	j->proto.rate = o.rate;
	j->proto.burst = o.burst ? o.burst : 2ull * o.rate;
}

static void operands(struct job *j, const struct verb *v, int n, char **arg)
{
	struct prefix x;
	int err;

	if (n < v->min)
		die(KL_USAGE, "%s %s: no address or prefix given", v->name, table_name[j->t]);
	if (n > v->max)
		die(KL_USAGE, "%s: one operand too many: '%s'", v->name, arg[v->max]);
	j->file = n && v->run == load ? *arg : "-";
	for (; *arg && v->run != load; arg++) {
		err = prefix_get(*arg, strlen(*arg), &x);
		if (err == -2)
			die(KL_USAGE, "bits are set behind the prefix length: '%s'; its prefix is %s", *arg,
			    prefix_str(&x));
		if (err)
			die(KL_USAGE, "not an address or prefix: '%s'", *arg);
		collect(j, &x, 0);
	}
}

int main(int argc, char **argv)
{
	const struct verb *v = verbs, *end = verbs + sizeof(verbs) / sizeof(*verbs);
	struct job j = { .boot = boot_ns(), .real = real_ms() };
	enum kl_status st;
	const char *why;
	int at, err;

	kl_name = "kl-rule";
	at = opt_parse(argc, argv, &page);
	while (at < argc && v < end && strcmp(v->name, argv[at]))
		v++;
	if (at == argc || v == end)
		die(KL_USAGE, "no command '%s': add, del, list, load, flush", at < argc ? argv[at] : "");
	if (!argv[++at] && v->run != list)
		die(KL_USAGE, "%s: no table given: allow, deny or limit", v->name);
	while (argv[at] && j.t < KL_TABLES && strcmp(table_name[j.t], argv[at]))
		j.t++;
	if (j.t == KL_TABLES)
		die(KL_USAGE, "unknown table '%s': allow, deny or limit", argv[at]);
	j.end = argv[at] ? j.t + 1 : KL_TABLES;
	check_options(&j, v);
	if (argv[at])
		operands(&j, v, argc - at - 1, argv + at + 1);
	err = kern_open(&j.k, o.dir, true, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	err = kern_lock(j.k);
	if (err)
		die(KL_SYSTEM, "cannot lock '%s': %s", o.dir, strerror(-err));
	st = v->run(&j);
	kern_close(j.k);
	rules_free(&j.set);
	return st;
}
