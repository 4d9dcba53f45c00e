/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table whose entries begin with a struct prefix and lie densely in
 * insertion order, so that walking them is walking an array, and rows that
 * come in last time's order are found by looking at the next entry.
 * Entries move when the table grows or is swept: keep indices, not pointers.
 */
#ifndef KL_TABLE_H
#define KL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct table {
	unsigned char *entry;	/* n entries of size bytes; entry i at i*size */
	size_t   size, n, cap;
	uint32_t *index;	/* slots entry numbers + 1, bits of the hash above; 0 empty */
	size_t   slots;		/* a power of two */
	size_t   last;		/* the entry found last */
	uint64_t seed;
};

/* size: bytes an entry, >= 17, the prefix first. Nothing is allocated yet. */
void table_init(struct table *t, size_t size);
void table_free(struct table *t);
void table_clear(struct table *t);		/* forgets all entries, keeps memory */

/* The entry of that key, or NULL. */
void *table_find(struct table *t, const struct prefix *key);
/* The entry of that key, made zeroed when there is none. Never NULL: ends the
 * command when memory is out or 2^32-2 entries are reached. */
void *table_get(struct table *t, const struct prefix *key);
/* Removes every entry for which drop(entry, arg) is true; order is kept. */
void table_sweep(struct table *t, int (*drop)(void *entry, void *arg), void *arg);

static inline void *table_at(const struct table *t, size_t i)
{
	return t->entry + i * t->size;
}

#endif
