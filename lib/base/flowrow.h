/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of flow frames (schemas/flow.tsv). */
#ifndef KL_FLOWROW_H
#define KL_FLOWROW_H

#include "flow.h"
#include "tsv.h"

struct flowrow {		/* where the columns are */
	int dt, dir, src, port, proto, pkts, bytes, syn, drops, est;	/* the last may be -1 */
};

/* What a struct tsv_ops binds for the struct flowrow c. */
#define FLOWROW_BIND(c) \
	{ "dt", &(c).dt, false }, { "dir", &(c).dir, false }, { "src", &(c).src, false }, \
	{ "port", &(c).port, false }, { "proto", &(c).proto, false }, { "pkts", &(c).pkts, false }, \
	{ "bytes", &(c).bytes, false }, { "syn", &(c).syn, false }, { "drops", &(c).drops, false }, \
	{ "est", &(c).est, true }

/* Fills f and the length of its tick in ms from r, not a star row. 0, or -1 after tsv_bad(). */
int flowrow_get(const struct flowrow *c, const struct tsv_row *r, struct flow *f, uint64_t *dt);

/* Fills but src, out, port and proto; other columns of c may be unbound. The same returns. */
int flowrow_key(const struct flowrow *c, const struct tsv_row *r, struct flow *f);

/* The flows of a frame, as they come. */
struct flowlist {		/* zeroed: none */
	struct flow *f;
	size_t n, cap;
};
void flowlist_add(struct flowlist *l, const struct flow *f);	/* ends the command when memory is out */
void flowlist_free(struct flowlist *l);

/* Writes the flows whose soft is that as statements for sqlite3(1): INSERTs into table of dir, src, its 16
 * bytes, port, proto, pkts and bytes. */
void flowlist_sql(struct tsv_out *out, const struct flowlist *l, bool soft, const char *table);

#endif
