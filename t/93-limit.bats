#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The limiter and the counters under real rates: what passes is the budget,
# whatever is offered, from one CPU or from two at once; no packet is counted
# twice or not at all.

# shellcheck disable=SC2154 # bats sets them
load lib

setup() {
	need_root
	lab_up no6
}

teardown() { lab_down; }

# sender CPU COUNT RATE SOURCE: in the background.
sender() {
	local dst=10.77.0.2
	[[ $4 != *:* ]] || dst=fd77::2
	taskset -c "$1" "$HELPERS/send" -t 15 -c "$2" -r "$3" out0 src="$4" dst=$dst proto=udp dport=9 &
}
# All at once for six seconds.
offers() {
	sender 0 150 25 10.77.0.11
	sender 0 600 100 10.77.0.12
	sender 1 60000 10000 10.77.0.13
	sender 0 30000 5000 10.77.0.14
	sender 1 30000 5000 10.77.0.14
	sender 0 600 100 fd77::12
	sender 0 6000 1000 fd77::14
	sender 1 6000 1000 fd77::14
	wait
}
# arrivals COMMAND: what passed while the peer ran it.
arrivals() {
	export HELPERS
	export -f offers sender
	in_here "$HELPERS/recv" -t 60 in0 nsenter --net="/run/netns/$PEER" bash -c '"$@"' bash "$@"
}

@test "20 a second and a burst of 20 pass, of 25, 100 and 10000, from one CPU and two, both families and flavours" {
	[ "$(nproc)" -ge 2 ] || skip "needs two processors"
	for flavour in new old; do
		in_here kl-attach -p "$PINS" --flavour $flavour --sources 4096 in0 >/dev/null
		for k in 10.77.0.1{1,2,3,4} fd77::12; do kl-rule -p "$PINS" add limit "$k" --rate 20 --burst 20; done
		kl-rule -p "$PINS" add limit fd77::/64 --rate 20 --burst 20
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/s" >/dev/null
		arrivals offers >"$BATS_TEST_TMPDIR/got"
		# 6 s of 20 and the burst: 140, within 5 in a hundred.
		awk -F'\t' -v f=$flavour '$2 < 133 || $2 > 147 { print f ": " $0; bad = 1 } END { exit bad || NR != 6 }' \
			"$BATS_TEST_TMPDIR/got"
		# Offered is passed and dropped, to the packet.
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/s" >"$BATS_TEST_TMPDIR/out"
		rm "$BATS_TEST_TMPDIR/s"
		diff <(columns "$BATS_TEST_TMPDIR/out" src pkts | grep -vP '^(src|\*)' | sort) <(printf '%s\n' '10.77.0.11	150' \
			'10.77.0.12	600' '10.77.0.13	60000' '10.77.0.14	60000' 'fd77::12	600' 'fd77::14	12000')
		diff <(columns "$BATS_TEST_TMPDIR/out" src pkts drop_rl | grep -vP '^(src|\*)' |
			awk -F'\t' -v OFS='\t' '{ print $1, $2 - $3 }' | sort) "$BATS_TEST_TMPDIR/got"
		in_here kl-attach -p "$PINS" --detach
	done
}

@test "two senders on one source at full speed: N sent, N counted, by every column" {
	[ "$(nproc)" -ge 2 ] || skip "needs two processors"
	for flavour in new old; do
		in_here kl-attach -p "$PINS" --flavour $flavour --sources 4096 in0 >/dev/null
		kl-rule -p "$PINS" add deny 10.77.0.13
		rush() {
			local cpu pids=()
			for cpu in 0 1; do
				in_peer taskset -c $cpu "$HELPERS/send" -t 20 -c 100000 out0 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9 &
				pids+=($!)
				in_peer taskset -c $cpu "$HELPERS/send" -t 20 -c 30000 out0 src=fd77::12 dst=fd77::2 proto=tcp flags=S dport=80 &
				pids+=($!)
				in_peer taskset -c $cpu "$HELPERS/send" -t 20 -c 30000 out0 src=10.77.0.13 dst=10.77.0.2 proto=icmp &
				pids+=($!)
			done
			wait "${pids[@]}"
		}
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/s" >/dev/null
		rush
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/s" >"$BATS_TEST_TMPDIR/out"
		diff <(columns "$BATS_TEST_TMPDIR/out" src pkts bytes tcp udp icmp syn ack rst ports drop_allow drop_deny drop_rl | tail -n +2 | sort) - <<-'END'
			*	320000	15360000	60000	200000	60000	60000	0	0	-	0	60000	0
			10.77.0.11	200000	8400000	0	200000	0	0	0	0	1	0	0	0
			10.77.0.13	60000	2520000	0	0	60000	0	0	0	0	0	60000	0
			fd77::12	60000	4440000	60000	0	0	60000	0	0	1	0	0	0
		END
		rm "$BATS_TEST_TMPDIR/s"
		in_here kl-attach -p "$PINS" --detach
	done
}

@test "the default limit holds a source the full table has no room for" {
	for flavour in new old; do
		in_here kl-attach -p "$PINS" --flavour $flavour --sources 10 in0 >/dev/null
		# Sixteen who come again and again: all records there are.
		peer_send -c 320 srcs=16 src=10.78.0.1 dst=10.77.0.2 proto=udp
		kl-set -p "$PINS" default-limit 20/20
		n=$(arrivals "$HELPERS/send" -c 2000 -r 500 out0 src=10.79.0.1 dst=10.77.0.2 proto=udp |
			awk -F'\t' '$1 == "10.79.0.1" { print $2 }')
		# 4 s of 20 and a burst, perhaps a second one where it came to a record.
		[ "$n" -ge 95 ]
		[ "$n" -le 126 ]
		# Forty thousand who send one packet each share 4096 budgets.
		kl-set -p "$PINS" default-limit 1/1
		kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >/dev/null
		n=$(arrivals "$HELPERS/send" -c 40000 out0 srcs=40000 src=10.80.0.1 dst=10.77.0.2 proto=udp | wc -l)
		[ "$n" -ge 3500 ]
		[ "$n" -le 13000 ]
		kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >"$BATS_TEST_TMPDIR/out"
		rm "$BATS_TEST_TMPDIR/t"
		[ "$(columns "$BATS_TEST_TMPDIR/out" untracked | tail -n 1)" -ge 39000 ]
		in_here kl-attach -p "$PINS" --detach
	done
}
