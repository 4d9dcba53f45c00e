#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The schemas are the only place where columns are named: what is made of them.
# shellcheck disable=SC2154 # bats sets stderr

bats_require_minimum_version 1.5.0
export LC_ALL=C

setup() {
	TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	AWK=$TOP/schemas/schema.awk
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir s
}

# schema NAME COLUMN...: a small schema file.
schema() {
	local c
	{
		printf 'name\ttype\tunit\trange\tmeaning\n'
		for c in "${@:2}"; do printf '%s\tcount\t-\tany\tabout %s\n' "$c" "$c"; done
	} >"s/$1.tsv"
}

@test "a stream becomes its header, columns, an enum and a list to go through" {
	schema one time src n_1
	run --separate-stderr awk -f "$AWK" s/one.tsv
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$output" = '/* Made by schemas/schema.awk from schemas/: do not edit. */
#ifndef KL_SCHEMA_H
#define KL_SCHEMA_H

#define ONE_HEADER "time\tsrc\tn_1"
#define ONE_COLS "time", "src", "n_1"
#define ONE_EACH(X) X(time) X(src) X(n_1)
enum { ONE_time, ONE_src, ONE_n_1, ONE_NCOLS };

#endif' ]
}

@test "a stream that begins with another has what was added" {
	schema a time src
	schema b time src x y
	schema c time src x y z
	schema d time x src y
	run --separate-stderr awk -f "$AWK" s/d.tsv s/c.tsv s/a.tsv s/b.tsv
	[ "$status" -eq 0 ]
	[ "$(grep ADDS <<<"$output")" = '#define C_ADDS "z"
#define C_ADDS_HEADER "\tz"
#define B_ADDS "x", "y"
#define B_ADDS_HEADER "\tx\ty"' ]
}

@test "the keys of settings become a list" {
	printf 'key\tcommand\ttype\tdefault\tmeaning\na-b\tx\tcount\t1\tm\nc\ty\tword\tq\tm\n' >s/setting.tsv
	run --separate-stderr awk -f "$AWK" s/setting.tsv
	[ "$status" -eq 0 ]
	[ "$(grep SETTING_KEYS <<<"$output")" = '#define SETTING_KEYS "a-b", "c"' ]
}

@test "a broken schema is refused with its line" {
	schema one time src src
	run --separate-stderr awk -f "$AWK" s/one.tsv
	[ "$status" -eq 1 ]
	[ "$stderr" = "s/one.tsv:4: named twice: src" ]
	schema one time Src
	run --separate-stderr awk -f "$AWK" s/one.tsv
	[ "$status" -eq 1 ]
	[ "$stderr" = "s/one.tsv:3: not a name: Src" ]
	schema one time
	echo x >>s/one.tsv
	run --separate-stderr awk -f "$AWK" s/one.tsv
	[ "$status" -eq 1 ]
	[ "$stderr" = "s/one.tsv:3: 1 cells, not 5" ]
	sed -i 1d s/one.tsv
	run --separate-stderr awk -f "$AWK" s/one.tsv
	[ "$status" -eq 1 ]
	[ "$stderr" = 's/one.tsv:1: the header is not "name	type	unit	range	meaning"' ]
}

@test "score is src with what kl-score adds, receipt is level with what kl-apply adds" {
	run --separate-stderr awk -f "$AWK" "$TOP/schemas/src.tsv" "$TOP/schemas/score.tsv" \
		"$TOP/schemas/level.tsv" "$TOP/schemas/receipt.tsv"
	[ "$status" -eq 0 ]
	[ "$(grep '_ADDS ' <<<"$output")" = '#define SCORE_ADDS "trig_pps", "trig_syn", "trig_scan", "trig_bps", "sev", "why"
#define RECEIPT_ADDS "action", "result"' ]
}

@test "every stream begins with time and has src or key" {
	local f
	for f in "$TOP"/schemas/*.tsv; do
		[[ ${f##*/} != setting.tsv ]] || continue
		[ "$(sed -n 2p "$f" | cut -f 1,2)" = $'time\ttime' ]
		cut -f 1 "$f" | grep -qx 'src\|key'
	done
}

@test "the page has every column of every schema, as it is now" {
	local f
	cd "$TOP"
	for f in schemas/*.tsv; do
		f=${f##*/}
		grep -qxF ".\\\" columns ${f%.tsv}" schemas/kl-tsv.5
	done
	awk -f schemas/page.awk schemas/kl-tsv.5 >"$BATS_TEST_TMPDIR/want"
	diff schemas/kl-tsv.5 "$BATS_TEST_TMPDIR/want" || {
		echo "make it anew: awk -f schemas/page.awk schemas/kl-tsv.5"
		return 1
	}
}

@test "a page with a stale list is found" {
	cd "$TOP"
	sed 's/^distinct destination ports; exact/&ly/' schemas/kl-tsv.5 >"$BATS_TEST_TMPDIR/stale"
	run ! cmp -s schemas/kl-tsv.5 "$BATS_TEST_TMPDIR/stale"
	awk -f schemas/page.awk "$BATS_TEST_TMPDIR/stale" >"$BATS_TEST_TMPDIR/mended"
	cmp schemas/kl-tsv.5 "$BATS_TEST_TMPDIR/mended"
}

@test "what the commands write has the header of their schema" {
	local want
	want=$(awk -F'\t' 'NR > 1 { printf "%s%s", (NR > 2 ? "\t" : ""), $1 }' "$TOP/schemas/score.tsv")
	awk -F'\t' 'NR > 1 { printf "%s%s", (NR > 2 ? "\t" : ""), $1 } END { print "" }' "$TOP/schemas/src.tsv" >in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "$output" = "$want" ]
}
