/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges and their comments: read, put in order, written. */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "edge.h"
#include "edgefile.h"
#include "file.h"
#include "num.h"

#define SAID 10			/* mistakes that are shown */

const char *const edge_dirs[] = { "in", "out", NULL };
const char *const edge_states[] = { "frozen", "approved", "denied", NULL };

char *edgeport_put(char *p, const struct prefix *src, uint16_t port, uint8_t proto)
{
	if (!port && proto_has_ports(proto))
		*p++ = '*';
	else
		p = put_u64(p, port);
	*p++ = '/';
	return proto_put(p, src, proto);
}

const char *edgeport_get(const char *s, size_t n, const struct prefix *src, uint16_t *port, uint8_t *proto)
{
	if (n < 2 || s[0] != '*' || s[1] != '/')
		return edge_get(s, n, src, port, proto);
	if (proto_get(s + 2, n - 2, src, proto))
		return "unknown protocol";
	*port = 0;
	return proto_has_ports(*proto) ? NULL : "this protocol has no ports: its port is 0";
}

char *edgeline_put(char *p, const struct edgeline *e)
{
	p = stpcpy(p, edge_dirs[e->dir]);
	*p++ = ' ';
	p = prefix_put(p, &e->src);
	*p++ = ' ';
	p = edgeport_put(p, &e->src, e->port, e->proto);
	*p++ = ' ';
	return stpcpy(p, edge_states[e->state]);
}

/* The index of the n bytes at s among words, or -1. */
static int word_of(const char *const *words, const char *s, size_t n)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == n && !memcmp(words[i], s, n))
			return i;
	return -1;
}

const char *edgeline_get(const char *s, size_t n, struct edgeline *e, const char **at)
{
	const char *w[4], *end = s + n, *why;
	char text[EDGELINE_TEXT];
	size_t len[4], i;
	int dir, state;

	*at = s;
	for (i = 0; i < 4; i++) {
		const char *blank = i < 3 && s < end ? memchr(s, ' ', (size_t)(end - s)) : NULL;

		w[i] = s;
		len[i] = (size_t)((blank ? blank : end) - s);
		s = blank ? blank + 1 : end;
	}
	*e = (struct edgeline){ 0 };
	dir = word_of(edge_dirs, w[0], len[0]);
	if (dir < 0)
		return "does not begin with in or out";
	*at = w[1];
	switch (prefix_get(w[1], len[1], &e->src)) {
	case -1:
		return "not an address or prefix";
	case -2:
		return "bits set behind the prefix length";
	}
	*at = w[2];
	why = edgeport_get(w[2], len[2], &e->src, &e->port, &e->proto);
	if (why)
		return why;
	*at = w[3];
	state = word_of(edge_states, w[3], len[3]);
	if (state < 0)
		return "not frozen, approved or denied";
	*at = w[1];
	if (state == EDGE_FROZEN && e->src.len < 128)
		return "only an address can be frozen, a prefix approved or denied";
	e->dir = (uint8_t)dir;
	e->state = (uint8_t)state;
	*at = w[0];
	if ((size_t)(edgeline_put(text, e) - text) != n || memcmp(text, w[0], n))
		return "not as it would be written: one blank between words, addresses as in RFC 5952, "
		       "protocols as tcp, udp, icmp or a number";
	return NULL;
}

struct edgeline *edgefile_add(struct edgefile *f)
{
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		struct edgeline *e = reallocarray(f->e, cap, sizeof(*e));

		if (!e)
			die(KL_SYSTEM, "out of memory for %zu edges", cap);
		f->e = e;
		f->cap = cap;
	}
	f->e[f->n] = (struct edgeline){ 0 };
	return &f->e[f->n++];
}

void edgefile_free(struct edgefile *f)
{
	free(f->e);
	free(f->text);
	*f = (struct edgefile){ 0 };
}

int edgeline_cmp(const void *a, const void *b)
{
	const struct edgeline *x = a, *y = b;
	int d = x->dir - y->dir;

	if (!d)
		d = prefix_is4(&y->src) - prefix_is4(&x->src);
	if (!d)
		d = memcmp(x->src.a, y->src.a, 16);
	if (!d)
		d = x->src.len - y->src.len;
	if (!d)
		d = x->proto - y->proto;
	return d ? d : x->port - y->port;
}

void edgefile_sort(struct edgefile *f)
{
	if (f->n)
		qsort(f->e, f->n, sizeof(*f->e), edgeline_cmp);
}

struct edgeline *edgefile_find(const struct edgefile *f, const struct edgeline *key)
{
	return f->n ? bsearch(key, f->e, f->n, sizeof(*f->e), edgeline_cmp) : NULL;
}

/* Printable, or a tab, or part of UTF-8: what may stand in a comment. */
static bool readable(const char *s, size_t n)
{
	for (; n; s++, n--)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

/* A line of the file that is an edge's. NULL, or what is wrong. */
static const char *edge_line(struct edgefile *f, const char *s, size_t n, const char **at)
{
	const char *hash = memchr(s, '#', n), *why;
	size_t words = hash ? (size_t)(hash - s) : n;
	struct edgeline e;

	*at = s;
	if (hash && (words < 2 || hash[-1] != ' ' || hash[-2] != ' '))
		return "a comment stands behind two blanks";
	if (hash)
		words -= 2;
	why = edgeline_get(s, words, &e, at);
	if (why)
		return why;
	e.behind = hash ? s + words : NULL;
	e.behind_n = n - words;
	*edgefile_add(f) = e;
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct edgeline *x = *(struct edgeline *const *)a, *y = *(struct edgeline *const *)b;
	int d = edgeline_cmp(x, y);

	return d ? d : (x->line > y->line) - (x->line < y->line);
}

/* Reports edges that are told twice; returns how many. */
static long twice(const struct edgefile *f, const char *name, long bad)
{
	struct edgeline **p = xalloc((f->n + 1) * sizeof(*p));
	char text[EDGELINE_TEXT];
	const long before = bad;

	for (size_t i = 0; i < f->n; i++)
		p[i] = &f->e[i];
	qsort(p, f->n, sizeof(*p), by_key);
	for (size_t i = 1; i < f->n; i++) {
		if (edgeline_cmp(p[i - 1], p[i]))
			continue;
		*edgeline_put(text, p[i]) = 0;
		if (++bad <= SAID)
			warn("%s:%ld: the edge of line %ld again '%s'", name, p[i]->line, p[i - 1]->line,
			     text);
	}
	free(p);
	return bad - before;
}

long edgefile_read(struct edgefile *f, const char *path)
{
	const char *name = strcmp(path, "-") ? path : "stdin";
	const char *p, *end, *eol, *from, *why, *at;
	long bad = 0, line = 0;
	bool head = true;	/* no empty line yet, and no edge */
	size_t n;

	f->text = slurp(path, &n);
	if (!f->text)
		return -1;
	for (p = from = f->text, end = p + n; p < end; p = eol + 1) {
		line++;
		eol = memchr(p, '\n', (size_t)(end - p));
		at = p;
		why = NULL;
		if (!eol) {
			why = "no LF behind the last line: is the file cut short?";
			eol = end;
		} else if (!readable(p, (size_t)(eol - p))) {
			why = "bytes that are no text";
		} else if (p == eol && head) {
			from = eol + 1;
			f->head_n = (size_t)(from - f->text);
			head = false;
		} else if (p < eol && *p != '#') {
			size_t above = (size_t)(p - from);

			head = false;
			why = edge_line(f, p, (size_t)(eol - p), &at);
			if (!why) {
				struct edgeline *e = &f->e[f->n - 1];

				e->above = above ? from : NULL;
				e->above_n = above;
				e->line = line;
				from = eol + 1;
			}
		}
		if (why && ++bad <= SAID)
			warn("%s:%ld: %s '%.*s'", name, line, why, eol - at > 64 ? 64 : (int)(eol - at), at);
	}
	f->foot = from;
	f->foot_n = from < end ? (size_t)(end - from) : 0;
	bad += twice(f, name, bad);
	if (bad > SAID)
		warn("%s: %ld more mistakes", name, bad - SAID);
	if (bad)
		edgefile_free(f);
	return bad;
}

static char *copy(char *p, const char *s, size_t n)
{
	return n ? (char *)memcpy(p, s, n) + n : p;
}

char *edgefile_text(const struct edgefile *f, size_t *n)
{
	size_t room = f->head_n + f->foot_n + 1;
	char *text, *p;

	for (size_t i = 0; i < f->n; i++)
		room += f->e[i].above_n + EDGELINE_TEXT + f->e[i].behind_n;
	text = p = xalloc(room);
	p = copy(p, f->text, f->head_n);
	for (size_t i = 0; i < f->n; i++) {
		const struct edgeline *e = &f->e[i];

		p = copy(p, e->above, e->above_n);
		p = edgeline_put(p, e);
		p = copy(p, e->behind, e->behind_n);
		*p++ = '\n';
	}
	p = copy(p, f->foot, f->foot_n);
	*n = (size_t)(p - text);
	return text;
}
