/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules to keys and values of the maps that hold them, and back. */
#include <string.h>

#include "kern.h"
#include "rulekey.h"

union key {
	uint8_t b[20];
	struct kl_lpm4 l4;
	struct kl_lpm6 l6;
	struct kl_edge4 e4;
	struct kl_edge6 e6;
};

static bool is_edge_pin(int pin)
{
	return pin >= PIN_EDGE_ALLOW4 && pin <= PIN_EDGE_LIMIT6;
}

int rule_pin(enum kl_table t, const struct prefix *x)
{
	bool four = prefix_is4(x), host = x->len == 128;

	switch (t) {
	case KL_ALLOW:
		return four ? PIN_ALLOW4 : PIN_ALLOW6;
	case KL_DENY:
		return host ? (four ? PIN_DENY4 : PIN_DENY6) : four ? PIN_DENY4_LPM : PIN_DENY6_LPM;
	case KL_LIMIT:
		return host ? (four ? PIN_LIMIT4 : PIN_LIMIT6) : four ? PIN_LIMIT4_LPM : PIN_LIMIT6_LPM;
	case KL_EDGE_ALLOW:
		return four ? PIN_EDGE_ALLOW4 : PIN_EDGE_ALLOW6;
	case KL_EDGE_DENY:
		return four ? PIN_EDGE_DENY4 : PIN_EDGE_DENY6;
	default:
		return four ? PIN_EDGE_LIMIT4 : PIN_EDGE_LIMIT6;
	}
}

bool rule_is4(int pin)
{
	return kl_pins[pin].key == 4 || kl_pins[pin].key == sizeof(struct kl_lpm4);
}

bool rule_is_lpm(int pin)
{
	return !is_edge_pin(pin) &&
	       (kl_pins[pin].key == sizeof(struct kl_lpm4) || kl_pins[pin].key == sizeof(struct kl_lpm6));
}

void rule_key_put(int pin, const struct rule *r, uint8_t *out)
{
	const struct prefix *x = &r->x;
	union key k = { { 0 } };

	if (is_edge_pin(pin)) {
		if (rule_is4(pin)) {
			memcpy(k.e4.a, x->a + 12, 4);
			k.e4.port = r->port;
			k.e4.proto = r->proto;
		} else {
			memcpy(k.e6.a, x->a, 16);
			k.e6.port = r->port;
			k.e6.proto = r->proto;
		}
		memcpy(out, k.b, kl_pins[pin].key);
		return;
	}
	switch (kl_pins[pin].key) {
	case 4:
		memcpy(k.b, x->a + 12, 4);
		break;
	case 16:
		memcpy(k.b, x->a, 16);
		break;
	case sizeof(struct kl_lpm4):
		k.l4.plen = x->len - 96u;
		memcpy(k.l4.a, x->a + 12, 4);
		break;
	default:
		k.l6.plen = x->len;
		memcpy(k.l6.a, x->a, 16);
	}
	memcpy(out, k.b, kl_pins[pin].key);
}

void rule_key_get(int pin, const uint8_t *in, struct rule *r)
{
	struct prefix *x = &r->x;
	union key k;

	memcpy(k.b, in, kl_pins[pin].key);
	memset(x, 0, sizeof(*x));
	x->len = 128;
	r->port = r->proto = 0;
	if (is_edge_pin(pin)) {
		r->port = rule_is4(pin) ? k.e4.port : k.e6.port;
		r->proto = rule_is4(pin) ? k.e4.proto : k.e6.proto;
	}
	if (rule_is4(pin)) {
		x->a[10] = x->a[11] = 0xff;
		memcpy(x->a + 12, rule_is_lpm(pin) ? k.l4.a : k.b, 4);	/* of an edge first, too */
		if (rule_is_lpm(pin))
			x->len = (uint8_t)(k.l4.plen + 96);
	} else {
		memcpy(x->a, rule_is_lpm(pin) ? k.l6.a : k.b, 16);
		if (rule_is_lpm(pin))
			x->len = (uint8_t)k.l6.plen;
	}
}

void rule_value_put(int pin, const struct rule *r, uint8_t *out)
{
	uint32_t plen = r->x.len - (rule_is4(pin) ? 96u : 0u);
	union value v;

	memset(&v, 0, sizeof(v));
	if (kl_pins[pin].value == sizeof(struct kl_limit))
		v.limit = (struct kl_limit){ r->rate, r->burst, r->until, r->owner, plen };
	else
		v.rule = (struct kl_rule){ r->until, r->owner, plen };
	memcpy(out, &v, kl_pins[pin].value);
}

void rule_value_get(int pin, const uint8_t *in, struct rule *r)
{
	union value v;

	memcpy(&v, in, kl_pins[pin].value);
	r->rate = r->burst = 0;
	if (kl_pins[pin].value == sizeof(struct kl_limit)) {
		r->rate = v.limit.rate;
		r->burst = v.limit.burst;
		r->until = v.limit.until;
		r->owner = v.limit.owner;
	} else {
		r->until = v.rule.until;
		r->owner = v.rule.owner;
	}
}
