/* SPDX-License-Identifier: BSD-2-Clause */
/* The questions before default-deny. A rule counts while it lives; of an edge, sources are exact. */
#include <stdio.h>

#include "../base/edge.h"
#include "link.h"
#include "lockout.h"
#include "settings.h"

struct ask {
	void (*tell)(const char *line);
	const struct lifeline *l;
	size_t n;
	bool covered[LIFELINES], any;
	uint64_t now;
	char of[256];		/* " -p DIR", unless that is understood */
	int told;
};

#define TELL(ask, ...)						\
do {								\
	char line_[1024];					\
	snprintf(line_, sizeof(line_), __VA_ARGS__);		\
	(ask)->tell(line_);					\
	(ask)->told++;						\
} while (0)

static bool lives(const struct ask *q, const struct rule *r)
{
	return !r->until || r->until > q->now;
}

static int allowed(void *self, const struct rule *r)
{
	struct ask *q = self;

	if (!lives(q, r))
		return 0;
	q->any = true;
	for (size_t i = 0; i < q->n; i++)
		q->covered[i] |= prefix_covers(&r->x, &q->l[i].x);
	return 0;
}

static int living_edge(void *self, const struct rule *r)
{
	return lives(self, r);
}

/* Whoever serves this host answers it, and the outbound program lets answers in. Whom this host
 * serves begins anew. */
static int ask_edges(struct ask *q, struct kern *k)
{
	int ret;

	for (size_t i = 0; i < q->n; i++) {
		struct rule r = { .x = q->l[i].x, .port = q->l[i].port, .proto = 6 };

		ret = r.port ? kern_find(k, KL_EDGE_ALLOW, &r, &r) : 0;
		if (ret < 0)
			return ret;
		q->covered[i] |= !r.port || (ret && lives(q, &r));
	}
	if (!q->any) {
		ret = kern_walk(k, KL_EDGE_ALLOW, living_edge, q);
		if (ret < 0)
			return ret;
		q->any = ret;
	}
	return 0;
}

static int no_egress(void *self, const struct link *l)
{
	struct ask *q = self;

	if (l->ifindex && !strcmp(l->iface, "-"))
		TELL(q, "%s: its interface is in another network namespace: ask there (or --force)", l->pin);
	else if (l->ifindex && !l->egress)
		TELL(q, "no egress program on %s: replies to this host's own connections would be dropped: "
		     "kl-attach%s --egress %s (or --force)", l->iface, q->of, l->iface);
	return 0;
}

static void cut_off(struct ask *q, const struct lifeline *l, bool edges)
{
	TELL(q, "%s %s would be cut off: kl-rule%s add %s %s (or --force)", l->what, prefix_str(&l->x), q->of,
	     edges ? "edge-allow" : "allow", edges ? edge_str(&l->x, l->port, 6) : prefix_str(&l->x));
}

int lockout(struct kern *k, const char *dir, bool edges, const struct lifeline *l, size_t n,
	    void (*tell)(const char *line))
{
	struct ask q = { .tell = tell, .l = l, .n = n, .now = boot_ns() };
	int err = kern_walk(k, KL_ALLOW, allowed, &q);

	if (strcmp(dir, KL_BPFFS))
		snprintf(q.of, sizeof(q.of), " -p %s", dir);
	if (!err && edges)
		err = ask_edges(&q, k);
	if (err)
		return err;
	if (!q.any && edges)
		TELL(&q, "the tables allow and edge-allow are empty: edge-mode allow would drop all but "
		     "replies (or --force)");
	if (!q.any && !edges)
		TELL(&q, "the allow table is empty: enforce-allow would drop every source (or --force)");
	if (edges)
		err = link_walk(dir, no_egress, &q);
	for (size_t i = 0; i < n; i++)
		if (!q.covered[i])
			cut_off(&q, &l[i], edges);
	return err ? err : q.told;
}
