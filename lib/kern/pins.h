/* SPDX-License-Identifier: BSD-2-Clause */
/* Every map the instance pins: its name in the object, its pin, the size of key and value it must have. */
#ifndef KL_PINS_H
#define KL_PINS_H

#include "../../bpf/kl_abi.h"

enum kl_pin {
	PIN_CFG, PIN_RL, PIN_EDGE4_CFG, PIN_EDGE6_CFG, PIN_TOTALS, PIN_HIST,
	PIN_TAGS4, PIN_SRC4, PIN_COLD4, PIN_PORTS4,
	PIN_TAGS6, PIN_SRC6, PIN_COLD6, PIN_PORTS6,
	PIN_FLOW_TAGS4, PIN_FLOW4, PIN_FLOW_COLD4,
	PIN_FLOW_TAGS6, PIN_FLOW6, PIN_FLOW_COLD6,
	PIN_CONNS,
	PIN_ALLOW4, PIN_ALLOW6, PIN_DENY4, PIN_DENY6, PIN_DENY4_LPM, PIN_DENY6_LPM,
	PIN_LIMIT4, PIN_LIMIT6, PIN_LIMIT4_LPM, PIN_LIMIT6_LPM,
	PIN_EDGE_ALLOW4, PIN_EDGE_ALLOW6, PIN_EDGE_DENY4, PIN_EDGE_DENY6, PIN_EDGE_LIMIT4, PIN_EDGE_LIMIT6,
	PIN_EVENTS, PIN_LOCKS,
	PINS
};

struct pin {
	const char *map, *pin;
	unsigned key, value;
};

static const struct pin kl_pins[PINS] = {
	[PIN_CFG] = { ".data.cfg", "kernloom_cfg", 4, sizeof(struct kl_cfg) },
	[PIN_RL] = { ".data.rl", "kernloom_rl_cfg", 4, sizeof(struct kl_rl_cfg) },
	[PIN_EDGE4_CFG] = { ".data.edge4", "kernloom_edge4_cfg", 4, sizeof(struct kl_edge_cfg) },
	[PIN_EDGE6_CFG] = { ".data.edge6", "kernloom_edge6_cfg", 4, sizeof(struct kl_edge_cfg) },
	[PIN_HIST] = { "hist", "kernloom_hist", 4, sizeof(struct kl_hist) },
	[PIN_TOTALS] = { "totals", "kernloom_totals", 4, sizeof(struct kl_totals) },
	[PIN_TAGS4] = { "src_tags4", "kernloom_src4_stats_tags", 4, 8 },
	[PIN_SRC4] = { "src4", "kernloom_src4_stats", 4, KL_WAYS * sizeof(struct kl_src) },
	[PIN_COLD4] = { "src_cold4", "kernloom_src4_stats_cold", 4, KL_WAYS * sizeof(struct kl_cold) },
	[PIN_PORTS4] = { "src_ports4", "kernloom_src4_stats_ports", 4, KL_WAYS * sizeof(struct kl_ports) },
	[PIN_TAGS6] = { "src_tags6", "kernloom_src6_stats_tags", 4, 8 },
	[PIN_SRC6] = { "src6", "kernloom_src6_stats", 4, KL_WAYS * sizeof(struct kl_src) },
	[PIN_COLD6] = { "src_cold6", "kernloom_src6_stats_cold", 4, KL_WAYS * sizeof(struct kl_cold) },
	[PIN_PORTS6] = { "src_ports6", "kernloom_src6_stats_ports", 4, KL_WAYS * sizeof(struct kl_ports) },
	[PIN_FLOW_TAGS4] = { "flow_tags4", "kernloom_flow4_stats_tags", 4, 8 },
	[PIN_FLOW4] = { "flow4", "kernloom_flow4_stats", 4, KL_WAYS * sizeof(struct kl_flow) },
	[PIN_FLOW_COLD4] = { "flow_cold4", "kernloom_flow4_stats_cold", 4,
			     KL_WAYS * sizeof(struct kl_flow_cold) },
	[PIN_FLOW_TAGS6] = { "flow_tags6", "kernloom_flow6_stats_tags", 4, 8 },
	[PIN_FLOW6] = { "flow6", "kernloom_flow6_stats", 4, KL_WAYS * sizeof(struct kl_flow) },
	[PIN_FLOW_COLD6] = { "flow_cold6", "kernloom_flow6_stats_cold", 4,
			     KL_WAYS * sizeof(struct kl_flow_cold) },
	[PIN_CONNS] = { "conns", "kernloom_conns", 4, KL_WAYS * sizeof(struct kl_conn) },
	[PIN_ALLOW4] = { "allow4", "kernloom_allow4_lpm", 8, sizeof(struct kl_rule) },
	[PIN_ALLOW6] = { "allow6", "kernloom_allow6_lpm", 20, sizeof(struct kl_rule) },
	[PIN_DENY4] = { "deny4", "kernloom_deny4_hash", 4, sizeof(struct kl_rule) },
	[PIN_DENY6] = { "deny6", "kernloom_deny6_hash", 16, sizeof(struct kl_rule) },
	[PIN_DENY4_LPM] = { "deny4_lpm", "kernloom_deny4_lpm", 8, sizeof(struct kl_rule) },
	[PIN_DENY6_LPM] = { "deny6_lpm", "kernloom_deny6_lpm", 20, sizeof(struct kl_rule) },
	[PIN_LIMIT4] = { "limit4", "kernloom_rl_policy4", 4, sizeof(struct kl_limit) },
	[PIN_LIMIT6] = { "limit6", "kernloom_rl_policy6", 16, sizeof(struct kl_limit) },
	[PIN_LIMIT4_LPM] = { "limit4_lpm", "kernloom_rl_policy4_lpm", 8, sizeof(struct kl_limit) },
	[PIN_LIMIT6_LPM] = { "limit6_lpm", "kernloom_rl_policy6_lpm", 20, sizeof(struct kl_limit) },
	[PIN_EDGE_ALLOW4] = { "edge_allow4", "kernloom_edge4_allow", 8, sizeof(struct kl_rule) },
	[PIN_EDGE_ALLOW6] = { "edge_allow6", "kernloom_edge6_allow", 20, sizeof(struct kl_rule) },
	[PIN_EDGE_DENY4] = { "edge_deny4", "kernloom_edge4_deny", 8, sizeof(struct kl_rule) },
	[PIN_EDGE_DENY6] = { "edge_deny6", "kernloom_edge6_deny", 20, sizeof(struct kl_rule) },
	[PIN_EDGE_LIMIT4] = { "edge_limit4", "kernloom_edge4_rl_policy", 8, sizeof(struct kl_limit) },
	[PIN_EDGE_LIMIT6] = { "edge_limit6", "kernloom_edge6_rl_policy", 20, sizeof(struct kl_limit) },
	[PIN_EVENTS] = { "events", "kernloom_events", 0, 0 },
	[PIN_LOCKS] = { "locks", "kernloom_locks", 4, 4 },
};

#endif
