/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Stands before the program under test and gives every repetition of one test
 * packet another source: sources 1..n, each the same on every turn. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__u64 state;
	__u32 n;	/* sources to choose from */
	__u32 at;	/* offset of the four bytes to write */
	__u32 regulars, share;	/* of 65536 packets, `share` come from the first `regulars` sources */
	__u32 ifindex, sum;	/* of generate: where to, and the header's checksum without source */
	__u64 sent;
} ctl = { 88172645463325252ull, 1, 26, 0, 0, 0, 0, 0 };

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next SEC(".maps");

static __always_inline __u32 scatter(__u32 x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

SEC("xdp")
int mutate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 i, at = ctl.at & 63;

	ctl.state = ctl.state * 6364136223846793005ull + 1442695040888963407ull;
	i = ((ctl.state >> 33) * ctl.n) >> 31;
	if (ctl.share && ((ctl.state >> 5) & 0xffff) < ctl.share)
		i = 0x80000000u + (__u32)((ctl.state >> 40) % ctl.regulars);
	if (data + at + 4 > end)
		return XDP_ABORTED;
	*(__u32 *)(data + at) = scatter(i + 1);
	bpf_tail_call(ctx, &next, 0);
	return XDP_ABORTED;
}

/* For live frames: the same, with a right IPv4 checksum, out of an interface. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 src, sum;

	if (data + 54 > end)
		return XDP_ABORTED;
	ctl.state = ctl.state * 6364136223846793005ull + 1442695040888963407ull;
	src = scatter((__u32)(((ctl.state >> 33) * ctl.n) >> 31) + 1);
	*(__u32 *)(data + 26) = src;
	sum = ctl.sum + (src & 0xffff) + (src >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__u16 *)(data + 24) = ~sum;
	ctl.sent++;
	return bpf_redirect(ctl.ifindex, 0);
}

SEC("xdp")
int empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}
