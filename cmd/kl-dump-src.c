/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-dump-src - what every source did in the last tick
 *
 * Reads the counting tables by mmap, without a system call a source; writes
 * src frames, one row for each source that sent something.
 * Keeps nothing, or with -s a snapshot in FILE for the next run.
 * Rows come in table order, the same from tick to tick, which is what makes
 * the filters behind fast. The star row is the totals, of who had no record too.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "schema.h"
#include "../lib/base/die.h"
#include "../lib/base/dump.h"
#include "../lib/base/keep.h"
#include "../lib/base/num.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/src.h"

static struct dump_opts o = DUMP_DEFAULTS(KL_BPFFS);

static const struct opt opts[] = { DUMP_ROWS(o), OPT_END };

static const struct opt_page page = {
	"[-p DIR] [-i SEC] [-n COUNT]\n[-p DIR] -s FILE", "what every source did in the last tick", opts
};

struct dump {
	struct kern *k;
	struct src_walk walk;
	struct src_raw *slot;	/* by slot: every record as it was at the last reading */
	struct src_raw all;	/* the totals, at the last reading */
	uint64_t read_ns;	/* when that was */
	struct tsv_out out;
	char prefix[64];	/* "time TAB dt TAB" of the frame */
	size_t prefix_len;
};

static char *cell(char *p, uint64_t v)
{
	*p++ = '\t';
	if (v < 10) {		/* most are */
		*p++ = (char)('0' + v);
		return p;
	}
	return put_u64(p, v);
}

/* Everything behind src. ports NULL: "-". */
static char *cells(char *p, const struct src_delta *d, const uint32_t *ports)
{
	p = cell(cell(cell(cell(p, d->pkts), d->bytes), d->tcp), d->udp);
	p = cell(cell(cell(cell(p, d->icmp), d->syn), d->ack), d->rst);
	if (ports)
		p = cell(p, *ports);
	else
		p = mempcpy(p, "\t-", 2);
	p = cell(cell(cell(p, d->drop_allow), d->drop_deny), d->drop_rl);
	if (ports)
		p = cell(p, d->answers);
	else
		p = mempcpy(p, "\t-", 2);
	p = cell(p, d->fresh);
	*p++ = '\n';
	return p;
}

static void put_row(struct dump *d, const struct src_raw *now, const struct src_raw *prev)
{
	struct src_delta delta;
	char *p;

	src_diff(now, prev, &delta);
	if (!delta.pkts)
		return;
	p = mempcpy(tsv_room(&d->out, 512), d->prefix, d->prefix_len);
	d->out.p = cells(prefix_put(p, &now->x), &delta, &now->ports);
}

/* Reads the clocks: of the frame's time, and of its dt when that is not given. */
static void begin(struct dump *d, double dt)
{
	uint64_t now = boot_ns();
	char *p = put_time(d->prefix, real_ms());

	if (dt < 0)
		dt = (double)(now - d->read_ns) / 1e9;
	d->read_ns = now;
	*p++ = '\t';
	p = put_f64(p, dt < 0.001 ? 0.001 : dt, 3);
	*p++ = '\t';
	d->prefix_len = (size_t)(p - d->prefix);
	src_rewind(&d->walk, d->k);
}

/* The star row, from the totals: with what had no record, or one that was given away since prev. */
static void end(struct dump *d, const struct src_raw *prev, bool print)
{
	struct kern_totals t;
	struct src_raw now;
	struct src_delta delta = { 0 };
	int err = kern_totals(d->k, &t);
	char *p;

	if (err)
		die(KL_SYSTEM, "cannot read kernloom_totals: %s", strerror(-err));
	src_of_totals(&t, &now);
	now.seen_j = kern_instance(d->k);
	if (prev)
		src_diff_totals(&now, prev, &delta);
	d->all = now;
	if (!print)
		return;
	p = mempcpy(tsv_room(&d->out, 512), d->prefix, d->prefix_len);
	*p++ = '*';
	d->out.p = cells(p, &delta, NULL);
	tsv_flush(&d->out);
}

/* Reads every record; prints what changed when print. */
static void tick(void *self, bool print)
{
	struct dump *d = self;
	struct src_raw now;
	const char *why;
	size_t slot;

	dump_alive(&o, kern_alive(d->k, &why), &why);
	begin(d, -1);
	while (src_next(&d->walk, d->slot, &now, &slot)) {
		if (print)
			put_row(d, &now, &d->slot[slot]);
		d->slot[slot] = now;
	}
	end(d, &d->all, print);
	src_tick(d->k, (uint64_t)(o.every * 1e9));
}

static void stream(struct dump *d)
{
	size_t size = src_slots(&d->walk) * sizeof(*d->slot);
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (m == MAP_FAILED)
		die(KL_SYSTEM, "out of memory");
	madvise(m, size, MADV_HUGEPAGE);	/* a wish: a page fault for 23,000 records, not for 46 */
	d->slot = m;
	dump_stream(&o, tick, d);
}

static char *snapshot_put(char *p, const void *entry)
{
	const struct src_raw *r = entry;

	p = cell(cell(cell(cell(p, r->seen_j), r->ports), r->pkts), r->bytes);
	p = cell(cell(cell(cell(p, r->syn), r->udp), r->icmp), r->other);
	p = cell(cell(cell(cell(cell(p, r->odd), r->rst), r->drop_allow), r->drop_deny), r->drop_rl);
	return cell(cell(cell(cell(p, r->answers), r->made), r->untracked), r->drop_surge);
}

static int snapshot_get(void *entry, const char *const c[], const uint32_t len[], const char **want)
{
	struct src_raw *r = entry;
	uint32_t *to[] = { &r->seen_j, &r->ports, NULL, NULL, &r->syn, &r->udp, &r->icmp,
			   &r->other, &r->odd, &r->rst, &r->drop_allow, &r->drop_deny, &r->drop_rl,
			   &r->answers, &r->made, &r->untracked, &r->drop_surge };
	int i;

	*want = "a whole number";
	for (i = 0; i < (int)(sizeof(to) / sizeof(*to)); i++)
		if (to[i] ? get_u32(c[i], len[i], to[i]) :
			    get_u64(c[i], len[i], i == 2 ? &r->pkts : &r->bytes))
			return i;
	return -1;
}

static void once(struct dump *d)
{
	static const struct keep snapshot = { SNAPSHOT_HEADER, snapshot_put, snapshot_get };
	struct src_raw now, *r;
	struct prefix key;	/* whole: src6-prefix may have changed meanwhile */
	struct table was, is;
	int64_t then;
	size_t slot;
	bool have;

	table_init(&was, sizeof(now));
	table_init(&is, sizeof(now));
	have = keep_load(&snapshot, o.state, &was, &then);
	r = have ? table_find(&was, &d->all.x) : NULL;
	if (!r || r->seen_j != kern_instance(d->k))
		then = KERN_OTHER;
	begin(d, have ? kern_since(d->k, then) : 0);
	while (src_next(&d->walk, NULL, &now, &slot)) {
		key = now.x;
		key.len = 128;
		if (have)
			put_row(d, &now, table_find(&was, &key));
		r = table_get(&is, &key);
		*r = now;
		r->x = key;
	}
	end(d, table_find(&was, &d->all.x), true);
	*(struct src_raw *)table_get(&is, &d->all.x) = d->all;
	src_tick(d->k, 0);
	keep_save(&snapshot, o.state, &is, (int64_t)(d->read_ns / 1000000), DISK_NOW);
	table_free(&was);
	table_free(&is);
}

int main(int argc, char **argv)
{
	struct dump d = { 0 };
	const char *why;
	int err;

	kl_name = "kl-dump-src";
	dump_parse(argc, argv, &page, &o);
	err = kern_open(&d.k, o.dir, true, &why);
	if (!err)
		err = src_open(&d.walk, d.k);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	tsv_out_init(&d.out, STDOUT_FILENO, "standard output");
	tsv_puts(&d.out, SRC_HEADER "\n");
	tsv_flush(&d.out);
	(o.state ? once : stream)(&d);
	tsv_out_close(&d.out);
	kern_close(d.k);
	return KL_OK;
}
