/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-dump-total - what all packets together did in the last tick
 *
 * Reads kernloom_totals; writes total frames, each a single star row. With
 * --hist: reads kernloom_hist; writes hist frames, a row a bin.
 * Keeps nothing, or with -s a snapshot in FILE for the next run.
 * Counters are per CPU: a reading is their sum, exact for every packet finished before it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "schema.h"
#include "../lib/base/die.h"
#include "../lib/base/dump.h"
#include "../lib/base/keep.h"
#include "../lib/base/num.h"
#include "../lib/base/slots.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/hist.h"

#define ROW_MAX 2048

static struct dump_opts o = DUMP_DEFAULTS(KL_BPFFS);
static bool by_bin;

static const struct opt opts[] = {
	DUMP_ROWS(o),
	{ "hist", 0, OPT_FLAG, &by_bin, 0, 0, NULL, "histograms of frame lengths and ports instead", 0,
	  false, 0 },
	OPT_END
};

static const struct opt_page page = {
	"[-p DIR] [-i SEC] [-n COUNT] [--hist]\n[-p DIR] -s FILE [--hist]",
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
	X(raw.drop_edge) X(raw.drop_frag) X(raw.drop_other) X(raw.replies) X(raw.flows) X(raw.flows_evicted)
	X(raw.flows_lost) X(raw.conns) X(raw.conns_lost) X(raw.fallen) X(raw.drop_surge) X(raw.surge_came)
#undef X
};
#define NCOLUMNS (sizeof(column) / sizeof(*column))
_Static_assert(NCOLUMNS + 3 == TOTAL_NCOLS, "schemas/total.tsv and column[] differ");

#define WORDS (HIST_BINS * HIST_WORDS)
_Static_assert(NCOLUMNS <= WORDS, "struct dump holds either");

struct dump {
	struct kern *k;
	uint64_t now[WORDS], was[WORDS];	/* counters, at this reading and the one before */
	uint64_t read_ns;			/* when that was */
	struct tsv_out out;
};

static void read_totals(struct dump *d)
{
	struct kern_totals t;
	int err = kern_totals(d->k, &t);
	size_t i;

	if (err)
		die(KL_SYSTEM, "cannot read kernloom_totals: %s", strerror(-err));
	/* Frames that are not IP are frames too. */
	t.all.pkts += t.raw.other + t.raw.malformed;
	t.all.bytes += t.raw.other_bytes;
	t.all.pass += t.raw.other + t.raw.malformed - t.raw.drop_malformed - t.raw.drop_other;
	for (i = 0; i < NCOLUMNS; i++)
		d->now[i] = ((const uint64_t *)&t)[column[i]];
}

static void read_hist(struct dump *d)
{
	int err;

	if (!(kern_cfg(d->k)->features & KL_F_HIST))
		die(KL_NO, "histograms are off in '%s': nothing is counted (kl-set hist on)", o.dir);
	err = hist_read(d->k, (uint64_t(*)[HIST_WORDS])d->now);
	if (err)
		die(KL_SYSTEM, "cannot read kernloom_hist: %s", strerror(-err));
}

static char *put_counts(char *p, const uint64_t *n, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++) {
		*p++ = '\t';
		p = put_u64(p, n[i]);
	}
	return p;
}

/* What came between the two readings. */
static void put_totals(struct dump *d, const char *prefix)
{
	uint64_t n[NCOLUMNS];
	size_t i;

	for (i = 0; i < NCOLUMNS; i++)
		n[i] = d->now[i] - d->was[i];
	d->out.p = put_counts(stpcpy(stpcpy(tsv_room(&d->out, ROW_MAX), prefix), "\t*"), n, NCOLUMNS);
	tsv_puts(&d->out, "\n");
}

static void put_bin(struct tsv_out *out, const char *prefix, size_t bin, const uint64_t *n)
{
	char *p = stpcpy(tsv_room(out, ROW_MAX), prefix);

	if (bin >= KL_HIST_LENS) {
		p = put_counts(put_u64(stpcpy(p, "\t-\tport\t"), bin - KL_HIST_LENS), n, HIST_WORDS);
	} else {
		p = stpcpy(p, "\t-\tlen\t");
		p = bin == KL_HIST_LENS - 1 ? stpcpy(p, "inf") : put_u64(p, 64u << bin);
		p = stpcpy(put_counts(p, n, HIST_DROPS), "\t-");
	}
	*p++ = '\n';
	out->p = p;
}

static void put_hist(struct dump *d, const char *prefix)
{
	uint64_t n[HIST_WORDS], sum[HIST_WORDS] = { 0 };
	size_t bin, i;

	for (bin = 0; bin < HIST_BINS; bin++) {
		for (i = 0; i < HIST_WORDS; i++) {
			n[i] = d->now[bin * HIST_WORDS + i] - d->was[bin * HIST_WORDS + i];
			/* Every frame has a length. */
			sum[i] += i == HIST_DROPS || bin < KL_HIST_LENS ? n[i] : 0;
		}
		if (n[HIST_PKTS])
			put_bin(&d->out, prefix, bin, n);
	}
	d->out.p = stpcpy(stpcpy(tsv_room(&d->out, ROW_MAX), prefix), "\t*\t-\t-");
	d->out.p = put_counts(d->out.p, sum, HIST_WORDS);
	tsv_puts(&d->out, "\n");
}

static void reading(struct dump *d)
{
	const char *why;

	dump_alive(&o, kern_alive(d->k, &why), &why);
	(by_bin ? read_hist : read_totals)(d);
}

static void put_frame(struct dump *d, int64_t time, double dt)
{
	char prefix[2 * PUT_MAX], *p = put_time(prefix, time);

	*p++ = '\t';
	*put_f64(p, dt < 0.001 ? 0.001 : dt, 3) = 0;
	(by_bin ? put_hist : put_totals)(d, prefix);
	tsv_flush(&d->out);
}

static void tick(void *self, bool print)
{
	struct dump *d = self;
	uint64_t then = d->read_ns;

	reading(d);
	d->read_ns = boot_ns();
	if (print)
		put_frame(d, real_ms(), (double)(d->read_ns - then) / 1e9);
	memcpy(d->was, d->now, sizeof(d->was));
}

static size_t words(void)
{
	return by_bin ? HIST_WORDS : NCOLUMNS;
}

static char *snapshot_put(char *p, const void *element)
{
	const uint64_t *n = element;
	size_t i;

	for (i = 0; i < words(); i++)
		if (n[i])
			return put_counts(stpcpy(p, "\t-"), n, words());
	return p;
}

static int snapshot_get(void *element, const char *const cell[], const uint32_t len[], const char **wrong)
{
	uint64_t *n = element;
	size_t i;

	*wrong = "not a whole number";
	for (i = 0; i < words(); i++)
		if (get_u64(cell[i + 1], len[i + 1], &n[i]))
			return (int)i + 1;
	return -1;
}

static void once(struct dump *d)
{
	char header[sizeof(TOTAL_HEADER) + 8];
	struct slots s = { header, words() * sizeof(uint64_t), by_bin ? HIST_BINS : 1, snapshot_put,
			   snapshot_get, 0 };
	uint32_t instance = kern_instance(d->k);
	int64_t then, now;
	bool have;

	snprintf(header, sizeof(header), "time\tslot\tsrc%s", strstr(TOTAL_HEADER, "\tpkts"));
	if (by_bin)
		s.header = HIST_SNAPSHOT_HEADER;
	have = slots_load(&s, o.state, d->was, instance, &then);
	reading(d);
	now = (int64_t)(boot_ns() / 1000000);
	if (!have)
		memcpy(d->was, d->now, sizeof(d->was));
	put_frame(d, real_ms(), have ? kern_since(d->k, then) : 0);
	slots_save(&s, o.state, d->now, instance, now);
}

int main(int argc, char **argv)
{
	static struct dump d;
	const char *why;
	int err;

	kl_name = "kl-dump-total";
	dump_parse(argc, argv, &page, &o);
	err = kern_open(&d.k, o.dir, false, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	reading(&d);	/* refuses before anything is written */
	tsv_out_init(&d.out, STDOUT_FILENO, "standard output");
	tsv_puts(&d.out, by_bin ? HIST_HEADER "\n" : TOTAL_HEADER "\n");
	tsv_flush(&d.out);
	if (o.state)
		once(&d);
	else
		dump_stream(&o, tick, &d);
	tsv_out_close(&d.out);
	kern_close(d.k);
	return KL_OK;
}
