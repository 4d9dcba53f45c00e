/* SPDX-License-Identifier: BSD-2-Clause */
/* Attachments: BPF links on interfaces, pinned beside the maps. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "egress.h"
#include "link.h"
#include "pins.h"
#include "shield.h"

#define LINK_PIN "kernloom_shield_xdp_link"

/* bpffs takes no dot in a name: eth0.1 becomes eth0%2e1, and stays apart from eth0_1. */
static void pin_name(char *out, size_t n, const char *iface)
{
	size_t at = (size_t)snprintf(out, n, LINK_PIN "_");

	for (; *iface && at + 4 < n; iface++)
		if (*iface == '.' || *iface == '%')
			at += (size_t)snprintf(out + at, n - at, "%%%02x", *iface);
		else
			out[at++] = *iface;
	out[at] = 0;
}

static int link_open(const char *dir, const char *pin, int *fd, struct link *l)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, pin);
	*fd = bpf_obj_get(path);
	if (*fd < 0)
		return -errno;
	*l = (struct link){ 0 };
	snprintf(l->pin, sizeof(l->pin), "%s", pin);
	strcpy(l->iface, "-");
	if (bpf_obj_get_info_by_fd(*fd, &info, &len)) {
		close(*fd);
		return -errno;
	}
	l->prog = info.prog_id;
	l->ifindex = info.xdp.ifindex;
	/* A number means nothing in another namespace, where some other interface may have it. */
	if (!l->ifindex || bpf_xdp_query((int)l->ifindex, 0, &query) || query.prog_id != l->prog ||
	    !if_indextoname(l->ifindex, l->iface)) {
		strcpy(l->iface, "-");
		return 0;
	}
	l->mode = query.attach_mode == XDP_ATTACHED_SKB ? MODE_GENERIC : MODE_NATIVE;
	l->egress = egress_is_on(l->ifindex);
	return 0;
}

static int is_link_pin(const struct dirent *d)
{
	return !strncmp(d->d_name, LINK_PIN, sizeof(LINK_PIN) - 1);
}

int link_walk(const char *dir, int (*each)(void *arg, const struct link *l), void *arg)
{
	struct dirent **d;
	int n = scandir(dir, &d, is_link_pin, alphasort), i, fd, ret = 0;
	struct link l;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; i < n; i++) {
		if (!ret) {
			ret = link_open(dir, d[i]->d_name, &fd, &l);
			if (!ret) {
				close(fd);
				ret = each(arg, &l);
			}
		}
		free(d[i]);
	}
	free(d);
	return ret;
}

struct found {
	const char *iface;
	struct link l;
	bool first;		/* the plain pin name is taken */
};

static int find_iface(void *arg, const struct link *l)
{
	struct found *f = arg;

	if (!strcmp(l->pin, LINK_PIN))
		f->first = true;
	if (strcmp(l->iface, f->iface))
		return 0;
	f->l = *l;
	return 1;
}

int link_renew(struct shield *s, const struct link *l)
{
	struct link now;
	int fd, err = link_open(s->dir, l->pin, &fd, &now);

	if (err)
		return err;
	if (bpf_link_update(fd, s->prog, NULL))
		err = -errno;
	close(fd);
	if (!err && now.egress)
		err = egress_attach(now.ifindex, s->egress);
	return err;
}

int link_egress(struct shield *s, const struct link *l)
{
	return l->ifindex ? egress_attach(l->ifindex, s->egress) : -ENODEV;
}

static int count_egress(void *arg, const struct link *l)
{
	*(int *)arg += l->egress;
	return 0;
}

int link_egresses(const char *dir)
{
	int n = 0, err = link_walk(dir, count_egress, &n);

	return err ? err : n;
}

static int drop_pin(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* A pin whose interface is gone: nothing hangs on it any more. */
static int drop_dead(void *arg, const struct link *l)
{
	return l->ifindex ? 0 : drop_pin(arg, l->pin);
}

static int create(struct shield *s, int ifindex, enum xdp_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = mode == MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(s->prog, ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

int link_attach(struct shield *s, const char *iface, enum xdp_mode mode, struct link *l, int *native_err)
{
	unsigned ifindex = if_nametoindex(iface);
	struct found f = { .iface = iface };
	char path[512], pin[128];
	int fd, err;

	*native_err = 0;
	if (!ifindex)
		return -ENODEV;
	err = link_walk(s->dir, drop_dead, (void *)s->dir);
	if (err < 0)
		return err;
	err = link_walk(s->dir, find_iface, &f);
	if (err < 0)
		return err;
	if (err) {
		*l = f.l;
		if (mode != MODE_AUTO && mode != f.l.mode)
			return -EEXIST;
		return link_renew(s, l);
	}
	fd = create(s, (int)ifindex, mode == MODE_AUTO ? MODE_NATIVE : mode);
	if (fd == -EEXIST)
		fd = -EBUSY;
	if (fd < 0 && fd != -EBUSY && mode == MODE_AUTO) {
		*native_err = fd;
		fd = create(s, (int)ifindex, MODE_GENERIC);
	}
	if (fd < 0)
		return fd;
	if (f.first)
		pin_name(pin, sizeof(pin), iface);
	else
		strcpy(pin, LINK_PIN);
	snprintf(path, sizeof(path), "%s/%s", s->dir, pin);
	err = bpf_obj_pin(fd, path) ? -errno : 0;
	close(fd);
	if (err)
		return err;
	err = link_open(s->dir, pin, &fd, l);
	if (!err)
		close(fd);
	return err;
}

struct detach {
	const char *dir, *iface;
	int done, left;
};

static int detach_one(void *arg, const struct link *l)
{
	struct detach *d = arg;
	char path[512];
	int fd, err;

	if (d->iface && strcmp(l->iface, d->iface)) {
		d->left++;
		return 0;
	}
	snprintf(path, sizeof(path), "%s/%s", d->dir, l->pin);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	/* Off at once: others may hold the link open. ENOLINK: its interface is gone already. */
	err = bpf_link_detach(fd) && errno != ENOLINK && errno != EOPNOTSUPP ? -errno : 0;
	close(fd);
	if (!err && l->egress)
		err = egress_detach(l->ifindex);
	if (!err)
		err = drop_pin(d->dir, l->pin);
	d->done++;
	return err;
}

int link_detach(const char *dir, const char *iface)
{
	struct detach d = { .dir = dir, .iface = iface };
	int err = link_walk(dir, detach_one, &d), i;

	if (err)
		return err;
	for (i = 0; i < PINS && !d.left && (d.done || !iface || !*iface); i++) {
		err = drop_pin(dir, kl_pins[i].pin);
		if (err)
			return err;
	}
	if (!d.left)
		rmdir(dir);		/* stays when it is a mount, or others keep something there */
	return d.done;
}
