/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * A frame to what the steps need to know of it. Plain C over two pointers: it
 * compiles for the kernel and for user space alike.
 *
 * Only the outermost IP header counts. Ports and flags are read only where
 * they truly are: inside the IP packet's own length, and never from a later
 * fragment, whose payload an attacker chooses.
 */
#ifndef KL_PARSE_BPF_H
#define KL_PARSE_BPF_H

#include <linux/types.h>

#define KL_VLANS 4	/* tags looked behind */
#define KL_EXTS  8	/* IPv6 extension headers walked */

enum { FRAME_OTHER, FRAME_IP, FRAME_BAD };
enum { FRAG_NO, FRAG_FIRST, FRAG_LATER };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct pkt {
	__u64 hi, lo;		/* source, network order as loaded; v4-mapped */
	__u64 whole;		/* lo, when lo itself was cut to the prefix sources are kept under */
	__u32 flow;		/* of kl_flow.id, made by the flow steps */
	__u32 len;		/* of the frame */
	__u16 sport, dport;	/* host order, valid when ports */
	__u8 frag;
	__u8 ports, flagged;	/* were ports, TCP flags (or ICMP type) read? */
	__u8 flags;		/* TCP flags; ICMP type */
	__u8 family;		/* 4 or 6 */
	__u8 proto;		/* behind all extension headers that could be read */
	__u8 hops;		/* IPv6: hop limit */
	__u16 type;		/* EtherType behind the tags, of what is not IP */
	__u16 l3;		/* where the IP header stands */
	__u32 id;		/* of the fragments, when frag */
	__u32 left;		/* of the IP packet, behind at */
	__u32 at;		/* where the parser stands in the frame. In memory, so that
				   the verifier forgets how it came there */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MAPPED4(a) ((__u64)(a) << 32 | 0xffff0000)	/* ::ffff:a, last 8 bytes as loaded */
#define ADDR4(lo)  ((lo) >> 32)				/* and a of it */
#define NUM64(x)   __builtin_bswap64(x)			/* eight bytes as loaded, as a number */
#define NUM16(x)   __builtin_bswap16(x)			/* two of them; or a number as it is loaded */
#else
#define MAPPED4(a) (0x0000ffff00000000ull | (a))
#define ADDR4(lo)  ((lo) & 0xffffffffull)
#define NUM64(x)   (x)
#define NUM16(x)   (x)
#endif
#define INLINE static inline __attribute__((always_inline))
#ifdef __bpf__
#define UNROLL _Pragma("unroll")
#define LOAD(type, p) (*(const type *)(p))	/* at any address: a copy would be made byte by byte */
#else
#define UNROLL
#define LOAD(type, p) ({ type v_; __builtin_memcpy(&v_, (p), sizeof(v_)); v_; })
#endif
#define BE16(p) ((__u16)NUM16(LOAD(__u16, p)))
#define BE32(p) ((__u32)BE16(p) << 16 | BE16((const __u8 *)(p) + 2))

enum { TYPE_IP4 = NUM16(0x0800), TYPE_IP6 = NUM16(0x86dd) };	/* as loaded, like the next */

INLINE int is_vlan(__u16 type)
{
	return type == NUM16(0x8100) || type == NUM16(0x88a8) || type == NUM16(0x9100);
}

INLINE void take_ports(struct pkt *k, const __u8 *p)
{
	k->sport = BE16(p);
	k->dport = BE16(p + 2);
	k->ports = 1;
}

INLINE void take_flags(struct pkt *k, __u8 flags)
{
	k->flags = flags;
	k->flagged = 1;
}

/* Of a packet that begins at p: ports from the first 4 bytes, flags from the 14th, type
 * from the first; left is how much of the IP packet lies behind p. */
INLINE void parse_l4(struct pkt *k, const __u8 *p, const __u8 *end, __u32 left)
{
	if (k->proto == 6 || k->proto == 17 || k->proto == 132) {
		if (left < 4 || p + 4 > end)
			return;
		take_ports(k, p);
		if (k->proto == 6 && left >= 14 && p + 14 <= end)
			take_flags(k, p[13]);
	} else if (k->proto == 1 || k->proto == 58) {
		if (left >= 1 && p + 1 <= end)
			take_flags(k, p[0]);
	}
}

/* Does it look like the answer to a question of this host: UDP from a port below 1024 to one
 * that Linux gives to who asks (ip_local_port_range begins at 32768)? */
INLINE int is_answer(const struct pkt *k)
{
	return k->proto == 17 && k->ports && k->sport < 1024 && k->dport >= 32768;
}

#define AT(k, data) ((const __u8 *)(data) + ((k)->at & 0x7fff))

INLINE int parse_ip4(struct pkt *k, const __u8 *p, const __u8 *end)
{
	__s32 head = 20, total, left;
	__u16 off;

	if (p + 20 > end)
		return FRAME_BAD;
	if (p[0] != 0x45) {
		head = (p[0] & 15) * 4;
		if (p[0] >> 4 != 4 || head < 20 || p + head > end)
			return FRAME_BAD;
	}
	total = BE16(p + 2);
	if (!total)			/* set by segmentation offload */
		total = 0xffff;
	k->hi = 0;
	k->lo = MAPPED4(LOAD(__u32, p + 12));
	k->family = 4;
	k->proto = p[9];
	k->at = k->l3 + head;
	left = total - head;
	if (left < 0)
		left = 0;
	k->left = left;
	off = LOAD(__u16, p + 6) & NUM16(0x3fff);
	if (off) {
		k->id = BE16(p + 4);
		k->frag = off & NUM16(0x1fff) ? FRAG_LATER : FRAG_FIRST;
		if (k->frag == FRAG_LATER)
			return FRAME_IP;
	}
	p += head;
	if (k->proto == 6 && left >= 14 && p + 14 <= end) {	/* what most are: without asking twice */
		take_ports(k, p);
		take_flags(k, p[13]);
		return FRAME_IP;
	}
	parse_l4(k, p, end, left);
	return FRAME_IP;
}

INLINE int parse_ip6(struct pkt *k, const __u8 *p, const __u8 *data, const __u8 *end)
{
	__u32 left, step;
	__u16 off;
	int i;

	if (p + 40 > end || p[0] >> 4 != 6)
		return FRAME_BAD;
	k->left = BE16(p + 4);
	if (!k->left)			/* a jumbogram, or segmentation offload */
		k->left = 0xfffff;
	k->hi = LOAD(__u64, p + 8);
	k->lo = LOAD(__u64, p + 16);
	k->family = 6;
	k->proto = p[6];
	k->hops = p[7];
	k->at = k->l3 + 40;
	for (i = 0; i < KL_EXTS; i++) {
		p = AT(k, data);
		left = k->left;
		switch (k->proto) {
		case 0: case 43: case 60: case 135: case 139: case 140:
			if (left < 8 || p + 8 > end)
				return FRAME_IP;
			step = (p[1] + 1) * 8;
			break;
		case 51:
			if (left < 8 || p + 8 > end)
				return FRAME_IP;
			step = (p[1] + 2) * 4;
			break;
		case 44:
			if (left < 8 || p + 8 > end)
				return FRAME_IP;
			off = BE16(p + 2);
			k->frag = off & 0xfff8 ? FRAG_LATER : off & 1 ? FRAG_FIRST : FRAG_NO;
			if (k->frag)
				k->id = (__u32)BE16(p + 4) << 16 | BE16(p + 6);
			step = 8;
			break;
		default:
			parse_l4(k, p, end, left);
			return FRAME_IP;
		}
		k->proto = p[0];
		if (k->frag == FRAG_LATER || step > left)
			return FRAME_IP;
		k->left = left - step;
		k->at += step;
	}
	return FRAME_IP;
}

INLINE int parse(struct pkt *k, const void *data, const void *data_end)
{
	const __u8 *p = data, *end = data_end;
	__u16 type;
	int i;

	k->ports = k->flagged = 0;
	k->flags = 0;
	k->frag = FRAG_NO;
	k->sport = k->dport = 0;
	if (p + 14 > end) {
		k->type = 0;
		return FRAME_OTHER;
	}
	type = LOAD(__u16, p + 12);
	p += 14;
	UNROLL
	for (i = 0; i < KL_VLANS; i++) {
		if (!is_vlan(type))
			break;
		if (p + 4 > end)
			return FRAME_BAD;
		type = LOAD(__u16, p + 2);
		p += 4;
	}
	k->l3 = k->at = 14 + 4 * i;
	p = i ? AT(k, data) : (const __u8 *)data + 14;
	if (type == TYPE_IP4)
		return parse_ip4(k, p, end);
	if (type == TYPE_IP6)
		return parse_ip6(k, p, data, end);
	k->type = NUM16(type);
	return is_vlan(type) ? FRAME_BAD : FRAME_OTHER;
}

#endif
