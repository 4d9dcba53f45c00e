/* SPDX-License-Identifier: BSD-2-Clause */
/* Three views of the edges, merged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/flowrow.h"
#include "../base/num.h"
#include "../base/tsv.h"
#include "../core/flows.h"
#include "compare.h"
#include "edges.h"
#include "schema.h"

#define ROW_MAX 512
#define NOBODY (-1) /* says anything about it */

struct view {
	struct edgeline k; /* key only; first, for edgeline_cmp() */
	int file, state; /* enum edge_state, enum learned_state, or NOBODY */
	bool wire;
	uint64_t pkts;
};

struct views {
	struct view *v;
	size_t n, cap;
	struct edgefile file;
	const struct ports *ports;
	struct flowrow col;
	struct flowlist flows;
	uint64_t dt;
	bool looked; /* at the wire */
};

static struct view *add(struct views *c, const struct edgeline *k)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 1024;
		c->v = reallocarray(c->v, c->cap, sizeof(*c->v));
		if (!c->v)
			die(KL_SYSTEM, "out of memory for %zu edges", c->cap);
	}
	c->v[c->n] = (struct view){ .k = *k, .file = NOBODY, .state = NOBODY };
	return &c->v[c->n++];
}

/* One view of each edge, in order. */
static void merge(struct views *c)
{
	size_t n = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), edgeline_cmp);
	for (size_t i = 0; i < c->n; i++) {
		struct view *v = &c->v[i], *last = n ? &c->v[n - 1] : NULL;

		if (!last || edgeline_cmp(last, v)) {
			c->v[n++] = *v;
			continue;
		}
		if (v->file != NOBODY)
			last->file = v->file;
		if (v->state != NOBODY)
			last->state = v->state;
		last->wire |= v->wire;
		last->pkts += v->pkts;
	}
	c->n = n;
}

static void database(void *self, const struct edge *e)
{
	add(self, &e->k)->state = (int)e->state;
}

static void flow(void *self, const struct tsv_row *r)
{
	struct views *c = self;
	struct flow f;

	if (!flowrow_get(&c->col, r, &f, &c->dt) && f.pkts)
		flowlist_add(&c->flows, &f);
}

static void frame(void *self, const struct tsv_row *star)
{
	struct views *c = self;
	const struct flow *f = c->flows.f;
	const size_t known = c->n;

	(void)star;
	c->flows.n = flows_settle(c->flows.f, c->flows.n, c->ports);
	for (; f < c->flows.f + c->flows.n; f++) {
		struct edgeline k = {
			.src = f->src, .dir = f->out ? EDGE_OUT : EDGE_IN, .proto = f->proto, .port = f->port
		};
		struct view *v;

		if (f->soft && !bsearch(&k, c->v, known, sizeof(*c->v), edgeline_cmp))
			k.port = 0;
		v = add(c, &k);
		v->wire = true;
		v->pkts = f->pkts;
	}
	c->flows.n = 0;
	merge(c);
}

static void cut(void *self)
{
	((struct views *)self)->flows.n = 0;
}

/* What the file says about an edge, by itself or by a prefix; a denied prefix before an approved one. */
static int verdict(const struct views *c, const struct view *v)
{
	int says = v->file;

	if (says != NOBODY)
		return says;
	for (const struct edgeline *x = c->file.e; x < c->file.e + c->file.n; x++) {
		if (x->src.len == 128 || x->dir != v->k.dir || x->port != v->k.port ||
		    x->proto != v->k.proto || !prefix_covers(&x->src, &v->k.src))
			continue;
		if (x->state == EDGE_DENIED)
			return EDGE_DENIED;
		says = x->state;
	}
	return says;
}

static int decided(int state)
{
	switch (state) {
	case FROZEN:
		return EDGE_FROZEN;
	case APPROVED:
		return EDGE_APPROVED;
	case DENIED:
		return EDGE_DENIED;
	}
	return NOBODY;
}

/* NULL: all agree. */
static const char *what(const struct views *c, const struct view *v)
{
	int says;

	if (v->file != decided(v->state))
		return "edited";
	says = v->wire || v->state == LEARNED ? verdict(c, v) : v->file;
	if (v->wire && says == EDGE_DENIED)
		return "denied";
	if (v->state == LEARNED && says == NOBODY)
		return "unfrozen";
	if (v->wire && says == NOBODY)
		return "new";
	if (c->looked && !v->wire && v->k.src.len == 128 && says != NOBODY && says != EDGE_DENIED)
		return "quiet";
	return NULL;
}

static size_t print(const struct views *c, int64_t now)
{
	struct tsv_out out;
	size_t n = 0;
	char *p;

	tsv_out_init(&out, STDOUT_FILENO, "stdout");
	tsv_puts(&out, DIFFERENCE_HEADER "\n");
	for (const struct view *v = c->v; v < c->v + c->n; v++) {
		const char *why = what(c, v);

		if (!why)
			continue;
		p = put_time(tsv_room(&out, ROW_MAX), now);
		p = stpcpy(stpcpy(stpcpy(p, "\t"), edge_dirs[v->k.dir]), "\t");
		p = stpcpy(prefix_put(p, &v->k.src), "\t");
		p = stpcpy(put_u64(p, v->k.port), "\t");
		p = stpcpy(proto_put(p, &v->k.src, v->k.proto), "\t");
		p = stpcpy(stpcpy(p, v->file == NOBODY ? "-" : edge_states[v->file]), "\t");
		p = stpcpy(stpcpy(p, v->state == NOBODY ? "-" : learned_states[v->state]), "\t");
		p = v->wire ? put_u64(p, v->pkts) : stpcpy(p, "-");
		out.p = stpcpy(stpcpy(stpcpy(p, "\t"), why), "\n");
		n++;
	}
	p = put_time(tsv_room(&out, ROW_MAX), now);
	out.p = stpcpy(put_u64(stpcpy(p, "\t-\t*\t-\t-\t-\t-\t-\t"), n), "\n");
	tsv_out_close(&out);
	return n;
}

int compare(const struct graph_files *at, const char *wire, const struct ports *ports)
{
	struct views c = { .ports = ports, .looked = wire };
	const struct tsv_bind bind[] = { FLOWROW_BIND(c.col), { NULL, NULL, false } };
	const struct tsv_ops ops = { .bind = bind, .row = flow, .frame = frame, .cut = cut };
	long bad = edgefile_read(&c.file, at->frozen);
	struct sqlite s;
	int64_t now;
	int st = KL_OK;
	size_t n;

	if (bad < 0 && errno != ENOENT)
		die(KL_SYSTEM, "cannot read '%s': %s", at->frozen, strerror(errno));
	if (bad > 0)
		return KL_INPUT;
	for (size_t i = 0; i < c.file.n; i++)
		add(&c, &c.file.e[i])->file = c.file.e[i].state;
	sqlite_open(&s, at->db, false);
	now = edges_now(&s);
	edges_each(&s, &(struct edges_of){ 0 }, database, &c);
	sqlite_close(&s);
	merge(&c);
	if (wire)
		st = tsv_run(wire, &ops, &c);
	n = print(&c, now);
	free(c.v);
	edgefile_free(&c.file);
	flowlist_free(&c.flows);
	return st > KL_NO ? st : n || st ? KL_NO : KL_OK;
}
