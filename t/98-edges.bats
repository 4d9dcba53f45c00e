#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The tuple step on real packets: of every protocol, behind every shape of
# header, in both families, what edge-mode allow and deny let through; replies
# to this host's own connections, running connections, fragments; and with the
# programs people use.

# shellcheck disable=SC2154,SC2016 # bats sets them; perl expands those
load lib

setup() {
	need_root
}

teardown() { lab_down; }

attach() { in_here kl-attach -p "$PINS" --sources 4096 --egress "$@" in0 >/dev/null; }
rule() { kl-rule -p "$PINS" "$@" 2> >(grep -v "edge-mode is off" >&2); }
mode() { in_here kl-set -p "$PINS" --force edge-mode "$1"; }
total() { kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/total" | awk -F'\t' -v want="$1" '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at[want] }'; }

# listening in_peer|in_here PORT/PROTO...: something there listens on all of them.
listening() {
	local of
	of=$("$1" ss -Htuln | awk '{ sub(/.*:/, "", $5); print $5 "/" $1 }')
	shift
	[[ -z $(comm -13 <(sort <<<"$of") <(printf '%s\n' "$@" | sort)) ]]
}
heard() { [[ $(cat "$BATS_TEST_TMPDIR/heard") == "$1" ]]; }
connected() { [[ -n $(in_here ss -Htn state established dst "$1") ]]; }

# Shapes of packets, and the edge each belongs to. SRC is the last part of the source's address.
shapes4() {
	cat <<-'END'
		9/udp	proto=udp dport=9
		80/tcp	proto=tcp dport=80 flags=S
		80/tcp	proto=tcp dport=80 flags=A
		0/icmp	proto=icmp
		0/gre	proto=47 len=20
		0/esp	proto=50 len=20
		27499/sctp	proto=132 len=20
		9/udp	proto=udp dport=9 vlan=5
		9/udp	proto=udp dport=9 vlan=5,7
		80/tcp	proto=tcp dport=80 vlan=5,6,7,8
		0/icmp	proto=icmp vlan=5,7
		0/gre	proto=47 len=20 vlan=5
		80/tcp	proto=tcp dport=80 opt=10
		9/udp	proto=udp dport=9 frag=0 more=1 id=77
		9/udp	proto=udp frag=9 len=40 id=77
		0/icmp	proto=icmp frag=9 len=40 id=78
	END
}
shapes6() {
	cat <<-'END'
		9/udp	proto=udp dport=9
		80/tcp	proto=tcp dport=80 flags=S
		0/icmp	proto=icmp6
		0/gre	proto=47 len=20
		27499/sctp	proto=132 len=20
		9/udp	proto=udp dport=9 vlan=5
		80/tcp	proto=tcp dport=80 vlan=5,7
		9/udp	proto=udp dport=9 ext=hop
		80/tcp	proto=tcp dport=80 flags=S ext=hop
		80/tcp	proto=tcp dport=80 flags=S ext=rt
		9/udp	proto=udp dport=9 ext=hop,dst,rt
		0/icmp	proto=icmp6 ext=dst
		0/gre	proto=47 len=20 ext=hop
		27499/sctp	proto=132 len=20 ext=hop,rt,dst
		9/udp	proto=udp dport=9 ext=hop,frag frag=0 more=1 id=77
		9/udp	proto=udp ext=frag frag=9 len=40 id=77
	END
}

# Each shape, twice, from the two families' sources that end in $1.
send_all() {
	local words
	while IFS=$'\t' read -r _ words; do
		# shellcheck disable=SC2086 # a list of words
		peer_send -c 2 src="10.77.0.$1" dst=10.77.0.2 $words
	done < <(shapes4)
	while IFS=$'\t' read -r _ words; do
		# shellcheck disable=SC2086
		peer_send -c 2 src="fd77::$1" dst=fd77::2 $words
	done < <(shapes6)
}
edges() { # LAST: what is to be allowed or denied, as kl-rule load reads it
	shapes4 | cut -f1 | sort -u | sed "s/^/10.77.0.$1 /"
	shapes6 | cut -f1 | sort -u | sed "s/^/fd77::$1 /"
}
every() { for last in "$@"; do send_all "$last"; done; }
arrivals() {
	export PEER HELPERS
	export -f peer_send in_peer send_all shapes4 shapes6 every
	in_here "$HELPERS/recv" in0 bash -c '"$@"' bash "$@" | tr '\t' ' '
}

@test "edge-mode allow passes the allowed edges and nothing else; deny drops the denied ones and nothing else" {
	lab_up no6
	for flavour in new old; do
		attach --flavour "$flavour"
		# 11 has all its edges, 12 others' ports and protocols, 13 none.
		edges 11 | rule load edge-allow
		rule add edge-allow 10.77.0.12 10/udp
		rule add edge-allow 10.77.0.12 9/tcp
		rule add edge-allow fd77::12 81/tcp
		rule add edge-allow fd77::12 80/udp
		diff <(arrivals every 11 12 13) <(printf '%s 32\n' 10.77.0.1{1,2,3} fd77::1{1,2,3})
		mode allow
		diff <(arrivals every 11 12 13) <(printf '%s 32\n' 10.77.0.11 fd77::11)
		# Later fragments alone: their first one never came.
		[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp frag=9 len=40 id=99)" -eq 0 ]
		[ "$(got fd77::11 peer_send -c 3 src=fd77::11 dst=fd77::2 proto=udp ext=frag frag=9 len=40 id=99)" -eq 0 ]
		# Cut headers, crafted first fragments, more headers than are walked: no port to judge.
		[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=tcp dport=80 cut=36)" -eq 0 ]
		[ "$(got fd77::11 peer_send -c 3 src=fd77::11 dst=fd77::2 proto=udp dport=9 ext=dst,dst,dst,dst,dst,dst,dst,dst,dst)" -eq 0 ]
		mode off
		diff <(arrivals every 11 12 13) <(printf '%s 32\n' 10.77.0.1{1,2,3} fd77::1{1,2,3})
		edges 13 | rule load edge-deny
		mode deny
		# Of 13 later fragments pass: without the first one nobody can put them together.
		diff <(arrivals every 11 12 13) <(printf '%s 32\n' 10.77.0.1{1,2} fd77::1{1,2} | sort -k1,1; printf '%s 2\n' 10.77.0.13 fd77::13) ||
			diff <(arrivals every 11 12 13) <({ printf '%s 32\n' 10.77.0.1{1,2} fd77::1{1,2}; printf '%s 2\n' 10.77.0.13 fd77::13; } | LC_ALL=C sort)
		in_here kl-attach -p "$PINS" --detach
	done
}

@test "denied wins over allowed, an allowed source over both; what carries IP inside is dropped, the link's own is not" {
	lab_up no6
	attach
	rule add edge-allow 10.77.0.11 9/udp
	rule add edge-deny 10.77.0.11 9/udp
	mode allow
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 0 ]
	rule add allow 10.77.0.11
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 3 ]
	rule del allow 10.77.0.11
	rule del edge-deny 10.77.0.11 9/udp
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 3 ]
	rule add deny 10.77.0.11
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 0 ]
	total drop_other >/dev/null
	local type
	for type in 8864 8847 1234; do # PPPoE, MPLS, unknown
		peer_send "hex=02000000000b02000000000a$type$(printf '00%.0s' {1..50})"
	done
	for type in 0806 88cc 8809 888e 0026; do # ARP, LLDP, LACP, 802.1X, LLC
		peer_send "hex=02000000000b02000000000a$type$(printf '00%.0s' {1..50})"
	done
	[ "$(total drop_other)" -eq 3 ]
}

@test "an ended edge ends in the kernel; a limit of an edge holds for that edge alone" {
	lab_up no6
	attach
	rule add edge-allow 10.77.0.11 9/udp --ttl 3s
	rule add edge-limit 10.77.0.12 9/udp --rate 1 --burst 5
	rule add edge-allow 10.77.0.12 9/udp
	rule add edge-allow 10.77.0.12 10/udp
	mode allow
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 3 ]
	local n
	n=$(got 10.77.0.12 peer_send -c 100 src=10.77.0.12 dst=10.77.0.2 proto=udp dport=9)
	[ "$n" -ge 5 ]
	[ "$n" -le 7 ]
	[ "$(got 10.77.0.12 peer_send -c 100 src=10.77.0.12 dst=10.77.0.2 proto=udp dport=10)" -eq 100 ]
	sleep 3
	[ "$(got 10.77.0.11 peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9)" -eq 0 ]
}

@test "this host's own curl, dig and ping work in edge-mode allow; a running session goes on, a new one does not start" {
	lab_up
	attach
	mkdir "$BATS_TEST_TMPDIR/www"
	head -c 200000 /dev/urandom >"$BATS_TEST_TMPDIR/www/x"
	in_peer busybox httpd -f -p 80 -h "$BATS_TEST_TMPDIR/www" 3>&- &
	in_here busybox httpd -f -p 8080 -h "$BATS_TEST_TMPDIR/www" 3>&- &
	# A server that answers datagrams, and one that answers line by line: an old session.
	in_peer perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", LocalPort => 53) or die;
		while ($s->recv($m, 512)) { $s->send("answer to $m") }' 3>&- &
	mkfifo "$BATS_TEST_TMPDIR/say" "$BATS_TEST_TMPDIR/back"
	in_here busybox nc -ll -p 2222 -e cat 3>&- &
	until_true listening in_peer 80/tcp 53/udp
	until_true listening in_here 8080/tcp 2222/tcp
	in_peer busybox nc 10.77.0.2 2222 <"$BATS_TEST_TMPDIR/say" >"$BATS_TEST_TMPDIR/heard" 3>&- &
	exec 7>"$BATS_TEST_TMPDIR/say"
	echo before >&7
	until_true heard before
	in_peer curl -sf -m 3 -o /dev/null http://10.77.0.2:8080/x
	mode allow
	echo after >&7
	until_true heard $'before\nafter'
	run in_peer curl -s -m 1 -o /dev/null http://10.77.0.2:8080/x
	[ "$status" -eq 28 ]
	run in_peer curl -s -m 1 -o /dev/null 'http://[fd77::2]:8080/x'
	[ "$status" -eq 28 ]
	run in_peer busybox nc -w 1 10.77.0.2 2222 </dev/null
	[ "$status" -ne 0 ]
	[ "$(in_here curl -sf -m 3 http://10.77.0.1/x | wc -c)" -eq 200000 ]
	[ "$(in_here curl -sf -m 3 'http://[fd77::1]/x' | wc -c)" -eq 200000 ]
	[ "$(in_here perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "10.77.0.1:53") or die;
		alarm 3; $s->send("name?"); $s->recv($m, 512); print $m')" = "answer to name?" ]
	for to in 10.77.0.1 fd77::1; do
		in_here ping -q -c 2 -i 0.2 -W 1 "$to" >/dev/null
		in_here ping -q -c 2 -i 0.2 -W 1 -s 4000 "$to" >/dev/null	# fragments both ways
	done
	for to in 10.77.0.2 fd77::2; do
		run in_peer ping -q -c 1 -W 1 "$to"
		[ "$status" -eq 1 ]
	done
	[ "$(total conns_lost)" -eq 0 ]
	exec 7>&-
}

@test "nothing new slips through what is remembered: other ports, SYNs, errors about packets never sent" {
	lab_up
	attach
	mode allow
	# This host asks 10.77.0.1:53 from 5353: only the reverse of exactly that is a reply.
	in_here perl -MIO::Socket::INET -e 'IO::Socket::INET->new(Proto => "udp", LocalPort => 5353,
		PeerAddr => "10.77.0.1:53")->send("hello")'
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.2 proto=udp sport=53 dport=5353)" -eq 3 ]
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.2 proto=udp sport=53 dport=161)" -eq 0 ]
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.2 proto=udp sport=54 dport=5353)" -eq 0 ]
	[ "$(got 10.77.0.9 peer_send -c 3 src=10.77.0.9 dst=10.77.0.2 proto=udp sport=53 dport=5353)" -eq 0 ]
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.3 proto=udp sport=53 dport=5353)" -eq 0 ]
	# A connection of this host's: a SYN from its other end is still no reply.
	in_peer busybox nc -ll -p 7 -e cat 3>&- &
	until_true listening in_peer 7/tcp
	in_here perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 7777, PeerAddr => "10.77.0.1:7") or die;
		$s->send("x"); sleep 10' 3>&- &
	until_true connected 10.77.0.1:7
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.2 proto=tcp sport=7 dport=7777 flags=S)" -eq 0 ]
	[ "$(got 10.77.0.1 peer_send -c 3 src=10.77.0.1 dst=10.77.0.2 proto=tcp sport=7 dport=7777 flags=A)" -ge 3 ]
	# "Unreachable", from anybody, about that question: passes; about one never asked: not.
	about() { # ROUTER DPORT: an ICMP error from 10.77.0.ROUTER about 10.77.0.2:5353 -> 10.77.0.1:DPORT
		peer_send -c 2 "hex=02000000000b02000000000a08004500003800000000400100000a4d00${1}0a4d00020301000000000000$(
		)4500001c00000000401100000a4d00020a4d000114e9${2}00080000"
	}
	export -f about
	[ "$(got 10.77.0.254 about fe 0035)" -eq 2 ]
	[ "$(got 10.77.0.254 about fe 0036)" -eq 0 ]
}
