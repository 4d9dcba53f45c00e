/* SPDX-License-Identifier: BSD-2-Clause */
/* The state file: loaded, or refused with a message; what was loaded steps on
 * from any time to any other, and once written loads as the same. */
#include <unistd.h>

#include "../../lib/base/die.h"
#include "../../lib/base/keep.h"
#include "../../lib/base/num.h"
#include "../../lib/core/fsm_text.h"
#include "../../lib/core/watch.h"
#include "fuzz.h"
#include "schema.h"

static const struct keep keep = { STATE_HEADER, source_put, source_get };
static struct fsm_cfg cfg = FSM_DEFAULTS;

static char path[32];
static int64_t when;
static size_t length;	/* of the file */

static int load(void *table)
{
	bool there = keeper_load_old(&(struct keeper){ 0 }, &keep, FSM_NEWER, path, table, &when);

	MUST(there == (length > 0));
	return KL_OK;
}

/* The table as a file. */
static size_t put(char *s, const struct table *t, int64_t time)
{
	char *p = stpcpy(s, STATE_HEADER "\n");

	for (size_t i = 0; i < t->n; i++) {
		p = stpcpy(put_time(p, time), "\t");
		p = source_put(prefix_put(p, table_at(t, i)), table_at(t, i));
		*p++ = '\n';
	}
	p = stpcpy(put_time(p, time), "\t*");
	for (int i = STATE_src + 1; i < STATE_NCOLS; i++)
		p = stpcpy(p, "\t-");
	return (size_t)(stpcpy(p, "\n") - s);
}

static bool nobody(const void *list, const struct prefix *x)
{
	(void)list, (void)x;
	return false;
}

static void each(void *self, const struct source *s, int from, double sev, const char *why)
{
	(void)self, (void)sev, (void)why;
	MUST(s->f.level <= LEVEL_BLOCK && from <= LEVEL_BLOCK);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char text[1 << 20], again[1 << 20];
	struct watch w = { &cfg, &cfg, nobody, NULL, each, NULL, .time = 0 };
	uint8_t steps = take_byte(&p, &n) % 8;
	int fd = file_of(p, n, path), st;
	size_t size;

	length = n;
	watch_init(&w);
	st = status_of(load, &w.sources);
	MUST((st == KL_OK && (n || said)) || (st == KL_INPUT && said));
	close(fd);
	if (st == KL_OK && w.sources.n < 1000) {
		length = size = put(text, &w.sources, when);
		table_clear(&w.sources);
		fd = file_of(text, size, path);
		MUST(status_of(load, &w.sources) == KL_OK && !said);
		MUST(put(again, &w.sources, when) == size && !memcmp(text, again, size));
		close(fd);
		for (int64_t now = when; steps--; now = now / 2 + 1) {
			if (w.sources.n)
				watch_violation(&w, table_at(&w.sources, 0), 3, steps & 1, "kind", now);
			watch_step(&w, now);
		}
	}
	table_free(&w.sources);
	return 0;
}
