/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed PINDIR CAPTURE - every frame of a capture through the attached program
 *
 * By BPF_PROG_TEST_RUN: frames larger than any MTU pass too, and nothing else
 * on an interface disturbs the counts. Prints the number of frames, passed and dropped.
 */
#include <bpf/bpf.h>
#include <errno.h>
#define PCAP_DONT_INCLUDE_PCAP_BPF_H	/* its struct bpf_insn is another one */
#include <pcap/pcap.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XDP_DROP 1
#define FRAME_MIN 14u	/* shorter ones the kernel does not take for a test */
#define FRAME_MAX 3500u	/* what one test page holds beside head and tail room */

static int attached(const char *dir)
{
	struct bpf_link_info info = { 0 };
	unsigned len = sizeof(info);
	char path[512];
	int fd;

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
	unsigned long passed = 0, dropped = 0, skipped = 0;
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const unsigned char *p;
	pcap_t *cap;
	int prog;

	if (argc != 3) {
		fprintf(stderr, "usage: feed PINDIR CAPTURE\n");
		return 2;
	}
	prog = attached(argv[1]);
	cap = pcap_open_offline(argv[2], err);
	if (!cap || pcap_datalink(cap) != DLT_EN10MB) {
		fprintf(stderr, "feed: %s: %s\n", argv[2], cap ? "not Ethernet" : err);
		return 3;
	}
	while (pcap_next_ex(cap, &h, &p) == 1) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p, .data_size_in = h->caplen, .repeat = 1);

		if (h->caplen < FRAME_MIN || h->caplen > FRAME_MAX || h->caplen != h->len) {
			skipped++;
			continue;
		}
		if (bpf_prog_test_run_opts(prog, &o)) {
			fprintf(stderr, "feed: %s: frame of %u bytes: %s\n", argv[2], h->caplen, strerror(errno));
			return 4;
		}
		if (o.retval == XDP_DROP)
			dropped++;
		else
			passed++;
	}
	pcap_close(cap);
	printf("%lu\t%lu\t%lu\n", passed, dropped, skipped);
	return 0;
}
