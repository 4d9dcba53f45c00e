/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table: against a linear search, in order, swept, and its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../lib/base/table.h"

struct entry {
	struct prefix key;
	uint32_t v;
	char rest[79];		/* 100 bytes in all, as a source's state */
};

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* The i-th key of a family of distinct ones; its length takes part. */
static struct prefix key(uint32_t i)
{
	struct prefix x = { .len = (uint8_t)(128 - i % 3) };

	memset(x.a + 10, 0xff, 2);
	memcpy(x.a + 12, &i, 4);
	return x;
}

static void finds_what_was_put(void **state)
{
	struct table t;
	uint32_t i, n = 5000;
	struct prefix k;
	struct entry *e;

	table_init(&t, sizeof(*e));
	k = key(0);
	assert_null(table_find(&t, &k));
	for (i = 0; i < n; i++) {
		k = key(i);
		assert_null(table_find(&t, &k));
		e = table_get(&t, &k);
		assert_true(prefix_eq(&e->key, &k));
		assert_int_equal(e->v, 0);
		e->v = i + 1;
	}
	assert_int_equal(t.n, n);
	for (i = 0; i < 4 * n; i++) {
		uint32_t j = (uint32_t)(rnd() % (2 * n));

		k = key(j);
		e = table_find(&t, &k);
		assert_true(j < n ? e && e->v == j + 1 : !e);
		if (j < n)
			assert_ptr_equal(table_get(&t, &k), e);
	}
	assert_int_equal(t.n, n);
	k = key(7);
	k.len--;		/* the same address, another length */
	assert_null(table_find(&t, &k));
	table_free(&t);
	assert_null(table_find(&t, &k));
}

static void stays_in_order(void **state)
{
	struct table t;
	struct prefix k;
	uint32_t i, round;

	table_init(&t, sizeof(struct entry));
	for (i = 0; i < 1000; i++) {
		k = key(i * 7919u);
		((struct entry *)table_get(&t, &k))->v = i;
	}
	for (i = 0; i < 1000; i++)
		assert_int_equal(((struct entry *)table_at(&t, i))->v, i);
	/* in order, so that each is guessed from the one before; wraps round */
	for (round = 0; round < 2; round++)
		for (i = 0; i < 1000; i++) {
			k = key(i * 7919u);
			assert_ptr_equal(table_find(&t, &k), table_at(&t, i));
			assert_int_equal(t.last, i);
		}
	table_clear(&t);
	assert_int_equal(t.n, 0);
	k = key(7919);
	assert_null(table_find(&t, &k));
	table_get(&t, &k);
	assert_int_equal(t.n, 1);
	table_free(&t);
}

static int is_multiple(void *entry, void *arg)
{
	return ((struct entry *)entry)->v % *(uint32_t *)arg == 0;
}

static void sweeps(void **state)
{
	uint32_t i, by = 3, last = 0;
	size_t n = 0, cap;
	struct prefix k;
	struct table t;

	table_init(&t, sizeof(struct entry));
	for (i = 0; i < 10000; i++) {
		k = key(i);
		((struct entry *)table_get(&t, &k))->v = i;
	}
	table_sweep(&t, is_multiple, &by);
	for (i = 0; i < 10000; i++) {
		struct entry *e;

		k = key(i);
		e = table_find(&t, &k);
		assert_true(i % 3 ? e && e->v == i : !e);
		n += i % 3 != 0;
	}
	assert_int_equal(t.n, n);
	for (i = 0; i < t.n; i++) {
		uint32_t v = ((struct entry *)table_at(&t, i))->v;

		assert_true(v > last);
		last = v;
	}
	n = t.slots;
	cap = t.cap;
	by = 1;
	table_sweep(&t, is_multiple, &by);
	assert_int_equal(t.n, 0);
	assert_true(t.slots < n && t.cap < cap);	/* a flood's memory is given back */
	k = key(4);
	assert_null(table_find(&t, &k));
	table_get(&t, &k);
	assert_non_null(table_find(&t, &k));
	table_free(&t);
}

/* What a sweep leaves behind the last entry is not taken for an entry. */
static void forgets_the_swept(void **state)
{
	struct prefix a = key(1), b = key(2);
	uint32_t by = 2;
	struct table t;

	table_init(&t, sizeof(struct entry));
	((struct entry *)table_get(&t, &a))->v = 1;
	((struct entry *)table_get(&t, &b))->v = 2;
	table_sweep(&t, is_multiple, &by);
	assert_non_null(table_find(&t, &a));
	assert_null(table_find(&t, &b));
	table_free(&t);
}

static void other_seeds(void **state)
{
	struct table a, b;

	table_init(&a, sizeof(struct entry));
	table_init(&b, sizeof(struct entry));
	assert_true(a.seed != b.seed);
}

static size_t resident(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	size_t kb = 0, n = strlen(field);

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, n))
			sscanf(line + n, " %zu", &kb);
	fclose(f);
	return kb * 1024;
}

/* A million entries of 100 bytes: 128 a source in all, while growing too. */
static void memory(void **state)
{
	size_t was __attribute__((unused)) = resident("VmRSS:"), n = 1000000;
	struct prefix k;
	struct table t;
	uint32_t i;

	table_init(&t, sizeof(struct entry));
	for (i = 0; i < n; i++) {
		k = key(i * 2654435761u);
		table_get(&t, &k);
	}
	assert_int_equal(t.n, n);
#ifndef __SANITIZE_ADDRESS__
	assert_true(resident("VmHWM:") - was < n * 128);
#endif
	table_free(&t);
#ifndef __SANITIZE_ADDRESS__
	assert_true(resident("VmRSS:") < was + (8 << 20));
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory), cmocka_unit_test(finds_what_was_put), cmocka_unit_test(stays_in_order),
		cmocka_unit_test(sweeps), cmocka_unit_test(forgets_the_swept), cmocka_unit_test(other_seeds),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
