#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The fuzz targets: each is built and holds on a few thousand inputs; a
# defect is found, named and kept.

# shellcheck disable=SC2030,SC2031,SC2154 # bats sets output, status, lines, stderr

load lib

setup() {
	cd "$TOP" || return 1
	printf 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n > 9 ? 0 : 0; }\n' \
		>"$BATS_TEST_TMPDIR/probe.c"
	clang -fsanitize=fuzzer,address -o "$BATS_TEST_TMPDIR/probe" "$BATS_TEST_TMPDIR/probe.c" 2>/dev/null ||
		skip "no libFuzzer for clang"
}

# The tree as far as the targets need it, with what is built of them.
copy_tree() {
	mkdir -p "$1/build"
	cp -a Makefile lib cmd bpf schemas t "$1"
	cp -a build/schema.h build/fuzz "$1/build"
	[[ ! -e build/san ]] || cp -a build/san "$1/build"
	rm -rf "$1/build/fuzz/"{found,corpus}
}

# mutant TARGET FILE OLD NEW: with that change of the code the target finds an input and keeps it.
mutant() {
	local dir=$BATS_TEST_TMPDIR/tree
	[[ -d $dir ]] || copy_tree "$dir"
	cp "$2" "$BATS_TEST_TMPDIR/whole"
	sed "s#$3#$4#" "$2" >"$dir/$2"
	run ! cmp -s "$2" "$dir/$2"
	make --no-print-directory -s -C "$dir" "build/fuzz/$1"
	run --separate-stderr "$dir/t/fuzz/run" -s 30 "$1"
	cp "$BATS_TEST_TMPDIR/whole" "$dir/$2"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == "$1 "*" BAD "* ]]
	[[ ${lines[-2]} == "build/fuzz/found/$1-"* ]]
	[ -f "$dir/${lines[-2]}" ]
	[ "${lines[-1]}" = "1 targets, 1 with findings" ]
}

@test "every target is built and holds" {
	make --no-print-directory -s fuzzers
	run --separate-stderr t/fuzz/run -s 4 -n 20000
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(awk '{ print $1, $2 }' <<<"$output") - <<-'END'
		addr ok
		dur ok
		fsm ok
		list ok
		num ok
		parse ok
		prefix ok
		put ok
		score ok
		settings ok
		state ok
		stream ok
		violation ok
		13 targets,
	END
	[ "${lines[13]}" = "13 targets, 0 with findings" ]
	# None stopped at its first input, or was blind.
	awk '$2 == "ok" && ($3 < 500 || $5 < 20) { print; bad = 1 } END { exit bad }' <<<"$output"
}

@test "a broken property is found: an octet above 255" {
	mutant addr lib/base/addr.c 'v > 255' 'v > 256'
}

@test "a broken property is found: a line lost between two pieces" {
	mutant stream lib/base/tsv.c 'in->tail = (size_t)(end - from);' 'in->tail = lf ? 0 : (size_t)(end - from);'
}

@test "reading outside is found: ports behind the end of the frame" {
	mutant parse bpf/parse.bpf.h 'left < 4 || p + 4 > end' 'left < 4 || p + 2 > end'
}

@test "ports out of a later fragment are found" {
	mutant parse bpf/parse.bpf.h 'k->frag == FRAG_LATER)$' 'k->frag == FRAG_NO + 9)'
}

@test "a message that is missing is found" {
	mutant settings lib/base/opt.c 'die(KL_USAGE, "%s: empty: not even a header", name)' 'exit(KL_USAGE)'
}

@test "called wrongly" {
	run --separate-stderr t/fuzz/run -s 0
	[ "$status" -eq 2 ]
	[ "$stderr" = "usage: t/fuzz/run [-s SECONDS] [-n RUNS] [TARGET ...]" ]
	run --separate-stderr t/fuzz/run -x
	[ "$status" -eq 2 ]
	run --separate-stderr t/fuzz/run nothing
	[ "$status" -eq 2 ]
	[ "$output" = "" ]
	[ "$stderr" = "t/fuzz/run: no target 'nothing' in build/fuzz" ]
	run --separate-stderr t/fuzz/run fuzz
	[ "$status" -eq 2 ]
}
