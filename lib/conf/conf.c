/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a file of configuration, of whichever kind it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/die.h"
#include "../base/file.h"
#include "../base/num.h"
#include "kinds.h"
#include "sign.h"

#define TSV_HEADER "key\tvalue\n"

/* One line of settings, NUL-terminated. */
static void tsv_line(struct conf *c, struct place *at, char *line, size_t n, enum rank rank)
{
	char *value = memchr(line, '\t', n), text[FIELD_TEXT];
	const struct setting *t;
	const char *want;
	int64_t ms;

	strcpy(at->path, "line");
	if (strlen(line) != n || !value || value == line || !value[1] || strchr(value + 1, '\t')) {
		report_error(c->report, at, "expected a key, a TAB and a value, got '%s'",
			     report_text(line, n));
		return;
	}
	*value++ = 0;
	t = store_find(c->store, line);
	if (!t) {
		report_error(c->report, at, "expected a known key, got '%s'",
			     report_text(line, strlen(line)));
		return;
	}
	strcpy(at->path, t->key);
	n = strlen(value);
	if (!strcmp(t->type, "duration") && n < sizeof(text) && !get_dur(value, n, &ms))
		want = NULL, strcpy(text, value);
	else
		want = setting_text(t, value, n, false, text);
	if (want)
		report_error(c->report, at, "expected %s, got '%s'", want, report_text(value, n));
	else
		store_set(c->store, t->key, text, rank, at);
}

static void tsv_text(struct conf *c, const char *name, char *text, size_t n, enum rank rank)
{
	struct place at = { .file = name, .line = 1, .column = 1 };
	char *p, *eol;

	for (p = text + strlen(TSV_HEADER); p < text + n; p = eol + 1) {
		at.line++;
		eol = memchr(p, '\n', (size_t)(text + n - p));
		if (!eol) {
			strcpy(at.path, "line");
			report_error(c->report, &at,
				     "expected a newline at the end of the last line, got '%s'",
				     report_text(p, (size_t)(text + n - p)));
			return;
		}
		*eol = 0;
		/* A header again: files may be put one behind the other. */
		if ((size_t)(eol - p) + 1 != strlen(TSV_HEADER) || strcmp(p, "key\tvalue"))
			tsv_line(c, &at, p, (size_t)(eol - p), rank);
	}
}

/* A byte that may not be there has an offset only. */
static void broken_yaml(struct conf *c, const char *name, const char *text, const yaml_parser_t *p)
{
	struct place at = { .file = name, .line = p->problem_mark.line + 1,
			    .column = p->problem_mark.column + 1, .path = "YAML" };
	const char *line = text;

	if (p->error == YAML_MEMORY_ERROR)
		die(KL_SYSTEM, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		at.line = 1;
		for (const char *s = text; s < text + p->problem_offset; s++) {
			if (*s == '\n') {
				at.line++;
				line = s + 1;
			}
		}
		at.column = (size_t)(text + p->problem_offset - line) + 1;
	}
	report_error(c->report, &at, "expected well-formed YAML, got %s%s%s",
		     p->problem ? p->problem : "nonsense", p->context ? ", " : "",
		     p->context ? p->context : "");
}

static void misplaced(struct conf *c, const char *name, size_t line, const char *path,
		      const char *what)
{
	struct place at = { .file = name, .line = line, .column = 1 };

	strcpy(at.path, path);
	report_error(c->report, &at, "%s", what);
}

/* Whether a pack is signed as is asked. */
static bool signed_well(struct conf *c, const char *name, const char *text, const struct signature *s)
{
	size_t line = 1;

	for (size_t i = 0; i < s->signs; i++)
		line += text[i] == '\n';
	if (!s->found && c->verify)
		misplaced(c, name, line, "signature",
			  "expected a last line signature: BASE64, but the pack is not signed");
	else if (s->found && !s->sound)
		misplaced(c, name, line, "signature", "expected 64 bytes in base64, got something else");
	else if (c->verify && !signature_holds(s, text, c->verify))
		misplaced(c, name, line, "signature",
			  "expected a signature of the whole text by the key's owner, got another");
	else
		return true;
	return false;
}

static void read_root(struct conf *c, struct reader *r, const yaml_node_t *root, const char *text,
		      const struct signature *s)
{
	const char *kind = field_text(r, root, "kind");
	struct place at;

	if (root->type != YAML_MAPPING_NODE) {
		unexpected(r, root, "apiVersion, kind, metadata and spec");
	} else if (kind && !strcmp(kind, "LocalPolicyPack")) {
		if (signed_well(c, r->file, text, s))
			pack_read(r, c, root);
	} else if (kind && !strcmp(kind, "PDPConfig")) {
		if (s->found)
			signed_well(c, r->file, text, s);
		pdp_read(r, root);
	} else if (kind || field_of(r, root, "kind")) {
		path_enter(r, "kind");
		unexpected(r, field_of(r, root, "kind"), "PDPConfig or LocalPolicyPack");
	} else {
		path_enter(r, "kind");
		at = place_of(r, root);
		report_error(c->report, &at, "expected PDPConfig or LocalPolicyPack, but the key is missing");
	}
}

static void yaml_text(struct conf *c, const char *name, const char *text, size_t n, enum rank rank)
{
	struct signature s = signature_of(text, n);
	struct reader r = { .file = name, .rank = rank, .store = c->store, .report = c->report };
	yaml_document_t doc, more;
	yaml_parser_t p;
	const yaml_node_t *root;

	if (!yaml_parser_initialize(&p))
		die(KL_SYSTEM, "out of memory");
	yaml_parser_set_input_string(&p, (const unsigned char *)text, s.signs);
	if (!yaml_parser_load(&p, &doc)) {
		broken_yaml(c, name, text, &p);
		yaml_parser_delete(&p);
		return;
	}
	r.doc = &doc;
	root = yaml_document_get_root_node(&doc);
	if (!root) {
		misplaced(c, name, 1, "document",
			  "expected apiVersion, kind, metadata and spec, got nothing");
	} else if (!yaml_parser_load(&p, &more)) {
		broken_yaml(c, name, text, &p);
	} else {
		if (yaml_document_get_root_node(&more))
			misplaced(c, name, yaml_document_get_root_node(&more)->start_mark.line + 1,
				  "document", "expected one document, got another behind it");
		else
			read_root(c, &r, root, text, &s);
		yaml_document_delete(&more);
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&p);
}

void conf_text(struct conf *c, const char *name, char *text, size_t n, enum rank rank)
{
	if (n >= strlen(TSV_HEADER) && !memcmp(text, TSV_HEADER, strlen(TSV_HEADER)))
		tsv_text(c, name, text, n, rank);
	else
		yaml_text(c, name, text, n, rank);
}

void conf_file(struct conf *c, const char *path, enum rank rank)
{
	size_t n;
	char *text = slurp(path, &n);

	if (!text)
		die(KL_USAGE, "cannot read '%s': %s", strcmp(path, "-") ? path : "stdin", strerror(errno));
	conf_text(c, strcmp(path, "-") ? path : "stdin", text, n, rank);
	free(text);
}
