/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of a command, once: the table drives getopt_long, the keys a
 * settings file may carry (-c), and --help. Values that appear twice: the
 * last wins; the command line wins over every -c file, wherever it stands.
 * -h, --help and -V, --version come by themselves.
 */
#ifndef KL_OPT_H
#define KL_OPT_H

#include <stdbool.h>
#include <stdint.h>

enum opt_type {
	OPT_FLAG,	/* bool; takes no argument on the command line, on|off in a file */
	OPT_U32,	/* uint32_t */
	OPT_U64,	/* uint64_t */
	OPT_F64,	/* double */
	OPT_DUR,	/* int64_t milliseconds; "500ms 30s 10m 24h" */
	OPT_STR,	/* const char *; not empty */
	OPT_LIST,	/* const char *; not empty; all that are given count, with commas between */
	OPT_WORD,	/* int: index of the word in .words */
	OPT_CONF,	/* a settings file, read in the order given; .to unused */
};

struct opt {
	const char *name;	/* long name, and settings key when .setting */
	char letter;		/* short option, or 0 */
	enum opt_type type;
	void *to;		/* holds the default before opt_parse() */
	double min, max;	/* of numbers and durations (in seconds); both 0: only >= 0 */
	const char *arg;	/* what --help calls the argument: N, F, DUR, FILE */
	const char *help;	/* one line */
	const char *const *words;	/* OPT_WORD: NULL-terminated */
	bool setting;		/* a -c file may set it */
	bool *given;		/* NULL, or set when given anywhere */
};

struct opt_page {
	const char *synopsis;	/* as the page's SYNOPSIS: without the name, forms split by \n,
				   a line that begins with a blank continues the one before */
	const char *purpose;	/* one sentence */
	const struct opt *opts;	/* ends with a NULL name */
};

/*
 * Reads options and -c files into the table's targets. Returns the index of
 * the first operand. Prints help or version and exits 0 when asked; ends with
 * status 2 and one line for an unknown option, a missing or bad value
 * ("bad value 'x' for --soft-at: a whole number, 0 to 1000000"), and
 * "FILE:LINE: ..." for a settings file. Keys of other commands are skipped;
 * a key no command knows (schemas/setting.tsv) is an error.
 * Options may follow operands, as GNU getopt_long permits.
 */
int opt_parse(int argc, char **argv, const struct opt_page *page);

/* Whether the command line, not only a file, gave the option with that target. */
bool opt_on_line(const void *to);

/* Reads one more settings file into the same targets, status as above. */
void opt_conf(const char *path, const struct opt_page *page);

#define OPT_END { 0 }
#define OPT_CONF_ROW \
	{ "conf", 'c', OPT_CONF, 0, 0, 0, "FILE", "read settings (key TAB value) from FILE", 0, 0, 0 }

#endif
