/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of 64 bytes end a cell or may not stand in one: bit i of the result
 * is byte i. Marked: below 0x20 (so TAB and LF too), '"' and 0x7f.
 */
#ifndef KL_MARKS_H
#define KL_MARKS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t marks_sse2(const char *p)
{
	uint64_t m = 0;
	int i;

	for (i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + 16 * i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
		__m128i odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
					   _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));

		m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(low, odd)) << (16 * i);
	}
	return m;
}
#endif

/* The same in plain C, eight bytes a word. */
static inline uint64_t marks_swar(const char *p)
{
	const uint64_t one = 0x0101010101010101u, high = 0x80 * one, rest = 0x7f * one;
	uint64_t m = 0, w, low, quote, del;
	int i;

	for (i = 0; i < 8; i++) {
		memcpy(&w, p + 8 * i, 8);
		w = le64toh(w);
		/* Adding to seven bits never carries into the next byte. */
		low = ~(w | ((w & rest) + 0x60 * one));
		quote = w ^ '"' * one;
		quote = ~(quote | ((quote & rest) + rest));
		del = w ^ 0x7f * one;
		del = ~(del | ((del & rest) + rest));
		/* The eight high bits, gathered in the top byte. */
		w = ((low | quote | del) & high) >> 7;
		m |= (w * 0x0102040810204080u >> 56) << (8 * i);
	}
	return m;
}

static inline uint64_t marks(const char *p)
{
#ifdef __SSE2__
	return marks_sse2(p);
#else
	return marks_swar(p);
#endif
}

#endif
