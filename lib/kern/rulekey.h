/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules to keys and values of the maps that hold them, and back. pin: an index of kl_pins[]. */
#ifndef KL_RULEKEY_H
#define KL_RULEKEY_H

#include "map.h"

#define RULE_KEY 20		/* room for any key */
union value {
	struct kl_rule rule;
	struct kl_limit limit;
};

/* The map that holds such a prefix: hosts and edges in hashes, prefixes in tries, allow always in a trie. */
int rule_pin(enum kl_table t, const struct prefix *x);
bool rule_is4(int pin);
bool rule_is_lpm(int pin);

void rule_key_put(int pin, const struct rule *r, uint8_t *out);
void rule_key_get(int pin, const uint8_t *in, struct rule *r);	/* only what makes the key is written */
void rule_value_put(int pin, const struct rule *r, uint8_t *out);
void rule_value_get(int pin, const uint8_t *in, struct rule *r);	/* only what is not the key */

#endif
