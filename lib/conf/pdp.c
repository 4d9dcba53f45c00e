/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of a PDPConfig, and the settings they are. Those behind min_hold_hard, source_baseline, rollup and
 * settings, and what stands last in the other sections, are kernloom's own; the rest is that of Kernloom's
 * files. */
#include <string.h>

#include "kinds.h"
#include "value.h"

#define STRIKES 2147483646.0	/* the most kl-fsm(1) counts to */
#define NUM(name, setting) FIELD(name, F_NUMBER, .key = (setting))
#define SHARE(name, setting) FIELD(name, F_NUMBER, .key = (setting), .max = 1)
#define COUNT(name, setting) FIELD(name, F_COUNT, .key = (setting), .max = STRIKES)
#define COUNT1(name, setting) FIELD(name, F_COUNT, .key = (setting), .min = 1, .max = STRIKES)
#define DUR(name, setting) FIELD(name, F_DURATION, .key = (setting))
#define SWITCH(name, setting) FIELD(name, F_SWITCH, .key = (setting))

static const struct field metadata[] = {
	FIELD("name", F_TEXT, .required = true),
	FIELD("description", F_TEXT),
	FIELD("labels", F_LABELS),
	END,
};

static const struct field weights[] = {
	NUM("pps", "w-pps"), NUM("syn", "w-syn"), NUM("scan", "w-scan"), NUM("bps", "w-bps"),
	FIELD("cap", F_NUMBER, .key = "sev-cap", .above = true),
	END,
};

static const char *const combines[] = { "max", "sum", NULL };
static const char *const scans[] = { "ports", "probes", NULL };
static const struct field signal_engine[] = {
	FIELD("pps_trigger", F_NUMBER, .key = "trig-pps", .above = true, .required = true),
	NUM("syn_trigger", "trig-syn"), NUM("scan_trigger", "trig-scan"), NUM("bps_trigger", "trig-bps"),
	SECTION("weights", weights),
	FIELD("combine", F_WORD, .key = "combine", .words = combines),
	FIELD("scan", F_WORD, .key = "scan", .words = scans),
	END,
};

static const char *const levels[] = { "OBSERVE", "RATE_SOFT", "RATE_HARD", "BLOCK", NULL };
static const struct field progressive_enforcement[] = {
	FIELD("soft_at", F_COUNT, .key = "soft-at", .min = 1, .max = STRIKES, .required = true),
	FIELD("hard_at", F_COUNT, .key = "hard-at", .min = 1, .max = STRIKES, .required = true),
	FIELD("block_at", F_COUNT, .key = "block-at", .min = 1, .max = STRIKES, .required = true),
	COUNT("up_need", "up-need"), COUNT("down_need", "down-need"),
	NUM("block_min_sev", "block-min-sev"), DUR("block_min_dur", "block-min-dur"),
	DUR("min_hold_soft", "min-hold-soft"), DUR("min_hold_hard", "min-hold-hard"),
	DUR("soft_ttl", "soft-ttl"), DUR("hard_ttl", "hard-ttl"), DUR("block_ttl", "block-ttl"),
	NUM("sev_step1", "sev-step1"), NUM("sev_step2", "sev-step2"), NUM("sev_step3", "sev-step3"),
	COUNT("sev_delta1", "sev-delta1"), COUNT("sev_delta2", "sev-delta2"),
	COUNT("sev_delta3", "sev-delta3"), NUM("sev_decay_below", "sev-decay-below"),
	COUNT("max_strikes", "max-strikes"), DUR("state_ttl", "state-ttl"),
	DUR("offence_window", "offence-window"), COUNT1("offence_max", "offence-max"),
	FIELD("max_level", F_WORD, .key = "max-level", .words = levels),
	END,
};

static const struct field non_compliance[] = {
	COUNT("at", "noncomp-at"), NUM("drop", "noncomp-drop"), NUM("sev", "noncomp-sev"),
	NUM("reset", "noncomp-reset-below"),
	END,
};

static const struct field promotion[] = {
	COUNT("min_seen_count", "graph-min-seen"), COUNT("min_windows", "graph-min-windows"),
	DUR("min_age", "graph-min-age"), DUR("expire_ttl", "graph-expire-ttl"),
	END,
};

#define AUDIT "it was for the audit log alone; edges are enforced when kliq graph enforce says so"
static const char *const actions[] = { "observe", "signal", "rate_limit", "rate_limit_hard", "block", NULL };
static const struct field freeze[] = {
	FIELD("action", F_TEXT), FIELD("max_action", F_WORD, .words = actions), FIELD("ttl", F_DURATION),
	FIELD("allow_block", F_SWITCH), FIELD("min_severity_for_block", F_COUNT),
	END,
};

static const struct field exclude[] = {
	FIELD("source_cidrs", F_PREFIXES, .key = "graph-exclude-source-cidrs"),
	SWITCH("broadcast", "graph-exclude-broadcast"), SWITCH("loopback", "graph-exclude-loopback"),
	END,
};

/* The one database there is has that name: what says so is honoured. */
static void take_store(struct reader *r, const struct field *f, const yaml_node_t *node, const char *text)
{
	const char *base = strrchr(text, '/');
	struct place at = place_of(r, node);

	(void)f;
	if (*text && strcmp(base ? base + 1 : text, "kliq.db"))
		report_warning(&at,
			       "not honoured: kliq keeps its database as kliq.db in the folder of --state");
}

static const char *const modes[] = { "learn", "frozen-observe", "frozen-enforce", NULL };
static const struct field graph[] = {
	SWITCH("enabled", "graph"),
	FIELD("mode", F_WORD, .key = "graph-mode", .words = modes),
	FIELD("store", F_TEXT, .take = take_store),
	SECTION("promotion", promotion),
	FIELD("freeze", F_SECTION, .fields = freeze, .unheeded = AUDIT),
	SECTION("exclude", exclude),
	COUNT("min_packets", "graph-min-packets"), COUNT("min_bytes", "graph-min-bytes"),
	COUNT("max_candidates", "graph-max-candidates"),
	END,
};

static const struct field baseline[] = {
	COUNT("min_observations", "baseline-min-obs"), SHARE("alpha", "baseline-alpha"),
	SHARE("alpha_bootstrap", "baseline-alpha-bootstrap"),
	COUNT("min_obs_time_based", "baseline-min-obs-time"), DUR("min_age_time_based", "baseline-min-age"),
	NUM("deviation_threshold", "baseline-threshold"), NUM("min_update_pps", "baseline-min-update-pps"),
	NUM("min_update_bps", "baseline-min-update-bps"), NUM("peak_tolerance", "baseline-peak-tolerance"),
	DUR("peak_decay_half_life", "baseline-peak-decay-half-life"),
	END,
};

static const struct field floors[] = {
	NUM("pps", "autotune-floor-pps"), NUM("syn", "autotune-floor-syn"),
	NUM("scan", "autotune-floor-scan"), NUM("bps", "autotune-floor-bps"),
	END,
};

#define STEP(every, up, down, alpha) \
	DUR("interval", every), NUM("max_up", up), SHARE("max_down", down), SHARE("alpha", alpha), END
static const struct field phase1[] = {
	STEP("bootstrap-every1", "bootstrap-max-up1", "bootstrap-max-down1", "bootstrap-alpha1"),
};
static const struct field phase2[] = {
	STEP("bootstrap-every2", "bootstrap-max-up2", "bootstrap-max-down2", "bootstrap-alpha2"),
};
static const struct field phase3[] = {
	STEP("bootstrap-every3", "bootstrap-max-up3", "bootstrap-max-down3", "bootstrap-alpha3"),
};
static const struct field steady[] = {
	STEP("steady-every", "autotune-max-change-up", "autotune-max-change-down", "autotune-alpha"),
};

static const struct field bootstrap[] = {
	DUR("window", "bootstrap-window"), NUM("k_start", "bootstrap-k-start"),
	NUM("k_final", "bootstrap-k-final"), DUR("phase1_end", "bootstrap-phase1-end"),
	DUR("phase2_end", "bootstrap-phase2-end"),
	SECTION("phase1", phase1), SECTION("phase2", phase2), SECTION("phase3", phase3),
	SECTION("steady", steady),
	SWITCH("enabled", "bootstrap"), COUNT("min_windows", "bootstrap-min-windows"),
	COUNT("min_sources", "bootstrap-min-sources"),
	END,
};

static const struct field autotune[] = {
	SWITCH("enabled", "autotune"), COUNT("min_samples", "autotune-min-samples"),
	SECTION("floors", floors), SECTION("bootstrap", bootstrap),
	DUR("every", "autotune-every"), NUM("k", "autotune-k"), NUM("learn_sev_gt", "learn-sev-gt"),
	SHARE("learn_frac_gt", "learn-frac-gt"), NUM("learn_max_sev", "learn-max-sev"),
	SHARE("learn_max_drop_ratio", "learn-max-drop-ratio"),
	END,
};

static const struct field source_baseline[] = {
	SHARE("alpha", "srcbl-alpha"),
	SHARE("alpha_stable", "srcbl-alpha-stable"),
	NUM("min_pps", "srcbl-min-pps"),
	COUNT("min_obs", "srcbl-min-obs"),
	COUNT("max_sources", "srcbl-max-sources"),
	NUM("peak_mul", "srcbl-peak-mul"),
	SHARE("min_conf", "srcbl-min-conf"),
	DUR("peak_half_life", "srcbl-peak-half-life"),
	NUM("max_growth", "srcbl-max-growth"),
	END,
};

static const struct field rollup[] = {
	COUNT("members", "rollup-members"), NUM("sev", "rollup-sev"), NUM("factor", "rollup-factor"),
	SHARE("max_clean", "rollup-max-clean"), DUR("window", "rollup-window"), DUR("watch", "rollup-watch"),
	COUNT("max_sources", "rollup-max-sources"), SWITCH("enabled", "rollup"),
	END,
};

static const struct field shield_pep[] = {
	COUNT1("soft_rate_pps", "soft-rate"), COUNT1("soft_burst", "soft-burst"),
	COUNT1("hard_rate_pps", "hard-rate"), COUNT1("hard_burst", "hard-burst"),
	NUM("soft_rate_factor", "soft-rate-factor"), NUM("hard_rate_factor", "hard-rate-factor"),
	DUR("cooldown", "cooldown"),
	DUR("max_age", "max-age"), COUNT("max_new_blocks", "max-new-blocks"), SWITCH("dry_run", "dry-run"),
	END,
};

static const struct field directions[] = {
	FIELD("input", F_SWITCH), FIELD("forward", F_SWITCH), FIELD("output", F_SWITCH), END,
};
static const struct field rate_limit[] = {
	FIELD("soft_rate_pps", F_COUNT), FIELD("hard_rate_pps", F_COUNT), END,
};
static const struct field observation[] = {
	FIELD("conntrack_snapshot", F_SWITCH), FIELD("conntrack_poll_interval", F_DURATION), END,
};
static const struct field safety[] = { FIELD("management_allowlist", F_TEXTS), END };
static const struct field netfilter[] = {
	FIELD("backend", F_TEXT), SECTION("directions", directions), SECTION("rate_limit", rate_limit),
	SECTION("observation", observation), SECTION("safety", safety),
	END,
};

static const struct field adapters[] = {
	SECTION("shield_pep", shield_pep),
	FIELD("netfilter", F_SECTION, .fields = netfilter,
	      .unheeded = "packets are dropped by Shield, not by netfilter"),
	END,
};

/* Any setting by its own name, with - or _ in it. */
static void take_settings(struct reader *r, const struct field *f, const yaml_node_t *map, const char *none)
{
	const yaml_node_pair_t *p;

	(void)f, (void)none;
	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
		if (key_fits(r, map, p))
			setting_read(r, yaml_document_get_node(r->doc, p->key),
				     yaml_document_get_node(r->doc, p->value));
}

static const struct field spec[] = {
	FIELD("signal_engine", F_SECTION, .fields = signal_engine, .required = true),
	FIELD("progressive_enforcement", F_SECTION, .fields = progressive_enforcement, .required = true),
	SECTION("non_compliance", non_compliance),
	SECTION("graph", graph),
	SECTION("baseline", baseline),
	SECTION("autotune", autotune),
	SECTION("adapters", adapters),
	SECTION("source_baseline", source_baseline),
	SECTION("rollup", rollup),
	FIELD("settings", F_MAP, .take = take_settings),
	END,
};

static const char *const versions[] = { "kernloom.io/v1alpha1", NULL };
static const struct field document[] = {
	FIELD("apiVersion", F_WORD, .words = versions, .required = true),
	FIELD("kind", F_TEXT, .required = true),
	FIELD("metadata", F_SECTION, .fields = metadata, .required = true),
	FIELD("spec", F_SECTION, .fields = spec, .required = true),
	END,
};

static const struct field *find(const struct field *f, const char *key)
{
	const struct field *found;

	for (; f->name; f++) {
		if (f->key && !strcmp(f->key, key))
			return f;
		found = f->fields ? find(f->fields, key) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

const struct field *pdp_field(const char *key)
{
	return find(document, key);
}

/* Filters take two thresholds that are the same, for a level that is left out; here that is likely a slip. */
static void check_above(struct reader *r, const yaml_node_t *root, const char *low, const char *high)
{
	const char *a = field_text(r, root, low), *b = field_text(r, root, high);
	struct place at;
	double x, y;

	if (!a || !b || value_number(a, strlen(a), &x) || value_number(b, strlen(b), &y) || x < y)
		return;
	at = place_below(r, root, high);
	report_error(r->report, &at, "expected more than %s, which is %s, got '%s'", strrchr(low, '.') + 1, a,
		     b);
}

void pdp_read(struct reader *r, const yaml_node_t *root)
{
	const yaml_node_t *node = field_of(r, root, "spec");
	unsigned before = r->report->errors;

	fields_read(r, root, document);
	if (r->report->errors != before)
		return;
	check_above(r, root, "spec.progressive_enforcement.soft_at", "spec.progressive_enforcement.hard_at");
	check_above(r, root, "spec.progressive_enforcement.hard_at", "spec.progressive_enforcement.block_at");
	/* In Kernloom a PDPConfig that does not ask for autotune is one without it. */
	if (r->rank == RANK_CONF && node && !r->store->tuned.file) {
		r->store->tuned = place_of(r, node);
		strcpy(r->store->tuned.path, "spec.autotune");
	}
}
