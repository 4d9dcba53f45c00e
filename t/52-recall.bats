#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-recall: levels that come back through a FIFO.
# shellcheck disable=SC2016,SC2154 # what a shell inside expands; bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkfifo levels
}

# src TIME SRC,PKTS...: a frame of src rows, as far as kl-score and kl-fsm need them.
src() {
	local t=$1 row
	shift
	for row; do printf '%s.000\t1.000\t%s\t%s\t0\t0\t1\t0\n' "$t" "${row%,*}" "${row#*,}"; done
	printf '%s.000\t1.000\t*\t9\t0\t0\t-\t0\n' "$t"
}
src_head() { printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tdrop_rl\n'; }

# The whole pipe, level frames back into the FIFO; what it leaves in told and decided.
loop() {
	timeout 60 bash -c '"$@" | tee told | kl-score | kl-fsm -s state | tee levels >decided
		exit "${PIPESTATUS[0]}"' bash kl-recall "$@"
}

# times and levels of told, a line a frame
short() { awk -F'\t' '$3 == "*" { print $1 line; line = "" } $3 != "*" && $1 != "time" { line = line " " $3 "=" $NF }' "$1"; }

@test "lock-step: each row has the level of the frame before" {
	{ src_head; for t in 1001 1002 1003 1004; do src $t 10.0.0.1,9000 10.0.0.2,5 2001:db8::/64,9000; done; } >in
	run --separate-stderr loop --levels levels in
	whole 0 "" ""
	short told | diff - <(printf '%s\n' \
		'1001.000 10.0.0.1=OBSERVE 10.0.0.2=OBSERVE 2001:db8::/64=OBSERVE' \
		'1002.000 10.0.0.1=OBSERVE 10.0.0.2=OBSERVE 2001:db8::/64=OBSERVE' \
		'1003.000 10.0.0.1=RATE_HARD 10.0.0.2=OBSERVE 2001:db8::/64=RATE_HARD' \
		'1004.000 10.0.0.1=RATE_HARD 10.0.0.2=OBSERVE 2001:db8::/64=RATE_HARD')
	# Byte for byte what came in, and a cell.
	sed 's/\t[^\t]*$//' told | cmp - in
	[ "$(awk -F'\t' '$3 == "*" { print $NF }' told | sort -u)" = - ]
	[ "$(grep -c '\*' decided)" -eq 4 ]
}

@test "twice the same, and from a slow writer too" {
	{ src_head; for t in {1001..1030}; do src "$t" 10.0.0.1,$((t % 7 * 900)) 10.0.0.2,5; done; } >in
	loop --levels levels in
	mv told first
	rm state
	loop --levels levels <in
	cmp told first
	rm state
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[[ $line != *1015* ]] || sleep 0.02
	done <in | loop --levels levels
	cmp told first
	grep -q RATE_HARD told
}

@test "level frames larger than a pipe do not stop anything" {
	{
		src_head
		for t in 1001 1002 1003; do
			awk -v t=$t 'BEGIN {
				for (i = 0; i < 30000; i++) printf "%d.000\t1.000\t10.1.%d.%d\t9000\t0\t0\t1\t0\n", t, i / 256, i % 256
				printf "%d.000\t1.000\t*\t9\t0\t0\t-\t0\n", t
			}'
		done
	} >in
	run --separate-stderr loop --levels levels in
	whole 0 "" ""
	[ "$(cut -f 9 told | sort | uniq -c | sort -n | awk '{ printf "%s ", $0 }' | tr -s ' ')" = " 1 level 3 - 30000 RATE_HARD 60000 OBSERVE " ]
	[ "$(grep -c $'\t\\*\t' decided)" -eq 3 ]
}

@test "the first frame: OBSERVE, or what kl-fsm keeps" {
	{ src_head; src 1001 10.0.0.1,9000 10.0.0.2,5; src 1002 10.0.0.1,9000 10.0.0.2,5; } >in
	kl-score in | kl-fsm -s state >/dev/null
	{ src_head; src 1003 10.0.0.1,9000 10.0.0.2,5; } >in
	run --separate-stderr kl-recall --state state in
	whole 0 "" "$(sed -e '1s/$/\tlevel/' -e '2s/$/\tRATE_HARD/' -e '3s/$/\tOBSERVE/' -e '4s/$/\t-/' in)"
	run --separate-stderr kl-recall --state none in
	whole 0 "" "$(sed -e '1s/$/\tlevel/' -e '2s/$/\tOBSERVE/' -e '3s/$/\tOBSERVE/' -e '4s/$/\t-/' in)"
	# Frames behind the first one are told from the FIFO alone.
	{ src_head; src 1003 10.0.0.1,9000; src 1004 10.0.0.1,9000; } >in
	run --separate-stderr kl-recall --state state in
	[ "$(short <(echo "$output"))" = "1003.000 10.0.0.1=RATE_HARD
1004.000 10.0.0.1=-" ]
	cp state broken
	sed -i 's/RATE_HARD/RATE_HIGH/' broken
	run --separate-stderr kl-recall --state broken in
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-recall: broken:2: level: not OBSERVE, RATE_SOFT, RATE_HARD or BLOCK 'RATE_HIGH'" ]
}

@test "a dead kl-fsm: said once, unknown from then on" {
	{ src_head; for t in 1001 1002 1003 1004; do src $t 10.0.0.1,9000; done; } >in
	run --separate-stderr timeout 20 kl-recall --levels levels --wait 100ms in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-recall: levels: no level frame 1001.000: levels are not known" ]
	[ "$(short <(echo "$output"))" = "1001.000 10.0.0.1=OBSERVE
1002.000 10.0.0.1=-
1003.000 10.0.0.1=-
1004.000 10.0.0.1=-" ]
}

@test "a writer that went and another one: levels are known again" {
	mkfifo rows
	timeout 30 kl-recall --levels levels --wait 10s rows >told 2>err 3>&- &
	pid=$!
	exec 5>rows
	# A level frame comes when the frame it answers was passed on.
	answer_to() { until_true grep -q "^$1.000	1.000	\*" told; }
	{ src_head; src 1001 10.0.0.1,9000; src 1002 10.0.0.1,9000; } >&5
	answer_to 1001
	printf '%s\n1001.000\t10.0.0.1\tBLOCK\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n1001.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$LEVEL" >levels
	src 1003 10.0.0.1,9000 10.0.0.2,1 >&5
	answer_to 1002
	printf '%s\n1002.000\t10.0.0.2\tRATE_SOFT\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n1002.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$LEVEL" >levels
	# A frame that is none of those waited for, and one that is cut.
	src 1004 10.0.0.1,9000 10.0.0.2,1 >&5
	answer_to 1003
	printf '%s\n7.000\t10.0.0.2\tBLOCK\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n7.000\t*\t-\t-\t-\t-\t-\t-\t-\n1003.000\t10.0.0.1\tBLOCK\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n' "$LEVEL" >levels
	printf '%s\n1003.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$LEVEL" >levels
	exec 5>&-
	answer_to 1004
	printf '%s\n1004.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$LEVEL" >levels
	run wait "$pid"
	short told | diff - <(printf '%s\n' '1001.000 10.0.0.1=OBSERVE' '1002.000 10.0.0.1=BLOCK' \
		'1003.000 10.0.0.1=OBSERVE 10.0.0.2=RATE_SOFT' '1004.000 10.0.0.1=OBSERVE 10.0.0.2=OBSERVE')
	[[ $(cat err) == "kl-recall: levels:"*": frame 1003.000 ended without its star row" ]]
}

@test "a bad row among the levels is left out and told" {
	{ src_head; src 1001 10.0.0.1,9000; src 1002 10.0.0.1,9000 10.0.0.2,9000; } >in
	printf '%s\n1001.000\tx\tBLOCK\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n1001.000\t10.0.0.2\tHIGH\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n1001.000\t10.0.0.1\tBLOCK\tOBSERVE\t1001.000\t-\t1\t3.000000\tpps\n1001.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$LEVEL" >back
	(timeout 20 cat back >levels) 3>&- &
	run --separate-stderr timeout 20 kl-recall --levels levels in
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-recall: levels:2: src: not an address or prefix 'x'
kl-recall: levels: frame 1001.000: suppressed 1" ]
	[ "$(short <(echo "$output"))" = "1001.000 10.0.0.1=OBSERVE
1002.000 10.0.0.1=BLOCK 10.0.0.2=OBSERVE" ]
}

@test "called wrongly, or on what is none" {
	refused() { # STATUS MESSAGE ARGUMENT...
		run --separate-stderr kl-recall "${@:3}"
		whole "$1" "kl-recall: $2" ""
	}
	src_head >in
	refused 2 "'in' is not a FIFO" --levels in in
	refused 4 "cannot read 'none': No such file or directory" --levels none in
	refused 4 "cannot read 'none': No such file or directory" none
	refused 2 "more than one FILE: 'in'" in in
	refused 2 "bad value 'x' for --wait: a duration like 500ms, 30s, 10m" --wait x
	printf 'time\tsrc\tlevel\n' >in
	refused 3 "in:1: column is already there 'level'" in
	printf 'time\tsrc\n1.000\tx\n1.000\t*\n' >in
	run --separate-stderr kl-recall in
	whole 1 "kl-recall: in:2: src: not an address or prefix 'x'" $'time\tsrc\tlevel\n1.000\t*\t-'
}

@test "what the input had not ended is not told of" {
	printf 'time\tsrc\n1.000\t::1\n2.000\t::1\n2.000\t*\n3.000\t::1\n' >in
	run --separate-stderr kl-recall in
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-recall: in:3: frame 1.000 ended without its star row
kl-recall: in:5: frame 3.000 ended without its star row" ]
}
