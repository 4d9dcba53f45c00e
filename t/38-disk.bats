#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What streams keep, on a disk that does not answer: no frame waits for it, what was
# saved outlives its writer, and what could not be written is said.

# shellcheck disable=SC2154 # bats sets stderr
load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	SLOW=(env LD_PRELOAD="$HELPERS/stuck" KL_STUCK="$PWD/stuck" KL_BROKEN="$PWD/broken" ASAN_OPTIONS=verify_asan_link_order=0)
	: >stuck
}

teardown() {
	rm -f stuck
	[[ -z ${PID-} ]] || kill -KILL "$PID" 2>/dev/null || true
}

# stream COMMAND...: begins it, reading what is written to descriptor 5.
stream() {
	rm -f fifo
	mkfifo fifo
	"${SLOW[@]}" "$@" <fifo >out 2>said 5>&- 3>&- &
	PID=$!
	exec 5>fifo
}
ended() { # STATUS
	local status=0
	exec 5>&-
	wait "$PID" || status=$?
	[ "$status" -eq "$1" ] || { echo "status $status"; cat said; return 1; }
}
waits() { [ -s stuck ]; }
# told N: so many frames came out.
told() { [ "$(grep -cP '\t\*\t' out)" -eq "$1" ]; }

HEAD='time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	new	level	base_pps	base_syn	base_scan	base_bps'
# frames FROM TO: one every ten seconds; three sources, the first of them ever faster.
frames() {
	awk -v OFS='\t' -v from="$1" -v to="$2" 'BEGIN { for (t = from; t < to; t += 10) {
		for (i = 1; i < 4; i++) {
			n = i == 1 ? t : 500
			print t ".000", "10.000", "192.0.2." i, n, n * 100, n, 0, 0, 9, n - 9, 0, 1, 0, 0, 0, 0, "OBSERVE", "-", "-", "-", "-"
		}
		print t ".000", "10.000", "*", t + 1000, 0, 0, 0, 0, 0, 0, 0, "-", 0, 0, 0, 0, "-", "-", "-", "-", "-"
	} }'
}

# scored FILE: its rows as kl-score gives them on, of severity 0.1.
scored() { sed -i '1s/$/\tsev\twhy/; 2,$s/$/\t0.100000\t-/' "$1"; }

@test "kl-score, kl-baseline, kl-tune: frames go on while what they keep waits for the disk" {
	local command
	for command in "kl-score -s kept" "kl-tune -s kept -o triggers --autotune-min-samples 2 --bootstrap-every1 20s" \
		"kl-baseline -s kept"; do
		rm -f kept* triggers
		: >stuck
		{ echo "$HEAD"; frames 1000 3000; } >in
		[[ $command != kl-tune* ]] || scored in
		[[ $command != kl-baseline* ]] || { cut -f 1-17 in >in.17 && mv in.17 in; }
		# shellcheck disable=SC2086 # words
		stream $command
		cat in >&5
		until_true told 200
		until_true waits
		[ -s kept ]
		cp kept before
		[[ $command != kl-tune* ]] || [ -s triggers ]
		rm stuck
		ended 0
		[ ! -s said ]
		run ! cmp -s kept before	# the last frame was not in it
		# shellcheck disable=SC2086 # words
		cp kept got && rm kept* && $command in >/dev/null
		cmp kept got
	done
}

@test "kl-fsm: a level is in the state when it is told, the disk or not, and outlives a kill" {
	stream kl-fsm -s state --up-need 0 --cooldown 0
	{ head_of; tick 1001 10.0.0.1,3; tick 1002 10.0.0.1,3; } >&5
	until_true told 2
	until_true waits
	grep -q '^1002.000	10.0.0.1	RATE_HARD' state
	tick 1003 10.0.0.1,3 10.0.0.2,3 >&5
	until_true told 3
	grep -q '^1003.000	10.0.0.2	RATE_SOFT' state
	kill -KILL "$PID"
	rm stuck
	ended 137
	grep -q '^1003.000	10.0.0.2	RATE_SOFT' state
	{ head_of; tick 1004 10.0.0.2,3; } | kl-fsm -s state --up-need 0 --cooldown 0 | grep -q '10.0.0.2	RATE_HARD	RATE_SOFT'
}

@test "kl-graph-check --deny: an edge is in the file when its violation is told" {
	echo 'in 10.0.0.5 443/tcp frozen' >frozen
	stream kl-graph-check --frozen frozen --graph-mode frozen-enforce --deny deny
	for t in 100 101; do
		[[ $t != 100 ]] || printf 'time\tdt\tdir\tsrc\tport\tproto\tpkts\tbytes\tsyn\tdrops\test\n'
		printf '%s.000\t1.000\tin\t10.0.0.%s\t22\ttcp\t10\t1000\t1\t0\t1\n' "$t" "$((t - 94))"
		printf '%s.000\t1.000\t-\t*\t-\t-\t0\t0\t0\t0\t0\n' "$t"
	done >&5
	until_true told 2
	until_true waits
	printf '%s\n' '10.0.0.6 22/tcp' '10.0.0.7 22/tcp' | diff <(sort deny) -
	rm stuck
	ended 0
}

@test "a disk that fails: status 4 with the file, at the next save or at the end" {
	rm stuck
	: >broken
	stream kl-fsm -s state --up-need 0
	{ head_of; tick 1001 10.0.0.1,3; } >&5
	until_true told 1
	ended 4
	[ "$(<said)" = "kl-fsm: cannot write 'state': Input/output error" ]
	stream kl-fsm -s state --up-need 0
	{ head_of; tick 1002 10.0.0.1,3; } >&5
	until_true told 1
	last=1003
	failed() {
		last=$((last + 1))
		(tick "$last" "10.0.1.$((last % 250)),3" >&5 2>/dev/null) || true
		! kill -0 "$PID" 2>/dev/null
	}
	until_true failed
	ended 4
	[ "$(<said)" = "kl-fsm: cannot write 'state': Input/output error" ]
}

@test "a file that a machine going down left empty: said, and begun anew" {
	rm stuck
	: >kept
	{ head_of; ticks 3 3; } >in
	run --separate-stderr kl-fsm -s kept in
	whole 0 "kl-fsm: kept: empty, as a machine that went down leaves it: begun anew" "$(kl-fsm in)"
	grep -q 10.0.0.1 kept
	{ echo "$HEAD"; frames 1000 1100; } >in
	: >kept
	: >triggers
	run --separate-stderr kl-score -s kept --triggers triggers in
	whole 0 "kl-score: kept: empty, as a machine that went down leaves it: begun anew
kl-score: triggers: empty, as a machine that went down leaves it: begun anew" "$(kl-score in)"
	: >kept
	: >kept.samples
	scored in
	run --separate-stderr kl-tune -s kept in
	whole 0 "kl-tune: kept: empty, as a machine that went down leaves it: begun anew
kl-tune: kept.samples: empty, as a machine that went down leaves it: begun anew" "$(<in)"
}
