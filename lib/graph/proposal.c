/* SPDX-License-Identifier: BSD-2-Clause */
/* GraphProposal documents: written by hand, read by libyaml. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

#include "../base/die.h"
#include "../base/edge.h"
#include "../base/file.h"
#include "../base/num.h"
#include "../base/sqltext.h"
#include "../conf/value.h"
#include "frozen.h"
#include "proposal.h"

#define SAID 10 /* mistakes that are shown */
#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct write {
	FILE *f;
	const char *node;
	uint64_t count[LEARNED_STATES];
};

static void count(void *self, const struct edge *e)
{
	((struct write *)self)->count[e->state]++;
}

static void put_time_of(FILE *f, const char *key, int64_t ms)
{
	time_t sec = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&sec, &tm));
	fprintf(f, "%s: \"%s.%03dZ\"\n", key, text, (int)(ms % 1000));
}

static void write_edge(void *self, const struct edge *e)
{
	const struct write *w = self;
	const bool in = e->k.dir == EDGE_IN;
	char src[PREFIX_TEXT + 1], proto[16];

	*prefix_put(src, &e->k.src) = 0;
	*proto_put(proto, &e->k.src, e->k.proto) = 0;
	fprintf(w->f, "    - id: \"%s-%s-%u-%s\"\n      state: %s\n", edge_dirs[e->k.dir], src, e->k.port,
		proto, learned_states[e->state]);
	fprintf(w->f, "      source:\n        kind: %s\n        id: \"%s\"\n", in ? "ip" : "node",
		in ? src : w->node);
	fprintf(w->f, "      destination:\n        kind: %s\n        id: \"%s\"\n", in ? "node" : "ip",
		in ? w->node : src);
	fprintf(w->f, "      protocol: \"%s\"\n      destination_port: %u\n      direction: %s\n", proto,
		e->k.port, in ? "ingress" : "egress");
	if (e->last_seen) {
		put_time_of(w->f, "      first_seen_at", e->first_seen);
		put_time_of(w->f, "      last_seen_at", e->last_seen);
	}
	fprintf(w->f, "      seen_count: %" PRIu64 "\n      confidence: 0\n", e->seen);
}

int proposal_export(const struct graph_files *at, const struct edges_of *of, const char *node,
		    const char *file)
{
	struct edges_of all = { .states =
					of->states ? of->states : "candidate,learned,approved,frozen,denied",
				.src = of->src };
	struct write w = { .node = node };
	struct newfile to;
	struct sqlite s;
	int64_t now;
	char *text;
	size_t n;

	if (strspn(node, NAME) != strlen(node))
		die(KL_USAGE, "bad value '%s' for --node: letters, digits, '.', '_' and '-'", node);
	w.f = open_memstream(&text, &n);
	if (!w.f)
		die(KL_SYSTEM, "out of memory");
	sqlite_open(&s, at->db, false);
	now = edges_now(&s);
	edges_each(&s, &all, count, &w);
	fprintf(w.f, "apiVersion: kernloom.io/v1alpha1\nkind: GraphProposal\nmetadata:\n  node_id: \"%s\"\n",
		node);
	put_time_of(w.f, "  generated_at", now);
	fputs("  generated_by: kl-graph\n  mode: learned\nspec:\n  summary:\n", w.f);
	fprintf(w.f, "    candidate_edges: %" PRIu64 "\n    learned_edges: %" PRIu64 "\n", w.count[CANDIDATE],
		w.count[LEARNED]);
	fprintf(w.f,
		"    approved_edges: %" PRIu64 "\n    frozen_edges: %" PRIu64 "\n    suspicious_edges: 0\n",
		w.count[APPROVED], w.count[FROZEN]);
	fputs("  edges:\n", w.f);
	edges_each(&s, &all, write_edge, &w);
	sqlite_close(&s);
	if (fclose(w.f))
		die(KL_SYSTEM, "out of memory");
	if (strcmp(file, "-")) {
		newfile_open(&to, file, 0644);
		newfile_write(&to, text, n);
		newfile_commit(&to, DISK_NOW);
	} else if (fwrite(text, 1, n, stdout) != n || fflush(stdout)) {
		die(KL_SYSTEM, "cannot write stdout: %s", strerror(errno));
	}
	free(text);
	return KL_OK;
}

/* ---- reading ---- */

struct read {
	const char *file;
	yaml_document_t doc;
	FILE *sql;
	long bad;
};

static void wrong(struct read *r, const yaml_node_t *node, const char *what)
{
	const bool text = node && node->type == YAML_SCALAR_NODE;

	if (++r->bad <= SAID)
		warn("%s:%lu: %s '%.64s'", r->file, node ? (unsigned long)node->start_mark.line + 1 : 1, what,
		     text ? (const char *)node->data.scalar.value : "");
}

/* The value of a key of a mapping; NULL: there is none. */
static yaml_node_t *value_of(struct read *r, const yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);

		if (k->type == YAML_SCALAR_NODE && !strcmp((const char *)k->data.scalar.value, key))
			return yaml_document_get_node(&r->doc, p->value);
	}
	return NULL;
}

/* The same as text; "" when it is none. */
static const char *text_of(struct read *r, const yaml_node_t *map, const char *key)
{
	const yaml_node_t *v = value_of(r, map, key);

	return v && v->type == YAML_SCALAR_NODE ? (const char *)v->data.scalar.value : "";
}

static bool is_node(struct read *r, const yaml_node_t *edge, const char *end)
{
	return !strcmp(text_of(r, value_of(r, edge, end), "kind"), "node");
}

/* The side that is not this host, by the kinds of both; Kernloom IQ guesses the direction. With two addresses
 * it is all there is. */
static const yaml_node_t *other_side(struct read *r, const yaml_node_t *edge, int *dir)
{
	bool out = is_node(r, edge, "source");

	if (!out && !is_node(r, edge, "destination"))
		out = !strcmp(text_of(r, edge, "direction"), "egress");
	*dir = out ? EDGE_OUT : EDGE_IN;
	return value_of(r, edge, out ? "destination" : "source");
}

/* A time as Unix ms; 0: there is none. */
static int64_t time_of(struct read *r, const yaml_node_t *edge, const char *key)
{
	const char *s = text_of(r, edge, key);
	int64_t ns = 0;

	if (*s && value_rfc3339(s, strlen(s), &ns))
		wrong(r, value_of(r, edge, key), "not a time as in RFC 3339");
	return ns / 1000000;
}

static void read_edge(struct read *r, const yaml_node_t *edge)
{
	const char *state = text_of(r, edge, "state"), *proto = text_of(r, edge, "protocol");
	const char *seen = text_of(r, edge, "seen_count"), *port = text_of(r, edge, "destination_port"), *id;
	char src[SQL_SRC + SQL_ADDR + 4], word[16], *p;
	const long before = r->bad;
	const yaml_node_t *side;
	struct edgeline k;
	uint64_t times = 0;
	int64_t first, last;
	int dir;

	if (edge->type != YAML_MAPPING_NODE)
		return wrong(r, edge, "not an edge");
	side = other_side(r, edge, &dir);
	id = text_of(r, side, "id");
	if (prefix_get(id, strlen(id), &k.src))
		wrong(r, *id ? value_of(r, side, "id") : edge,
		      "the other side has no id that is an address or prefix");
	else if (!edges_key(&k, edge_dirs[dir], id, *port ? port : "0", proto))
		wrong(r, edge, "no destination_port of 0 to 65535, or no protocol");
	if (!*state || strchr(state, ',') || !edges_are_states(state))
		wrong(r, value_of(r, edge, "state") ? value_of(r, edge, "state") : edge, "not a state");
	else if (r->bad == before && k.src.len < 128 && strcmp(state, "approved") && strcmp(state, "denied"))
		wrong(r, value_of(r, edge, "state"), "a prefix can be approved and denied only");
	if (*seen && get_u64(seen, strlen(seen), &times))
		wrong(r, value_of(r, edge, "seen_count"), "not a count");
	first = time_of(r, edge, "first_seen_at");
	last = time_of(r, edge, "last_seen_at");
	if (r->bad > before)
		return;
	p = stpcpy(sql_src(src, &k.src), ", ");
	*sql_addr(p, k.src.a) = 0;
	*proto_put(word, &k.src, k.proto) = 0;
	fprintf(r->sql,
		"INSERT OR REPLACE INTO wanted VALUES('%s', %s, %u, %u, '%s', '%s', %" PRId64 ", %" PRId64
		", %" PRIu64 ");\n",
		edge_dirs[dir], src, k.src.len, k.port, word, state, first, last > first ? last : first,
		times < INT32_MAX ? times : INT32_MAX);
}

static void read_root(struct read *r, const yaml_node_t *root)
{
	const yaml_node_t *edges = value_of(r, value_of(r, root, "spec"), "edges");

	if (strcmp(text_of(r, root, "kind"), "GraphProposal"))
		return wrong(r, root, "kind is not GraphProposal");
	if (!edges || (edges->type != YAML_SEQUENCE_NODE &&
		       !(edges->type == YAML_SCALAR_NODE && !*edges->data.scalar.value)))
		return wrong(r, edges ? edges : root, "no list spec.edges");
	if (edges->type != YAML_SEQUENCE_NODE)
		return;
	for (yaml_node_item_t *i = edges->data.sequence.items.start; i < edges->data.sequence.items.top; i++)
		read_edge(r, yaml_document_get_node(&r->doc, *i));
}

static void parse(struct read *r, const char *text, size_t n)
{
	yaml_parser_t parser;
	yaml_node_t *root;

	if (!yaml_parser_initialize(&parser))
		die(KL_SYSTEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &r->doc)) {
		warn("%s:%lu: %s", r->file, (unsigned long)parser.problem_mark.line + 1,
		     parser.problem ? parser.problem : "not YAML");
		r->bad++;
	} else {
		root = yaml_document_get_root_node(&r->doc);
		if (root)
			read_root(r, root);
		else
			wrong(r, NULL, "no document");
		yaml_document_delete(&r->doc);
	}
	yaml_parser_delete(&parser);
}

int proposal_import(const struct graph_files *at, const char *file)
{
	struct read r = { .file = strcmp(file, "-") ? file : "stdin" };
	struct frozen f;
	size_t n, sql_n;
	char *text = slurp(file, &n), *sql;

	if (!text)
		die(KL_SYSTEM, "cannot read '%s': %s", file, strerror(errno));
	r.sql = open_memstream(&sql, &sql_n);
	if (!r.sql)
		die(KL_SYSTEM, "out of memory");
	parse(&r, text, n);
	free(text);
	if (fclose(r.sql))
		die(KL_SYSTEM, "out of memory");
	if (r.bad > SAID)
		warn("%s: %ld more mistakes", r.file, r.bad - SAID);
	if (r.bad || !frozen_begin(&f, at->db, at->frozen, false)) {
		free(sql);
		return r.bad ? KL_INPUT : KL_NO;
	}
	fputs("CREATE TEMP TABLE wanted (dir, src, addr, bits, port, proto, state, first, last, seen,"
	      " PRIMARY KEY (dir, src, port, proto));\n",
	      f.s.sql);
	fwrite(sql, 1, sql_n, f.s.sql);
	free(sql);
	fputs("INSERT INTO graph_edges (dir, src, port, proto, state, addr, bits)"
	      " SELECT dir, src, port, proto, state, addr, bits FROM wanted WHERE true"
	      " ON CONFLICT (dir, src, port, proto) DO UPDATE SET state = CASE"
	      " WHEN state = 'denied' THEN state"
	      " WHEN excluded.state IN ('approved', 'frozen', 'denied') THEN excluded.state"
	      " WHEN excluded.state = 'learned' AND state IN ('candidate', 'expired') THEN 'learned'"
	      " ELSE state END;\n"
	      "INSERT INTO edge_baselines"
	      " SELECT id, first, last, seen, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last"
	      " FROM wanted w JOIN graph_edges e"
	      " ON e.dir = w.dir AND e.src = w.src AND e.port = w.port AND e.proto = w.proto WHERE last > 0"
	      " ON CONFLICT (edge) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen),"
	      " last_seen = max(last_seen, excluded.last_seen), seen = max(seen, excluded.seen);\n",
	      f.s.sql);
	frozen_commit(&f);
	return KL_OK;
}
