#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm -s: the state between runs, and what can happen to it.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# Waits until the command given is true, five seconds at most.
until_true() {
	local i
	for ((i = 0; i < 250; i++)); do
		! "$@" || return 0
		sleep 0.02
	done
	echo "never true: $*"
	return 1
}

@test "the state is a frame, and a missing file is a first run" {
	{ head_of; tick 1001 10.0.0.1,3 10.0.0.2,0.1 2001:db8::/64,1; tick 1002 10.0.0.1,3; } >in
	run --separate-stderr kl-fsm -s state in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff - state <<-END
		$STATE
		1002.000	10.0.0.1	RATE_HARD	6	2	0	0	1002.000	1302.000	1007.000	1002.000	1001.000	0
		1002.000	2001:db8::/64	OBSERVE	1	0	1	0	1001.000	-	-	1001.000	-	0
		1002.000	*	-	-	-	-	-	-	-	-	-	-	-
	END
	mlr --tsv cut -f src,level state |
		diff - <(printf 'src\tlevel\n10.0.0.1\tRATE_HARD\n2001:db8::/64\tOBSERVE\n*\t-\n')
	[ "$(stat -c %a state)" = 644 ]
	[ "$(compgen -G 'state*')" = state ]
}

@test "one run, or one for every tick: the same decisions and the same state" {
	local seed n rows=
	for seed in 1 2; do
		rm -f state whole
		awk -v seed=$seed -v dir=. -v noisy=1 -f "$BATS_TEST_DIRNAME/fsm-trace.awk"
		kl-fsm -c settings.tsv --violations violation.tsv -s whole score.tsv >want
		head -n 1 want >got
		n=0
		while IFS= read -r line; do
			rows+=$line$'\n'
			[[ $line == *$'\t*\t'* ]] || continue
			{ head_of; printf %s "$rows"; } | kl-fsm -c settings.tsv --violations violation.tsv -s state >part
			sed 1d part >>got
			rows=
			n=$((n + 1))
		done < <(sed 1d score.tsv)
		[ "$n" -eq 90 ]
		cmp got want
		cmp state whole
	done
}

@test "columns of the state in another order, and one more" {
	{ head_of; ticks 3 3 1; } | kl-fsm -s state >/dev/null
	{ head_of; tick 1004 10.0.0.1,3; } >in
	awk -F'\t' -v OFS='\t' '{ print $1, $13, NR == 1 ? "note" : "x", $12, $3, $2, $4, $5, $6, $7, $8, $9, $10, $11 }' state >turned
	kl-fsm -s state in >want
	kl-fsm -s turned in | cmp - want
	cmp state turned
}

@test "--state-ttl: an older state is dropped, with a message" {
	{ head_of; ticks 3 3; } | kl-fsm -s state >/dev/null
	cp state kept
	{ head_of; tick 4602 10.0.0.1,0.5; } >in
	run --separate-stderr kl-fsm -s state in
	whole 0 "" "$LEVEL
4602.000	10.0.0.1	RATE_HARD	RATE_HARD	1002.000	1302.000	6	0.500000	pps
4602.000	*	-	-	-	-	-	-	-"
	cp kept state
	{ head_of; tick 4603 10.0.0.1,0.5; } >in
	run --separate-stderr kl-fsm -s state in
	whole 0 "kl-fsm: state: dropped: 3601 s away from the first frame" "$LEVEL
4603.000	*	-	-	-	-	-	-	-"
	printf '%s\n4603.000\t*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n' "$STATE" | cmp - state
	cp kept state
	run --separate-stderr kl-fsm -s state --state-ttl 2h in
	[ "$stderr" = "" ]
	[[ $output == *RATE_HARD* ]]
	cp kept state
	run --separate-stderr kl-fsm -s state --state-ttl 0 in
	[ "$stderr" = "kl-fsm: state: dropped: 3601 s away from the first frame" ]
	# Time that went back is as far away as time that went on.
	cp kept state
	run --separate-stderr kl-fsm -s state --state-ttl 1s <<<"$({ head_of; tick 1000; })"
	[ "$stderr" = "kl-fsm: state: dropped: 2 s away from the first frame" ]
	# Later frames of the same run may lie apart as they like.
	{ head_of; tick 1003; tick 9999; } | kl-fsm -s state --state-ttl 1h 2>err >/dev/null
	[ ! -s err ]
}

@test "times at the end of what a stream can say: the state can be read again" {
	{ head_of; tick 9223372036854774 10.0.0.1,3; } >in
	kl-fsm -s state --up-need 0 in >out
	[ "$(cut -f 5,6 out | sed -n 2p)" = $'9223372036854774.000\t9223372036854774.999' ]
	run --separate-stderr kl-fsm -s state --up-need 0 in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
}

@test "a broken state: status 3 with file and line, and it stays as it is" {
	{ head_of; ticks 3 3; } >in
	kl-fsm -s good in >/dev/null
	broken() { # MESSAGE SED...
		sed "${@:2}" good >state
		cp state before
		run --separate-stderr kl-fsm -s state in
		whole 3 "kl-fsm: $1" ""
		cmp state before
	}
	broken "state:2: src: not an address or prefix '10.0.0.x'" 's/10.0.0.1/10.0.0.x/'
	broken "state:2: level: OBSERVE, RATE_SOFT, RATE_HARD or BLOCK 'HARD'" 's/RATE_HARD/HARD/'
	broken "state:2: strikes: a whole number, 0 to 4294967295 '-6'" 's/\t6\t/\t-6\t/'
	broken "state:2: expires: a time in seconds with three decimals, or - '1302'" 's/1302.000/1302/'
	broken "state:2: since: a time in seconds with three decimals '-'" '2s/1002.000/-/2'
	broken "state:2: force: 0 or 1 '2'" '2s/0$/2/'
	broken "state:3: src: here twice '10.0.0.1'" 2p
	broken "state:2: frame 1002.000 ended without its star row" 3d
	broken "state:1: missing column 'cooldown'" 's/cooldown/warmup/'
	broken "state: 0 frames, not one" 2,3d
	broken "state: 2 frames, not one" '3p'
	broken "state: empty: not even a header" d
	printf '%s' "$(<good)" >state
	run --separate-stderr kl-fsm -s state in
	whole 3 "kl-fsm: state:3: the last line does not end with a newline" ""
	mkdir folder
	run --separate-stderr kl-fsm -s folder in
	[ "$status" -eq 4 ]
	[[ $stderr == "kl-fsm: cannot read 'folder': "* ]]
}

@test "a state that cannot be written: status 4, no level is told that it lacks" {
	{ head_of; ticks 3 3; } >in
	kl-fsm in >want
	run --separate-stderr kl-fsm -s nowhere/state in
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-fsm: cannot write 'nowhere/state': No such file or directory" ]
	[ "$output" = "$(sed '/RATE/,$d' want)" ]
}

# In namespaces of its own: a file system that is full, then read-only.
@test "full disk, read-only folder: status 4, the old state stays, nothing is left behind" {
	unshare -rm true 2>/dev/null || skip "cannot make a namespace"
	{ head_of; for i in $(seq 3000); do printf '1001.000\t1.000\t10.1.%d.%d\t0\t3.0\tpps\n' $((i / 250)) $((i % 250)); done; tick 1001; } >in
	{ head_of; ticks 3 3; } >small
	mkdir disk
	cat >inside <<-'END'
		set -u
		mount -t tmpfs -o size=64k tmpfs disk
		kl-fsm -s disk/state small >/dev/null
		cp disk/state before
		kl-fsm -s disk/state in >/dev/null
		echo "full: $?"
		cmp disk/state before
		ls disk
		mount -o remount,ro disk
		kl-fsm -s disk/state small >/dev/null
		echo "read-only: $?"
		cmp disk/state before
	END
	run --separate-stderr unshare -rm bash inside
	whole 0 "kl-fsm: cannot write 'disk/state': No space left on device
kl-fsm: cannot write 'disk/state': Read-only file system" "full: 4
state
read-only: 4"
}

@test "levels that could not be written: status 4; the state holds a changed one, and nothing else" {
	full() { kl-fsm -s state --up-need 0 in >/dev/full; }
	{ head_of; ticks 0.5 0.5; } >in
	run --separate-stderr full
	[ "$status" -eq 4 ]
	[ ! -e state ]
	{ head_of; ticks 3 3; } >in
	run --separate-stderr full
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-fsm: cannot write stdout: No space left on device" ]
	[ "$(cut -f 2,3 state | sed 1d)" = $'10.0.0.1\tRATE_SOFT\n*\t-' ]
}

@test "a cut last frame leaves the state of the whole one before; an input without a frame none" {
	{ head_of; ticks 3 3; } >in
	kl-fsm -s want in >/dev/null
	tick 1003 10.0.0.1,3 10.0.0.9,3 | sed '$d' >>in
	run --separate-stderr kl-fsm -s state in
	[ "$status" -eq 3 ]
	cmp state want
	head_of | kl-fsm -s none >/dev/null
	[ ! -e none ]
	cp want state
	run ! kl-fsm -s state /dev/null
	cmp state want
}

# begin_stream OPTION...: kl-fsm as PID, fed through descriptor 5.
begin_stream() {
	mkfifo in
	kl-fsm "$@" <in >out 2>err &
	PID=$!
	exec 5>in
}

@test "in a stream the state is saved after every frame that changed a level" {
	begin_stream -s state
	{ head_of; tick 1001 10.0.0.1,3; } >&5
	until_true grep -q '^1001.000	\*' out
	[ ! -e state ]
	tick 1002 10.0.0.1,3 >&5
	until_true grep -q '^1002.000	10.0.0.1	RATE_HARD	6' state
	tick 1003 10.0.0.1,3 >&5
	until_true grep -q '^1003.000	\*' out
	grep -q '^1002.000	\*' state
	exec 5>&-
	wait "$PID"
	grep -q '^1003.000	10.0.0.1	RATE_HARD	9' state
}

@test "a changed level is in the state before it is told" {
	mkfifo in out
	exec 5<>in 6<>out
	kl-fsm -s state --up-need 0 <in >out 5>&- 6>&- &
	{ head_of; tick 1001; } >&5
	read -r -u 6 _
	read -r -u 6 _
	# Nobody takes what it says next: the pipe is full.
	dd if=/dev/zero of=out bs=4096 count=512 oflag=nonblock status=none 2>/dev/null || true
	tick 1002 10.0.0.1,3 >&5
	until_true test -e state
	kill -KILL %1
	wait %1 || true
	exec 5>&- 6>&-
	[ "$(cut -f 1-3 state | sed -n 2p)" = $'1002.000\t10.0.0.1\tRATE_SOFT' ]
}

@test "of more than 10000 sources it is saved every 10 seconds of the data" {
	many() {
		awk -v t="$1" 'BEGIN { for (i = 0; i < 10001; i++)
			printf "%d.000\t1.000\t10.0.%d.%d\t0\t3.0\tpps\n", t, i / 256, i % 256 }'
	}
	begin_stream -s state
	{ head_of; many 1001; tick 1001; many 1002; tick 1002; } >&5
	until_true grep -q '^1002.000	\*' state
	tick 1003 10.99.0.1,3 >&5
	tick 1004 10.99.0.1,3 >&5	# changes a level, too early to be saved
	tick 1011 >&5
	until_true grep -q '^1011.000	\*' out
	grep -q '^1002.000	\*' state
	tick 1012 >&5
	until_true grep -q '^1012.000	\*' state
	exec 5>&-
	wait "$PID"
}

@test "SIGTERM and SIGINT end it cleanly with the state of the last whole frame" {
	local sig
	{ head_of; ticks 3 3 3; } | kl-fsm -s want >/dev/null
	for sig in TERM INT; do
		rm -f state in
		begin_stream -s state
		{ head_of; ticks 3 3 3; tick 1004 10.0.0.1,3 10.0.0.9,3 | sed '$d'; } >&5
		until_true grep -q '^1003.000	\*' out
		kill -"$sig" "$PID"
		wait "$PID"
		[ ! -s err ]
		cmp state want
		exec 5>&-
	done
}

@test "kill -9, in mid-write too, leaves a whole state" {
	local i
	{ head_of; for i in $(seq 1001 1060); do
		for j in $(seq 200); do printf '%s.000\t1.000\t10.0.%d.%d\t0\t%s\tpps\n' "$i" $((i % 7)) "$j" $((i % 2 * 3)); done
		tick "$i"
	done; } >in
	kl-fsm -s state --cooldown 0 --up-need 1 --sev-delta3 3 in >/dev/null
	for i in 1 2 3 4 5 6; do
		kl-fsm -s state --state-ttl 24h --cooldown 0 --up-need 1 <(cat in; sleep 5) >/dev/null &
		sleep 0.0$i
		kill -9 $!
		wait $! || true
		# One whole frame, which the next run accepts.
		[ "$(tail -n 1 state | cut -f2)" = "*" ]
		kl-fsm -s state --state-ttl 24h <(head_of) >/dev/null
	done
}
