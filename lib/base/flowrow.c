/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of flow frames. */
#include <stdlib.h>

#include "die.h"
#include "edge.h"
#include "flowrow.h"
#include "num.h"
#include "sqltext.h"

#define BATCH 60		/* rows a statement: what sqlite3(1) reads fastest */
#define ROW_MAX 160

#define MANY 1000000000000000ull	/* sums of it stay exact in a double, and below 2^63 */

int flowrow_key(const struct flowrow *c, const struct tsv_row *r, struct flow *f)
{
	uint32_t n, port;
	const char *s = tsv_cell(r, c->dir, &n);

	f->out = n == 3 && !memcmp(s, "out", 3);
	if (!f->out && (n != 2 || memcmp(s, "in", 2)))
		return tsv_bad(r, c->dir, "not in or out"), -1;
	s = tsv_cell(r, c->src, &n);
	if (prefix_get(s, n, &f->src) || f->src.len != 128)
		return tsv_bad(r, c->src, "not an address"), -1;
	s = tsv_cell(r, c->port, &n);
	if (get_u32(s, n, &port) || port > UINT16_MAX)
		return tsv_bad(r, c->port, "not 0 to 65535"), -1;
	f->port = (uint16_t)port;
	s = tsv_cell(r, c->proto, &n);
	if (proto_get(s, n, &f->src, &f->proto))
		return tsv_bad(r, c->proto, "not a protocol"), -1;
	if (f->port && !proto_has_ports(f->proto))
		return tsv_bad(r, c->port, "not 0, which a protocol without ports has"), -1;
	return 0;
}

int flowrow_get(const struct flowrow *c, const struct tsv_row *r, struct flow *f, uint64_t *dt)
{
	double seconds;

	*f = (struct flow){ 0 };
	if (flowrow_key(c, r, f) || tsv_f64(r, c->dt, &seconds) || tsv_u64(r, c->pkts, &f->pkts) ||
	    tsv_u64(r, c->bytes, &f->bytes) || tsv_u64(r, c->syn, &f->syn) || tsv_u64(r, c->drops, &f->drops))
		return -1;
	if (c->est >= 0 && *tsv_cell(r, c->est, &(uint32_t){ 0 }) != '-' && tsv_u64(r, c->est, &f->est))
		return -1;
	if (seconds < .001 || seconds > 1e9)
		return tsv_bad(r, c->dt, "not 0.001 to 1000000000"), -1;
	if (f->pkts > MANY || f->bytes > MANY)
		return tsv_bad(r, f->pkts > MANY ? c->pkts : c->bytes, "above 10^15"), -1;
	*dt = (uint64_t)(seconds * 1000 + .5);
	return 0;
}

void flowlist_add(struct flowlist *l, const struct flow *f)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 1024;
		struct flow *more = reallocarray(l->f, cap, sizeof(*more));

		if (!more)
			die(KL_SYSTEM, "out of memory for %zu flows", cap);
		l->f = more;
		l->cap = cap;
	}
	l->f[l->n++] = *f;
}

void flowlist_free(struct flowlist *l)
{
	free(l->f);
	*l = (struct flowlist){ 0 };
}

/* Flows that differ in address and port only; the name of a protocol may depend on the family. */
static unsigned int kind(const struct flow *f)
{
	return f->proto | (unsigned int)f->out << 8 | (unsigned int)prefix_is4(&f->src) << 9;
}

static char *put_flow(char *p, const struct flow *f)
{
	*p++ = '(';
	p = sql_src(p, &f->src);
	*p++ = ',';
	p = sql_addr(p, f->src.a);
	*p++ = ',';
	p = put_u64(p, f->port);
	*p++ = ',';
	p = put_u64(p, f->pkts);
	*p++ = ',';
	p = put_u64(p, f->bytes);
	*p++ = ')';
	return p;
}

/* Those like l->f[at], from there on: what they share is said once a statement, for each word of the text
 * costs sqlite3(1) its time. */
static void put_alike(struct tsv_out *out, const struct flowlist *l, size_t at, const char *table)
{
	const struct flow *first = &l->f[at];
	size_t n = 0;

	for (const struct flow *f = first; f < l->f + l->n; f++) {
		char *p = tsv_room(out, ROW_MAX);

		if (f->soft != first->soft || kind(f) != kind(first))
			continue;
		if (n++ % BATCH) {
			*p++ = ',';
		} else {
			p = stpcpy(stpcpy(p, n > 1 ? ");\nINSERT INTO " : "INSERT INTO "), table);
			p = stpcpy(p, first->out ? " SELECT 'out',column1,column2,column3,'" :
						   " SELECT 'in',column1,column2,column3,'");
			p = stpcpy(proto_put(p, &f->src, f->proto), "',column4,column5 FROM (VALUES");
		}
		out->p = put_flow(p, f);
	}
	tsv_puts(out, ");\n");
}

void flowlist_sql(struct tsv_out *out, const struct flowlist *l, bool soft, const char *table)
{
	bool done[1024] = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const struct flow *f = &l->f[i];

		if (f->soft != soft || done[kind(f)])
			continue;
		done[kind(f)] = true;
		put_alike(out, l, i, table);
	}
}
