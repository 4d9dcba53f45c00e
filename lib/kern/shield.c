/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading: which flavour the kernel takes, new maps or the pinned ones. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kern.h"
#include "migrate.h"
#include "shield.h"
#include "kl_xdp.skel.h"
#include "kl_xdp_old.skel.h"

#define SOURCES_MIN 4096u
#define PRIVATE_RULES 1024u	/* of a table, where nothing is pinned */
#define SOURCES_AUTO 131072u	/* more costs every packet cache and TLB misses: for those who ask */
#define LOAD_PER_MILLE 667u	/* records used when `sources` are in: no set overflows up to 0.7 */

static char last_log[512];

/* Keeps the last line worth reading. */
static int keep_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_log, sizeof(last_log), fmt, ap);
		last_log[strcspn(last_log, "\n")] = 0;
	}
	return 0;
}

const char *shield_log(void)
{
	return last_log;
}

/* Does the kernel know compare-and-exchange (5.12)? Asks its verifier. */
static bool has_atomics(void)
{
	struct bpf_insn prog[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 0, .off = -8 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 10, .src_reg = 0, .off = -8,
		  .imm = BPF_CMPXCHG },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "kl_probe", "Dual BSD/GPL", prog,
			       sizeof(prog) / sizeof(prog[0]), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A record and its share of tags, both families, at the load wanted: ~486 bytes
 * a source. A 32nd of the memory goes to it. */
static uint32_t sources_by_memory(void)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 32;
	uint64_t record = sizeof(struct kl_src) + sizeof(struct kl_cold) + sizeof(struct kl_ports) + 1;
	uint64_t each = 2 * record * 1000 / LOAD_PER_MILLE;
	uint32_t n = SOURCES_AUTO;

	while (n > SOURCES_MIN && n * each > bytes)
		n /= 2;
	return n;
}

static uint32_t sets_for(uint32_t sources)
{
	uint64_t sets = ((uint64_t)sources * 1000 / LOAD_PER_MILLE + KL_WAYS - 1) / KL_WAYS;

	return sets < 2 ? 2 : (uint32_t)sets;
}

uint32_t shield_sources(const struct shield *s)
{
	return (uint32_t)((uint64_t)s->sets * KL_WAYS * LOAD_PER_MILLE / 1000);
}

bool shield_is_new(const struct shield *s)
{
	return s->made;
}

uint32_t shield_was(const struct shield *s)
{
	return s->from;
}

static void destroy_new(void *skel)
{
	kl_xdp__destroy(skel);
}

static void destroy_old(void *skel)
{
	kl_xdp_old__destroy(skel);
}

static int open_flavour(struct shield *s, enum flavour f)
{
	s->old = f == FLAVOUR_OLD || (f == FLAVOUR_AUTO && !has_atomics());
	if (s->old) {
		struct kl_xdp_old *o = kl_xdp_old__open();

		s->skel = o;
		s->destroy = destroy_old;
		s->obj = o ? o->obj : NULL;
	} else {
		struct kl_xdp *o = kl_xdp__open();

		s->skel = o;
		s->destroy = destroy_new;
		s->obj = o ? o->obj : NULL;
	}
	return s->skel ? 0 : -errno;
}

static int load_flavour(struct shield *s)
{
	return s->old ? kl_xdp_old__load(s->skel) : kl_xdp__load(s->skel);
}

/* HZ, from the resolution of the coarse clock: one tick. */
static uint32_t hz(void)
{
	struct timespec t;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || t.tv_nsec <= 0)
		return 250;
	return (uint32_t)((1000000000 + t.tv_nsec / 2) / t.tv_nsec);
}

/* Does this factor spread addresses that follow one another, by the last byte or
 * by any other? Some do not: near a simple fraction of 2^64 their multiples pile up. */
static bool spreads(uint64_t factor)
{
	uint8_t seen[4096];
	uint32_t i, used;
	int shift;

	for (shift = 0; shift <= 48; shift += 8) {
		memset(seen, 0, sizeof(seen));
		for (i = used = 0; i < sizeof(seen); i++) {
			uint8_t *at = &seen[((uint64_t)i << shift) * factor >> 52];

			used += !*at;
			*at = 1;
		}
		if (used < sizeof(seen) / 2)	/* by chance: 63 % */
			return false;
	}
	return true;
}

/* A random odd factor for the table's hash; 0 or -errno. */
static int draw(__u64 *factor)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (getrandom(factor, sizeof(*factor), 0) != sizeof(*factor))
			return -EIO;
		*factor |= 1;
		if (spreads(*factor))
			return 0;
	}
	return -EIO;
}

/* As many flows as were asked for, else half as many as sources: small in comparison. */
static uint32_t flows_for(uint32_t sets, uint32_t flows)
{
	return flows ? flows : (uint32_t)((uint64_t)sets * KL_WAYS * LOAD_PER_MILLE / 2000);
}

/* The one value of a new map. */
static int begin_with(struct shield *s, int pin, const void *value, size_t size)
{
	struct bpf_map *m = bpf_object__find_map_by_name(s->obj, kl_pins[pin].map);

	return m ? bpf_map__set_initial_value(m, value, size) : -EINVAL;
}

/* What a new instance begins with, or one that takes over from *l. */
static int configure(struct shield *s, uint32_t sources, uint32_t flows, const struct legacy *l)
{
	struct kl_cfg *cfg = calloc(1, sizeof(*cfg));
	struct kl_rl_cfg rl = { .now = l ? l->limit : (struct kl_rl){ 0 } };
	struct bpf_map *m;
	int err = 0, i;

	if (!cfg)
		return -ENOMEM;
	s->sets = l && !sources ? l->sets : sets_for(sources ? sources : sources_by_memory());
	cfg->magic = KL_ABI_MAGIC;
	cfg->abi = KL_ABI_VERSION;
	cfg->hz = hz();
	cfg->sets = s->sets;
	cfg->flow_sets = l && l->flow_sets && !flows ? l->flow_sets : sets_for(flows_for(s->sets, flows));
	cfg->epoch_ns = cfg->born_ns = boot_ns();
	cfg->features = l ? l->features : 0;
	cfg->sample = l ? l->sample : 0;
	cfg->beat_ns = l ? l->beat_ns : 0;
	cfg->dead_ns = l ? l->dead_ns : 0;
	cfg->dead_mode = l ? l->dead_mode : 0;
	for (i = 0; i < 3 && !err; i++)
		if (l && l->seed[i])
			cfg->seed[i] = l->seed[i];
		else
			err = draw(&cfg->seed[i]);
	for (i = PIN_TAGS4; i <= PIN_FLOW_COLD6 && !err; i++) {
		m = bpf_object__find_map_by_name(s->obj, kl_pins[i].map);
		err = m ? bpf_map__set_max_entries(m, i <= PIN_PORTS6 ? s->sets : cfg->flow_sets) : -EINVAL;
	}
	if (!err)
		err = begin_with(s, PIN_CFG, cfg, sizeof(*cfg));
	if (!err)
		err = begin_with(s, PIN_RL, &rl, sizeof(rl));
	free(cfg);
	return err;
}

/* The maps whose descriptors are given take the place of new ones. */
static int reuse(struct shield *s, const int *fd)
{
	struct bpf_map *m;
	int i, err = 0;

	for (i = 0; i < PINS && !err; i++) {
		if (fd[i] < 0)
			continue;
		m = bpf_object__find_map_by_name(s->obj, kl_pins[i].map);
		err = m ? bpf_map__reuse_fd(m, fd[i]) : -EINVAL;
	}
	return err;
}

/* Pins every map that is not there already, all or none; `suffix` goes behind the names. */
static int pin_all(struct shield *s, const int *have, const char *suffix, const char **why)
{
	char path[512];
	int i, err = 0;

	for (i = 0; i < PINS && !err; i++) {
		if (have && have[i] >= 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", s->dir, kl_pins[i].pin, suffix);
		*why = kl_pins[i].pin;
		if (bpf_obj_pin(bpf_map__fd(bpf_object__find_map_by_name(s->obj, kl_pins[i].map)), path))
			err = -errno;
	}
	if (err)
		for (i -= 2; i >= 0; i--) {
			if (have && have[i] >= 0)
				continue;
			snprintf(path, sizeof(path), "%s/%s%s", s->dir, kl_pins[i].pin, suffix);
			unlink(path);
		}
	return err;
}

/* Nothing is there: everything new. */
static int load_new(struct shield *s, uint32_t sources, uint32_t flows, const char **why)
{
	int err = configure(s, sources, flows, NULL);

	if (!err)
		err = load_flavour(s);
	return err ? err : pin_all(s, NULL, "", why);
}

/* The same ABI runs: every map stays. */
static int load_again(struct shield *s, struct kern *k, uint32_t sources, uint32_t flows)
{
	int err;

	s->sets = k->cfg->sets;
	if ((sources && sets_for(sources) != s->sets) || (flows && sets_for(flows) != k->cfg->flow_sets))
		return -EEXIST;
	err = reuse(s, k->fd);
	return err ? err : load_flavour(s);
}

/* An older ABI runs: its rules stay, the rest is new, and put in place when all of it is there. */
static int load_over(struct shield *s, const struct legacy *l, uint32_t sources, uint32_t flows,
		     const char **why)
{
	int err = configure(s, sources, flows, l);

	if (!err)
		err = reuse(s, l->fd);
	if (!err)
		err = load_flavour(s);
	if (!err)
		err = new_pins_drop(s->dir);
	if (!err)
		err = pin_all(s, l->fd, NEW_PIN, why);
	if (!err)
		err = new_pins_rename(s->dir);
	s->from = l->abi;
	return err;
}

static int find_programs(struct shield *s)
{
	s->prog = bpf_program__fd(bpf_object__find_program_by_name(s->obj, "kl_shield"));
	s->egress = bpf_program__fd(bpf_object__find_program_by_name(s->obj, "kl_egress"));
	return s->prog < 0 || s->egress < 0 ? -EINVAL : 0;
}

static void destroy_file(void *skel)
{
	bpf_object__close(skel);
}

int shield_private(struct shield **out, const char *object, enum flavour f)
{
	struct shield *s = calloc(1, sizeof(*s));
	struct bpf_map *m;
	int err, i;

	if (!s)
		return -ENOMEM;
	libbpf_set_print(keep_log);
	if (object) {
		s->skel = s->obj = bpf_object__open_file(object, NULL);
		s->destroy = destroy_file;
		err = s->obj ? 0 : -errno;
	} else {
		err = open_flavour(s, f);
	}
	if (!err)
		err = configure(s, SOURCES_MIN, 0, NULL);
	for (i = PIN_ALLOW4; i <= PIN_EDGE_LIMIT6 && !err; i++) {
		m = bpf_object__find_map_by_name(s->obj, kl_pins[i].map);
		err = m ? bpf_map__set_max_entries(m, PRIVATE_RULES) : -EINVAL;
	}
	if (!err)
		err = object ? bpf_object__load(s->obj) : load_flavour(s);
	if (!err)
		err = find_programs(s);
	if (err)
		shield_free(s);
	else
		*out = s;
	return err;
}

int shield_load(struct shield **out, const char *dir, uint32_t sources, uint32_t flows, enum flavour f,
		const char **why)
{
	struct shield *s = calloc(1, sizeof(*s));
	struct kern *k = NULL;
	struct legacy l;
	int err, old;

	*why = "";
	if (!s)
		return -ENOMEM;
	libbpf_set_print(keep_log);
	if ((size_t)snprintf(s->dir, sizeof(s->dir), "%s", dir) >= sizeof(s->dir)) {
		err = -ENAMETOOLONG;
		goto out;
	}
	if (mkdir(dir, 0700) && errno != EEXIST) {
		err = -errno;
		goto out;
	}
	err = kern_open(&k, dir, true, why);
	old = err == -EPROTO ? legacy_open(&l, dir, why) : -ENOENT;
	if (err && err != -ENOENT && old)
		goto out;
	s->made = err == -ENOENT;
	*why = "program";
	err = open_flavour(s, f);
	if (!err && !old)
		err = load_over(s, &l, sources, flows, why);
	else if (!err && s->made)
		err = load_new(s, sources, flows, why);
	else if (!err)
		err = load_again(s, k, sources, flows);
	if (!old)
		legacy_close(&l);
	if (!err)
		err = find_programs(s);
out:
	kern_close(k);
	if (err)
		shield_free(s);
	else
		*out = s;
	return err;
}

void shield_free(struct shield *s)
{
	if (s && s->skel)
		s->destroy(s->skel);
	free(s);
}
