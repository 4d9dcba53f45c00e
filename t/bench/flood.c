/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood IFACE DMAC SOURCES PACKETS | flood list SOURCES
 *
 * Sends live frames out of IFACE from SOURCES pseudo-random IPv4 sources, as
 * fast as the kernel takes them, and on the one processor that also receives
 * them; prints nanoseconds a packet. Or lists those sources, one a line.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_mutate.skel.h"

static unsigned scatter(unsigned x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

static int list(unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		puts(inet_ntoa((struct in_addr){ scatter(i + 1) }));
	return 0;
}

int main(int argc, char **argv)
{
	unsigned char frame[64] = {
		[12] = 0x08, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 0, 0, 0, 0, 10, 77, 0, 2,
		0x30, 0x39, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = 60,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
	struct timespec t0, t1;
	struct bench_mutate *m;
	unsigned sum = 0, i, mac[6];
	cpu_set_t one;

	if (argc == 3 && !strcmp(argv[1], "list"))
		return list((unsigned)strtoul(argv[2], NULL, 10));
	if (argc != 5 || sscanf(argv[2], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6) {
		fprintf(stderr, "usage: flood IFACE DMAC SOURCES PACKETS | flood list SOURCES\n");
		return 2;
	}
	for (i = 0; i < 6; i++)
		frame[i] = (unsigned char)mac[i];
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	m = bench_mutate__open_and_load();
	if (!m)
		return 4;
	for (i = 14; i < 34; i += 2)
		sum += (unsigned)(frame[i] | frame[i + 1] << 8);
	m->data->ctl.sum = (sum & 0xffff) + (sum >> 16);
	m->data->ctl.n = (unsigned)strtoul(argv[3], NULL, 10);
	m->data->ctl.ifindex = if_nametoindex(argv[1]);
	o.repeat = atoi(argv[4]);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	if (!m->data->ctl.ifindex || bpf_prog_test_run_opts(bpf_program__fd(m->progs.generate), &o)) {
		perror("BPF_PROG_TEST_RUN of live frames");
		return 4;
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("%.0f\n", ((double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec)) /
			 (double)m->data->ctl.sent);
	bench_mutate__destroy(m);
	return 0;
}
