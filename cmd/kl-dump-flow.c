/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-dump-flow - what went over every edge in the last tick
 *
 * Reads the flow tables by mmap, without a system call a flow; writes flow
 * frames, one row for each edge that had packets: who, to or from which port,
 * by which protocol, in or out. Keeps nothing, or with -s a snapshot in FILE.
 * Rows come in table order, the same from tick to tick. A reader leaves no
 * trace in the tables: any number of them may read at once.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "schema.h"
#include "../lib/base/die.h"
#include "../lib/base/dump.h"
#include "../lib/base/edge.h"
#include "../lib/base/num.h"
#include "../lib/base/slots.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/flow.h"

#define ROW_MAX 512

enum { IN, OUT, BOTH };
static const char *const dirs[] = { [IN] = "in", [OUT] = "out", [BOTH] = "both", NULL };

static struct dump_opts o = DUMP_DEFAULTS(KL_BPFFS);
static int dir = BOTH;

static const struct opt opts[] = {
	DUMP_ROWS(o),
	{ "dir", 0, OPT_WORD, &dir, 0, 0, "WHICH", "edges to see: in, out, both", dirs, false, 0 },
	OPT_END
};

static const struct opt_page page = {
	"[-p DIR] [-i SEC] [-n COUNT] [--dir in|out|both]\n[-p DIR] -s FILE [--dir in|out|both]",
	"what went over every edge in the last tick", opts
};

struct dump {
	struct kern *k;
	struct flow_walk walk;
	struct flow_raw *slot;	/* by slot: every record as it was when it last had packets */
	uint64_t read_ns;	/* of the last reading */
	struct flow_delta sum;	/* of the frame's rows */
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

static int dir_of(const struct flow_raw *r)
{
	return flow_out(r->id) ? OUT : IN;
}

/* "dir TAB src TAB port TAB proto" */
static char *put_edge(char *p, const struct flow_raw *r)
{
	p = stpcpy(p, dirs[dir_of(r)]);
	*p++ = '\t';
	p = cell(prefix_put(p, &r->x), flow_port(r->id));
	*p++ = '\t';
	return proto_put(p, &r->x, flow_proto(r->id));
}

static char *put_counts(char *p, const struct flow_delta *d)
{
	p = cell(cell(cell(cell(cell(p, d->pkts), d->bytes), d->syn), d->drops), d->est);
	*p++ = '\n';
	return p;
}

static void put_row(struct dump *d, const struct flow_raw *r, const struct flow_delta *delta)
{
	char *p = mempcpy(tsv_room(&d->out, ROW_MAX), d->prefix, d->prefix_len);

	d->out.p = put_counts(put_edge(p, r), delta);
	flow_add(&d->sum, delta);
}

static void begin(struct dump *d, int64_t time, double dt)
{
	char *p = put_time(d->prefix, time);

	if (!(kern_cfg(d->k)->features & (KL_F_FLOWS | KL_F_EDGE)))
		die(KL_NO, "flows and edge-mode are off in '%s': nothing is counted (kl-set flows on)",
		    o.dir);
	*p++ = '\t';
	p = put_f64(p, dt < 0.001 ? 0.001 : dt, 3);
	*p++ = '\t';
	d->prefix_len = (size_t)(p - d->prefix);
	d->sum = (struct flow_delta){ 0 };
	flow_rewind(&d->walk);
}

/* Every record that had packets since it is in slot[] goes there; is printed, when print. */
static void rows(struct dump *d, bool print)
{
	struct flow_raw now;
	struct flow_delta delta;
	size_t slot;

	while (flow_next(&d->walk, d->slot, &now, &slot)) {
		flow_diff(&now, &d->slot[slot], &delta);
		if (!delta.pkts)
			continue;
		if (print && (dir == BOTH || dir == dir_of(&now)))
			put_row(d, &now, &delta);
		d->slot[slot] = now;
	}
}

static void end(struct dump *d)
{
	char *p = mempcpy(tsv_room(&d->out, ROW_MAX), d->prefix, d->prefix_len);

	d->out.p = put_counts(stpcpy(p, "-\t*\t-\t-"), &d->sum);
	tsv_flush(&d->out);
}

static void tick(void *self, bool print)
{
	struct dump *d = self;
	uint64_t now = boot_ns();
	const char *why;

	dump_alive(&o, kern_alive(d->k, &why), &why);
	begin(d, real_ms(), (double)(now - d->read_ns) / 1e9);
	d->read_ns = now;
	rows(d, print);
	if (print)
		end(d);
}

static char *snapshot_put(char *p, const void *element)
{
	const struct flow_raw *r = element;

	if (!r->x.len)
		return p;
	*p++ = '\t';
	p = cell(put_edge(p, r), r->seen_j);
	return cell(cell(cell(cell(cell(p, r->pkts), r->bytes), r->syn), r->drops), r->est);
}

static int snapshot_get(void *element, const char *const c[], const uint32_t len[], const char **wrong)
{
	struct flow_raw *r = element;
	uint32_t *to[] = { &r->seen_j, NULL, NULL, &r->syn, &r->drops, &r->est }, port;
	bool out = len[0] == 3 && !memcmp(c[0], "out", 3);
	uint8_t proto;
	int i;

	*wrong = "not in or out";
	if (!out && (len[0] != 2 || memcmp(c[0], "in", 2)))
		return 0;
	*wrong = "not an address";
	if (prefix_get(c[1], len[1], &r->x) || r->x.len != 128)
		return 1;
	*wrong = "not 0 to 65535";
	if (get_u32(c[2], len[2], &port) || port > UINT16_MAX)
		return 2;
	*wrong = "not a protocol";
	if (proto_get(c[3], len[3], &r->x, &proto))
		return 3;
	r->id = (out ? KL_FLOW_OUT : 0) | (uint32_t)proto << 16 | port;
	*wrong = "not a whole number";
	for (i = 0; i < (int)(sizeof(to) / sizeof(*to)); i++)
		if (to[i] ? get_u32(c[4 + i], len[4 + i], to[i]) :
			    get_u64(c[4 + i], len[4 + i], i == 1 ? &r->pkts : &r->bytes))
			return 4 + i;
	return -1;
}

/* From the snapshot to now; the first time nothing is printed but the star row. */
static void once(struct dump *d)
{
	const struct slots s = { FLOW_SNAPSHOT_HEADER, sizeof(*d->slot), flow_slots(&d->walk), snapshot_put,
				 snapshot_get, 1 };
	uint32_t instance = kern_instance(d->k);
	int64_t then, now;
	bool have = slots_load(&s, o.state, d->slot, instance, &then);

	now = (int64_t)(boot_ns() / 1000000);
	begin(d, real_ms(), have ? kern_since(d->k, then) : 0);
	rows(d, have);
	end(d);
	slots_save(&s, o.state, d->slot, instance, now);
}

/* Zeroed room for every record, of which only what is used takes memory. */
static struct flow_raw *room_for(size_t n)
{
	size_t size = n * sizeof(struct flow_raw);
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		       0);

	if (m == MAP_FAILED)
		die(KL_SYSTEM, "out of memory");
	madvise(m, size, MADV_HUGEPAGE);	/* a wish: fewer page faults */
	return m;
}

int main(int argc, char **argv)
{
	struct dump d = { 0 };
	const char *why;
	int err;

	kl_name = "kl-dump-flow";
	dump_parse(argc, argv, &page, &o);
	err = kern_open(&d.k, o.dir, false, &why);
	if (!err)
		err = flow_open(&d.walk, d.k);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	begin(&d, 0, 0);	/* refuses before anything is written */
	d.slot = room_for(flow_slots(&d.walk));
	tsv_out_init(&d.out, STDOUT_FILENO, "standard output");
	tsv_puts(&d.out, FLOW_HEADER "\n");
	tsv_flush(&d.out);
	if (o.state)
		once(&d);
	else
		dump_stream(&o, tick, &d);
	tsv_out_close(&d.out);
	kern_close(d.k);
	return KL_OK;
}
