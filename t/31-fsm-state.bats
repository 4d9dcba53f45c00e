#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm -s: the state between runs, and what can happen to it.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "the state is a frame, and a missing file is a first run" {
	{ head_of; tick 1001 10.0.0.1,3 10.0.0.2,0.1 2001:db8::/64,1; tick 1002 10.0.0.1,3; } >in
	run --separate-stderr kl-fsm -s state in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff - state <<-END
		$STATE
		1002.000	10.0.0.1	RATE_HARD	6	2	0	0	1002.000	1302.000	1007.000	1002.000	1001.000	0	0	-
		1002.000	2001:db8::/64	OBSERVE	1	0	1	0	1001.000	-	-	1001.000	-	0	0	-
		1002.000	*	-	-	-	-	-	-	-	-	-	-	-	-	-
	END
	mlr --tsv cut -f src,level state |
		diff - <(printf 'src\tlevel\n10.0.0.1\tRATE_HARD\n2001:db8::/64\tOBSERVE\n*\t-\n')
	[ "$(stat -c %a state)" = 644 ]
	[ "$(compgen -G 'state*')" = state ]
	[ ! -e .state.new ]
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
	printf '%s\n4603.000\t*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n' "$STATE" | cmp - state
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
	broken "state:2: strikes: a whole number, 0 to 2147483647 '-6'" 's/\t6\t/\t-6\t/'
	broken "state:2: strikes: a whole number, 0 to 2147483647 '2147483648'" 's/\t6\t/\t2147483648\t/'
	broken "state:2: up: a whole number, 0 to 4294967295 '4294967296'" '2s/\t2\t/\t4294967296\t/'
	broken "state:2: expires: a time in seconds with three decimals, or - '1302'" 's/1302.000/1302/'
	broken "state:2: since: a time in seconds with three decimals '-'" '2s/1002.000/-/2'
	broken "state:2: force: 0 or 1 '2'" '2s/\t0\t0\t-$/\t2\t0\t-/'
	broken "state:3: src: here twice '10.0.0.1'" 2p
	broken "state:2: frame 1002.000 ended without its star row" 3d
	broken "state:1: missing column 'cooldown'" 's/cooldown/warmup/'
	broken "state: 0 frames, not one" 2,3d
	broken "state:1: no header: the first column is not 'time' but '1'" 's/.*/1/; q'
	# Behind the first frame there may be others, but whole ones; only the last may be cut.
	sed 3p good >state
	run --separate-stderr kl-fsm -s state <<<"$(head_of)"
	whole 0 "" "$LEVEL"
	broken "state:5: frame 1002.000 ended without its star row" '2h; 3{p; x; p; x; s/^1002/1003/}'
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
		ls -A disk
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

# many TIME N SEV: rows of N sources.
many() {
	awk -v t="$1" -v n="$2" -v sev="$3" 'BEGIN { for (i = 0; i < n; i++)
		printf "%d.000\t1.000\t10.1.%d.%d\t0\t%s\tpps\n", t, i / 256, i % 256, sev }'
}

# big: a stream whose state holds 10,001 sources, saved whole at 1001, with 10.0.0.1 blocked in a
# frame appended for 1002, 10.0.0.2 for 1003, and nobody new in 1004.
BIG=(--up-need 0 --soft-at 3 --hard-at 3 --block-at 3 --block-min-sev 0)
big() {
	begin_stream -s state "${BIG[@]}"
	{ head_of; many 1001 10001 3; tick 1001; tick 1002 10.0.0.1,3; tick 1003 10.0.0.2,3; tick 1004 10.0.0.1,3; } >&5
	until_true grep -q '^1004.000	\*' out
}

# killed: ends the stream as nothing else does.
killed() {
	kill -KILL "$PID"
	wait "$PID" || true
	exec 5>&-
}

@test "of more than 10000 sources only those are appended that changed their level" {
	big
	STAR=$'*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-'
	[ "$(sed -n '1p;10003p' state)" = "$STATE"$'\n'"1001.000	$STAR" ]
	diff <(sed 1,10003d state) - <<-END
		1002.000	10.0.0.1	BLOCK	3	1	0	0	1002.000	1602.000	1007.000	1002.000	-	0	0	-
		1002.000	$STAR
		1003.000	10.0.0.2	BLOCK	3	1	0	0	1003.000	1603.000	1008.000	1003.000	-	0	0	-
		1003.000	$STAR
	END
	# After 30 seconds it is whole again, also when nobody changed, and so it is at the end.
	tick 1030 10.0.0.1,3 >&5
	until_true grep -q '^1030.000	\*' out
	grep -q '^1003.000	\*' state
	tick 1031 10.0.0.1,3 >&5
	until_true grep -q '^1031.000	\*' out
	[ "$(grep -c $'\t\\*\t' state)" -eq 1 ]
	tick 1032 10.0.0.3,3 >&5
	until_true grep -q '^1032.000	\*' out
	[ "$(grep -c $'\t\\*\t' state)" -eq 2 ]
	exec 5>&-
	wait "$PID"
	[ ! -s err ]
	[ "$(grep -c $'\t\\*\t' state)" -eq 1 ]
	[ "$(grep -c '^1032.000	' state)" -eq 10005 ]
}

@test "what is appended holds who was forgotten and whom a violation came for" {
	mkfifo violations
	: >white
	begin_stream -s state "${BIG[@]}" --violations violations --whitelist white
	exec 6<>violations
	{ head_of; many 1001 10001 3; tick 1001 10.0.0.1,3 10.0.0.2,1; } >&5
	until_true grep -q '^1001.000	\*' out
	printf '%s\n' $'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce' \
		$'1002.000\tin\t10.0.0.2\t80\ttcp\tedge\t0\t1\t0' $'1002.000\t-\t*\t-\t-\t-\t-\t-\t-' >&6
	echo 10.0.0.1 >white
	tick 1002 >&5
	until_true grep -q '^1002.000	\*' out
	killed
	exec 6>&-
	diff <(sed 1,10005d state) - <<-END
		1002.000	10.0.0.1	OBSERVE	0	0	0	0	1002.000	-	-	-	-	0	0	-
		1002.000	10.0.0.2	OBSERVE	2	1	0	0	1001.000	-	-	1002.000	-	0	0	-
		1002.000	*	-	-	-	-	-	-	-	-	-	-	-	-	-
	END
	tick 1003 | cat <(head_of) - | kl-fsm -s state "${BIG[@]}" >out
	grep -q '^1003.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	2	' out
	run ! grep -q $'\t10.0.0.1\t' out state
	[ "$(grep -c BLOCK out)" -eq 10001 ]
}

@test "a frame cut while being appended is dropped with a message, wherever it was cut" {
	big
	killed
	cp state kept
	local size last at n
	size=$(stat -c %s state) last=$(tail -n 2 state | wc -c)
	for at in 0 1 30 $((last - 1)) "$(tail -n 1 state | wc -c)" $((RANDOM % (last - 1) + 1)); do
		echo "cut $at"
		head -c $((size - at)) kept >state
		run --separate-stderr kl-fsm -s state "${BIG[@]}" <<<"$(head_of)"
		case $at in
		0) whole 0 "" "$LEVEL" ;;
		*) whole 0 "kl-fsm: state: dropped its last frame, which is cut" "$LEVEL" ;;
		esac
		# No frame came: it is left as it is.
		cmp -n $((size - at)) state kept
		{ head_of; tick 1005; } | kl-fsm -s state "${BIG[@]}" 2>/dev/null | grep $'\t10.0.0.[12]\tBLOCK' >out || true
		n=$(wc -l <out)
		[ "$n" -eq $((at == 0 ? 2 : 1)) ]
	done
	# The first frame is not appended.
	head -n 500 kept >state
	run --separate-stderr kl-fsm -s state <<<"$(head_of)"
	whole 3 "kl-fsm: state:500: frame 1001.000 ended without its star row" ""
}

@test "a full disk while appending: status 4, no level is told, and what was saved can be read" {
	unshare -rm true 2>/dev/null || skip "cannot make a namespace"
	{ head_of; many 1001 10001 3; tick 1001; } >in
	{ many 1002 11000 3; tick 1002; } >rest
	mkdir disk
	cat >inside <<-'END'
		mount -t tmpfs -o size=2m tmpfs disk
		mkfifo pipe
		kl-fsm -s disk/state "$@" <pipe >out &
		exec 5>pipe
		cat in >&5
		until grep -q '^1001.000	\*' out; do sleep 0.02; done
		cat /dev/zero >disk/full 2>/dev/null
		cat rest >&5
		exec 5>&-
		wait $!
		echo "full: $?"
		rm disk/full
		{ head -n 1 in; tail -n 1 rest; } | kl-fsm -s disk/state "$@" | grep -c BLOCK
	END
	run --separate-stderr timeout 60 unshare -rm bash inside "${BIG[@]}"
	whole 0 "kl-fsm: cannot write 'disk/state': No space left on device
kl-fsm: disk/state: dropped its last frame, which is cut" "full: 4
10001"
	run ! grep -q '^1002.000	\*' out
}

@test "appending ends when it outgrows the first frame, and when the file was removed or replaced" {
	big
	rm state
	tick 1005 10.0.0.3,3 >&5
	until_true grep -q '^1005.000	\*' out
	[ "$(grep -c $'\t\\*\t' state)" -eq 1 ]
	# Everybody's level ends at once: as much again as there is.
	tick 1605 >&5
	until_true grep -q '^1605.000	\*' out
	[ "$(grep -c $'\t\\*\t' state)" -eq 1 ]
	exec 5>&-
	wait "$PID"
	rm -f in state out
	begin_stream -s state "${BIG[@]}" --cooldown 0 --block-ttl 1s --min-hold-hard 0 --down-need 0
	{ head_of; many 1001 10001 3; tick 1001; } >&5
	for t in 1002 1003 1004 1005 1006; do
		{ many "$t" 5000 $((t % 2 * 3)); tick "$t"; } >&5
		until_true grep -q "^$t.000	\\*" out
		[ "$(wc -l <state)" -lt 21000 ]
	done
	killed
}

# The trace: 10,500 sources at first and 100 more every other tick are high for two ticks, which makes
# them RATE_HARD, and then do nothing that would change strikes; their levels end by time.
@test "killed after any frame and begun anew: the levels of the run that was not" {
	local k options=(--down-need 0 --sev-decay-below 0 --hard-ttl 6s --soft-ttl 4s --cooldown 1s
		--min-hold-soft 2s --min-hold-hard 2s --noncomp-at 0)
	awk 'BEGIN {
		print "time\tdt\tsrc\tdrop_rl\tsev\twhy"
		for (t = 1; t <= 20; t++) {
			for (i = 0; i < 11400; i++) {
				first = i < 10500 ? 1 : 2 * int((i - 10500) / 100) + 2
				if (t >= first)
					printf "%d.000\t1.000\t10.%d.%d.%d\t0\t%s\tpps\n", 1000 + t, i / 65536, i / 256 % 256, i % 256, t < first + 2 ? 3 : 0.1
			}
			printf "%d.000\t1.000\t*\t0\t-\t-\n", 1000 + t
		}
	}' >all
	kl-fsm "${options[@]}" all >want
	[ "$(awk -F'\t' '$2 != "*" && $3 != $4 { n[$3]++ } END { print n["RATE_HARD"], n["RATE_SOFT"], n["OBSERVE"] }' want)" \
		= "11400 11100 10800" ]
	for k in 3 $((RANDOM % 7 + 2)) $((RANDOM % 10 + 9)); do
		echo "killed after frame $k"
		rm -f in state out
		begin_stream -s state "${options[@]}"
		awk -v t=$((1000 + k)) 'NR == 1 || $1 <= t' all >&5
		until_true grep -q "^$((1000 + k)).000	\\*" out
		killed
		[ ! -s err ]
		[[ $k != 3 ]] || [ "$(grep -c $'\t\\*\t' state)" -eq 2 ]
		awk -v t=$((1000 + k)) 'NR == 1 || $1 > t' all | kl-fsm -s state "${options[@]}" >rest
		# Of every source that had changed its level by then; the others may have lost strikes.
		awk -F'\t' -v t=$((1000 + k)) -v OFS='\t' '
			FNR == 1 { file++; next }
			$2 == "*" { next }
			file == 1 && $1 <= t && $3 != $4 { known[$2] }
			$1 > t && ($2 in known) { print $1, $2, $3, $4, $5, $6 > (file == 1 ? "uninterrupted" : "restarted") }' want rest
		[ "$(wc -l <uninterrupted)" -gt 10000 ]
		cmp uninterrupted restarted
	done
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
