/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of events. Two readers would take each other's, and move the kernel's idea of what was
 * read back and forth: whoever reads holds a lease, which a dead one loses by itself. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "kern.h"

#define LEASE_NS 2000000000ull
#define STEP_NS  50000000

static int take(void *self, void *data, size_t size)
{
	struct events *v = self;
	struct kl_event *more;

	if (size != sizeof(*v->e))
		return -EBADMSG;
	if (v->n == v->cap) {
		more = reallocarray(v->e, v->cap ? 2 * v->cap : 1024, sizeof(*v->e));
		if (!more)
			return -ENOMEM;
		v->cap = v->cap ? 2 * v->cap : 1024;
		v->e = more;
	}
	memcpy(&v->e[v->n++], data, size);
	return 0;
}

/* The lease goes from what it was to now; false when it is another one meanwhile. */
static bool renew(struct events *v, __u64 was)
{
	v->lease = boot_ns();
	return __atomic_compare_exchange_n(&v->k->cfg->reader_ns, &was, v->lease, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool take_lease(struct events *v)
{
	uint64_t was = v->k->cfg->reader_ns;

	while (was && boot_ns() - was < LEASE_NS) {
		nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
		if (v->k->cfg->reader_ns && v->k->cfg->reader_ns != was)
			return false;
		was = v->k->cfg->reader_ns;
	}
	return renew(v, was);
}

int events_open(struct events *v, struct kern *k)
{
	int err;

	*v = (struct events){ .k = k };
	if (!take_lease(v))
		return -EBUSY;
	v->ring = ring_buffer__new(k->fd[PIN_EVENTS], take, v, NULL);
	if (v->ring)
		return 0;
	err = -errno;
	events_close(v);
	return err;
}

int events_read(struct events *v)
{
	int n;

	if (!renew(v, v->lease))
		return -EBUSY;
	n = ring_buffer__consume(v->ring);
	return n < 0 ? n : 0;
}

void events_close(struct events *v)
{
	__u64 mine = v->lease;

	__atomic_compare_exchange_n(&v->k->cfg->reader_ns, &mine, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	ring_buffer__free(v->ring);
	free(v->e);
}
