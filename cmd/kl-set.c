/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-set: shows or changes the settings of the packet path.
 *
 * Reads:  the pinned configuration under DIR.
 * Writes: without operands, the settings as a settings file (key TAB value)
 *         to stdout; with KEY VALUE, that one setting to the kernel.
 * Keeps:  nothing.
 *
 * A change holds from the next packet on: it is one store, after which every
 * source is judged anew. enforce-allow with nobody allowed would cut the
 * machine off, and is refused unless --force is given.
 */
#include <errno.h>
#include <stdio.h>

#include "../lib/base/die.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/map.h"

static struct {
	const char *dir;
	bool force;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, 0, 0 },
	{ "force", 'f', OPT_FLAG, &o.force, 0, 0, 0, "enforce-allow on although nobody is allowed", 0, 0, 0 },
	OPT_END
};

struct change {
	enum { FEATURE, LIMIT, SAMPLE } what;
	uint32_t set, clear;		/* KL_F_* */
	uint32_t rate, burst, sample;
};

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static void parse_bit(struct change *c, const char *key, const char *v, const char *yes, const char *no,
		      uint32_t bit)
{
	c->what = FEATURE;
	if (is(v, yes))
		c->set = bit;
	else if (is(v, no))
		c->clear = bit;
	else
		die(KL_USAGE, "bad value '%s' for %s: %s or %s", v, key, yes, no);
}

static void parse_limit(struct change *c, const char *v)
{
	const char *slash = strchr(v, '/');

	c->what = LIMIT;
	if (is(v, "off"))
		return;
	if (!slash || get_u32(v, (size_t)(slash - v), &c->rate) || !c->rate ||
	    get_u32(slash + 1, strlen(slash + 1), &c->burst) || !c->burst)
		die(KL_USAGE, "bad value '%s' for default-limit: RATE/BURST, 1 to 4294967295 each, or off",
		    v);
}

static void parse(struct change *c, const char *key, const char *v)
{
	if (is(key, "enforce-allow")) {
		parse_bit(c, key, v, "on", "off", KL_F_ENFORCE_ALLOW);
	} else if (is(key, "src6-prefix")) {
		parse_bit(c, key, v, "64", "128", KL_F_SRC6_64);
	} else if (is(key, "default-limit")) {
		parse_limit(c, v);
	} else if (is(key, "sample")) {
		c->what = SAMPLE;
		if (get_u32(v, strlen(v), &c->sample))
			die(KL_USAGE, "bad value '%s' for sample: a whole number, 0 to 4294967295", v);
	} else {
		die(KL_USAGE, "unknown setting '%s': enforce-allow, default-limit, sample, src6-prefix",
		    key);
	}
}

static int lives(void *now, const struct rule *r)
{
	return !r->until || r->until > *(uint64_t *)now;
}

static int apply(struct kern *k, const struct change *c)
{
	uint64_t now = boot_ns();
	int err = kern_lock(k);

	if (!err && c->set & KL_F_ENFORCE_ALLOW && !o.force) {
		err = kern_walk(k, KL_ALLOW, lives, &now);
		if (!err)
			die(KL_NO, "the allow table is empty: enforce-allow would drop every source "
				   "(--force does it all the same)");
	}
	if (err < 0)
		return err;
	switch (c->what) {
	case FEATURE:
		return kern_feature(k, c->set, c->clear);
	case LIMIT:
		return kern_default_limit(k, c->rate, c->burst);
	default:
		kern_cfg(k)->sample = c->sample;
		return 0;
	}
}

static void show(struct kern *k)
{
	volatile struct kl_cfg *c = kern_cfg(k);
	volatile struct kl_rl *l = &kern_rl(k)->now;
	char limit[2 * PUT_MAX] = "off", line[256];
	struct tsv_out out;

	if (l->rate)
		snprintf(limit, sizeof(limit), "%llu/%llu", l->rate, l->burst);
	snprintf(line, sizeof(line),
		 "key\tvalue\nenforce-allow\t%s\ndefault-limit\t%s\nsample\t%u\nsrc6-prefix\t%s\n",
		 c->features & KL_F_ENFORCE_ALLOW ? "on" : "off", limit, c->sample,
		 c->features & KL_F_SRC6_64 ? "64" : "128");
	tsv_out_init(&out, 1, "stdout");
	tsv_puts(&out, line);
	tsv_out_close(&out);
}

static const struct opt_page page = {
	.synopsis = "[-p DIR]\n[-p DIR] [-f] KEY VALUE",
	.purpose = "show or change the settings of the packet path",
	.opts = opts,
};

int main(int argc, char **argv)
{
	struct change c = { 0 };
	struct kern *k;
	const char *why;
	int at, err;

	kl_name = "kl-set";
	at = opt_parse(argc, argv, &page);
	if (argc - at == 1)
		die(KL_USAGE, "no value for '%s'", argv[at]);
	if (argc - at > 2)
		die(KL_USAGE, "more than KEY and VALUE: '%s'", argv[at + 2]);
	if (at < argc)
		parse(&c, argv[at], argv[at + 1]);

	err = kern_open(&k, o.dir, at < argc, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	if (at == argc)
		show(k);
	else
		err = apply(k, &c);
	if (err)
		die(KL_SYSTEM, "cannot set %s: %s", argv[at], strerror(-err));
	kern_close(k);
	return KL_OK;
}
