#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq graph: the frozen baseline in the kernel, by difference, on trial, and taken out again; the picture.

# shellcheck disable=SC2154,SC2016 # bats sets stderr; an inner shell expands
load lib

setup() {
	STATE=$BATS_TEST_TMPDIR/iq
	mkdir "$STATE"
	kl-graph-record --schema | sqlite3 "$STATE/kliq.db" >/dev/null
}

teardown() { lab_down; }

lab() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 --egress in0 >/dev/null
}

# The baseline of most tests, the one a freeze of learned edges would have written.
baseline() {
	kl-graph --db "$STATE/kliq.db" --frozen "$STATE/frozen.txt" import - <<-'END'
		in 10.77.0.0/24 22/tcp approved
		in 10.77.0.11 0/icmp frozen
		in 10.77.0.11 9/udp frozen
		in 10.77.0.12 9/udp denied
		in 10.77.0.13 */udp frozen
		in fd77::11 9/udp approved
		out 10.77.0.1 53/udp frozen
	END
}

kernel() { in_here kliq graph "$@" -p "$PINS" --state "$STATE"; }
edge_mode() { kl-set -p "$PINS" | awk '$1 == "edge-mode" { print $2 }'; }
rules() { kl-rule -p "$PINS" list | awk -F'\t' '$1 != "time" && $3 != "*" { print $2, $3, $9 "/" $10, $7 }'; }
generations() {
	local pin
	for pin in kernloom_cfg kernloom_edge4_cfg kernloom_edge6_cfg; do
		bpftool -j map dump pinned "$PINS/$pin" | jq -c '.[0].value'
	done
}
# hello LAST: of three datagrams to port 9 from that address, of either family, those that arrive.
both() {
	peer_send -c 3 src="10.77.0.$1" dst=10.77.0.2 proto=udp dport=9
	peer_send -c 3 src="fd77::$1" dst=fd77::2 proto=udp dport=9
}
hello() {
	export PEER HELPERS
	export -f peer_send in_peer both
	in_here "$HELPERS/recv" in0 bash -c '"$@"' bash both "$1" |
		awk '$1 ~ /^10\./ { four = $2 } $1 ~ /^fd/ { six = $2 } END { print four + 0, six + 0 }'
}

@test "sync: both families, by difference, of owner graph alone; revoking works" {
	lab
	baseline
	kl-set -p "$PINS" --force edge-mode deny
	kl-rule -p "$PINS" add edge-allow 10.77.0.50 1/tcp
	kl-rule -p "$PINS" add edge-allow fd77::11 9/udp
	kl-rule -p "$PINS" add edge-deny 10.77.0.50 2/tcp --owner iq
	mkdir "$STATE/learn"
	printf '%s\n' '10.77.0.12 9/udp' '10.77.0.66 23/tcp' >"$STATE/learn/deny.txt"
	run --separate-stderr kernel sync
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-rule: table edge-allow: 1 rules of the list are others' and stay so" ]
	kl-rule -p "$PINS" del edge-allow fd77::11 9/udp
	kernel sync
	diff <(rules) - <<-'END'
		edge-allow 10.77.0.11 0/icmp graph
		edge-allow 10.77.0.11 9/udp graph
		edge-allow 10.77.0.50 1/tcp operator
		edge-allow fd77::11 9/udp graph
		edge-deny 10.77.0.12 9/udp graph
		edge-deny 10.77.0.50 2/tcp iq
		edge-deny 10.77.0.66 23/tcp graph
	END
	was=$(generations)
	kernel sync
	[ "$(generations)" = "$was" ]
	# Revoked, denied, and no violation any more.
	kl-graph --db "$STATE/kliq.db" --frozen "$STATE/frozen.txt" forget 10.77.0.11 0/icmp
	kl-graph --db "$STATE/kliq.db" --frozen "$STATE/frozen.txt" deny fd77::11
	: >"$STATE/learn/deny.txt"
	kernel sync
	diff <(rules) - <<-'END'
		edge-allow 10.77.0.11 9/udp graph
		edge-allow 10.77.0.50 1/tcp operator
		edge-deny 10.77.0.12 9/udp graph
		edge-deny 10.77.0.50 2/tcp iq
		edge-deny fd77::11 9/udp graph
	END
	diff <(echo 3 0) <(hello 11)
}

@test "enforce: the rehearsal, what is left out, then nothing but the edges; relax goes back" {
	lab
	baseline
	diff <(echo 3 3) <(hello 14)
	# What is known, but nobody froze.
	printf '%s\n' $'time\tdt\tdir\tsrc\tport\tproto\tpkts\tbytes\tsyn\tdrops' $'0.000\t1.000\tin\t10.77.0.14\t9\tudp\t3\t90\t0\t0' \
		$'0.000\t1.000\t-\t*\t-\t-\t0\t0\t0\t0' | kl-graph-record | sqlite3 -bail "$STATE/kliq.db"
	run --separate-stderr kernel enforce --confirm 60
	[ "$status" -eq 0 ]
	diff <(awk -F'\t' '{ print $2, $3, $4, $6, $NF }' <<<"$output") - <<-'END'
		dir src port state verdict
		in 10.77.0.14 9 candidate cut
		in 10.77.0.0/24 22 approved cut
		in 10.77.0.13 0 frozen cut
		in 10.77.0.11 0 frozen keep
		in 10.77.0.11 9 frozen keep
		in fd77::11 9 approved keep
		out 10.77.0.1 53 frozen keep
		- * - - 3
	END
	[[ $stderr == *"kliq: not in the kernel, so not let in by edge-mode allow: in 10.77.0.0/24 22/tcp approved"* ]]
	[[ $stderr == *"edge-mode allow: in 10.77.0.13 */udp frozen"* ]]
	[[ $stderr == *"kl-set: reverts in 60 s unless: kl-set -p $PINS confirm"* ]]
	[ "$(edge_mode)" = allow ]
	[ "$(kl-set -p "$PINS" | awk '$1 == "flows" { print $2 }')" = on ]
	diff <(echo 3 3) <(hello 11)
	diff <(echo 0 0) <(hello 12)
	diff <(echo 0 0) <(hello 14)
	kl-set -p "$PINS" confirm
	kl-rule -p "$PINS" add edge-allow 10.77.0.50 1/tcp
	kernel relax
	[ "$(edge_mode)" = off ]
	diff <(rules) <(echo edge-allow 10.77.0.50 1/tcp operator)
	diff <(echo 3 3) <(hello 14)
}

@test "enforce is a trial: unconfirmed, the packet path takes it back by itself" {
	lab
	baseline
	kernel enforce --confirm 1 >/dev/null 2>&1
	sleep 1.2
	diff <(echo 3 3) <(hello 14)
	run kl-set -p "$PINS" confirm
	[ "$status" -eq 1 ]
	[ "$(edge_mode)" = off ]
}

@test "enforce refuses to lock out, and changes nothing then; --force goes on" {
	lab
	baseline
	export SSH_CONNECTION="10.77.0.1 50000 10.77.0.2 22"
	run --separate-stderr kernel enforce
	[ "$status" -eq 1 ]
	[[ $stderr == *"10.77.0.1"* ]]
	[[ $stderr != *"back in"* ]]
	[ "$(edge_mode)" = off ]
	kernel enforce --force >/dev/null 2>&1
	[ "$(edge_mode)" = allow ]
}

@test "called wrongly, no baseline, a broken one, no privilege: one line, nothing changed" {
	fails() {
		local want=$1 line=$2
		shift 2
		run --separate-stderr "$@"
		[ "$status" -eq "$want" ]
		# shellcheck disable=SC2053 # a pattern
		[[ $stderr == $line ]]
	}
	fails 2 "kliq: graph needs a command: *" kliq graph
	fails 2 "kl-graph: no command 'nonsense': *" kliq graph nonsense
	fails 2 "kliq: graph sync: unknown '--confirm'" kliq graph sync --confirm 3
	fails 2 "kliq: --confirm needs a number of seconds" kliq graph enforce --confirm soon
	fails 2 "kliq: --confirm needs a number of seconds" kliq graph enforce --confirm 0
	fails 2 "kliq: --state needs a value" kliq graph relax --state
	lab
	fails 2 "kliq: no baseline '$STATE/frozen.txt': kl-graph freeze makes one" kernel enforce
	fails 2 "kliq: no baseline '$STATE/frozen.txt': kl-graph freeze makes one" kernel sync
	baseline
	kernel sync 2>/dev/null
	was=$(rules)
	sed -i 's/approved/aproved/' "$STATE/frozen.txt"
	fails 2 "kl-graph-check: *frozen.txt:1: *'aproved'*" kernel sync
	fails 2 "kl-graph-check: *frozen.txt:1: *'aproved'*" kernel enforce
	[ "$(rules)" = "$was" ]
	[ "$(edge_mode)" = off ]
	fails 4 "kliq: graph sync needs root*" setpriv --reuid=65534 --regid=65534 --clear-groups kliq graph sync --state "$STATE"
}

@test "any other command is kl-graph's" {
	baseline
	diff <(kliq graph --db "$STATE/kliq.db" list) <(kl-graph --db "$STATE/kliq.db" list)
	diff <(kliq graph list --db "$STATE/kliq.db" --state denied | cut -f3,4) <(printf '%s\n' $'src\tport' $'10.77.0.12\t9' $'*\t-')
}

@test "picture: an SVG with every edge, written whole or not at all" {
	command -v dot >/dev/null || skip "no graphviz"
	baseline
	kliq graph picture --state "$STATE" >"$BATS_TEST_TMPDIR/a.svg"
	kliq graph picture --state "$STATE" -o "$BATS_TEST_TMPDIR/b.svg"
	cmp "$BATS_TEST_TMPDIR/a.svg" "$BATS_TEST_TMPDIR/b.svg"
	grep -q '</svg>' "$BATS_TEST_TMPDIR/a.svg"
	for text in '10.77.0.0/24' 10.77.0.11 10.77.0.12 10.77.0.13 fd77::11 '22/tcp' '9/udp' '53/udp'; do
		grep -qF ">$text</text>" "$BATS_TEST_TMPDIR/b.svg"
	done
	[ "$(grep -c 'class="edge"' "$BATS_TEST_TMPDIR/b.svg")" -eq 7 ]
	for text in frozen approved learned 'candidate or expired' denied violated; do
		grep -q "<text .*$text.*</text>" "$BATS_TEST_TMPDIR/b.svg"
	done
	run --separate-stderr kliq graph picture --state "$BATS_TEST_TMPDIR/none" -o "$BATS_TEST_TMPDIR/c.svg"
	[ "$status" -eq 4 ]
	[ ! -e "$BATS_TEST_TMPDIR/c.svg" ]
}
