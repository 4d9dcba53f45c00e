#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The demo cut short: its table, its honesty, and that nothing of it is left.

load lib

setup() { need_root; }

# What a machine shows of networks, mounts, pins and processes of the demo.
trace() {
	shopt -s extglob
	ip -br link | grep -oE '^(wire|to-[a-z]+)' || true
	compgen -G '/run/netns/@(server|client|syn|udp|scan|rotate|spoof)' || true
	findmnt -rno TARGET | grep -E '^/run/(demo|netns/|tree)' || true
	find /sys/fs/bpf -name 'kernloom*'
	# shellcheck disable=SC2009 # whole names, which pgrep limits
	ps -eo comm= | grep -xE 'hping3|nmap|busybox|kl-dump-src|kl-apply' || true
}

attacked() { trace | diff "$BATS_TEST_TMPDIR/before" - | grep -q hping3; }
as_before() { trace | diff -q "$BATS_TEST_TMPDIR/before" - >/dev/null; }
nothing_left() { until_true as_before || trace | diff "$BATS_TEST_TMPDIR/before" -; }

@test "a demo without time for a proof shows its table, says what is missing, and ends with 1" {
	trace >"$BATS_TEST_TMPDIR/before"
	run --separate-stderr kliq demo --seconds 14
	[ "$status" -eq 1 ]
	[ -z "$stderr" ]
	[ "$(grep -cE '^ +[0-9]+ \| +[0-9]+ ' <<<"$output")" -eq 14 ]
	grep -qE '^ +14 .*RATE_(SOFT|HARD)' <<<"$output"
	grep -q '^FAILED: SYN flood: never blocked$' <<<"$output"
	grep -qE '^client: ([0-9]+) of \1 pages, 100.00 %' <<<"$output"
	nothing_left
}

@test "a demo that is interrupted, or killed, leaves nothing behind" {
	trace >"$BATS_TEST_TMPDIR/before"
	for signal in TERM KILL; do
		kliq demo >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		pid=$!
		until_true grep -qE '^ +5 \|' "$BATS_TEST_TMPDIR/out"
		until_true attacked
		kill -"$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq "$([[ $signal == TERM ]] && echo 4 || echo 137)" ]
		[[ $signal == KILL ]] || [ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = "kliq: interrupted; nothing is left behind" ]
		nothing_left
	done
}
