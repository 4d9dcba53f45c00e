/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries lie in one mapping that mremap() lengthens without copying, and the
 * index is thrown away before a larger one is made from the entries: memory
 * peaks where it ends. Linear probing, at most 5/8 full. What a slot's number
 * leaves free holds bits of the hash, so that few entries but the right one
 * are touched.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "die.h"
#include "table.h"

#define FIRST 64		/* slots of the first index */

static size_t room(size_t slots)
{
	return slots / 8 * 5;
}

static uint64_t fold(uint64_t x, uint64_t y)
{
	__extension__ unsigned __int128 z = (unsigned __int128)x * y;

	return (uint64_t)z ^ (uint64_t)(z >> 64);
}

static uint64_t hash_of(const struct table *t, const struct prefix *key)
{
	uint64_t hi, lo;

	memcpy(&hi, key->a, 8);
	memcpy(&lo, key->a + 8, 8);
	hi = fold(hi ^ t->seed, lo ^ 0x9e3779b97f4a7c15u ^ (t->seed << 32 | t->seed >> 32));
	return fold(hi ^ key->len, 0xd1b54a32d192ed03u);
}

/* The bits of a slot that number an entry; those above are of its hash. */
static uint32_t number_bits(const struct table *t)
{
	return (uint32_t)(t->slots - 1);
}

static uint32_t slot_value(const struct table *t, size_t i, uint64_t hash)
{
	return (uint32_t)(i + 1) | ((uint32_t)(hash >> 32) & ~number_bits(t));
}

static void *map(void *old, size_t was, size_t n)
{
	void *p = old ? mremap(old, was, n, MREMAP_MAYMOVE)
		      : mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die(KL_SYSTEM, "out of memory for a table of %zu bytes: %s", n, strerror(errno));
	return p;
}

static void index_make(struct table *t, size_t slots)
{
	uint64_t hash;
	size_t i, s;

	if (t->index && t->slots == slots) {
		memset(t->index, 0, slots * sizeof(*t->index));
	} else {
		if (t->index)
			munmap(t->index, t->slots * sizeof(*t->index));
		t->index = NULL;
		t->index = map(NULL, 0, slots * sizeof(*t->index));
		t->slots = slots;
	}
	for (i = 0; i < t->n; i++) {
		hash = hash_of(t, table_at(t, i));
		for (s = hash & (slots - 1); t->index[s]; s = (s + 1) & (slots - 1))
			;
		t->index[s] = slot_value(t, i, hash);
	}
}

static void entries_fit(struct table *t, size_t cap)
{
	t->entry = map(t->entry, t->cap * t->size, cap * t->size);
	t->cap = cap;
}

void table_init(struct table *t, size_t size)
{
	*t = (struct table){ .size = size };
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		die(KL_SYSTEM, "cannot draw a random seed: %s", strerror(errno));
}

void table_free(struct table *t)
{
	if (t->entry)
		munmap(t->entry, t->cap * t->size);
	if (t->index)
		munmap(t->index, t->slots * sizeof(*t->index));
	*t = (struct table){ .size = t->size, .seed = t->seed };
}

void table_clear(struct table *t)
{
	t->n = t->last = 0;
	if (t->index)
		memset(t->index, 0, t->slots * sizeof(*t->index));
}

/* The slot that holds key's entry number, or the empty one where it belongs. */
static size_t probe(const struct table *t, const struct prefix *key, uint64_t hash)
{
	uint32_t number = number_bits(t), bits = (uint32_t)(hash >> 32) & ~number, v;
	size_t s;

	for (s = hash & (t->slots - 1); (v = t->index[s]); s = (s + 1) & (t->slots - 1))
		if ((v & ~number) == bits && prefix_eq(table_at(t, (v & number) - 1), key))
			break;
	return s;
}

/* The entry behind the one found last, when it is key's. */
static void *guess(struct table *t, const struct prefix *key)
{
	size_t next = t->last + 1 < t->n ? t->last + 1 : 0;

	if (!t->n || !prefix_eq(table_at(t, next), key))
		return NULL;
	t->last = next;
	return table_at(t, next);
}

void *table_find(struct table *t, const struct prefix *key)
{
	void *e = guess(t, key);
	uint32_t i;

	if (e || !t->n)
		return e;
	i = t->index[probe(t, key, hash_of(t, key))];
	if (!i)
		return NULL;
	t->last = (i & number_bits(t)) - 1;
	return table_at(t, t->last);
}

void *table_get(struct table *t, const struct prefix *key)
{
	void *e = guess(t, key);
	uint64_t hash;
	size_t s;

	if (e)
		return e;
	if (!t->index)
		index_make(t, FIRST);
	hash = hash_of(t, key);
	s = probe(t, key, hash);
	if (t->index[s]) {
		t->last = (t->index[s] & number_bits(t)) - 1;
		return table_at(t, t->last);
	}
	if (t->n >= UINT32_MAX - 1)
		die(KL_SYSTEM, "a table is full at %zu entries", t->n);
	if (t->n == room(t->slots)) {
		index_make(t, t->slots * 2);
		s = probe(t, key, hash);
	}
	if (t->n == t->cap)
		entries_fit(t, t->cap ? t->cap + t->cap / 4 : FIRST);
	e = table_at(t, t->n);
	memset(e, 0, t->size);
	memcpy(e, key, sizeof(*key));
	t->last = t->n;
	t->index[s] = slot_value(t, t->n, hash);
	t->n++;
	return e;
}

void table_sweep(struct table *t, int (*drop)(void *entry, void *arg), void *arg)
{
	size_t i, kept = 0, slots = t->slots;

	for (i = 0; i < t->n; i++) {
		if (drop(table_at(t, i), arg))
			continue;
		if (kept != i)
			memcpy(table_at(t, kept), table_at(t, i), t->size);
		kept++;
	}
	if (kept == t->n)
		return;
	t->n = kept;
	t->last = 0;
	/* What a flood of sources took goes back to the system when it is over. */
	while (slots > FIRST && kept < room(slots) / 4)
		slots /= 2;
	if (slots < t->slots)
		entries_fit(t, kept + kept / 4 + FIRST);
	index_make(t, slots);
}
