/* SPDX-License-Identifier: BSD-2-Clause */
/* SQL values as text for sqlite3(1): each with nothing in it that could end it. */
#ifndef KL_SQLTEXT_H
#define KL_SQLTEXT_H

#include <stddef.h>

#include "addr.h"

#define SQL_SRC (2 + PREFIX_TEXT)
#define SQL_ADDR 35

/* 'ADDRESS', and its 16 bytes as x'..'. Write at p without NUL, return the end; SQL_SRC and SQL_ADDR
 * bytes are enough. */
char *sql_src(char *p, const struct prefix *x);
char *sql_addr(char *p, const uint8_t a[16]);
/* n bytes of text, as CAST(x'..' AS TEXT); room for 2 * n + 20 bytes. */
char *sql_text(char *p, const char *s, size_t n);

#endif
