#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Every table at capacity: each does what bpf/maps.bpf.h says of it, what was
# in it stays in force, and kl-dump-total shows what was lost.

# shellcheck disable=SC2016,SC2154 # awk expands; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	T=$BATS_TEST_TMPDIR
}

teardown() { lab_down; }

rule() { kl-rule -p "$PINS" "$@"; }
total() { kl-dump-total -p "$PINS" -s "$T/total" >"$T/frame"; columns "$T/frame" "$@" | tail -n 1; }

# TABLE, the map, its capacity, the kind of its keys, and one of them, of a source of this test's.
tables() {
	cat <<-'END'
		allow kernloom_allow4_lpm 262144 net4 10.77.1.1
		allow kernloom_allow6_lpm 262144 net6 fd77::1:1
		deny kernloom_deny4_hash 1048576 host4 10.77.2.1
		deny kernloom_deny6_hash 1048576 host6 fd77::2:1
		deny kernloom_deny4_lpm 262144 net4 10.77.3.0/24
		deny kernloom_deny6_lpm 262144 net6 fd77::3:0/112
		limit kernloom_rl_policy4 262144 host4 10.77.4.1
		limit kernloom_rl_policy6 262144 host6 fd77::4:1
		limit kernloom_rl_policy4_lpm 65536 net4 10.77.5.0/24
		limit kernloom_rl_policy6_lpm 65536 net6 fd77::5:0/112
		edge-allow kernloom_edge4_allow 262144 edge4 10.77.6.1 9/udp
		edge-allow kernloom_edge6_allow 262144 edge6 fd77::6:1 9/udp
		edge-deny kernloom_edge4_deny 262144 edge4 10.77.7.1 9/udp
		edge-deny kernloom_edge6_deny 262144 edge6 fd77::7:1 9/udp
		edge-limit kernloom_edge4_rl_policy 65536 edge4 10.77.8.1 9/udp
		edge-limit kernloom_edge6_rl_policy 65536 edge6 fd77::8:1 9/udp
	END
}
# keys KIND N: so many, none of them a sender's here.
keys() {
	awk -v kind="$1" -v n="$2" 'BEGIN {
		for (i = 0; i < n; i++) {
			if (kind ~ /^(host|edge)4/)
				key = sprintf("11.%d.%d.%d", i / 65536, i / 256 % 256, i % 256)
			else if (kind == "net4")
				key = sprintf("%d.%d.%d.%d/28", 12 + i / 1048576, i / 4096 % 256, i / 16 % 256, i % 16 * 16)
			else if (kind == "net6")
				key = sprintf("2001:db8:%x:%x::/64", i / 65536, i % 65536)
			else
				key = sprintf("2001:db9::%x:%x", i / 65536, i % 65536)
			print kind ~ /^edge/ ? key " 80/tcp" : key
		}
	}'
}
rates() { [[ $1 != *limit ]] || echo "--rate 1 --burst 2"; }

# What passes of 20 packets of each of the tables' sources and two that are in none.
some() {
	local last
	for last in 1.1 2.1 3.1 4.1 5.1 6.1 7.1 8.1 9.1 9.2; do
		peer_send -c 20 src="10.77.$last" dst=10.77.0.2 proto=udp dport=9
		peer_send -c 20 src="fd77::${last/./:}" dst=fd77::2 proto=udp dport=9
	done
}
arrivals() {
	export PEER HELPERS
	export -f peer_send in_peer
	in_here "$HELPERS/recv" in0 bash -c '"$@"' bash "$@" | tr '\t' ' '
}
export -f some
# passed LAST=N...: arrivals of both families; of N1-N2 at least N1 and at most N2.
passed() {
	arrivals some >"$T/got"
	printf '%s\n' "$@" | awk '
		{ split($1, w, "[=-]"); v6 = w[1]; sub(/[.]/, ":", v6); low["10.77." w[1]] = low["fd77::" v6] = w[2]
			high["10.77." w[1]] = high["fd77::" v6] = w[3] == "" ? w[2] : w[3] }
		END {
			while ((getline line <ARGV[2]) > 0) { split(line, g, " "); n[g[1]] = g[2]; if (!(g[1] in low)) { print "unexpected " line; bad = 1 } }
			for (s in low) if (n[s] + 0 < low[s] || n[s] + 0 > high[s]) { print s ": " n[s] + 0 ", not " low[s] " to " high[s]; bad = 1 }
			exit bad
		}' - "$T/got"
}

@test "every table of rules full, with those of sources, flows and events: all in them holds, all lost is counted" {
	local table map max kind key
	in_here kl-attach -p "$PINS" --sources 10 --flows 10 --egress in0 >/dev/null
	kl-set -p "$PINS" flows on
	kl-set -p "$PINS" sample 1
	total pkts >/dev/null
	while read -r table map max kind key; do
		# shellcheck disable=SC2046,SC2086 # words
		rule add "$table" $key $(rates "$table") 2>/dev/null
		# shellcheck disable=SC2046
		run --separate-stderr rule load "$table" <(keys "$kind" "$max") $(rates "$table")
		[ "$status" -eq 4 ]
		[ "$output" = "" ]
		diff <(grep -v 'edge-mode is off' <<<"$stderr") <(echo \
			"kl-rule: table $table: $map ($max entries): full: $((max - 1)) of $max rules went in, nothing already in is lost")
	done < <(tables)

	# The tables the packet path fills: no stranger that comes but once gets a record, none of his packets is lost.
	strangers() {
		peer_send -c 3000 srcs=3000 src=10.78.0.1 dst=10.77.0.2 proto=udp dport=9
		peer_send -c 3000 srcs=3000 src=fd78::1 dst=fd77::2 proto=udp dport=9
	}
	export -f strangers
	[ "$(arrivals strangers | wc -l)" -eq 6000 ]
	total pkts new_sources evicted untracked flows flows_evicted flows_lost |
		awk '{ exit !($1 == 6000 && $2 + $4 == 6000 && $3 == 0 && $5 + $7 == 6000 && $6 == 0 && $4 > 5900 && $7 > 5900) }'

	# Without a record all are judged as with one; limits are shared then.
	kl-set -p "$PINS" -f edge-mode deny
	passed 1.1=20 2.1=0 3.1=0 4.1=1-4 5.1=1-4 6.1=20 7.1=0 8.1=1-20 9.1=20 9.2=20
	peer_send -c 30000 src=10.77.2.1 dst=10.77.0.2 proto=udp dport=9
	total drop_deny events events_lost |
		awk '{ exit !($1 >= 30000 + 6 * 20 && $2 == 21845 && $3 >= 30000 - 21845) }'
	kl-set -p "$PINS" -f edge-mode allow
	passed 1.1=20 2.1=0 3.1=0 4.1=0 5.1=0 6.1=20 7.1=0 8.1=0 9.1=0 9.2=0
	kl-set -p "$PINS" -f edge-mode off
	kl-set -p "$PINS" -f enforce-allow on
	passed 1.1=20 2.1=0 3.1=0 4.1=0 5.1=0 6.1=0 7.1=0 8.1=0 9.1=0 9.2=0
	kl-set -p "$PINS" enforce-allow off

	# A block more finds no room: told, and tried again when there is some.
	wants() {
		local now
		now=$(date +%s).000
		printf 'time\tsrc\tlevel\tsince\tuntil\n%s\t10.77.9.1\tBLOCK\t%s\t-\n%s\t*\t-\t-\t-\n' "$now" "$now" "$now"
	}
	wants >"$T/in"
	run --separate-stderr kl-apply -p "$PINS" "$T/in"
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-apply: 1 of 1 changes failed: kernloom_deny4_hash (1048576 entries): full" ]
	[[ ${lines[1]} == *$'\tdeny\tfull' ]]
	rule del deny 11.0.0.0
	wants | kl-apply -p "$PINS" >"$T/out"
	passed 1.1=20 2.1=0 3.1=0 4.1=0-4 5.1=0-4 6.1=20 7.1=20 8.1=20 9.1=0-20 9.2=20
	[[ $(cut -f 6-7 "$T/out" | sed -n 2p) == $'deny\tok' ]]
	[ "$(grep -c '^10.77.9.1 ' "$T/got")" -eq 0 ]

	# What was first in each of them is still there, and can be written anew though nothing else finds room.
	while read -r table map max kind key; do
		# shellcheck disable=SC2046,SC2086
		rule add "$table" $key $(rates "$table") --ttl 1h 2>/dev/null
		# shellcheck disable=SC2086
		rule del "$table" $key
	done < <(tables)
}

@test "what this host sent, beyond what can be remembered: counted, and exactly those replies are dropped" {
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 --egress in0 >/dev/null
	kl-set -p "$PINS" -f edge-mode allow
	total pkts >/dev/null
	# Of 130,000 conversations some sets of eight get more than they hold.
	asks() { # FIRST N
		in_here "$HELPERS/send" -c "$2" in0 src=10.77.0.2 dst="$1" dsts="$2" proto=udp sport=5353 dport=53
	}
	answers() { peer_send -c "$2" -r 100000 src="$1" srcs="$2" dst=10.77.0.2 proto=udp sport=53 dport=5353; }
	export -f answers
	asks 10.128.0.0 130000
	arrivals answers 10.128.0.0 130000 >"$T/got"
	total conns conns_lost replies drop_edge >"$T/counts"
	awk '{ exit !($1 == 130000 && $2 > 100 && $2 < 20000 && $3 == $1 - $2 && $4 == $2) }' "$T/counts"
	awk -v want="$(cut -f 3 "$T/counts")" '$2 != 1 { print; bad = 1 } END { exit bad || NR != want }' "$T/got"
	# One that was forgotten asks again: the latest always finds room.
	again=$(awk '{ had[$1] } END {
		for (i = 0; i < 130000; i++) {
			addr = sprintf("10.%d.%d.%d", 128 + i / 65536, i / 256 % 256, i % 256)
			if (!(addr in had)) { print addr; exit }
		} }' "$T/got")
	[ "$(arrivals answers "$again" 1)" = "" ]
	asks "$again" 1
	[ "$(arrivals answers "$again" 1)" = "$again 1" ]
}
