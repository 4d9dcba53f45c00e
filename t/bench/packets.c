/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds a packet through the attached program, by BPF_PROG_TEST_RUN.
 *
 * packets PINDIR CASE SOURCES [ROUNDS [REPEAT]]   CASE: tcp syn udp v6 vlan flood
 * prints: case sources ns net min max          net: less the empty program, medians of interleaved rounds
 *
 * flood: 1,000 regular sources send 1 % of the packets, SOURCES the rest; the
 * share of the regulars' packets that their records hold goes to stderr.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench_mutate.skel.h"

static unsigned char frame[128];
static unsigned size, at;

static void build(const char *name)
{
	unsigned char *p = frame + 12;

	memset(frame, 0, sizeof(frame));
	if (!strcmp(name, "vlan")) {
		memcpy(p, "\x81\x00\x00\x2a", 4);
		p += 4;
	}
	if (!strcmp(name, "v6")) {
		memcpy(p, "\x86\xdd\x60\0\0\0\0\x14\x06\x40\x20\x01\x0d\xb8", 14);
		p += 2;
		at = (unsigned)(p - frame) + 8 + 12;
		p[24] = 0x20;
		p += 40;
	} else {
		memcpy(p, "\x08\x00\x45\0\0\x28\0\0\0\0\x40\x06", 12);
		if (!strcmp(name, "udp"))
			p[11] = 17;
		p += 2;
		at = (unsigned)(p - frame) + 12;
		memcpy(p + 12, "\x0a\x01\x02\x03\x0a\x09\x08\x07", 8);
		p += 20;
	}
	memcpy(p, "\x30\x39\x01\xbb", 4);
	p[12] = 0x50;
	p[13] = strcmp(name, "syn") ? 0x10 : 0x02;
	size = (unsigned)(p + 20 - frame);
}

static int run(int fd, unsigned repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = size, .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(fd, &o)) {
		perror("BPF_PROG_TEST_RUN");
		exit(4);
	}
	return (int)o.duration;
}

static int up(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int pinned_prog(const char *dir)
{
	struct bpf_link_info info = { 0 };
	unsigned len = sizeof(info);
	char path[512];
	int fd;

	fd = bpf_obj_get(dir);		/* a pinned program, to compare with */
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/kernloom_shield_xdp_link", dir);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len)) {
		perror(path);
		exit(4);
	}
	return bpf_prog_get_fd_by_id(info.prog_id);
}

int main(int argc, char **argv)
{
	int rounds, i, prog, net[64], ns[64], base, key = 0, fd, empty, mutate;
	struct bench_mutate *m;
	unsigned repeat;
	cpu_set_t one;

	if (argc < 4) {
		fprintf(stderr, "usage: packets PINDIR CASE SOURCES [ROUNDS [REPEAT]]\n");
		return 2;
	}
	rounds = argc > 4 ? atoi(argv[4]) : 5;
	repeat = argc > 5 ? (unsigned)atoi(argv[5]) : 2000000;
	if (rounds < 1 || rounds > 64)
		return 2;
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	sched_setaffinity(0, sizeof(one), &one);
	m = bench_mutate__open_and_load();
	if (!m)
		return 4;
	build(argv[2]);
	prog = pinned_prog(argv[1]);
	empty = bpf_program__fd(m->progs.empty);
	mutate = bpf_program__fd(m->progs.mutate);
	fd = bpf_map__fd(m->maps.next);
	m->data->ctl.n = (unsigned)strtoul(argv[3], NULL, 10);
	m->data->ctl.at = at;
	if (!strcmp(argv[2], "flood")) {
		m->data->ctl.regulars = 1000;
		m->data->ctl.share = 655;
	}
	if (bpf_map_update_elem(fd, &key, &prog, 0))
		return 4;
	run(mutate, repeat);		/* every source known */
	for (i = 0; i < rounds; i++) {
		if (bpf_map_update_elem(fd, &key, &empty, 0))
			return 4;
		base = run(mutate, repeat);
		if (bpf_map_update_elem(fd, &key, &prog, 0))
			return 4;
		ns[i] = run(mutate, repeat);
		net[i] = ns[i] - base;
	}
	qsort(ns, (size_t)rounds, sizeof(*ns), up);
	qsort(net, (size_t)rounds, sizeof(*net), up);
	printf("%s\t%s\t%d\t%d\t%d\t%d\n", argv[2], argv[3], ns[rounds / 2], net[rounds / 2], net[0], net[rounds - 1]);
	bench_mutate__destroy(m);
	return 0;
}
