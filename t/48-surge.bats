#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# A flood of strangers: noticed in the star row, a level there, strangers held
# off in the packet path, and all of it over by itself.

# shellcheck disable=SC2154 # bats sets them
load lib

teardown() { [[ -z ${HERE-} ]] || lab_down; }

# star FROM TO NEW: frames of nothing but strangers.
star() {
	awk -v from="$1" -v to="$2" -v n="$3" 'BEGIN { OFS = "\t"
		for (t = from; t < to; t++) print t ".000", "1.000", "*", 2 * n, 120 * n, 2 * n, 0, 0, n, 0, 0, "-", 0, 0, 0, "-", n }'
}
HEAD='time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	answers	new'

@test "a flood of strangers raises the surge at once; it is over by itself" {
	{ echo "$HEAD"; star 100 110 20; star 110 125 200000; star 125 150 20; } |
		kl-score --total-trig-new 2000 --total-warmup 0 | kl-fsm |
		awk -F'\t' 'NR > 1 && $3 != was { print $1 + 0, $3; was = $3 }' |
		diff - <(printf '%s\n' '100 -' '110 RATE_SOFT' '112 RATE_HARD' '115 BLOCK' '127 RATE_HARD' '133 RATE_SOFT' '136 -')
}

@test "a table just made, and many who are usual, raise nothing" {
	{ echo "$HEAD"; star 100 400 3000; } | kl-score --total-trig-new 2000 | kl-fsm |
		awk -F'\t' 'NR > 1 && $3 != "-" { bad = 1 } END { exit bad }'
	{ echo "$HEAD"; star 1000 1010 200000; } | kl-score --total-trig-new 0 --total-trig-syn 0 --total-trig-pps 0 | kl-fsm |
		awk -F'\t' 'NR > 1 && $3 != "-" { bad = 1 } END { exit bad }'
}

# wanted LEVEL: a level frame of now, with the surge at it.
wanted() {
	local now
	now=$(date +%s)
	printf 'time\tsrc\tlevel\tfrom\tsince\tuntil\tstrikes\tsev\twhy\n'
	if [[ $1 == - ]]; then
		printf '%d.000\t*\t-\t-\t-\t-\t-\t-\t-\n' "$now"
	else
		printf '%d.000\t*\t%s\tOBSERVE\t%d.000\t%d.000\t3\t3.000000\tnew\n' "$now" "$1" "$now" $((now + 60))
	fi
}

@test "kl-apply: strangers are held off, who has a history is not, and it ends" {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" in0 >/dev/null
	peer_send -c 9 src=10.77.0.5 dst=10.77.0.2 proto=tcp dport=80 flags=A
	sleep 11	# what is younger is no history
	wanted RATE_SOFT | kl-apply -p "$PINS" -n | tail -n 1 | cut -f10- | diff - <(printf 'surge\tdry\n')
	[ "$(got 10.77.0.9 peer_send -c 5 src=10.77.0.9 dst=10.77.0.2 proto=tcp dport=80 flags=S)" -eq 5 ]
	wanted BLOCK | kl-apply -p "$PINS" --surge-rate 0 | tail -n 1 | cut -f10- | diff - <(printf 'surge\tok\n')
	[ "$(got 10.77.0.5 peer_send -c 5 src=10.77.0.5 dst=10.77.0.2 proto=tcp dport=80 flags=S)" -eq 5 ]
	strangers() { peer_send -c 2000 srcs=2000 src=10.78.0.1 dst=10.77.0.2 proto=tcp dport=80 flags=S; }
	export -f strangers peer_send in_peer
	arrived=$(in_here "$HELPERS/recv" in0 bash -c strangers | awk '$1 ~ /^10\.78\./ { n += $2 } END { print n + 0 }')
	[ "$arrived" -le 20 ]
	wanted - | kl-apply -p "$PINS" | tail -n 1 | cut -f10- | diff - <(printf -- '-\t-\n')
	[ "$(got 10.77.0.8 peer_send -c 5 src=10.77.0.8 dst=10.77.0.2 proto=tcp dport=80 flags=S)" -eq 5 ]
}

@test "who came again is let in, though the flood that was here before the surge fills the table; who was there stays" {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 1024 in0 >/dev/null
	regulars() { peer_send -c 300 srcs=100 src=10.77.9.1 dst=10.77.0.2 proto=tcp dport=80 flags=A; }
	regulars
	sleep 11	# what is younger is no history
	flood() { peer_send -c 16000 srcs=8000 src=10.78.0.1 dst=10.77.0.2 proto=tcp dport=80 flags=S; }
	flood
	wanted BLOCK | kl-apply -p "$PINS" --surge-rate 0 >/dev/null
	flood
	knock() { peer_send -c 20 srcs=20 src=10.77.0.20 dst=10.77.0.2 proto=tcp dport=80 flags=S; }
	all() { knock; sleep 1.2; knock; peer_send -c 100 srcs=20 src=10.77.0.20 dst=10.77.0.2 proto=tcp dport=80 flags=A; regulars; }
	export PEER HELPERS
	export -f knock all regulars peer_send in_peer
	in_here "$HELPERS/recv" in0 bash -c all >"$BATS_TEST_TMPDIR/arrived"
	[ "$(grep -c '^10\.77\.0\..*	6$' "$BATS_TEST_TMPDIR/arrived")" -eq 20 ]
	[ "$(grep -c '^10\.77\.9\..*	3$' "$BATS_TEST_TMPDIR/arrived")" -eq 100 ]
}

@test "a SYN that is sent again at once, or after a third of a second, is none that waited for an answer" {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" in0 >/dev/null
	wanted BLOCK | kl-apply -p "$PINS" --surge-rate 0 >/dev/null
	[ "$(got 10.77.0.9 peer_send -c 3 -r 6 src=10.77.0.9 dst=10.77.0.2 proto=tcp dport=80 flags=S)" -eq 0 ]
	# What is no SYN may: a client of UDP, or a segment of a conversation, waits no longer.
	[ "$(got 10.77.0.9 peer_send -c 2 -r 3 src=10.77.0.9 dst=10.77.0.2 proto=udp dport=53)" -eq 1 ]
}
