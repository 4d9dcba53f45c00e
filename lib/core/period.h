/* SPDX-License-Identifier: BSD-2-Clause */
/* How often something happens, guessed from the days it was seen on. Pure. */
#ifndef KL_PERIOD_H
#define KL_PERIOD_H

#include <stdint.h>

#define PERIOD_DAYS 56 /* bits that count: eight weeks */
#define PERIOD_TEXT 16 /* room for the longest word, with NUL */

/*
 * days: bit 0 is last_day, counted from the first of 1970, bit 1 the day before. Writes a word to out:
 * `one-day`; `weekdays`: all days but Saturdays and Sundays, over two weekends at least; `daily`: three days
 * of four; `weekly`, `monthly` (28 to 31 days); `every-N-days`: three times at least; `irregular`. Weeks may
 * be a day off. Up to half of the gaps may be multiples, where it was missed.
 */
void period_guess(uint64_t days, int64_t last_day, char out[PERIOD_TEXT]);

#endif
