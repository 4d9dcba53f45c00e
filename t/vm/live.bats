#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What has to hold on every kernel: the right flavour attaches natively, denies
# and limits in both families, forgets by itself, counts, is watched by the
# pipeline, is replaced in place and leaves nothing. Not a part of the other
# tests: t/vm/run starts it on each kernel.

# shellcheck disable=SC2154 # bats sets them
load ../lib

# One lab for all, for an emulated processor is slow: each test leaves it as it was.
setup_file() {
	need_root
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR lab_up
	export PEER HERE PINS LAB
	in_here kl-attach -p "$PINS" --sources 4096 --egress in0 >"$BATS_FILE_TMPDIR/attached" 2>"$BATS_FILE_TMPDIR/said" ||
		{ cat "$BATS_FILE_TMPDIR/said"; return 1; }
}

setup() { T=$BATS_FILE_TMPDIR; }

teardown() {
	[[ -e $PINS/kernloom_cfg ]] || return 0	# the last test took it away
	rule flush deny
	rule flush limit
}

teardown_file() { lab_down; }

rule() { kl-rule -p "$PINS" "$@"; }
prog() { kl-attach -p "$PINS" --status | sed -n 2p | cut -f3; }
packets() { ip -n "$HERE" -s -j link show in0 | jq '.[0].stats64.rx.packets'; }
pings() { in_peer ping -q -c 3 -i 0.2 -W 1 "$1" >/dev/null; }
hits() { rule list deny | awk -F'\t' -v OFS='\t' '$3 != "*" && NR > 1 { print $3, $8 }' | sort >"$T/$1"; }
udp4() { peer_send "$@" src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9; }
udp6() { peer_send "$@" src=fd77::1 dst=fd77::2 proto=udp dport=9; }
both() {
	udp4 "$@" &
	udp6 "$@"
	wait $!
}
export -f udp4 udp6 both

# arrivals COMMAND...: what passed XDP from the peer's two addresses meanwhile.
arrivals() {
	export PEER HELPERS
	export -f peer_send in_peer
	in_here "$HELPERS/recv" -t 200 in0 bash -c '"$@"' bash "$@" | awk '$1 == "10.77.0.1" || $1 == "fd77::1"'
}

@test "native, in the flavour for this kernel, which --status shows" {
	diff "$T/said" /dev/null
	diff <(cut -f1,2,4,5 "$T/attached") <(printf 'iface\tmode\tpin\tegress\nin0\tnative\tkernloom_shield_xdp_link\tyes\n')
	in_here kl-attach -p "$PINS" --status | diff "$T/attached" -
	[ "$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')" = "$(prog)" ]
	# Compare-and-exchange came with 5.12; only the flavour without it has locks.
	want=new
	[[ $(printf '%s\n5.12\n' "$(uname -r)" | sort -V | head -n 1) == 5.12 ]] || want=old
	bpftool -j map list >"$T/maps"
	have=$(bpftool -j prog show id "$(prog)" | jq -r --slurpfile maps "$T/maps" \
		'.map_ids as $mine | if any($maps[0][]; .name == "locks" and IN(.id; $mine[])) then "old" else "new" end')
	[ "$have" = "$want" ]
}

@test "both families pass, a deny drops both, one with an end ends by itself" {
	pings 10.77.0.2
	pings fd77::2
	rule add deny 10.77.0.1
	rule add deny fd77::1
	run ! pings 10.77.0.2
	run ! pings fd77::2
	rule del deny 10.77.0.1 fd77::1
	pings 10.77.0.2
	pings fd77::2
	rule add deny 10.77.0.1 --ttl 30s
	rule add deny fd77::1 --ttl 30s
	[ "$(arrivals both -c 20)" = "" ]
	for ((i = 0; i < 100; i++)); do ! { pings 10.77.0.2 && pings fd77::2; } || break; done
	diff <(arrivals both -c 20) <(printf '10.77.0.1\t20\nfd77::1\t20\n')
}

@test "a limit of 20 a second, offered 200, passes 20 and its burst; kl-dump-src counts every packet" {
	rule add limit 10.77.0.1 --rate 20 --burst 20
	rule add limit fd77::1 --rate 20 --burst 20
	kl-dump-src -p "$PINS" -s "$T/snapshot" >/dev/null
	arrivals both -c 1000 -r 200 >"$T/got"
	# Five seconds of 20 and the burst: 120, within 10 in a hundred.
	awk '$2 < 108 || $2 > 132 { print; bad = 1 } END { exit bad || NR != 2 }' "$T/got"
	kl-dump-src -p "$PINS" -s "$T/snapshot" >"$T/frame"
	columns "$T/frame" src pkts udp drop_rl | awk '$1 == "10.77.0.1" || $1 == "fd77::1"' | sort |
		diff - <(awk -v OFS='\t' '{ print $1, 1000, 1000, 1000 - $2 }' "$T/got")
}

@test "the four stages: a row for who floods, and his limit in the kernel" {
	nsenter --net="/run/netns/$PEER" "$HELPERS/send" -t 280 -c 100000 -r 400 out0 \
		src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9 &
	flood=$!
	for ((first = $(packets), i = 0; i < 300 && $(packets) < first + 100; i++)); do sleep 0.1; done
	kl-dump-src -p "$PINS" | kl-score --trig-pps 50 | kl-fsm -s "$T/state" --soft-at 1 --up-need 1 |
		kl-apply -p "$PINS" -n >"$T/typed"
	kl-dump-src -p "$PINS" -i 1 -n 2 | kl-score --trig-pps 50 | kl-fsm --soft-at 1 --up-need 1 |
		kl-apply -p "$PINS" >"$T/stream"
	kill "$flood"
	wait "$flood" || true
	diff <(columns "$T/typed" src level from why action result) - <<-'END'
		src	level	from	why	action	result
		10.77.0.1	RATE_SOFT	OBSERVE	pps	limit	dry
		*	-	-	-	-	-
	END
	columns "$T/stream" src level action result | grep -qxP '10.77.0.1\tRATE_SOFT\tlimit\tok'
	[ "$(rule list limit | awk -F'\t' '$3 != "*" && NR > 1 { print $2, $3, $7 }')" = "limit 10.77.0.1 iq" ]
}

@test "edges: allowed, limited and denied ones, the host's own questions and their replies, both directions counted" {
	edge() { kl-rule -p "$PINS" "$@" 2> >(grep -v 'edge-mode is off' >&2); }
	mode() { in_here kl-set -p "$PINS" --force edge-mode "$1"; }
	to() { peer_send -c 20 src="$1" dst="$2" proto=udp dport="$3"; }
	ports() {
		for port in 9 10; do
			to 10.77.0.1 10.77.0.2 "$port"
			to fd77::1 fd77::2 "$port"
		done
	}
	export -f to ports
	diff <(arrivals ports) <(printf '10.77.0.1\t40\nfd77::1\t40\n')
	edge add edge-allow 10.77.0.1 9/udp
	edge add edge-allow fd77::1 9/udp
	kl-set -p "$PINS" flows on
	mode allow
	kl-dump-flow -p "$PINS" -s "$T/flows" >/dev/null
	diff <(arrivals ports) <(printf '10.77.0.1\t20\nfd77::1\t20\n')
	# Who asks from outside gets no answer, whom this host asks may answer.
	run ! pings 10.77.0.2
	run ! pings fd77::2
	in_here ping -q -c 2 -i 0.2 -W 5 10.77.0.1 >/dev/null
	in_here ping -q -c 2 -i 0.2 -W 5 fd77::1 >/dev/null
	kl-dump-flow -p "$PINS" -s "$T/flows" >"$T/frame"
	# What this host refused with an ICMP error is among what it sent, as far as its own limits let it.
	columns "$T/frame" dir src port proto pkts drops |
		awk -F'\t' -v OFS='\t' '$1 == "out" && $5 >= 2 { $5 = "some" } $1 == "in" || $1 == "out"' | sort |
		diff - <(printf '%s\n' \
			'in	10.77.0.1	0	icmp	5	3' 'in	10.77.0.1	10	udp	20	20' 'in	10.77.0.1	9	udp	20	0' \
			'in	fd77::1	0	icmp	5	3' 'in	fd77::1	10	udp	20	20' 'in	fd77::1	9	udp	20	0' \
			'out	10.77.0.1	0	icmp	some	0' 'out	fd77::1	0	icmp	some	0')
	mode deny
	edge add edge-deny 10.77.0.1 10/udp
	edge add edge-deny fd77::1 10/udp
	edge add edge-limit 10.77.0.1 9/udp --rate 1 --burst 5
	edge add edge-limit fd77::1 9/udp --rate 1 --burst 5
	arrivals ports >"$T/got"
	# The burst, and what the seconds of it bring.
	awk '$2 < 5 || $2 > 15 { print; bad = 1 } END { exit bad || NR != 2 }' "$T/got"
	mode off
	diff <(arrivals ports) <(printf '10.77.0.1\t40\nfd77::1\t40\n')
}

@test "replaced in place no packet slips through; detached nothing is left" {
	rule add deny 10.77.0.1
	rule add deny fd77::1
	first=$(prog)
	hits before
	under_fire() {
		both -c 2000 -r 400 &
		in_here kl-attach -p "$PINS" in0 >/dev/null
		wait $!
	}
	export -f under_fire in_here
	export HERE PINS
	[ "$(arrivals under_fire)" = "" ]
	[ "$(prog)" -gt "$first" ]
	hits after
	# The counter is the source's: what earlier tests had denied is in it.
	diff <(paste "$T/before" "$T/after" | awk '{ print $3, $4 - $2 }') \
		<(printf '%s\n' '10.77.0.1 2000' 'fd77::1 2000')
	in_here kl-attach -p "$PINS" --detach
	diff <(find "$PINS" -mindepth 1 ! -name '*.debug') /dev/null
	ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp == null' >/dev/null
	diff <(arrivals both -c 20) <(printf '10.77.0.1\t20\nfd77::1\t20\n')
}
