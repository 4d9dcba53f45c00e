/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as YAML and Go write them, and as settings have them. Pure. The get
 * functions read exactly the n bytes at s and return 0, or say below what not.
 */
#ifndef KL_CONF_VALUE_H
#define KL_CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_TEXT 48		/* room for what is written here, with NUL */

/* A decimal number, "12", "-0.25", ".5", "8e+07" (YAML 1.2, 10.3.2, without octal, hex, infinity and NaN;
 * no leading zeros: YAML 1.1 takes those for octal). -1: it is none, or overflows. */
int value_number(const char *s, size_t n, double *out);
/* v with up to nine decimals, no exponent and no zeros at its end; |v| < 1e15. */
void value_number_put(char out[VALUE_TEXT], double v);

/* A duration as Go's time.ParseDuration reads it: a sum of decimals with the units ns us ms s m h, or "0";
 * out gets the text that get_dur() of num.h reads: s itself where that does. -1: it is none; -2: it is
 * negative, no whole number of milliseconds, or longer than 100 years. */
int value_duration(const char *s, size_t n, char out[VALUE_TEXT]);

/* true, yes, on and their opposites, in lower case, capitalised or in capitals, as YAML 1.1 has them. */
int value_switch(const char *s, size_t n, bool *out);

/* A time of RFC 3339, years 1970 to 2261; in nanoseconds of Unix time. */
int value_rfc3339(const char *s, size_t n, int64_t *out);

/* How many bytes have to be changed, added or removed to make b of a; at most 9 is told. */
unsigned value_distance(const char *a, const char *b);

#endif
