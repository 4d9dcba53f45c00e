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
		until_true grep -q "^$1.000.*\*" out
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

# What kl-graph list prints of an edge: "DIR SRC PORT PROTO STATE OBS MEDIAN MAD PEAK" (packets; bytes are a hundred times that).
normals() {
	awk -v OFS='\t' 'BEGIN { print "time", "dir", "src", "port", "proto", "state", "bl_obs", "bl_pps_median", "bl_pps_mad", "bl_pps_peak", "bl_bps_median", "bl_bps_mad", "bl_bps_peak" }
		{ print "90.000", $1, $2, $3, $4, $5, $6, $7, $8, $9, 100 * $7, 100 * $8, 100 * $9 }
		END { print "90.000", "-", "*", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-" }'
}
# wire SECONDS PKTS BYTES [EST]...: frames of a second from 100 on, each with so much on the edges of "edges".
wire() {
	echo "$HEAD"
	awk -v OFS='\t' -v n="$1" -v pkts="$2" -v bytes="$3" -v est="${4:-0}" '
		{ key[NR] = $1 OFS $2 OFS $3 OFS $4 }
		END {
			for (t = 100; t <= 100 + n; t++) {
				for (i = 1; i <= NR; i++)
					print t ".000", "1.000", key[i], pkts, bytes, 0, 0, est
				print t ".000", "1.000", "-", "*", "-", "-", 0, 0, 0, 0, 0
			}
		}' edges
}

@test "--baselines: more than is normal, over a window, by deviations and by peaks; less is nothing" {
	normals >usual <<<'in 10.0.0.5 443 tcp frozen 30 20 2 50'
	echo 'in 10.0.0.5 443 tcp' >edges
	judge() { wire 10 "$@" | check --baselines usual | what; }
	judge 20 2000 | diff - /dev/null
	judge 0 0 | diff - /dev/null
	judge 1 40 | diff - /dev/null
	judge 30 3000 | diff - /dev/null				# five deviations are not more than five
	judge 31 2000 | diff - <(echo in 10.0.0.5 443/tcp pps-deviation 55 0 0)
	judge 20 9400 1 | diff - <(echo in 10.0.0.5 443/tcp bps-peak 67 - 0)
	judge 20 9600 | diff - <(printf 'in 10.0.0.5 443/tcp %s 0 0\n' 'bps-deviation 50' 'bps-peak 68')
	judge 80 2000 | diff - <(printf 'in 10.0.0.5 443/tcp %s 0 0\n' 'pps-deviation 99' 'pps-peak 62')
	judge 80 2000 1 | diff - <(printf 'in 10.0.0.5 443/tcp %s - 0\n' 'pps-deviation 99' 'pps-peak 62')
	wire 10 80 2000 | check --baselines usual --force always | what | cut -d' ' -f6 | sort -u | diff - <(echo -)
	wire 10 80 2000 | check --baselines usual --baseline-threshold 0 | what | diff - <(echo in 10.0.0.5 443/tcp pps-peak 62 0 0)
	wire 10 80 2000 | check --baselines usual --baseline-threshold 31 --baseline-peak-tolerance 2 | what | diff - /dev/null
	# A second of it is not ten; unless the window is one.
	{ wire 1 80 2000; wire 9 0 0 | sed "1d; s/^1\(..\)\./2\1./"; } >in
	check --baselines usual in | what | diff - /dev/null
	check --baselines usual --baseline-window 1s in | what | wc -l | diff - <(echo 2)
	# Not when few observations made it, nor for what nobody learned.
	normals >usual <<<'in 10.0.0.5 443 tcp frozen 29 20 2 50'
	judge 900 90000 | diff - /dev/null
	wire 10 900 90000 | check --baselines usual --baseline-min-obs 29 | what | wc -l | diff - <(echo 2)
	normals >usual <<<'in 10.0.0.5 443 tcp candidate 30 20 2 50'
	judge 900 90000 | diff - /dev/null
}

@test "--baselines: a floor below tiny deviations; outbound edges, clients' ports, both families" {
	normals >usual <<-'END'
		in 10.0.0.5 443 tcp learned 30 0.1 0.005 0.1
		out 10.0.0.8 53 udp learned 30 1 0.05 2
		in 10.0.0.8 0 udp learned 30 10 0.5 10
		in 2001:db8::5 443 tcp approved 30 10 0.5 10
	END
	echo 'in 10.0.0.5 443 tcp' >edges
	wire 10 1 100 | check --baselines usual | what | diff - /dev/null
	wire 10 6 600 | check --baselines usual | what | diff - <(printf 'in 10.0.0.5 443/tcp %s 0 0\n' 'pps-deviation 59' 'pps-peak 99')
	printf '%s\n' 'out 10.0.0.8 53 udp' 'in 10.0.0.8 40000 udp' 'in 10.0.0.8 40001 udp' 'in 2001:db8::5 443 tcp' >edges
	wire 10 16 1600 1 | check --baselines usual | what | sort | diff - <(sort <<-'END'
		in 10.0.0.8 0/udp pps-deviation 99 - 0
		in 10.0.0.8 0/udp pps-peak 94 - 0
		in 2001:db8::5 443/tcp pps-deviation 60 - 0
		in 2001:db8::5 443/tcp pps-peak 62 - 0
		out 10.0.0.8 53/udp pps-deviation 99 0 0
		out 10.0.0.8 53/udp pps-peak 99 0 0
	END
	)
}

@test "--baselines: read again when it changes; broken or gone it is said, and the old one stays" {
	normals >usual <<<'in 10.0.0.5 443 tcp frozen 30 20 2 50'
	echo 'in 10.0.0.5 443 tcp' >edges
	mkfifo fifo
	kl-graph-check --frozen frozen --baselines usual --baseline-window 2s <fifo >out 2>err 3>&- &
	pid=$!
	exec 9>fifo
	wire 4 31 2000 >all
	go() { # FROM TO: the frames of those seconds, until they are answered
		awk -v from="$1" -v to="$2" '$1 >= from && $1 <= to' all >&9
		until_true grep -q "^$2.000.*\*" out
	}
	wire 20 31 2000 >all
	head -n 1 all >&9
	go 100 102
	normals >usual.new <<<'in 10.0.0.5 443 tcp frozen 30 30 2 50' && mv usual.new usual
	go 103 106
	echo nonsense >usual.new && mv usual.new usual
	go 107 110
	rm usual
	go 111 112
	exec 9>&-
	wait "$pid"
	awk -F'\t' '$6 == "pps-deviation" { print $1 }' out | diff - <(printf '%s.000\n' 102 104)
	grep -q "what 'usual' said before stays" err
	grep -q "cannot read 'usual': No such file or directory" err
	run --separate-stderr check --baselines none all
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph-check: cannot read 'none': No such file or directory" ]
}

@test "--log: the latest violations stay in a file that does not grow" {
	{ echo "$HEAD"
	flows 100 <<<'in 10.1.0.1 23 tcp 1 0 0'
	flows 101 <<<'in 10.0.0.5 443 tcp 1 0 1'
	flows 102 <<<'in 10.1.0.2 23 tcp 1 0 0'; } >in
	check --graph-mode frozen-observe --log log in >out
	grep -v '^101' out | diff log -
	check --graph-mode frozen-observe --log log in >out
	awk -F'\t' '{ print $1, $3 }' log | diff - <(printf '%s\n' 'time src' {,}{'100.000 10.1.0.1','100.000 *','102.000 10.1.0.2','102.000 *'})
	{ echo "$HEAD"; for t in {100..130}; do awk 'BEGIN { for (p = 1; p <= 1500; p++) print "in", "10.2.0.1", p, "tcp", 1, 0, 0 }' | flows "$t"; done; } >in
	run --separate-stderr check --graph-mode frozen-observe --log log in
	[ "$status" -eq 0 ]
	[ "${stderr%%$'\n'*}" = "kl-graph-check: 500 rows of a tick are not in 'log'" ]
	[ "$(stat -c %s log)" -le 1048576 ]
	[ "$(stat -c %s log.1)" -le 1048576 ]
	tail -n 1 log | grep -q '^130.000.*\*'
	head -n 1 log | grep -q '^time'
	run check --graph-mode frozen-observe --log none/log in
	[ "$status" -eq 4 ]
}
