/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-selftest - does the packet path decide and count as its reference does?
 *
 * Reads:  capture files, when given.
 * Writes: a row for each hand-made packet, each capture and the random packets.
 * Keeps:  nothing; a private copy of the program is loaded, pinned nowhere, and judged by
 *         BPF_PROG_TEST_RUN: what runs on interfaces is neither asked nor disturbed.
 *
 * After every packet the verdict and the totals are compared, after every sequence the
 * records of sources and flows and the histograms too.
 */
#include <errno.h>
#include <inttypes.h>
#define PCAP_DONT_INCLUDE_PCAP_BPF_H	/* its struct bpf_insn is another one */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/die.h"
#include "../lib/base/ether.h"
#include "../lib/base/opt.h"
#include "../lib/model/duel.h"
#include "../lib/model/scene.h"

#define WORLD 64u	/* frames of a sequence */

static const char *const flavours[] = { "auto", "new", "old", NULL };

static struct {
	const char *dir, *object;
	int flavour;
	uint64_t seed, packets;
} o = { .seed = 1, .packets = 5000 };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR",
	  "pins of an instance: is the program that runs there the one that was tested?", 0, false, 0 },
	{ "flavour", 0, OPT_WORD, &o.flavour, 0, 0, "WORD",
	  "of the program: auto (what the kernel takes), new, or old (before 5.12)", flavours, false, 0 },
	{ "object", 0, OPT_STR, &o.object, 0, 0, "FILE", "test the program in FILE instead of the one inside",
	  0, false, 0 },
	{ "packets", 0, OPT_U64, &o.packets, 0, 100000000, "N", "random packets", 0, false, 0 },
	{ "seed", 0, OPT_U64, &o.seed, 0, 0, "N", "of the random packets", 0, false, 0 },
	OPT_END
};

static const struct opt_page page = {
	"[-p DIR] [--flavour auto|new|old] [--object FILE]\n [--packets N] [--seed N] [FILE ...]",
	"Compare the packet path with its reference, packet by packet.", opts
};

struct test {
	struct duel d;
	uint64_t rows, differ, skipped, broken;
	struct frame chunk[WORLD];
	uint8_t room[GEN_MAX * 2 + ETHER_HEAD];
};

static void row(struct test *t, const char *name, const char *packet, const char *want, const char *got,
		bool same)
{
	printf("%s\t%s\t%s\t%s\t%s\n", name, packet, want, got, same ? "ok" : "differs");
	t->rows++;
	t->differ += !same;
}

static void check(int err)
{
	if (err == -ETIME)
		die(KL_SYSTEM, "too busy a machine: a sequence of %u packets took seconds each time", WORLD);
	if (err < 0)
		die(KL_SYSTEM, "cannot test: %s", strerror(-err));
}

/* What differed, and the frame it was seen at. */
static void found(struct test *t, const char *name)
{
	const struct frame *f = &t->d.f;
	char *hex = xalloc(2 * f->n + 1);
	size_t i;

	for (i = 0; i < f->n; i++)
		sprintf(hex + 2 * i, "%02x", f->b[i]);
	row(t, name, hex, "as the reference", t->d.what, false);
	free(hex);
}

static void scene(struct test *t, const struct scene *s)
{
	const struct scene_step *step;
	enum model_why want, got;
	uint64_t now = duel_now();
	struct world w;
	struct frame f;
	int diff;

	if (scene_world(s, &w, now))
		die(KL_SYSTEM, "scene %s: bad rule", s->name);
	check(duel_begin(&t->d, &w, now));
	for (step = s->steps; step < s->steps + SCENE_STEPS && step->packet; step++) {
		if (scene_frame(step, &f))
			die(KL_SYSTEM, "scene %s: no frame %s", s->name, step->packet);
		check(SCENE_AFTER(step) ? duel_pass(&t->d, SCENE_AFTER(step)) : 0);
		check(step->after >> 16 ? duel_surge(&t->d, step->after & SURGE_BEGINS) : 0);
		diff = duel_frame(&t->d, &f, &want, &got);
		check(diff);
		row(t, s->name, step->packet, model_whys[step->want], model_whys[got],
		    got == step->want && want == step->want && !diff);
		if (diff)	/* the rest would only repeat it */
			return found(t, s->name);
	}
	diff = duel_records(&t->d);
	check(diff);
	if (diff)
		found(t, s->name);
}

/* Random packets, world by world. Every difference is a row; with the seed it names it comes again. */
static void random_worlds(struct test *t)
{
	uint64_t first = t->d.pairs, seed = o.seed, bad = t->differ;
	char name[64];
	int diff;

	for (; t->d.pairs - first < o.packets; seed++) {
		diff = duel_world(&t->d, seed, WORLD, NULL);
		check(diff);
		snprintf(name, sizeof(name), "random %" PRIu64, seed);
		if (diff)
			found(t, name);
	}
	snprintf(name, sizeof(name), "%" PRIu64 " packets", t->d.pairs - first);
	if (o.packets && bad == t->differ)
		row(t, "random", name, "as the reference", "as the reference", true);
}

static bool next(struct test *t, pcap_t *cap, const struct ether_link *link, struct frame *f,
		 const char *path)
{
	struct pcap_pkthdr *h;
	const uint8_t *p;
	size_t n;
	int got;

	while ((got = pcap_next_ex(cap, &h, &p)) == 1) {
		n = h->caplen;
		if (n <= GEN_MAX * 2) {
			p = ether_frame(link, p, &n, t->room);
			if (n >= LAB_IN_MIN && n <= LAB_MAX) {
				memcpy(f->b, p, n);
				f->n = n;
				return true;
			}
		}
		t->skipped++;
	}
	if (got != PCAP_ERROR_BREAK) {
		warn("%s: %s", path, pcap_geterr(cap));
		t->broken++;
	}
	return false;
}

/* A capture's frames in worlds of chance whose rules are about its own addresses; every fifth is sent. */
static void capture(struct test *t, const char *path)
{
	uint64_t first = t->d.pairs, seed = o.seed, bad = t->differ + t->broken;
	const struct ether_link *link = NULL;
	char why[PCAP_ERRBUF_SIZE], text[64];
	pcap_t *cap = pcap_open_offline(path, why);
	unsigned n;
	int diff;
	bool bare;

	if (cap)
		link = ether_link(pcap_datalink(cap));
	if (!link) {
		t->broken++;
		if (!cap) {
			bare = !strncmp(why, path, strlen(path));	/* it names the file, or does not */
			return warn("%s%s%s", bare ? "" : path, bare ? "" : ": ", why);
		}
		warn("%s: link type %d is not understood", path, pcap_datalink(cap));
		return pcap_close(cap);
	}
	do {
		for (n = 0; n < WORLD && next(t, cap, link, &t->chunk[n], path); n++) {
			t->chunk[n].out = n % 5 == 4;
			t->chunk[n].segs = 0;
		}
		diff = n ? duel_world(&t->d, seed++, n, t->chunk) : 0;
		check(diff);
		if (diff)
			found(t, path);
	} while (n == WORLD);
	pcap_close(cap);
	snprintf(text, sizeof(text), "%" PRIu64 " packets", t->d.pairs - first);
	if (bad == t->differ + t->broken)
		row(t, path, text, "as the reference", "as the reference", true);
}

static void running(struct test *t)
{
	const char *tag = "none", *mine = lab_tag(t->d.lab);
	int err = lab_running_tag(o.dir, &tag);

	if (err == -ENOENT)
		die(KL_SYSTEM, "nothing is attached under '%s'", o.dir);
	if (err)
		die(KL_SYSTEM, "cannot look at what runs under '%s': %s", o.dir, strerror(-err));
	row(t, "running", o.dir, mine, tag, !strcmp(tag, mine));
}

int main(int argc, char **argv)
{
	static struct test t;
	size_t i;
	int at, err;

	kl_name = "kl-selftest";
	at = opt_parse(argc, argv, &page);
	if (o.object && o.flavour)
		die(KL_USAGE, "--object holds one flavour: it excludes --flavour");
	err = duel_open(&t.d, o.object, (enum flavour)o.flavour);
	if (err == -EPERM || err == -EACCES)
		die(KL_SYSTEM, "no privilege: CAP_BPF and CAP_NET_ADMIN are needed");
	if (err)
		die(KL_SYSTEM, "cannot load %s: %s%s%s", o.object ? o.object : "the program", strerror(-err),
		    *shield_log() ? ": " : "", shield_log());
	puts("case\tpacket\twant\tgot\tresult");
	if (o.dir)
		running(&t);
	for (i = 0; i < scenes_n; i++)
		scene(&t, &scenes[i]);
	random_worlds(&t);
	for (; at < argc; at++)
		capture(&t, argv[at]);
	duel_close(&t.d);
	if (fclose(stdout))
		die(KL_SYSTEM, "cannot write: %s", strerror(errno));
	if (t.skipped)
		warn("frames too short or too long to be tested: %" PRIu64, t.skipped);
	warn("%" PRIu64 " packets, %" PRIu64 " rows, %" PRIu64 " differ", t.d.pairs, t.rows, t.differ);
	return t.differ ? KL_NO : t.broken ? KL_INPUT : KL_OK;
}
