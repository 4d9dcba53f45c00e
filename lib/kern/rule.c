/* SPDX-License-Identifier: BSD-2-Clause */
/* The rule tables: one call for hash and prefix maps of both families, in batches. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kern.h"
#include "rulekey.h"

#define BATCH 8192

/* Kernel value of "operation not supported" that libbpf hands through. */
#define ENOTSUPP 524

const char *kern_map_name(enum kl_table t, const struct prefix *x)
{
	return kl_pins[rule_pin(t, x)].pin;
}

uint32_t kern_map_max(struct kern *k, enum kl_table t, const struct prefix *x)
{
	return k->max[rule_pin(t, x)];
}

/* ---- generations and features ---- */

static const uint32_t pin_feature[PINS] = {
	[PIN_ALLOW4] = KL_F_ALLOW,	   [PIN_ALLOW6] = KL_F_ALLOW,
	[PIN_DENY4] = KL_F_DENY,	   [PIN_DENY6] = KL_F_DENY,
	[PIN_DENY4_LPM] = KL_F_DENY_LPM,   [PIN_DENY6_LPM] = KL_F_DENY_LPM,
	[PIN_LIMIT4] = KL_F_LIMIT,	   [PIN_LIMIT6] = KL_F_LIMIT,
	[PIN_LIMIT4_LPM] = KL_F_LIMIT_LPM, [PIN_LIMIT6_LPM] = KL_F_LIMIT_LPM,
};
static const uint32_t pin_edge[PINS] = {
	[PIN_EDGE_ALLOW4] = KL_EPOL_ALLOW, [PIN_EDGE_ALLOW6] = KL_EPOL_ALLOW,
	[PIN_EDGE_DENY4] = KL_EPOL_DENY,   [PIN_EDGE_DENY6] = KL_EPOL_DENY,
	[PIN_EDGE_LIMIT4] = KL_EPOL_LIMIT, [PIN_EDGE_LIMIT6] = KL_EPOL_LIMIT,
};
#define TABLE_FEATURES (KL_F_ALLOW | KL_F_DENY | KL_F_DENY_LPM | KL_F_LIMIT | KL_F_LIMIT_LPM | KL_F_SRC6_FINE)

/* An IPv6 rule longer than /64 stands in the way of judging a /64 once. */
static bool is_fine(const struct prefix *x)
{
	return !prefix_is4(x) && x->len > 64;
}

/* Has records of that address, or of all, judged anew. Called after the table changed. */
static void bump(struct kern *k, int pin, const struct prefix *x)
{
	uint64_t w[2];

	if (pin_edge[pin]) {
		__atomic_fetch_add(&k->edge[!rule_is4(pin)]->gen, 1, __ATOMIC_SEQ_CST);
		return;
	}

	memcpy(w, x->a, sizeof(w));
	if (x->len < 64 || (prefix_is4(x) && x->len < 128))
		__atomic_fetch_add(&k->cfg->gen_all, 1, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_add(&k->cfg->gen[kl_gen_cell(w[0], w[1])], 1, __ATOMIC_SEQ_CST);
}

/* Recomputes the feature bits that say which tables hold entries. */
static void features(struct kern *k)
{
	uint32_t have = 0, fine = 0, was = k->cfg->features, edges[2] = { 0 };
	uint8_t key[RULE_KEY];
	int i;

	for (i = 0; i < PINS; i++) {
		if (!(pin_feature[i] | pin_edge[i]) || bpf_map_get_next_key(k->fd[i], NULL, key))
			continue;
		have |= pin_feature[i];
		edges[!rule_is4(i)] |= pin_edge[i];
		if (pin_feature[i] && !rule_is4(i))
			fine = was & KL_F_SRC6_FINE;	/* may still hold long ones: it stays */
	}
	have |= fine;
	__atomic_fetch_or(&k->cfg->features, have, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&k->cfg->features, ~(TABLE_FEATURES & ~have), __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		if (k->edge[i]->has != edges[i])
			k->edge[i]->has = edges[i];
}

/* ---- writing ---- */

/* Writes n keys (and values) of one map. Returns how many went in, *err why not all. */
static size_t write_batch(int fd, int pin, uint8_t *keys, uint8_t *values, size_t n, int *err)
{
	uint32_t count = (uint32_t)n, done;
	size_t i;

	if (!rule_is_lpm(pin)) {
		if (!bpf_map_update_batch(fd, keys, values, &count, NULL))
			return n;
		*err = errno;
		if (*err != ENOTSUPP && *err != EINVAL)
			return count;
	}
	done = rule_is_lpm(pin) ? 0 : count < n ? count : 0;
	for (i = done; i < n; i++)
		if (bpf_map_update_elem(fd, keys + i * kl_pins[pin].key,
					values + i * kl_pins[pin].value, 0)) {
			*err = errno;
			return i;
		}
	return n;
}

size_t kern_put(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err)
{
	uint8_t *keys = malloc(BATCH * RULE_KEY), *values = malloc(BATCH * sizeof(union value));
	uint32_t feature = 0;
	size_t i = 0, m, j, in;
	int pin;

	*err = 0;
	if (!keys || !values) {
		*err = ENOMEM;
		goto out;
	}
	while (i < n) {
		pin = rule_pin(t, &r[i].x);
		for (m = 0; m < BATCH && i + m < n && rule_pin(t, &r[i + m].x) == pin; m++) {
			rule_key_put(pin, &r[i + m], keys + m * kl_pins[pin].key);
			rule_value_put(pin, &r[i + m], values + m * kl_pins[pin].value);
			if (!is_edge(t) && is_fine(&r[i + m].x))
				feature |= KL_F_SRC6_FINE;
		}
		in = write_batch(k->fd[pin], pin, keys, values, m, err);
		if (in && !is_edge(t))
			__atomic_fetch_or(&k->cfg->features, feature | pin_feature[pin], __ATOMIC_SEQ_CST);
		if (in && is_edge(t))
			__atomic_fetch_or(&k->edge[!rule_is4(pin)]->has, pin_edge[pin], __ATOMIC_SEQ_CST);
		for (j = 0; j < (is_edge(t) && in ? 1 : in); j++)
			bump(k, pin, &r[i + j].x);
		i += in;
		if (in < m)
			break;
	}
out:
	free(keys);
	free(values);
	return i;
}

/* Removes n keys of one map; absent ones count as removed. Returns how many, *err why not all. */
static size_t delete_batch(int fd, int pin, uint8_t *keys, size_t n, int *err)
{
	unsigned size = kl_pins[pin].key;
	size_t i = 0;
	uint32_t count;

	while (i < n && !rule_is_lpm(pin)) {
		count = (uint32_t)(n - i);
		if (!bpf_map_delete_batch(fd, keys + i * size, &count, NULL))
			return n;
		if (errno != ENOENT)
			break;
		i += count + 1;		/* it stops at a key that is not there */
	}
	for (; i < n; i++)
		if (bpf_map_delete_elem(fd, keys + i * size) && errno != ENOENT) {
			*err = errno;
			break;
		}
	return i;
}

size_t kern_del(struct kern *k, enum kl_table t, const struct rule *r, size_t n, int *err)
{
	uint8_t *keys = malloc(BATCH * RULE_KEY);
	size_t i = 0, m, j, done;
	int pin;

	*err = keys ? 0 : ENOMEM;
	while (keys && i < n) {
		pin = rule_pin(t, &r[i].x);
		for (m = 0; m < BATCH && i + m < n && rule_pin(t, &r[i + m].x) == pin; m++)
			rule_key_put(pin, &r[i + m], keys + m * kl_pins[pin].key);
		done = delete_batch(k->fd[pin], pin, keys, m, err);
		for (j = 0; j < (is_edge(t) && done ? 1 : done); j++)
			bump(k, pin, &r[i + j].x);
		i += done;
		if (done < m)
			break;
	}
	free(keys);
	features(k);
	return i;
}

/* ---- reading ---- */

int kern_find(struct kern *k, enum kl_table t, const struct rule *want, struct rule *out)
{
	const struct prefix *x = &want->x;
	int pin = rule_pin(t, x);
	uint8_t key[RULE_KEY], value[sizeof(union value)];
	union value v;

	rule_key_put(pin, want, key);
	if (bpf_map_lookup_elem(k->fd[pin], key, value))
		return errno == ENOENT ? 0 : -errno;
	if (rule_is_lpm(pin)) {		/* the longest match: is it this very prefix? */
		memcpy(&v, value, kl_pins[pin].value);
		if ((kl_pins[pin].value == sizeof(struct kl_limit) ? v.limit.plen : v.rule.plen) !=
		    x->len - (rule_is4(pin) ? 96u : 0u))
			return 0;
	}
	*out = *want;
	rule_value_get(pin, value, out);
	return 1;
}

/* Kernels before 5.12 read prefix maps only key by key. */
static int walk_slow(int fd, int pin, int (*each)(void *, const struct rule *), void *arg)
{
	uint8_t key[RULE_KEY], next[RULE_KEY], value[sizeof(union value)];
	bool first = true;
	struct rule r;
	int ret;

	while (!bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		first = false;
		memcpy(key, next, kl_pins[pin].key);
		if (bpf_map_lookup_elem(fd, key, value))
			continue;	/* removed in between */
		rule_key_get(pin, key, &r);
		rule_value_get(pin, value, &r);
		ret = each(arg, &r);
		if (ret)
			return ret;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int walk_map(int fd, int pin, int (*each)(void *, const struct rule *), void *arg)
{
	uint32_t size = BATCH, count, i;
	uint8_t *keys = NULL, *values = NULL, in[RULE_KEY], out[RULE_KEY];
	bool first = true, last = false;
	struct rule r;
	int ret = 0;

	while (!last && !ret) {
		if (!keys) {
			keys = malloc((size_t)size * RULE_KEY);
			values = malloc((size_t)size * sizeof(union value));
			if (!keys || !values) {
				ret = -ENOMEM;
				break;
			}
		}
		count = size;
		if (bpf_map_lookup_batch(fd, first ? NULL : in, out, keys, values, &count, NULL)) {
			if (errno == ENOSPC) {		/* a bucket larger than the buffer */
				size *= 2;
				free(keys);
				free(values);
				keys = values = NULL;
				continue;
			}
			if (first && (errno == ENOTSUPP || errno == EINVAL)) {
				ret = walk_slow(fd, pin, each, arg);
				break;
			}
			if (errno != ENOENT) {
				ret = -errno;
				break;
			}
			last = true;
		}
		first = false;
		memcpy(in, out, sizeof(in));
		for (i = 0; i < count && !ret; i++) {
			rule_key_get(pin, keys + (size_t)i * kl_pins[pin].key, &r);
			rule_value_get(pin, values + (size_t)i * kl_pins[pin].value, &r);
			ret = each(arg, &r);
		}
	}
	free(keys);
	free(values);
	return ret;
}

int kern_walk(struct kern *k, enum kl_table t, int (*each)(void *arg, const struct rule *r), void *arg)
{
	static const int pins[KL_TABLES][5] = {
		[KL_ALLOW] = { PIN_ALLOW4, PIN_ALLOW6, -1 },
		[KL_DENY] = { PIN_DENY4, PIN_DENY4_LPM, PIN_DENY6, PIN_DENY6_LPM, -1 },
		[KL_LIMIT] = { PIN_LIMIT4, PIN_LIMIT4_LPM, PIN_LIMIT6, PIN_LIMIT6_LPM, -1 },
		[KL_EDGE_ALLOW] = { PIN_EDGE_ALLOW4, PIN_EDGE_ALLOW6, -1 },
		[KL_EDGE_DENY] = { PIN_EDGE_DENY4, PIN_EDGE_DENY6, -1 },
		[KL_EDGE_LIMIT] = { PIN_EDGE_LIMIT4, PIN_EDGE_LIMIT6, -1 },
	};
	int i, ret = 0;

	for (i = 0; pins[t][i] >= 0 && !ret; i++)
		ret = walk_map(k->fd[pins[t][i]], pins[t][i], each, arg);
	return ret;
}
