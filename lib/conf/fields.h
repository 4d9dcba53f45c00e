/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML document held against a table of the keys it may have. Everything is
 * looked at, each mistake reported where it stands; what is right and belongs
 * to a setting goes into the store.
 */
#ifndef KL_CONF_FIELDS_H
#define KL_CONF_FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

#include "report.h"
#include "store.h"

enum field_type {
	F_SECTION,		/* a mapping of .fields */
	F_NUMBER, F_COUNT,	/* .min to .max; the first with a fraction */
	F_DURATION,		/* Go's, in quotes or not */
	F_SWITCH,		/* true or false; as on and off */
	F_WORD,			/* one of .words; "" too unless .required */
	F_TEXT,			/* not empty when .required */
	F_PREFIXES,		/* a list of addresses and prefixes; joined by commas */
	F_TEXTS,		/* a list of texts, each given to take() */
	F_LABELS,		/* a mapping of texts to texts */
	F_LIST, F_MAP,		/* take() looks at the node itself */
};

struct reader;
struct field {
	const char *name;
	enum field_type type;
	const char *key;	/* NULL, or the setting */
	double min, max;	/* both 0: >= 0, and of counts what 32 bits hold */
	const struct field *fields;	/* end with a NULL name */
	const char *const *words;	/* end with NULL */
	bool above;		/* more than min, not min itself */
	bool required;
	const char *unheeded;	/* NULL, or why this has no effect here: said when it is there */
	/* Called with a value that is right, as text; NULL for F_LIST and F_MAP. */
	void (*take)(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text);
};

/* Rows of a table. */
#define FIELD(name_, type_, ...) { .name = (name_), .type = (type_), __VA_ARGS__ }
#define SECTION(name_, table) FIELD(name_, F_SECTION, .fields = (table))
#define END FIELD(NULL, F_SECTION)

struct reader {
	yaml_document_t *doc;
	const char *file;
	enum rank rank;		/* of what goes into the store */
	struct store *store;
	struct report *report;
	char path[PLACE_PATH];		/* of the node being looked at */
	void *self;		/* of those that take */
};

/* Where node stands, under r->path. */
struct place place_of(const struct reader *r, const yaml_node_t *node);

/* Holds the mapping node against fields; r->path is where it stands. */
void fields_read(struct reader *r, const yaml_node_t *node, const struct field *fields);
/* Enters the key name at r->path; leave with path_leave() and what this returned. */
size_t path_enter(struct reader *r, const char *name);
void path_leave(struct reader *r, size_t was);

/* The value at a path of keys below a mapping, "metadata.name"; NULL: it is not there. */
const yaml_node_t *field_of(const struct reader *r, const yaml_node_t *map, const char *path);
/* The same as text; NULL: it is not there, or no text. */
const char *field_text(const struct reader *r, const yaml_node_t *map, const char *path);
/* Where the value at a path below map stands, which is there. */
struct place place_below(struct reader *r, const yaml_node_t *map, const char *path);
/* A setting by its own name, which may have _ for -. */
void setting_read(struct reader *r, const yaml_node_t *key, const yaml_node_t *node);
/* Whether p is the first pair of its mapping whose key is a scalar with that text; else reports it. */
bool key_fits(struct reader *r, const yaml_node_t *map, const yaml_node_pair_t *p);
/* Reports that node is not what was expected. */
void unexpected(struct reader *r, const yaml_node_t *node, const char *expected);

/* The text of the setting t from a YAML scalar, as a file of settings has it, in out; NULL, or what was
 * expected, in a static buffer. plain: not in quotes. Ranges are the filters' own. */
#define FIELD_TEXT 256
const char *setting_text(const struct setting *t, const char *s, size_t n, bool plain, char out[FIELD_TEXT]);

/* The field of a PDPConfig that is that setting; NULL: there is none. */
const struct field *pdp_field(const char *key);

#endif
