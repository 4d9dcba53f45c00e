/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of configuration files: numbers, durations, switches, times, misspelt words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../lib/conf/value.h"

static void numbers(void **state)
{
	static const struct { const char *in, *out; } good[] = {
		{ "0", "0" }, { "-0", "0" }, { "12", "12" }, { "+5", "5" }, { "0.30", "0.3" }, { ".5", "0.5" },
		{ "5.", "5" }, { "8e+07", "80000000" }, { "8E7", "80000000" }, { "1e-3", "0.001" },
		{ "3.0", "3" }, { "0.1", "0.1" }, { "999999999999", "999999999999" }, { "-2.5", "-2.5" },
	};
	static const char *const bad[] = {
		"", "+", ".", "e5", "1e", "1e+", "00", "012", "0x10", "0o7", "1_000", "inf", ".inf", "nan", "1 2", "1e999",
		"1.2.3", "--1", "1a",
	};
	char text[VALUE_TEXT];
	double v;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(value_number(good[i].in, strlen(good[i].in), &v), 0);
		value_number_put(text, v);
		assert_string_equal(text, good[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		v = 77;
		assert_int_equal(value_number(bad[i], strlen(bad[i]), &v), -1);
		assert_true(v == 77);
	}
	/* Exactly n bytes. */
	assert_int_equal(value_number("123x", 3, &v), 0);
	assert_true(v == 123);
}

static void durations(void **state)
{
	static const struct { const char *in, *out; } good[] = {
		{ "0", "0" }, { "0s", "0s" }, { "30s", "30s" }, { "1h30m", "1h30m" }, { "336h", "336h" },
		{ "1.5h", "1.5h" }, { "500ms", "500ms" }, { "+5s", "5000ms" }, { "-0s", "0" }, { ".5s", "500ms" },
		{ "1000us", "1ms" }, { "1000\xc2\xb5s", "1ms" }, { "1000\xce\xbcs", "1ms" }, { "2000000ns", "2ms" },
		{ "500us500us", "1ms" }, { "876000h", "876000h" }, { "0.1s", "0.1s" }, { "1m0.001s", "1m0.001s" },
	};
	static const char *const none[] = {
		"", "+", "30", "s", "1d", "1w", "1h30", "30 s", " 30s", "30S", "1hour", "-", ".s", "1e3s", "30ss",
	};
	static const char *const never[] = { "-1s", "500us", "1.5ms", "1ns", "876001h", "0.0001s" };
	char text[VALUE_TEXT];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(value_duration(good[i].in, strlen(good[i].in), text), 0);
		assert_string_equal(text, good[i].out);
	}
	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(value_duration(none[i], strlen(none[i]), text), -1);
	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		assert_int_equal(value_duration(never[i], strlen(never[i]), text), -2);
}

static void switches(void **state)
{
	static const char *const words[] = {
		"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON",
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF",
	};
	static const char *const bad[] = { "", "tRUE", "TRue", "trUe", "y", "n", "1", "0", "truee", "oN", "oFF", "OFf" };
	bool on;
	size_t i;

	for (i = 0; i < 18; i++) {
		assert_int_equal(value_switch(words[i], strlen(words[i]), &on), 0);
		assert_int_equal(on, i < 9);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(value_switch(bad[i], strlen(bad[i]), &on), -1);
}

/* Every day of them against the C library. */
static void dates(void **state)
{
	char text[64];
	struct tm tm;
	int64_t ns;
	time_t t;

	for (t = 43200; t < (time_t)9214646400; t += 86400) {
		gmtime_r(&t, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (value_rfc3339(text, strlen(text), &ns) || ns != (int64_t)t * 1000000000)
			fail_msg("%s", text);
	}
}

static void times(void **state)
{
	static const struct { const char *in; int64_t ns; } good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29t23:59:59z", 951868799000000000 },
		{ "2026-03-01T13:00:00+02:00", 1772362800000000000 },
		{ "2026-03-01T11:00:00-00:30", 1772364600000000000 },
		{ "2026-03-01T11:00:00.5Z", 1772362800500000000 },
		{ "2026-03-01T11:00:00.000000001Z", 1772362800000000001 },
		{ "2026-03-01T11:00:00.0000000019Z", 1772362800000000001 },
	};
	static const char *const bad[] = {
		"", "2026-03-01", "2026-03-01T11:00Z", "2026-03-01 11:00:00Z", "2026-03-01T11:00:00",
		"2026-13-01T11:00:00Z", "2026-02-29T11:00:00Z", "2100-02-29T11:00:00Z", "2026-03-01T24:00:00Z",
		"2026-03-01T11:60:00Z", "2026-03-01T11:00:60Z", "2026-03-01T11:00:00.Z", "2026-03-01T11:00:00+0200",
		"2026-03-01T11:00:00Zx", "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2026-3-01T11:00:00Z",
		"2026-03-01T11:00:00+24:00", "2026-00-01T11:00:00Z", "2026-03-00T11:00:00Z", "2026-03-01T11:00:00",
	};
	int64_t ns;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(value_rfc3339(good[i].in, strlen(good[i].in), &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (value_rfc3339(bad[i], strlen(bad[i]), &ns) != -1)
			fail_msg("%s", bad[i]);
}

static void distances(void **state)
{
	assert_int_equal(value_distance("soft_at", "soft_at"), 0);
	assert_int_equal(value_distance("soft_at", "sof_at"), 1);
	assert_int_equal(value_distance("soft_at", "sotf_at"), 2);
	assert_int_equal(value_distance("", "abc"), 3);
	assert_int_equal(value_distance("kitten", "sitting"), 3);
	assert_int_equal(value_distance("abcdefghijkl", "mnopqrstuvwx"), 9);
	assert_int_equal(value_distance("a", "a123456789012345678901234567890123456789012345678901234567890"), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(durations), cmocka_unit_test(switches),
		cmocka_unit_test(dates), cmocka_unit_test(times), cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
