/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-recall: tells the stages in front of kl-fsm which level each source has.
 *
 * Reads:  src frames from FILE or stdin; level frames, as kl-fsm at the pipe's
 *         other end writes them, from a FIFO.
 * Writes: the rows as they came, with the column level.
 * Keeps:  the sources above OBSERVE, 18 bytes each and their index.
 *
 * A frame is held back until the level frame of the one before came: the same at any speed.
 * The FIFO is read whenever something is in it: who writes to it must not wait here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "../lib/base/die.h"
#include "../lib/base/echo.h"
#include "../lib/base/keep.h"
#include "../lib/base/opt.h"
#include "../lib/core/level.h"
#include "schema.h"

static struct {
	const char *levels, *state;
	int64_t wait;
} o = { .wait = 5000 };

static const struct opt opts[] = {
	{ "levels", 0, OPT_STR, &o.levels, 0, 0, "FIFO", "level frames come back through FIFO", 0, false, 0 },
	{ "state", 0, OPT_STR, &o.state, 0, 0, "FILE", "levels of the first frame, kl-fsm's state", 0, 0, 0 },
	{ "wait", 0, OPT_DUR, &o.wait, 0, 0, "DUR", "for how long a frame is held back", 0, false, 0 },
	OPT_END
};

static const struct opt_page page = {
	.synopsis = "[--levels FIFO] [--state FILE] [--wait DUR] [FILE]",
	.purpose = "tell the stages of a tick which level each source has",
	.opts = opts,
};

struct held {
	struct prefix x;
	uint8_t level;		/* above OBSERVE */
};

struct kl {
	struct tsv_out out;
	struct table now, next;		/* struct held; of the level frame under way */
	struct echo back;
	int src, back_src, level;	/* columns */
	bool begun;			/* the frame under way was looked at */
	bool sent, answered;		/* a whole frame went out; its level frame came */
	bool lost;			/* levels are not waited for any more */
	bool known;			/* those of the frame under way are */
	int64_t last;			/* time of the frame that went out last */
};

/* ---- what comes back ---- */

static void back_row(void *self, const struct tsv_row *r)
{
	struct kl *k = self;
	struct prefix x;
	uint32_t n;
	const char *s = tsv_cell(r, k->back_src, &n);
	int level;

	if (prefix_get(s, n, &x))
		return tsv_bad(r, k->back_src, "not an address or prefix");
	s = tsv_cell(r, k->level, &n);
	level = level_get(s, n);
	if (level < 0)
		return tsv_bad(r, k->level, "not OBSERVE, RATE_SOFT, RATE_HARD or BLOCK");
	if (level != LEVEL_OBSERVE)
		((struct held *)table_get(&k->next, &x))->level = (uint8_t)level;
}

static void back_frame(void *self, const struct tsv_row *star)
{
	struct kl *k = self;
	struct table t = k->now;

	k->now = k->next;
	k->next = t;
	table_clear(&k->next);
	if (k->sent && star->time == k->last)
		k->answered = true;
}

static void back_cut(void *self)
{
	table_clear(&((struct kl *)self)->next);
}

/* ---- frames ---- */

static void begin(struct kl *k)
{
	k->begun = true;
	if (!k->sent)
		return;
	k->known = o.levels && echo_until(&k->back, k->lost ? 0 : o.wait, &k->answered);
	if (!k->known && !k->lost && o.levels)
		warn("%s: no level frame %lld.%03d: levels are not known", o.levels,
		     (long long)k->last / 1000, (int)(k->last % 1000));
	k->lost = !k->known;
}

static void put(struct kl *k, const struct tsv_row *r, const char *level)
{
	char *p;

	tsv_put(&k->out, r->line, r->len);
	p = tsv_room(&k->out, 16);
	*p++ = '\t';
	p = stpcpy(p, level);
	*p++ = '\n';
	k->out.p = p;
}

static void row(void *self, const struct tsv_row *r)
{
	struct kl *k = self;
	const struct held *h;
	struct prefix x;
	uint32_t n;
	const char *s = tsv_cell(r, k->src, &n);

	if (!k->begun)
		begin(k);
	if (prefix_get(s, n, &x))
		return tsv_bad(r, k->src, "not an address or prefix");
	h = k->known ? table_find(&k->now, &x) : NULL;
	put(k, r, k->known ? level_name[h ? h->level : LEVEL_OBSERVE] : "-");
}

static void frame(void *self, const struct tsv_row *star)
{
	struct kl *k = self;

	if (!k->begun)
		begin(k);
	put(k, star, "-");
	k->last = star->time;
	k->sent = true;
	k->answered = k->begun = false;
	tsv_flush(&k->out);
}

static void cut(void *self)
{
	((struct kl *)self)->begun = false;
}

static void header(void *self, const char *line, size_t n)
{
	tsv_put(&((struct kl *)self)->out, line, n);
	tsv_puts(&((struct kl *)self)->out, RECALL_ADDS_HEADER "\n");
}

/* ---- the levels of a run before ---- */

static int state_get(void *entry, const char *const cell[], const uint32_t len[], const char **want)
{
	int level = level_get(cell[0], len[0]);

	*want = "not OBSERVE, RATE_SOFT, RATE_HARD or BLOCK";
	((struct held *)entry)->level = level < 0 ? 0 : (uint8_t)level;
	return level < 0 ? 0 : -1;
}

static int at_rest(void *entry, void *arg)
{
	(void)arg;
	return ((struct held *)entry)->level == LEVEL_OBSERVE;
}

static void load(struct kl *k)
{
	static const struct keep cells = { "time\tsrc\tlevel", NULL, state_get };
	struct keeper file;
	int64_t time;

	keeper_load(&file, &cells, o.state, &k->now, &time);
	table_sweep(&k->now, at_rest, NULL);
}

/* Reads both inputs until the one of rows ends. */
static int pump(struct kl *k, const char *name, const struct tsv_ops *ops)
{
	struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	struct tsv_in *in;
	int got = 1;

	if (name)
		p[0].fd = open(name, O_RDONLY | O_CLOEXEC);
	if (p[0].fd < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", name, strerror(errno));
	in = tsv_open(name, p[0].fd, ops, k);
	while (got) {
		p[1].fd = o.levels ? k->back.fd : -1;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			die(KL_SYSTEM, "cannot wait for input: %s", strerror(errno));
		if (p[1].revents)
			echo_step(&k->back, p[1].revents);
		if (p[0].revents)
			got = tsv_step(in);
	}
	return tsv_close(in);
}

int main(int argc, char **argv)
{
	static struct kl k = { .known = true };
	static const struct tsv_bind bind[] = { { "src", &k.src, false }, { 0 } };
	static const struct tsv_bind back_bind[] = {
		{ "src", &k.back_src, false }, { "level", &k.level, false }, { 0 }
	};
	static const char *const adds[] = { RECALL_ADDS, NULL };
	static const struct tsv_ops ops = {
		.bind = bind, .adds = adds, .header = header, .row = row, .frame = frame, .cut = cut,
	};
	static const struct tsv_ops back_ops = {
		.bind = back_bind, .lenient = true, .row = back_row, .frame = back_frame, .cut = back_cut,
	};
	int at, st, back = KL_OK;

	kl_name = "kl-recall";
	at = opt_parse(argc, argv, &page);
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	table_init(&k.now, sizeof(struct held));
	table_init(&k.next, sizeof(struct held));
	if (o.state)
		load(&k);
	if (o.levels)
		echo_open(&k.back, o.levels, &back_ops, &k);
	tsv_out_init(&k.out, STDOUT_FILENO, "stdout");

	st = pump(&k, argv[at] && strcmp(argv[at], "-") ? argv[at] : NULL, &ops);
	tsv_out_close(&k.out);
	if (o.levels) {
		/* What the other stages still have in hand is written to the FIFO as well. */
		echo_until(&k.back, o.wait, NULL);
		back = echo_close(&k.back);
	}
	return back > st ? back : st;
}
