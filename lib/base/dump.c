/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading an instance tick by tick. */
#include <string.h>

#include "dump.h"

#include "die.h"
#include "pace.h"

void dump_parse(int argc, char **argv, const struct opt_page *page, const struct dump_opts *o)
{
	int i = opt_parse(argc, argv, page);

	if (i < argc)
		die(KL_USAGE, "takes no operand: '%s'", argv[i]);
	if (o->state && (o->every_given || o->count_given))
		die(KL_USAGE, "-s is one tick without waiting: it excludes -i and -n");
}

void dump_alive(const struct dump_opts *o, int err, const char *const *why)
{
	if (err)
		die(KL_SYSTEM, "lost '%s': %s: %s", o->dir, *why, strerror(-err));
}

void dump_stream(const struct dump_opts *o, void (*tick)(void *self, bool print), void *self)
{
	struct pace pace;
	uint64_t n;

	pace_start(&pace, (int64_t)(o->every * 1e9));
	tick(self, false);
	for (n = 0; !o->count || n < o->count; n++) {
		pace_wait(&pace);
		tick(self, true);
	}
}
