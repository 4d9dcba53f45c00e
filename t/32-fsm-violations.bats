#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm --violations: from a file, read along by time, and from a FIFO.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	{ head_of; tick 1001; tick 1002; tick 1003; } >in
}

vhead() { printf 'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce\n'; }

# violated TIME [SRC,KIND,SCORE,STRIKES,FORCE]...: a frame.
violated() {
	local t=$1 row src kind score strikes force
	shift
	for row; do
		IFS=, read -r src kind score strikes force <<<"$row"
		printf '%s.000\tin\t%s\t22\ttcp\t%s\t%s\t%s\t%s\n' "$t" "$src" "$kind" "$score" "$strikes" "$force"
	done
	printf '%s.000\t-\t*\t-\t-\t-\t-\t-\t-\n' "$t"
}

none() { printf '%s.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$@"; }

@test "strikes by score, strikes given, force; each in its time" {
	{
		vhead
		violated 1001 10.0.0.1,new-edge,74,-,0 10.0.0.2,peak,75,-,0 2001:db8::1,new-edge,90,-,0 10.0.0.4,peak,100,1,0 10.0.0.6,peak,89,-,0
		violated 1002 10.0.0.5,new-edge,95,-,1
		violated 1009 10.0.0.9,new-edge,95,-,1
	} >v
	run --separate-stderr kl-fsm --violations v in
	whole 0 "" "$LEVEL
1001.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	1	0.000000	new-edge
1001.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	2	0.000000	peak
1001.000	2001:db8::1	RATE_SOFT	OBSERVE	1001.000	1061.000	3	0.000000	new-edge
1001.000	10.0.0.4	OBSERVE	OBSERVE	1001.000	-	1	0.000000	peak
1001.000	10.0.0.6	OBSERVE	OBSERVE	1001.000	-	2	0.000000	peak
1001.000	*	-	-	-	-	-	-	-
1002.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	1	0.000000	quiet
1002.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	2	0.000000	quiet
1002.000	2001:db8::1	RATE_SOFT	RATE_SOFT	1001.000	1061.000	3	0.000000	quiet
1002.000	10.0.0.4	OBSERVE	OBSERVE	1001.000	-	1	0.000000	quiet
1002.000	10.0.0.6	OBSERVE	OBSERVE	1001.000	-	2	0.000000	quiet
1002.000	10.0.0.5	BLOCK	OBSERVE	1002.000	1602.000	13	0.000000	new-edge
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	1	0.000000	quiet
1003.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	2	0.000000	quiet
1003.000	2001:db8::1	RATE_SOFT	RATE_SOFT	1001.000	1061.000	3	0.000000	quiet
1003.000	10.0.0.4	OBSERVE	OBSERVE	1001.000	-	1	0.000000	quiet
1003.000	10.0.0.6	OBSERVE	OBSERVE	1001.000	-	2	0.000000	quiet
1003.000	10.0.0.5	BLOCK	BLOCK	1002.000	1602.000	13	0.000000	quiet
1003.000	*	-	-	-	-	-	-	-"
}

@test "a violation raises a source with a benign row too, and its row is seen" {
	{ vhead; violated 1001 10.0.0.1,new-edge,50,3,0; } >v
	{ head_of; tick 1001 10.0.0.1,0.1; } >in
	run --separate-stderr kl-fsm --violations v in
	whole 0 "" "$LEVEL
1001.000	10.0.0.1	RATE_SOFT	OBSERVE	1001.000	1061.000	3	0.100000	new-edge
1001.000	*	-	-	-	-	-	-	-"
}

@test "several violations of one source in one tick add up; old ones all come with the first frame" {
	{ vhead; violated 990 10.0.0.1,a,0,2,0; violated 991 10.0.0.1,b,0,2,0 10.0.0.1,c,0,2,0; } >v
	run --separate-stderr kl-fsm --violations v in
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "1001.000	10.0.0.1	RATE_HARD	OBSERVE	1001.000	1301.000	6	0.000000	c" ]
}

@test "a frame that is cut leaves its violations for the next one" {
	{ vhead; violated 1002 10.0.0.1,new-edge,0,3,0; } >v
	{ head_of; tick 1001; tick 1002 10.0.0.1,0.1 10.0.0.3,3 | sed '$d'; tick 1003; } >in
	run --separate-stderr kl-fsm --violations v in
	[ "$status" -eq 3 ]
	[ "$output" = "$LEVEL
$(none 1001)
1003.000	10.0.0.1	RATE_SOFT	OBSERVE	1003.000	1063.000	3	0.000000	new-edge
$(none 1003)" ]
}

@test "more kinds than a frame has words for are called violation" {
	local i rows=()
	for i in $(seq 260); do rows+=("10.0.0.$((i % 255)),kind$i,0,1,0"); done
	{ vhead; violated 1001 "${rows[@]}"; } >v
	run --separate-stderr kl-fsm --violations v in
	[ "$status" -eq 0 ]
	[[ $output == *$'\tkind255\n'* ]]
	[[ $output == *$'1001.000\t10.0.0.5\tOBSERVE\tOBSERVE\t1001.000\t-\t2\t0.000000\tviolation\n'* ]]
}

@test "broken rows: file and line, status 1, and nothing else is lost" {
	bad() { # MESSAGE ROW
		# shellcheck disable=SC2059 # rows with escapes
		{ vhead; printf "$2\n"; violated 1001 10.0.0.2,new-edge,0,3,0; violated 1002 10.0.0.3,new-edge,0,3,0; } >v
		run --separate-stderr kl-fsm --violations v in
		whole 1 "kl-fsm: v:2: $1" "$LEVEL
1001.000	10.0.0.2	RATE_SOFT	OBSERVE	1001.000	1061.000	3	0.000000	new-edge
1001.000	*	-	-	-	-	-	-	-
1002.000	10.0.0.2	RATE_SOFT	RATE_SOFT	1001.000	1061.000	3	0.000000	quiet
1002.000	10.0.0.3	RATE_SOFT	OBSERVE	1002.000	1062.000	3	0.000000	new-edge
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.2	RATE_SOFT	RATE_SOFT	1001.000	1061.000	3	0.000000	quiet
1003.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1002.000	1062.000	3	0.000000	quiet
1003.000	*	-	-	-	-	-	-	-"
	}
	bad "src: not an address or prefix 'host'" '1001.000\tin\thost\t22\ttcp\tk\t0\t3\t0'
	bad "score: not a whole number, 0 to 100 '101'" '1001.000\tin\t10.0.0.1\t22\ttcp\tk\t101\t3\t0'
	bad "strikes: not a whole number, 0 to 2147483647, or - '2147483648'" \
		'1001.000\tin\t10.0.0.1\t22\ttcp\tk\t0\t2147483648\t0'
	bad "force: not 0 or 1 'yes'" '1001.000\tin\t10.0.0.1\t22\ttcp\tk\t0\t3\tyes'
	bad "kind: longer than 31 bytes 'abcdefghijklmnopqrstuvwxyz012345'" \
		'1001.000\tin\t10.0.0.1\t22\ttcp\tabcdefghijklmnopqrstuvwxyz012345\t0\t3\t0'
	bad "3 cells under a header of 9" '1001.000\tin\t10.0.0.1'
	bad "empty cell" '1001.000\tin\t10.0.0.1\t\ttcp\tk\t0\t3\t0'
	bad "a quotation mark may not stand in a cell" '1001.000\tin\t"10.0.0.1\t22\ttcp\tk\t0\t3\t0'
	bad "time: not Unix seconds with three decimals '1001'" '1001\tin\t10.0.0.1\t22\ttcp\tk\t0\t3\t0'
	bad "line is longer than 65536 bytes" "$(head -c 70000 /dev/zero | tr '\0' x)"
	bad "more than 128 columns" "$(printf 'x\\t%.0s' $(seq 130))x"
}

@test "a cut violation frame is reported, status 3, and not applied" {
	{ vhead; violated 1001 10.0.0.1,new-edge,0,3,0 | sed '$d'; violated 1002 10.0.0.2,new-edge,0,3,0; } >v
	run --separate-stderr kl-fsm --violations v in
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-fsm: v:3: frame 1001.000 ended without its star row" ]
	[[ $output != *10.0.0.1* && $output == *"10.0.0.2	RATE_SOFT"* ]]
	{ vhead; violated 1001 10.0.0.1,new-edge,0,3,0 | sed '$d'; } >v
	run --separate-stderr kl-fsm --violations v in
	whole 3 "kl-fsm: v:2: frame 1001.000 ended without its star row" "$LEVEL
$(none 1001 1002 1003)"
	vhead | sed 's/force/farce/' >v
	run --separate-stderr kl-fsm --violations v in
	whole 3 "kl-fsm: v:1: missing column 'force'" "$LEVEL
$(none 1001 1002 1003)"
	: >v
	run --separate-stderr kl-fsm --violations v in
	whole 3 "kl-fsm: v: empty: not even a header" "$LEVEL
$(none 1001 1002 1003)"
	run --separate-stderr kl-fsm --violations nowhere in
	whole 4 "kl-fsm: cannot read 'nowhere': No such file or directory" ""
}

@test "with a state a file's rows are applied once" {
	{ vhead; violated 1001 10.0.0.1,new-edge,0,1,0; violated 1003 10.0.0.1,new-edge,0,1,0; } >v
	{ head_of; tick 1001; } | kl-fsm -s state --violations v >/dev/null
	run --separate-stderr kl-fsm -s state --violations v <<<"$({ head_of; tick 1002; tick 1003; })"
	whole 0 "" "$LEVEL
1002.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	1	0.000000	quiet
1002.000	*	-	-	-	-	-	-	-
1003.000	10.0.0.1	OBSERVE	OBSERVE	1001.000	-	2	0.000000	new-edge
1003.000	*	-	-	-	-	-	-	-"
}

@test "a file that grows is read along" {
	{ vhead; violated 1001 10.0.0.1,a,0,1,0; } >v
	mkfifo fifo
	kl-fsm --violations v <fifo >out &
	exec 5>fifo
	{ head_of; tick 1001; } >&5
	until_true grep -q '^1001.000	\*' out
	violated 1002 10.0.0.2,b,0,1,0 >>v
	tick 1002 >&5
	exec 5>&-
	wait $!
	grep -q '^1002.000	10.0.0.2	OBSERVE	OBSERVE	1002.000	-	1	0.000000	b$' out
}

@test "a file larger than one read" {
	{ vhead; for i in $(seq 900 1000); do violated "$i" $(seq -f "10.0.0.%g,new-edge,0,1,0" 90); done; violated 1003 10.9.9.9,k,0,1,0; } >v
	[ "$(stat -c %s v)" -gt 300000 ]
	kl-fsm --max-strikes 0 --soft-at 999 --hard-at 999 --block-at 999 --violations v in >out
	[ "$(grep -c '^1001.000	10.0.0..*	101	0.000000	new-edge$' out)" -eq 90 ]
	grep -q '^1003.000	10.9.9.9	' out
}

@test "a FIFO is never waited for, and its writers come and go" {
	mkfifo v fifo
	kl-fsm --violations v <fifo >out 2>err &
	local pid=$!
	exec 5>fifo
	{ head_of; tick 1001; } >&5	# nobody writes violations yet
	until_true grep -q '^1001.000	\*' out
	{ vhead; violated 1002 10.0.0.1,a,0,3,0; } >v
	tick 1002 >&5
	until_true grep -q '^1002.000	10.0.0.1	RATE_SOFT	OBSERVE	.*	3	0.000000	a$' out
	# This one dies inside a frame and a line.
	{ vhead; violated 1003 10.0.0.2,b,0,3,0; printf '1003.000\tin\t10.0.0.3\t22\ttcp\tb\t0\t3\t0\n1003.0'; } >v
	tick 1003 >&5
	until_true grep -q '^1003.000	\*' out
	grep -q '^1003.000	10.0.0.2	RATE_SOFT' out
	# This one stays, later than the data's time, while frames go by.
	exec 6>v
	{ vhead; violated 1005 10.0.0.4,c,0,3,0; } >&6
	tick 1004 >&5
	until_true grep -q '^1004.000	\*' out
	run ! grep -q '10.0.0.4' out
	tick 1005 >&5
	until_true grep -q '^1005.000	10.0.0.4	RATE_SOFT	OBSERVE	.*	c$' out
	printf '1006.000\tin\t10.0.0.5' >&6	# alive, in the midst of a row, at the end
	tick 1006 >&5
	exec 5>&-
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 3 ]
	run ! grep -q '10.0.0.[35]' out
	[ "$(<err)" = "kl-fsm: v:5: the last line does not end with a newline
kl-fsm: v:5: frame 1003.000 ended without its star row" ]
	exec 6>&-
}
