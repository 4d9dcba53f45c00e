/* SPDX-License-Identifier: BSD-2-Clause */
/* A source as text. One table of cells drives the state's both ways. */
#include <string.h>

#include "../base/num.h"
#include "fsm_text.h"

enum kind { LEVEL, STRIKES, COUNT, TIME, TIME_OR_NONE, YES, OFFENCES };

static const struct {
	enum kind kind;
	size_t at;
} cells[FSM_CELLS] = {
	{ LEVEL, offsetof(struct fsm, level) },
	{ STRIKES, offsetof(struct fsm, strikes) },
	{ COUNT, offsetof(struct fsm, up) },
	{ COUNT, offsetof(struct fsm, down) },
	{ COUNT, offsetof(struct fsm, noncomp) },
	{ TIME, offsetof(struct fsm, since) },
	{ TIME_OR_NONE, offsetof(struct fsm, expires) },
	{ TIME_OR_NONE, offsetof(struct fsm, cooldown) },
	{ TIME_OR_NONE, offsetof(struct fsm, last_trigger) },
	{ TIME_OR_NONE, offsetof(struct fsm, high_since) },
	{ YES, offsetof(struct fsm, force) },
	{ OFFENCES, offsetof(struct fsm, offences) },
	{ TIME_OR_NONE, offsetof(struct fsm, offended) },
};

static const char *const wants[] = {
	[LEVEL] = "OBSERVE, RATE_SOFT, RATE_HARD or BLOCK",
	[STRIKES] = "a whole number, 0 to 2147483647",
	[COUNT] = "a whole number, 0 to 4294967295",
	[TIME] = "a time in seconds with three decimals",
	[TIME_OR_NONE] = "a time in seconds with three decimals, or -",
	[YES] = "0 or 1",
	[OFFENCES] = "a whole number, 0 to 10",
};

static char *put_when(char *p, int64_t t)
{
	if (t != FSM_UNSET)
		return put_time(p, t);
	*p++ = '-';
	return p;
}

char *fsm_put(char *p, const struct fsm *s)
{
	for (int i = 0; i < FSM_CELLS; i++) {
		const char *from = (const char *)s + cells[i].at;

		*p++ = '\t';
		switch (cells[i].kind) {
		case LEVEL:
			p = stpcpy(p, level_name[*(const uint8_t *)from]);
			break;
		case STRIKES:
		case COUNT:
			p = put_u64(p, *(const uint32_t *)from);
			break;
		case TIME:
		case TIME_OR_NONE:
			p = put_when(p, *(const int64_t *)from);
			break;
		case YES:
			*p++ = '0' + *(const bool *)from;
			break;
		case OFFENCES:
			p = put_u64(p, *(const uint8_t *)from);
			break;
		}
	}
	return p;
}

static int get_cell(enum kind kind, char *to, const char *s, uint32_t n)
{
	uint32_t count;
	int level;

	switch (kind) {
	case LEVEL:
		level = level_get(s, n);
		*(uint8_t *)to = level;
		return level < 0 ? -1 : 0;
	case STRIKES:
		return get_u32(s, n, (uint32_t *)to) || *(uint32_t *)to > FSM_STRIKES_MAX ? -1 : 0;
	case COUNT:
		return get_u32(s, n, (uint32_t *)to);
	case TIME_OR_NONE:
		if (n == 1 && *s == '-') {
			*(int64_t *)to = FSM_UNSET;
			return 0;
		}
		/* fall through */
	case TIME:
		return get_time(s, n, (int64_t *)to);
	case YES:
		*(bool *)to = *s == '1';
		return n == 1 && (*s == '0' || *s == '1') ? 0 : -1;
	case OFFENCES:
		if (get_u32(s, n, &count) || count > FSM_OFFENCES_MAX)
			return -1;
		*(uint8_t *)to = (uint8_t)count;
		return 0;
	}
	return -1;
}

int fsm_get(struct fsm *s, const char *const cell[], const uint32_t len[], const char **want)
{
	*s = (struct fsm){ .offended = FSM_UNSET };
	for (int i = 0; i < FSM_CELLS; i++) {
		if (!cell[i] || !get_cell(cells[i].kind, (char *)s + cells[i].at, cell[i], len[i]))
			continue;
		*want = wants[cells[i].kind];
		return i;
	}
	return -1;
}

char *level_put(char *p, int64_t time, const struct prefix *x, const struct fsm *s, int from, double sev,
		const char *why)
{
	p = put_time(p, time);
	*p++ = '\t';
	p = x->len ? prefix_put(p, x) : stpcpy(p, "*");
	*p++ = '\t';
	p = stpcpy(p, level_name[s->level]);
	*p++ = '\t';
	p = stpcpy(p, level_name[from]);
	*p++ = '\t';
	p = put_when(p, s->since);
	*p++ = '\t';
	p = put_when(p, s->expires);
	*p++ = '\t';
	p = put_u64(p, s->strikes);
	*p++ = '\t';
	p = put_f64(p, sev, 6);
	*p++ = '\t';
	p = stpcpy(p, why);
	*p++ = '\n';
	return p;
}
