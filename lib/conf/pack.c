/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of a LocalPolicyPack. Its rules say how long a level lasts and at
 * which rate; what it allows is a ceiling of the levels.
 */
#include <stdio.h>
#include <string.h>

#include "../core/level.h"
#include "issued.h"
#include "kinds.h"
#include "value.h"

#define RATE_MAX 2147483647.0	/* its burst is twice that */

/* Short names of levels, as rules and settings have them. */
static const char *const short_name[LEVELS] = { NULL, "soft", "hard", "block" };

/* The least level at which enforcing something is more than looking on. */
static const struct { const char *name; enum level level; } capabilities[] = {
	{ "enforce.access.allow", LEVEL_OBSERVE },
	{ "enforce.traffic.rate_limit", LEVEL_SOFT },
	{ "enforce.traffic.connection_limit", LEVEL_SOFT },
	{ "enforce.traffic.bandwidth_limit", LEVEL_SOFT },
	{ "enforce.network.rate_limit", LEVEL_SOFT },
	{ "enforce.network.syn_protect", LEVEL_SOFT },
	{ "enforce.traffic.tarpit", LEVEL_HARD },
	{ "enforce.access.deny", LEVEL_BLOCK },
	{ "enforce.access.default_deny", LEVEL_BLOCK },
	{ "enforce.traffic.drop", LEVEL_BLOCK },
	{ "enforce.traffic.quarantine", LEVEL_BLOCK },
	{ "enforce.network.deny", LEVEL_BLOCK },
	{ "enforce.network.default_deny", LEVEL_BLOCK },
	{ "enforce.network.quarantine", LEVEL_BLOCK },
};

/* The highest level a word of max_action lets through. */
static const char *const actions[] = { "observe", "signal", "rate_limit", "rate_limit_hard", "block", NULL };
static const enum level action_level[] = {
	LEVEL_OBSERVE, LEVEL_OBSERVE, LEVEL_SOFT, LEVEL_HARD, LEVEL_BLOCK,
};

struct pack {
	int listed[2];			/* highest level of allowed and required capabilities; -1: no list */
	struct place list_at[2];
	size_t ttl_line[LEVELS];	/* where a rule set it; 0: none did */
};
enum { ALLOWED, REQUIRED };

/* The level of a capability; one that is not known asks for none. */
static int level_for(const struct place *at, const char *name)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
		if (!strcmp(capabilities[i].name, name))
			return capabilities[i].level;
	report_warning(at, "not honoured: no capability '%s' is known", report_text(name, strlen(name)));
	return LEVEL_OBSERVE;
}

static void take_capability(struct reader *r, const struct field *f, const yaml_node_t *node,
			    const char *text)
{
	struct pack *k = r->self;
	int list = strcmp(f->name, "allowed_capabilities") ? REQUIRED : ALLOWED;
	struct place at = place_of(r, node);
	int level = level_for(&at, text);

	if (k->listed[list] < 0)
		k->list_at[list] = at;
	if (level > k->listed[list])
		k->listed[list] = level;
}

/* What is to be said of a switch that is set like that; nothing of one that is not. */
static void switched(struct reader *r, const yaml_node_t *node, const char *text, const char *when,
		     const char *what)
{
	struct place at = place_of(r, node);

	if (!strcmp(text, when))
		report_warning(&at, "not honoured: %s", what);
}

static void take_export(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text)
{
	(void)f;
	switched(r, node, text, "on", "nothing is sent anywhere from here");
}

static void take_local_block(struct reader *r, const struct field *f, const yaml_node_t *node,
			     const char *text)
{
	(void)f;
	switched(r, node, text, "off", "it was for the audit log alone; max_action keeps from blocking");
}

/* false cannot take back what something else asked for. */
static void take_dry_run(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text)
{
	struct place at = place_of(r, node);

	(void)f;
	if (!strcmp(text, "on") && !store_set(r->store, "dry-run", "on", RANK_PACK, &at))
		report_error(r->report, &at,
			     "expected false, as no command has a dry-run setting, got 'true'");
}

static void take_rate(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text)
{
	double v;

	(void)f;
	if (strspn(text, "0123456789") != strlen(text) || value_number(text, strlen(text), &v) ||
	    v > RATE_MAX)
		unexpected(r, node, "a whole number of packets a second, below 2^31");
}

static const char *const languages[] = { "cel", NULL };
static const char *const level_words[] = { "soft", "hard", "block", NULL };
static void take_rules(struct reader *r, const struct field *f, const yaml_node_t *list, const char *none);
static void take_anything(struct reader *r, const struct field *f, const yaml_node_t *node, const char *none)
{
	(void)r, (void)f, (void)node, (void)none;
}

static const struct field when[] = {
	FIELD("fsm_level", F_WORD, .words = level_words),
	FIELD("signal", F_TEXT, .unheeded = "rules go by levels, not by signals"),
	FIELD("capability", F_TEXT),
	FIELD("language", F_WORD, .words = languages),
	FIELD("bindings", F_MAP, .take = take_anything),	/* of CEL, which is refused */
	FIELD("expression", F_TEXT),
	END,
};
static const struct field params[] = { FIELD("rate_pps", F_TEXT, .take = take_rate), END };
static const struct field then[] = {
	FIELD("action", F_TEXT),
	FIELD("capability", F_TEXT),
	FIELD("ttl", F_DURATION),
	SECTION("params", params),
	END,
};
static const struct field rule[] = {
	FIELD("name", F_TEXT),
	FIELD("description", F_TEXT),
	SECTION("when", when),
	SECTION("then", then),
	END,
};

static const struct field metadata[] = {
	FIELD("name", F_TEXT, .required = true), FIELD("description", F_TEXT), FIELD("labels", F_LABELS),
	FIELD("issued_at", F_TEXT),
	END,
};
static const struct field target_selector[] = {
	FIELD("match_labels", F_LABELS, .unheeded = "what is given to a host is meant for it"), END,
};
static const char *const effects[] = { "allow", "deny", NULL };
static const struct field authorization[] = {
	FIELD("allowed_capabilities", F_TEXTS, .take = take_capability),
	FIELD("default_effect", F_WORD, .words = effects,
	  .unheeded = "what allowed_capabilities leaves out is not done, whatever this says"),
	END,
};
static const struct field autonomy[] = {
	FIELD("dry_run", F_SWITCH, .take = take_dry_run),
	FIELD("max_action", F_WORD, .words = actions),
	FIELD("allow_local_block", F_SWITCH, .take = take_local_block),
	END,
};
static const struct field export[] = {
	FIELD("enabled", F_SWITCH, .take = take_export), FIELD("endpoint", F_TEXT), END,
};
static const struct field exports[] = { SECTION("correlate", export), SECTION("forge", export), END };
static const struct field spec[] = {
	SECTION("target_selector", target_selector),
	FIELD("capabilities_required", F_TEXTS, .take = take_capability),
	SECTION("action_authorization", authorization),
	SECTION("autonomy", autonomy),
	FIELD("rules", F_LIST, .take = take_rules, .required = true),
	SECTION("exports", exports),
	END,
};
static const char *const versions[] = { "kernloom.io/kliq/v1alpha1", "kernloom.io/v1alpha1", NULL };
static const struct field document[] = {
	FIELD("apiVersion", F_WORD, .words = versions, .required = true),
	FIELD("kind", F_TEXT, .required = true),
	FIELD("metadata", F_SECTION, .fields = metadata, .required = true),
	FIELD("spec", F_SECTION, .fields = spec, .required = true),
	END,
};

static int level_of_rule(struct reader *r, const yaml_node_t *item)
{
	const char *capability = field_text(r, item, "when.capability");
	const char *word = field_text(r, item, "when.fsm_level");
	struct place at;
	int level;

	if (capability && *capability) {
		at = place_below(r, item, "when.capability");
		return level_for(&at, capability);
	}
	for (level = LEVEL_BLOCK; level > LEVEL_OBSERVE && (!word || strcmp(short_name[level], word));
	     level--)
		;
	return level;
}

static void set(struct reader *r, int level, const char *what, const char *value, const struct place *at)
{
	char key[32];

	snprintf(key, sizeof(key), "%s-%s", short_name[level], what);
	store_set(r->store, key, value, RANK_PACK, at);
}

static void set_ttl(struct reader *r, int level, const yaml_node_t *item)
{
	const char *text = field_text(r, item, "then.ttl");
	struct place at = place_below(r, item, "then.ttl");
	struct pack *k = r->self;
	char ttl[VALUE_TEXT];

	if (level == LEVEL_OBSERVE) {
		report_warning(&at, "not honoured: the rule is about no level above OBSERVE");
		return;
	}
	if (k->ttl_line[level])
		report_warning(&at, "not honoured: the ttl of %s in line %zu, which this one replaces",
			       level_name[level], k->ttl_line[level]);
	k->ttl_line[level] = at.line;
	value_duration(text, strlen(text), ttl);
	set(r, level, "ttl", ttl, &at);
}

/* A rate of a rule stands against factors too: it is exact. */
static void set_rate(struct reader *r, int level, const yaml_node_t *item)
{
	const char *text = field_text(r, item, "then.params.rate_pps");
	struct place at = place_below(r, item, "then.params.rate_pps");
	char burst[VALUE_TEXT];
	double v = 0;

	value_number(text, strlen(text), &v);
	if (level != LEVEL_SOFT && level != LEVEL_HARD) {
		report_warning(&at, "not honoured: %s has no rate", level_name[level]);
	} else if (v <= 0) {
		report_warning(&at, "not honoured: 0 is no rate; what else sets it counts");
	} else {
		value_number_put(burst, 2 * v);
		set(r, level, "rate", text, &at);
		set(r, level, "burst", burst, &at);
		set(r, level, "rate-factor", "0", &at);
	}
}

static void read_rule(struct reader *r, const yaml_node_t *item, unsigned number)
{
	const char *name = field_text(r, item, "name"), *capability = field_text(r, item, "then.capability");
	struct place at;
	int level;

	if (field_of(r, item, "when.expression") || field_of(r, item, "when.language")) {
		at = place_below(r, item, "when");
		if (name && *name)
			report_error(r->report, &at,
				     "expected fsm_level or capability, got CEL, which is not "
				     "evaluated here, in rule '%s'",
				     report_text(name, strlen(name)));
		else
			report_error(r->report, &at,
				     "expected fsm_level or capability, got CEL, which is not "
				     "evaluated here, in the nameless rule %u",
				     number);
		return;
	}
	level = level_of_rule(r, item);
	if (capability && *capability && level != LEVEL_OBSERVE) {
		at = place_below(r, item, "then.capability");
		if ((level_for(&at, capability) == LEVEL_BLOCK) != (level == LEVEL_BLOCK))
			report_warning(&at, "not honoured: at %s Shield %s", level_name[level],
				       level == LEVEL_BLOCK ? "lets nothing through" : "limits the rate");
	}
	if (field_of(r, item, "then.ttl"))
		set_ttl(r, level, item);
	if (field_of(r, item, "then.params.rate_pps"))
		set_rate(r, level, item);
}

static void take_rules(struct reader *r, const struct field *f, const yaml_node_t *list, const char *none)
{
	const yaml_node_item_t *i, *first = list->data.sequence.items.start;

	(void)f, (void)none;
	if (first == list->data.sequence.items.top)
		unexpected(r, list, "at least one rule");
	for (i = first; i < list->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
		unsigned before = r->report->errors;
		size_t was = strlen(r->path);

		snprintf(r->path + was, sizeof(r->path) - was, "[%td]", i - first);
		if (item->type == YAML_MAPPING_NODE)
			fields_read(r, item, rule);
		else
			unexpected(r, item, "a rule");
		if (r->report->errors == before)
			read_rule(r, item, (unsigned)(i - first) + 1);
		path_leave(r, was);
	}
}

/* What the pack allows at most, by its list and by max_action, whichever is less. What it requires of a
 * node is a list of that kind where it has neither. */
static void set_ceiling(struct reader *r, const yaml_node_t *root)
{
	const char *action = field_text(r, root, "spec.autonomy.max_action");
	struct pack *k = r->self;
	struct place at;

	if (action && *action) {
		at = place_below(r, root, "spec.autonomy.max_action");
		for (int i = 0; actions[i]; i++)
			if (!strcmp(actions[i], action))
				store_ceiling(r->store, action_level[i], &at);
	}
	if (k->listed[ALLOWED] >= 0)
		store_ceiling(r->store, k->listed[ALLOWED], &k->list_at[ALLOWED]);
	else if (k->listed[REQUIRED] >= 0 && !(action && *action))
		store_ceiling(r->store, k->listed[REQUIRED], &k->list_at[REQUIRED]);
}

static void check_issued(struct reader *r, struct conf *c, const yaml_node_t *root)
{
	const char *name = field_text(r, root, "metadata.name"),
		   *text = field_text(r, root, "metadata.issued_at");
	const yaml_node_t *node = field_of(r, root, text ? "metadata.issued_at" : "metadata");
	const char *newest;
	struct place at;
	size_t was;
	int64_t ns;

	was = path_enter(r, "metadata.issued_at");
	at = place_of(r, node);
	if (text && value_rfc3339(text, strlen(text), &ns)) {
		unexpected(r, node, "a time like 2026-01-31T12:00:00Z");
	} else if (c->issued && name) {
		newest = issued_check(c->issued, name, text, text ? ns : 0);
		if (newest && text)
			report_error(r->report, &at,
				     "expected no time before %s, when the newest pack of that "
				     "name was issued, got '%s'",
				     newest, report_text(text, strlen(text)));
		else if (newest)
			report_error(r->report, &at,
				     "expected a time not before %s, when the newest pack of that "
				     "name was issued, but the key is missing",
				     newest);
	}
	path_leave(r, was);
}

static void check_name(struct reader *r, const yaml_node_t *root)
{
	const char *name = field_text(r, root, "metadata.name");
	size_t was;

	if (!name)
		return;
	was = path_enter(r, "metadata.name");
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p > ' ' && *p != 0x7f)
			continue;
		unexpected(r, field_of(r, root, "metadata.name"), "a name without blanks");
		break;
	}
	path_leave(r, was);
}

void pack_read(struct reader *r, struct conf *c, const yaml_node_t *root)
{
	struct pack k = { .listed = { -1, -1 } };

	r->self = &k;
	fields_read(r, root, document);
	check_name(r, root);
	check_issued(r, c, root);
	set_ceiling(r, root);
}
