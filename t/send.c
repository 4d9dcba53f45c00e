/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames of a test out of an interface: built from KEY=VALUE words, or
 * given as hex. Bounded in number (-c), rate (-r) and time (-t).
 *
 *   send -c 100 -r 50 IFACE src=10.77.0.1 dst=10.77.0.2 proto=tcp dport=80 flags=S
 *   send IFACE vlan=5,7 src=fd77::1 dst=fd77::2 ext=hop,dst proto=udp dport=53
 *   send IFACE hex=ffffffffffff...
 *
 * srcs=N, dsts=N and dports=N walk over N addresses or ports, one a frame; nets=N over N /64 of src.
 *
 * -f, for floods: frames that differ in nothing but srcs or nets are made and sent in the kernel, by
 * BPF_PROG_TEST_RUN of live frames (kernel 5.18; the other end runs XDP in native mode), for a tenth of the
 * work; else one by one, which is said. Prints how many went out, in how many seconds.
 * -l: a frame the interface has no room for is lost, as on a wire, and counted as sent.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "send.skel.h"

#define FRAME 2048
#define COUNT_MAX 10000000L

struct frame {
	uint8_t dmac[6], smac[6], src[16], dst[16];
	uint16_t vlan[8];
	int vlans;
	bool six;
	char ext[64];		/* names of extension headers, comma-separated */
	int proto, sport, dport, flags, ttl;
	int len, opt;		/* payload bytes, IPv4 option bytes */
	int frag;		/* -1: none, else offset in units of 8 bytes */
	int id;			/* of the fragments' packet */
	bool more;
	int cut;		/* frame cut to so many bytes; 0: whole */
	long srcs, nets, dsts, dports;
	uint8_t hex[FRAME];
	int hexlen;
};

static long number(const char *key, const char *s, long min, long max)
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
	return (int)number("proto", s, 0, 255);
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

static void word(struct frame *f, char *w)
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
			f->vlan[f->vlans++] = (uint16_t)number(w, tag, 0, 4095);
	else if (!strcmp(w, "ext"))
		snprintf(f->ext, sizeof(f->ext), "%s", v);
	else if (!strcmp(w, "proto"))
		f->proto = protocol(v);
	else if (!strcmp(w, "sport"))
		f->sport = (int)number(w, v, 0, 65535);
	else if (!strcmp(w, "dport"))
		f->dport = (int)number(w, v, 0, 65535);
	else if (!strcmp(w, "flags"))
		f->flags = tcp_flags(v);
	else if (!strcmp(w, "ttl"))
		f->ttl = (int)number(w, v, 0, 255);
	else if (!strcmp(w, "len"))
		f->len = (int)number(w, v, 0, 1400);
	else if (!strcmp(w, "opt"))
		f->opt = (int)number(w, v, 0, 10) * 4;
	else if (!strcmp(w, "frag"))
		f->frag = (int)number(w, v, 0, 8191);
	else if (!strcmp(w, "id"))
		f->id = (int)number(w, v, 0, 65535);
	else if (!strcmp(w, "more"))
		f->more = number(w, v, 0, 1);
	else if (!strcmp(w, "cut"))
		f->cut = (int)number(w, v, 1, FRAME);
	else if (!strcmp(w, "srcs"))
		f->srcs = number(w, v, 1, 1L << 24);
	else if (!strcmp(w, "nets"))
		f->nets = number(w, v, 1, 1L << 24);
	else if (!strcmp(w, "dsts"))
		f->dsts = number(w, v, 1, COUNT_MAX);
	else if (!strcmp(w, "dports"))
		f->dports = number(w, v, 1, 65536);
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

/* The i'th frame; returns its length. */
static int build(const struct frame *f, long i, uint8_t *out)
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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

struct plan {
	long count, rate, seconds, sent;
	bool lossy;
	double start, next, took;	/* next: nothing before; who is late hurries, at twice the rate */
};

/* Waits until the i'th frame is due, at start + i / rate (rate 0: at once). False: the time is over. */
static bool its_time(const struct plan *p, long i)
{
	double due = p->rate ? p->start + (double)i / (double)p->rate : 0, t;

	due = due > p->next ? due : p->next;
	while ((t = now()) < due && !stopped)
		nanosleep(&(struct timespec){ .tv_nsec = due - t > 1e-4 ? 50000 : 1 }, NULL);
	return !stopped && t <= p->start + (double)p->seconds;
}

static void one_by_one(const char *to, const struct frame *f, struct plan *p)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(to) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t buf[FRAME];

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(4, "cannot open a packet socket");
	for (; p->sent < p->count && its_time(p, p->sent); p->sent++)
		while (send(fd, buf, build(f, p->sent, buf), 0) < 0)
			if (errno != ENOBUFS)
				err(4, "cannot send");
			else if (p->lossy)
				break;
	close(fd);
}

/* What the checksum at p[at] covers beside the four bytes of the source that count: as the kernel adds it up. */
static unsigned rest(const uint8_t *p, unsigned at, unsigned src)
{
	uint16_t w[3];

	memcpy(w, p + src, 4);
	memcpy(w + 2, p + at, 2);
	return (~w[2] & 0xffffu) + (~w[0] & 0xffffu) + (~w[1] & 0xffffu);
}

/* False, said, and nothing sent: this kernel cannot. */
static bool by_kernel(const char *to, const struct frame *f, struct plan *p)
{
	uint8_t buf[FRAME];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = buf, .data_size_in = (unsigned)build(f, 0, buf),
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
	unsigned l4 = f->six ? 54 : 34, src = f->six ? f->nets > 1 ? 26 : 34 : 26;
	long chunk = p->rate / 1000 ? p->rate / 1000 : 1;	/* a millisecond's, less than what a veth holds */
	LIBBPF_OPTS(bpf_link_create_opts, skb, .flags = XDP_FLAGS_SKB_MODE);
	struct send *s = send__open_and_load();
	int hold;
	bool able = true;

	if (!s) {
		warnx("no program for live frames loads here, so one by one");
		return false;
	}
	s->data->walk.srcs = (unsigned)(f->srcs > f->nets ? f->srcs : f->nets);
	s->data->walk.first = (unsigned)buf[src] << 24 | buf[src + 1] << 16 | buf[src + 2] << 8 | buf[src + 3];
	s->data->walk.at = src;
	s->data->walk.sum_at[0] = l4 + (f->proto == IPPROTO_TCP ? 16 : 6);
	s->data->walk.sum[0] = rest(buf, s->data->walk.sum_at[0], src);
	if (!f->six) {
		s->data->walk.sum_at[1] = 24;
		s->data->walk.sum[1] = rest(buf, 24, src);
	}
	s->data->walk.ifindex = if_nametoindex(to);
	/* A program that is attached somewhere need not be made known to all processors for each chunk. */
	hold = bpf_link_create(bpf_program__fd(s->progs.next), (int)if_nametoindex(to), BPF_XDP,
			       &skb);
	if (hold < 0)
		err(4, "cannot attach to '%s'", to);
	while (able && p->sent < p->count && its_time(p, p->sent)) {
		p->next = now() + (double)chunk / 2 / (double)p->rate;
		o.repeat = (int)(p->count - p->sent < chunk ? p->count - p->sent : chunk);
		if (bpf_prog_test_run_opts(bpf_program__fd(s->progs.next), &o) && errno != EINTR) {
			if (p->sent)
				err(4, "cannot send live frames");
			warn("no live frames here, so one by one");
			able = false;
		}
		p->sent = (long)s->data->walk.sent;
	}
	close(hold);
	send__destroy(s);
	return able;
}

int main(int argc, char **argv)
{
	struct frame f = {
		.dmac = { 2, 0, 0, 0, 0, 0x0b }, .smac = { 2, 0, 0, 0, 0, 0x0a }, .proto = IPPROTO_UDP,
		.sport = 40000, .dport = 9, .flags = 2, .ttl = 64, .frag = -1, .srcs = 1, .nets = 1,
		.dsts = 1, .dports = 1,
	};
	struct plan p = { .count = 1, .seconds = 20 };
	bool flood = false;
	int c;

	while ((c = getopt(argc, argv, "+c:flr:t:")) != -1) {
		if (c == 'c')
			p.count = number("-c", optarg, 1, COUNT_MAX);
		else if (c == 'f')
			flood = true;
		else if (c == 'l')
			p.lossy = true;
		else if (c == 'r')
			p.rate = number("-r", optarg, 1, 1000000);
		else if (c == 't')
			p.seconds = number("-t", optarg, 1, 300);
		else
			return 2;
	}
	if (argc - optind < 2)
		errx(2, "usage: send [-fl] [-c COUNT] [-r RATE] [-t SECONDS] IFACE KEY=VALUE...");
	if (!if_nametoindex(argv[optind]))
		err(4, "no interface '%s'", argv[optind]);
	for (int i = optind + 1; i < argc; i++)
		word(&f, argv[i]);
	if (flood && (f.hexlen || f.vlans || *f.ext || f.opt || f.cut || f.frag >= 0 || f.dsts > 1 || f.dports > 1 ||
		      (f.srcs > 1 && f.nets > 1) || (f.proto != IPPROTO_TCP && f.proto != IPPROTO_UDP) || !p.rate))
		errx(2, "-f: plain TCP or UDP that differs in srcs or nets alone, at a rate");
	signal(SIGTERM, stop);
	p.start = now();
	if (!flood || !by_kernel(argv[optind], &f, &p))
		one_by_one(argv[optind], &f, &p);
	p.took = now() - p.start;
	if (flood)
		printf("%ld frames in %.3f s\n", p.sent, p.took);
	if (p.sent < p.count)
		errx(4, "only %ld of %ld frames within %.0f s", p.sent, p.count, p.took);
	return 0;
}
