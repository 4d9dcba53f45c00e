/* SPDX-License-Identifier: BSD-2-Clause */
/* The two kinds of documents, for conf.c: each reads its root, which is a mapping. */
#ifndef KL_CONF_KINDS_H
#define KL_CONF_KINDS_H

#include "conf.h"
#include "fields.h"

void pdp_read(struct reader *r, const yaml_node_t *root);
void pack_read(struct reader *r, struct conf *c, const yaml_node_t *root);

#endif
