/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * differ [-s SEED] [-n PAIRS] [-f new|old] [-o OBJECT] - the packet path against the reference
 *
 * Random worlds, 64 frames each, until PAIRS frames were compared. The first difference ends it:
 * its world's seed, the frame and what differed. differ -s SEED -n 1 is that world again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/model/duel.h"

#define STEPS 64u

static struct duel d;

static const char *const tables[] = { "allow", "deny", "limit", "edge-allow", "edge-deny", "edge-limit" };
static const char *const modes[] = { "off", "deny", "allow" };

static void settings(const char *what, const struct policy *s)
{
	printf("%s: enforce-allow %d edge-mode %s src6-prefix %d default-limit %" PRIu64 "/%" PRIu64 "\n", what,
	       s->enforce_allow, modes[s->edge], s->src6_64 ? 64 : 128, s->rate, s->burst);
}

static double left(uint64_t end)
{
	return end ? ((double)end - (double)d.m.now) / 1e9 : 0;
}

static void world(const struct world *w)
{
	const struct rule *r;
	enum kl_table t;
	size_t i;

	settings("set", &w->set);
	settings("before", &w->before);
	printf("trial %.1f dead %.1f surge %.1f free %d mode %d flows %d hist %d full %d spent %d\n", left(w->trial),
	       left(w->dead), left(w->surge), w->surge_free, w->dead_mode, w->flows, w->hist, w->full, w->spent);
	for (t = 0; t < KL_TABLES; t++)
		for (i = 0; i < w->n[t]; i++) {
			r = &w->rules[t][i];
			printf("%s %s %u/%u rate %" PRIu64 "/%" PRIu64 " left %.1f\n", tables[t], prefix_str(&r->x),
			       r->port, r->proto, r->rate, r->burst, left(r->until));
		}
}

static int tell(uint64_t seed, int diff)
{
	size_t i;

	if (diff < 0) {
		fprintf(stderr, "differ: seed %" PRIu64 ": %s (%s)\n", seed, strerror(-diff), shield_log());
		return 4;
	}
	printf("seed %" PRIu64 "\tframe %u\t%s\t%s\t", seed, d.step, d.f.out ? "out" : "in", d.what);
	for (i = 0; i < d.f.n; i++)
		printf("%02x", d.f.b[i]);
	putchar('\n');
	world(&d.m.w);
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, pairs = 50000;
	enum flavour f = FLAVOUR_AUTO;
	const char *object = NULL;
	int c, diff;

	while ((c = getopt(argc, argv, "s:n:f:o:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 'n')
			pairs = strtoull(optarg, NULL, 10);
		else if (c == 'f')
			f = !strcmp(optarg, "old") ? FLAVOUR_OLD : FLAVOUR_NEW;
		else if (c == 'o')
			object = optarg;
		else
			return 2;
	}
	diff = duel_open(&d, object, f);
	while (!diff && d.pairs < pairs) {
		diff = duel_world(&d, seed, STEPS, NULL);
		seed += !diff;
	}
	if (diff)
		return tell(seed, diff);
	printf("%" PRIu64 " pairs\t%" PRIu64 " worlds\t%" PRIu64 " late\tports %" PRIu64 " of %" PRIu64 "\n", d.pairs,
	       d.worlds, d.late, d.changes[0], d.changes[1]);
	duel_close(&d);
	return 0;
}
