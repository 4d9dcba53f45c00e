#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Options and settings files: one table a command, seen through kl-score.

# shellcheck disable=SC2154 # bats sets stderr

bats_require_minimum_version 1.5.0
export LC_ALL=C

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\n1.000\t1.000\t*\t1\t2\t3\t-\n' >in
}

# The trigger of packets that was in force.
trig() {
	kl-score "$@" in | awk -F'\t' 'END { print $8 }'
}

# refused MESSAGE ARGUMENT...
refused() {
	local want=$1
	shift
	run --separate-stderr kl-score "$@"
	[ "$status" -eq 2 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: $want" ]
}

settings() {
	# shellcheck disable=SC2059 # tests write escapes
	printf "key\tvalue\n$1" >conf
}

@test "called wrongly" {
	refused "unknown option '--nonsense'" --nonsense
	refused "unknown option '-x'" -x
	refused "unknown option '-x'" -xc
	refused "unknown option '--trig'" --trig 5
	refused "--sev-cap needs a value" --sev-cap
	refused "--conf needs a value" -c
	refused "option takes no value '--help=yes'" --help=yes
}

@test "bad values name the option and what it takes" {
	local v
	for v in x -1 1e3 '' 1,5 0x10 inf nan 1000000000001; do
		refused "bad value '$v' for --trig-pps: a number, 0 to 1000000000000" --trig-pps "$v"
	done
	refused "bad value 'avg' for --combine: one of max sum" --combine avg
	refused "bad value '' for --conf: not empty" -c ''
}

@test "the last of two wins, wherever operands stand" {
	[ "$(trig --trig-pps 5 --trig-pps 7.5)" = 7.500 ]
	run --separate-stderr kl-score in --trig-pps=9
	[ "$status" -eq 0 ]
	[[ ${lines[1]} == *$'\t9.000\t250.000\t'* ]]
}

@test "a long option may be shortened while it stays unique" {
	[ "$(trig --trig-p 6)" = 6.000 ]
}

@test "-- ends the options" {
	cp in ./--trig-pps
	run --separate-stderr kl-score -- --trig-pps
	[ "$status" -eq 0 ]
}

@test "settings set what options set" {
	settings 'trig-pps\t44\n'
	[ "$(trig -c conf)" = 44.000 ]
	[ "$(trig --conf=conf)" = 44.000 ]
}

@test "the command line wins over settings, before and behind them" {
	settings 'trig-pps\t44\n'
	[ "$(trig -c conf --trig-pps 5)" = 5.000 ]
	[ "$(trig --trig-pps 5 -c conf)" = 5.000 ]
}

@test "a later file wins over an earlier one, a later line over an earlier" {
	settings 'trig-pps\t44\ntrig-pps\t45\n'
	cp conf one
	settings 'trig-pps\t46\n'
	[ "$(trig -c one)" = 45.000 ]
	[ "$(trig -c one -c conf)" = 46.000 ]
	[ "$(trig -c conf -c one)" = 45.000 ]
	cat one conf >both
	[ "$(trig -c both)" = 46.000 ]
}

@test "keys of other commands are skipped" {
	settings 'soft-at\tnot looked at\ntrig-pps\t44\nhard-rate\t1\n'
	[ "$(trig -c conf)" = 44.000 ]
}

@test "settings from standard input" {
	settings 'trig-pps\t44\n'
	[ "$(trig -c - <conf)" = 44.000 ]
}

@test "an unknown key" {
	settings 'trig-pps\t44\ntrigpps\t1\n'
	refused "conf:3: unknown key 'trigpps'" -c conf in
	settings 'conf\tx\n'
	refused "conf:2: unknown key 'conf'" -c conf in
}

@test "a bad value in a file" {
	settings 'trig-pps\tmany\n'
	refused "conf:2: bad value 'many' for trig-pps: a number, 0 to 1000000000000" -c conf in
	settings 'combine\tavg\n'
	refused "conf:2: bad value 'avg' for combine: one of max sum" -c conf in
}

@test "a settings file that is none" {
	: >conf
	refused "conf: empty: not even a header" -c conf in
	printf 'trig-pps\t44\n' >conf
	refused "conf:1: no header: expected key and value, not 'trig-pps'" -c conf in
	settings 'trig-pps 44\n'
	refused "conf:2: not a key and a value with one TAB between 'trig-pps 44'" -c conf in
	settings 'trig-pps\t\n'
	refused "conf:2: not a key and a value with one TAB between 'trig-pps?'" -c conf in
	settings '\t44\n'
	refused "conf:2: not a key and a value with one TAB between '?44'" -c conf in
	settings 'trig-pps\t44\t45\n'
	refused "conf:2: not a key and a value with one TAB between 'trig-pps?44?45'" -c conf in
	settings '\n'
	refused "conf:2: not a key and a value with one TAB between ''" -c conf in
	settings 'trig-pps\t44'
	refused "conf:2: the last line does not end with a newline" -c conf in
	settings 'trig-pps\t4\0004\n'
	refused "conf:2: byte 0x00 may not stand in a value" -c conf in
	settings 'trig-pps\t44\r\n'
	refused "conf:2: a carriage return may not stand in a value" -c conf in
	printf 'key\tvalue\r\ntrig-pps\t44\r\n' >conf
	refused "conf:1: a carriage return may not stand in a value" -c conf in
	refused "cannot read '/dev/zero': File too large" -c /dev/zero in
	refused "cannot read 'nothing': No such file or directory" -c nothing in
	refused "cannot read '.': Is a directory" -c . in
}

@test "help and version" {
	run --separate-stderr kl-score --help
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "${lines[0]}" = "usage: kl-score [-c FILE] [--combine max|sum] [--scan ports|probes] [--triggers FILE]" ]
	[[ $output == *$'\n      --trig-syn N               SYN packets/s that count 1; 0: off (default 250)\n'* ]]
	local long=$output
	run --separate-stderr kl-score -h
	[ "$status" -eq 0 ]
	[ "$output" = "$long" ]
	run --separate-stderr kl-score -V
	[ "$status" -eq 0 ]
	[[ $output =~ ^kl-score\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	local version=$output
	run --separate-stderr kl-score --version
	[ "$output" = "$version" ]
}

# A value that none takes stops each command that is said to read the key.
@test "every key of setting.tsv is read by the commands it names" {
	local key commands c
	while IFS=$'\t' read -r key commands _; do
		# kliq has its own from kl-conf.
		[[ $key != key && $commands != kliq ]] || continue
		settings "$key\t?\n"
		for c in $commands; do
			run --separate-stderr "$c" -c conf /dev/null
			[ "$status" -eq 2 ]
			[ "$output" = "" ]
			[[ $stderr == "$c: "*"'?'"* ]]
		done
	done <"$BATS_TEST_DIRNAME/../schemas/setting.tsv"
}

# Of the first command that is named; "4 x block-at" is told in words.
@test "the defaults in setting.tsv are those of --help" {
	local key c default got
	while IFS=$'\t' read -r key c _ default _; do
		[[ $key != key && $c != kliq ]] || continue
		got=$("${c%% *}" --help | awk -v o="--$key" '$1 == o || $2 == o')
		[[ $got == *"(default $default)" || $got == *"when not given $default" ||
			($default == - && $got == *"--$key "* && $got != *"(default"*) ]] || {
			echo "$c: $key: not '$default' in '$got'"
			return 1
		}
	done <"$BATS_TEST_DIRNAME/../schemas/setting.tsv"
}
