/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges as a graph for dot(1). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/num.h"
#include "../base/tsv.h"
#include "show.h"

#define ROW_MAX 1024

struct red { /* an edge that was violated */
	struct edgeline k;
	char kind[32];
	bool drawn;
};

struct dot {
	struct tsv_out out;
	struct red *red;
	size_t n, cap;
	int dir, src, port, proto, kind;
};

static const char *const looks[] = {
	[CANDIDATE] = "color=\"gray60\", style=dotted",
	[LEARNED] = "color=\"black\"",
	[APPROVED] = "color=\"royalblue3\", penwidth=2",
	[FROZEN] = "color=\"forestgreen\", penwidth=2",
	[DENIED] = "color=\"firebrick3\", style=dashed, arrowhead=tee",
	[EXPIRED] = "color=\"gray80\", style=dotted",
};
/* What the colours and lines are; at the end, for the clusters before would take it over. */
#define LEGEND                                                                                               \
	"\tfontname=\"sans-serif\"; fontsize=11; labelloc=b;\n"                                              \
	"\tlabel=<<FONT COLOR=\"forestgreen\"><B>&#8212; frozen</B></FONT>&nbsp; "                           \
	"<FONT COLOR=\"royalblue3\"><B>&#8212; approved</B></FONT>&nbsp; "                                   \
	"&#8212; learned&nbsp; "                                                                             \
	"<FONT COLOR=\"gray60\">&#183;&#183;&#183; candidate or expired</FONT>&nbsp; "                       \
	"<FONT COLOR=\"firebrick3\">- - denied</FONT>&nbsp; "                                                \
	"<FONT COLOR=\"red\"><B>&#8212; violated</B></FONT>>;\n"
#define RED "color=\"red\", fontcolor=\"red\", penwidth=3"

/* A cell with NUL, as far as it fits. */
static char *cell_of(const struct tsv_row *r, int col, char *out, size_t room)
{
	uint32_t n;
	const char *s = tsv_cell(r, col, &n);

	if (n >= room)
		n = (uint32_t)room - 1;
	memcpy(out, s, n);
	out[n] = 0;
	return out;
}

static void violation(void *self, const struct tsv_row *r)
{
	struct dot *d = self;
	char dir[8], src[64], port[8], proto[32];
	struct red red = { 0 };

	if (!edges_key(&red.k, cell_of(r, d->dir, dir, sizeof(dir)), cell_of(r, d->src, src, sizeof(src)),
		       cell_of(r, d->port, port, sizeof(port)), cell_of(r, d->proto, proto, sizeof(proto))))
		return tsv_bad(r, d->src, "not of an edge");
	cell_of(r, d->kind, red.kind, sizeof(red.kind));
	if (strspn(red.kind, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != strlen(red.kind))
		return tsv_bad(r, d->kind, "not a word of a-z, 0-9, '_', '-' and '.'");
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 64;
		d->red = reallocarray(d->red, d->cap, sizeof(*d->red));
		if (!d->red)
			die(KL_SYSTEM, "out of memory");
	}
	d->red[d->n++] = red;
}

static int by_edge(const void *a, const void *b)
{
	return edgeline_cmp(&((const struct red *)a)->k, &((const struct red *)b)->k);
}

static int read_violations(struct dot *d, const char *path)
{
	const struct tsv_bind bind[] = { { "dir", &d->dir, false },   { "src", &d->src, false },
					 { "port", &d->port, false }, { "proto", &d->proto, false },
					 { "kind", &d->kind, false }, { NULL, NULL, false } };
	const struct tsv_ops ops = { .bind = bind, .row = violation };
	int st = tsv_run(path, &ops, d);
	size_t n = 0;

	if (d->n)
		qsort(d->red, d->n, sizeof(*d->red), by_edge);
	for (size_t i = 0; i < d->n; i++)
		if (!n || by_edge(&d->red[n - 1], &d->red[i]))
			d->red[n++] = d->red[i];
	d->n = n;
	return st;
}

static void draw(struct dot *d, const struct edgeline *k, const char *look, const char *kind)
{
	char service[EDGE_TEXT], src[PREFIX_TEXT + 1];
	char *p = tsv_room(&d->out, ROW_MAX);

	*prefix_put(src, &k->src) = 0;
	*edgeport_put(service, &k->src, k->port, k->proto) = 0;
	p = stpcpy(p, "\tsubgraph cluster_here { ");
	if (k->dir == EDGE_IN) {
		p += sprintf(p, "\"here %s\" [label=\"%s\", shape=ellipse]; }\n", service, service);
		p += sprintf(p, "\t\"%s\" -> \"here %s\" [%s", src, service, look);
	} else {
		p += sprintf(p, "\"here\" [label=\"outbound\", shape=ellipse]; }\n");
		p += sprintf(p, "\t\"here\" -> \"%s\" [label=\"%s\", %s", src, service, look);
	}
	if (kind)
		p += sprintf(p, ", %s=\"%s\"", k->dir == EDGE_IN ? "label" : "xlabel", kind);
	d->out.p = stpcpy(p, "];\n");
}

static void row(void *self, const struct edge *e)
{
	struct dot *d = self;
	struct red key = { .k = e->k }, *red;

	red = d->n ? bsearch(&key, d->red, d->n, sizeof(*d->red), by_edge) : NULL;
	if (red)
		red->drawn = true;
	draw(d, &e->k, red ? RED : looks[e->state], red ? red->kind : NULL);
}

int show_dot(struct sqlite *s, const struct edges_of *of, const char *violations)
{
	struct dot d = { 0 };
	int st = violations ? read_violations(&d, violations) : KL_OK;

	tsv_out_init(&d.out, STDOUT_FILENO, "stdout");
	tsv_puts(&d.out,
		 "digraph kernloom {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n"
		 "\tedge [fontname=\"sans-serif\", fontsize=10];\n"
		 "\tsubgraph cluster_here { label=\"this host\"; fontname=\"sans-serif\"; style=filled; "
		 "color=\"gray92\"; }\n");
	edges_each(s, of, row, &d);
	for (struct red *r = d.red; r < d.red + d.n; r++)
		if (!r->drawn)
			draw(&d, &r->k, RED, r->kind);
	tsv_puts(&d.out, LEGEND "}\n");
	tsv_out_close(&d.out);
	free(d.red);
	return st;
}
