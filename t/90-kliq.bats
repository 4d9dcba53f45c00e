#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq on real packets: run and tick, dry and in earnest, their end in every
# way, status, why.

load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	STATE=$BATS_TEST_TMPDIR/state
	OUT=$BATS_TEST_TMPDIR/receipts
	ERR=$BATS_TEST_TMPDIR/messages
	# Decides within two ticks of a quarter of a second.
	FAST=$BATS_TEST_TMPDIR/fast.tsv
	printf '%s\t%s\n' key value trig-pps 50 sev-cap 3 soft-at 1 hard-at 2 block-at 3 up-need 1 \
		block-min-sev 2 block-min-dur 0 cooldown 0 block-ttl 20s >"$FAST"
}

teardown() {
	[[ -z ${KLIQ-} ]] || kill -KILL "$KLIQ" 2>/dev/null || true
	lab_down
}

# Starts kliq run in the background and waits for its first frame.
start() {
	: >"$OUT"	# nothing of an earlier run is taken for this one's
	# A background job of a script ignores SIGINT, and could not trap it then.
	env --default-signal=INT kliq run -p "$PINS" -i 0.25 -c "$FAST" --state "$STATE" "$@" >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	until_true grep -q . "$OUT"
	until_true grep -qP '\t\*\t' "$OUT"
}

# Sends a signal to kliq, which ends with status 0 soon.
stop() {
	kill -"$1" "$KLIQ"
	until_true gone "$KLIQ"
	wait "$KLIQ"
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# No stage of this test's pipeline is left.
no_stage() { ! pgrep -f -- "$BATS_TEST_TMPDIR" >/dev/null; }

denied() { kl-rule -p "$PINS" list deny | awk -F'\t' '$3 != "*" && $1 != "time" { print $3, $7 }'; }
flood() { peer_send -c 2000 -r 2000 src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9; }
blocked() { [[ $(denied) == "10.77.0.1 iq" ]]; }

@test "run --enforce blocks a flood, spares another, ends cleanly on TERM" {
	start --enforce --record "$BATS_TEST_TMPDIR/capture"
	flood
	until_true blocked
	[ "$(got 10.77.0.1 peer_send -c 200 -r 500 src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9)" -eq 0 ]
	[ "$(got 10.77.0.7 peer_send -c 10 -r 100 src=10.77.0.7 dst=10.77.0.2 proto=udp dport=9)" -eq 10 ]
	stop TERM
	[ ! -s "$ERR" ]
	no_stage
	# What was decided stays, with its end in the kernel.
	blocked
	grep -qP '\t10\.77\.0\.1\tBLOCK\t.*\tdeny\tok$' "$OUT"
	grep -qP '\t10\.77\.0\.1\tBLOCK\t' "$STATE/fsm/state.tsv"
	# The capture gives the same decisions.
	kliq replay -c "$FAST" "$BATS_TEST_TMPDIR/capture" >"$BATS_TEST_TMPDIR/level"
	diff <(cut -f1-9 "$OUT" | grep -P '\t10\.77\.0\.1\t') <(grep -P '\t10\.77\.0\.1\t' "$BATS_TEST_TMPDIR/level")
}

@test "run: a restart goes on where it stopped, and the block does not flap" {
	start --enforce
	flood
	until_true blocked
	kill -KILL "$KLIQ"
	until_true no_stage
	start --enforce
	blocked
	stop TERM
	blocked
	[ "$(grep -P '\t10\.77\.0\.1\t' "$OUT" | awk -F'\t' '$3 != "BLOCK"' | wc -l)" -eq 0 ]
}

@test "run without --enforce writes nothing" {
	start
	flood
	until_true grep -qP '\t10\.77\.0\.1\tBLOCK\t.*\tdeny\tdry$' "$OUT"
	[ -z "$(denied)" ]
	stop INT
	no_stage
}

@test "run: the filters are the unprivileged user's, and so is their state" {
	start --user daemon
	for c in kl-score kl-fsm; do
		pid=$(pgrep -f "^$c .*$STATE")
		[ "$(stat -c %U "/proc/$pid")" = daemon ]
		grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status"
		grep -q '^CapEff:.*0000000000000000$' "/proc/$pid/status"
		[ "$(awk '/^Groups:/ { print NF }' "/proc/$pid/status")" -eq 1 ]
	done
	[ "$(stat -c '%U %a' "$STATE" "$STATE/fsm" | paste -sd,)" = "root 755,daemon 755" ]
	stop HUP
}

@test "run: a stage that dies ends the others and is named" {
	for c in kl-dump-src kl-score kl-fsm kl-apply; do
		start --enforce
		pkill -KILL -f "^$c .*$BATS_TEST_TMPDIR"
		until_true gone "$KLIQ"
		status=0
		wait "$KLIQ" || status=$?
		[ "$status" -eq 4 ]
		[ "$(<"$ERR")" = "kliq: $c was killed by signal 9" ]
		until_true no_stage
	done
}

@test "run: one at a time" {
	start
	run --separate-stderr kliq run -p "$PINS" -c "$FAST" --state "$STATE"
	[ "$status" -eq 4 ]
	[ -z "$output" ]
	[ "$stderr" = "kliq: another kliq works with $STATE" ]
	run --separate-stderr kliq tick -p "$PINS" -c "$FAST" --state "$STATE"
	[ "$status" -eq 4 ]
	stop TERM
}

@test "run: no instance, unreachable settings" {
	run --separate-stderr kliq run -p "$BATS_TEST_TMPDIR" -c "$FAST" --enforce --state "$STATE"
	[ "$status" -eq 4 ]
	[[ $stderr == *"$BATS_TEST_TMPDIR"* ]]
	chmod 600 "$FAST"
	run --separate-stderr kliq run -p "$PINS" -c "$FAST" --enforce --state "$STATE"
	[ "$status" -ne 0 ]
	[[ $stderr == *"$FAST"* ]]
	[ -z "$(denied)" ]
	no_stage
}

@test "tick: the first takes notes, the next one decides" {
	tick() { kliq tick -p "$PINS" -c "$FAST" --state "$STATE" --enforce; }
	tick >"$OUT"
	flood
	tick >"$OUT"
	[ "$(grep -c . "$OUT")" -eq 3 ]
	grep -qP '\t10\.77\.0\.1\tBLOCK\tOBSERVE\t.*\tdeny\tok$' "$OUT"
	blocked
	# A quiet minute later, by its state, it is still held.
	tick >"$OUT"
	grep -qP '\t10\.77\.0\.1\tBLOCK\tBLOCK\t' "$OUT"
}

@test "status shows what is attached, the rates, the rules and who is above OBSERVE" {
	kl-rule -p "$PINS" add allow 192.0.2.0/24
	run --separate-stderr in_here kliq status -p "$PINS" --state "$STATE"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "no state in $STATE: kliq run or kliq tick has not been here" ]
	start --enforce
	flood
	until_true blocked
	until_true grep -q BLOCK "$STATE/fsm/state.tsv"
	run --separate-stderr in_here kliq status -p "$PINS" --state "$STATE"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[1]} == in0$'\t'* ]]
	[[ ${lines[2]} =~ ^pkts\ [0-9.]+/s\ \ pass\ [0-9.]+/s\ \ drop_allow\ 0\.0/s\ \ drop_deny\ [0-9.]+/s\ \ drop_rl\ [0-9.]+/s$ ]]
	[ "${lines[3]}" = "enforce-allow off  edge-mode off  default-limit off  dead-man off" ]
	[ "${lines[4]}" = $'table\towner\trules' ]
	[ "${lines[5]}" = $'allow\toperator\t1' ]
	[ "${lines[6]}" = $'deny\tiq\t1' ]
	[ "${lines[7]}" = "kliq works with $STATE" ]
	[ "${lines[8]}" = $'src\tlevel\tsince\tuntil\tstrikes' ]
	grep -qP '^10\.77\.0\.1\tBLOCK\t[0-9-]+ [0-9:]+\t[0-9-]+ [0-9:]+\t\d+$' <<<"${lines[9]}"
	stop TERM
	in_here kl-attach -p "$PINS" --detach >/dev/null
	run --separate-stderr in_here kliq status -p "$PINS" --state "$STATE"
	[ "$status" -ne 0 ]
}

@test "why, live: the rates of the next second and the state" {
	start --enforce
	flood
	until_true grep -q BLOCK "$STATE/fsm/state.tsv"
	peer_send -t 10 -c 900 -r 300 src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9 &
	sender=$!
	run --separate-stderr kliq why -p "$PINS" --state "$STATE" 10.77.0.1
	wait "$sender"
	[ "$status" -eq 0 ]
	[[ ${lines[1]} == "level      BLOCK since "* ]]
	rate=$(awk '/^pps / { print $2 + 0 }' <<<"$output")
	[ "${rate%.*}" -ge 240 ]
	[ "${rate%.*}" -le 360 ]
		[[ $output == *", led by pps"* ]]
	stop TERM
}
