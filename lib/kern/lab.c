/* SPDX-License-Identifier: BSD-2-Clause */
/* The bench: a private instance, its tables mapped for writing. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kern.h"
#include "lab.h"
#include "rulekey.h"
#include "shield.h"

struct lab {
	struct shield *s;
	struct kern *k;
	uint8_t *map[PINS];	/* arrays, mapped; NULL: not one */
	size_t size[PINS];
	uint8_t *bss;
	size_t bss_size;
	uint64_t *budget, *surge_tat;	/* in bss */
	uint8_t *shakes;	/* and the answers to SYNs */
	uint32_t *surge_cells;	/* of all sets */
	size_t shakes_size, surge_size;
	uint32_t sets[2], flow_sets[2];
	bool talked, full, surged;	/* conversations may be kept; the tables are full; cells used */
	void *zeros;		/* a value for every CPU of the largest map that has them */
};

static void *map_fd(int fd, size_t *size)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	void *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return NULL;
	*size = (size_t)((info.value_size + 7) & ~7u) * info.max_entries;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* The object's maps as an instance. */
static int instance(struct lab *l)
{
	struct bpf_map_info info;
	struct bpf_map *m;
	uint32_t len;
	size_t size;
	int i;

	l->k = calloc(1, sizeof(*l->k));
	if (!l->k)
		return -ENOMEM;
	l->k->dir = -1;
	l->k->write = true;
	for (i = 0; i < PINS; i++)
		l->k->fd[i] = -1;
	for (i = 0; i < PINS; i++) {
		m = bpf_object__find_map_by_name(l->s->obj, kl_pins[i].map);
		if (!m)
			return -EINVAL;
		l->k->fd[i] = fcntl(bpf_map__fd(m), F_DUPFD_CLOEXEC, 3);
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (l->k->fd[i] < 0 || bpf_obj_get_info_by_fd(l->k->fd[i], &info, &len))
			return -errno;
		if (info.key_size != kl_pins[i].key || info.value_size != kl_pins[i].value)
			return -EPROTO;
		l->k->max[i] = info.max_entries;
		if (i < PIN_TAGS4 || i > PIN_CONNS)
			continue;
		l->map[i] = map_fd(l->k->fd[i], &l->size[i]);
		if (!l->map[i])
			return -errno;
	}
	l->k->cfg = map_fd(l->k->fd[PIN_CFG], &size);
	l->k->rl = map_fd(l->k->fd[PIN_RL], &size);
	l->k->edge[0] = map_fd(l->k->fd[PIN_EDGE4_CFG], &size);
	l->k->edge[1] = map_fd(l->k->fd[PIN_EDGE6_CFG], &size);
	return l->k->cfg && l->k->rl && l->k->edge[0] && l->k->edge[1] ? 0 : -errno;
}

/* The packet path's own memory; where in it what is, its type information tells. */
static int own_memory(struct lab *l)
{
	struct bpf_map *m = bpf_object__find_map_by_name(l->s->obj, ".bss");
	const struct btf *btf = bpf_object__btf(l->s->obj);
	int sec = btf ? btf__find_by_name_kind(btf, ".bss", BTF_KIND_DATASEC) : -1, i;
	const struct btf_var_secinfo *v;
	const struct btf_type *t;
	const char *name;

	if (!m || sec < 0)
		return -EINVAL;
	l->bss = map_fd(bpf_map__fd(m), &l->bss_size);
	if (!l->bss)
		return -errno;
	t = btf__type_by_id(btf, (uint32_t)sec);
	v = btf_var_secinfos(t);
	for (i = 0; i < btf_vlen(t); i++, v++) {
		name = btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off);
		if (!strcmp(name, "essential_tat"))
			l->budget = (uint64_t *)(l->bss + v->offset);
		if (!strcmp(name, "shakes")) {
			l->shakes = l->bss + v->offset;
			l->shakes_size = v->size;
		}
		if (!strcmp(name, "surge_tat"))
			l->surge_tat = (uint64_t *)(l->bss + v->offset);
	}
	if (!l->budget || !l->shakes || !l->surge_tat)
		return -EINVAL;
	m = bpf_object__find_map_by_name(l->s->obj, "surge_sets");
	if (!m)
		return -EINVAL;
	l->surge_cells = map_fd(bpf_map__fd(m), &l->surge_size);
	return l->surge_cells ? 0 : -errno;
}

int lab_open(struct lab **out, const char *object, enum flavour f)
{
	struct lab *l = calloc(1, sizeof(*l));
	int err = l ? 0 : -ENOMEM, cpus = libbpf_num_possible_cpus(), i;

	if (!err)
		err = cpus < 0 ? cpus : shield_private(&l->s, object, f);
	if (!err)
		err = instance(l);
	if (!err)
		err = own_memory(l);
	if (!err) {
		l->zeros = calloc((size_t)cpus, sizeof(struct kl_hist));
		err = l->zeros ? 0 : -ENOMEM;
	}
	if (err) {
		lab_close(l);
		return err;
	}
	for (i = 0; i < 2; i++) {
		l->sets[i] = l->k->max[i ? PIN_TAGS6 : PIN_TAGS4];
		l->flow_sets[i] = l->k->max[i ? PIN_FLOW_TAGS6 : PIN_FLOW_TAGS4];
	}
	l->k->cfg->hz = LAB_HZ;
	l->talked = l->full = true;
	*out = l;
	return 0;
}

void lab_close(struct lab *l)
{
	int i;

	if (!l)
		return;
	for (i = 0; i < PINS; i++)
		if (l->map[i])
			munmap(l->map[i], l->size[i]);
	if (l->bss)
		munmap(l->bss, l->bss_size);
	if (l->surge_cells)
		munmap(l->surge_cells, l->surge_size);
	kern_close(l->k);
	shield_free(l->s);
	free(l->zeros);
	free(l);
}

struct kern *lab_kern(struct lab *l)
{
	return l->k;
}

static int tag_of_fd(int fd, const char **tag)
{
	static char text[2][2 * BPF_TAG_SIZE + 1];
	static int turn;
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int i;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	turn = !turn;
	for (i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(text[turn] + 2 * i, 3, "%02x", info.tag[i]);
	*tag = text[turn];
	return 0;
}

const char *lab_tag(struct lab *l)
{
	const char *tag = "";

	return tag_of_fd(l->s->prog, &tag) ? "" : tag;
}

static int first(void *arg, const struct link *l)
{
	*(uint32_t *)arg = l->prog;
	return 1;
}

int lab_running_tag(const char *dir, const char **tag)
{
	uint32_t id = 0;
	int err = link_walk(dir, first, &id), fd;

	if (err < 0)
		return err;
	if (!id)
		return -ENOENT;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return -errno;
	err = tag_of_fd(fd, tag);
	close(fd);
	return err;
}

/* A used place holds what its tag says: where no tag is, the rest is of no account. Full: every place is
 * used, by nobody, and was twice, so that none gives way. */
int lab_clear(struct lab *l, bool full, bool spent)
{
	static const int tags[] = { PIN_TAGS4, PIN_TAGS6, PIN_FLOW_TAGS4, PIN_FLOW_TAGS6 };
	uint32_t zero = 0;
	int i;

	for (i = 0; i < 4; i++) {
		memset(l->map[tags[i]], full ? 0xff : 0, l->size[tags[i]]);
		if (full)
			memset(l->map[tags[i] + 1], 0xff, l->size[tags[i] + 1]);
	}
	if (l->talked) {
		memset(l->map[PIN_CONNS], 0, l->size[PIN_CONNS]);
		memset(l->shakes, 0, l->shakes_size);
	}
	if (full || l->full)
		memset(l->bss, 0, l->bss_size);
	if (l->surged)
		memset(l->surge_cells, 0, l->surge_size);
	memset(l->surge_tat, 0, 4 * sizeof(*l->surge_tat));
	l->full = full;
	l->talked = l->surged = false;
	*l->budget = spent ? UINT64_MAX / 2 : 0;
	if (bpf_map_update_elem(l->k->fd[PIN_TOTALS], &zero, l->zeros, 0) ||
	    bpf_map_update_elem(l->k->fd[PIN_HIST], &zero, l->zeros, 0))
		return -errno;
	return 0;
}

int lab_put(struct lab *l, enum kl_table t, const struct rule *r)
{
	uint8_t key[RULE_KEY], value[sizeof(union value)];
	int pin = rule_pin(t, &r->x);

	rule_key_put(pin, r, key);
	rule_value_put(pin, r, value);
	return bpf_map_update_elem(l->k->fd[pin], key, value, 0) ? -errno : 0;
}

int lab_in(struct lab *l, const void *frame, size_t n, bool *pass)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = (uint32_t)n, .repeat = 1);

	l->talked = true;	/* of fragments */
	l->surged |= !!(l->k->cfg->features & KL_F_SURGE);
	if (bpf_prog_test_run_opts(l->s->prog, &o))
		return -errno;
	*pass = o.retval == XDP_PASS;
	return o.retval == XDP_PASS || o.retval == XDP_DROP ? 0 : -EBADMSG;
}

int lab_out(struct lab *l, const void *frame, size_t n, unsigned segs)
{
	struct __sk_buff skb = { .gso_segs = segs };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = (uint32_t)n, .repeat = 1,
		    .ctx_in = &skb, .ctx_size_in = sizeof(skb));

	l->talked = true;
	if (bpf_prog_test_run_opts(l->s->egress, &o))
		return -errno;
	return (int32_t)o.retval == -1 ? 0 : -EBADMSG;	/* TC_ACT_UNSPEC: it passes everything */
}

static void older(uint64_t *tat, unsigned seconds)
{
	uint64_t by = (uint64_t)seconds * LAB_HZ << 20;

	*tat = *tat > by ? *tat - by : 0;
}

void lab_pass(struct lab *l, unsigned seconds)
{
	uint32_t j = seconds * LAB_HZ;
	struct kl_flow_cold *fc;
	struct kl_cold *cold;
	struct kl_conn *c;
	struct kl_flow *f;
	struct kl_src *s;
	size_t i;
	int six;

	for (six = 0; six < 2; six++) {
		s = (struct kl_src *)l->map[six ? PIN_SRC6 : PIN_SRC4];
		cold = (struct kl_cold *)l->map[six ? PIN_COLD6 : PIN_COLD4];
		for (i = 0; i < (size_t)l->sets[six] * KL_WAYS; i++) {
			older((uint64_t *)&s[i].tat, seconds);
			s[i].until_j -= j;
			cold[i].seen_j -= j;
		}
		f = (struct kl_flow *)l->map[six ? PIN_FLOW6 : PIN_FLOW4];
		fc = (struct kl_flow_cold *)l->map[six ? PIN_FLOW_COLD6 : PIN_FLOW_COLD4];
		for (i = 0; i < (size_t)l->flow_sets[six] * KL_WAYS; i++) {
			older((uint64_t *)&fc[i].tat, seconds);
			f[i].until_j -= j;
		}
	}
	for (i = 0; i < 4; i++)
		older(&l->surge_tat[i], seconds);
	for (i = 0; l->surged && i < l->surge_size / sizeof(*l->surge_cells); i++)
		if (l->surge_cells[i])	/* eighths of a second in the lowest bits */
			l->surge_cells[i] = (l->surge_cells[i] & ~2047u) |
					    ((l->surge_cells[i] - 8 * seconds) & 2047);
	c = (struct kl_conn *)l->map[PIN_CONNS];
	for (i = 0; i < KL_CONN_SETS * KL_WAYS; i++)
		c[i].until = c[i].until > j >> 8 ? c[i].until - (j >> 8) : 0;
}

/* The next used place at or behind i, of both families one after the other. */
static bool next(const uint64_t *four, const uint64_t *six, const uint32_t *sets, size_t *i)
{
	size_t n4 = (size_t)sets[0] * KL_WAYS, n = n4 + (size_t)sets[1] * KL_WAYS, at;
	uint64_t word;

	for (; *i < n; ++*i) {
		at = *i < n4 ? *i : *i - n4;
		word = (*i < n4 ? four : six)[at / KL_WAYS];
		if (!word)
			*i += KL_WAYS - 1 - at % KL_WAYS;
		else if (word >> at % KL_WAYS * 8 & 0x7f)
			return true;
	}
	return false;
}

const struct kl_src *lab_src(struct lab *l, size_t *i, const struct kl_cold **cold)
{
	size_t n4 = (size_t)l->sets[0] * KL_WAYS, at;
	bool six;

	if (!next((uint64_t *)l->map[PIN_TAGS4], (uint64_t *)l->map[PIN_TAGS6], l->sets, i))
		return NULL;
	six = *i >= n4;
	at = six ? *i - n4 : *i;
	++*i;
	*cold = (struct kl_cold *)l->map[six ? PIN_COLD6 : PIN_COLD4] + at;
	return (struct kl_src *)l->map[six ? PIN_SRC6 : PIN_SRC4] + at;
}

const struct kl_flow *lab_flow(struct lab *l, size_t *i)
{
	size_t n4 = (size_t)l->flow_sets[0] * KL_WAYS, at;
	bool six;

	if (!next((uint64_t *)l->map[PIN_FLOW_TAGS4], (uint64_t *)l->map[PIN_FLOW_TAGS6], l->flow_sets, i))
		return NULL;
	six = *i >= n4;
	at = six ? *i - n4 : *i;
	++*i;
	return (struct kl_flow *)l->map[six ? PIN_FLOW6 : PIN_FLOW4] + at;
}
