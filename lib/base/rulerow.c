/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the rule stream, in the order of its schema. */
#include "rulerow.h"

#include "edge.h"
#include "num.h"

const char *const rule_owner[] = { "operator", "iq", "graph", NULL };
#define OWNERS (sizeof(rule_owner) / sizeof(*rule_owner) - 1)

static char *word(char *p, const char *s)
{
	*p++ = '\t';
	return stpcpy(p, s);
}

static char *number(char *p, bool known, uint64_t v)
{
	return known ? put_u64(word(p, ""), v) : word(p, "-");
}

char *rulerow_put(char *p, const struct ruletable *t, const struct rule *r, uint64_t hits)
{
	int64_t until = t->real + (int64_t)(r->until - t->boot) / 1000000;

	p = word(put_time(p, t->real), t->name);
	p = prefix_put(word(p, ""), &r->x);
	p = number(p, t->limit, r->rate);
	p = number(p, t->limit, r->burst);
	p = r->until ? put_time(word(p, ""), until) : word(p, "-");
	p = word(p, r->owner - 1 < OWNERS ? rule_owner[r->owner - 1] : "-");
	p = number(p, hits != RULE_UNKNOWN, hits);
	p = number(p, t->edge, r->port);
	p = t->edge ? proto_put(word(p, ""), &r->x, r->proto) : word(p, "-");
	*p++ = '\n';
	return p;
}

char *rulestar_put(char *p, int64_t real, uint64_t n)
{
	p = stpcpy(put_time(p, real), "\t-\t*\t-\t-\t-\t-\t");
	return stpcpy(put_u64(p, n), "\t-\t-\n");
}
