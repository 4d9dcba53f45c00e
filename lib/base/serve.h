/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a stream until it ends or the command is told to end. */
#ifndef KL_SERVE_H
#define KL_SERVE_H

#include "tsv.h"

/*
 * As tsv_run(), but SIGTERM and SIGINT end it as the input's end does: they are
 * held back while rows are handled, the frame under way is given to
 * ops->cut() without a word, and what was said of the rows so far is returned.
 */
int serve(const char *name, const struct tsv_ops *ops, void *self);

#endif
