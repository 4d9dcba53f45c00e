/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the rule stream, in the order of its schema. */
#include "rulerow.h"

#include "num.h"

static char *word(char *p, const char *s)
{
	*p++ = '\t';
	return stpcpy(p, s);
}

static char *number(char *p, uint64_t v)
{
	if (v == RULE_UNKNOWN)
		return word(p, "-");
	*p++ = '\t';
	return put_u64(p, v);
}

char *rulerow_put(char *p, const struct rulerow *r)
{
	p = put_time(p, r->time);
	p = word(p, r->table);
	p = word(p, r->key ? "" : "*");
	if (r->key)
		p = prefix_put(p, r->key);
	p = number(p, r->rate);
	p = number(p, r->burst);
	p = word(p, r->until < 0 ? "-" : "");
	if (r->until >= 0)
		p = put_time(p, r->until);
	p = word(p, r->owner);
	p = number(p, r->hits);
	*p++ = '\n';
	return p;
}
