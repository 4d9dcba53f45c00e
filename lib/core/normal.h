/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether more went over an edge than is normal there. Pure.
 *
 * Only more is a deviation: a quiet edge is none. What an edge does varies though nothing is wrong, so
 * a median absolute deviation, or a peak, of nearly nothing counts as one full packet a second.
 */
#ifndef KL_NORMAL_H
#define KL_NORMAL_H

#include "../base/normals.h"

struct normal_conf {
	double threshold;	/* deviations above the median that are too many; 0: not looked at */
	double tolerance;	/* times the peak that are; 0: not looked at */
};

struct excess {
	const char *kind;
	unsigned score;		/* 0..100 */
};

/* Holds the pkts and bytes of x's key, counted in ms milliseconds, against it: how many excesses; out has
 * room for the two there can be. */
size_t normal_judge(const struct normal *x, const struct normal_conf *c, int64_t ms, struct excess *out);

#endif
