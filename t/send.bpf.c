/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Gives a frame its next source and sends it out of an interface. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__u64 sent;
	__u32 srcs;		/* to walk over, one a frame */
	__u32 first;		/* four bytes at `at`: of the first one, as a number; the walk is in the lowest 24 bits */
	__u32 at, sum_at[2];	/* of the checksums; 0: there is none */
	__u32 sum[2];		/* of what they cover without those four bytes */
	__u32 ifindex;
} walk = { .srcs = 1 };

static __always_inline void sum(__u8 *data, __u8 *end, int i, __u32 word)
{
	__u32 at = walk.sum_at[i] & 127, v = walk.sum[i] + (word & 0xffff) + (word >> 16);

	if (!at || data + at + 2 > end)
		return;
	v = (v & 0xffff) + (v >> 16);
	v = (v & 0xffff) + (v >> 16);
	*(__u16 *)(data + at) = ~v;
}

SEC("xdp")
int next(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 at = walk.at & 63, word = walk.first + walk.sent % walk.srcs;

	if (ctx->ingress_ifindex == walk.ifindex)
		return XDP_PASS;	/* it is attached there, too */
	if (data + at + 4 > end)
		return XDP_ABORTED;
	word = __builtin_bswap32((walk.first & 0xff000000) | (word & 0xffffff));
	*(__u32 *)(data + at) = word;
	sum(data, end, 0, word);
	sum(data, end, 1, word);
	walk.sent++;
	return bpf_redirect(walk.ifindex, 0);
}
