#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The packet path against its reference: hand-made packets, random ones,
# captures; and broken programs, each of which must be caught.

# shellcheck disable=SC2030,SC2031,SC2154 # bats sets them, a subshell a test
load lib

setup() {
	[[ $BATS_TEST_DESCRIPTION == *unprivileged* ]] || need_root
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() { lab_down; }

# A capture of one Ethernet frame given in hexadecimal: capture FILE HEX.
capture() {
	local n=$((${#2} / 2)) le
	le=$(printf '%02x%02x0000' $((n & 255)) $((n >> 8)))
	# shellcheck disable=SC2001 # a capture group
	printf '%b' "$(sed 's/../\\x&/g' <<<"d4c3b2a1020004000000000000000000ffff000001000000$(printf '%016d' 0)$le$le$2")" >"$1"
}
FRAME=02000000000102000000000208004500001c0001000040110000cb007107c00002019c40003500080000

says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-selftest: $line")
}

@test "both flavours: every hand-made packet and thousands of random ones, as the reference" {
	for flavour in new old; do
		run --separate-stderr kl-selftest --flavour "$flavour"
		[ "$status" -eq 0 ]
		[[ $stderr =~ ^kl-selftest:\ ([0-9]+)\ packets,\ ([0-9]+)\ rows,\ 0\ differ$ ]]
		[ "${BASH_REMATCH[1]}" -ge 5000 ]
		[ "${BASH_REMATCH[2]}" -ge 400 ]
		[ "${#lines[@]}" -eq $((BASH_REMATCH[2] + 1)) ]
		[ "${lines[0]}" = $'case\tpacket\twant\tgot\tresult' ]
		awk -F'\t' 'NF != 5 || (NR > 1 && ($3 != $4 || $5 != "ok"))' <<<"$output" | diff - /dev/null
		printf '%s\n' "${lines[@]}" >"$flavour"
	done
	diff new old
}

@test "the bypass matrix: denied, and in default-deny, nothing slips through" {
	kl-selftest --packets 0 >out 2>err
	for packet in udp syn vlan-udp vlan-syn qinq-syn 3-tags-syn options-syn icmp-echo gre esp sctp later-fragment \
		later-fragment-as-port first-fragment-cut ip6-syn ip6-hopopts-syn ip6-routing-syn ip6-dstopts-syn \
		ip6-icmp-echo ip6-gre ip6-later-fragment-as-port; do
		for c in "deny-host drop_deny" "deny-prefix drop_deny" "deny-tables-full drop_deny" \
			"enforce-allow drop_allow" "edge-allow-nothing drop_edge"; do
			grep -qx "${c% *}	$packet	${c#* }	${c#* }	ok" out || { echo "$c $packet"; return 1; }
		done
	done
	grep -qx 'edge-allow-443	ip6-hopopts-syn	pass	pass	ok' out
	grep -qx 'edge-allow-443	later-fragment-as-port	drop_edge	drop_edge	ok' out
	grep -qx 'edge-allow-443	5-tags-syn	drop_malformed	drop_malformed	ok' out
	diff err - <<<"kl-selftest: $(($(wc -l <out) - 1)) packets, $(($(wc -l <out) - 1)) rows, 0 differ"
}

@test "--seed and --packets: the same again, other ones" {
	says 0 "$((502 + 640)) packets, 503 rows, 0 differ" kl-selftest --packets 577 --seed 9
	[ "${lines[-1]}" = $'random\t640 packets\tas the reference\tas the reference\tok' ]
}

@test "captures: whole, short, of another kind, cut, none" {
	capture one "$FRAME"
	capture short 0200
	says 0 "503 packets, 503 rows, 0 differ" kl-selftest --packets 0 one
	[ "${lines[-1]}" = $'one\t1 packets\tas the reference\tas the reference\tok' ]
	run --separate-stderr kl-selftest --packets 0 short one
	[ "$status" -eq 0 ]
	[ "${stderr_lines[0]}" = "kl-selftest: frames too short or too long to be tested: 1" ]
	head -c 50 one >stump
	run --separate-stderr kl-selftest --packets 0 stump one
	[ "$status" -eq 3 ]
	[ "${lines[-1]%%$'\t'*}" = one ]
	[[ ${stderr_lines[0]} == "kl-selftest: stump: truncated dump file"* ]]
	run --separate-stderr kl-selftest --packets 0 none
	[ "$status" -eq 3 ]
	[ "${stderr_lines[0]}" = "kl-selftest: none: No such file or directory" ]
	# Link type 147 is whatever its user made of it.
	{ head -c 20 one; printf '\x93\0\0\0'; tail -c +25 one; } >user
	run --separate-stderr kl-selftest --packets 0 user
	[ "$status" -eq 3 ]
	[ "${stderr_lines[0]}" = "kl-selftest: user: link type 147 is not understood" ]
}

@test "every capture of real traffic passes" {
	captures=${KL_CAPTURES-$TOP/../shared/data}
	[[ -d $captures ]] || skip "no captures: \$KL_CAPTURES names their directory"
	# Not a capture to every version of libpcap: its interfaces differ in snapshot length.
	mapfile -t list < <(find "$captures" -name '*.pcap*' ! -name '*.tsv' ! -name ip4-malformed.pcap | sort)
	[ "${#list[@]}" -ge 50 ]
	run --separate-stderr kl-selftest --packets 0 "${list[@]}"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq $((503 + ${#list[@]})) ]
	run -1 grep -v 'ok$' < <(tail -n +2 <<<"$output")
}

@test "-p: the program that runs is the one that was tested, or another one" {
	lab_up no6
	says 4 "nothing is attached under '$PINS'" kl-selftest -p "$PINS" --packets 0
	in_here kl-attach -p "$PINS" --flavour new --sources 4096 in0 >/dev/null
	kl-rule -p "$PINS" add deny 203.0.113.7
	kl-dump-total -p "$PINS" -s total >/dev/null
	run --separate-stderr in_here kl-selftest -p "$PINS" --flavour new --packets 64
	[ "$status" -eq 0 ]
	grep -qP '^running\t\Q'"$PINS"'\E\t([0-9a-f]{16})\t\1\tok$' <<<"${lines[1]}"
	# What runs was neither asked nor changed.
	kl-dump-total -p "$PINS" -s total | tail -n 1 | cut -f 4-8 | diff - <(printf '0\t0\t0\t0\t0\n')
	[ "$(kl-rule -p "$PINS" list deny | grep -c 203.0.113.7)" -eq 1 ]
	run --separate-stderr in_here kl-selftest -p "$PINS" --flavour old --packets 0
	[ "$status" -eq 1 ]
	grep -qP '^running\t\S+\t[0-9a-f]{16}\t[0-9a-f]{16}\tdiffers$' <<<"${lines[1]}"
	[[ $stderr == *", 1 differ" ]]
}

@test "called wrongly, no object, not a program" {
	says 2 "--object holds one flavour: it excludes --flavour" kl-selftest --object x --flavour old
	run --separate-stderr kl-selftest --object none
	[ "$status" -eq 4 ]
	[[ $stderr == "kl-selftest: cannot load none: No such file or directory"* ]]
	run --separate-stderr kl-selftest --object "$HELPERS/differ"
	[ "$status" -eq 4 ]
	[[ $stderr == "kl-selftest: cannot load "* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "unprivileged: one line, status 4" {
	local as
	[[ $EUID == 0 ]] && as=(setpriv --reuid=65534 --regid=65534 --clear-groups) || as=()
	cd /
	run --separate-stderr "${as[@]}" kl-selftest
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	diff <(echo "$stderr") <(echo "kl-selftest: no privilege: CAP_BPF and CAP_NET_ADMIN are needed")
}

# mutant FILE SED [OPTION...]: a program broken that way is caught.
mutant() {
	local file=$1 how=$2
	shift 2
	rm -rf mutant
	cp -r "$TOP/bpf" mutant
	sed -i "$how" "mutant/$file"
	! cmp -s "$TOP/bpf/$file" "mutant/$file" || { echo "nothing to break: $file $how"; return 1; }
	clang -O2 -g -target bpf -mcpu=v3 -I"/usr/include/$(uname -m)-linux-gnu" -c -o mutant.o mutant/kl_xdp.bpf.c
	run --separate-stderr kl-selftest --object mutant.o "$@"
	[[ $status == 1 && $output == *$'\tdiffers'* ]] || { echo "not caught: $file $how $stderr"; return 1; }
}

@test "broken programs are caught by the hand-made packets" {
	mutant kl_xdp.bpf.c 's/return KL_DROP_DENY;/return KL_PASS;/' --packets 0
	mutant essential.bpf.h 's/ || k->hops != 255//' --packets 0
	mutant parse.bpf.h 's/^#define KL_VLANS 4/#define KL_VLANS 2/' --packets 0
	mutant parse.bpf.h 's/case 0: case 43:/case 43:/' --packets 0
	mutant parse.bpf.h 's/off & NUM16(0x1fff) ? FRAG_LATER ://' --packets 0
	mutant parse.bpf.h 's/p\[0\] != 0x45/0/' --packets 0
	mutant tuple.bpf.h 's/ || hidden(k)//' --packets 0
	mutant reply.bpf.h 's/ || (k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)/)/' --packets 0
	mutant limit.bpf.h 's/next - now > /next - now >= /' --packets 0
	mutant conn.bpf.h 's/c->closing ? brief : life/life/' --packets 0
	mutant guard.bpf.h 's/now >= cfg.trial_ns/0/' --packets 0
	mutant shake.bpf.h 's/BE32(p + 8) - 1/BE32(p + 8)/' --packets 0
	mutant shake.bpf.h 's/set\[i\] = 0;//' --packets 0
	mutant shake.bpf.h 's/TCP_SYN | TCP_RST | TCP_ACK/TCP_SYN | TCP_ACK/' --packets 0
	mutant kl_xdp.bpf.c 's/if (v == KL_PASS) {/if (flow.r \&\& may_complete(k) \&\& completes(ctx)) ADD(flow.r->est, 1); &/' \
		--packets 0
	mutant surge.bpf.h 's/age < early/age < 0/' --packets 0
	mutant surge.bpf.h 's/age <= SURGE_LATE/age <= 60/' --packets 0
	mutant surge.bpf.h 's/r->syn + 2/r->syn + 1/' --packets 0
	mutant surge.bpf.h 's/!pol && c/c/' --packets 0
	mutant surge.bpf.h 's/|= KL_POL_SUSPECT/|= 0/' --packets 0
	mutant surge.bpf.h 's/ + last \* 8//' --packets 0
	mutant surge.bpf.h 's/!twin && pol/pol/' --packets 0
	mutant surge.bpf.h 's/age < SURGE_TWINS/0/' --packets 0
	mutant guard.bpf.h 's/ - HISTORY_S \* cfg.hz//' --packets 0
	mutant count.bpf.h 's/(k->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN/k->flags \& TCP_SYN/' --packets 0
}

@test "broken programs are caught by the random packets" {
	mutant judge.bpf.h 's/if (until <= now_ns)/if (0)/'
	mutant judge.bpf.h 's/j->until_j = j->now + (__u32)left;/(void)left;/'
	mutant tuple.bpf.h 's/(r->pol & ~0xffu) == gen && //' --packets 20000
	mutant flow.bpf.h 's/ADD(r->drops, 1)/ADD(r->drops, 2)/'
	mutant hist.bpf.h 's/len >= 64u << i/len > 64u << i/'
	mutant egress.bpf.h 's/ && (k->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK)//'
}

@test "fifty thousand random pairs, then one that differs is told with its seed, world and frame" {
	run --separate-stderr "$HELPERS/differ" -n 50000 -s 77
	[ "$status" -eq 0 ]
	[[ $output =~ ^([0-9]+)\ pairs.*ports\ ([0-9]+)\ of\ ([0-9]+)$ ]]
	[ "${BASH_REMATCH[1]}" -ge 50000 ]
	# The sketch of ports takes few for others.
	[ "${BASH_REMATCH[2]}" -ge $((BASH_REMATCH[3] * 95 / 100)) ]
	cp -r "$TOP/bpf" mutant
	sed -i 's/return KL_DROP_RL;/return KL_PASS;/; s/: KL_DROP_RL;/: KL_PASS;/' mutant/kl_xdp.bpf.c mutant/tuple.bpf.h
	clang -O2 -g -target bpf -mcpu=v3 -I"/usr/include/$(uname -m)-linux-gnu" -c -o mutant.o mutant/kl_xdp.bpf.c
	run --separate-stderr "$HELPERS/differ" -n 50000 -s 77 -o mutant.o
	[ "$status" -eq 1 ]
	first=${lines[0]}
	[[ $first =~ ^seed\ ([0-9]+) ]]
	[[ $first == *"verdict: want drop_rl, got pass"* ]]
	run --separate-stderr "$HELPERS/differ" -n 1 -s "${BASH_REMATCH[1]}" -o mutant.o
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = "$first" ]
	grep -q '^set: enforce-allow' <<<"$output"
}
