/* SPDX-License-Identifier: BSD-2-Clause */
/* A model of the stream's reader: no pieces, no speed, one whole line after the other. */
#ifndef KL_FUZZ_MODEL_H
#define KL_FUZZ_MODEL_H

#include <stdio.h>

#include "../../lib/base/die.h"
#include "../../lib/base/num.h"
#include "../../lib/base/tsv.h"
#include "fuzz.h"

struct log { char s[1 << 16]; size_t n; };	/* what happened, as far as there is room */
static struct log want;

static void note(struct log *l, char what, long long time, const char *cell, size_t n)
{
	int k = snprintf(l->s + l->n, sizeof(l->s) - l->n, "%c%lld %.*s\n", what, time, (int)n, cell);

	if ((size_t)k < sizeof(l->s) - l->n)
		l->n += (size_t)k;
}

static struct { int cols, src, x, status; long long time; bool open, lenient, broken; } m;

static void frame_cut(void)
{
	if (m.open)
		note(&want, 'C', 0, "", 0);
	m.status = m.open ? KL_INPUT : m.status;
	m.open = false;
}

/* A line that is none: the end of reading, or for the lenient a bad row. */
static void bad(int status)
{
	m.broken = !m.lenient;
	status = m.lenient ? status : KL_INPUT;
	m.status = status > m.status ? status : m.status;
	if (m.broken)
		frame_cut();
}

struct cell { const char *s; size_t n; };

static bool is(struct cell c, const char *s, size_t n) { return c.n == n && !memcmp(c.s, s, n); }

static void model_header(const struct cell *c, int cells, const char *s, size_t n)
{
	frame_cut();
	m.cols = cells;
	m.src = m.x = -1;
	for (int i = 0; i < cells; i++) {
		m.src = is(c[i], "src", 3) ? i : m.src;
		m.x = is(c[i], "x", 1) ? i : m.x;
		for (int j = 0; j < i; j++)
			if (is(c[i], c[j].s, c[j].n))
				m.cols = 0;
	}
	if (m.src < 0)
		m.cols = 0;
	if (m.cols)
		note(&want, 'H', 0, s, n);
	else
		bad(KL_INPUT);
}

static void model_line(const char *s, size_t n)
{
	struct cell c[TSV_COLS + 1] = { { s, 0 } };
	int cells = 1, wrong = n > TSV_LINE;
	int64_t ms;
	uint64_t v;

	for (size_t i = 0; i <= n; i++) {
		bool tab = i < n && s[i] == '\t', end = tab || i == n;

		wrong |= end ? !c[cells - 1].n : (unsigned char)s[i] < ' ' || s[i] == '"' || s[i] == 0x7f;
		c[cells - 1].n += !end;
		wrong |= tab && cells == TSV_COLS;
		if (tab && cells < TSV_COLS)
			c[cells++] = (struct cell){ s + i + 1, 0 };
	}
	if (wrong)
		return bad(KL_NO);
	if (is(c[0], "time", 4))
		return model_header(c, cells, s, n);
	if (cells != m.cols || get_time(c[0].s, c[0].n, &ms) || c[0].n > 24)
		return bad(KL_NO);
	if (ms != m.time)
		frame_cut();
	m.time = ms;
	m.open = !is(c[m.src], "*", 1);
	note(&want, m.open ? 'R' : 'F', ms, c[cells - 1].s, c[cells - 1].n);
	if (m.open && m.x >= 0 && get_u64(c[m.x].s, c[m.x].n, &v) && !m.status)
		m.status = KL_NO;
}

/* The status of the whole text; what is to happen is in want. */
static int model(const char *s, size_t n, bool lenient)
{
	const char *end = s + n, *lf;

	memset(&m, 0, sizeof(m));
	m.lenient = lenient;
	m.status = n ? KL_OK : KL_INPUT;
	want.n = 0;
	for (; s < end && !m.broken; s = lf + 1) {
		lf = memchr(s, '\n', (size_t)(end - s));
		if (!lf) {
			bad(KL_NO);
			break;
		}
		model_line(s, (size_t)(lf - s));
	}
	frame_cut();
	return m.status;
}

#endif
