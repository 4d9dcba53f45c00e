/* SPDX-License-Identifier: BSD-2-Clause */
/* Periods of days. */
#include "period.h"

#include <stdbool.h>
#include <string.h>

#include "../base/num.h"

/* Day 0 of Unix time was a Thursday. */
static bool is_weekend(int64_t day)
{
	int64_t of_week = (day + 3) % 7; /* 0: Monday */

	return of_week >= 5;
}

/* Every working day of the span, none of its weekends, of which there are two. */
static bool on_weekdays(uint64_t days, int span, int64_t last)
{
	int free_days = 0;

	for (int i = 0; i <= span; i++) {
		bool seen = days >> i & 1, weekend = is_weekend(last - i);

		if (seen == weekend)
			return false;
		free_days += weekend;
	}
	return free_days >= 4;
}

/* Are all gaps multiples of n, a day off where slack? */
static bool multiples(const int *gap, int gaps, int n, int slack)
{
	int plain = 0;

	for (int i = 0; i < gaps; i++) {
		int left = gap[i] % n;

		if (left > slack && n - left > slack)
			return false;
		plain += gap[i] <= n + slack;
	}
	return 2 * plain >= gaps; /* the others are what was missed */
}

void period_guess(uint64_t days, int64_t last_day, char out[PERIOD_TEXT])
{
	int gap[PERIOD_DAYS], gaps = 0, last = 0, least = PERIOD_DAYS;

	days = (days | 1) & ((UINT64_C(1) << PERIOD_DAYS) - 1);
	for (int i = 1; i < PERIOD_DAYS; i++) {
		if (!(days >> i & 1))
			continue;
		gap[gaps] = i - last;
		if (gap[gaps] < least)
			least = gap[gaps];
		gaps++;
		last = i;
	}
	if (!gaps)
		strcpy(out, "one-day");
	else if (on_weekdays(days, last, last_day))
		strcpy(out, "weekdays");
	else if (last == gaps || (gaps >= 3 && 4 * gaps >= 3 * last))
		strcpy(out, "daily");
	else if (least >= 6 && multiples(gap, gaps, 7, 1))
		strcpy(out, "weekly");
	else if (least >= 28 && least <= 31)
		strcpy(out, "monthly");
	else if (gaps >= 2 && least >= 2 && multiples(gap, gaps, least, 0))
		stpcpy(put_u64(stpcpy(out, "every-"), (uint64_t)least), "-days");
	else
		strcpy(out, "irregular");
}
