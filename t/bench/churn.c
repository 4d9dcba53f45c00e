/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * churn PINDIR SOURCES [EACH] - as if the first SOURCES records had got EACH packets
 *
 * Writes the counting table of IPv4 from user space: fills empty records with
 * addresses of 10/8 and adds to what is there. For timing readers, without
 * the cost of the packets in the same processor's caches.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../bpf/kl_abi.h"

static void *map(const char *dir, const char *pin, size_t value, size_t *n)
{
	struct bpf_map_info info = { 0 };
	unsigned len = sizeof(info);
	char path[512];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, pin);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.value_size != value) {
		perror(path);
		exit(4);
	}
	*n = info.max_entries;
	p = mmap(NULL, (*n * value + 4095) & ~4095ul, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		exit(4);
	}
	return p;
}

int main(int argc, char **argv)
{
	size_t sets, i, want, done = 0;
	unsigned each, x;
	struct kl_src *r;
	__u64 *tags, had;

	if (argc < 3) {
		fprintf(stderr, "usage: churn PINDIR SOURCES [EACH]\n");
		return 2;
	}
	want = strtoul(argv[2], NULL, 10);
	each = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	tags = map(argv[1], "kernloom_src4_stats_tags", 8, &sets);
	r = map(argv[1], "kernloom_src4_stats", KL_WAYS * sizeof(*r), &sets);
	for (i = 0; i < sets * KL_WAYS && done < want; i++) {
		/* Two records in three, as a table of its usual load has them. */
		had = tags[i / KL_WAYS] >> i % KL_WAYS * 8 & 0xff;
		if (!had && i % 3 == 2)
			continue;
		if (!had) {
			x = (unsigned)i;
			r[i].key[0] = 0;
			r[i].key[1] = (__u64)(0x0a | (x >> 16 & 0xff) << 8 | (x >> 8 & 0xff) << 16 | x << 24) << 32 | 0xffff0000;
			tags[i / KL_WAYS] |= 0x81ull << i % KL_WAYS * 8;
		}
		r[i].pb += ((__u64)each << KL_PB_SHIFT) + each * (60 + i % 900);
		done++;
	}
	printf("%zu\n", done);
	return done == want ? 0 : 1;
}
