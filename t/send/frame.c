/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long frame_number(const char *key, const char *s, long min, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(s, &end, 0);
	if (errno || end == s || *end || v < min || v > max)
		errx(2, "bad value '%s' for %s: %ld to %ld", s, key, min, max);
	return v;
}

static void mac(const char *key, const char *s, uint8_t *out)
{
	int end = 0;

	if (sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", out, out + 1, out + 2, out + 3, out + 4, out + 5,
		   &end) != 6 || s[end])
		errx(2, "bad value '%s' for %s: a MAC address", s, key);
}

static void address(struct frame *f, const char *key, const char *s, uint8_t *out)
{
	if (inet_pton(AF_INET, s, out) == 1)
		return;
	if (inet_pton(AF_INET6, s, out) != 1)
		errx(2, "bad value '%s' for %s: an address", s, key);
	f->six = true;
}

static int protocol(const char *s)
{
	if (!strcmp(s, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(s, "udp"))
		return IPPROTO_UDP;
	if (!strcmp(s, "icmp"))
		return IPPROTO_ICMP;
	if (!strcmp(s, "icmp6"))
		return IPPROTO_ICMPV6;
	return (int)frame_number("proto", s, 0, 255);
}

static int tcp_flags(const char *s)
{
	static const char names[] = "FSRPAUEC";
	const char *hit;
	int v = 0;

	for (; *s; s++) {
		if (!(hit = strchr(names, *s)))
			errx(2, "bad TCP flag '%c': one of %s", *s, names);
		v |= 1 << (hit - names);
	}
	return v;
}

static void from_hex(struct frame *f, const char *s)
{
	for (; *s; s += 2) {
		if (f->hexlen == FRAME || sscanf(s, "%2hhx", &f->hex[f->hexlen]) != 1 || !s[1])
			errx(2, "bad hex at '%s'", s);
		f->hexlen++;
	}
}

void frame_word(struct frame *f, char *w)
{
	char *v = strchr(w, '='), *tag, *save;

	if (!v)
		errx(2, "'%s' is not KEY=VALUE", w);
	*v++ = 0;
	if (!strcmp(w, "dmac"))
		mac(w, v, f->dmac);
	else if (!strcmp(w, "smac"))
		mac(w, v, f->smac);
	else if (!strcmp(w, "src"))
		address(f, w, v, f->src);
	else if (!strcmp(w, "dst"))
		address(f, w, v, f->dst);
	else if (!strcmp(w, "vlan"))
		for (tag = strtok_r(v, ",", &save); tag && f->vlans < 8; tag = strtok_r(NULL, ",", &save))
			f->vlan[f->vlans++] = (uint16_t)frame_number(w, tag, 0, 4095);
	else if (!strcmp(w, "ext"))
		snprintf(f->ext, sizeof(f->ext), "%s", v);
	else if (!strcmp(w, "proto"))
		f->proto = protocol(v);
	else if (!strcmp(w, "sport"))
		f->sport = (int)frame_number(w, v, 0, 65535);
	else if (!strcmp(w, "dport"))
		f->dport = (int)frame_number(w, v, 0, 65535);
	else if (!strcmp(w, "flags"))
		f->flags = tcp_flags(v);
	else if (!strcmp(w, "ttl"))
		f->ttl = (int)frame_number(w, v, 0, 255);
	else if (!strcmp(w, "len"))
		f->len = (int)frame_number(w, v, 0, 1400);
	else if (!strcmp(w, "opt"))
		f->opt = (int)frame_number(w, v, 0, 10) * 4;
	else if (!strcmp(w, "frag"))
		f->frag = (int)frame_number(w, v, 0, 8191);
	else if (!strcmp(w, "id"))
		f->id = (int)frame_number(w, v, 0, 65535);
	else if (!strcmp(w, "more"))
		f->more = frame_number(w, v, 0, 1);
	else if (!strcmp(w, "cut"))
		f->cut = (int)frame_number(w, v, 1, FRAME);
	else if (!strcmp(w, "srcs"))
		f->srcs = frame_number(w, v, 1, 1L << 24);
	else if (!strcmp(w, "nets"))
		f->nets = frame_number(w, v, 1, 1L << 24);
	else if (!strcmp(w, "dsts"))
		f->dsts = frame_number(w, v, 1, COUNT_MAX);
	else if (!strcmp(w, "dports"))
		f->dports = frame_number(w, v, 1, 65536);
	else if (!strcmp(w, "hex"))
		from_hex(f, v);
	else
		errx(2, "unknown key '%s'", w);
}

/* The n'th address after base, in the last 24 bits. */
static void nth(uint8_t *out, const uint8_t *base, int size, long n)
{
	long low = (base[size - 3] << 16 | base[size - 2] << 8 | base[size - 1]) + n;

	memcpy(out, base, size);
	out[size - 3] = (uint8_t)(low >> 16);
	out[size - 2] = (uint8_t)(low >> 8);
	out[size - 1] = (uint8_t)low;
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
	*p++ = (uint8_t)(v >> 8);
	*p++ = (uint8_t)v;
	return p;
}

/* Internet checksum (RFC 1071) of n bytes on top of sum. */
static unsigned checksum(const uint8_t *p, int n, unsigned sum)
{
	for (; n > 1; n -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (n)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The transport header and payload at p; returns their end. sum: of the pseudo header's addresses. */
static uint8_t *transport(const struct frame *f, uint8_t *p, int dport, unsigned sum)
{
	uint8_t *from = p, *check = NULL;

	if (f->proto == IPPROTO_TCP) {
		p = put16(put16(p, f->sport), dport);
		p = put16(put16(put16(put16(p, 0), 1), 0), 0);
		*p++ = 5 << 4;
		*p++ = (uint8_t)f->flags;
		p = put16(p, 1024);
		check = p;
		p = put16(put16(p, 0), 0);
	} else if (f->proto == IPPROTO_UDP) {
		p = put16(put16(put16(p, f->sport), dport), 8 + f->len);
		check = p;
		p = put16(p, 0);
	} else if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		*p++ = f->proto == IPPROTO_ICMP ? 8 : 128;	/* echo request */
		*p++ = 0;
		check = p;
		p = put16(put16(put16(p, 0), 1), 1);
	}
	memset(p, 'k', f->len);
	p += f->len;
	if (check) {
		if (f->proto != IPPROTO_ICMP)
			sum += f->proto + (unsigned)(p - from);
		else
			sum = 0;
		put16(check, ~checksum(from, (int)(p - from), sum) & 0xffff);
	}
	return p;
}

static uint8_t *ip4(const struct frame *f, uint8_t *p, const uint8_t *src, int dport)
{
	uint8_t *ip = p, *l4 = p + 20 + f->opt;
	bool later = f->frag > 0;
	unsigned sum = checksum(src, 4, 0) + checksum(f->dst, 4, 0);

	memset(ip, 0, l4 - ip);
	ip[0] = (uint8_t)(4 << 4 | (5 + f->opt / 4));
	put16(ip + 4, f->id);
	put16(ip + 6, f->frag < 0 ? 0 : f->frag | (f->more ? 0x2000 : 0));
	ip[8] = (uint8_t)f->ttl;
	ip[9] = (uint8_t)f->proto;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, f->dst, 4);
	memset(ip + 20, 1, f->opt);	/* no-operation options */
	if (later) {
		memset(l4, 'k', f->len);
		p = l4 + f->len;
	} else {
		p = transport(f, l4, dport, sum);
	}
	put16(ip + 2, (unsigned)(p - ip));
	put16(ip + 10, ~checksum(ip, 20 + f->opt, 0) & 0xffff);
	return p;
}

static int ext_number(const char *name)
{
	static const struct { const char *name; int number; } known[] = {
		{ "hop", 0 }, { "rt", 43 }, { "frag", 44 }, { "auth", 51 }, { "dst", 60 }, { "mob", 135 },
		{ "none", 59 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].name))
			return known[i].number;
	errx(2, "unknown extension header '%s'", name);
}

static uint8_t *ip6(const struct frame *f, uint8_t *p, const uint8_t *src, int dport)
{
	uint8_t *ip = p, *next = p + 6;
	unsigned sum = checksum(src, 16, 0) + checksum(f->dst, 16, 0);
	char list[sizeof(f->ext)], *name, *save;

	memset(ip, 0, 40);
	ip[0] = 6 << 4;
	ip[7] = (uint8_t)f->ttl;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, f->dst, 16);
	p += 40;
	memcpy(list, f->ext, sizeof(list));
	for (name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		int n = ext_number(name);

		*next = (uint8_t)n;
		next = p;
		memset(p, 0, 8);
		if (n == 44) {
			put16(p + 2, (f->frag < 0 ? 0 : f->frag << 3) | f->more);
			put16(p + 6, f->id);
		}
		if (n == 0 || n == 60)
			memcpy(p + 2, (uint8_t[]){ 1, 4, 0, 0, 0, 0 }, 6);	/* PadN */
		p += 8;
	}
	*next = (uint8_t)f->proto;
	if (f->frag > 0) {
		memset(p, 'k', f->len);
		p += f->len;
	} else {
		p = transport(f, p, dport, sum);
	}
	put16(ip + 4, (unsigned)(p - ip - 40));
	return p;
}

int frame_build(const struct frame *f, long i, uint8_t *out)
{
	uint8_t src[16], *p = out;
	struct frame to;
	int dport = (int)((f->dport + i % f->dports) & 0xffff), size = f->six ? 16 : 4;

	if (f->hexlen) {
		memcpy(out, f->hex, f->hexlen);
		return f->hexlen;
	}
	nth(src, f->src, size, i % f->srcs);
	if (f->six)
		nth(src, f->src, 8, i % f->nets);
	if (f->dsts > 1) {
		to = *f;
		nth(to.dst, f->dst, size, i % f->dsts);
		f = &to;
	}
	memcpy(p, f->dmac, 6);
	memcpy(p + 6, f->smac, 6);
	p += 12;
	for (int v = 0; v < f->vlans; v++)
		p = put16(put16(p, v + 1 < f->vlans ? 0x88a8 : 0x8100), f->vlan[v]);
	p = put16(p, f->six ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	p = f->six ? ip6(f, p, src, dport) : ip4(f, p, src, dport);
	return f->cut && f->cut < p - out ? f->cut : (int)(p - out);
}
