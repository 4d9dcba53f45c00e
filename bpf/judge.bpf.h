/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What the tables say of an address: allow, else deny (exact, then prefix),
 * and its own limit (exact, then prefix). A record keeps the answer until
 * the generation changes or the first expiry that mattered; only then, and
 * for packets without a record, the tables are asked.
 */
#ifndef KL_JUDGE_BPF_H
#define KL_JUDGE_BPF_H

#include "src.bpf.h"

#define FAR_J (1u << 30)	/* jiffies: judge again by then at the latest */

static __always_inline __u32 gen_of(__u64 hi, __u64 lo)
{
	return (cfg.gen_all + cfg.gen[kl_gen_cell(hi, lo)]) << 8;
}

/* Notes an expiry; false when it has passed. */
static __always_inline bool alive(struct judged *j, __u64 until, __u64 now_ns)
{
	__u64 left;

	if (!until)
		return true;
	if (until <= now_ns)
		return false;
	left = (until - now_ns) >> 10;		/* keeps the product in 64 bits */
	if (left > 10000000000000ull)
		left = 10000000000000ull;
	left = left * cfg.hz / 976562 + 1;	/* 1e9 / 1024 of these units a second */
	if (left > FAR_J)
		left = FAR_J;
	if ((__s32)(j->now + (__u32)left - j->until_j) < 0)
		j->until_j = j->now + (__u32)left;
	return true;
}

/* The longest living prefix that covers the address. An expired one may hide
 * a shorter one: then look for that.
 */
#define LPM_FIND(map, key, value)					\
({									\
	struct value *v_;						\
	int i_;								\
	for (i_ = 0; i_ < LPM_TRIES; i_++) {				\
		v_ = bpf_map_lookup_elem(&(map), &(key));		\
		if (!v_ || alive(j, v_->until, now_ns))			\
			break;						\
		if (!v_->plen) {					\
			v_ = 0;						\
			break;						\
		}							\
		(key).plen = v_->plen - 1;				\
		v_ = 0;							\
	}								\
	v_;								\
})
#define LPM_TRIES 32

static __always_inline bool allowed(struct judged *j, __u64 now_ns)
{
	if (j->family == 4) {
		struct kl_lpm4 k = { .plen = 32 };

		__builtin_memcpy(k.a, (__u8 *)&j->lo + 4, 4);
		return LPM_FIND(allow4, k, kl_rule) != 0;
	} else {
		struct kl_lpm6 k = { .plen = 128 };

		__builtin_memcpy(k.a, &j->hi, 8);
		__builtin_memcpy(k.a + 8, &j->lo, 8);
		return LPM_FIND(allow6, k, kl_rule) != 0;
	}
}

static __always_inline bool denied(struct judged *j, __u64 now_ns, __u32 on)
{
	struct kl_rule *r;

	if (j->family == 4) {
		struct kl_lpm4 k = { .plen = 32 };

		__builtin_memcpy(k.a, (__u8 *)&j->lo + 4, 4);
		if (on & KL_F_DENY) {
			r = bpf_map_lookup_elem(&deny4, k.a);
			if (r && alive(j, r->until, now_ns))
				return true;
		}
		return on & KL_F_DENY_LPM && LPM_FIND(deny4_lpm, k, kl_rule) != 0;
	} else {
		struct kl_lpm6 k = { .plen = 128 };

		__builtin_memcpy(k.a, &j->hi, 8);
		__builtin_memcpy(k.a + 8, &j->lo, 8);
		if (on & KL_F_DENY) {
			r = bpf_map_lookup_elem(&deny6, k.a);
			if (r && alive(j, r->until, now_ns))
				return true;
		}
		return on & KL_F_DENY_LPM && LPM_FIND(deny6_lpm, k, kl_rule) != 0;
	}
}

static __always_inline struct kl_limit *limited(struct judged *j, __u64 now_ns, __u32 on)
{
	struct kl_limit *l;

	if (j->family == 4) {
		struct kl_lpm4 k = { .plen = 32 };

		__builtin_memcpy(k.a, (__u8 *)&j->lo + 4, 4);
		if (on & KL_F_LIMIT) {
			l = bpf_map_lookup_elem(&limit4, k.a);
			if (l && alive(j, l->until, now_ns))
				return l;
		}
		if (on & KL_F_LIMIT_LPM)
			return LPM_FIND(limit4_lpm, k, kl_limit);
	} else {
		struct kl_lpm6 k = { .plen = 128 };

		__builtin_memcpy(k.a, &j->hi, 8);
		__builtin_memcpy(k.a + 8, &j->lo, 8);
		if (on & KL_F_LIMIT) {
			l = bpf_map_lookup_elem(&limit6, k.a);
			if (l && alive(j, l->until, now_ns))
				return l;
		}
		if (on & KL_F_LIMIT_LPM)
			return LPM_FIND(limit6_lpm, k, kl_limit);
	}
	return 0;
}

/* The slow path: asks the tables about work.k's source. */
__noinline int judge(void)
{
	__u64 now_ns = bpf_ktime_get_boot_ns();
	__u32 on = cfg.features;
	struct work *w = work_of();
	struct kl_limit *l;
	struct judged *j;

	if (!w)
		return 0;
	j = &w->j;
	j->hi = w->k.hi;
	j->lo = w->k.whole;
	j->family = w->k.family;
	j->pol = 0;
	j->until_j = j->now + FAR_J;
	if (on & KL_F_ALLOW && allowed(j, now_ns)) {
		j->pol = KL_POL_ALLOW;
		return 0;
	}
	if (on & (KL_F_DENY | KL_F_DENY_LPM) && denied(j, now_ns, on))
		j->pol = KL_POL_DENY;
	/* Of a denied source too: the dead-man switch may leave its limit alone in force. */
	if (on & (KL_F_LIMIT | KL_F_LIMIT_LPM)) {
		l = limited(j, now_ns, on);
		if (l) {
			j->pol |= KL_POL_LIMIT;
			kl_gcra(cfg.hz, l->rate, l->burst, &j->ivl, &j->tol);
		}
	}
	return 0;
}

#endif
