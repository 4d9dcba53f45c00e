/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another ABI is running. The rule tables kept their layout since ABI 1: their
 * maps are taken over, entry for entry and without a copy, so that nothing
 * written meanwhile is lost. Settings are read by the older layout. Counting
 * tables have no meaning across ABIs, be they of the same size.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrate.h"

/* How kernloom_cfg and kernloom_rl_cfg of ABI 1 began. */
struct cfg1 {
	uint32_t magic, abi, features, hz;
	uint64_t seed[2];
	uint32_t sets, epoch;
	uint64_t epoch_ns;
	uint32_t sample, gen_all;
};
#define FEATURES1 0x1ffu	/* KL_F_ENFORCE_ALLOW to KL_F_SRC6_FINE */
_Static_assert(KL_F_SRC6_FINE == 0x100, "ABI 1 had these bits");

static int get_pin(const char *dir, const char *name, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &len)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* The first n bytes of a pinned array's one value. */
static int read_value(const char *dir, int pin, void *out, size_t n)
{
	struct bpf_map_info info;
	int fd = get_pin(dir, kl_pins[pin].pin, &info), zero = 0, err = 0;
	void *value;

	if (fd < 0)
		return fd;
	value = calloc(1, info.value_size);
	if (!value)
		err = -ENOMEM;
	else if (info.value_size < n || info.type != BPF_MAP_TYPE_ARRAY)
		err = -EPROTO;
	else if (bpf_map_lookup_elem(fd, &zero, value))
		err = -errno;
	else
		memcpy(out, value, n);
	free(value);
	close(fd);
	return err;
}

/* Maps whose layout outlives ABIs. */
static bool is_rules(int pin)
{
	return pin >= PIN_ALLOW4 && pin <= PIN_EDGE_LIMIT6;
}

int legacy_open(struct legacy *l, const char *dir, const char **why)
{
	struct bpf_map_info info;
	struct cfg1 cfg;
	int i, err;

	for (i = 0; i < PINS; i++)
		l->fd[i] = -1;
	*why = kl_pins[PIN_CFG].pin;
	err = read_value(dir, PIN_CFG, &cfg, sizeof(cfg));
	if (err)
		return err;
	if (cfg.magic != KL_ABI_MAGIC || cfg.abi != 1)
		return -EPROTO;
	l->abi = cfg.abi;
	l->sets = cfg.sets;
	l->sample = cfg.sample;
	l->features = cfg.features & FEATURES1;
	*why = kl_pins[PIN_RL].pin;
	err = read_value(dir, PIN_RL, &l->limit, sizeof(l->limit));
	for (i = 0; i < PINS && !err; i++) {
		if (!is_rules(i))
			continue;
		*why = kl_pins[i].pin;
		l->fd[i] = get_pin(dir, kl_pins[i].pin, &info);
		if (l->fd[i] == -ENOENT)
			l->fd[i] = -1;		/* that ABI did not have it */
		else if (l->fd[i] < 0)
			err = l->fd[i];
		else if (info.key_size != kl_pins[i].key || info.value_size != kl_pins[i].value)
			err = -EPROTO;
	}
	if (err)
		legacy_close(l);
	return err;
}

void legacy_close(struct legacy *l)
{
	for (int i = 0; i < PINS; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
}

int new_pins_drop(const char *dir)
{
	char path[512];

	for (int i = 0; i < PINS; i++) {
		snprintf(path, sizeof(path), "%s/%s" NEW_PIN, dir, kl_pins[i].pin);
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int new_pins_rename(const char *dir)
{
	char from[512], to[512];

	/* The configuration last: until it stands there the instance is the old one. */
	for (int i = PINS - 1; i >= 0; i--) {
		snprintf(from, sizeof(from), "%s/%s" NEW_PIN, dir, kl_pins[i].pin);
		snprintf(to, sizeof(to), "%s/%s", dir, kl_pins[i].pin);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}
