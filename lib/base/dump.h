/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands that read an instance tick by tick have in common: four options, and the order
 * of readings. */
#ifndef KL_DUMP_H
#define KL_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "opt.h"

struct dump_opts {
	const char *dir, *state;
	double every;		/* seconds */
	uint64_t count;
	bool every_given, count_given;
};
#define DUMP_DEFAULTS(pins) { .dir = (pins), .every = 1, .count = 1 }

/* The rows of an option table whose targets are in the struct dump_opts o. */
#define DUMP_ROWS(o) \
	{ "pin-dir", 'p', OPT_STR, &(o).dir, 0, 0, "DIR", "pins of the instance", 0, false, 0 }, \
	{ "interval", 'i', OPT_F64, &(o).every, 0.01, 86400, "SEC", "length of a tick", 0, false, \
	  &(o).every_given }, \
	{ "count", 'n', OPT_U64, &(o).count, 0, 0, "COUNT", "ticks to print; 0: for ever", 0, false, \
	  &(o).count_given }, \
	{ "state", 's', OPT_STR, &(o).state, 0, 0, "FILE", \
	  "one tick without waiting: since the snapshot in FILE, which is renewed", 0, false, 0 }

/* opt_parse() for a command without operands; also ends it when -s meets -i or -n. */
void dump_parse(int argc, char **argv, const struct opt_page *page, const struct dump_opts *o);

/* err is what a look after the instance's pins gave: when it is one, ends the command, status 4. Another
 * instance in its place, or none, is not the one whose counters are being followed. */
void dump_alive(const struct dump_opts *o, int err, const char *const *why);

/* A reading that is not printed, then o->count printed ones, a tick apart; 0: until the process is
 * told to end. */
void dump_stream(const struct dump_opts *o, void (*tick)(void *self, bool print), void *self);

#endif
