/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ports of flows are services. */
#include "flows.h"

#include <stdlib.h>

#include "../base/edge.h"

static int by_edge(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int d = memcmp(&x->src, &y->src, sizeof(x->src));

	if (!d)
		d = x->proto - y->proto;
	if (!d)
		d = x->out - y->out;
	return d ? d : x->port - y->port;
}

static bool is_service(const struct flow *f, const struct ports *p)
{
	for (size_t i = 0; i < p->services; i++)
		if (p->service[i].port == f->port && p->service[i].proto == f->proto)
			return true;
	return false;
}

/* came_in: who f goes out to sent to a service of this host in the same frame. */
static bool may_be_client(const struct flow *f, const struct ports *p, bool came_in)
{
	if (!proto_has_ports(f->proto))
		return false;
	if (!f->port)
		return true;
	if ((f->proto == 6 && f->syn) || is_service(f, p))
		return false;
	if (f->out)
		return f->port >= p->lo || (came_in && f->port >= 1024);
	return f->port >= p->lo && f->port <= p->hi;
}

size_t flows_settle(struct flow *f, size_t n, const struct ports *p)
{
	bool came_in = false;
	size_t left = 0;

	if (n)
		qsort(f, n, sizeof(*f), by_edge);
	for (size_t i = 0; i < n; i++) {
		struct flow *last = left ? &f[left - 1] : NULL;

		if (last && !by_edge(last, &f[i])) {
			last->pkts += f[i].pkts;
			last->bytes += f[i].bytes;
			last->syn += f[i].syn;
			last->drops += f[i].drops;
			last->est += f[i].est;
			continue;
		}
		f[left++] = f[i];
	}
	for (size_t i = 0; i < left; i++) {
		if (!i || f[i].proto != f[i - 1].proto || !prefix_eq(&f[i].src, &f[i - 1].src))
			came_in = false;
		f[i].soft = may_be_client(&f[i], p, came_in);
		came_in |= !f[i].out && !f[i].soft;
	}
	return left;
}
