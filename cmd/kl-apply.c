/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kl-apply: carries wanted levels into the kernel's tables.
 *
 * Reads:  level frames; the pinned tables; triggers.
 * Writes: the differences, at the star row; receipt frames.
 *
 * All it writes ends by itself; it may be killed at any time. A frame carried out holds the dead-man switch.
 */
#include <errno.h>

#include "../lib/base/die.h"
#include "../lib/base/levelrow.h"
#include "../lib/base/lines.h"
#include "../lib/base/opt.h"
#include "../lib/base/rowlike.h"
#include "../lib/base/triggers.h"
#include "../lib/core/ledger.h"
#include "../lib/kern/rules.h"
#include "../lib/kern/settings.h"
#include "schema.h"

#define RECHECK 1024u		/* held entries compared with the kernel a frame */
static struct {
	const char *dir, *triggers;
	struct rates rates;
	double trig[TRIGGERS];
	int64_t max_age;
	uint32_t max_new;
	bool dry, sync;
} o = { KL_BPFFS, .rates = { { 20, 40 }, { 5, 10 }, .surge = 1000 }, .max_age = 10000, .max_new = 1000 };

#define COUNT(name, to, min, help) { name, 0, OPT_U32, to, min, UINT32_MAX, "N", help, 0, true, 0 }
#define NUMBER(name, to, arg, help) { name, 0, OPT_F64, to, 0, 0, arg, help, 0, true, 0 }
static const struct opt opts[] = {
	{ "pin-dir", 'p', OPT_STR, &o.dir, 0, 0, "DIR", "pins of the instance", 0, 0, 0 },
	OPT_CONF_ROW,
	{ "dry-run", 'n', OPT_FLAG, &o.dry, 0, 0, 0, "write nothing, print what would be done", 0, true, 0 },
	{ "sync", 0, OPT_FLAG, &o.sync, 0, 0, 0, "remove iq entries that a frame does not name", 0, 0, 0 },
	{ "max-age", 0, OPT_DUR, &o.max_age, .001, 3e9, "DUR", "refuse frames older than this", 0, true, 0 },
	COUNT("max-new-blocks", &o.max_new, 0, "sources a frame may newly deny; more get the hard limit"),
	COUNT("soft-rate", &o.rates.soft.rate, 1, "RATE_SOFT: packets a second"),
	COUNT("soft-burst", &o.rates.soft.burst, 1, "RATE_SOFT: packets at once"),
	COUNT("hard-rate", &o.rates.hard.rate, 1, "RATE_HARD: packets a second"),
	COUNT("hard-burst", &o.rates.hard.burst, 1, "RATE_HARD: packets at once"),
	NUMBER("soft-rate-factor", &o.rates.soft_factor, "F", "RATE_SOFT: F times trig-pps; burst: twice"),
	NUMBER("hard-rate-factor", &o.rates.hard_factor, "F", "RATE_HARD: F times trig-pps; burst: twice"),
	COUNT("surge-rate", &o.rates.surge, 0, "surge: untested packets/s; HARD a fifth, BLOCK a 20th"),
	NUMBER("trig-pps", &o.trig[0], "N", "what the factors multiply; 0: they are not used"),
	{ "triggers", 0, OPT_STR, &o.triggers, 0, 0, "FILE", "triggers, read again when changed", 0, 0, 0 },
	OPT_END
};

struct apply {
	struct kern *k;		/* NULL: a dry run without an instance */
	struct ledger l;
	struct triggers file;
	struct levelrow col;
	const char *surge;	/* the receipt of the star row */
	struct lines rows;	/* of the frame under way */
	size_t came;		/* how many those were, bad ones included */
	struct tsv_out out;
	enum kl_status status;
};

static void need(int err)
{
	if (err < 0)
		die(KL_SYSTEM, "cannot go on with '%s': %s", o.dir, strerror(-err));
}

/* In a dry run what was planned once stands for what is there. */
static void ask(void *self, struct held *h, bool deny)
{
	struct apply *s = self;
	struct rule r = { .x = h->x };
	int found;

	if (!s->k || (o.dry && h->known & 1u << deny))
		return;
	found = kern_find(s->k, deny ? KL_DENY : KL_LIMIT, &r, &r);
	need(found);
	ledger_note(&s->l, h, deny, found ? &r : NULL);
}

static void ask_all(struct apply *s)
{
	for (int deny = 0; deny < 2; deny++) {
		ledger_blank(&s->l, deny);
		need(kern_walk(s->k, deny ? KL_DENY : KL_LIMIT, ledger_meet, &s->l));
	}
}

static void carry(struct apply *s, unsigned op)
{
	enum kl_table t = op & (PUT_DENY | DEL_DENY) ? KL_DENY : KL_LIMIT;
	size_t n = ledger_writes(&s->l, op);

	if (n && !o.dry)
		(op & (PUT_DENY | PUT_LIMIT) ? rules_put : rules_del)(s->k, t, s->l.rule, n, s->l.err);
	ledger_wrote(&s->l, op);
}

/* The surge, as the star row has it. Nobody else sets one: where there is none, none is wanted. */
static void carry_surge(struct apply *s, const struct tsv_row *star, int64_t real, uint64_t now)
{
	int64_t since, until;
	uint64_t end;
	int level;

	if (levelrow_get(&s->col, star, NULL, &level, &since, &until))
		return;
	s->surge = !level ? s->surge : o.dry ? "\tsurge\tdry\n" : "\tsurge\tok\n";
	end = level ? lease_end(since, until, real, s->l.tick, now) : 0;
	if (!o.dry && (end || kern_surging(s->k)))
		kern_surge(s->k, end, surge_of(&o.rates, (enum level)level));
}

static void settle(struct apply *s, const struct tsv_row *star)
{
	const char *why = "";
	int err = s->k ? kern_enter(s->k, !o.dry, &why) : 0;
	int64_t real = real_ms();
	uint64_t now = boot_ns();
	const struct claim *c;
	size_t n;

	if (err)
		die(KL_SYSTEM, "lost '%s': %s: %s", o.dir, why, strerror(-err));
	triggers_refresh(&s->file);
	limits_of(s->l.limit, &o.rates, o.trig[0]);
	if (!o.dry)
		ledger_recheck(&s->l, RECHECK);
	need(ledger_close(&s->l, o.sync && s->came == s->l.n, star->time, real, now));
	n = !o.dry && s->l.todo > RECHECK && s->l.todo > (s->l.seen[0] + s->l.seen[1]) / 4;
	if (n)
		ask_all(s);
	n = ledger_plan(&s->l, n, now);
	for (unsigned op = PUT_DENY; op <= DEL_LIMIT; op <<= 1)
		carry(s, op);
	carry_surge(s, star, real, now);
	if (!o.dry)
		kern_leave(s->k);
	if (n)
		warn("%zu sources limited, not denied: over --max-new-blocks %u", n, o.max_new);
	if (!(n = ledger_failed(&s->l, &c)))
		return;
	s->status = KL_NO;
	warn("%zu of %zu changes failed: %s", n, s->l.todo,
	     rules_why(s->k, c->ops & PUT_DENY ? KL_DENY : KL_LIMIT, &ledger_held(&s->l, c)->x, c->err));
}

static void row(void *self, const struct tsv_row *r)
{
	struct apply *s = self;
	int64_t since, until;
	struct prefix x;
	int level, err;

	s->came++;
	if (levelrow_get(&s->col, r, &x, &level, &since, &until))
		return;
	if ((err = ledger_claim(&s->l, &x, (enum level)level, since, until)) == -EEXIST)
		return tsv_bad(r, s->col.src, "twice in a frame");
	need(err);
	lines_add(&s->rows, r->line, r->len);
}

static void put_receipt(struct apply *s, const struct claim *c, const struct tsv_row *star)
{
	const char *line;
	size_t n;

	if (c->unnamed)
		s->out.p = rowlike_put(tsv_room(&s->out, TSV_LINE), star, s->col.src,
				       &ledger_held(&s->l, c)->x, s->col.level, level_name[LEVEL_OBSERVE]);
	else if ((line = lines_next(&s->rows, &n)))
		tsv_put(&s->out, line, n);
	s->out.p = stpcpy(claim_receipt(tsv_room(&s->out, RECEIPT_TEXT), c, o.dry), "\n");
}

static void forget(void *self)
{
	struct apply *s = self;

	ledger_next(&s->l);
	lines_clear(&s->rows);
	s->came = 0;
}

static void frame(void *self, const struct tsv_row *star)
{
	struct apply *s = self;

	s->surge = "\t-\t-\n";
	if (frame_stale(star, real_ms(), o.max_age, "--max-age")) {
		s->status = KL_NO;
		ledger_refuse(&s->l);
	} else {
		settle(s, star);
	}
	for (size_t i = 0; i < s->l.n; i++)
		put_receipt(s, &s->l.claim[i], star);
	tsv_put(&s->out, star->line, star->len);
	tsv_puts(&s->out, s->surge);
	tsv_flush(&s->out);
	forget(s);
}

static void header(void *self, const char *line, size_t n)
{
	struct apply *s = self;

	tsv_put(&s->out, line, n);
	tsv_puts(&s->out, RECEIPT_ADDS_HEADER "\n");
}

static const struct opt_page page = { "[-n] [-p DIR] [-c FILE] [--sync] [OPTION ...] [FILE]",
				      "carry wanted levels into the kernel's tables", opts };

int main(int argc, char **argv)
{
	struct apply s = { .l = { .owner = KL_IQ, .ask = ask, .self = &s },
			   .col = { .words = level_name, .n = LEVELS } };
	const struct tsv_bind bind[] = { LEVELROW_BIND(s.col), { NULL, NULL, 0 } };
	const struct tsv_ops ops = { .bind = bind, .adds = (const char *const[]){ RECEIPT_ADDS, NULL },
				     .header = header, .row = row, .frame = frame, .cut = forget };
	const char *why;
	int at, err, st;

	kl_name = "kl-apply";
	at = opt_parse(argc, argv, &page);
	if (argc - at > 1)
		die(KL_USAGE, "more than one FILE: '%s'", argv[at + 1]);
	err = kern_open(&s.k, o.dir, !o.dry, &why);
	if (err && !(o.dry && err == -ENOENT))
		die(KL_SYSTEM, "cannot open '%s': %s", o.dir, kern_strerror(err, why));
	ledger_init(&s.l);
	s.l.max_new = o.max_new;
	triggers_open(&s.file, o.triggers, o.trig);
	if (s.k)
		ask_all(&s);
	tsv_out_init(&s.out, 1, "stdout");
	st = tsv_run(at < argc ? argv[at] : "-", &ops, &s);
	tsv_out_close(&s.out);
	lines_free(&s.rows);
	ledger_free(&s.l);
	kern_close(s.k);
	return st > (int)s.status ? st : (int)s.status;
}
