/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticks by the clock of what is counted. */
#include "ticks.h"

void ticks_event(struct ticks *k, int64_t t)
{
	if (!k->begun) {
		k->begun = true;
		k->first = k->last = t;
		k->end = t + k->every;
	}
	k->quiet = t - k->last;
	if (k->quiet < -k->every)
		k->late++;
	if (t > k->last)
		k->last = t;
	if (t < k->first)
		k->first = t;
}

bool ticks_over(struct ticks *k, int64_t t, int64_t *end)
{
	int64_t empty = (t - k->end) / k->every * k->every;

	if (t < k->end)
		return false;
	*end = k->end;
	if (empty && k->gap && k->quiet > k->gap) {
		k->gaps++;
		k->skipped += empty;
		k->end += empty;
	}
	k->end += k->every;
	return true;
}
