/* SPDX-License-Identifier: BSD-2-Clause */
/* The histograms, both as one array of bins. */
#ifndef KL_HIST_H
#define KL_HIST_H

#include "map.h"

/* First the lengths of frames: bin i holds those below 64 << i, the last one the rest. Then the
 * ports, 0 always empty. */
#define HIST_BINS (KL_HIST_LENS + KL_HIST_PORTS)
enum { HIST_PKTS, HIST_BYTES, HIST_DROPS, HIST_WORDS };	/* drops: of ports alone, else 0 */

/* All CPUs added. 0 or -errno. */
int hist_read(struct kern *k, uint64_t bin[HIST_BINS][HIST_WORDS]);

#endif
