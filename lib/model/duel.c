/* SPDX-License-Identifier: BSD-2-Clause */
/* Worlds put into the kernel and into the reference, and the comparison. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "duel.h"
#include "../kern/settings.h"

#define LATE	   1000000000ull	/* ns a world may take: what ends in it is 2 s off at least */
#define LATE_SURGE 100000000ull	/* the same with a surge, in which an eighth of a second counts */
#define LATE_TRIES 20

int duel_open(struct duel *d, const char *object, enum flavour f)
{
	memset(d, 0, sizeof(*d));
	return lab_open(&d->lab, object, f);
}

void duel_close(struct duel *d)
{
	lab_close(d->lab);
}

uint64_t duel_now(void)
{
	return boot_ns();
}

/* ---- worlds into the kernel ---- */

static uint32_t bits_of(const struct policy *s)
{
	return (s->enforce_allow ? KL_F_ENFORCE_ALLOW : 0) | (s->src6_64 ? KL_F_SRC6_64 : 0) |
	       (s->rate ? KL_F_DEFAULT_LIMIT : 0) |
	       (s->edge == EDGE_DENY ? KL_F_EDGE_DENY : s->edge == EDGE_ALLOW ? KL_F_EDGE_ALLOW : 0);
}

static int put_settings(struct duel *d, const struct policy *s)
{
	struct kern *k = lab_kern(d->lab);
	uint32_t bits = bits_of(s) & ~KL_F_DEFAULT_LIMIT;
	int err = kern_default_limit(k, s->rate, s->burst);

	return err ? err : kern_feature(k, bits, KL_F_TRIED & ~KL_F_DEFAULT_LIMIT & ~bits);
}

/* The end of something as it is after what passed, which may be more than the time up; 0 stays: none. */
static uint64_t nearer(uint64_t end, uint64_t passed)
{
	return end > passed ? end - passed : !!end;
}

/* What ends by itself: the trial, the dead-man switch, as they are after what passed. */
static void put_deadlines(struct duel *d)
{
	volatile struct kl_cfg *cfg = kern_cfg(lab_kern(d->lab));
	volatile struct kl_rl_cfg *rl = kern_rl(lab_kern(d->lab));
	const struct world *w = &d->m.w;
	uint32_t ivl, tol;

	cfg->trial_ns = nearer(w->trial, d->passed);
	cfg->before = bits_of(&w->before);
	kl_gcra(cfg->hz, w->before.rate, w->before.burst, &ivl, &tol);
	rl->before.rate = w->before.rate;
	rl->before.burst = w->before.burst;
	rl->before.ivl = ivl;
	rl->before.tol = tol;
	/* Set for an hour, as long ago as makes it end then. */
	cfg->dead_ns = w->dead ? 3600000000000 : 0;
	cfg->beat_ns = w->dead - 3600000000000 - d->passed;
	cfg->dead_mode = w->dead_mode;
	cfg->looked_j = 0;
	cfg->fallen &= KL_SURGES;
	kern_surge(lab_kern(d->lab), nearer(w->surge, d->passed), w->surge_free ? 1000000 : 0);
}

static int put_rules(struct duel *d, enum kl_table t, bool there)
{
	struct kern *k = lab_kern(d->lab);
	const struct world *w = &d->m.w;
	int err;

	if (w->n[t] && there && kern_put(k, t, w->rules[t], w->n[t], &err) < w->n[t])
		return -err;
	if (w->n[t] && !there && kern_del(k, t, w->rules[t], w->n[t], &err) < w->n[t])
		return -err;
	return 0;
}

int duel_begin(struct duel *d, const struct world *w, uint64_t now)
{
	struct kern *k = lab_kern(d->lab);
	enum kl_table t;
	int err = 0;

	for (t = 0; t < KL_TABLES && !err; t++)
		err = put_rules(d, t, false);
	if (err)
		return err;
	model_clear(&d->m);
	d->m.w = *w;
	d->m.w.jiffy = 1000000000 / LAB_HZ;
	d->m.now = d->base = now;
	d->passed = d->passes = d->waits = d->step = 0;
	kern_cfg(k)->fallen = 0;	/* what surge there is begins now */
	memset(&d->was, 0, sizeof(d->was));
	err = lab_clear(d->lab, w->full, w->spent);
	for (t = 0; t < KL_TABLES && !err; t++)
		err = put_rules(d, t, true);
	if (!err)
		err = put_settings(d, &w->set);
	if (err)
		return err;
	put_deadlines(d);
	d->worlds++;
	return kern_feature(k, (w->flows ? KL_F_FLOWS : 0) | (w->hist ? KL_F_HIST : 0) |
			    (w->trial || w->dead || w->surge ? KL_F_TIMED : 0),
			    (w->flows ? 0 : KL_F_FLOWS) | (w->hist ? 0 : KL_F_HIST) |
			    (w->trial || w->dead || w->surge ? 0 : KL_F_TIMED));
}

int duel_add(struct duel *d, enum kl_table t, const struct rule *r)
{
	struct world *w = &d->m.w;
	struct rule now = *r;
	size_t i;
	int err;

	for (i = 0; i < w->n[t]; i++)
		if (prefix_eq(&w->rules[t][i].x, &r->x) && w->rules[t][i].port == r->port &&
		    w->rules[t][i].proto == r->proto)
			break;
	if (i == MODEL_RULES)
		return 0;
	w->n[t] += i == w->n[t];
	w->rules[t][i] = *r;
	if (now.until)
		now.until -= d->passed;
	return kern_put(lab_kern(d->lab), t, &now, 1, &err) == 1 ? 0 : -err;
}

int duel_del(struct duel *d, enum kl_table t, size_t i)
{
	struct world *w = &d->m.w;
	int err;

	if (kern_del(lab_kern(d->lab), t, &w->rules[t][i], 1, &err) != 1)
		return -err;
	w->rules[t][i] = w->rules[t][--w->n[t]];
	return 0;
}

int duel_set(struct duel *d, const struct policy *s)
{
	d->m.w.set = *s;
	return put_settings(d, s);
}

int duel_surge(struct duel *d, bool on)
{
	d->m.w.surge = on ? d->m.now + 1000000 * 1000000000ull : 0;
	d->m.w.surge_since = 0;
	put_deadlines(d);
	kern_cfg(lab_kern(d->lab))->fallen = 0;
	return 0;
}

int duel_pass(struct duel *d, unsigned seconds)
{
	enum kl_table t;
	struct rule r;
	int err = 0;
	size_t i;

	if (seconds == 2 ? d->waits == 3 || d->passes > 3 : seconds % 30 != 7 || d->passes > 3 - !!d->waits)
		return -EINVAL;
	*(seconds == 2 ? &d->waits : &d->passes) += 1;
	d->passed += seconds * 1000000000ull;
	d->m.now += seconds * 1000000000ull;
	lab_pass(d->lab, seconds);
	kern_cfg(lab_kern(d->lab))->surge_j -= seconds * LAB_HZ;
	for (t = 0; t < KL_TABLES; t++)
		for (i = 0; i < d->m.w.n[t] && !err; i++) {
			r = d->m.w.rules[t][i];
			if (!r.until)
				continue;
			r.until = nearer(r.until, d->passed);
			err = lab_put(d->lab, t, &r);
		}
	put_deadlines(d);
	return err;
}

/* ---- comparison ---- */

static int differs(struct duel *d, const char *what, uint64_t want, uint64_t got)
{
	snprintf(d->what, sizeof(d->what), "%s: want %" PRIu64 ", got %" PRIu64, what, want, got);
	return 1;
}

#define FIELD(name) { #name, offsetof(struct kl_totals, name) }
static const struct { const char *name; size_t at; } fields[] = {
	FIELD(all.verdict[KL_PASS]), FIELD(all.verdict[KL_DROP_ALLOW]), FIELD(all.verdict[KL_DROP_DENY]),
	FIELD(all.verdict[KL_DROP_RL]), FIELD(all.bytes), FIELD(un.verdict[KL_PASS]),
	FIELD(un.verdict[KL_DROP_ALLOW]), FIELD(un.verdict[KL_DROP_DENY]), FIELD(un.verdict[KL_DROP_RL]),
	FIELD(un.bytes), FIELD(other), FIELD(other_bytes), FIELD(malformed), FIELD(drop_malformed),
	FIELD(frags4), FIELD(frags6), FIELD(essential), FIELD(allow_hits), FIELD(rl_hits), FIELD(new_sources),
	FIELD(evicted), FIELD(drop_edge), FIELD(drop_frag), FIELD(drop_other), FIELD(replies), FIELD(flows),
	FIELD(flows_evicted), FIELD(flows_lost), FIELD(conns), FIELD(conns_lost), FIELD(fallen),
	FIELD(drop_surge), FIELD(surge_came),
};

static uint64_t field(const struct kl_totals *t, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)t + fields[i].at, sizeof(v));
	return v;
}

static int compare_totals(struct duel *d, const struct kl_totals *got)
{
	const struct kl_totals *want = &d->m.t;
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (field(want, i) != field(got, i))
			return differs(d, fields[i].name, field(want, i), field(got, i));
	for (i = 0; i < 2 * KL_CLASSES; i++) {
		const struct kl_count *w = i < KL_CLASSES ? &want->all : &want->un;
		const struct kl_count *g = i < KL_CLASSES ? &got->all : &got->un;

		snprintf(name, sizeof(name), "%s.class[%zu]", i < KL_CLASSES ? "all" : "un", i % KL_CLASSES);
		if (w->class[i % KL_CLASSES] != g->class[i % KL_CLASSES])
			return differs(d, name, w->class[i % KL_CLASSES], g->class[i % KL_CLASSES]);
	}
	/* A sketch: it may take two ports for one, never one for two. */
	if (got->port_changes > want->port_changes)
		return differs(d, "port_changes", want->port_changes, got->port_changes);
	return 0;
}

/* What the program did with the frame, by what it counted. */
static enum model_why reason(const struct kl_totals *was, const struct kl_totals *t)
{
	if (t->drop_malformed != was->drop_malformed)
		return WHY_MALFORMED;
	if (t->drop_other != was->drop_other)
		return WHY_OTHER;
	if (t->drop_edge != was->drop_edge)
		return WHY_EDGE;
	if (t->all.verdict[KL_DROP_DENY] != was->all.verdict[KL_DROP_DENY])
		return WHY_DENY;
	if (t->all.verdict[KL_DROP_ALLOW] != was->all.verdict[KL_DROP_ALLOW])
		return WHY_ALLOW;
	if (t->drop_surge != was->drop_surge)
		return WHY_SURGE;
	return t->all.verdict[KL_DROP_RL] != was->all.verdict[KL_DROP_RL] ? WHY_LIMIT : WHY_PASS;
}

int duel_frame(struct duel *d, const struct frame *f, enum model_why *want, enum model_why *got)
{
	bool out = f->out && f->n >= LAB_OUT_MIN, pass = true;
	struct kern_totals t;
	int err;

	*want = *got = WHY_PASS;
	if (f != &d->f)
		d->f = *f;
	d->f.out = out;
	d->step++;
	d->pairs++;
	if (out) {
		err = lab_out(d->lab, f->b, f->n, f->segs);
		model_out(&d->m, f->b, f->n, f->segs);
	} else {
		err = lab_in(d->lab, f->b, f->n, &pass);
		*want = model_in(&d->m, f->b, f->n);
	}
	if (!err)
		err = kern_totals(lab_kern(d->lab), &t);
	if (err)
		return err;
	*got = reason(&d->was, &t.raw);
	d->was = t.raw;
	if (pass != (*want == WHY_PASS) || pass != (*got == WHY_PASS)) {
		snprintf(d->what, sizeof(d->what), "verdict: want %s, got %s (counted as %s)",
			 model_whys[*want], pass ? "pass" : "drop", model_whys[*got]);
		return 1;
	}
	return compare_totals(d, &t.raw);
}

#define PKTS(pb)  ((pb) >> KL_PB_SHIFT)
#define BYTES(pb) ((pb) & ((1ull << KL_PB_SHIFT) - 1))

static int compare_src(struct duel *d, const struct kl_src *r, const struct kl_cold *c)
{
	const struct model_src *s;
	struct prefix x = { .len = 128 };
	char what[96];
	size_t i;

	memcpy(x.a, r->key, 16);
	for (s = d->m.src; s < d->m.src + d->m.srcs && memcmp(s->a, x.a, 16); s++)
		;
	const struct { const char *name; uint64_t want, got; } n[] = {
		{ "pkts", s->pkts, PKTS(r->pb) }, { "bytes", s->bytes, BYTES(r->pb) },
		{ "denied", s->denied, PKTS(r->denied) },
		{ "denied_bytes", s->denied_bytes, BYTES(r->denied) },
		{ "syn", s->syn, r->syn }, { "udp", s->udp, r->udp }, { "answers", s->answers, c->answers },
		{ "drop_rl", s->drop_rl, r->drop_rl },
		{ "odd", s->odd, c->odd }, { "rst", s->rst, c->rst }, { "icmp", s->icmp, c->icmp },
		{ "other", s->other, c->other }, { "drop_allow", s->drop_allow, c->drop_allow },
		{ "carry", 0, c->carry | c->carry_denied },
	};

	if (s == d->m.src + d->m.srcs) {
		snprintf(what, sizeof(what), "record of source %s", prefix_str(&x));
		return differs(d, what, 0, 1);
	}
	for (i = 0; i < sizeof(n) / sizeof(*n); i++)
		if (n[i].want != n[i].got) {
			snprintf(what, sizeof(what), "%s of source %s", n[i].name, prefix_str(&x));
			return differs(d, what, n[i].want, n[i].got);
		}
	return 0;
}

static int compare_flow(struct duel *d, const struct kl_flow *r)
{
	const struct model_flow *f;
	struct prefix x = { .len = 128 };
	char what[96];
	size_t i;

	memcpy(x.a, r->key, 16);
	for (f = d->m.flow; f < d->m.flow + d->m.flows; f++)
		if (!memcmp(f->a, x.a, 16) && f->out == !!(r->id & KL_FLOW_OUT) &&
		    f->proto == (r->id >> 16 & 255) && f->port == (r->id & 0xffff))
			break;
	const struct { const char *name; uint64_t want, got; } n[] = {
		{ "pkts", f->pkts, PKTS(r->pb) }, { "bytes", f->bytes, BYTES(r->pb) },
		{ "syn", f->syn, r->syn }, { "drops", f->drops, r->drops }, { "est", f->est, r->est },
		{ "carry", 0, r->carry },
	};

	if (f == d->m.flow + d->m.flows) {
		snprintf(what, sizeof(what), "record of flow %s %" PRIx32, prefix_str(&x), (uint32_t)r->id);
		return differs(d, what, 0, 1);
	}
	for (i = 0; i < sizeof(n) / sizeof(*n); i++)
		if (n[i].want != n[i].got) {
			snprintf(what, sizeof(what), "%s of flow %s %" PRIx32, n[i].name, prefix_str(&x),
				 (uint32_t)r->id);
			return differs(d, what, n[i].want, n[i].got);
		}
	return 0;
}

static int compare_hist(struct duel *d)
{
	uint64_t want, got;
	struct kl_hist h;
	char what[32];
	size_t i;
	int err = kern_hist(lab_kern(d->lab), &h);

	if (err)
		return err;
	for (i = 0; i < sizeof(h) / 8; i++) {
		memcpy(&want, (const char *)&d->m.h + i * 8, 8);
		memcpy(&got, (const char *)&h + i * 8, 8);
		snprintf(what, sizeof(what), "histogram, word %zu", i);
		if (want != got)
			return differs(d, what, want, got);
	}
	return 0;
}

int duel_records(struct duel *d)
{
	size_t i = 0, n = 0;
	const struct kl_cold *c;
	const struct kl_src *s;
	const struct kl_flow *f;
	int diff = 0;

	if (!d->m.w.full) {
		for (; !diff && (s = lab_src(d->lab, &i, &c)); n++)
			diff = compare_src(d, s, c);
		if (!diff && n != d->m.srcs)
			diff = differs(d, "sources", d->m.srcs, n);
		for (i = n = 0; !diff && (f = lab_flow(d->lab, &i)); n++)
			diff = compare_flow(d, f);
		if (!diff && n != d->m.flows)
			diff = differs(d, "flows", d->m.flows, n);
	}
	return diff ? diff : compare_hist(d);
}

/* ---- worlds of chance ---- */

static int change(struct duel *d)
{
	static const unsigned spans[] = { 7, 37, 127, 307, 607, 7447 };
	struct world *w = &d->m.w;
	enum kl_table t = (enum kl_table)gen_below(&d->g, KL_TABLES);
	struct policy s;
	struct rule r;

	switch (gen_below(&d->g, w->surges ? 8 : 5)) {
	case 0:
		gen_settings(&d->g, &s);
		if (w->full || w->surges)	/* see gen_world() */
			s.rate = 0;
		return duel_set(d, &s);
	case 1:
		return w->n[t] ? duel_del(d, t, gen_below(&d->g, w->n[t])) : 0;
	case 2:
	case 3:
		gen_rule(&d->g, t, &r, d->m.now);
		if (w->full && (t == KL_LIMIT || t == KL_EDGE_LIMIT))
			return 0;
		return w->surges && t == KL_LIMIT ? 0 : duel_add(d, t, &r);
	case 4:
		return d->passes < 4u - !!d->waits && !w->full ? duel_pass(d, spans[gen_below(&d->g, 6)]) : 0;
	case 5:
		return duel_surge(d, !w->surge);
	default:
		return d->waits < 3 && d->passes < 4 && !w->full ? duel_pass(d, 2) : 0;
	}
}

static int run(struct duel *d, uint64_t seed, unsigned steps, const struct frame *given, bool careful)
{
	uint64_t now = duel_now();
	enum model_why want, got;
	struct world w;
	unsigned i;
	int diff;

	gen_init(&d->g, seed);
	if (given)
		gen_pool_of(&d->g, given, steps);
	gen_world(&d->g, &w, now);
	diff = duel_begin(d, &w, now);
	for (i = 0; i < steps && !diff; i++) {
		if (gen_chance(&d->g, 100))
			diff = change(d);
		if (given)
			d->f = given[i];
		else
			gen_frame(&d->g, &d->f);
		if (!diff)
			diff = duel_frame(d, &d->f, &want, &got);
		if (!diff && careful)
			diff = duel_records(d);
	}
	return diff ? diff : duel_records(d);
}

int duel_world(struct duel *d, uint64_t seed, unsigned steps, const struct frame *given)
{
	uint64_t pairs = d->pairs;
	int tries, diff;

	if (steps > MODEL_STEPS)
		return -EINVAL;
	for (tries = 0; tries < LATE_TRIES; tries++) {
		diff = run(d, seed, steps, given, false);
		if (diff < 0)
			return diff;
		if (duel_now() - d->base < (d->m.w.surges ? LATE_SURGE : LATE)) {
			if (diff)	/* with the records looked at after every frame: which one was it? */
				run(d, seed, steps, given, true);
			d->changes[0] += d->was.port_changes;
			d->changes[1] += d->m.t.port_changes;
			return diff;
		}
		d->pairs = pairs;
		d->late++;
	}
	return -ETIME;
}
