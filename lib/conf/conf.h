/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of configuration into a store: PDPConfig and LocalPolicyPack in YAML, and settings as TSV. */
#ifndef KL_CONF_CONF_H
#define KL_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "report.h"
#include "store.h"

struct issued;
struct conf {
	struct store *store;
	struct report *report;
	const unsigned char *verify;	/* NULL, or the public key packs are to be signed with */
	struct issued *issued;		/* NULL, or what packs are not to be older than */
};

/* Reads a file; rank: of what it sets, unless it is a pack. Mistakes are reported. Ends the command
 * (status 2) when the file cannot be read. */
void conf_file(struct conf *c, const char *path, enum rank rank);

/* The n bytes at text, of which the file is called name. */
void conf_text(struct conf *c, const char *name, char *text, size_t n, enum rank rank);

#endif
