/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-dump-total - what all packets together did in the last tick
 *
 * Reads kernloom_totals; writes total frames, each a single star row.
 * Keeps nothing, or with -s a snapshot in FILE for the next run.
 * The counters are per CPU in the kernel: a reading is their sum, exact for
 * every packet that was finished before it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "schema.h"
#include "../lib/base/die.h"
#include "../lib/base/keep.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/pace.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/map.h"

static struct {
	const char *dir, *state;
	double every;
	uint64_t count;
	bool every_given, count_given;
} o = { .dir = KL_BPFFS, .every = 1, .count = 1 };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, false, 0 },
	{ "interval", 'i', OPT_F64, &o.every, 0.01, 86400, "SEC", "length of a tick", 0, false,
	  &o.every_given },
	{ "count", 'n', OPT_U64, &o.count, 0, 0, "COUNT", "ticks to print; 0: for ever", 0, false,
	  &o.count_given },
	{ "state", 's', OPT_STR, &o.state, 0, 0, "FILE",
	  "one tick without waiting: since the snapshot in FILE, which is renewed", 0, false, 0 },
	OPT_END
};

static const struct opt_page page = {
	"[-p DIR] [-i SEC] [-n COUNT]\n[-p DIR] -s FILE",
	"what all packets together did in the last tick", opts
};

/* The schema's columns behind src, each a counter of struct kern_totals. */
static const unsigned short column[] = {
#define X(name) offsetof(struct kern_totals, name) / 8,
	X(all.pkts) X(all.bytes) X(all.pass) X(all.drop_allow) X(all.drop_deny) X(all.drop_rl)
	X(all.v4) X(all.v6) X(all.tcp) X(all.udp) X(all.icmp) X(all.syn) X(all.synack) X(all.rst)
	X(all.ack) X(raw.frags4) X(raw.frags6) X(raw.malformed) X(raw.drop_malformed)
	X(raw.essential) X(raw.allow_hits) X(all.drop_deny) X(raw.rl_hits) X(raw.port_changes)
	X(raw.new_sources) X(raw.evicted) X(raw.judged) X(un.pkts) X(raw.events) X(raw.events_lost)
	X(raw.drop_edge) X(raw.drop_frag) X(raw.drop_other) X(raw.replies) X(raw.flows)
	X(raw.flows_evicted) X(raw.flows_lost) X(raw.conns) X(raw.conns_lost) X(raw.fallen)
#undef X
};
#define NCOLUMNS (sizeof(column) / sizeof(*column))
_Static_assert(NCOLUMNS + 3 == TOTAL_NCOLS, "schemas/total.tsv and column[] differ");

struct counts {
	struct prefix x;	/* ::/0, for the snapshot's table */
	uint32_t instance;	/* random: tells this one from a later one */
	uint64_t n[NCOLUMNS];
};

static void reading(struct kern *k, struct counts *c)
{
	struct kern_totals t;
	int err = kern_totals(k, &t);
	size_t i;

	if (err)
		die(KL_SYSTEM, "cannot read kernloom_totals: %s", strerror(-err));
	/* Frames that are not IP are frames too. */
	t.all.pkts += t.raw.other + t.raw.malformed;
	t.all.bytes += t.raw.other_bytes;
	t.all.pass += t.raw.other + t.raw.malformed - t.raw.drop_malformed - t.raw.drop_other;
	memset(&c->x, 0, sizeof(c->x));
	c->instance = (uint32_t)kern_cfg(k)->seed[0];
	for (i = 0; i < NCOLUMNS; i++)
		c->n[i] = ((const uint64_t *)&t)[column[i]];
}

static void put_frame(struct tsv_out *out, int64_t time, double dt, const struct counts *now,
		      const struct counts *prev)
{
	char *p = put_time(tsv_room(out, 2048), time);
	size_t i;

	*p++ = '\t';
	p = put_f64(p, dt < 0.001 ? 0.001 : dt, 3);
	p = mempcpy(p, "\t*", 2);
	for (i = 0; i < NCOLUMNS; i++) {
		*p++ = '\t';
		p = put_u64(p, now->n[i] - prev->n[i]);
	}
	*p++ = '\n';
	out->p = p;
	tsv_flush(out);
}

static void stream(struct kern *k, struct tsv_out *out)
{
	struct counts prev, now;
	uint64_t n, then, t;
	struct pace pace;

	pace_start(&pace, (int64_t)(o.every * 1e9));
	reading(k, &prev);
	then = boot_ns();
	for (n = 0; !o.count || n < o.count; n++) {
		pace_wait(&pace);
		reading(k, &now);
		t = boot_ns();
		put_frame(out, real_ms(), (double)(t - then) / 1e9, &now, &prev);
		prev = now;
		then = t;
	}
}

static char *snapshot_put(char *p, const void *entry)
{
	const struct counts *c = entry;
	size_t i;

	*p++ = '\t';
	p = put_u64(p, c->instance);
	for (i = 0; i < NCOLUMNS; i++) {
		*p++ = '\t';
		p = put_u64(p, c->n[i]);
	}
	return p;
}

static int snapshot_get(void *entry, const char *const cell[], const uint32_t len[], const char **want)
{
	struct counts *c = entry;
	size_t i;

	*want = "a whole number";
	if (get_u32(cell[0], len[0], &c->instance))
		return 0;
	for (i = 0; i < NCOLUMNS; i++)
		if (get_u64(cell[i + 1], len[i + 1], &c->n[i]))
			return (int)i + 1;
	return -1;
}

static void once(struct kern *k, struct tsv_out *out)
{
	char header[sizeof(TOTAL_HEADER) + 8];
	static const struct counts zero;
	struct keep snapshot = { header, snapshot_put, snapshot_get };
	struct counts now, *prev;
	struct table t;
	int64_t then = 0, time;

	/* A kept table's rows begin with time and src; dt is not theirs. */
	snprintf(header, sizeof(header), "time\tsrc\tseen%s", strstr(TOTAL_HEADER, "\tpkts"));
	table_init(&t, sizeof(now));
	keep_load(&snapshot, o.state, &t, &then);
	reading(k, &now);
	time = real_ms();
	prev = table_find(&t, &now.x);
	put_frame(out, time, prev ? (double)(time - then) / 1e3 : 0, &now,
		  !prev ? &now : prev->instance != now.instance ? &zero : prev);
	*(struct counts *)table_get(&t, &now.x) = now;
	keep_save(&snapshot, o.state, &t, time);
	table_free(&t);
}

int main(int argc, char **argv)
{
	struct tsv_out out;
	struct kern *k;
	const char *why;
	int i, err;

	kl_name = "kl-dump-total";
	i = opt_parse(argc, argv, &page);
	if (i < argc)
		die(KL_USAGE, "takes no operand: '%s'", argv[i]);
	if (o.state && (o.every_given || o.count_given))
		die(KL_USAGE, "-s is one tick without waiting: it excludes -i and -n");
	err = kern_open(&k, o.dir, false, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	tsv_out_init(&out, STDOUT_FILENO, "standard output");
	tsv_puts(&out, TOTAL_HEADER "\n");
	tsv_flush(&out);
	if (o.state)
		once(k, &out);
	else
		stream(k, &out);
	tsv_out_close(&out);
	kern_close(k);
	return KL_OK;
}
