/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs COMMAND and counts, by source, what arrives on an interface meanwhile
 * and in the 200 ms after it: what XDP passed, for packet sockets are behind it.
 *
 *   recv [-t SECONDS] [-m MAC] IFACE COMMAND...
 *
 * -m: frames from that MAC address alone, chosen in the kernel: a flood from another costs next to nothing.
 * Prints "source TAB packets" in order of the text; "-" stands for frames that
 * are not IP. The status is COMMAND's, or 4 when counting failed: no packet
 * is lost unsaid.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS (1u << 18)	/* sources told apart, a power of two */
#define DRAIN_MS 200

struct slot {
	uint8_t key[17];	/* family 4 or 6, address; 0: empty; 1: not IP */
	unsigned long packets;
};
static struct slot slots[SLOTS];
static unsigned used;

static void count(const uint8_t *key)
{
	uint64_t h = 1469598103934665603u;

	for (int i = 0; i < 17; i++)
		h = (h ^ key[i]) * 1099511628211u;
	h ^= h >> 32;
	while (slots[h % SLOTS].key[0] && memcmp(slots[h % SLOTS].key, key, 17))
		h++;
	if (!slots[h % SLOTS].key[0]) {
		if (++used > SLOTS / 2)
			errx(4, "more than %u sources", SLOTS / 2);
		memcpy(slots[h % SLOTS].key, key, 17);
	}
	slots[h % SLOTS].packets++;
}

static void frame(const uint8_t *p, int n)
{
	uint8_t key[17] = { 1 };
	int at = 12, type = 0;

	for (; at + 2 <= n; at += 4) {
		type = p[at] << 8 | p[at + 1];
		if (type != 0x8100 && type != 0x88a8)
			break;
	}
	at += 2;
	if (type == ETHERTYPE_IP && at + 20 <= n) {
		key[0] = 4;
		memcpy(key + 1, p + at + 12, 4);
	} else if (type == ETHERTYPE_IPV6 && at + 40 <= n) {
		key[0] = 6;
		memcpy(key + 1, p + at + 8, 16);
	}
	count(key);
}

/* Takes what is there, without waiting. */
static void take(int fd)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	uint8_t buf[256];
	ssize_t n;

	while ((n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &size)) >= 0)
		if (from.sll_pkttype != PACKET_OUTGOING)
			frame(buf, (int)n);
	if (errno != EAGAIN && errno != EINTR)
		err(4, "cannot receive");
}

/* Nothing arrives at fd but what comes from the MAC address. */
static void only(int fd, const uint8_t *mac)
{
	const uint32_t high = (uint32_t)mac[0] << 24 | mac[1] << 16 | mac[2] << 8 | mac[3], low = mac[4] << 8 | mac[5];
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 10),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 256),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)))
		err(4, "cannot choose frames");
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void report(int fd)
{
	struct tpacket_stats lost;
	socklen_t size = sizeof(lost);
	char **line = calloc(used + 1, sizeof(*line)), text[INET6_ADDRSTRLEN] = "-";
	unsigned n = 0;

	if (!line || getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &size))
		err(4, "cannot report");
	if (lost.tp_drops)
		errx(4, "%u packets were lost in counting", lost.tp_drops);
	for (struct slot *s = slots; s < slots + SLOTS; s++) {
		if (!s->key[0])
			continue;
		if (s->key[0] > 1)
			inet_ntop(s->key[0] == 4 ? AF_INET : AF_INET6, s->key + 1, text, sizeof(text));
		else
			strcpy(text, "-");
		if (asprintf(&line[n++], "%s\t%lu", text, s->packets) < 0)
			err(4, "cannot report");
	}
	qsort(line, n, sizeof(*line), text_order);
	for (unsigned i = 0; i < n; i++)
		puts(line[i]);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	long end, limit = 30;
	int c, fd, size = 256 << 20, status = 0;
	bool done = false, some = false;
	uint8_t mac[6];
	pid_t pid;

	while ((c = getopt(argc, argv, "+m:t:")) != -1)
		if (c == 'm') {
			some = true;
			if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4,
				   mac + 5) != 6)
				errx(2, "-m: '%s' is no MAC address", optarg);
		} else if (c != 't' || (limit = atol(optarg)) < 1 || limit > 300)
			errx(2, "-t: 1 to 300 seconds");
	if (argc - optind < 2)
		errx(2, "usage: recv [-t SECONDS] [-m MAC] IFACE COMMAND...");
	at.sll_ifindex = (int)if_nametoindex(argv[optind]);
	if (!at.sll_ifindex)
		err(4, "no interface '%s'", argv[optind]);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(4, "cannot open a packet socket");
	if (some)
		only(fd, mac);
	pid = fork();
	if (pid < 0)
		err(4, "cannot fork");
	if (!pid) {
		execvp(argv[optind + 1], argv + optind + 1);
		err(127, "cannot run '%s'", argv[optind + 1]);
	}
	end = now_ms() + limit * 1000;
	while (now_ms() < end) {
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20);
		take(fd);
		if (!done && waitpid(pid, &status, WNOHANG) == pid) {
			done = true;
			end = now_ms() + DRAIN_MS;
		}
	}
	if (!done) {
		kill(pid, SIGKILL);
		errx(4, "'%s' took longer than %ld s", argv[optind + 1], limit);
	}
	report(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
