#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-attach: modes, interfaces, instances, replacing under fire, detaching, refusals.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
}

teardown() {
	if [[ -n ${OTHER-} ]] && mountpoint -q "$OTHER"; then
		umount "$OTHER"
	fi
	lab_down
}

attach() { in_here kl-attach -p "$PINS" --sources 4096 "$@"; }
again() { in_here kl-attach -p "$PINS" "$@"; }
passes() { got "$1" peer_send -c 20 src="$1" dst=10.77.0.2 proto=udp dport=9; }
# rows: iface mode pin of a listing.
rows() { cut -f1,2,4; }
says() { # STATUS MESSAGE COMMAND...: nothing on stdout, one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	[ "$output" = "" ]
	diff <(echo "$stderr") <(echo "kl-attach: $line")
}
second_pair() { # NAME: another interface here
	ip -n "$HERE" link add "$1" type veth peer name peer-x
	ip -n "$HERE" link set "$1" up
	ip -n "$HERE" link set peer-x up
}
empty() { diff <(find "$PINS" -mindepth 1 ! -name '*.debug') /dev/null; }

@test "native first; generic when asked; status; detached nothing is left" {
	says 1 "nothing is attached under '$PINS'" again --status
	run --separate-stderr attach in0
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(rows <<<"$output") <(printf 'iface\tmode\tpin\nin0\tnative\tkernloom_shield_xdp_link\n')
	ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp.mode == 1' >/dev/null
	run --separate-stderr again --status
	[ "$status" -eq 0 ]
	grep -qP '^in0\tnative\t[0-9]+\tkernloom_shield_xdp_link\tno$' <<<"${lines[1]}"
	[ "$(cut -f3 <<<"${lines[1]}")" = "$(ip -n "$HERE" -j link show in0 | jq '.[0].xdp.prog.id')" ]
	diff <(find "$PINS" -mindepth 1 ! -name '*.debug' -printf '%f\n' | sort) - <<-'END'
		kernloom_allow4_lpm
		kernloom_allow6_lpm
		kernloom_cfg
		kernloom_conns
		kernloom_deny4_hash
		kernloom_deny4_lpm
		kernloom_deny6_hash
		kernloom_deny6_lpm
		kernloom_edge4_allow
		kernloom_edge4_cfg
		kernloom_edge4_deny
		kernloom_edge4_rl_policy
		kernloom_edge6_allow
		kernloom_edge6_cfg
		kernloom_edge6_deny
		kernloom_edge6_rl_policy
		kernloom_events
		kernloom_flow4_stats
		kernloom_flow4_stats_cold
		kernloom_flow4_stats_tags
		kernloom_flow6_stats
		kernloom_flow6_stats_cold
		kernloom_flow6_stats_tags
		kernloom_hist
		kernloom_locks
		kernloom_rl_cfg
		kernloom_rl_policy4
		kernloom_rl_policy4_lpm
		kernloom_rl_policy6
		kernloom_rl_policy6_lpm
		kernloom_shield_xdp_link
		kernloom_src4_stats
		kernloom_src4_stats_cold
		kernloom_src4_stats_ports
		kernloom_src4_stats_tags
		kernloom_src6_stats
		kernloom_src6_stats_cold
		kernloom_src6_stats_ports
		kernloom_src6_stats_tags
		kernloom_totals
	END
	says 4 "cannot attach to 'in0': it runs there in the other mode; detach it first" bash -c \
		'nsenter --net="/run/netns/$1" kl-attach -p "$2" --mode generic in0 >/dev/null' bash "$HERE" "$PINS"
	run --separate-stderr again --detach
	[ "$status" -eq 0 ]
	[ "$output$stderr" = "" ]
	empty
	ip -n "$HERE" -j link show in0 | jq -e '.[0].xdp == null' >/dev/null
	says 1 "nothing is attached under '$PINS'" again --detach

	diff <(attach --mode generic in0 | rows) <(printf 'iface\tmode\tpin\nin0\tgeneric\tkernloom_shield_xdp_link\n')
	kl-rule -p "$PINS" add deny 10.77.0.11
	[ "$(passes 10.77.0.11)" -eq 0 ]
	[ "$(passes 10.77.0.12)" -eq 20 ]
	again --detach in0
	empty
	diff <(attach --mode native in0 | rows) <(printf 'iface\tmode\tpin\nin0\tnative\tkernloom_shield_xdp_link\n')
}

@test "where native is refused it says so, and why" {
	ip -n "$PEER" link set out0 mtu 9000
	ip -n "$HERE" link set in0 mtu 9000
	run --separate-stderr attach in0
	[ "$status" -eq 0 ]
	[[ $stderr =~ ^"kl-attach: in0: native mode refused: "[A-Z][a-z\ ]+" (MTU too large for native XDP, or LRO on); attached in generic mode, which is slower"$ ]]
	[[ ${lines[1]} == in0$'\t'generic$'\t'* ]]
	kl-rule -p "$PINS" add deny 10.77.0.11
	[ "$(passes 10.77.0.11)" -eq 0 ]
	again --detach
	run --separate-stderr attach --mode native in0
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	[[ $stderr == "kl-attach: cannot attach to 'in0': "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	empty
}

@test "several interfaces on one instance, dots in a name; one off, then all" {
	second_pair in1.7
	diff <(attach in0 in1.7 | rows) <(printf '%s\n' 'iface	mode	pin' 'in0	native	kernloom_shield_xdp_link' \
		'in1.7	native	kernloom_shield_xdp_link_in1%2e7')
	[ "$(again --status | cut -f3 | sort -u | wc -l)" -eq 2 ]
	kl-rule -p "$PINS" add deny 10.77.0.11
	again --detach in0
	diff <(again --status | rows) <(printf '%s\n' 'iface	mode	pin' 'in1.7	native	kernloom_shield_xdp_link_in1%2e7')
	[ "$(passes 10.77.0.11)" -eq 20 ]
	[ "$(kl-rule -p "$PINS" list deny | cut -f3 | sed -n 2p)" = 10.77.0.11 ]
	says 1 "nothing is attached to 'in0'" again --detach in0
	again in0 >/dev/null
	[ "$(passes 10.77.0.11)" -eq 0 ]
	again --detach in0 in1.7
	empty
}

@test "a second instance knows nothing of the first" {
	second_pair in1
	OTHER=$BATS_TEST_TMPDIR/other
	mkdir "$OTHER"
	mount -t bpf bpf "$OTHER"
	attach in0 >/dev/null
	in_here kl-attach -p "$OTHER/two" --sources 4096 in1 >/dev/null
	kl-rule -p "$OTHER/two" add deny 10.77.0.11
	[ "$(passes 10.77.0.11)" -eq 20 ]
	[ "$(kl-rule -p "$PINS" list | wc -l)" -eq 2 ]
	says 4 "cannot attach to 'in0': another XDP program is there" in_here kl-attach -p "$OTHER/two" in0
	again --detach
	diff <(in_here kl-attach -p "$OTHER/two" --status | rows) \
		<(printf 'iface\tmode\tpin\nin1\tnative\tkernloom_shield_xdp_link\n')
	in_here kl-attach -p "$OTHER/two" --detach
	[ ! -e "$OTHER/two" ]
}

@test "replaced under fire: no packet of a denied source arrives, counters go on, to another flavour and back" {
	attach in0 >/dev/null
	kl-rule -p "$PINS" add deny 10.77.0.11
	[ "$(passes 10.77.0.11)" -eq 0 ]
	first=$(again --status | sed -n 2p | cut -f3)
	fire() {
		peer_send -t 20 -c 40000 -r 20000 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9 &
		local pid=$!
		for flavour in old new old new; do
			in_here kl-attach -p "$PINS" --flavour $flavour in0 >/dev/null
			sleep 0.1
		done
		wait $pid
	}
	export -f fire in_here
	export HERE PINS
	[ "$(got 10.77.0.11 fire)" -eq 0 ]
	[ "$(again --status | sed -n 2p | cut -f3)" -gt "$first" ]
	[ "$(kl-rule -p "$PINS" list deny | sed -n 2p | cut -f8)" -eq 40020 ]
	[ "$(again --status | wc -l)" -eq 2 ]
}

@test "an interface that went and came again" {
	attach in0 >/dev/null
	kl-rule -p "$PINS" add deny 10.77.0.11
	ip -n "$HERE" link del in0
	run --separate-stderr again --status
	[ "$status" -eq 0 ]
	grep -qP '^-\t[a-z]+\t[0-9]+\tkernloom_shield_xdp_link\tno$' <<<"${lines[1]}"
	ip -n "$PEER" link add out0 address 02:00:00:00:00:0a type veth \
		peer name in0 address 02:00:00:00:00:0b netns "$HERE"
	ip -n "$PEER" link set out0 up
	ip -n "$HERE" link set in0 up
	diff <(again in0 | rows) <(printf 'iface\tmode\tpin\nin0\tnative\tkernloom_shield_xdp_link\n')
	[ "$(passes 10.77.0.11)" -eq 0 ]
	[ "$(passes 10.77.0.12)" -eq 20 ]
	ip -n "$HERE" link del in0
	again --detach
	empty
}

@test "refusals: one line, the documented status, nothing left behind" {
	says 2 "no interface given (-h for help)" again
	says 2 "--detach and --status exclude each other" again --detach --status
	says 2 "--status takes no interface: 'in0'" again --status in0
	says 2 "bad value 'fast' for --mode: one of auto native generic" again --mode fast in0
	says 2 "bad value 'both' for --flavour: one of auto new old" again --flavour both in0
	says 2 "bad value '16777217' for --sources: a whole number, 0 to 16777216" again --sources 16777217 in0
	says 2 "'$BATS_TEST_TMPDIR' is not on a bpffs (mount -t bpf bpf DIR)" in_here kl-attach -p "$BATS_TEST_TMPDIR" in0
	says 2 "'$BATS_TEST_TMPDIR/new' is not on a bpffs (mount -t bpf bpf DIR)" in_here kl-attach -p "$BATS_TEST_TMPDIR/new" in0
	[ ! -e "$BATS_TEST_TMPDIR/new" ]
	says 4 "cannot use '$PINS/no/where': No such file or directory" in_here kl-attach -p "$PINS/no/where" in0
	says 4 "cannot attach to 'nowhere0': no such interface" attach nowhere0
	empty
	run --separate-stderr attach in0 nowhere0
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-attach: cannot attach to 'nowhere0': no such interface" ]
	[ "$(again --status | rows | tail -n 1)" = 'in0	native	kernloom_shield_xdp_link' ]
	says 2 "--sources 9999: the running instance has another size; detach it first" again --sources 9999 in0
	again --sources 4096 in0 >/dev/null
	again --sources 0 in0 >/dev/null
	run bash -c 'kl-attach -p "$1" --status 2>&1 >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "kl-attach: cannot write: No space left on device" ]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	says 4 "cannot load: kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" again in0
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	again --detach
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	chmod 777 "$PINS"
	says 4 "cannot load: no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		in_here setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-attach)" -p "$PINS" in0
	empty
}

@test "the tables hold as many sources as --sources says, by default by memory" {
	in_here kl-attach -p "$PINS" --sources 100000 in0 >/dev/null
	sets() { bpftool -j map show pinned "$PINS/kernloom_src4_stats_tags" | jq .max_entries; }
	# 100,000 at two thirds of eight records a set.
	[ "$(sets)" -eq $(((100000 * 1000 / 667 + 7) / 8)) ]
	again --detach
	in_here kl-attach -p "$PINS" in0 >/dev/null
	[ "$(sets)" -ge $(((4096 * 1000 / 667 + 7) / 8)) ]
	[ "$(sets)" -le $(((1048576 * 1000 / 667 + 7) / 8)) ]
}
