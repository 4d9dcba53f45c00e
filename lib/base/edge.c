/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and protocols as text; numbers as IANA assigned them. */
#include "edge.h"

#include "num.h"

#define ICMP  1
#define ICMP6 58

static const struct {
	char name[8];
	uint8_t proto;
} names[] = {
	{ "tcp", 6 },	{ "udp", 17 },	{ "sctp", 132 }, { "gre", 47 },	  { "esp", 50 },
	{ "ah", 51 },	{ "igmp", 2 },	{ "ospf", 89 },	 { "pim", 103 },  { "vrrp", 112 },
};
#define NAMES  (sizeof(names) / sizeof(*names))
#define STREAM 2		/* names of streams; icmp apart */

static uint8_t icmp_of(const struct prefix *src)
{
	return prefix_is4(src) ? ICMP : ICMP6;
}

int proto_get(const char *s, size_t n, const struct prefix *src, uint8_t *proto)
{
	uint32_t number;

	for (size_t i = 0; i < NAMES; i++)
		if (n == strlen(names[i].name) && !memcmp(s, names[i].name, n)) {
			*proto = names[i].proto;
			return 0;
		}
	if (n == 4 && !memcmp(s, "icmp", 4))
		number = icmp_of(src);
	else if (get_u32(s, n, &number) || number > UINT8_MAX)
		return -1;
	*proto = (uint8_t)number;
	return 0;
}

static char *put(char *p, const struct prefix *src, uint8_t proto, size_t known)
{
	for (size_t i = 0; i < known; i++)
		if (names[i].proto == proto)
			return stpcpy(p, names[i].name);
	return proto == icmp_of(src) ? stpcpy(p, "icmp") : put_u64(p, proto);
}

char *proto_put(char *p, const struct prefix *src, uint8_t proto)
{
	return put(p, src, proto, STREAM);
}

const char *edge_src_get(const char *s, size_t n, struct prefix *src)
{
	int err = prefix_get(s, n, src);

	if (err == -1)
		return "not an address";
	return err || src->len != 128 ? "an edge has one address, not a prefix" : NULL;
}

const char *edge_get(const char *s, size_t n, const struct prefix *src, uint16_t *port, uint8_t *proto)
{
	const char *slash = memchr(s, '/', n);
	size_t digits = slash ? (size_t)(slash - s) : 0;
	uint32_t number;
	uint8_t of;

	if (!slash || get_u32(s, digits, &number) || number > UINT16_MAX)
		return "not PORT/PROTO";
	if (proto_get(slash + 1, n - digits - 1, src, &of))
		return "unknown protocol";
	if (proto_has_ports(of) && !number)
		return "this protocol has ports, and 0 is none";
	if (!proto_has_ports(of) && number)
		return "this protocol has no ports: its port is 0";
	*port = (uint16_t)number;
	*proto = of;
	return NULL;
}

char *edge_put(char *p, const struct prefix *src, uint16_t port, uint8_t proto)
{
	p = put_u64(p, port);
	*p++ = '/';
	return put(p, src, proto, NAMES);
}

const char *edge_str(const struct prefix *src, uint16_t port, uint8_t proto)
{
	static char text[PREFIX_TEXT + EDGE_TEXT];
	char *p = prefix_put(text, src);

	*p++ = ' ';
	*edge_put(p, src, port, proto) = 0;
	return text;
}
