/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another ABI is running. The rule tables kept their layout since ABI 1, those
 * of edges and conversations since ABI 2: their maps are taken over, entry for
 * entry and without a copy, so that nothing written meanwhile is lost. Settings
 * are read by the older layout; a trial under way ends as if nobody confirmed.
 * Counting tables have no meaning across ABIs, be they of the same size.
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
/* How that of ABI 2 did. */
struct cfg2 {
	uint32_t magic, abi, features, hz;
	uint64_t seed[3];
	uint32_t sets, epoch;
	uint64_t epoch_ns;
	uint32_t sample, gen_all;
	uint64_t reader_ns;
	uint32_t flow_sets, before;
	uint64_t trial_ns, beat_ns, dead_ns;
	uint32_t dead_mode, lapsed;
};
#define FEATURES2 0x3fffu	/* to KL_F_TIMED */
#define FEATURES1 0x1ffu	/* KL_F_ENFORCE_ALLOW to KL_F_SRC6_FINE */
_Static_assert(KL_F_SRC6_FINE == 0x100 && KL_F_TIMED == 0x2000, "ABI 1 and 2 had these bits");

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
static bool is_kept(int pin, uint32_t abi)
{
	return (pin >= PIN_ALLOW4 && pin <= PIN_EDGE_LIMIT6) ||
	       (abi >= 2 && (pin == PIN_EDGE4_CFG || pin == PIN_EDGE6_CFG || pin == PIN_CONNS));
}

static void settings1(struct legacy *l, const struct cfg1 *c)
{
	l->sets = c->sets;
	l->sample = c->sample;
	l->features = c->features & FEATURES1;
}

static void settings2(struct legacy *l, const struct cfg2 *c, const struct kl_rl *before)
{
	l->sets = c->sets;
	l->flow_sets = c->flow_sets;
	l->sample = c->sample;
	l->features = c->features & FEATURES2 & ~KL_F_TIMED;
	if (c->trial_ns) {
		l->features = (l->features & ~KL_F_TRIED) | (c->before & KL_F_TRIED);
		l->limit = *before;
	}
	memcpy(l->seed, c->seed, sizeof(l->seed));
	l->beat_ns = c->beat_ns;
	l->dead_ns = c->dead_ns;
	l->dead_mode = c->dead_mode;
	if (l->dead_ns)
		l->features |= KL_F_TIMED;
}

int legacy_open(struct legacy *l, const char *dir, const char **why)
{
	union {
		struct cfg1 one;
		struct cfg2 two;
	} cfg;
	struct kl_rl rl[2] = { 0 };	/* in force, and before the trial */
	struct bpf_map_info info;
	int i, err;

	memset(l, 0, sizeof(*l));

	for (i = 0; i < PINS; i++)
		l->fd[i] = -1;
	*why = kl_pins[PIN_CFG].pin;
	err = read_value(dir, PIN_CFG, &cfg, sizeof(cfg));
	if (err)
		return err;
	if (cfg.one.magic != KL_ABI_MAGIC || cfg.one.abi < 1 || cfg.one.abi >= KL_ABI_VERSION)
		return -EPROTO;
	l->abi = cfg.one.abi;
	*why = kl_pins[PIN_RL].pin;
	err = read_value(dir, PIN_RL, rl, l->abi < 2 ? sizeof(*rl) : sizeof(rl));
	l->limit = rl[0];
	if (l->abi < 2)
		settings1(l, &cfg.one);
	else
		settings2(l, &cfg.two, &rl[1]);
	for (i = 0; i < PINS && !err; i++) {
		if (!is_kept(i, l->abi))
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
