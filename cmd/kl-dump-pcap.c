/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-dump-pcap: captures in, src or flow frames out, as the packet path would have counted.
 *
 * Reads libpcap and pcapng files, one after the other; writes a frame for each tick, rows in the
 * order in which sources came. Keeps the sources and ports of the tick under way, no packet.
 *
 * Frames are parsed by the very code the kernel program is compiled from. The clock
 * is the capture's: ticks begin with its first packet, whatever that is.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include "../bpf/parse.bpf.h"
#include "../lib/base/die.h"
#include "../lib/base/ether.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/ranges.h"
#include "../lib/base/tsv.h"
#include "../lib/core/tally_text.h"
#include "../lib/core/ticks.h"
#include "schema.h"

#define MS	     INT64_C(1000000)	/* ns */
#define SECOND	     (1000 * MS)
#define TIME_MAX     INT64_C(9000000000)	/* s: as ns below 2^63 */
#define PACKET_MAX   (1 << 18)	/* all that libpcap hands out of these link types */

enum { DIR_IN, DIR_OUT, DIR_AUTO };
static const char *const dirs[] = { "in", "out", "auto", NULL };
enum { SRC6_64, SRC6_128 };
static const char *const lengths[] = { "64", "128", NULL };

static struct {
	double every;
	int64_t gap;
	bool whole, flows, every_given, gap_given;
	int dir, src6;
	const char *local;
} o = { .every = 1, .gap = 3600000, .dir = DIR_AUTO, .src6 = SRC6_128 };

#define FLAG(name, to, help) { name, 0, OPT_FLAG, &o.to, 0, 0, 0, help, 0, false, 0 }
#define WORD(name, to, arg, words, help) { name, 0, OPT_WORD, &o.to, 0, 0, arg, help, words, false, 0 }
static const struct opt opts[] = {
	{ "interval", 'i', OPT_F64, &o.every, 0.001, 86400, "SEC", "length of a tick; when not given 1", 0,
	  false, &o.every_given },
	{ "gap", 0, OPT_DUR, &o.gap, 0, 0, "DUR",
	  "leave out longer times without packets; 0: none; when not given 1h", 0, false, &o.gap_given },
	FLAG("whole", whole, "one frame for all: a single tick"),
	FLAG("flows", flows, "flow frames instead of src frames"),
	WORD("dir", dir, "in|out|auto", dirs, "direction of flows; auto: by --local"),
	{ "local", 0, OPT_STR, &o.local, 0, 0, "PREFIX",
	  "what this side sends is out; several: commas between", 0, false, 0 },
	WORD("src6-prefix", src6, "64|128", lengths, "what of an IPv6 address is a source"),
	OPT_END
};

static const struct opt_page page = {
	"[-i SEC] [--gap DUR] [--whole] [--src6-prefix 64|128] [FILE ...]\n"
	"--flows [-i SEC] [--gap DUR] [--whole] [--dir in|out|auto]\n [--local PREFIX] [FILE ...]",
	"Count a capture as the packet path would have.", opts
};

struct dump {
	struct tally tally;
	struct ticks ticks;
	struct ranges local;
	struct tsv_out out;
	char file[PACKET_MAX];		/* what was read ahead of it */
	uint8_t frame[ETHER_HEAD + PACKET_MAX];
};

static void packet(struct dump *d, const struct ether_link *l, const struct pcap_pkthdr *h, const uint8_t *p)
{
	size_t head = ether_head(l), n = h->caplen < h->len ? h->caplen : h->len;
	struct pkt k = { .len = (h->len > head ? h->len - (uint32_t)head : 0) + ETHER_HEAD };
	struct tally_packet t;
	const uint8_t *ip;

	if (n > PACKET_MAX)
		n = PACKET_MAX;
	p = ether_frame(l, p, &n, d->frame);
	if (parse(&k, p, p + n) != FRAME_IP)
		return;
	t = (struct tally_packet){ .src.len = 128, .len = k.len, .port = k.dport, .ported = k.ports,
				   .proto = k.proto, .flags = k.flags, .answer = is_answer(&k) };
	memcpy(t.src.a, &k.hi, 8);
	memcpy(t.src.a + 8, &k.lo, 8);
	t.out = o.flows && (o.dir == DIR_AUTO ? ranges_meet(&d->local, &t.src) : o.dir == DIR_OUT);
	if (t.out) {		/* the other side: behind the source, in both headers */
		ip = p + k.l3;
		if (k.family == 4)
			memcpy(t.src.a + 12, ip + 16, 4);
		else
			memcpy(t.src.a, ip + 24, 16);
	} else if (k.family == 6 && o.src6 == SRC6_64) {
		t.src.len = 64;
		prefix_mask(&t.src);
	}
	tally_add(&d->tally, &t);
}

static void frame(struct dump *d, int64_t end, int64_t length)
{
	const struct tally *t = &d->tally;
	size_t i, n = o.flows ? t->flows.n : t->srcs.n, stamp;
	char text[3 * PUT_MAX], *p = put_time(text, end / MS);

	*p++ = '\t';
	p = put_f64(p, (double)length / SECOND, 3);
	*p++ = '\t';
	stamp = (size_t)(p - text);
	for (i = 0; i <= n; i++) {
		p = mempcpy(tsv_room(&d->out, sizeof(text) + TALLY_TEXT), text, stamp);
		if (o.flows)
			d->out.p = tally_flow_put(p, t, i < n ? table_at(&t->flows, i) : NULL);
		else
			d->out.p = tally_src_put(p, t, i < n ? table_at(&t->srcs, i) : NULL);
	}
	tsv_flush(&d->out);
	tally_clear(&d->tally);
}

static int unreadable(const char *name)
{
	warn("cannot read '%s': %s", name, strerror(errno));
	return KL_SYSTEM;
}

/* Counts what is left of a capture; its status. */
static int packets(struct dump *d, pcap_t *cap, const char *name)
{
	int got, type = pcap_datalink(cap);
	const struct ether_link *link = ether_link(type);
	const char *why = pcap_datalink_val_to_name(type);
	struct pcap_pkthdr *h;
	const uint8_t *p;
	uint64_t n = 0;
	int64_t t, end;

	if (!link) {
		warn("%s: link type %d (%s) is not understood", name, type, why ? why : "unknown");
		return KL_INPUT;
	}
	while ((got = pcap_next_ex(cap, &h, &p)) == 1) {
		n++;
		t = h->ts.tv_sec;
		if (t < 0 || t > TIME_MAX || h->ts.tv_usec < 0 || h->ts.tv_usec >= SECOND) {
			warn("%s: packet %" PRIu64 ": its time is none", name, n);
			return KL_INPUT;
		}
		t = t * SECOND + h->ts.tv_usec;		/* nanoseconds, as was asked for */
		ticks_event(&d->ticks, t);
		while (!o.whole && ticks_over(&d->ticks, t, &end))
			frame(d, end, d->ticks.every);
		packet(d, link, h, p);
	}
	if (got == PCAP_ERROR_BREAK)
		return KL_OK;
	if (ferror(pcap_file(cap)))
		return unreadable(name);
	warn("%s: packet %" PRIu64 ": %s", name, n + 1, pcap_geterr(cap));
	return KL_INPUT;
}

static int capture(struct dump *d, const char *path)
{
	const char *name = strcmp(path, "-") ? path : "stdin";
	FILE *f = name == path ? fopen(path, "rb") : stdin;
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *cap = NULL;
	int st;

	if (f) {
		setvbuf(f, d->file, _IOFBF, sizeof(d->file));
		cap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	}
	if (!f || (!cap && ferror(f)))
		return unreadable(name);
	if (!cap) {
		warn("%s: %s", name, why);
		return KL_INPUT;
	}
	st = packets(d, cap, name);
	pcap_close(cap);
	return st;
}

static void check(void)
{
	if (o.whole && (o.every_given || o.gap_given))
		die(KL_USAGE, "--whole is one tick: it excludes -i and --gap");
	if (o.flows && o.src6 == SRC6_64)
		die(KL_USAGE, "flows are told by whole addresses: --flows excludes --src6-prefix");
	if (!o.flows && (o.local || o.dir != DIR_AUTO))
		die(KL_USAGE, "--dir and --local are for --flows");
	if (o.local && o.dir != DIR_AUTO)
		die(KL_USAGE, "--dir %s is said of all packets: it excludes --local", dirs[o.dir]);
}

static void finish(struct dump *d, int st)
{
	const struct ticks *k = &d->ticks;

	/* Of a broken capture the tick under way is not known whole. */
	if (!st && k->begun && o.whole)
		frame(d, k->first + ticks_span(k), ticks_span(k));
	else if (!st && k->begun)
		frame(d, k->end, k->every);
	if (k->late && !o.whole)
		warn("packets more than a tick behind the latest, counted in the tick under way: %" PRIu64,
		     k->late);
	if (k->gaps)
		warn("times without packets left out (--gap): %" PRIu64 ", of %" PRId64 " s in all", k->gaps,
		     k->skipped / SECOND);
}

int main(int argc, char **argv)
{
	static struct dump d;
	const char *bad;
	int i, st;

	kl_name = "kl-dump-pcap";
	i = opt_parse(argc, argv, &page);
	check();
	bad = o.local ? ranges_add_list(&d.local, o.local) : NULL;
	if (bad)
		die(KL_USAGE, "bad value '%s' for --local: addresses and prefixes, commas between", bad);
	ranges_seal(&d.local);
	d.ticks.every = llround(o.every * 1000) * MS;
	d.ticks.gap = o.gap * MS;
	tally_init(&d.tally, o.flows);
	tsv_out_init(&d.out, STDOUT_FILENO, "stdout");
	tsv_puts(&d.out, o.flows ? FLOW_HEADER "\n" : SRC_HEADER "\n");
	tsv_flush(&d.out);
	do
		st = capture(&d, i < argc ? argv[i] : "-");
	while (!st && ++i < argc);
	finish(&d, st);
	tsv_out_close(&d.out);
	tally_free(&d.tally);
	ranges_free(&d.local);
	return st;
}
