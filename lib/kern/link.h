/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program and its attachments. Functions return 0 or -errno and print
 * nothing; *why, where given, says what it was about (static text).
 */
#ifndef KL_LINK_H
#define KL_LINK_H

#include <stdbool.h>
#include <stdint.h>

enum xdp_mode { MODE_AUTO, MODE_NATIVE, MODE_GENERIC };
/* Of the program: new needs fetching atomics (kernel 5.12), old does with spin locks (5.10).
 * Auto: ask the kernel. */
enum flavour { FLAVOUR_AUTO, FLAVOUR_NEW, FLAVOUR_OLD };

struct shield;		/* a loaded program with its maps */

/*
 * Loads the program for the instance pinned under dir. A new instance gets
 * tables for `sources` sources a family (0: by the machine's memory) and `flows`
 * flows (0: half as many) and pins its maps, all or none; a running one keeps
 * every map, and both must be 0 or what it has (else -EEXIST). Of one of an
 * older ABI the rules and settings are taken over. Makes dir when it is missing.
 */
int shield_load(struct shield **s, const char *dir, uint32_t sources, uint32_t flows, enum flavour f,
		const char **why);
void shield_free(struct shield *s);
uint32_t shield_sources(const struct shield *s);
bool shield_is_new(const struct shield *s);	/* this call made the instance */
uint32_t shield_was(const struct shield *s);	/* the older ABI it took over from, 0: none */
/* The latest line of libbpf's log, for messages; "" when there is none. */
const char *shield_log(void);

/* One attachment of an instance. */
struct link {
	char iface[64];		/* "-" when the interface is gone, or in another network namespace */
	char pin[128];		/* name in the pin directory */
	unsigned ifindex;	/* 0: the interface is gone */
	uint32_t prog;
	enum xdp_mode mode;
	bool egress;		/* the outbound program is there too */
};

/* Calls each() for every attachment pinned under dir; stops when it returns non-zero and returns that. */
int link_walk(const char *dir, int (*each)(void *arg, const struct link *l), void *arg);

/* Puts the program on iface: in place of the one this instance has there, else
 * new, in the wanted mode; auto falls back to generic. *l: what came of it;
 * *native_err: why native failed, when auto fell back. -EBUSY: another XDP program is there.
 * -ENODEV: no such interface. */
int link_attach(struct shield *s, const char *iface, enum xdp_mode mode, struct link *l, int *native_err);
/* Puts the outbound program on an attachment's TC egress as well. */
int link_egress(struct shield *s, const struct link *l);
/* How many attachments have it; -errno. */
int link_egresses(const char *dir);
/* The program in place of this instance's on an attachment, the outbound one too where that is. */
int link_renew(struct shield *s, const struct link *l);
/* Takes the program off; iface NULL: all of them, "": none. When none is left every pin
 * of the instance goes. Returns how many were detached. */
int link_detach(const char *dir, const char *iface);

#endif
