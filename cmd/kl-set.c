/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-set: shows or changes the settings of the packet path.
 *
 * Reads:  the pinned configuration under DIR; before default-deny also whom the
 *         caller depends on: SSH_CONNECTION, routes, resolvers.
 * Writes: without operands, what is set as a settings file (key TAB value) to
 *         stdout; with KEY VALUE, that one setting to the kernel.
 * Keeps:  nothing.
 *
 * A change holds from the next packet on: it is one store, after which every
 * source is judged anew. With --confirm the packet path itself takes it back
 * unless it is confirmed in time, whatever has become of the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../lib/base/die.h"
#include "../lib/base/lifeline.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/change.h"
#include "../lib/kern/lockout.h"

static struct {
	const char *dir, *confirm;
	bool force;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, 0, 0 },
	{ "confirm", 0, OPT_STR, &o.confirm, 0, 0, "SEC", "take it back unless confirmed in time", 0, 0, 0 },
	{ "force", 'f', OPT_FLAG, &o.force, 0, 0, 0, "do it, whoever is cut off", 0, 0, 0 },
	OPT_END
};

static void object(const char *line)
{
	warn("%s", line);
}

/* Ends the command when the change would cut off whom the caller needs. */
static void check(struct kern *k, bool edges)
{
	struct lifeline l[LIFELINES];
	int n = lockout(k, o.dir, edges, l, lifelines(l), object);

	if (n < 0)
		die(KL_SYSTEM, "cannot read the tables under '%s': %s", o.dir, strerror(-n));
	if (n)
		exit(KL_NO);
}

/* Begins or joins a trial, and says so before the change: after it the caller may be gone. */
static void try(struct kern *k, int64_t ms)
{
	bool named = strcmp(o.dir, KL_BPFFS);

	if (ms)
		kern_try(k, ms);
	ms = kern_trial_left(k);
	if (ms > 0)
		warn("reverts in %lld s unless: kl-set%s%s confirm", (long long)(ms + 999) / 1000,
		     named ? " -p " : "", named ? o.dir : "");
}

static int apply(struct kern *k, const struct change *c, int64_t try_ms)
{
	int err = kern_lock(k);

	if (err)
		return err;
	if (c->set & (KL_F_ENFORCE_ALLOW | KL_F_EDGE_ALLOW) && !o.force)
		check(k, c->set & KL_F_EDGE_ALLOW);
	if (change_is_tried(c))
		try(k, try_ms);
	err = change_make(k, c);
	if (err == -ETIME)
		die(KL_NO, "too late: the trial ran out, and what was before it is set again");
	if (err == -ENOENT)
		die(KL_NO, "nothing to confirm: no trial is under way");
	return err;
}

static void row(struct tsv_out *out, const char *key, const char *fmt, ...)
{
	char value[4 * PUT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	tsv_puts(out, key);
	tsv_puts(out, "\t");
	tsv_puts(out, value);
	tsv_puts(out, "\n");
}

static void show(struct kern *k)
{
	volatile struct kl_cfg *c = kern_cfg(k);
	int64_t left = kern_trial_left(k);
	struct kern_settings now;
	const char *name, *word;
	struct tsv_out out;

	kern_settings(k, &now);
	tsv_out_init(&out, 1, "stdout");
	row(&out, "key", "value");
	for (size_t i = 0; (name = setting_word(now.features, i, &word)); i++)
		row(&out, name, "%s", word);
	row(&out, "default-limit", now.rate ? "%llu/%llu" : "off", (unsigned long long)now.rate,
	    (unsigned long long)now.burst);
	row(&out, "sample", "%u", c->sample);
	row(&out, "dead-man", c->dead_ns ? "%s %.15gs" : "off", dead_word[c->dead_mode],
	    (double)c->dead_ns / 1e9);
	row(&out, "fallen", "%s", kern_fallen(k) ? dead_word[c->dead_mode] : "-");
	row(&out, "falls", "%llu", (unsigned long long)c->falls);
	row(&out, "trial", left > 0 ? "%lld" : left ? "-" : "lapsed", (long long)(left + 999) / 1000);
	tsv_out_close(&out);
}

static const struct opt_page page = {
	.synopsis = "[-p DIR]\n[-p DIR] [-f] [--confirm SEC] KEY VALUE\n[-p DIR] confirm",
	.purpose = "show or change the settings of the packet path",
	.opts = opts,
};

int main(int argc, char **argv)
{
	const char *why = NULL;
	struct change c = { 0 };
	int64_t try_ms = 0;
	struct kern *k;
	int at, err;

	kl_name = "kl-set";
	at = opt_parse(argc, argv, &page);
	if (at < argc)
		why = change_get(&c, argv + at, argc - at);
	if (why)
		die(KL_USAGE, "%s", why);
	if (o.confirm && (at == argc || !change_is_tried(&c)))
		die(KL_USAGE, "--confirm goes with default-limit, edge-mode, enforce-allow and src6-prefix");
	if (o.confirm && seconds_get(o.confirm, &try_ms))
		die(KL_USAGE, "bad value '%s' for --confirm: " SECONDS, o.confirm);

	err = kern_open(&k, o.dir, at < argc, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	if (at == argc)
		show(k);
	else
		err = apply(k, &c, try_ms);
	if (err)
		die(KL_SYSTEM, "cannot set %s: %s", argv[at], strerror(-err));
	kern_close(k);
	return KL_OK;
}
