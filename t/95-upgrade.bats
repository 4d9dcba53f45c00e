#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-attach on a running instance, and beside others: under load, of another
# ABI, killed in between, with the outbound program.

# shellcheck disable=SC2154 # bats sets them
load lib

setup() {
	need_root
	lab_up no6
}

teardown() { lab_down; }

attach() { in_here kl-attach -p "$PINS" "$@" in0 >/dev/null; }
rule() { kl-rule -p "$PINS" "$@"; }
total() { kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/total" | awk -F'\t' -v want="$1" '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[want] }'; }
filters() { in_here tc filter show dev in0 egress 2>/dev/null | grep -c "handle 0x4b4c kl_egress" || true; }

# flood N COMMAND...: what arrives of two denied sources that send N packets each while COMMAND, a function, runs.
flood() {
	local n=$1
	shift
	export PEER HERE HELPERS PINS BATS_TEST_TMPDIR
	# shellcheck disable=SC2163 # the function of that name
	export -f peer_send in_peer in_here attach "$1"
	# shellcheck disable=SC2016 # the inner shell expands them
	in_here "$HELPERS/recv" in0 bash -c '
		n=$1
		shift
		peer_send -c "$n" -r 20000 src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9 &
		peer_send -c "$n" -r 20000 src=fd77::1 dst=fd77::2 proto=udp dport=9 &
		"$@"
		wait' bash "$n" "$@" | awk '$1 == "10.77.0.1" || $1 == "fd77::1" { n += $2 } END { print n + 0 }'
}

again() { for _ in {1..20}; do attach "$@"; done; }

@test "twenty upgrades under a flood: nothing of a denied source arrives, nothing is lost in counting" {
	for flavour in new old; do
		attach --flavour "$flavour" --egress
		rule add deny 10.77.0.1
		rule add deny fd77::1
		total pkts >/dev/null
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/src" >/dev/null
		[ "$(flood 60000 again --flavour "$flavour")" -eq 0 ]
		[ "$(total drop_deny)" -eq 120000 ]
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/src" >"$BATS_TEST_TMPDIR/out"
		[ "$(columns "$BATS_TEST_TMPDIR/out" src pkts drop_deny | grep -E '^(10.77.0.1|fd77::1)\s' | sort)" = $'10.77.0.1\t60000\t60000\nfd77::1\t60000\t60000' ]
		# The outbound program stays without being asked for again, and is the new one.
		[ "$(filters)" -eq 1 ]
		in_here kl-attach -p "$PINS" --detach
		rm "$BATS_TEST_TMPDIR"/{src,total}
	done
}

# Makes the instance look like one of ABI 1: its version, and what that had elsewhere.
age() {
	"$HELPERS/poke" "$PINS/kernloom_cfg" 32 1536	# sets of its counting tables
	"$HELPERS/poke" "$PINS/kernloom_cfg" 48 "$1"	# sample
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 1
}
over() { in_here kl-attach -p "$PINS" in0 2>"$BATS_TEST_TMPDIR/said" >/dev/null; }

@test "an instance of an older ABI is taken over under a flood: rules and settings stay, nothing passes" {
	attach
	rule add deny 10.77.0.1
	rule add deny fd77::/64 --ttl 1h
	rule add limit 10.77.0.3 --rate 5 --burst 6 --owner iq
	rule add allow 10.77.0.4
	kl-set -p "$PINS" default-limit 100/50
	age 7
	run kl-rule -p "$PINS" list
	[ "$status" -eq 4 ]
	[ "$(flood 40000 over)" -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "kl-attach: an instance of ABI 1 was running: rules and settings are kept, counters start anew" ]
	rule list >"$BATS_TEST_TMPDIR/rules"
	[ "$(columns "$BATS_TEST_TMPDIR/rules" table key rate burst owner | tail -n +2)" = "$(printf '%s\t%s\t%s\t%s\t%s\n' \
		allow 10.77.0.4 - - operator deny 10.77.0.1 - - operator deny fd77::/64 - - operator \
		limit 10.77.0.3 5 6 iq - '*' - - -)" ]
	kl-set -p "$PINS" | grep -qx $'default-limit\t100/50'
	kl-set -p "$PINS" | grep -qx $'sample\t7'
	[ "$(bpftool -j map show pinned "$PINS/kernloom_src4_stats_tags" | jq .max_entries)" -eq 1536 ]
	[ -z "$(find "$PINS" -name '*_new')" ]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 99	# a newer one: hands off
	run --separate-stderr in_here kl-attach -p "$PINS" in0
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-attach: cannot load: kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" ]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	[ "$(flood 2000 true)" -eq 0 ]
}

@test "an instance of ABI 2 is taken over with its edges, trial and dead-man switch" {
	attach
	kl-set -p "$PINS" flows on
	rule add deny 10.77.0.1
	rule add deny fd77::1
	rule add edge-deny 10.77.0.7 9/udp
	rule add edge-deny fd77::7 9/udp
	kl-set -p "$PINS" edge-mode deny
	kl-set -p "$PINS" dead-man keep 5000
	kl-set -p "$PINS" --confirm 600 default-limit 1/1
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 2
	[ "$(flood 20000 over)" -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "kl-attach: an instance of ABI 2 was running: rules and settings are kept, counters start anew" ]
	kl-set -p "$PINS" >"$BATS_TEST_TMPDIR/set"
	grep -qx $'edge-mode\tdeny' "$BATS_TEST_TMPDIR/set"
	grep -qx $'flows\ton' "$BATS_TEST_TMPDIR/set"
	grep -qx $'default-limit\toff' "$BATS_TEST_TMPDIR/set"
	grep -qx $'trial\t-' "$BATS_TEST_TMPDIR/set"
	grep -q $'^dead-man\tkeep' "$BATS_TEST_TMPDIR/set"
	[ "$(got 10.77.0.7 peer_send -c 5 src=10.77.0.7 dst=10.77.0.2 proto=udp dport=9)" -eq 0 ]
	[ "$(got 10.77.0.7 peer_send -c 5 src=10.77.0.7 dst=10.77.0.2 proto=udp dport=10)" -eq 5 ]
	[ "$(rule list edge-deny | wc -l)" -eq 4 ]
}

# Kills kl-attach at a moment of its work, thirty times.
killing() {
	for _ in {1..30}; do
		in_here timeout -s KILL "0.$(printf %03d $((RANDOM % 250)))" kl-attach -p "$PINS" in0 >/dev/null 2>&1 || true
	done
}

@test "kl-attach killed at any moment leaves the interface filtered, and the next one finds no trace" {
	attach
	rule add deny 10.77.0.1
	rule add deny fd77::1
	[ "$(flood 60000 killing)" -eq 0 ]
	age 3
	[ "$(flood 60000 killing)" -eq 0 ]
	attach
	[ "$(flood 2000 true)" -eq 0 ]
	[ -z "$(find "$PINS" -name '*_new')" ]
	[ "$(rule list deny | wc -l)" -eq 4 ]
}

@test "two instances do not know of each other; interfaces of one share tables and limits" {
	ip -n "$PEER" link add out1 address 02:00:00:00:01:0a type veth peer name in1 address 02:00:00:00:01:0b netns "$HERE"
	ip -n "$PEER" link set out1 up
	ip -n "$HERE" link set in1 up
	mkdir "$PINS/two"
	attach
	in_here kl-attach -p "$PINS/two" in1 >/dev/null
	rule add deny 10.77.0.1
	kl-rule -p "$PINS/two" add deny 10.77.0.7
	peer_send -c 5 src=10.77.0.1 dst=10.77.0.2 proto=udp
	in_peer "$HELPERS/send" -c 7 out1 src=10.77.0.1 dst=10.77.0.2 proto=udp
	kl-dump-total -p "$PINS/two" -s "$BATS_TEST_TMPDIR/two" >/dev/null
	[ "$(rule list deny | sed -n 2p | cut -f8)" -eq 5 ]
	[ "$(kl-rule -p "$PINS/two" list deny | sed -n 2p | cut -f8)" -eq 0 ]
	in_here kl-attach -p "$PINS/two" --detach
	attach
	in_here kl-attach -p "$PINS" in1 >/dev/null
	rule add limit 10.77.0.9 --rate 20 --burst 20
	total drop_rl >/dev/null
	peer_send -c 600 -r 200 src=10.77.0.9 dst=10.77.0.2 proto=udp &
	in_peer "$HELPERS/send" -c 600 -r 200 out1 src=10.77.0.9 dst=10.77.0.2 proto=udp
	wait $!
	local passed=$((1200 - $(total drop_rl)))
	[ "$passed" -ge 76 ]	# 20 at once and 20 a second for three seconds, give or take 5 %
	[ "$passed" -le 84 ]
}

@test "the outbound program: told in the status, beside others' filters, gone with the attachment" {
	in_here tc qdisc add dev in0 clsact
	in_here tc filter add dev in0 egress prio 7 bpf da bytecode '1,6 0 0 4294967295'
	attach --egress
	kl-attach -p "$PINS" --status >/dev/null
	[ "$(in_here kl-attach -p "$PINS" --status | sed -n 2p | cut -f1,2,5)" = $'in0\tnative\tyes' ]
	[ "$(filters)" -eq 1 ]
	in_here kl-attach -p "$PINS" --detach
	[ "$(filters)" -eq 0 ]
	in_here tc filter show dev in0 egress | grep -q 'pref 7 '
	in_here tc qdisc del dev in0 clsact
	attach --egress
	in_here kl-attach -p "$PINS" --detach
	run in_here tc qdisc show dev in0
	[[ $output != *clsact* ]]
}

@test "seen from another network namespace an attachment has no name, and is not taken for gone" {
	attach
	[ "$(kl-attach -p "$PINS" --status | sed -n 2p | cut -f1)" = - ]
	[ "$(in_here kl-attach -p "$PINS" --status | sed -n 2p | cut -f1)" = in0 ]
	in_peer kl-attach -p "$PINS" out0 >/dev/null	# the same instance elsewhere
	[ "$(in_here kl-attach -p "$PINS" --status | sed -n 2p | cut -f1)" = in0 ]
	ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp.prog.id' >/dev/null
}
