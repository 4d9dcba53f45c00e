/* SPDX-License-Identifier: BSD-2-Clause */
/* One table a command: command line, settings files, --help. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "file.h"
#include "num.h"
#include "opt.h"
#include "schema.h"

#define LONG 256		/* getopt values of long options begin here */
#define OPT_HELP    (LONG - 1)
#define OPT_VERSION (LONG - 2)

/* The targets the command line gave a value, each once, the last one NULL. */
static const void **on_line;

static const char *const known[] = { SETTING_KEYS, NULL };

/* ms as get_dur() reads it, in its largest whole unit. */
static void dur_text(char *s, size_t n, int64_t ms)
{
	static const struct { const char *name; int64_t ms; } unit[] = {
		{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	};
	size_t i = 0;

	while (ms % unit[i].ms)
		i++;
	snprintf(s, n, "%" PRId64 "%s", ms / unit[i].ms, ms ? unit[i].name : "");
}

/* What a value of o looks like: "a whole number, 0 to 1000". */
static void expected(const struct opt *o, char *s, size_t n)
{
	const char *const *w;
	size_t used;
	const char *unit = o->type == OPT_DUR ? " s" : "";

	switch (o->type) {
	case OPT_FLAG:
		snprintf(s, n, "on or off");
		return;
	case OPT_U32:
	case OPT_U64:
		used = (size_t)snprintf(s, n, "a whole number");
		break;
	case OPT_F64:
		used = (size_t)snprintf(s, n, "a number");
		break;
	case OPT_DUR:
		used = (size_t)snprintf(s, n, "a duration like 500ms, 30s, 10m");
		break;
	case OPT_WORD:
		used = (size_t)snprintf(s, n, "one of");
		for (w = o->words; *w && used < n; w++)
			used += (size_t)snprintf(s + used, n - used, " %s", *w);
		return;
	default:
		snprintf(s, n, "not empty");
		return;
	}
	if (o->max != 0)
		snprintf(s + used, n - used, ", %.15g to %.15g%s", o->min, o->max, unit);
	else if (o->min != 0)
		snprintf(s + used, n - used, ", at least %.15g%s", o->min, unit);
	else if (o->type == OPT_F64)
		snprintf(s + used, n - used, " >= 0");
}

static bool within(const struct opt *o, double v)
{
	return v >= o->min && (o->max == 0 || v <= o->max);
}

static void append(const char **list, const char *more)
{
	char *all = xalloc((*list ? strlen(*list) : 0) + strlen(more) + 2);

	if (*list)
		stpcpy(stpcpy(all, *list), ",");
	*list = strcat(all, more);
}

/* Reads the n bytes at s into o's target. -1: they are no value of o. */
static int assign(const struct opt *o, const char *s, size_t n)
{
	uint64_t u;
	uint32_t w;
	int64_t ms;
	double f;
	int i;

	switch (o->type) {
	case OPT_FLAG:
		if ((n != 2 || memcmp(s, "on", 2)) && (n != 3 || memcmp(s, "off", 3)))
			return -1;
		*(bool *)o->to = n == 2;
		break;
	case OPT_U32:
		if (get_u32(s, n, &w) || !within(o, w))
			return -1;
		*(uint32_t *)o->to = w;
		break;
	case OPT_U64:
		if (get_u64(s, n, &u) || !within(o, (double)u))
			return -1;
		*(uint64_t *)o->to = u;
		break;
	case OPT_F64:
		if (get_f64(s, n, &f) || !within(o, f))
			return -1;
		*(double *)o->to = f;
		break;
	case OPT_DUR:
		if (get_dur(s, n, &ms) || !within(o, (double)ms / 1000))
			return -1;
		*(int64_t *)o->to = ms;
		break;
	case OPT_WORD:
		for (i = 0; o->words[i]; i++)
			if (strlen(o->words[i]) == n && !memcmp(o->words[i], s, n))
				break;
		if (!o->words[i])
			return -1;
		*(int *)o->to = i;
		break;
	case OPT_STR:
		if (!n)
			return -1;
		*(const char **)o->to = xstrdup(s);
		break;
	case OPT_LIST:
		if (!n)
			return -1;
		append(o->to, s);
		break;
	case OPT_CONF:
		return n ? 0 : -1;
	}
	if (o->given)
		*o->given = true;
	return 0;
}

static bool is_known(const char *key)
{
	size_t i;

	for (i = 0; known[i]; i++)
		if (!strcmp(known[i], key))
			return true;
	return false;
}

/* One line of a settings file, NUL-terminated. */
static void conf_line(const char *path, long line, char *s, const struct opt_page *page)
{
	char *value = strchr(s, '\t'), want[128];
	const struct opt *o;

	if (!value || value == s || !value[1] || strchr(value + 1, '\t'))
		die(KL_USAGE, "%s:%ld: not a key and a value with one TAB between '%.60s'", path, line, s);
	*value++ = 0;
	if (!strcmp(s, "key") && !strcmp(value, "value"))
		return;
	if (line == 1)
		die(KL_USAGE, "%s:1: no header: expected key and value, not '%.60s'", path, s);
	if (!is_known(s))
		die(KL_USAGE, "%s:%ld: unknown key '%.60s'", path, line, s);
	for (o = page->opts; o->name && (!o->setting || strcmp(o->name, s)); o++)
		;
	if (!o->name || !assign(o, value, strlen(value)))
		return;
	expected(o, want, sizeof(want));
	die(KL_USAGE, "%s:%ld: bad value '%.60s' for %s: %s", path, line, value, s, want);
}

void opt_conf(const char *path, const struct opt_page *page)
{
	const char *name = strcmp(path, "-") ? path : "stdin";
	char *text, *p, *eol;
	long line = 0;
	size_t n;

	text = slurp(path, &n);
	if (!text)
		die(KL_USAGE, "cannot read '%s': %s", name, strerror(errno));
	if (!n)
		die(KL_USAGE, "%s: empty: not even a header", name);
	for (p = text; p < text + n; p = eol + 1) {
		line++;
		eol = memchr(p, '\n', (size_t)(text + n - p));
		if (!eol)
			die(KL_USAGE, "%s:%ld: the last line does not end with a newline", name, line);
		*eol = 0;
		if (strlen(p) != (size_t)(eol - p))
			die(KL_USAGE, "%s:%ld: byte 0x00 may not stand in a value", name, line);
		if (eol > p && eol[-1] == '\r')
			die(KL_USAGE, "%s:%ld: a carriage return may not stand in a value", name, line);
		conf_line(name, line, p, page);
	}
	free(text);
}

/* "(default 3.5)" as far as o has one of its own: who looks at .given makes
 * one from other options, and says so in .help. */
static void default_text(const struct opt *o, char *s, size_t n)
{
	char t[64] = "";

	switch (o->given ? OPT_CONF : o->type) {
	case OPT_FLAG:
		snprintf(t, sizeof(t), "%s", !o->setting ? "" : *(const bool *)o->to ? "on" : "off");
		break;
	case OPT_U32:
		snprintf(t, sizeof(t), "%" PRIu32, *(const uint32_t *)o->to);
		break;
	case OPT_U64:
		snprintf(t, sizeof(t), "%" PRIu64, *(const uint64_t *)o->to);
		break;
	case OPT_F64:
		snprintf(t, sizeof(t), "%.15g", *(const double *)o->to);
		break;
	case OPT_DUR:
		dur_text(t, sizeof(t), *(const int64_t *)o->to);
		break;
	case OPT_WORD:
		snprintf(t, sizeof(t), "%s", o->words[*(const int *)o->to]);
		break;
	case OPT_STR:
	case OPT_LIST:
		if (*(const char *const *)o->to)
			snprintf(t, sizeof(t), "%s", *(const char *const *)o->to);
		break;
	default:
		break;
	}
	snprintf(s, n, *t ? " (default %s)" : "%s", t);
}

static void help_line(char letter, const char *name, const char *arg, const char *help, const char *dflt)
{
	char left[64], shrt[8] = "   ";

	if (letter)
		snprintf(shrt, sizeof(shrt), "-%c,", letter);
	snprintf(left, sizeof(left), "%s --%s %s", shrt, name, arg ? arg : "");
	printf("  %-30s %s%s\n", left, help, dflt);
}

static void print_help(const struct opt_page *page)
{
	const char *s = page->synopsis, *lead = "usage:";
	const struct opt *o;
	char dflt[80];

	while (*s) {
		int n = (int)strcspn(s, "\n");

		if (*s == ' ')
			printf("%*s%.*s\n", (int)strlen(kl_name) + 7, "", n, s);
		else
			printf("%s %s %.*s\n", lead, kl_name, n, s);
		lead = "      ";
		s += n + (s[n] == '\n');
	}
	printf("\n%s\n\n", page->purpose);
	for (o = page->opts; o->name; o++) {
		default_text(o, dflt, sizeof(dflt));
		help_line(o->letter, o->name, o->arg, o->help, dflt);
	}
	help_line('h', "help", NULL, "print this and exit", "");
	help_line('V', "version", NULL, "print the version and exit", "");
}

static _Noreturn void shown(void)
{
	if (fflush(stdout) || ferror(stdout) || fclose(stdout))
		die(KL_SYSTEM, "cannot write stdout: %s", strerror(errno));
	exit(KL_OK);
}

/* getopt's two tables, made of ours. */
struct table_of {
	struct option *longs;
	char *shorts;
	size_t n;
};

static struct table_of getopt_tables(const struct opt *opts)
{
	struct table_of t = { .n = 0 };
	size_t i;
	char *p;

	while (opts[t.n].name)
		t.n++;
	t.longs = xalloc((t.n + 3) * sizeof(*t.longs));
	p = t.shorts = xalloc(2 * t.n + 4);
	*p++ = ':';
	for (i = 0; i < t.n; i++) {
		bool arg = opts[i].type != OPT_FLAG;

		t.longs[i] = (struct option){ opts[i].name, arg, NULL, LONG + (int)i };
		if (opts[i].letter) {
			*p++ = opts[i].letter;
			if (arg)
				*p++ = ':';
		}
	}
	*p++ = 'h';
	*p++ = 'V';
	t.longs[t.n] = (struct option){ "help", no_argument, NULL, OPT_HELP };
	t.longs[t.n + 1] = (struct option){ "version", no_argument, NULL, OPT_VERSION };
	return t;
}

/* The option getopt found. */
static const struct opt *found(const struct opt *o, int c)
{
	if (c >= LONG)
		return o + (c - LONG);
	while (o->letter != c)
		o++;
	return o;
}

static _Noreturn void bad_option(int c, const struct opt *opts, const char *word)
{
	if (c == ':')
		die(KL_USAGE, "--%s needs a value", found(opts, optopt)->name);
	if (optopt >= OPT_VERSION)
		die(KL_USAGE, "option takes no value '%s'", word);
	if (optopt)
		die(KL_USAGE, "unknown option '-%c'", optopt);
	die(KL_USAGE, "unknown option '%s'", word);
}

bool opt_on_line(const void *to)
{
	size_t i = 0;

	while (on_line[i] && on_line[i] != to)
		i++;
	return on_line[i];
}

static void note_on_line(const void *to)
{
	size_t i = 0;

	while (on_line[i] && on_line[i] != to)
		i++;
	on_line[i] = to;
}

/* Walks the command line once: files first, then all the rest. */
static int walk(int argc, char **argv, const struct opt_page *page, const struct table_of *t, bool files)
{
	const struct opt *o;
	char want[128];
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, t->shorts, t->longs, NULL)) != -1) {
		if (c == 'h' || c == OPT_HELP) {
			print_help(page);
			shown();
		}
		if (c == 'V' || c == OPT_VERSION) {
			printf("%s %s\n", kl_name, KL_VERSION);
			shown();
		}
		if (c == '?' || c == ':')
			bad_option(c, page->opts, argv[optind - 1]);
		o = found(page->opts, c);
		if (files != (o->type == OPT_CONF))
			continue;
		if (!files)
			note_on_line(o->to);
		if (o->type == OPT_FLAG) {
			assign(o, "on", 2);
		} else if (assign(o, optarg, strlen(optarg))) {
			expected(o, want, sizeof(want));
			die(KL_USAGE, "bad value '%s' for --%s: %s", optarg, o->name, want);
		} else if (files) {
			opt_conf(optarg, page);
		}
	}
	return optind;
}

/* A standard stream that is closed is left without reader or writer: its number
 * goes to no other file, and using it fails as on a closed one. */
static void hold_standard_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			die(KL_SYSTEM, "cannot open '/dev/null': %s", strerror(errno));
}

int opt_parse(int argc, char **argv, const struct opt_page *page)
{
	struct table_of t = getopt_tables(page->opts);
	int i;

	hold_standard_streams();
	on_line = xalloc((t.n + 1) * sizeof(*on_line));
	walk(argc, argv, page, &t, true);
	i = walk(argc, argv, page, &t, false);
	free(t.longs);
	free(t.shorts);
	return i;
}
