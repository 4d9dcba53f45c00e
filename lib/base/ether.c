/* SPDX-License-Identifier: BSD-2-Clause */
/* Link types: what stands in front of a packet, and what tells its EtherType. */
#include <pcap/dlt.h>		/* numbers only */
#include <string.h>

#include "ether.h"

#define IP4 0x0800
#define IP6 0x86dd

struct ether_link {
	int dlt;
	uint8_t head;
	uint8_t at;		/* of an EtherType: where */
	enum { ETHER, TYPE, FAMILY, VERSION } by;
};

static const struct ether_link links[] = {
	{ DLT_EN10MB, ETHER_HEAD, 0, ETHER },
	{ DLT_LINUX_SLL, 16, 14, TYPE },
	{ DLT_LINUX_SLL2, 20, 0, TYPE },
	{ DLT_NULL, 4, 0, FAMILY },
	{ DLT_LOOP, 4, 0, FAMILY },
	{ DLT_RAW, 0, 0, VERSION },
	{ DLT_IPV4, 0, 0, VERSION },
	{ DLT_IPV6, 0, 0, VERSION },
};

const struct ether_link *ether_link(int dlt)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].dlt == dlt)
			return &links[i];
	return NULL;
}

size_t ether_head(const struct ether_link *l)
{
	return l->head;
}

/* An address family as some system wrote it, in either byte order. Where it is not Linux,
 * the number of IPv6 is 24, 28 or 30. */
static uint16_t type_of_family(const uint8_t *p)
{
	int family = p[1] || p[2] || (p[0] && p[3]) ? 0 : p[0] | p[3];

	switch (family) {
	case 2:
		return IP4;
	case 10: case 24: case 28: case 30:
		return IP6;
	}
	return 0;
}

static uint16_t type_of(const struct ether_link *l, const uint8_t *p, size_t n)
{
	if (n <= l->head)
		return 0;
	switch (l->by) {
	case TYPE:
		return (uint16_t)(p[l->at] << 8 | p[l->at + 1]);
	case FAMILY:
		return type_of_family(p);
	default:
		return p[0] >> 4 == 4 ? IP4 : p[0] >> 4 == 6 ? IP6 : 0;
	}
}

const uint8_t *ether_frame(const struct ether_link *l, const uint8_t *p, size_t *n, uint8_t *buf)
{
	uint16_t type;
	size_t skip;

	if (l->by == ETHER)
		return p;
	type = type_of(l, p, *n);
	skip = *n < l->head ? *n : l->head;
	memset(buf, 0, ETHER_HEAD - 2);
	buf[12] = (uint8_t)(type >> 8);
	buf[13] = (uint8_t)type;
	memcpy(buf + ETHER_HEAD, p + skip, *n - skip);
	*n += ETHER_HEAD - skip;
	return buf;
}
