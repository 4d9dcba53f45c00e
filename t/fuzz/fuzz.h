/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the targets share. Input comes from where read() gets it, in pieces of
 * any size; what is written is caught and held against the house's rules; and
 * what would end the process comes back as a status.
 */
#ifndef KL_FUZZ_H
#define KL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A property of the code: the fuzzer stops, and keeps the input, where it does not hold. */
#define MUST(x) ((x) ? (void)0 : broken_here(#x, __FILE__, __LINE__))
_Noreturn void broken_here(const char *what, const char *file, int line);

/* The n bytes at p on the heap, with nothing behind them; free() them. */
void *copy_of(const void *p, size_t n);
/* What a target takes off the input: its last byte, 0 when there is none; the text up to the
 * first NUL, as a copy with a NUL behind it; free() it. */
uint8_t take_byte(const uint8_t **p, size_t *left);
char *take_text(const uint8_t **p, size_t *left, size_t *n);

/* Text for long lines and wide headers: byte 2 and k are k KiB of one cell, byte 3 and k
 * are k cells. In a static buffer. */
const char *unfold(const uint8_t *p, size_t n, size_t *out);

/* From here on read(0) gives those n bytes, in pieces that depend on seed. They are not copied. */
void feed(const void *p, size_t n, uint32_t seed);
/* A file that holds those bytes: its path in *path. close() the descriptor. */
int file_of(const void *p, size_t n, char path[32]);

/* What was said on stderr: each write was checked to be one line that cannot steer a terminal. */
extern unsigned said;
/* What was written to stdout since feed(). */
extern char out[];
extern size_t out_n;

/* f(arg), or the status it called exit() with. What it then had allocated is freed: the
 * process would have been gone. Else leaks are found as ever. Sets said to 0 first. */
int status_of(int (*f)(void *), void *arg);
/* Frees what the last status_of() left, for main()s, which leave some things to their end. */
void free_left(void);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
