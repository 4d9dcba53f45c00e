#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm --max-level: no level above it, and no unrest at it.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# changes: of the level frames of one source: when, from, to, until, why.
changes() { awk -F'\t' '$2 != "*" && NR > 1 && $3 != $4 { print $1 + 0, $4, $3, $6 + 0, $9 }'; }

@test "a source that is due more stays at the ceiling: entered once, its time not begun anew" {
	# shellcheck disable=SC2046 # words
	{ head_of; ticks $(printf '3 %.0s' $(seq 400)); } >in
	kl-fsm in | changes | diff - <(printf '%s\n' '1002 OBSERVE RATE_HARD 1302 pps' '1008 RATE_HARD BLOCK 1608 pps')
	kl-fsm --max-level BLOCK in | cmp - <(kl-fsm in)
	kl-fsm --max-level RATE_HARD in >out
	changes <out | diff - <(echo 1002 OBSERVE RATE_HARD 1302 pps)
	tail -n 2 out | head -n 1 | diff - <(echo $'1400.000\t10.0.0.1\tRATE_HARD\tRATE_HARD\t1002.000\t1302.000\t48\t3.000000\tceiling')
	kl-fsm --max-level RATE_SOFT in >out
	changes <out | diff - <(echo 1002 OBSERVE RATE_SOFT 1062 ceiling)
	[ "$(cut -f 3 out | grep -cx RATE_SOFT)" -eq 399 ]
	kl-fsm --max-level OBSERVE in >out
	changes <out | diff - /dev/null
	[ "$(awk -F'\t' '$9 == "ceiling"' out | wc -l)" -eq 399 ]
}

@test "at the ceiling a level ends as it would, and noncompliance does not pass it" {
	{
		head_of
		for t in $(seq 1001 1030); do tick "$t" 10.0.0.1,3,20; done
		for t in $(seq 1031 1150); do tick "$t"; done
	} >in
	kl-fsm --max-level RATE_HARD --hard-ttl 40s --soft-ttl 20s --block-min-sev 0 in | changes >got
	diff - got <<-'END'
		1002 OBSERVE RATE_HARD 1042 pps
		1050 RATE_HARD RATE_SOFT 1070 quiet
		1071 RATE_SOFT OBSERVE 0 quiet
	END
	kl-fsm --max-level RATE_HARD --noncomp-at 3 --block-at 1000 --max-strikes 8 in | grep -c BLOCK | diff - <(echo 0)
}

@test "a forced violation meets the ceiling once" {
	{
		printf 'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce\n'
		printf '1002.000\tin\t10.0.0.1\t22\ttcp\tnew-edge\t95\t-\t1\n1002.000\t-\t*\t-\t-\t-\t-\t-\t-\n'
	} >v
	{ head_of; for t in $(seq 1001 1100); do tick "$t"; done; } >in
	kl-fsm --max-level RATE_HARD --hard-ttl 20s --soft-ttl 20s --violations v in | changes >got
	diff - got <<-'END'
		1002 OBSERVE RATE_HARD 1022 ceiling
		1012 RATE_HARD RATE_SOFT 1032 quiet
		1018 RATE_SOFT OBSERVE 0 quiet
	END
}

@test "a level of the saved state that is above it is lowered in the first tick" {
	# shellcheck disable=SC2046 # words
	{ head_of; ticks $(printf '3 %.0s' $(seq 8)); } | kl-fsm -s state >/dev/null
	grep -q BLOCK state
	printf 'key\tvalue\nmax-level\tRATE_SOFT\n' >conf
	{ head_of; tick 1009; tick 1010 10.0.0.1,3; } >in
	run --separate-stderr kl-fsm -c conf -s state in
	whole 0 "" "$LEVEL
1009.000	10.0.0.1	RATE_SOFT	BLOCK	1009.000	1069.000	24	0.000000	ceiling
1009.000	*	-	-	-	-	-	-	-
1010.000	10.0.0.1	RATE_SOFT	RATE_SOFT	1009.000	1069.000	27	3.000000	pps
1010.000	*	-	-	-	-	-	-	-"
}

@test "a ceiling that is no level" {
	run --separate-stderr kl-fsm --max-level HARD /dev/null
	whole 2 "kl-fsm: bad value 'HARD' for --max-level: one of OBSERVE RATE_SOFT RATE_HARD BLOCK" ""
}
