/* SPDX-License-Identifier: BSD-2-Clause */
/* All settings of schemas/setting.tsv, what each was set to, and by what. */
#ifndef KL_CONF_STORE_H
#define KL_CONF_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"

enum rank {			/* what is set by a higher one stays */
	RANK_DEFAULT, RANK_PROFILE, RANK_CONF, RANK_PACK,
};

struct setting {
	const char *key, *type, *dflt;	/* as in setting.tsv */
	char *value;		/* NULL: not set; ours */
	enum rank rank;
	struct place from;	/* of value */
	unsigned order;		/* which came later has the higher one */
};

struct store {
	struct setting *settings;
	size_t n;
	unsigned sets;
	int ceiling;		/* lowest level a pack allows, enum level; -1: none spoke of it */
	struct place ceiling_from;
	struct place tuned;	/* a file that says nothing of autotune; .file NULL: none */
};

void store_init(struct store *s);
void store_free(struct store *s);

/* The setting of that name; NULL: no command reads one. */
struct setting *store_find(const struct store *s, const char *key);
/* Copies value. An empty one unsets what no higher rank set. False: there is no such key. */
bool store_set(struct store *s, const char *key, const char *value, enum rank rank, const struct place *from);
/* A pack allows no level above this. */
void store_ceiling(struct store *s, int level, const struct place *from);

/* Lays ceilings over the rest. */
void store_settle(struct store *s);
/* Reports what the settings say together and cannot mean; call it when each is right by itself. */
void store_check(const struct store *s, struct report *r);

#endif
