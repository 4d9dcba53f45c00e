/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-events - dropped packets and scans, one by one, as the packet path tells of them
 *
 * Reads kernloom_events, the ring into which one dropped packet in
 * kl_cfg.sample is put, and who comes to many ports; writes event frames, one a second.
 * Keeps nothing but what the kernel keeps: the ring holds what was told while
 * nobody read, until it is full. Lost events are counted by the kernel, so
 * that the star row says what the rows above it leave out.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "schema.h"
#include "../lib/base/die.h"
#include "../lib/base/edge.h"
#include "../lib/base/num.h"
#include "../lib/base/opt.h"
#include "../lib/base/tsv.h"
#include "../lib/kern/event.h"

#define STEP_NS  50000000	/* from one look into the ring to the next */
#define FRAME_NS 1000000000u
#define ROW_MAX  512

static struct {
	const char *dir;
	uint64_t count;
} o = { .dir = KL_BPFFS };

static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, false, 0 },
	{ "count", 'n', OPT_U64, &o.count, 0, 0, "COUNT", "frames to print, one a second; 0: for ever", 0,
	  false, 0 },
	OPT_END
};

static const struct opt_page page = { "[-p DIR] [-n COUNT]", "dropped packets and scans, one by one", opts };

static const char *const reasons[] = {
	[KL_DROP_ALLOW] = "drop_allow", [KL_DROP_DENY] = "drop_deny", [KL_DROP_RL] = "drop_rl",
	[KL_EVENT_EDGE] = "edge",	 [KL_EVENT_SCAN] = "scan",
};

struct sums {
	uint64_t len, aux, events;
};

static char *put_word(char *p, const char *word)
{
	*p++ = '\t';
	return stpcpy(p, word);
}

static char *put_count(char *p, uint64_t v)
{
	*p++ = '\t';
	return put_u64(p, v);
}

/* time: the frame's; boot: that moment by the clock of events. */
static void put_row(struct tsv_out *out, const struct kl_event *e, int64_t time, uint64_t boot)
{
	int64_t at = time - ((int64_t)(boot - e->time) + 500000) / 1000000;
	struct prefix x = { .len = 128 };
	char *p = put_time(tsv_room(out, ROW_MAX), time);

	memcpy(x.a, e->src, sizeof(x.a));
	*p++ = '\t';
	p = prefix_put(p, &x);
	*p++ = '\t';
	p = put_time(p, at);
	p = put_word(p, reasons[e->reason]);
	*p++ = '\t';
	p = proto_put(p, &x, e->proto);
	p = put_count(put_count(put_count(p, e->port), e->len), e->aux);
	out->p = stpcpy(p, "\t1\t0\n");
}

static void put_star(struct tsv_out *out, int64_t time, const struct sums *s, uint64_t lost)
{
	char *p = put_time(tsv_room(out, ROW_MAX), time);

	p = stpcpy(p, "\t*\t-\t-\t-\t-");
	p = put_count(put_count(put_count(put_count(p, s->len), s->aux), s->events), lost);
	*p++ = '\n';
	out->p = p;
	tsv_flush(out);
}

static uint64_t lost_so_far(struct kern *k)
{
	const char *why;
	struct kern_totals t;
	int err = kern_alive(k, &why);

	if (err)
		die(KL_SYSTEM, "lost '%s': %s: %s", o.dir, why, strerror(-err));
	err = kern_totals(k, &t);
	if (err)
		die(KL_SYSTEM, "cannot read kernloom_totals: %s", strerror(-err));
	return t.raw.events_lost;
}

/* What came since the frame before, and how much more was lost. */
static void put_frame(struct tsv_out *out, struct events *v, uint64_t lost)
{
	int64_t time = real_ms();
	uint64_t boot = boot_ns();
	struct sums s = { 0 };
	size_t i;

	for (i = 0; i < v->n; i++) {
		if (v->e[i].reason >= sizeof(reasons) / sizeof(*reasons) || !reasons[v->e[i].reason])
			die(KL_SYSTEM, "kernloom_events: an event without a reason: %u", v->e[i].reason);
		put_row(out, &v->e[i], time, boot);
		s.len += v->e[i].len;
		s.aux += v->e[i].aux;
	}
	s.events = v->n;
	put_star(out, time, &s, lost);
	v->n = 0;
}

static void look(struct events *v)
{
	int err = events_read(v);

	if (err == -EBUSY)
		die(KL_SYSTEM, "another kl-events reads them: it took over while this one stood still");
	if (err)
		die(KL_SYSTEM, "cannot read kernloom_events: %s", strerror(-err));
}

/* Until told to end by one of `ending`, which are held back otherwise: then the frame under way
 * ends there and then, whole. */
static void stream(struct kern *k, struct events *v, struct tsv_out *out, const sigset_t *ending)
{
	uint64_t lost = lost_so_far(k), now_lost, n, next = boot_ns();
	const struct timespec step = { .tv_nsec = STEP_NS };
	bool told = false;

	for (n = 0; !told && (!o.count || n < o.count); n++) {
		next += FRAME_NS;
		do {
			told = sigtimedwait(ending, NULL, &step) > 0;
			look(v);
		} while (!told && boot_ns() < next);
		now_lost = lost_so_far(k);
		put_frame(out, v, now_lost - lost);
		lost = now_lost;
		if (boot_ns() > next + FRAME_NS)
			next = boot_ns();	/* stood still: what was missed is not made up for */
	}
}

int main(int argc, char **argv)
{
	struct events v;
	struct tsv_out out;
	sigset_t ending;
	struct kern *k;
	const char *why;
	int i, err;

	kl_name = "kl-events";
	i = opt_parse(argc, argv, &page);
	if (i < argc)
		die(KL_USAGE, "takes no operand: '%s'", argv[i]);
	err = kern_open(&k, o.dir, true, &why);
	if (err)
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	err = events_open(&v, k);
	if (err == -EBUSY)
		die(KL_SYSTEM, "another kl-events reads the events of '%s'", o.dir);
	if (err)
		die(KL_SYSTEM, "cannot open kernloom_events: %s", strerror(-err));
	sigprocmask(SIG_BLOCK, &ending, NULL);
	tsv_out_init(&out, STDOUT_FILENO, "standard output");
	tsv_puts(&out, EVENT_HEADER "\n");
	tsv_flush(&out);
	stream(k, &v, &out, &ending);
	events_close(&v);
	tsv_out_close(&out);
	kern_close(k);
	return KL_OK;
}
