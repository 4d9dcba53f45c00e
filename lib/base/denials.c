/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted list that is added to in bulk. */
#include "denials.h"
#include "edge.h"
#include "file.h"
#include "sync.h"

void denials_note(struct denials *d, const struct prefix *src, uint16_t port, uint8_t proto, int64_t until)
{
	const struct edgeline key = { .src = *src, .dir = EDGE_IN, .proto = proto, .port = port };
	struct edgefile old = d->list;
	struct edgeline *e;

	if (!port && proto_has_ports(proto))
		return;
	old.n = d->sorted;
	e = edgefile_find(&old, &key);
	if (!e) {
		if (d->list.n >= DENIALS_MAX) {
			d->refused++;
			return;
		}
		e = edgefile_add(&d->list);
		*e = key;
		e->state = EDGE_DENIED;
		d->changed = true;
	}
	e->line = (long)((until + 999) / 1000);
}

size_t denials_frame(struct denials *d, int64_t now)
{
	size_t n = 0, refused = d->refused;

	for (size_t i = 0; i < d->list.n; i++)
		if (d->list.e[i].line > now / 1000)
			d->list.e[n++] = d->list.e[i];
	d->changed |= n < d->list.n;
	d->list.n = n;
	if (n > d->sorted || d->changed)
		edgefile_sort(&d->list);
	d->sorted = n;
	d->refused = 0;
	return refused;
}

static void put(struct newfile *f, const struct edgefile *from)
{
	char text[EDGELINE_TEXT + 2], *p;

	for (size_t i = 0; i < from->n; i++) {
		const struct edgeline *e = &from->e[i];

		if (e->dir != EDGE_IN || e->state != EDGE_DENIED || e->src.len != 128 ||
		    (!e->port && proto_has_ports(e->proto)))
			continue;
		p = prefix_put(text, &e->src);
		*p++ = ' ';
		p = edge_put(p, &e->src, e->port, e->proto);
		*p++ = '\n';
		newfile_write(f, text, (size_t)(p - text));
	}
}

void denials_save(struct denials *d, const char *path, const struct edgefile *f)
{
	struct newfile new;

	if (!d->changed)
		return;
	newfile_open(&new, path, 0644);
	put(&new, f);
	put(&new, &d->list);
	newfile_commit(&new, DISK_SOON);
	d->changed = false;
}

void denials_close(struct denials *d)
{
	sync_wait();
	edgefile_free(&d->list);
}
