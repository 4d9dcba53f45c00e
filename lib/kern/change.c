/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of the settings, their words, and what each of these does. */
#include <stdio.h>
#include <string.h>

#include "../base/num.h"
#include "change.h"

/* Settings whose words stand for feature bits each. */
static const struct key {
	const char *name, *word[4];
	uint32_t bits[3];
} keys[] = {
	{ "enforce-allow", { "off", "on" }, { 0, KL_F_ENFORCE_ALLOW } },
	{ "edge-mode", { "off", "deny", "allow" }, { 0, KL_F_EDGE_DENY, KL_F_EDGE_ALLOW } },
	{ "src6-prefix", { "128", "64" }, { 0, KL_F_SRC6_64 } },
	{ "flows", { "off", "on" }, { 0, KL_F_FLOWS } },
	{ "hist", { "off", "on" }, { 0, KL_F_HIST } },
};
#define KEYS (sizeof(keys) / sizeof(*keys))

const char *const dead_word[] = { [KL_KEEP] = "keep", [KL_LIMITS] = "limits", [KL_PASS_ALL] = "pass" };

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

const char *setting_word(uint32_t features, size_t i, const char **word)
{
	int w = 2;

	if (i >= KEYS)
		return NULL;
	while (w && !(features & keys[i].bits[w]))
		w--;
	*word = keys[i].word[w];
	return keys[i].name;
}

int seconds_get(const char *s, int64_t *ms)
{
	uint32_t seconds;

	if (!get_u32(s, strlen(s), &seconds))
		*ms = (int64_t)seconds * 1000;
	else if (get_dur(s, strlen(s), ms))
		return -1;
	return *ms < 1000 ? -1 : 0;
}

static const char *bad(const char *key, const char *v, const char *takes)
{
	static char text[512];

	snprintf(text, sizeof(text), "bad value '%s' for %s: %s", v, key, takes);
	return text;
}

static const char *word_get(struct change *c, const struct key *k, const char *v)
{
	char takes[64] = "one of";
	int i, w;

	for (i = 0; k->word[i] && !is(v, k->word[i]); )
		i++;
	for (w = 0; k->word[w]; w++)
		strcat(strcat(takes, " "), k->word[w]);
	if (i == w)
		return bad(k->name, v, takes);
	c->what = CHANGE_WORD;
	c->set = k->bits[i];
	c->clear = (k->bits[1] | k->bits[2]) & ~k->bits[i];
	return NULL;
}

static const char *limit_get(struct change *c, const char *v)
{
	const char *slash = strchr(v, '/');

	c->what = CHANGE_LIMIT;
	if (is(v, "off"))
		return NULL;
	if (!slash || get_u32(v, (size_t)(slash - v), &c->rate) || !c->rate ||
	    get_u32(slash + 1, strlen(slash + 1), &c->burst) || !c->burst)
		return bad("default-limit", v, "RATE/BURST, 1 to 4294967295 each, or off");
	return NULL;
}

static const char *dead_man_get(struct change *c, const char *v, const char *sec)
{
	c->what = CHANGE_DEAD_MAN;
	if (is(v, "off"))
		return sec ? bad("dead-man", sec, "nothing stands behind off") : NULL;
	for (int mode = KL_KEEP; mode <= KL_PASS_ALL; mode++) {
		if (!is(v, dead_word[mode]))
			continue;
		c->mode = (enum kl_dead)mode;
		if (!sec)
			return "no SEC for 'dead-man'";
		return seconds_get(sec, &c->dead_ms) ? bad("dead-man", sec, SECONDS) : NULL;
	}
	return bad("dead-man", v, "one of off keep limits pass");
}

const char *change_get(struct change *c, char *const *v, int n)
{
	int most = is(v[0], "confirm") ? 1 : is(v[0], "dead-man") ? 3 : 2;
	static char text[512];

	snprintf(text, sizeof(text), "one operand too many: '%s'", n > most ? v[most] : "");
	if (n > most)
		return text;
	c->what = CHANGE_CONFIRM;
	if (most == 1)
		return NULL;
	snprintf(text, sizeof(text), "no value for '%s'", v[0]);
	if (n == 1)
		return text;
	if (most == 3)
		return dead_man_get(c, v[1], n == 3 ? v[2] : NULL);
	if (is(v[0], "default-limit"))
		return limit_get(c, v[1]);
	for (size_t i = 0; i < KEYS; i++)
		if (is(v[0], keys[i].name))
			return word_get(c, &keys[i], v[1]);
	c->what = CHANGE_SAMPLE;
	if (is(v[0], "sample"))
		return get_u32(v[1], strlen(v[1]), &c->sample) ?
			bad("sample", v[1], "a whole number, 0 to 4294967295") : NULL;
	snprintf(text, sizeof(text), "unknown setting '%s': confirm, dead-man, default-limit, edge-mode, "
		 "enforce-allow, flows, hist, sample, src6-prefix", v[0]);
	return text;
}

bool change_is_tried(const struct change *c)
{
	return c->what == CHANGE_LIMIT || (c->what == CHANGE_WORD && (c->set | c->clear) & KL_F_TRIED);
}

int change_make(struct kern *k, const struct change *c)
{
	switch (c->what) {
	case CHANGE_WORD:
		return kern_feature(k, c->set, c->clear);
	case CHANGE_LIMIT:
		return kern_default_limit(k, c->rate, c->burst);
	case CHANGE_DEAD_MAN:
		return kern_dead_man(k, c->mode, c->dead_ms);
	case CHANGE_CONFIRM:
		return kern_confirm(k);
	default:
		kern_cfg(k)->sample = c->sample;
		return 0;
	}
}
