/* SPDX-License-Identifier: BSD-2-Clause */
/* The outbound program at an interface's TC egress. Functions return 0 or -errno and print nothing. */
#ifndef KL_EGRESS_H
#define KL_EGRESS_H

#include <stdbool.h>

/* Puts program fd there, in place of an earlier one of ours; makes the clsact hook when it is missing. */
int egress_attach(unsigned ifindex, int fd);
/* Is one of ours there? */
bool egress_is_on(unsigned ifindex);
/* Takes it away; not being there is no error. */
int egress_detach(unsigned ifindex);

#endif
