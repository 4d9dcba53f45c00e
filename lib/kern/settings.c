/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings, and the deadlines that bpf/guard.bpf.h keeps: of trial, dead-man switch and surge. */
#include <errno.h>

#include "kern.h"
#include "settings.h"

/* Are there deadlines to look at? */
static void timed(struct kern *k)
{
	if (k->cfg->trial_ns || k->cfg->dead_ns || k->cfg->surge_ns)
		__atomic_fetch_or(&k->cfg->features, KL_F_TIMED, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&k->cfg->features, ~KL_F_TIMED, __ATOMIC_SEQ_CST);
}

/* The end of the trial is read first: whoever writes one off does that last. */
void kern_settings(struct kern *k, struct kern_settings *out)
{
	uint64_t end = __atomic_load_n(&k->cfg->trial_ns, __ATOMIC_SEQ_CST);
	volatile struct kl_rl *l = &k->rl->now;

	out->features = k->cfg->features;
	if (end && boot_ns() >= end) {
		out->features = (out->features & ~KL_F_TRIED) | (k->cfg->before & KL_F_TRIED);
		l = &k->rl->before;
	}
	out->rate = out->features & KL_F_DEFAULT_LIMIT ? l->rate : 0;
	out->burst = l->burst;
}

int kern_feature(struct kern *k, uint32_t set, uint32_t clear)
{
	__atomic_fetch_or(&k->cfg->features, set, __ATOMIC_SEQ_CST);
	__atomic_fetch_and(&k->cfg->features, ~clear, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&k->cfg->gen_all, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int kern_default_limit(struct kern *k, uint64_t rate, uint64_t burst)
{
	uint32_t ivl, tol;

	if (!rate)
		__atomic_fetch_and(&k->cfg->features, ~KL_F_DEFAULT_LIMIT, __ATOMIC_SEQ_CST);
	kl_gcra(k->cfg->hz, rate, burst, &ivl, &tol);
	k->rl->now.rate = rate;
	k->rl->now.burst = burst;
	k->rl->now.ivl = ivl;
	k->rl->now.tol = tol;
	if (rate)
		__atomic_fetch_or(&k->cfg->features, KL_F_DEFAULT_LIMIT, __ATOMIC_SEQ_CST);
	return 0;
}

int kern_try(struct kern *k, int64_t ms)
{
	if (!k->cfg->trial_ns) {
		k->rl->before.rate = k->rl->now.rate;
		k->rl->before.burst = k->rl->now.burst;
		k->rl->before.ivl = k->rl->now.ivl;
		k->rl->before.tol = k->rl->now.tol;
		k->cfg->before = k->cfg->features;
	}
	k->cfg->lapsed = 0;
	__atomic_store_n(&k->cfg->trial_ns, boot_ns() + (uint64_t)ms * 1000000, __ATOMIC_SEQ_CST);
	timed(k);
	return 0;
}

int kern_confirm(struct kern *k)
{
	if (!k->cfg->trial_ns)
		return k->cfg->lapsed ? -ETIME : -ENOENT;
	__atomic_store_n(&k->cfg->trial_ns, 0, __ATOMIC_SEQ_CST);
	timed(k);
	return 0;
}

int64_t kern_trial_left(struct kern *k)
{
	uint64_t end = k->cfg->trial_ns, now = boot_ns();

	if (!end)
		return k->cfg->lapsed ? 0 : -1;
	return end <= now ? 0 : (int64_t)((end - now + 999999) / 1000000);
}

/* The kernel went back by itself, the settings follow. */
void kern_settle(struct kern *k)
{
	uint64_t end = k->cfg->trial_ns;

	if (!end || boot_ns() < end)
		return;
	if (k->cfg->before & KL_F_DEFAULT_LIMIT)
		kern_default_limit(k, k->rl->before.rate, k->rl->before.burst);
	kern_feature(k, k->cfg->before & KL_F_TRIED, KL_F_TRIED & ~k->cfg->before);
	k->cfg->lapsed = 1;
	__atomic_store_n(&k->cfg->trial_ns, 0, __ATOMIC_SEQ_CST);
	timed(k);
}

int kern_dead_man(struct kern *k, enum kl_dead mode, int64_t ms)
{
	kern_beat(k);
	k->cfg->dead_mode = mode;
	__atomic_store_n(&k->cfg->dead_ns, (uint64_t)ms * 1000000, __ATOMIC_SEQ_CST);
	timed(k);
	return 0;
}

void kern_beat(struct kern *k)
{
	__atomic_store_n(&k->cfg->beat_ns, boot_ns(), __ATOMIC_SEQ_CST);
}

/* The generations stay: a surge changes nobody's judgement. */
void kern_surge(struct kern *k, uint64_t until, uint32_t rate)
{
	uint32_t ivl, tol;

	kl_gcra(k->cfg->hz, rate, 1, &ivl, &tol);
	k->cfg->surge_ivl = rate ? ivl : 0;
	__atomic_store_n(&k->cfg->surge_ns, until, __ATOMIC_SEQ_CST);
	timed(k);
	if (until)
		__atomic_fetch_or(&k->cfg->features, KL_F_SURGE, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&k->cfg->features, ~KL_F_SURGE, __ATOMIC_SEQ_CST);
}

uint64_t kern_surging(struct kern *k)
{
	return k->cfg->surge_ns;
}

bool kern_fallen(struct kern *k)
{
	uint64_t dead = k->cfg->dead_ns;

	return dead && (int64_t)(boot_ns() - k->cfg->beat_ns) > (int64_t)dead;
}

int kern_enter(struct kern *k, bool lock, const char **why)
{
	int err = lock ? kern_lock(k) : 0;

	*why = "";
	return err ? err : kern_alive(k, why);
}

void kern_leave(struct kern *k)
{
	kern_beat(k);
	kern_unlock(k);
}
