/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A day of made-up traffic as src frames, from a seed: sources that send at
 * rates from one packet a second to some hundreds, with a daily rhythm of their own,
 * noise, and bursts of some seconds; and one of them that turns.
 *
 *   day [-n SOURCES] [-t TICKS] [-d SECONDS a tick] [-s SEED] [-a TICK of the turn] [-g GROWTH an hour]
 *	[-e EVERY COMMAND]
 *
 * With -e every so many ticks go to a run of their own of COMMAND, with a header, instead of standard output.
 * The attacker is 10.0.0.1; its normal rate is 200 packets a second.
 */
#include <err.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGIN 1700000000L	/* Unix time of tick 0 */
#define NORMAL 200.0		/* of the attacker */
#define ROW 256

struct source {
	double rate, phase, swing;	/* packets a second; of the rhythm */
	double burst;			/* factor under way */
	int left;			/* ticks it lasts */
};

static struct {
	long n, ticks, turn, every;
	double dt, growth;
	uint64_t seed;
} o = { .n = 2000, .ticks = 86400, .turn = -1, .dt = 1, .growth = 1.1, .seed = 1 };

/* splitmix64 (Steele, Lea and Flood 2014): the k-th number of the seed, in whatever order they are asked for. */
static double draw(uint64_t k)
{
	uint64_t z = o.seed * 0x9e3779b97f4a7c15u + k * 0xd1342543de82ef95u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static char *put(char *p, unsigned long v)
{
	char s[24], *e = s + sizeof(s), *q = e;

	do
		*--q = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(p, q, (size_t)(e - q));
	return p + (e - q);
}

static char *cells(char *p, const unsigned long *v, int n)
{
	for (int i = 0; i < n; i++) {
		*p++ = '\t';
		p = put(p, v[i]);
	}
	return p;
}

static void make(struct source *s)
{
	for (long i = 0; i < o.n; i++) {
		uint64_t k = (uint64_t)i * 4;

		s[i].rate = exp(draw(k) * 4 + draw(k + 1) * 1.7);	/* 1 to 300, mostly 5 to 60 */
		s[i].phase = draw(k + 2) * 2 * M_PI;
		s[i].swing = draw(k + 3) * .8;
	}
	s[0].rate = NORMAL;
	s[0].swing = .3;
}

/* Packets of source i in tick t. */
static unsigned long packets(struct source *s, long i, long t)
{
	uint64_t k = ((uint64_t)t * (uint64_t)o.n + (uint64_t)i + (1u << 24)) * 4;
	double r = s->rate * (1 + s->swing * sin((double)t * o.dt / 86400 * 2 * M_PI + s->phase)), x;

	if (s->left > 0 && --s->left == 0)
		s->burst = 1;
	if (!s->left && draw(k) < .0003 * o.dt) {
		s->burst = 1.5 + 1.5 * draw(k + 1);
		s->left = 3 + (int)(20 * draw(k + 2));
	}
	if (i == 0 && o.turn >= 0 && t >= o.turn)
		r = NORMAL * pow(o.growth, (double)(t - o.turn) * o.dt / 3600);
	else
		r *= s->left ? s->burst : 1;
	x = r * o.dt * (.75 + .5 * draw(k + 3));
	return (unsigned long)(x + draw(k + 1));
}

static void frame(struct source *s, long t, FILE *to)
{
	unsigned long sum[9] = { 0 };
	char head[64], row[ROW], *p;
	int n = snprintf(head, sizeof(head), "%.3f\t%.3f\t", (double)BEGIN + (double)t * o.dt, o.dt);

	for (long i = 0; i < o.n; i++) {
		unsigned long pkts = packets(&s[i], i, t), syn = pkts / 12 + (pkts % 12 > 6);
		unsigned long v[] = { pkts, pkts * (200 + (unsigned long)i % 700), pkts, 0, 0, syn, pkts - syn, 0,
				      1 + (unsigned long)i % 3, 0, 0, 0, 0 };

		if (!pkts)
			continue;
		for (int j = 0; j < 8; j++)
			sum[j] += v[j];
		memcpy(row, head, (size_t)n);
		p = row + n;
		p += sprintf(p, "10.%ld.%ld.%ld", (i + 1) >> 16, (i + 1) >> 8 & 255, (i + 1) & 255);
		p = cells(p, v, 13);
		*p++ = '\n';
		fwrite(row, 1, (size_t)(p - row), to);
	}
	fprintf(to, "%s*", head);
	p = cells(row, sum, 8);
	fwrite(row, 1, (size_t)(p - row), to);
	fputs("\t-\t0\t0\t0\t-\n", to);
}

/* The ticks [t, end) with a header. */
static void part(struct source *s, long t, long end, FILE *to)
{
	fputs("time\tdt\tsrc\tpkts\tbytes\ttcp\tudp\ticmp\tsyn\tack\trst\tports\tdrop_allow\tdrop_deny\tdrop_rl\t"
	      "answers\n", to);
	while (t < end)
		frame(s, t++, to);
}

int main(int argc, char **argv)
{
	struct source *s;
	int c;

	while ((c = getopt(argc, argv, "n:t:d:e:s:a:g:")) != -1) {
		switch (c) {
		case 'n': o.n = atol(optarg); break;
		case 't': o.ticks = atol(optarg); break;
		case 'd': o.dt = atof(optarg); break;
		case 'e': o.every = atol(optarg); break;
		case 's': o.seed = strtoull(optarg, NULL, 10); break;
		case 'a': o.turn = atol(optarg); break;
		case 'g': o.growth = atof(optarg); break;
		default: return 2;
		}
	}
	if (!o.every != !argv[optind])
		errx(2, "day: -e and COMMAND go together");
	if (o.n < 1 || o.n > 1 << 22 || !(o.dt > 0) || !(s = calloc((size_t)o.n, sizeof(*s))))
		errx(2, "day: not so many sources, or ticks of no length");
	make(s);
	if (!o.every) {
		part(s, 0, o.ticks, stdout);
		return fflush(stdout) || ferror(stdout) ? 4 : 0;
	}
	signal(SIGPIPE, SIG_IGN);	/* it may be killed before it has read the last of them */
	for (long t = 0; t < o.ticks; t += o.every) {
		FILE *to = popen(argv[optind], "w");

		if (!to)
			err(4, "day: %s", argv[optind]);
		part(s, t, t + o.every < o.ticks ? t + o.every : o.ticks, to);
		pclose(to);
	}
	return 0;
}
