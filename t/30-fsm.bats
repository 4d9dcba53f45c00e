#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm: what it decides, option by option, and what it says of bad input.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# is WORDS OPTION... : SEV...: the trail is exactly that.
is() {
	local want=$1 got
	shift
	got=$(trail "$@")
	[ "$got" = "$want" ] || { echo "$* gives $got, not $want"; return 1; }
}

# refused MESSAGE ARGUMENT...
refused() {
	local want="kl-fsm: $1"
	shift
	run --separate-stderr kl-fsm "$@"
	whole 2 "$want" ""
}

@test "whole frames, in and out" {
	{
		head_of
		tick 1001 10.0.0.1,2.5,0,syn 10.0.0.2,0.1 2001:db8::7,1,0,scan
		tick 1002 10.0.0.1,3,0,pps 2001:db8::7,1,0,scan 10.9.0.0/16,1
		tick 1003 10.0.0.1,0.2,0,bps
	} >in
	run --separate-stderr kl-fsm in
	whole 0 "" "$LEVEL
1001.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	2	2.500000	syn
1001.000	2001:db8::7	OBSERVE	OBSERVE	1001.000	-	1	1.000000	scan
1001.000	*	-	-	-	-	-	-	-
1002.000	10.0.0.1	RATE_SOFT	OBSERVE	1002.000	1062.000	5	3.000000	pps
1002.000	2001:db8::7	OBSERVE	OBSERVE	1001.000	-	2	1.000000	scan
1002.000	10.9.0.0/16	OBSERVE	OBSERVE	1002.000	-	1	1.000000	pps
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	RATE_SOFT	RATE_SOFT	1002.000	1062.000	5	0.200000	bps
1003.000	2001:db8::7	OBSERVE	OBSERVE	1001.000	-	2	0.000000	quiet
1003.000	10.9.0.0/16	OBSERVE	OBSERVE	1002.000	-	1	0.000000	quiet
1003.000	*	-	-	-	-	-	-	-"
	kl-fsm in >out
	kl-fsm <in | cmp - out
	kl-fsm - <in | cmp - out
}

@test "columns are found by name, others are not looked at" {
	{ head_of; tick 1001 10.0.0.1,3,7 10.0.0.2,1; tick 1002 10.0.0.1,3; } >in
	awk -F'\t' -v OFS='\t' '{ print $1, $6, NR == 1 ? "new" : "x", $5, $3, $4, $2 }' in >turned
	kl-fsm in >want
	kl-fsm turned | cmp - want
	cat in in | sed '1!{/^time/d}' >once
	cat in in >twice
	kl-fsm once | cmp - <(kl-fsm twice)
}

@test "a header alone, and frames without rows" {
	head_of >in
	run --separate-stderr kl-fsm in
	whole 0 "" "$LEVEL"
	{ head_of; tick 1001; tick 1002; } >in
	run --separate-stderr kl-fsm in
	whole 0 "" "$LEVEL
1001.000	*	-	-	-	-	-	-	-
1002.000	*	-	-	-	-	-	-	-"
}

@test "the reasons: gate, noncomp, quiet" {
	{
		head_of
		tick 1001 10.0.0.1,2.5,0,syn
		tick 1002 10.0.0.1,1,6,syn
		tick 1003 10.0.0.1,0,6,-
		tick 1004
		tick 1005
	} >in
	run --separate-stderr kl-fsm --sev-delta2 12 --up-need 1 --cooldown 0 --noncomp-at 2 --block-ttl 1s \
		--block-min-dur 0 --block-min-sev 2.6 --down-need 1 in
	whole 0 "" "$LEVEL
1001.000	10.0.0.1	RATE_HARD	OBSERVE	1001.000	1301.000	12	2.500000	gate
1001.000	*	-	-	-	-	-	-	-
1002.000	10.0.0.1	RATE_HARD	RATE_HARD	1001.000	1301.000	13	1.000000	gate
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	RATE_HARD	RATE_HARD	1001.000	1301.000	13	0.000000	gate
1003.000	*	-	-	-	-	-	-	-
1004.000	10.0.0.1	RATE_HARD	RATE_HARD	1001.000	1301.000	12	0.000000	quiet
1004.000	*	-	-	-	-	-	-	-
1005.000	10.0.0.1	RATE_HARD	RATE_HARD	1001.000	1301.000	11	0.000000	quiet
1005.000	*	-	-	-	-	-	-	-"
	run --separate-stderr kl-fsm --sev-delta2 6 --sev-delta1 0 --up-need 1 --cooldown 0 --noncomp-at 2 --block-ttl 1s \
		--block-min-sev 0 --down-need 1 in
	whole 0 "" "$LEVEL
1001.000	10.0.0.1	RATE_HARD	OBSERVE	1001.000	1301.000	6	2.500000	syn
1001.000	*	-	-	-	-	-	-	-
1002.000	10.0.0.1	RATE_HARD	RATE_HARD	1001.000	1301.000	6	1.000000	syn
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	BLOCK	RATE_HARD	1003.000	1004.000	6	0.000000	noncomp
1003.000	*	-	-	-	-	-	-	-
1004.000	10.0.0.1	RATE_SOFT	BLOCK	1004.000	1064.000	5	0.000000	quiet
1004.000	*	-	-	-	-	-	-	-
1005.000	10.0.0.1	RATE_SOFT	RATE_SOFT	1004.000	1064.000	4	0.000000	quiet
1005.000	*	-	-	-	-	-	-	-"
}

@test "a longer tick makes a lower rate of drops" {
	{
		printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n'
		printf '1001.000\t2.000\t10.0.0.1\t9\t0.500000\tpps\n1001.000\t2.000\t*\t9\t-\t-\n'
		printf '1003.000\t2.000\t10.0.0.1\t10\t0.500000\tpps\n1003.000\t2.000\t*\t9\t-\t-\n'
	} >in
	run --separate-stderr kl-fsm --soft-at 0 --hard-at 9 --up-need 1 in
	whole 0 "" "$LEVEL
1001.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	RATE_SOFT	OBSERVE	1003.000	1063.000	0	0.500000	pps
1003.000	*	-	-	-	-	-	-	-"
}

@test "defaults: a flood is limited, then blocked behind the gate, and let go again" {
	is "O3 H6 H9 H12 H15 H18 H21 B24 B27" : 3 3 3 3 3 3 3 3 3
	is "O1 O2 O2 O2 O1 . ." : 1 1 0 0 0 0 0
	is ". . ." : 0.999999 0.5 -
}

@test "--soft-at --hard-at --block-at" {
	is "O1 S2 S3" --soft-at 1 : 1 1 1
	is "O1 O2 H3" --hard-at 3 : 1 1 1
	is "O2 S4 S6 S8 S10 S12 S14 B16" --block-at 6 : 2.5 2.5 2.5 2.5 2.5 2.5 2.5 2.5
	is "S0" --soft-at 0 --up-need 0 : 0
}

@test "--max-strikes" {
	is "O3 H6 H9 H12 H15 H18 H20 B20" --block-at 5 --hard-at 5 --up-need 2 --block-min-dur 6s : 3 3 3 3 3 3 3 3
	is "O3 H6 H7 H7 H6" --max-strikes 7 --down-need 1 : 3 3 3 3 0
	is "O300 H600 H900" --max-strikes 0 --sev-delta3 300 : 3 3 3
	is "O48 H48" --sev-delta3 300 : 3 3
}

@test "--up-need --down-need" {
	is "O3 O6 O9 H12" --up-need 4 : 3 3 3 3
	is "S3 S6" --up-need 1 : 3 3
	is "O1 O2 O2 O1 ." --down-need 2 : 1 1 0 0 0
	is "O1 O2 O2 O2 O1" --down-need 3 : 1 1 0 0 0
}

@test "--sev-step1..3 --sev-delta1..3" {
	is "O1 O1" --sev-step1 0.5 : 0.5 0.499999
	is "O2 S3" --sev-step2 1.5 : 1.5 1.499999
	is "O3 S5" --sev-step3 2.5 : 2.5 2.499999
	is "O4 H8" --sev-delta1 4 : 1 1
	is "O4 H8" --sev-delta2 4 : 2 2
	is "O4 H8" --sev-delta3 4 : 3 3
	is ". ." --sev-delta1 0 : 1 1
}

@test "--sev-decay-below" {
	is "O1 O1 ." --sev-decay-below 0.5 --down-need 1 : 1 0.5 0.499999
	is "O1 O1 O1 ." --down-need 1 : 1 0.25 0.2/1 0.249999
}

@test "--block-min-sev --block-min-dur" {
	local o=(--up-need 1 --cooldown 0 --sev-delta2 12)
	is "B12" "${o[@]}" --block-min-dur 0 --block-min-sev 2 : 2
	is "H12" "${o[@]}" --block-min-dur 0 --block-min-sev 2.1 : 2
	is "B12" "${o[@]}" --block-min-sev 0 : 2
	is "H12 H24 B36" "${o[@]}" --block-min-dur 2s : 2.5 2.5 2.5
	is "H12 H24 H36 H48 B48" "${o[@]}" --block-min-dur 2s : 2.5 2.499999 2.5 2.5 2.5
}

@test "--cooldown" {
	is "S3 H6" --up-need 1 --sev-delta1 3 --cooldown 0 : 1 1
	is "S3 S6 S9 H12" --up-need 1 --sev-delta1 3 --cooldown 2s : 1 1 1 1
}

@test "--soft-ttl --hard-ttl --block-ttl" {
	local o=(--up-need 1 --down-need 1 --cooldown 0 --min-hold-soft 0 --min-hold-hard 0 --block-min-sev 0)
	is "S20 S19 S18 O17" "${o[@]}" --hard-at 50 --block-at 50 --sev-delta1 20 --soft-ttl 2s : 1 0 0 0
	is "S20 S19 S18 S17 O16" "${o[@]}" --hard-at 50 --block-at 50 --sev-delta1 20 --soft-ttl 3s : 1 0 0 0 0
	is "H20 H19 H18 S17" "${o[@]}" --block-at 50 --sev-delta1 20 --hard-ttl 2s : 1 0 0 0
	is "H20 H19 H18 H17 S16" "${o[@]}" --block-at 50 --sev-delta1 20 --hard-ttl 3s : 1 0 0 0 0
	is "B13 B12 H11" "${o[@]}" --sev-delta1 13 --block-ttl 2s : 1 0 0
	is "B13 B12 B11 B10 B9 H8" "${o[@]}" --sev-delta1 13 --block-ttl 5s : 1 0 0 0 0 0
	is "B20 B19 B18 H17" "${o[@]}" --sev-delta1 20 --block-ttl 2s : 1 0 0 0
	is "B13 H12 S11 O10" "${o[@]}" --sev-delta1 13 --block-ttl 0 --hard-ttl 0 --soft-ttl 0 : 1 0 0 0
}

@test "--min-hold-soft --min-hold-hard" {
	local o=(--up-need 1 --down-need 1 --cooldown 0 --block-min-sev 0 --soft-ttl 0 --hard-ttl 0 --block-ttl 0)
	is "S20 S19 O18" "${o[@]}" --hard-at 50 --block-at 50 --sev-delta1 20 --min-hold-soft 2s : 1 0 0
	is "S20 S19 S18 O17" "${o[@]}" --hard-at 50 --block-at 50 --sev-delta1 20 --min-hold-soft 3s : 1 0 0 0
	is "H20 H19 S18" "${o[@]}" --block-at 50 --sev-delta1 20 --min-hold-hard 2s : 1 0 0
	is "H20 H19 H18 S17" "${o[@]}" --block-at 50 --sev-delta1 20 --min-hold-hard 3s : 1 0 0 0
	is "B20 B19 B18 H17" "${o[@]}" --sev-delta1 20 --min-hold-hard 3s : 1 0 0 0
}

@test "--noncomp-at --noncomp-drop --noncomp-sev --noncomp-reset-below" {
	local o=(--up-need 1 --cooldown 0 --sev-delta1 6 --block-min-sev 0)
	is "H6 H6 B6" "${o[@]}" --noncomp-at 2 : 1 0.5/5 0.5/5
	is "H6 H6 H6 B6" "${o[@]}" --noncomp-at 3 : 1 0.5/5 0.5/5 0.5/5
	is "H6 H6 H6 H6" "${o[@]}" --noncomp-at 0 : 1 0.5/5 0.5/5 0.5/5
	is "H6 H6 H6 B6" "${o[@]}" --noncomp-at 2 --noncomp-drop 6 : 1 0.5/5 0.5/6 0.5/6
	is "H6 H6 H6" "${o[@]}" --noncomp-at 2 --noncomp-drop 0 : 1 0.5/5 0.5/5
	is "H6 H6 H6 B6" "${o[@]}" --noncomp-at 2 --noncomp-sev 0.5 : 1 0.4 0.5 0.5
	is "H6 H6 H6 H6" "${o[@]}" --noncomp-at 2 --noncomp-sev 0 : 1 0.9 0.9 0.9
	is "H6 H6 H6 B6" "${o[@]}" --noncomp-at 2 --noncomp-sev 0.5 --noncomp-reset-below 0.3 : 1 0.5 0.3 0.5
	is "H6 H6 H6 H6" "${o[@]}" --noncomp-at 2 --noncomp-sev 0.5 --noncomp-reset-below 0.35 : 1 0.5 0.3 0.5
}

@test "-c: every setting can come from a file, and the command line wins" {
	printf 'key\tvalue\nsoft-at\t1\nup-need\t1\ncooldown\t0\ntrig-pps\t5\n' >conf
	is "S1 S2" -c conf : 1 1
	is "O1 O2" -c conf --soft-at 3 : 1 1
	is "O1 S2" --up-need 2 --conf conf : 1 1
	printf 'key\tvalue\nsoft-at\t9\n' >conf
	refused "--soft-at is above --hard-at" -c conf
	printf 'key\tvalue\nsoft-at\tmany\n' >conf
	refused "conf:2: bad value 'many' for soft-at: a whole number, 0 to 2147483646" -c conf
}

@test "settings that stand the wrong way round" {
	refused "--soft-at is above --hard-at" --soft-at 7
	refused "--hard-at is above --block-at" --hard-at 13
	refused "--sev-step1 is above --sev-step2" --sev-step1 2.5
	refused "--sev-step2 is above --sev-step3" --sev-step2 3.000001
	run --separate-stderr kl-fsm --soft-at 6 --block-at 6 --sev-step1 3 --sev-step2 3 - < <(head_of)
	whole 0 "" "$LEVEL"
}

@test "called wrongly" {
	refused "unknown option '--soft'" --soft 3
	refused "--soft-at needs a value" --soft-at
	refused "bad value '-1' for --up-need: a whole number, 0 to 2147483646" --up-need -1
	refused "bad value 'x' for --sev-step1: a number, 0 to 1000000000" --sev-step1 x
	refused "bad value '5' for --cooldown: a duration like 500ms, 30s, 10m" --cooldown 5
	refused "bad value '2147483648' for --max-strikes: a whole number, 0 to 2147483647" --max-strikes 2147483648
	refused "more than one FILE: 'b'" a b
	refused "bad value '' for --whitelist: not empty" --whitelist ""
	run --separate-stderr kl-fsm nowhere
	whole 4 "kl-fsm: cannot read 'nowhere': No such file or directory" ""
	run --separate-stderr kl-fsm -V
	[ "$status" -eq 0 ]
	[[ $output =~ ^kl-fsm\ [0-9.]+$ ]]
	run --separate-stderr kl-fsm -h
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$(grep -c -- --sev-delta2 <<<"$output")" = 1 ]
}

@test "bad cells: the row is left out, the first of a frame is reported" {
	{
		head_of
		printf '1001.000\t1.000\t10.0.0.300\t0\t3.000000\tpps\n'
		printf '1001.000\t1.000\t10.0.0.2\t0\t3.000000\tpps\n'
		printf '1001.000\t1.000\t10.0.0.3\t-\t3.000000\tpps\n'
		printf '1001.000\t1.000\t*\t0\t-\t-\n'
	} >in
	run --separate-stderr kl-fsm in
	whole 1 "kl-fsm: in:2: src: not an address or prefix '10.0.0.300'
kl-fsm: in: frame 1001.000: suppressed 1" "$LEVEL
1001.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	*	-	-	-	-	-	-	-"

	bad() { # MESSAGE DT SRC DROP SEV WHY
		{ head_of; printf '1001.000\t%s\t%s\t%s\t%s\t%s\n' "${@:2}"; tick 1001; } >in
		run --separate-stderr kl-fsm in
		whole 1 "kl-fsm: in:2: $1" "$LEVEL"$'\n1001.000\t*\t-\t-\t-\t-\t-\t-\t-'
	}
	bad "dt: not above 0 '0.000'" 0.000 10.0.0.1 0 1.0 pps
	bad "dt: not a number >= 0 'x'" x 10.0.0.1 0 1.0 pps
	bad "src: not an address or prefix 'host'" 1.000 host 0 1.0 pps
	bad "src: not an address or prefix '10.0.0.1/8'" 1.000 10.0.0.1/8 0 1.0 pps
	bad "drop_rl: not a whole number '1.5'" 1.000 10.0.0.1 1.5 1.0 pps
	bad "sev: not a number >= 0 '-1'" 1.000 10.0.0.1 0 -1 pps
	bad "sev: not a number >= 0 'nan'" 1.000 10.0.0.1 0 nan pps
	bad "sev: above 10^9 '1000000001'" 1.000 10.0.0.1 0 1000000001 pps
	bad "why: longer than 31 bytes, or the 256th word in one frame 'abcdefghijklmnopqrstuvwxyz012345'" \
		1.000 10.0.0.1 0 1.0 abcdefghijklmnopqrstuvwxyz012345
}

@test "a source twice in a frame counts once" {
	{ head_of; tick 1001 10.0.0.1,1 10.0.0.1,3; } >in
	run --separate-stderr kl-fsm in
	whole 1 "kl-fsm: in:3: src: here twice in one frame '10.0.0.1'" "$LEVEL
1001.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	1	1.000000	pps
1001.000	*	-	-	-	-	-	-	-"
}

@test "a broken input: what was whole is decided, the rest is not" {
	for column in dt src drop_rl sev why; do
		head_of | sed "s/\t$column/\tother/" >in
		run --separate-stderr kl-fsm in
		whole 3 "kl-fsm: in:1: missing column '$column'" ""
	done
	{ head_of; tick 1001 10.0.0.1,3; printf '1002.000\t1.000\t10.0.0.1\n'; } >in
	run --separate-stderr kl-fsm in
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-fsm: in:4: "* ]]
	[ "$output" = "$LEVEL
1001.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	*	-	-	-	-	-	-	-" ]
	run --separate-stderr kl-fsm /dev/null
	whole 3 "kl-fsm: /dev/null: empty: not even a header" ""
}

@test "nothing is decided from a cut frame" {
	{ head_of; tick 1001 10.0.0.1,3 10.0.0.2,1; tick 1003 10.0.0.2,1 10.0.0.1,3; } >plain
	{
		head_of
		tick 1001 10.0.0.1,3 10.0.0.2,1
		tick 1002 10.0.0.1,3 10.0.0.9,3 10.0.0.2,1 | sed '$d'
		tick 1003 10.0.0.2,1 10.0.0.1,3
	} >in
	kl-fsm plain >want
	run --separate-stderr kl-fsm in
	whole 3 "kl-fsm: in:8: frame 1002.000 ended without its star row" "$(<want)"
	{ cat plain; tick 1004 10.0.0.1,3 | sed '$d'; } >in
	run --separate-stderr kl-fsm in
	[ "$status" -eq 3 ]
	[ "$output" = "$(<want)" ]
}

@test "an output that cannot be written" {
	{ head_of; tick 1001 10.0.0.1,3; } >in
	full() { kl-fsm in >/dev/full; }
	run --separate-stderr full
	whole 4 "kl-fsm: cannot write stdout: No space left on device" ""
	closed() { kl-fsm in >&-; }
	run --separate-stderr closed
	[ "$status" -eq 4 ]
}

@test "frames are handed on as they come" {
	mkfifo in out
	timeout 10 kl-fsm <in >out &
	exec 5>in 6<out
	{ head_of; tick 1001 10.0.0.1,3; tick 1002 10.0.0.1,3 | sed '$d'; } >&5
	local line got=()
	for _ in 1 2 3; do
		read -r -t 5 line <&6
		got+=("$line")
	done
	[ "${got[0]}" = "$LEVEL" ]
	[ "${got[1]}" = "1001.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps" ]
	[ "${got[2]}" = "1001.000	*	-	-	-	-	-	-	-" ]
	run ! read -r -t 0.3 line <&6
	exec 5>&-
	run ! wait $!
	exec 6<&-
}

@test "a captured stream replays the same, byte for byte" {
	awk -v seed=11 -v dir=. -f "$BATS_TEST_DIRNAME/fsm-trace.awk"
	kl-fsm -c settings.tsv score.tsv >one
	kl-fsm -c settings.tsv score.tsv | cmp - one
	[ "$(wc -l <one)" -gt 200 ]
}
