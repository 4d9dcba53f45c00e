/* SPDX-License-Identifier: BSD-2-Clause */
/* Lifelines, from what Linux tells under /proc and what resolvers are configured by. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/ipv6_route.h>
#include <linux/route.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "lifeline.h"
#include "num.h"

struct found {
	struct lifeline *l;
	size_t n;
	struct ifaddrs *own;
};

static void from_bytes(struct prefix *x, int family, const void *a)
{
	*x = (struct prefix){ .a = { [10] = 0xff, [11] = 0xff }, .len = 128 };
	memcpy(family == AF_INET ? x->a + 12 : x->a, a, family == AF_INET ? 4 : 16);
}

/* Is it this host? What it sends to itself meets no packet path. */
static bool is_own(const struct found *f, const struct prefix *x)
{
	static const struct prefix loop4 = { { [10] = 0xff, [11] = 0xff, [12] = 127 }, 104 };
	static const struct prefix loop6 = { { [15] = 1 }, 128 };
	struct prefix y;

	if (prefix_covers(&loop4, x) || prefix_eq(&loop6, x))
		return true;
	for (const struct ifaddrs *i = f->own; i; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			from_bytes(&y, AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr);
		else if (i->ifa_addr->sa_family == AF_INET6)
			from_bytes(&y, AF_INET6, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr);
		else
			continue;
		if (prefix_eq(&y, x))
			return true;
	}
	return false;
}

static void add(struct found *f, const char *what, const struct prefix *x, uint16_t port)
{
	static const struct prefix nobody6 = { .len = 128 };	/* "::" */

	if (prefix_eq(x, &nobody6) || is_own(f, x))
		return;
	for (size_t i = 0; i < f->n; i++)
		if (prefix_eq(&f->l[i].x, x))
			return;
	if (f->n == LIFELINES)
		die(KL_SYSTEM, "more than %d gateways and resolvers", LIFELINES);
	f->l[f->n++] = (struct lifeline){ what, *x, port };
}

/* Exactly the n bytes at s, "%ZONE" behind an address left aside. 0, or -1. */
static int zoned(const char *s, size_t n, struct prefix *x)
{
	const char *zone = memchr(s, '%', n);

	return prefix_get(s, zone ? (size_t)(zone - s) : n, x) || x->len != 128 ? -1 : 0;
}

#define FIELDS 16
typedef void on_line(struct found *f, char **field, size_t n);

/* Hands on each line, without its end, as fields between blanks; a file that is not there has none. */
static void each_line(const char *path, on_line *line, struct found *f)
{
	char *field[FIELDS], *end, *p;
	size_t n, size;
	char *text = slurp(path, &size);

	if (!text && errno != ENOENT)
		die(KL_SYSTEM, "cannot read '%s': %s", path, strerror(errno));
	for (char *at = text; at && *at; at = end) {
		end = at + strcspn(at, "\n");
		if (*end)
			*end++ = 0;
		for (n = 0; n < FIELDS && (p = strtok_r(n ? NULL : at, " \t\r", &at)); )
			field[n++] = p;
		line(f, field, n);
	}
	free(text);
}

/* ---- the SSH peer ---- */

/* That variable as the process was given it; free() it. NULL: it was not. */
static char *given(long pid, const char *name)
{
	char path[64];
	size_t size, len = strlen(name);
	char *env, *found = NULL;

	snprintf(path, sizeof(path), "/proc/%ld/environ", pid);
	env = slurp(path, &size);
	if (!env) {
		if (errno == ENOENT || errno == ESRCH)
			return NULL;
		die(KL_SYSTEM, "cannot read '%s', which may name the SSH peer: %s", path, strerror(errno));
	}
	for (char *at = env; at < env + size && !found; at += strlen(at) + 1)
		if (!strncmp(at, name, len) && at[len] == '=')
			found = xstrdup(at + len + 1);
	free(env);
	return found;
}

static long parent_of(long pid)
{
	char path[64], *text, *at;
	size_t size;
	long parent = 0;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	text = slurp(path, &size);
	at = text ? strstr(text, "\nPPid:") : NULL;
	if (at)
		parent = strtol(at + 6, NULL, 10);
	free(text);
	return parent;
}

/* SSH_CONNECTION: the peer's address and port, this host's address and port. */
static void ssh_peer(struct found *f)
{
	const char *own = getenv("SSH_CONNECTION");
	char *text = own ? xstrdup(own) : NULL, *word[4], *rest, *p;
	struct prefix x;
	uint32_t port;
	size_t n = 0;

	for (long pid = getppid(); !text && pid > 1; pid = parent_of(pid))
		text = given(pid, "SSH_CONNECTION");
	if (!text)
		return;
	rest = xstrdup(text);
	for (p = strtok(rest, " "); p && n < 4; p = strtok(NULL, " "))
		word[n++] = p;
	if (p || n != 4 || zoned(word[0], strlen(word[0]), &x) || get_u32(word[3], strlen(word[3]), &port) ||
	    !port || port > UINT16_MAX)
		die(KL_SYSTEM, "SSH_CONNECTION does not name the SSH peer: '%s'", text);
	add(f, "the SSH peer", &x, (uint16_t)port);
	free(rest);
	free(text);
}

/* ---- gateways ---- */

/* Hexadecimal, and no more than that. 0, or -1. */
static int hex(const char *s, unsigned long *out)
{
	char *end;

	*out = strtoul(s, &end, 16);
	return isxdigit((unsigned char)*s) && !*end ? 0 : -1;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ...; addresses as the kernel has them in memory. */
static void route4(struct found *f, char **field, size_t n)
{
	unsigned long to, by, flags, mask;
	struct prefix x;
	uint32_t a;

	if (n < 8 || !strcmp(field[0], "Iface"))
		return;
	if (hex(field[1], &to) || hex(field[2], &by) || hex(field[3], &flags) || hex(field[7], &mask))
		die(KL_SYSTEM, "/proc/net/route is not as Linux writes it");
	if (to || mask || !(flags & RTF_UP) || !(flags & RTF_GATEWAY))
		return;
	a = (uint32_t)by;
	from_bytes(&x, AF_INET, &a);
	add(f, "the default gateway", &x, 0);
}

/* Destination, its length, source, its length, next hop, metric, references, uses, flags, interface. */
static void route6(struct found *f, char **field, size_t n)
{
	unsigned long len, flags;
	struct prefix x = { .len = 128 };

	if (n < 10)
		return;
	if (hex(field[1], &len) || hex(field[8], &flags) || strlen(field[4]) != 32)
		die(KL_SYSTEM, "/proc/net/ipv6_route is not as Linux writes it");
	if (len || strspn(field[0], "0") != 32 || !(flags & RTF_UP) || !(flags & RTF_GATEWAY))
		return;
	for (int i = 0; i < 16; i++) {
		char byte[3] = { field[4][2 * i], field[4][2 * i + 1], 0 };
		unsigned long v;

		if (hex(byte, &v))
			die(KL_SYSTEM, "/proc/net/ipv6_route is not as Linux writes it");
		x.a[i] = (uint8_t)v;
	}
	add(f, "the default gateway", &x, 0);
}

/* ---- resolvers ---- */

static void nameserver(struct found *f, char **field, size_t n)
{
	struct prefix x;

	if (n < 2 || strcmp(field[0], "nameserver"))
		return;
	if (zoned(field[1], strlen(field[1]), &x))
		die(KL_SYSTEM, "resolv.conf: not an address: 'nameserver %s'", field[1]);
	add(f, "the resolver", &x, 0);
}

size_t lifelines(struct lifeline l[LIFELINES])
{
	struct found f = { .l = l };

	if (getifaddrs(&f.own))
		die(KL_SYSTEM, "cannot list this host's addresses: %s", strerror(errno));
	ssh_peer(&f);
	each_line("/proc/self/net/route", route4, &f);
	each_line("/proc/self/net/ipv6_route", route6, &f);
	each_line("/etc/resolv.conf", nameserver, &f);
	each_line("/run/systemd/resolve/resolv.conf", nameserver, &f);
	freeifaddrs(f.own);
	return f.n;
}
