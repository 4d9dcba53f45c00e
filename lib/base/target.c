/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of rules from words and lines. */
#include <errno.h>
#include <string.h>

#include "die.h"
#include "edge.h"
#include "file.h"
#include "target.h"

static void get_prefix(const char *s, struct prefix *x)
{
	int err = prefix_get(s, strlen(s), x);

	if (err == -2)
		die(KL_USAGE, "bits are set behind the prefix length: '%s'; its prefix is %s", s,
		    prefix_str(x));
	if (err)
		die(KL_USAGE, "not an address or prefix: '%s'", s);
}

static void get_edge(const char *src, const char *s, struct rule *r)
{
	const char *why = edge_src_get(src, strlen(src), &r->x);

	if (why)
		die(KL_USAGE, "%s: '%s'", why, src);
	if (!s)
		die(KL_USAGE, "no PORT/PROTO behind '%s'", src);
	why = edge_get(s, strlen(s), &r->x, &r->port, &r->proto);
	if (why)
		die(KL_USAGE, "%s: '%s'", why, s);
}

void target_words(const char *what, const char *table, bool edges, int max, char **word,
		  void (*each)(void *arg, const struct rule *key), void *arg)
{
	if (!*word)
		die(KL_USAGE, "%s %s: no %s given", what, table,
		    edges ? "SRC PORT/PROTO" : "address or prefix");
	for (; *word; word++) {
		struct rule r = { 0 };

		if (!max--)
			die(KL_USAGE, "%s: one operand too many: '%s'", what, *word);
		if (edges)
			get_edge(*word, word[1], &r);
		else
			get_prefix(*word, &r.x);
		word += edges;
		each(arg, &r);
	}
}

struct sink {
	void (*each)(void *arg, const struct rule *key);
	void *arg;
};

static const char *line(void *sink, const struct rule *key, long at)
{
	struct sink *s = sink;

	(void)at;
	s->each(s->arg, key);
	return NULL;
}

long target_list(const char *path, bool edges, bool timed, void (*each)(void *arg, const struct rule *key),
		 void *arg)
{
	struct sink s = { each, arg };
	long bad = list_read_rules(path, edges, timed, line, &s);

	if (bad < 0)
		die(KL_SYSTEM, "cannot read '%s': %s", path, strerror(errno));
	return bad;
}
