/* SPDX-License-Identifier: BSD-2-Clause */
/* The frozen baseline: there and back byte for byte, its order, its comments, and every mistake by its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../lib/base/edgefile.h"

static char path[] = "/tmp/edgefile.XXXXXX", said_in[] = "/tmp/edgefile.XXXXXX";

static int setup(void **state)
{
	int a = mkstemp(path), b = mkstemp(said_in);

	return a < 0 || b < 0 || close(a) || close(b);
}

static int teardown(void **state)
{
	return unlink(path) || unlink(said_in);
}

static void put_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Reads text, with what is said on stderr in said. */
static char said[4096];
static long reads(struct edgefile *f, const char *text, size_t len)
{
	int keep = dup(2);
	size_t n;
	FILE *to;
	long bad;

	put_file(text, len);
	assert_non_null(freopen(said_in, "w", stderr));
	bad = edgefile_read(f, path);
	fflush(stderr);
	dup2(keep, 2);
	close(keep);
	to = fopen(said_in, "r");
	assert_non_null(to);
	n = fread(said, 1, sizeof(said) - 1, to);
	said[n] = 0;
	fclose(to);
	return bad;
}

static void same_text(const struct edgefile *f, const char *want)
{
	size_t n;
	char *text = edgefile_text(f, &n);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
	free(text);
}

static const char whole[] =
	"# What may talk to the database host.\n"
	"# Asked about it: the people who run it.\n"
	"\n"
	"# backups, nightly\n"
	"#   until the new box is there\n"
	"in 10.0.0.5 22/tcp frozen  # rsync over ssh\n"
	"in 10.0.0.5 443/tcp frozen\n"
	"in 10.0.0.5 53/udp denied  # n\xc3\xa4" "h\n"
	"in 10.1.0.0/16 443/tcp approved\n"
	"in 192.0.2.1 0/icmp frozen  #\n"
	"\n"
	"# the wide one\n"
	"in ::/0 25/tcp denied\n"
	"in 2001:db8::5 */tcp frozen\n"
	"in 2001:db8::5 443/132 frozen\n"
	"out 10.0.0.53 53/udp frozen\n"
	"out 10.0.0.53 0/47 approved\n"
	"# the end\n";

static void there_and_back(void **state)
{
	struct edgefile f = { 0 };
	const struct edgeline *e;

	assert_int_equal(reads(&f, whole, sizeof(whole) - 1), 0);
	assert_string_equal(said, "");
	assert_int_equal(f.n, 10);
	same_text(&f, whole);
	e = &f.e[0];
	assert_int_equal(e->line, 6);
	assert_int_equal(e->port, 22);
	assert_int_equal(e->above_n, strlen("# backups, nightly\n#   until the new box is there\n"));
	assert_int_equal(e->behind_n, strlen("  # rsync over ssh"));
	e = &f.e[6];
	assert_int_equal(e->src.len, 128);
	assert_int_equal(e->port, 0);
	assert_int_equal(e->proto, 6);
	assert_int_equal(f.e[3].state, EDGE_APPROVED);
	assert_int_equal(f.e[3].src.len, 112);
	assert_int_equal(f.e[8].dir, EDGE_OUT);
	edgefile_free(&f);
	assert_int_equal(f.n, 0);
}

/* Whatever the order it was read in, the written one is the same, and comments go along. */
static void order(void **state)
{
	static const char want[] = "# ten\nin 10.0.0.1 80/tcp frozen\nin 10.0.0.2 0/icmp frozen\n"
				   "in 10.0.0.2 */tcp frozen\nin 10.0.0.2 9/tcp frozen\n"
				   "in 10.0.0.2 443/tcp frozen\nin 10.0.0.2 53/udp frozen\n"
				   "in 10.0.0.10 80/tcp frozen\nin 192.168.0.0/16 1/tcp denied\n"
				   "in 192.168.0.0 1/tcp frozen\n"
				   "in ::1 80/tcp frozen\nin fe80::1 80/tcp frozen\nout 1.2.3.4 80/tcp frozen\n";
	struct edgefile f = { 0 }, g = { 0 };
	size_t n;
	char *text;

	assert_int_equal(reads(&f, want, sizeof(want) - 1), 0);
	for (size_t i = 0, j = f.n - 1; i < j; i++, j--) {
		struct edgeline e = f.e[i];

		f.e[i] = f.e[j];
		f.e[j] = e;
	}
	text = edgefile_text(&f, &n);
	assert_int_equal(reads(&g, text, n), 0);
	free(text);
	edgefile_sort(&g);
	same_text(&g, want);
	for (size_t i = 0; i < g.n; i++)
		assert_ptr_equal(edgefile_find(&g, &g.e[i]), &g.e[i]);
	g.e[2].port = 1;
	f.e[0].port = 7;
	assert_null(edgefile_find(&g, &f.e[0]));
	edgefile_free(&f);
	edgefile_free(&g);
}

static void added(void **state)
{
	struct edgefile f = { 0 };
	struct edgeline *e;

	same_text(&f, "");
	assert_int_equal(reads(&f, "# all\n\n# one\nin 10.0.0.9 80/tcp frozen\n", 39), 0);
	e = edgefile_add(&f);
	assert_int_equal(prefix_get("10.0.0.8", 8, &e->src), 0);
	e->proto = 17;
	e->port = 53;
	e->state = EDGE_DENIED;
	edgefile_sort(&f);
	same_text(&f, "# all\n\nin 10.0.0.8 53/udp denied\n# one\nin 10.0.0.9 80/tcp frozen\n");
	edgefile_free(&f);
	edgefile_free(&f);
}

/* The second line is one with a mistake. */
static void wrong(const char *line, const char *want)
{
	struct edgefile f = { 0 };
	char text[512], all[768];

	snprintf(text, sizeof(text), "in 10.0.0.1 80/tcp frozen\n%s\nin 10.0.0.2 80/tcp frozen\n", line);
	assert_int_equal(reads(&f, text, strlen(text)), 1);
	snprintf(all, sizeof(all), "%s:2: %s\n", path, want);
	if (!strstr(said, all))
		print_message("want %sgot  %s", all, said);
	assert_non_null(strstr(said, all));
	assert_int_equal(f.n, 0);
	assert_null(f.text);
}

#define SPELT "not as it would be written: one blank between words, addresses as in RFC 5952, " \
	      "protocols as tcp, udp, icmp or a number "

static void mistakes(void **state)
{
	struct edgefile f = { 0 };

	wrong("inn 10.0.0.5 443/tcp frozen", "does not begin with in or out 'inn 10.0.0.5 443/tcp frozen'");
	wrong(" in 10.0.0.5 443/tcp frozen", "does not begin with in or out ' in 10.0.0.5 443/tcp frozen'");
	wrong("in 10.0.0.500 443/tcp frozen", "not an address or prefix '10.0.0.500 443/tcp frozen'");
	wrong("in  10.0.0.5 443/tcp frozen", "not an address or prefix ' 10.0.0.5 443/tcp frozen'");
	wrong("in 10.0.0.5/8 443/tcp denied", "bits set behind the prefix length '10.0.0.5/8 443/tcp denied'");
	wrong("in 10.0.0.5 443 frozen", "not PORT/PROTO '443 frozen'");
	wrong("in 10.0.0.5 65536/tcp frozen", "not PORT/PROTO '65536/tcp frozen'");
	wrong("in 10.0.0.5 443/tpc frozen", "unknown protocol '443/tpc frozen'");
	wrong("in 10.0.0.5 */tpc frozen", "unknown protocol '*/tpc frozen'");
	wrong("in 10.0.0.5 */icmp frozen", "this protocol has no ports: its port is 0 '*/icmp frozen'");
	wrong("in 10.0.0.5 8/icmp frozen", "this protocol has no ports: its port is 0 '8/icmp frozen'");
	wrong("in 10.0.0.5 0/tcp frozen", "this protocol has ports, and 0 is none '0/tcp frozen'");
	wrong("in 10.0.0.5 443/tcp", "not frozen, approved or denied ''");
	wrong("in 10.0.0.5 443/tcp learned", "not frozen, approved or denied 'learned'");
	wrong("in 10.0.0.5 443/tcp frozen ", "not frozen, approved or denied 'frozen '");
	wrong("in 10.0.0.0/24 443/tcp frozen",
	      "only an address can be frozen, a prefix approved or denied '10.0.0.0/24 443/tcp frozen'");
	wrong("in 10.0.0.5/32 443/tcp frozen", SPELT "'in 10.0.0.5/32 443/tcp frozen'");
	wrong("in 2001:DB8::5 443/tcp frozen", SPELT "'in 2001:DB8::5 443/tcp frozen'");
	wrong("in 10.0.0.5 443/6 frozen", SPELT "'in 10.0.0.5 443/6 frozen'");
	wrong("in 10.0.0.5 1/sctp frozen", SPELT "'in 10.0.0.5 1/sctp frozen'");
	wrong("in 10.0.0.5 443/tcp frozen # why", "a comment stands behind two blanks 'in 10.0.0.5 443/tcp frozen # why'");
	wrong("in 10.0.0.5 443/tcp frozen\r", "bytes that are no text 'in 10.0.0.5 443/tcp frozen?'");
	wrong("in 10.0.0.1 80/tcp denied", "the edge of line 1 again 'in 10.0.0.1 80/tcp denied'");
	assert_int_equal(reads(&f, "in 10.0.0.1 80/tcp frozen", 25), 1);
	assert_non_null(strstr(said, ":1: no LF behind the last line: is the file cut short? 'in 10.0.0.1"));
	assert_int_equal(reads(&f, "a\0b\n", 4), 1);
	assert_non_null(strstr(said, ":1: bytes that are no text"));
}

static void many(void **state)
{
	struct edgefile f = { 0 };
	char text[256] = "", end[96];

	for (int i = 0; i < 12; i++)
		strcat(text, "x\n");
	assert_int_equal(reads(&f, text, strlen(text)), 12);
	snprintf(end, sizeof(end), "%s: 2 more mistakes\n", path);
	assert_string_equal(said + strlen(said) - strlen(end), end + 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(edgefile_read(&f, path), -1);
	put_file("", 0);
	assert_int_equal(edgefile_read(&f, path), 0);
	same_text(&f, "");
	edgefile_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(order), cmocka_unit_test(added),
		cmocka_unit_test(mistakes),	  cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
