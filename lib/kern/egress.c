/* SPDX-License-Identifier: BSD-2-Clause */
/* TC egress by the clsact hook, which every kernel from 5.10 has: one filter under a handle of our own. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "egress.h"

#define HANDLE	 0x4b4c		/* "KL" */
#define PRIORITY 0x4b4c		/* behind those that people number by hand */
#define NAME	 "kl_egress"

#define HOOK(name, index) \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(index), .attach_point = BPF_TC_EGRESS)

/* The filter under our handle: the id of its program, 0: none. */
static uint32_t program_there(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	libbpf_print_fn_t say = libbpf_set_print(NULL);	/* that nothing is there is no error */
	int err;
	HOOK(hook, ifindex);

	err = bpf_tc_query(&hook, &opts);
	libbpf_set_print(say);
	return err ? 0 : opts.prog_id;
}

int egress_attach(unsigned ifindex, int fd)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY, .prog_fd = fd,
		    .flags = BPF_TC_F_REPLACE);
	HOOK(hook, ifindex);
	int err = bpf_tc_hook_create(&hook);

	if (err && err != -EEXIST)
		return err;
	return bpf_tc_attach(&hook, &opts);
}

bool egress_is_on(unsigned ifindex)
{
	struct bpf_prog_info info = { 0 };
	uint32_t id = ifindex ? program_there(ifindex) : 0, len = sizeof(info);
	int fd = id ? bpf_prog_get_fd_by_id(id) : -1;
	bool ours;

	if (fd < 0)
		return false;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, NAME);
	close(fd);
	return ours;
}

/* Do filters hang on that side (TC_H_MIN_INGRESS, _EGRESS) of the hook? libbpf does not tell. */
static bool side_used(int fd, unsigned ifindex, uint32_t side)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg t;
	} ask = { { sizeof(ask), RTM_GETTFILTER, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
		  { .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, side) } };
	union {
		struct nlmsghdr h;
		char b[16384];
	} m;
	ssize_t n;

	if (send(fd, &ask, sizeof(ask), 0) != (ssize_t)sizeof(ask))
		return true;
	for (;;) {
		n = recv(fd, &m, sizeof(m), 0);
		if (n <= 0)
			return true;	/* not known: as if they did */
		for (struct nlmsghdr *h = &m.h; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return false;
			if (h->nlmsg_type == RTM_NEWTFILTER || h->nlmsg_type == NLMSG_ERROR)
				return true;
		}
	}
}

/* The hook itself goes when nobody else hangs there. */
static void drop_hook(unsigned ifindex)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (fd < 0)
		return;
	if (!side_used(fd, ifindex, TC_H_MIN_EGRESS) && !side_used(fd, ifindex, TC_H_MIN_INGRESS))
		bpf_tc_hook_destroy(&hook);
	close(fd);
}

int egress_detach(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = PRIORITY);
	HOOK(hook, ifindex);
	int err;

	if (!egress_is_on(ifindex))
		return 0;
	err = bpf_tc_detach(&hook, &opts);
	if (!err)
		drop_hook(ifindex);
	return err;
}
