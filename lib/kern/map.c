/* SPDX-License-Identifier: BSD-2-Clause */
/* The instance: its pins opened and checked, its configuration, its counting table mapped. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "flow.h"
#include "kern.h"
#include "src.h"

uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint32_t kern_instance(struct kern *k)
{
	return (uint32_t)(k->cfg->seed[0] ^ k->cfg->born_ns);
}

double kern_since(struct kern *k, int64_t then)
{
	int64_t now = (int64_t)(boot_ns() / 1000000);

	if (then > now)
		then = (int64_t)(k->cfg->born_ns / 1000000);
	return (double)(now - then) / 1e3;
}

static size_t whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

/* Maps a mmapable array; NULL with errno. */
static void *map_array(int fd, size_t n, bool write)
{
	void *p = mmap(NULL, whole_pages(n), write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

int kern_pin_fd(struct kern *k, int pin)
{
	return k->fd[pin];
}

/* Is it read by mmap()? A shared mapping of a file opened read-only counts as private, which maps
 * refuse: these are opened for writing, and mapped without. */
static bool maps_whole(int pin)
{
	return pin == PIN_CFG || pin == PIN_RL || pin == PIN_EDGE4_CFG || pin == PIN_EDGE6_CFG ||
	       pin == PIN_EVENTS || (pin >= PIN_TAGS4 && pin <= PIN_CONNS);
}

static int open_pin(struct kern *k, int pin, const char *dir, bool write, const char **why)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = write || maps_whole(pin) ? 0 : BPF_F_RDONLY);
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	struct stat st;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, kl_pins[pin].pin);
	fd = bpf_obj_get_opts(path, &opts);
	if (fd < 0) {
		fd = -errno;
		*why = kl_pins[pin].pin;
		return fd == -ENOENT && pin ? -ENODEV : fd;
	}
	k->fd[pin] = fd;
	if (stat(path, &st))
		return -errno;
	k->ino[pin] = st.st_ino;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.key_size != kl_pins[pin].key || info.value_size != kl_pins[pin].value) {
		*why = kl_pins[pin].pin;
		return -EPROTO;
	}
	k->max[pin] = info.max_entries;
	return 0;
}

int kern_open(struct kern **out, const char *dir, bool write, const char **why)
{
	struct kern *k = calloc(1, sizeof(*k));
	int i, err = 0;

	*why = "";
	if (!k)
		return -ENOMEM;
	for (i = 0; i < PINS; i++)
		k->fd[i] = -1;
	k->dir = -1;
	k->write = write;
	/* The configuration first: it says whether the others are ours to touch. */
	for (i = 0; i < PINS && !err; i++) {
		err = open_pin(k, i, dir, write, why);
		if (i != PIN_CFG || err)
			continue;
		k->cfg = map_array(k->fd[i], sizeof(struct kl_cfg), write);
		if (!k->cfg)
			err = -errno;
		else if (k->cfg->magic != KL_ABI_MAGIC || k->cfg->abi != KL_ABI_VERSION)
			err = -EPROTO;
		if (err)
			*why = kl_pins[i].pin;
	}
	if (!err) {
		k->rl = map_array(k->fd[PIN_RL], sizeof(struct kl_rl_cfg), write);
		for (i = 0; i < 2; i++)
			k->edge[i] = map_array(k->fd[PIN_EDGE4_CFG + i], sizeof(struct kl_edge_cfg), write);
		if (!k->rl || !k->edge[0] || !k->edge[1])
			err = -errno;
	}
	if (!err) {
		k->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (k->dir < 0)
			err = -errno;
	}
	if (err) {
		kern_close(k);
		return err;
	}
	*out = k;
	return 0;
}

void kern_close(struct kern *k)
{
	int i;

	if (!k)
		return;
	for (i = 0; i < PINS; i++)
		if (k->fd[i] >= 0)
			close(k->fd[i]);
	if (k->cfg)
		munmap((void *)k->cfg, whole_pages(sizeof(struct kl_cfg)));
	if (k->rl)
		munmap((void *)k->rl, whole_pages(sizeof(struct kl_rl_cfg)));
	for (i = 0; i < 2; i++)
		if (k->edge[i])
			munmap((void *)k->edge[i], whole_pages(sizeof(struct kl_edge_cfg)));
	if (k->dir >= 0)
		close(k->dir);
	free(k);
}

const char *kern_strerror(int err, const char *why)
{
	static char text[256];

	switch (-err) {
	case ENOENT:
		return "nothing is attached there (kl-attach IFACE)";
	case EPERM:
	case EACCES:
		return "no privilege: CAP_BPF and CAP_NET_ADMIN are needed";
	case EPROTO:
		snprintf(text, sizeof(text),
			 "%s speaks another ABI than version %u: attach with the matching kl-attach",
			 why, KL_ABI_VERSION);
		return text;
	case ENODEV:
		snprintf(text, sizeof(text), "pin %s is missing: detach and attach again", why);
		return text;
	default:
		snprintf(text, sizeof(text), "%s%s%s", why, *why ? ": " : "", strerror(-err));
		return text;
	}
}

volatile struct kl_cfg *kern_cfg(struct kern *k)
{
	return k->cfg;
}

volatile struct kl_rl_cfg *kern_rl(struct kern *k)
{
	return k->rl;
}

void kern_unlock(struct kern *k)
{
	flock(k->dir, LOCK_UN);
}

int kern_alive(struct kern *k, const char **why)
{
	struct stat st;

	for (int i = 0; i < PINS; i++) {
		*why = kl_pins[i].pin;
		if (fstatat(k->dir, kl_pins[i].pin, &st, 0))
			return -errno;
		if (st.st_ino != k->ino[i])
			return -ESTALE;
	}
	return 0;
}

int kern_lock(struct kern *k)
{
	while (flock(k->dir, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	if (k->write)
		kern_settle(k);
	return 0;
}

int kern_src(struct kern *k, int family, struct kern_src *out)
{
	int base = family == 4 ? PIN_TAGS4 : PIN_TAGS6;
	size_t sets = k->max[base];

	out->sets = (uint32_t)sets;
	out->tags = map_array(k->fd[base], sets * 8, false);
	out->hot = map_array(k->fd[base + 1], sets * KL_WAYS * sizeof(struct kl_src), false);
	out->cold = map_array(k->fd[base + 2], sets * KL_WAYS * sizeof(struct kl_cold), false);
	out->ports = map_array(k->fd[base + 3], sets * KL_WAYS * sizeof(struct kl_ports), false);
	return out->tags && out->hot && out->cold && out->ports ? 0 : -errno;
}

int kern_flow(struct kern *k, int family, struct kern_flow *out)
{
	int base = family == 4 ? PIN_FLOW_TAGS4 : PIN_FLOW_TAGS6;
	size_t sets = k->max[base];

	out->sets = (uint32_t)sets;
	out->tags = map_array(k->fd[base], sets * 8, false);
	out->hot = map_array(k->fd[base + 1], sets * KL_WAYS * sizeof(struct kl_flow), false);
	return out->tags && out->hot ? 0 : -errno;
}
