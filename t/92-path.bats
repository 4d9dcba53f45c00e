#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The packet path on real packets: what arrives behind XDP, for each verdict,
# both families, every shape of packet, both flavours of the program.

# shellcheck disable=SC2154 # bats sets them
load lib

setup() {
	need_root
	lab_up no6
}

teardown() { lab_down; }

attach() { in_here kl-attach -p "$PINS" --sources 4096 "$@" in0 >/dev/null; }
rule() { kl-rule -p "$PINS" "$@"; }

# arrivals COMMAND...: "source packets" of what passed XDP while COMMAND, a function, ran.
arrivals() {
	export PEER HELPERS
	export -f peer_send in_peer every_shape shapes4 shapes6 nd
	in_here "$HELPERS/recv" in0 bash -c '"$@"' bash "$@" | tr '\t' ' '
}
passes() { arrivals peer_send -c 20 src="$1" dst=10.77.0.2 proto=udp dport=9 | awk -v s="$1" '$1 == s { n = $2 } END { print n + 0 }'; }

# Twenty packets of a source, no two pairs of the same shape.
shapes4() {
	local a=(-c 2 "src=$1" dst=10.77.0.2)
	peer_send "${a[@]}" proto=udp dport=9
	peer_send "${a[@]}" proto=tcp dport=80 flags=S
	peer_send "${a[@]}" proto=icmp
	peer_send "${a[@]}" proto=47 len=20
	peer_send "${a[@]}" proto=udp dport=9 vlan=5
	peer_send "${a[@]}" proto=udp dport=9 vlan=5,7
	peer_send "${a[@]}" proto=tcp dport=80 vlan=5,6,7,8
	peer_send "${a[@]}" proto=tcp dport=80 opt=10
	peer_send "${a[@]}" proto=udp dport=9 frag=0 more=1
	peer_send "${a[@]}" proto=udp frag=9 len=40
}
shapes6() {
	local a=(-c 2 "src=$1" dst=fd77::2)
	peer_send "${a[@]}" proto=udp dport=9
	peer_send "${a[@]}" proto=tcp dport=80 flags=S
	peer_send "${a[@]}" proto=icmp6
	peer_send "${a[@]}" proto=udp dport=9 vlan=5,7
	peer_send "${a[@]}" proto=tcp dport=80 vlan=5,6,7,8
	peer_send "${a[@]}" proto=udp dport=9 ext=hop
	peer_send "${a[@]}" proto=udp dport=9 ext=rt,dst
	peer_send "${a[@]}" proto=tcp dport=80 ext=hop,dst,rt,auth
	peer_send "${a[@]}" proto=udp dport=9 ext=hop,frag more=1
	peer_send "${a[@]}" proto=udp ext=frag,dst frag=9 len=40
}
every_shape() {
	local n
	for n in 10.77.0.1{0,1,2,3,4} 10.66.0.1 10.67.0.1; do shapes4 "$n"; done
	for n in fd77::1{0,1,2,3,4} fd66::1 fd67::1; do shapes6 "$n"; done
}
# A limit lets a burst of 5 pass, and one a second: "5" stands for 5 to 9.
verdicts() { arrivals every_shape | awk '$2 >= 5 && $2 <= 9 { $2 = 5 } { print }'; }

@test "every verdict for every shape, both families, both flavours" {
	for flavour in new old; do
		attach --flavour "$flavour"
		diff <(verdicts) <(printf '%s 20\n' 10.66.0.1 10.67.0.1 10.77.0.1{0,1,2,3,4} fd66::1 fd67::1 fd77::1{0,1,2,3,4})
		# 10 has no rule. 11: denied. 12: limited. 13: denied, but allowed. 14: limited, but allowed.
		for net in 10.77.0. fd77::; do
			rule add deny ${net}11
			rule add limit ${net}12 --rate 1 --burst 5
			rule add deny ${net}13
			rule add allow ${net}13
			rule add limit ${net}14 --rate 1 --burst 1
			rule add allow ${net}14
		done
		rule add deny 10.66.0.0/16
		rule add deny fd66::/32
		rule add limit 10.67.0.0/16 --rate 1 --burst 5
		rule add limit fd67::/32 --rate 1 --burst 5
		diff <(verdicts) <(printf '%s\n' '10.67.0.1 5' '10.77.0.10 20' '10.77.0.12 5' '10.77.0.13 20' '10.77.0.14 20' \
			'fd67::1 5' 'fd77::10 20' 'fd77::12 5' 'fd77::13 20' 'fd77::14 20')
		sleep 5
		kl-set -p "$PINS" default-limit 1/5
		diff <(verdicts) <(printf '%s\n' '10.67.0.1 5' '10.77.0.10 5' '10.77.0.12 5' '10.77.0.13 20' '10.77.0.14 20' \
			'fd67::1 5' 'fd77::10 5' 'fd77::12 5' 'fd77::13 20' 'fd77::14 20')
		kl-set -p "$PINS" enforce-allow on
		diff <(verdicts) <(printf '%s\n' '10.77.0.13 20' '10.77.0.14 20' 'fd77::13 20' 'fd77::14 20')
		in_here kl-attach -p "$PINS" --detach
	done
}

# nd HOPS TYPE: an ICMPv6 message from fd77::11.
nd() {
	peer_send hex="02000000000b02000000000a86dd6000000000183a$(printf %02x "$1")fd770000000000000000000000000011fd770000000000000000000000000002$(printf %02x "$2")$(printf '00%.0s' {1..23})"
}
# mld HOPS FROM: a listener query, behind its router alert, from FROM::11.
mld() {
	local to=ff020000000000000000000000000001 alert=3a00050200000100
	peer_send hex="02000000000b02000000000a86dd60000000002000$(printf %02x "$1")${2}0000000000000000000000000011$to${alert}82$(printf '00%.0s' {1..23})"
}
# Each in a number of its own.
essentials() {
	local t
	for t in 133 134 135 136 137; do nd 255 $t; done
	mld 1 fe80
	mld 1 febf
	peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp sport=67 dport=68
	peer_send -c 4 src=fd77::12 dst=fd77::2 proto=udp sport=547 dport=546
	peer_send -c 7 "hex=ffffffffffff02000000000a08060001080006040001$(printf '00%.0s' {1..38})"
}
others() {
	local t
	for t in 133 134 135 136 137; do nd 64 $t; done
	for t in 128 132 138; do nd 255 $t; done
	nd 255 130
	nd 1 131
	mld 2 fe80
	mld 255 fe80
	mld 1 fec0
	mld 1 fd77
	peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp sport=68 dport=67
	peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=tcp sport=67 dport=68
	peer_send -c 3 src=10.77.0.11 dst=10.77.0.2 proto=udp sport=67 dport=68 frag=0 more=1
	peer_send -c 4 src=fd77::12 dst=fd77::2 proto=udp sport=546 dport=547
	peer_send -c 4 src=fd77::12 dst=fd77::2 proto=udp sport=67 dport=68
	peer_send src=10.77.0.11 dst=10.77.0.2 proto=udp vlan=1,2,3,4,5
	peer_send src=10.77.0.11 dst=10.77.0.2 proto=udp cut=30
}

@test "ARP, neighbour discovery and listener queries of the link and DHCP replies pass whatever is set; what looks like them does not" {
	export -f essentials others mld
	for flavour in new old; do
		attach --flavour "$flavour"
		for s in 10.77.0.11 fd77::11 fd77::12 fe80::/10 fec0::/10; do rule add deny $s; done
		kl-set -p "$PINS" default-limit 1/1
		# Malformed frames are nobody's: only enforce-allow drops them.
		diff <(arrivals essentials) <(printf '%s\n' '- 7' '10.77.0.11 3' 'fd77::11 5' 'fd77::12 4' 'fe80::11 1' 'febf::11 1')
		diff <(arrivals others) <(printf '%s\n' '- 1' '10.77.0.11 1')
		kl-set -p "$PINS" -f enforce-allow on
		diff <(arrivals essentials) <(printf '%s\n' '- 7' '10.77.0.11 3' 'fd77::11 5' 'fd77::12 4' 'fe80::11 1' 'febf::11 1')
		diff <(arrivals others) /dev/null
		in_here kl-attach -p "$PINS" --detach
	done
}

@test "a rule's end comes in the kernel, nobody helping; an expired longer prefix hides no shorter one" {
	for flavour in new old; do
		attach --flavour "$flavour"
		[ "$(passes 10.77.0.11)" -eq 20 ]
		rule add deny 10.77.0.11 --ttl 4s
		rule add deny 10.66.0.0/16
		rule add deny 10.66.1.0/24 --ttl 4s
		rule add limit 10.67.0.0/16 --rate 1 --burst 5
		rule add limit 10.67.1.0/24 --rate 5000 --burst 500 --ttl 4s
		rule add limit 10.67.1.1 --rate 5000 --burst 500 --ttl 4s
		rule add allow 10.68.0.0/16
		rule add allow 10.68.1.0/24 --ttl 4s
		rule add deny 10.68.1.1
		[ "$(passes 10.77.0.11)" -eq 0 ]
		[ "$(passes 10.67.1.1)" -eq 20 ]
		sleep 4.2
		[ "$(passes 10.77.0.11)" -eq 20 ]
		[ "$(passes 10.66.1.1)" -eq 0 ]
		n=$(passes 10.67.1.1)
		[ "$n" -ge 5 ]
		[ "$n" -le 7 ]
		[ "$(passes 10.68.1.1)" -eq 20 ]
		in_here kl-attach -p "$PINS" --detach
	done
}

@test "rules changed while packets flow hold at once for a source that is known" {
	attach
	for k in 10.77.0.11 10.77.0.0/24; do
		peer_send -t 12 -c 9000 -r 1000 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9 2>/dev/null &
		sender=$!
		now() { arrivals sleep 0.3 | awk '$1 == "10.77.0.11" { n = $2 } END { print n + 0 }'; }
		sleep 0.2
		[ "$(now)" -ge 100 ]
		rule add deny "$k"
		[ "$(now)" -eq 0 ]
		rule del deny "$k"
		[ "$(now)" -ge 100 ]
		rule add limit $k --rate 20 --burst 1
		n=$(now)
		[ "$n" -ge 4 ]
		[ "$n" -le 20 ]
		rule add allow $k
		[ "$(now)" -ge 100 ]
		rule del limit $k
		rule del allow $k
		kill "$sender"
		wait "$sender" || true
	done
}

@test "rules of single addresses hold where sources are kept by /64" {
	attach
	kl-set -p "$PINS" src6-prefix 64
	rule add deny fd77::11
	one() { arrivals peer_send -c 10 src="$1" dst=fd77::2 proto=udp dport=9 | awk '{ n = $2 } END { print n + 0 }'; }
	[ "$(one fd77::10)" -eq 10 ]
	[ "$(one fd77::11)" -eq 0 ]
	[ "$(one fd77::10)" -eq 10 ]
	rule del deny fd77::11
	[ "$(one fd77::11)" -eq 10 ]
	rule add deny fd77::/64
	[ "$(one fd77::10)" -eq 0 ]
}
