/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-attach - put Shield on interfaces, take it off, say where it is
 *
 * Reads nothing; keeps its state in pins under one directory of a bpffs.
 * The program is inside this binary, in two flavours; the kernel is asked
 * which it takes. Attaching where it already runs replaces the program in
 * place: maps, bans and counters stay, no packet goes unfiltered.
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "../lib/base/die.h"
#include "../lib/base/opt.h"
#include "../lib/kern/link.h"
#include "../lib/kern/map.h"

#define BPF_FS_MAGIC 0xcafe4a11

static const char *const modes[] = { "auto", "native", "generic", NULL };
static const char *const flavours[] = { "auto", "new", "old", NULL };

static struct {
	const char *dir;
	int mode, flavour;
	uint32_t sources, flows;
	bool egress, detach, status;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, false, 0 },
	{ "mode", 0, OPT_WORD, &o.mode, 0, 0, "MODE", "auto (native, else generic), native or generic", modes,
	  false, 0 },
	{ "flavour", 0, OPT_WORD, &o.flavour, 0, 0, "WORD",
	  "of the program: auto (what the kernel takes), new, or old (before 5.12)", flavours, false, 0 },
	{ "sources", 0, OPT_U32, &o.sources, 0, 16777216, "N",
	  "sources each family's table holds, 0: by memory", 0, false, 0 },
	{ "flows", 0, OPT_U32, &o.flows, 0, 16777216, "N",
	  "flows each family's table holds, 0: half as many as sources", 0, false, 0 },
	{ "egress", 0, OPT_FLAG, &o.egress, 0, 0, 0,
	  "also see what is sent: outbound flows, replies in edge-mode allow", 0, false, 0 },
	{ "detach", 0, OPT_FLAG, &o.detach, 0, 0, 0,
	  "take Shield off IFACE, or off all; the last one takes the instance away", 0, false, 0 },
	{ "status", 0, OPT_FLAG, &o.status, 0, 0, 0, "print the attachments; status 1 when there is none", 0,
	  false, 0 },
	OPT_END
};

static const struct opt_page page = {
	"[-p DIR] [--mode auto|native|generic] [--flavour auto|new|old]\n"
	" [--egress] [--sources N] [--flows N] IFACE ...\n"
	"[-p DIR] --detach [IFACE ...]\n"
	"[-p DIR] --status",
	"put Shield on interfaces, take it off, say where it is", opts
};

static void explain(const char *what, int err, const char *why)
{
	if (err == -EPROTO || err == -EPERM || err == -EACCES || err == -ENODEV)
		die(KL_SYSTEM, "%s: %s", what, kern_strerror(err, why));
	if (*shield_log())
		die(KL_SYSTEM, "%s: %s: %s (%s)", what, why, strerror(-err), shield_log());
	die(KL_SYSTEM, "%s: %s%s%s", what, why, *why ? ": " : "", strerror(-err));
}

static int print_link(void *arg, const struct link *l)
{
	unsigned *n = arg;

	if (!(*n)++)
		puts("iface\tmode\tprog\tpin\tegress");
	printf("%s\t%s\t%u\t%s\t%s\n", l->iface, modes[l->mode], l->prog, l->pin, l->egress ? "yes" : "no");
	return 0;
}

static int status(void)
{
	unsigned n = 0;
	int err = link_walk(o.dir, print_link, &n);

	if (err)
		explain("cannot read the attachments", err, o.dir);
	if (fclose(stdout))
		die(KL_SYSTEM, "cannot write: %s", strerror(errno));
	if (!n)
		warn("nothing is attached under '%s'", o.dir);
	return n ? KL_OK : KL_NO;
}

static int detach(char **iface, int n)
{
	int i, done, st = KL_OK;

	for (i = 0; i < (n ? n : 1); i++) {
		done = link_detach(o.dir, n ? iface[i] : NULL);
		if (done < 0)
			explain("cannot detach", done, n ? iface[i] : o.dir);
		if (!done) {
			warn("nothing is attached %s '%s'", n ? "to" : "under", n ? iface[i] : o.dir);
			st = KL_NO;
		}
	}
	return st;
}

static int renew(void *arg, const struct link *l)
{
	return l->ifindex ? link_renew(arg, l) : 0;
}

/* Why native mode was refused, where users usually end up asking. */
static const char *hint(int err)
{
	return err == -EINVAL || err == -ERANGE ? " (MTU too large for native XDP, or LRO on)" :
	       err == -EOPNOTSUPP ? " (the driver has no native XDP)" : "";
}

static int attach(char **iface, int n)
{
	struct shield *s;
	const char *why;
	struct link l;
	int i, err, native, st = KL_OK;

	err = shield_load(&s, o.dir, o.sources, o.flows, (enum flavour)o.flavour, &why);
	if (err == -EEXIST)
		die(KL_USAGE, "--%s %u: the running instance has another size; detach it first",
		    o.sources ? "sources" : "flows", o.sources ? o.sources : o.flows);
	if (err)
		explain("cannot load", err, why);
	if (shield_was(s))
		warn("an instance of ABI %u was running: rules and settings are kept, counters start anew",
		     shield_was(s));
	err = link_walk(o.dir, renew, s);
	if (err)
		explain("cannot replace the running program", err, "");
	for (i = 0; i < n; i++) {
		err = link_attach(s, iface[i], (enum xdp_mode)o.mode, &l, &native);
		if (err) {
			warn("cannot attach to '%s': %s", iface[i],
			     err == -EBUSY ? "another XDP program is there" :
			     err == -EEXIST ? "it runs there in the other mode; detach it first" :
			     err == -ENODEV ? "no such interface" : strerror(-err));
			st = KL_SYSTEM;
			continue;
		}
		err = o.egress ? link_egress(s, &l) : 0;
		if (err) {
			warn("cannot attach to TC egress of '%s': %s", iface[i], strerror(-err));
			st = KL_SYSTEM;
		}
		if (native)
			warn("%s: native mode refused: %s%s; attached in generic mode, which is slower",
			     iface[i], strerror(-native), hint(native));
	}
	/* Nothing hangs on a new instance that got no interface: take it away again. */
	if (st && shield_is_new(s))
		link_detach(o.dir, "");
	shield_free(s);
	return st ? st : status();
}

/* The folder of the pins, or the one it is to be made in, is on a bpffs. */
static void check_dir(void)
{
	char *above = xstrdup(o.dir);
	struct statfs fs;

	if (statfs(o.dir, &fs) && (errno != ENOENT || statfs(dirname(above), &fs)))
		die(KL_SYSTEM, "cannot use '%s': %s", o.dir, strerror(errno));
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		die(KL_USAGE, "'%s' is not on a bpffs (mount -t bpf bpf DIR)", o.dir);
	free(above);
}

int main(int argc, char **argv)
{
	int i;

	kl_name = "kl-attach";
	i = opt_parse(argc, argv, &page);
	argv += i;
	argc -= i;
	if (o.detach && o.status)
		die(KL_USAGE, "--detach and --status exclude each other");
	if (o.status && argc)
		die(KL_USAGE, "--status takes no interface: '%s'", argv[0]);
	if (!o.detach && !o.status && !argc)
		die(KL_USAGE, "no interface given (-h for help)");
	if (o.status)
		return status();
	if (o.detach)
		return detach(argv, argc);
	check_dir();
	return attach(argv, argc);
}
