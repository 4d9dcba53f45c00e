/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings by precedence, and their order among each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/die.h"
#include "../base/num.h"
#include "../core/level.h"
#include "schema.h"
#include "store.h"

void store_init(struct store *s)
{
#define ROW(key, type, dflt) { key, type, dflt, NULL, RANK_DEFAULT, { 0 }, 0 },
	static const struct setting rows[] = { SETTING_EACH(ROW) };

	*s = (struct store){ .n = sizeof(rows) / sizeof(*rows), .ceiling = -1 };
	s->settings = xalloc(sizeof(rows));
	memcpy(s->settings, rows, sizeof(rows));
}

void store_free(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->settings[i].value);
	free(s->settings);
}

struct setting *store_find(const struct store *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->settings[i].key, key))
			return &s->settings[i];
	return NULL;
}

bool store_set(struct store *s, const char *key, const char *value, enum rank rank, const struct place *from)
{
	struct setting *t = store_find(s, key);

	if (!t)
		return false;
	if (rank < t->rank)
		return true;
	free(t->value);
	t->value = *value ? xstrdup(value) : NULL;
	t->rank = rank;
	t->from = *from;
	t->order = ++s->sets;
	return true;
}

void store_ceiling(struct store *s, int level, const struct place *from)
{
	if (s->ceiling >= 0 && s->ceiling <= level)
		return;
	s->ceiling = level;
	s->ceiling_from = *from;
}

void store_settle(struct store *s)
{
	const struct setting *top = store_find(s, "max-level"), *tune = store_find(s, "autotune");

	if (s->ceiling >= 0 && top && (!top->value || level_get(top->value, strlen(top->value)) > s->ceiling))
		store_set(s, "max-level", level_name[s->ceiling], RANK_PACK, &s->ceiling_from);
	if (s->tuned.file && tune && !tune->value)
		store_set(s, "autotune", "off", RANK_CONF, &s->tuned);
}

/* A number, or a duration in ms. NAN: there is no such setting, or it has no value of its own. */
static double number(const struct setting *t)
{
	const char *text = t ? t->value ? t->value : t->dflt : "";
	double v;
	int64_t ms;

	if (t && !strcmp(t->type, "duration"))
		return get_dur(text, strlen(text), &ms) ? NAN : (double)ms;
	return get_f64(text, strlen(text), &v) ? NAN : v;
}

/* Of two settings that stand the wrong way round the one that was written last is to blame. */
static void check_order(const struct store *s, struct report *r, const char *low, const char *high)
{
	const struct setting *a = store_find(s, low), *b = store_find(s, high);
	bool blame_high;

	if (!a || !b)
		abort();	/* cannot be: both are keys of schemas/setting.tsv */
	if (!(number(a) > number(b)) || (!a->value && !b->value))
		return;
	blame_high = !a->value || (b->value && b->order > a->order);
	if (!blame_high) {
		const struct setting *t = a;

		a = b;
		b = t;
	}
	report_error(r, &b->from, "expected not %s than %s, which is %s%s, got '%s'",
		     blame_high ? "less" : "more", a->key, a->value ? a->value : a->dflt,
		     a->value ? "" : " by default", b->value);
}

void store_check(const struct store *s, struct report *r)
{
	const struct setting *gate = store_find(s, "block-min-sev"), *cap = store_find(s, "sev-cap");
	const struct setting *combine = store_find(s, "combine");

	check_order(s, r, "soft-at", "hard-at");
	check_order(s, r, "hard-at", "block-at");
	check_order(s, r, "sev-step1", "sev-step2");
	check_order(s, r, "sev-step2", "sev-step3");
	check_order(s, r, "bootstrap-phase1-end", "bootstrap-phase2-end");
	check_order(s, r, "bootstrap-phase2-end", "bootstrap-window");
	if (gate && gate->value && number(gate) > number(cap) && combine && !combine->value)
		report_warning(&gate->from, "never reached: one signal counts for %s at most, so BLOCK needs "
			       "several at once", cap->value ? cap->value : cap->dflt);
}
