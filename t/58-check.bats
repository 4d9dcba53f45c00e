#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-graph-check: what violates the frozen baseline, whom it costs what, the
# edges it wants denied, a baseline that changes, bad use.

# shellcheck disable=SC2154,SC2238 # bats sets stderr; more and cut are files
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	cat >frozen <<-'END'
		in 10.0.0.0/24 22/tcp approved
		in 10.0.0.5 443/tcp frozen  # backups
		in 10.0.0.6 0/icmp frozen
		in 10.0.0.9 80/tcp denied
		in 2001:db8::5 443/tcp frozen
		out 10.0.0.8 53/udp frozen
	END
}

HEAD='time	dt	dir	src	port	proto	pkts	bytes	syn	drops	est'
# flows TIME: a frame of the lines "DIR SRC PORT PROTO SYN DROPS EST" of standard input, ten packets each.
flows() {
	awk -v t="$1" -v OFS='\t' '{ print t ".000", "1.000", $1, $2, $3, $4, 10, 1000, $5, $6, $7 }
		END { print t ".000", "1.000", "-", "*", "-", "-", 0, 0, 0, 0, 0 }'
}
check() { kl-graph-check --frozen frozen "$@"; }
# what: the violations, without time.
what() { awk -F'\t' '$1 != "time" && $3 != "*" { print $2, $3, $4 "/" $5, $6, $7, $8, $9 }'; }

@test "modes: what is no edge of the baseline, what it denies, what it allows" {
	{ echo "$HEAD"; flows 100 <<-'END'
		in 10.0.0.5 443 tcp 1 0 1
		in 10.0.0.77 22 tcp 1 0 1
		in 10.0.0.6 0 icmp 0 0 0
		in 2001:db8::5 443 tcp 1 0 1
		in 10.0.0.9 80 tcp 1 0 0
		in 10.1.0.1 22 tcp 1 0 0
		in 2001:db8::6 443 tcp 1 0 0
		out 10.0.0.8 53 udp 0 0 0
		out 10.0.0.8 80 tcp 1 0 0
		in 10.0.0.8 40000 udp 0 0 0
		in 10.0.0.8 40000 tcp 0 0 0
	END
	} >in
	check in >out
	what <out | diff - <(echo 'in 10.0.0.9 80/tcp denied-edge 95 0 0')
	head -n 1 out | diff - <(printf 'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce\n')
	tail -n 1 out | diff - <(printf '100.000\t-\t*\t-\t-\t-\t-\t-\t-\n')
	check --graph-mode frozen-observe in | what | sort | diff - <(sort <<-'END'
		in 10.0.0.9 80/tcp denied-edge 95 0 0
		in 10.1.0.1 22/tcp new-edge 70 - 0
		in 2001:db8::6 443/tcp new-edge 70 - 0
		out 10.0.0.8 80/tcp new-edge 70 0 0
	END
	)
	check --graph-mode frozen-enforce in | what | sort | diff - <(sort <<-'END'
		in 10.0.0.9 80/tcp denied-edge 95 0 0
		in 10.1.0.1 22/tcp new-edge 95 - 0
		in 2001:db8::6 443/tcp new-edge 95 - 0
		out 10.0.0.8 80/tcp new-edge 70 0 0
	END
	)
	# A port in the range of clients that is a service's.
	check --graph-mode frozen-observe --service 40000/udp in | what | grep -c ' 40000/udp ' | diff - <(echo 1)
	check --graph-mode frozen-observe --ephemeral 50000-60999 in | what | grep -c ' 40000/' | diff - <(echo 2)
}

@test "a forged packet costs a peer nothing; a completed handshake costs strikes, and blocks" {
	one() { { echo "$HEAD"; flows 100 <<<"in $1 8080 tcp 10 0 $2"; } | check --graph-mode frozen-enforce "${@:3}" | what | cut -d' ' -f5-; }
	[ "$(one 10.0.0.5 0)" = "95 0 0" ]
	[ "$(one 10.0.0.5 1)" = "95 - 1" ]
	[ "$(one 10.9.0.5 0)" = "95 - 0" ]
	[ "$(one 10.9.0.5 1)" = "95 - 1" ]
	[ "$(one 10.0.0.5 1 --force never)" = "95 - 0" ]
	[ "$(one 10.0.0.5 0 --force always)" = "95 - 1" ]
	# Without the column nothing is proven.
	{ echo "$HEAD"; flows 100 <<<"in 10.0.0.5 8080 tcp 10 0 1"; } | cut -f1-10 | check --graph-mode frozen-enforce | what | diff - <(echo 'in 10.0.0.5 8080/tcp new-edge 95 0 0')
	# In kl-fsm: a thousand ticks of forgery leave the peer where it is, one proven tick blocks it.
	{ echo "$HEAD"; for t in {100..140}; do flows "$t" <<<"in 10.0.0.5 8080 tcp 10 0 0"; done; } | check --graph-mode frozen-enforce >v
	awk 'BEGIN { OFS = "\t"; print "time", "dt", "src", "drop_rl", "sev", "why"
		for (t = 100; t <= 141; t++) { print t ".000", "1.000", "10.0.0.5", 0, "0.100000", "pps"; print t ".000", "1.000", "*", 0, "-", "-" } }' >score
	[ "$(kl-fsm --violations v score | awk -F'\t' '$2 == "10.0.0.5" && $3 != "OBSERVE"' | wc -l)" -eq 0 ]
	{ echo "$HEAD"; flows 120 <<<"in 10.0.0.5 8080 tcp 10 0 1"; } | check --graph-mode frozen-enforce >v
	kl-fsm --violations v score | awk -F'\t' '$2 == "10.0.0.5" && $3 == "BLOCK" { print $1 + 0, $9; exit }' | diff - <(echo 120 new-edge)
}

@test "--deny: edges that violate, for a while, and those denied for good" {
	{ echo "$HEAD"
	flows 100 <<<$'in 10.1.0.1 23 tcp 1 0 0\nin 2001:db8::6 0 58 0 0 0\nin 10.1.0.1 22 tcp 1 0 0'
	flows 105 <<<$'in 10.1.0.1 23 tcp 1 10 0'
	flows 112 <<<$'in 10.0.0.5 443 tcp 1 0 1'; } >in
	check --graph-mode frozen-enforce --deny d in >/dev/null
	diff d - <<<$'10.0.0.9 80/tcp\n10.1.0.1 22/tcp\n10.1.0.1 23/tcp\n2001:db8::6 0/icmp'
	check --graph-mode frozen-enforce --deny d --deny-ttl 10s in >/dev/null
	diff d - <<<$'10.0.0.9 80/tcp\n10.1.0.1 23/tcp'
	check --graph-mode frozen-observe --deny d in >/dev/null
	diff d - <<<'10.0.0.9 80/tcp'
	# A scan does not make it slow, nor longer than the kernel's table.
	{ echo "$HEAD"; for h in 1 2; do awk -v h=$h 'BEGIN { for (p = 1; p < 40000; p++) print "in", "10.2.0." h, p, "tcp", 10, 0, 0 }'; done | flows 100; } >in
	run --separate-stderr check --graph-mode frozen-enforce --deny d in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-graph-check: 14462 edges are not denied: 65536 are" ]
	[ "$(wc -l <d)" -eq 65537 ]
}

@test "the baseline is read again when it changes; a broken one is said, and the old one stays" {
	mkfifo fifo
	kl-graph-check --frozen frozen --graph-mode frozen-observe <fifo >out 2>err 3>&- &
	pid=$!
	exec 9>fifo
	tick() { # TIME
		flows "$1" <<<"in 10.1.0.1 22 tcp 1 0 0" >&9
		for _ in {1..100}; do ! grep -q "^$1.000.*\*" out || break; sleep 0.05; done
	}
	echo "$HEAD" >&9
	tick 100
	echo 'in 10.1.0.1 22/tcp approved' >frozen.new && mv frozen.new frozen
	tick 101
	echo 'in 10.1.0.1 22/tcp aproved' >frozen.new && mv frozen.new frozen
	tick 102
	rm frozen
	tick 103
	exec 9>&-
	wait "$pid"
	what <out | diff - <(echo 'in 10.1.0.1 22/tcp new-edge 70 - 0')
	grep -q "'frozen' is broken; what it said before stays" err
	grep -q "'frozen' is gone; what it said before stays" err
	[ "$(wc -l <err)" -eq 3 ]
}

@test "bad use and input: one line, the documented status" {
	fails() {
		local want=$1 line=$2
		shift 2
		run --separate-stderr "$@"
		[ "$status" -eq "$want" ]
		diff <(echo "$stderr") <(echo "kl-graph-check: $line")
	}
	echo "$HEAD" >in
	flows 100 <<<"in 10.1.0.1 22 tcp 1 0 0" >>in
	fails 2 "--frozen is needed: the baseline to hold flows against" kl-graph-check in
	fails 2 "cannot read 'none': No such file or directory" kl-graph-check --frozen none in
	fails 2 "more than one FILE: 'b'" check a b
	fails 2 "bad value 'x' for --ephemeral: ports LO-HI, 1 to 65535" check --ephemeral x in
	fails 2 "bad value '22' for --service: PORT/PROTO, with tcp, udp or sctp" check --service 22 in
	fails 2 "bad value 'on' for --graph-mode: one of learn frozen-observe frozen-enforce" check --graph-mode on in
	printf 'in 10.0.0.5 443/tcp frozen\nin 10.0.0.5 443 frozen\n' >bad
	run --separate-stderr kl-graph-check --frozen bad in
	[ "$status" -eq 2 ]
	[[ $stderr == "kl-graph-check: bad:2: "* ]]
	sed '$d' in >cut
	run --separate-stderr check --graph-mode frozen-observe cut
	[ "$status" -eq 3 ]
	[[ $output != *10.1.0.1* ]]
	sed 's/22/99999/' in >wrong
	run --separate-stderr check --graph-mode frozen-observe wrong
	[ "$status" -eq 1 ]
	[[ $stderr == "kl-graph-check: wrong:2: port: not 0 to 65535 '99999'" ]]
}
