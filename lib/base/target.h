/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules are about, as people give it: words of a command line, or lines of a list. */
#ifndef KL_TARGET_H
#define KL_TARGET_H

#include <stdbool.h>

#include "rule.h"

/* Calls each() with every key the operands give: prefixes or, for edges, pairs of SRC and PORT/PROTO. Ends
 * the command (status 2) when there is none, when there are more than max, and when one is broken; what
 * and table then stand in the message. */
void target_words(const char *what, const char *table, bool edges, int max, char **word,
		  void (*each)(void *arg, const struct rule *key), void *arg);

/* The same with the lines of a list: see list_read_rules(). Returns the number of bad lines, which were
 * reported; ends the command (status 4) when it cannot be read. */
long target_list(const char *path, bool edges, bool timed, void (*each)(void *arg, const struct rule *key),
		 void *arg);

#endif
