/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks a YAML mapping along a table of fields. */
#include <stdio.h>
#include <string.h>

#include "../base/addr.h"
#include "../base/die.h"
#include "fields.h"
#include "value.h"

#define TAGS "tag:yaml.org,2002:"

struct place place_of(const struct reader *r, const yaml_node_t *node)
{
	struct place at = { .file = r->file, .line = node->start_mark.line + 1,
			    .column = node->start_mark.column + 1 };

	strcpy(at.path, *r->path ? r->path : "document");
	return at;
}

size_t path_enter(struct reader *r, const char *name)
{
	size_t was = strlen(r->path);

	snprintf(r->path + was, sizeof(r->path) - was, "%s%s", was ? "." : "",
		 report_text(name, strlen(name)));
	return was;
}

void path_leave(struct reader *r, size_t was)
{
	r->path[was] = 0;
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static size_t len_of(const yaml_node_t *node)
{
	return node->data.scalar.length;
}

static bool is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* Nothing stands there, or the word for it. */
static bool is_null(const yaml_node_t *node)
{
	const char *s = text_of(node);

	return is_plain(node) && (!*s || !strcmp(s, "~") || !strcmp(s, "null") || !strcmp(s, "Null") ||
				  !strcmp(s, "NULL"));
}

void unexpected(struct reader *r, const yaml_node_t *node, const char *expected)
{
	struct place at = place_of(r, node);
	const char *tag = (const char *)node->tag;

	if (strncmp(tag, TAGS, strlen(TAGS)))
		report_error(r->report, &at, "expected %s, got the tag '%s'", expected,
			     report_text(tag, strlen(tag)));
	else if (node->type == YAML_MAPPING_NODE)
		report_error(r->report, &at, "expected %s, got keys of its own", expected);
	else if (node->type == YAML_SEQUENCE_NODE)
		report_error(r->report, &at, "expected %s, got a list", expected);
	else if (is_null(node))
		report_error(r->report, &at, "expected %s, got nothing", expected);
	else
		report_error(r->report, &at, "expected %s, got '%s'%s", expected,
			     report_text(text_of(node), len_of(node)), is_plain(node) ? "" : " in quotes");
}

/* What a value of f is: "a whole number, 1 to 10". */
static void expected_of(const struct field *f, char *s, size_t n)
{
	static const char *const kinds[] = {
		[F_SECTION] = "keys of its own", [F_NUMBER] = "a number", [F_COUNT] = "a whole number",
		[F_DURATION] = "a duration like 500ms, 30s, 1h30m", [F_SWITCH] = "true or false",
		[F_WORD] = "one of", [F_TEXT] = "a text", [F_PREFIXES] = "a list of addresses and prefixes",
		[F_TEXTS] = "a list of texts", [F_LABELS] = "a text for each key", [F_LIST] = "a list",
		[F_MAP] = "keys of its own",
	};
	size_t used = (size_t)snprintf(s, n, "%s", kinds[f->type]);
	const char *const *w;

	if (f->type == F_WORD)
		for (w = f->words; *w && used < n; w++)
			used += (size_t)snprintf(s + used, n - used, " %s", *w);
	if (f->type != F_NUMBER && f->type != F_COUNT)
		return;
	if (f->max > 0 && !f->above)
		snprintf(s + used, n - used, ", %g to %.10g", f->min, f->max);
	else
		snprintf(s + used, n - used, f->above ? " above %g" : ", %g or more", f->min);
}

static void misfit(struct reader *r, const struct field *f, const yaml_node_t *node)
{
	char want[200];

	expected_of(f, want, sizeof(want));
	unexpected(r, node, want);
}

static bool within(const struct field *f, double v)
{
	double max = f->max > 0 ? f->max : f->type == F_COUNT ? UINT32_MAX : 1e12;

	return (f->above ? v > f->min : v >= f->min) && v <= max;
}

/* The text of a number in out. False: it is none, or not in f's range. */
static bool number_text(const struct field *f, const char *s, size_t n, char out[FIELD_TEXT])
{
	double v;

	if (value_number(s, n, &v) || !within(f, v) || (f->type == F_COUNT && v != (double)(int64_t)v))
		return false;
	value_number_put(out, v);
	return true;
}

static bool word_text(const struct field *f, const char *s, char out[FIELD_TEXT])
{
	const char *const *w;

	for (w = f->words; *w && strcmp(*w, s); w++)
		;
	strcpy(out, s);
	return *w || (!*s && !f->required);
}

/* The text of a scalar in out. False: it is no value of f. */
static bool scalar_text(const struct field *f, const yaml_node_t *node, char out[FIELD_TEXT])
{
	const char *s = text_of(node);
	size_t n = len_of(node);
	bool on;

	if (is_null(node) || strlen(s) != n || n >= FIELD_TEXT)
		return false;
	switch (f->type) {
	case F_NUMBER:
	case F_COUNT:
		return is_plain(node) && number_text(f, s, n, out);
	case F_DURATION:
		/* A plain 0 is a number in YAML, and Go takes no number for a duration. */
		return (n > 1 || !is_plain(node)) && !value_duration(s, n, out);
	case F_SWITCH:
		if (!is_plain(node) || value_switch(s, n, &on))
			return false;
		strcpy(out, on ? "on" : "off");
		return true;
	case F_WORD:
		return word_text(f, s, out);
	default:
		strcpy(out, s);
		return n || !f->required;
	}
}

const char *setting_text(const struct setting *t, const char *s, size_t n, bool plain, char out[FIELD_TEXT])
{
	static const struct field kinds[] = {
		FIELD("number", F_NUMBER), FIELD("count", F_COUNT), FIELD("duration", F_DURATION), END,
	};
	const struct field *f = pdp_field(t->key);
	static char want[200];
	bool on, ok;

	if (!f || (f->type != F_WORD && f->type != F_SWITCH))
		for (f = kinds; f->name && strcmp(f->name, t->type); f++)
			;
	if (strlen(s) != n || !n || n >= FIELD_TEXT || strpbrk(s, "\t\n\r"))
		return "one line of text";
	switch (f->name ? f->type : F_TEXT) {
	case F_NUMBER:
	case F_COUNT:
		ok = number_text(f, s, n, out);
		break;
	case F_DURATION:
		ok = (n > 1 || !plain) && !value_duration(s, n, out);
		break;
	case F_WORD:
		ok = word_text(f, s, out);
		break;
	case F_SWITCH:
		ok = !value_switch(s, n, &on);
		strcpy(out, ok && on ? "on" : "off");
		break;
	default:
		ok = true;
		strcpy(out, s);
	}
	if (!ok)
		expected_of(f, want, sizeof(want));
	return ok ? NULL : want;
}

static void give(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text)
{
	struct place at = place_of(r, node);

	if (f->unheeded)
		report_warning(&at, "not honoured: %s", f->unheeded);
	if (f->take)
		f->take(r, f, node, text);
	else if (f->key && (*text || f->type == F_PREFIXES) &&
		 !store_set(r->store, f->key, text, r->rank, &at))
		report_warning(&at, "not honoured: no command reads %s", f->key);
}

bool key_fits(struct reader *r, const yaml_node_t *map, const yaml_node_pair_t *p)
{
	const yaml_node_t *key = yaml_document_get_node(r->doc, p->key), *k;
	const yaml_node_pair_t *q;
	struct place at;
	size_t was;

	if (key->type != YAML_SCALAR_NODE || strlen(text_of(key)) != len_of(key)) {
		unexpected(r, key, "the name of a key");
		return false;
	}
	for (q = map->data.mapping.pairs.start; q < p; q++) {
		k = yaml_document_get_node(r->doc, q->key);
		if (k->type == YAML_SCALAR_NODE && !strcmp(text_of(k), text_of(key)))
			break;
	}
	if (q == p)
		return true;
	was = path_enter(r, text_of(key));
	at = place_of(r, key);
	report_error(r->report, &at, "expected each key once, got '%s' again",
		     report_text(text_of(key), len_of(key)));
	path_leave(r, was);
	return false;
}

void setting_read(struct reader *r, const yaml_node_t *key, const yaml_node_t *node)
{
	char name[FIELD_TEXT], text[FIELD_TEXT];
	const char *want = "a single value";
	const struct setting *t;
	struct place at;
	size_t was = path_enter(r, text_of(key));

	snprintf(name, sizeof(name), "%s", text_of(key));
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	t = store_find(r->store, name);
	at = place_of(r, t ? node : key);
	if (!t)
		report_error(r->report, &at, "expected the name of a setting, got '%s'",
			     report_text(text_of(key), len_of(key)));
	else if (node->type == YAML_SCALAR_NODE && !is_null(node) &&
		 !(want = setting_text(t, text_of(node), len_of(node), is_plain(node), text)))
		store_set(r->store, name, text, r->rank, &at);
	else
		unexpected(r, node, want);
	path_leave(r, was);
}

static void read_prefixes(struct reader *r, const struct field *f, const yaml_node_t *node)
{
	const yaml_node_item_t *i;
	size_t room = 1, used = 0;
	struct prefix x;
	char *text;

	room += (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) * (PREFIX_TEXT + 1);
	text = xalloc(room);
	for (i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(r->doc, *i);

		if (item->type != YAML_SCALAR_NODE || prefix_get(text_of(item), len_of(item), &x)) {
			unexpected(r, item, "an address or prefix without bits behind its length");
			continue;
		}
		if (used)
			text[used++] = ',';
		used = (size_t)(prefix_put(text + used, &x) - text);
	}
	text[used] = 0;
	give(r, f, node, text);
	free(text);
}

static void read_texts(struct reader *r, const struct field *f, const yaml_node_t *node)
{
	const yaml_node_item_t *i;

	for (i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(r->doc, *i);

		if (item->type != YAML_SCALAR_NODE || is_null(item) || !len_of(item))
			unexpected(r, item, "a text");
		else
			give(r, f, item, text_of(item));
	}
}

static void read_labels(struct reader *r, const struct field *f, const yaml_node_t *node)
{
	const yaml_node_pair_t *p;

	for (p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);

		if (key_fits(r, node, p) && value->type != YAML_SCALAR_NODE)
			misfit(r, f, value);
	}
	if (node->data.mapping.pairs.top > node->data.mapping.pairs.start)
		give(r, f, node, "");
}

static bool is_list(enum field_type t)
{
	return t == F_PREFIXES || t == F_TEXTS || t == F_LIST;
}

static void read_value(struct reader *r, const struct field *f, const yaml_node_t *node)
{
	yaml_node_type_t want = is_list(f->type) ? YAML_SEQUENCE_NODE
				: f->type == F_SECTION || f->type == F_LABELS || f->type == F_MAP
					? YAML_MAPPING_NODE
					: YAML_SCALAR_NODE;
	char text[FIELD_TEXT];

	/* A section or list of which only the name is there is an empty one. */
	if (want != YAML_SCALAR_NODE && node->type == YAML_SCALAR_NODE && is_null(node)) {
		static const yaml_node_t none = { .type = YAML_MAPPING_NODE };
		yaml_node_t empty = none;

		empty.start_mark = node->start_mark;
		if (f->type == F_SECTION)
			fields_read(r, &empty, f->fields);
		else if (f->required)
			misfit(r, f, node);
		return;
	}
	if (node->type != want || strncmp((const char *)node->tag, TAGS, strlen(TAGS)))
		return misfit(r, f, node);
	switch (f->type) {
	case F_SECTION:
		if (f->unheeded || f->take)
			give(r, f, node, "");
		return fields_read(r, node, f->fields);
	case F_PREFIXES:
		return read_prefixes(r, f, node);
	case F_TEXTS:
		return read_texts(r, f, node);
	case F_LABELS:
		return read_labels(r, f, node);
	case F_LIST:
	case F_MAP:
		return f->take(r, f, node, NULL);
	default:
		if (scalar_text(f, node, text))
			give(r, f, node, text);
		else
			misfit(r, f, node);
	}
}

const yaml_node_t *field_of(const struct reader *r, const yaml_node_t *map, const char *path)
{
	size_t n = strcspn(path, ".");
	const yaml_node_pair_t *p;

	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, p->key);

		if (k->type != YAML_SCALAR_NODE || strlen(text_of(k)) != n || memcmp(text_of(k), path, n))
			continue;
		k = yaml_document_get_node(r->doc, p->value);
		return path[n] ? field_of(r, k, path + n + 1) : k;
	}
	return NULL;
}

const char *field_text(const struct reader *r, const yaml_node_t *map, const char *path)
{
	const yaml_node_t *node = field_of(r, map, path);

	return node && node->type == YAML_SCALAR_NODE ? text_of(node) : NULL;
}

struct place place_below(struct reader *r, const yaml_node_t *map, const char *path)
{
	size_t was = path_enter(r, path);
	struct place at = place_of(r, field_of(r, map, path));

	path_leave(r, was);
	return at;
}

/* The key is none of fields. */
static void unknown(struct reader *r, const yaml_node_t *key, const struct field *fields)
{
	const struct field *f, *near = fields;
	struct place at = place_of(r, key);
	unsigned best = 9, d;

	for (f = fields; f->name; f++) {
		d = value_distance(text_of(key), f->name);
		if (d < best) {
			best = d;
			near = f;
		}
	}
	if (best <= 2)
		report_error(r->report, &at, "expected a known key, perhaps %s, got '%s'", near->name,
			     report_text(text_of(key), len_of(key)));
	else
		report_error(r->report, &at, "expected a known key, got '%s'",
			     report_text(text_of(key), len_of(key)));
}

void fields_read(struct reader *r, const yaml_node_t *node, const struct field *fields)
{
	const yaml_node_pair_t *p;
	const struct field *f;
	bool strange = false;
	struct place at;
	size_t was;

	for (p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);

		if (!key_fits(r, node, p)) {
			strange = true;
			continue;
		}
		was = path_enter(r, text_of(key));
		for (f = fields; f->name && strcmp(f->name, text_of(key)); f++)
			;
		if (f->name)
			read_value(r, f, yaml_document_get_node(r->doc, p->value));
		else
			unknown(r, key, fields);
		strange |= !f->name;
		path_leave(r, was);
	}
	/* A key that is misspelt is not missing as well. */
	for (f = fields; f->name && !strange; f++) {
		char want[200];

		if (!f->required || field_of(r, node, f->name))
			continue;
		was = path_enter(r, f->name);
		at = place_of(r, node);
		expected_of(f, want, sizeof(want));
		report_error(r->report, &at, "expected %s, but the key is missing", want);
		path_leave(r, was);
	}
}
