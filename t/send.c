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
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "send.skel.h"
#include "send/frame.h"

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
		while (send(fd, buf, frame_build(f, p->sent, buf), 0) < 0)
			if (errno != ENOBUFS)
				err(4, "cannot send");
			else if (p->lossy)
				break;
	close(fd);
}

/* What the checksum at p[at] covers beside the four bytes of the source that count, as the kernel adds. */
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
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = buf, .data_size_in = (unsigned)frame_build(f, 0, buf),
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
			p.count = frame_number("-c", optarg, 1, COUNT_MAX);
		else if (c == 'f')
			flood = true;
		else if (c == 'l')
			p.lossy = true;
		else if (c == 'r')
			p.rate = frame_number("-r", optarg, 1, 1000000);
		else if (c == 't')
			p.seconds = frame_number("-t", optarg, 1, 300);
		else
			return 2;
	}
	if (argc - optind < 2)
		errx(2, "usage: send [-fl] [-c COUNT] [-r RATE] [-t SECONDS] IFACE KEY=VALUE...");
	if (!if_nametoindex(argv[optind]))
		err(4, "no interface '%s'", argv[optind]);
	for (int i = optind + 1; i < argc; i++)
		frame_word(&f, argv[i]);
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
