/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers as text, both ways. get_* read exactly the n bytes at s (no NUL
 * needed, no blanks, no sign unless said) and return 0, or -1 when they are
 * not that, whole; *out is then untouched. put_* write at p, without NUL, and
 * return the end; the caller has room for PUT_MAX bytes.
 */
#ifndef KL_NUM_H
#define KL_NUM_H

#include <stddef.h>
#include <stdint.h>

#define PUT_MAX 32

int get_u64(const char *s, size_t n, uint64_t *out);	/* 0..2^64-1, decimal */
int get_u32(const char *s, size_t n, uint32_t *out);
int get_i64(const char *s, size_t n, int64_t *out);	/* a '-' may lead */
/* A decimal fraction, "12", "0.25"; no exponent, no inf, no nan; a '-' may
 * lead. The nearest double, as strtod() reads it. */
int get_f64(const char *s, size_t n, double *out);
/* Unix time "1700000000.123", exactly three decimals, >= 0; in milliseconds. */
int get_time(const char *s, size_t n, int64_t *ms);
/* A duration: a sum of numbers with units ms s m h d, "500ms", "1.5s",
 * "1h30m"; "0" needs no unit. In milliseconds, >= 0, up to 100 years. */
int get_dur(const char *s, size_t n, int64_t *ms);

char *put_u64(char *p, uint64_t v);
char *put_i64(char *p, int64_t v);
/* v with 1..9 decimals, as printf("%.*f") prints it; |v| < 1e15, finite. */
char *put_f64(char *p, double v, int decimals);
char *put_time(char *p, int64_t ms);			/* "1700000000.123" */

#endif
