#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-graph-record: which flows are evidence, whose ports are clients', when an edge is learned, what is
# normal on it, and what a scanner, a flood, a crash and a lock can do.
# shellcheck disable=SC2154 # bats sets stderr

load lib
FLOW='time	dt	dir	src	port	proto	pkts	bytes	syn	drops'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { lab_down; }

# frames: "TIME DIR SRC PORT PROTO PKTS BYTES SYN DROPS" a line to flow frames, DT (10) seconds each.
frames() {
	awk -v header="$FLOW" -v dt="${DT-10}" -v OFS='\t' '
		function star() { print sprintf("%d.000", t), dt ".000", "-", "*", "-", "-", 0, 0, 0, 0 }
		BEGIN { print header }
		NR > 1 && $1 != t { star() }
		{ t = $1; print sprintf("%d.000", t), dt ".000", $2, $3, $4, $5, $6, $7, $8, $9 }
		END { if (NR) star() }'
}

# every STEP N "REST"...: lines at N times STEP seconds apart from 1700000000 on.
every() {
	local i rest
	for ((i = 0; i < $2; i++)); do
		for rest in "${@:3}"; do
			echo "$((1700000000 + i * $1)) $rest"
		done
	done
}

# record OPTION...: frames from stdin into the database.
record() {
	kl-graph-record "$@" | sqlite3 -bail kliq.db
}

ask() {
	sqlite3 -cmd '.timeout 10000' -separator ' ' kliq.db "$@"
}

edges() {
	ask 'SELECT dir, src, service, state, seen FROM edges'
}

@test "an edge becomes a candidate, then learned: seen, windows and age" {
	every 60 10 'in 10.0.0.5 443 tcp 10 1000 1 0' | frames >in.tsv
	kl-graph-record --report in.tsv | sqlite3 -bail kliq.db >out
	diff out - <<-'END'
		time	src	edges	new	learned	dropped	candidates
		1700000000.000	*	1	1	0	0	1
		1700000060.000	*	1	0	0	0	1
		1700000120.000	*	1	0	0	0	1
		1700000180.000	*	1	0	0	0	1
		1700000240.000	*	1	0	0	0	1
		1700000300.000	*	1	0	0	0	1
		1700000360.000	*	1	0	0	0	1
		1700000420.000	*	1	0	0	0	1
		1700000480.000	*	1	0	0	0	1
		1700000540.000	*	1	0	0	0	1
	END
	every 1 1 'x' | sed 's/.*/1700000600 in 10.0.0.5 443 tcp 10 1000 1 0/' | frames | record
	run ask 'SELECT * FROM edges'
	[ "$output" = "in 10.0.0.5 443/tcp learned 2023-11-14T22:13:20Z 2023-11-14T22:23:20Z 11 11 1 110 11000 11 1.0 0.05 1.0 100.0 5.0 100.0" ]
	[ "$(ask 'SELECT schema_version, last_tick FROM meta')" = "1 1700000600000" ]
}

@test "each of the three is needed" {
	every 200 4 'in 10.0.0.1 1 tcp 9 9 0 0' | frames | record			# seen 4
	[ "$(edges)" = "in 10.0.0.1 1/tcp candidate 4" ]
	rm kliq.db
	# Twenty ticks of a second in two windows are two windows, however long ago the first was.
	{
		every 1 19 'in 10.0.0.1 1 tcp 9 9 0 0'
		echo "1700000900 in 10.0.0.1 1 tcp 9 9 0 0"
	} | frames | DT=1 record
	[ "$(ask 'SELECT state, seen, windows FROM edges')" = "candidate 20 2" ]
	echo "1700000960 in 10.0.0.1 1 tcp 9 9 0 0" | frames | record
	[ "$(ask 'SELECT state, seen, windows FROM edges')" = "learned 21 3" ]
	rm kliq.db
	every 50 12 'in 10.0.0.1 1 tcp 9 9 0 0' | frames | record			# 550 s
	[ "$(edges)" = "in 10.0.0.1 1/tcp candidate 12" ]
}

@test "--graph-min-seen --graph-min-windows --graph-min-age --graph-window" {
	every 60 3 'in 10.0.0.1 1 tcp 9 9 0 0' | frames >in.tsv
	record --graph-min-seen 3 --graph-min-windows 3 --graph-min-age 2m in.tsv
	[ "$(edges)" = "in 10.0.0.1 1/tcp learned 3" ]
	for o in '--graph-min-seen 4' '--graph-min-windows 4' '--graph-min-age 121s' '--graph-window 1h'; do
		rm kliq.db
		# shellcheck disable=SC2086 # words
		record --graph-min-seen 3 --graph-min-windows 3 --graph-min-age 2m $o in.tsv
		[ "$(edges)" = "in 10.0.0.1 1/tcp candidate 3" ]
	done
	rm kliq.db
	printf 'key\tvalue\ngraph-min-seen\t3\ngraph-min-age\t2m\n' >conf
	record -c conf in.tsv
	[ "$(edges)" = "in 10.0.0.1 1/tcp learned 3" ]
}

@test "a weekly job is learned: three days of seven at least, or two with observations" {
	every 604800 3 'in 10.0.0.7 873 tcp 9 9 1 0' | frames >in.tsv
	head -n 5 in.tsv | record
	[ "$(edges)" = "in 10.0.0.7 873/tcp candidate 2" ]
	record in.tsv
	[ "$(ask 'SELECT state, days_seen FROM edges')" = "learned 3" ]
	rm kliq.db
	{
		every 10 4 'in 10.0.0.7 873 tcp 9 9 1 0'
		echo "1700604800 in 10.0.0.7 873 tcp 9 9 1 0"
	} | frames >in.tsv
	record --baseline-min-obs-time 6 in.tsv
	[ "$(ask 'SELECT state, days_seen FROM edges')" = "candidate 2" ]
	rm kliq.db
	record --baseline-min-age 8d in.tsv
	[ "$(ask 'SELECT state, days_seen FROM edges')" = "candidate 2" ]
	rm kliq.db
	record in.tsv
	[ "$(ask 'SELECT state, days_seen FROM edges')" = "learned 2" ]
}

@test "the days an edge was seen on, eight weeks of them" {
	days() { ask "SELECT printf('%x', days) FROM edge_baselines"; }
	every 86400 4 'in 10.0.0.7 873 tcp 9 9 1 0' | frames | record
	[ "$(days)" = f ]
	echo "$((1700000000 + 7 * 86400)) in 10.0.0.7 873 tcp 9 9 1 0" | frames | record
	[ "$(days)" = f1 ]
	# An older frame marks its day, and is no new last one.
	echo "$((1700000000 + 5 * 86400)) in 10.0.0.7 873 tcp 9 9 1 0" | frames | record
	[ "$(days)" = f5 ]
	[ "$(ask 'SELECT last_seen FROM edges')" = 2023-11-21T22:13:20Z ]
	echo "$((1700000000 + 62 * 86400)) in 10.0.0.7 873 tcp 9 9 1 0" | frames | record --graph-expire-ttl 90d
	[ "$(days)" = 80000000000001 ]
	echo "$((1700000000 + 300 * 86400)) in 10.0.0.7 873 tcp 9 9 1 0" | frames | record --graph-expire-ttl 900d
	[ "$(days)" = 1 ]
}

@test "ports of clients collapse, both directions; services keep theirs" {
	frames >in.tsv <<-'END'
		1 in 10.0.0.1 443 tcp 10 1000 1 0
		1 out 10.0.0.1 51234 tcp 9 900 0 0
		1 out 10.0.0.1 61234 tcp 9 900 0 0
		1 in 10.0.0.2 53 udp 1 100 0 0
		1 out 10.0.0.2 1025 udp 1 100 0 0
		1 out 10.0.0.2 514 udp 1 100 0 0
		1 out 10.0.0.3 8080 tcp 5 500 1 0
		1 in 10.0.0.3 33000 tcp 5 500 0 0
		1 in 10.0.0.3 60999 tcp 5 500 0 0
		1 out 10.0.0.4 50051 tcp 5 500 1 0
		1 in 10.0.0.4 61000 udp 5 500 0 0
		1 in 10.0.0.5 40000 tcp 5 500 1 0
		1 in 10.0.0.6 0 udp 5 500 0 0
		1 in 2001:db8::1 0 icmp 5 500 0 0
		1 in 2001:db8::1 0 50 5 500 0 0
	END
	record in.tsv
	run edges
	diff <(echo "$output") - <<-'END'
		in 10.0.0.1 443/tcp candidate 1
		in 10.0.0.2 53/udp candidate 1
		in 10.0.0.3 */tcp candidate 1
		in 10.0.0.4 61000/udp candidate 1
		in 10.0.0.5 40000/tcp candidate 1
		in 10.0.0.6 */udp candidate 1
		in 2001:db8::1 0/50 candidate 1
		in 2001:db8::1 0/icmp candidate 1
		out 10.0.0.1 */tcp candidate 1
		out 10.0.0.2 */udp candidate 1
		out 10.0.0.2 514/udp candidate 1
		out 10.0.0.3 8080/tcp candidate 1
		out 10.0.0.4 50051/tcp candidate 1
	END
	[ "$(ask "SELECT pkts, bytes FROM edges WHERE dir = 'out' AND src = '10.0.0.1'")" = "18 1800" ]
}

@test "an edge that is known is one, also without its SYN" {
	frames <<-'END' | record
		1 out 10.0.0.4 50051 tcp 5 500 1 0
		11 out 10.0.0.4 50051 tcp 5 500 0 0
		11 out 10.0.0.4 50052 tcp 5 500 0 0
	END
	[ "$(edges)" = "out 10.0.0.4 */tcp candidate 1
out 10.0.0.4 50051/tcp candidate 2" ]
}

@test "--ephemeral and --service" {
	frames >in.tsv <<-'END'
		1 in 10.0.0.1 20000 udp 1 100 0 0
		1 in 10.0.0.1 51820 udp 1 100 0 0
		1 out 10.0.0.2 51820 udp 1 100 0 0
		1 out 10.0.0.2 51821 udp 1 100 0 0
	END
	record --service 51820/udp --service 9/tcp in.tsv
	[ "$(edges)" = "in 10.0.0.1 20000/udp candidate 1
in 10.0.0.1 51820/udp candidate 1
out 10.0.0.2 */udp candidate 1
out 10.0.0.2 51820/udp candidate 1" ]
	rm kliq.db
	record --ephemeral 15000-25000 in.tsv
	[ "$(edges)" = "in 10.0.0.1 */udp candidate 1
in 10.0.0.1 51820/udp candidate 1
out 10.0.0.2 */udp candidate 1" ]
	for bad in 5 0-5 7-6 1-65536 a-b; do
		run --separate-stderr kl-graph-record --ephemeral "$bad"
		[ "$status" -eq 2 ]
		[ "$stderr" = "kl-graph-record: bad value '$bad' for --ephemeral: ports LO-HI, 1 to 65535" ]
	done
	run --separate-stderr kl-graph-record --service 5/tcp,0/icmp
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph-record: bad value '0/icmp' for --service: PORT/PROTO, with tcp, udp or sctp" ]
}

@test "what is no evidence: dropped, attempts, loopback, broadcast, excluded, too little" {
	frames >in.tsv <<-'END'
		1 in 10.0.0.1 443 tcp 10 1000 1 10
		1 in 10.0.0.2 443 tcp 10 1000 10 0
		1 in 127.0.0.9 443 tcp 10 1000 1 0
		1 in ::1 443 tcp 10 1000 1 0
		1 out 224.0.0.251 5353 udp 1 100 0 0
		1 out ff02::fb 5353 udp 1 100 0 0
		1 out 255.255.255.255 67 udp 1 100 0 0
		1 in 192.0.2.7 22 tcp 9 900 1 0
		1 in 10.0.0.3 443 tcp 10 1000 1 9
	END
	record --graph-exclude-source-cidrs 192.0.2.0/24,198.51.100.1 in.tsv
	[ "$(edges)" = "in 10.0.0.3 443/tcp candidate 1" ]
	rm kliq.db
	record --graph-exclude-loopback off --graph-exclude-broadcast off --graph-min-packets 2 in.tsv
	[ "$(ask 'SELECT src FROM edges' | tr '\n' ' ')" = "10.0.0.3 127.0.0.9 192.0.2.7 ::1 " ]
	rm kliq.db
	record --graph-exclude-broadcast off --graph-min-bytes 901 in.tsv
	[ "$(ask 'SELECT src FROM edges' | tr '\n' ' ')" = "10.0.0.3 " ]
	run --separate-stderr kl-graph-record --graph-exclude-source-cidrs 10.0.0.0/8,10.0.0.1/8
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph-record: bad value '10.0.0.1/8' for --graph-exclude-source-cidrs: addresses and prefixes" ]
}

# level TIME SRC LEVEL...: a level frame.
level() {
	local t=$1
	shift
	while [[ $# -gt 0 ]]; do
		printf '%s\t%s\t%s\tOBSERVE\t%s\t-\t1\t0.000000\tsyn\n' "$t" "$1" "$2" "$t"
		shift 2
	done
	printf '%s\t*\t-\t-\t-\t-\t-\t-\t-\n' "$t"
}
LEVEL='time	src	level	from	since	until	strikes	sev	why'

@test "--levels: of limited sources nothing is learned, and their candidates go" {
	every 60 2 'in 10.0.0.1 1 tcp 9 9 1 0' 'in 10.0.0.2 1 tcp 9 9 1 0' 'in 2001:db8:0:1::5 1 tcp 9 9 1 0' \
		'in 2001:db8:0:2::5 1 tcp 9 9 1 0' 'in 10.0.0.3 1 tcp 9 9 1 0' >in
	{ echo "$LEVEL"; level 1.000 10.0.0.9 BLOCK; } >levels
	head -n 5 in | frames | record --levels levels
	[ "$(ask 'SELECT count(*) FROM edges')" = 5 ]
	ask "UPDATE graph_edges SET state = 'frozen' WHERE src = '10.0.0.3'"
	level 2.000 10.0.0.1 RATE_SOFT 2001:db8:0:1::/64 BLOCK 10.0.0.2 OBSERVE 10.0.0.3 RATE_HARD >>levels
	tail -n 5 in | frames | kl-graph-record --report --levels levels | sqlite3 -bail kliq.db >out
	[ "$(tail -n 1 out)" = "1700000060.000	*	2	0	0	2	2" ]
	[ "$(edges)" = "in 10.0.0.2 1/tcp candidate 2
in 10.0.0.3 1/tcp frozen 1
in 2001:db8:0:2::5 1/tcp candidate 2" ]
}

@test "--levels: the state file of kl-fsm, while it is being written; none yet; broken" {
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tdrop_rl\n' >src
	for t in 1 2 3 4; do
		printf '%s.000\t1.000\t10.0.0.1\t9000\t1\t9000\t1\t0\n%s.000\t1.000\t*\t9000\t1\t9000\t-\t0\n' $t $t >>src
	done
	kl-score src | kl-fsm -s state >/dev/null
	cut -f 2,3 state
	cut -f 2,3 state | grep -q $'^10.0.0.1\tRATE_'
	printf '5.000\t10.0.0.2\tBLO' >>state
	every 60 1 'in 10.0.0.1 1 tcp 9 9 1 0' 'in 10.0.0.2 1 tcp 9 9 1 0' | frames >in.tsv
	run --separate-stderr record --levels state in.tsv
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$(edges)" = "in 10.0.0.2 1/tcp candidate 1" ]
	rm kliq.db
	run --separate-stderr record --levels none in.tsv
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-graph-record: 'none' is not there: nobody counts as limited" ]
	[ "$(ask 'SELECT count(*) FROM edges')" = 2 ]
	rm kliq.db
	echo "not a stream" >broken
	run --separate-stderr record --levels broken in.tsv
	[ "$status" -eq 0 ]
	[ "${stderr_lines[1]}" = "kl-graph-record: 'broken' is broken; the levels read before stay" ]
	rm kliq.db
	mkfifo pipe
	run --separate-stderr record --levels pipe in.tsv
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-graph-record: cannot read 'pipe': not a regular file; the levels read before stay" ]
	[ "$(ask 'SELECT count(*) FROM edges')" = 2 ]
}

@test "a scanner of 65,535 ports leaves nothing, again and again, and promotes nothing" {
	awk -v header="$FLOW" 'BEGIN {
		OFS = "\t"
		print header
		for (t = 0; t < 60; t++) {	# an hour; all UDP ports, and TCP ports that answer, in ten minutes
			for (p = t % 10 + 1; p < 65536; p += 10)
				print 1700000000 + 60 * t ".000", "60.000", "in", "203.0.113.66", p, p % 2 ? "tcp" : "udp", 3, 180, p % 2, 0
			print 1700000000 + 60 * t ".000", "60.000", "in", "10.0.0.5", 443, "tcp", 10, 1000, 1, 0
			print 1700000000 + 60 * t ".000", "60.000", "-", "*", "-", "-", 0, 0, 0, 0
		}
	}' >in.tsv
	record in.tsv
	[ "$(edges)" = "in 10.0.0.5 443/tcp learned 60" ]
	[ "$(ask 'SELECT src FROM graph_wide')" = 203.0.113.66 ]
	[ "$(stat -c %s kliq.db)" -lt 2000000 ]
}

@test "a scanner's learned edges stay; --graph-max-source-candidates --graph-scan-hold" {
	{
		every 300 6 'in 10.0.0.5 443 tcp 9 900 1 0'
		for p in 1 2 3 4; do echo "1700002000 in 10.0.0.5 $p tcp 9 900 1 0"; done
		echo "1700002000 in 10.0.0.5 443 tcp 9 900 1 0"
		echo "1700002100 in 10.0.0.5 1 tcp 9 900 1 0"
	} | frames >in.tsv
	record in.tsv
	[ "$(ask 'SELECT count(*) FROM edges')" = 5 ]
	rm kliq.db
	record --graph-max-source-candidates 3 in.tsv
	[ "$(edges)" = "in 10.0.0.5 443/tcp learned 7" ]
	rm kliq.db
	record --graph-max-source-candidates 3 --graph-scan-hold 100s in.tsv
	[ "$(edges)" = "in 10.0.0.5 1/tcp candidate 1
in 10.0.0.5 443/tcp learned 7" ]
}

@test "a flood of sources: the candidates are bounded, those seen again prevail" {
	awk -v header="$FLOW" 'BEGIN {
		OFS = "\t"
		print header
		for (t = 0; t < 12; t++) {
			for (i = 0; i < 500; i++)
				print 1700000000 + 100 * t ".000", "10.000", "in", "198.18." t "." i % 256, int(i / 256) + 1, "udp", 1, 60, 0, 0
			for (i = 0; i < 20; i++)
				print 1700000000 + 100 * t ".000", "10.000", "in", "10.0.0." i, 443, "tcp", 10, 1000, 1, 0
			print 1700000000 + 100 * t ".000", "10.000", "-", "*", "-", "-", 0, 0, 0, 0
		}
	}' >in.tsv
	kl-graph-record --report --graph-max-candidates 200 in.tsv | sqlite3 -bail kliq.db >out
	[ "$(awk -F'\t' 'NR > 1 && $7 > 200' out)" = "" ]
	[ "$(ask "SELECT count(*) FROM edges WHERE src LIKE '198.%' AND state <> 'candidate'")" = 0 ]
	[ "$(ask "SELECT count(*) FROM edges WHERE state = 'learned'")" -ge 15 ]
	kl-graph-record --report --graph-max-candidates 200 in.tsv | sqlite3 -bail other.db | cmp - out
}

@test "expiry: candidates go, learned ones expire, come back as candidates, or go" {
	{
		every 300 6 'in 10.0.0.5 443 tcp 9 900 1 0'
		echo "1700001500 in 10.0.0.6 443 tcp 9 900 1 0"
	} | frames | record
	ask "INSERT INTO graph_edges (dir, src, port, proto, state, addr) VALUES ('in', '10.0.0.8', 1, 'tcp', 'approved', zeroblob(16))"
	echo "1700090000 in 10.0.0.7 1 tcp 9 900 1 0" | frames | record --graph-expire-ttl 1d
	[ "$(edges | sort)" = "in 10.0.0.5 443/tcp expired 6
in 10.0.0.7 1/tcp candidate 1
in 10.0.0.8 1/tcp approved " ]
	echo "1700090010 in 10.0.0.5 443 tcp 9 900 1 0" | frames | record --graph-expire-ttl 1d
	[ "$(ask "SELECT state, seen, pkts FROM edges WHERE src = '10.0.0.5'")" = "candidate 1 9" ]
	ask "UPDATE graph_edges SET state = 'expired' WHERE src = '10.0.0.5'"
	echo "1700270000 in 10.0.0.7 1 tcp 9 900 1 0" | frames | record --graph-expire-ttl 1d
	[ "$(ask "SELECT count(*) FROM edges WHERE src = '10.0.0.5'")" = 0 ]
	[ "$(ask 'SELECT count(*) FROM edge_baselines')" = 1 ]
}

@test "what people decided stays, whatever is seen" {
	every 300 6 'in 10.0.0.1 1 tcp 9 900 1 0' 'in 10.0.0.2 1 tcp 9 900 1 0' 'in 10.0.0.3 1 tcp 9 900 1 0' | frames >in.tsv
	head -n 5 in.tsv | record
	ask "UPDATE graph_edges SET state = CASE src WHEN '10.0.0.1' THEN 'denied' WHEN '10.0.0.2' THEN 'frozen' ELSE 'approved' END"
	record in.tsv
	[ "$(edges)" = "in 10.0.0.1 1/tcp denied 7
in 10.0.0.2 1/tcp frozen 7
in 10.0.0.3 1/tcp approved 7" ]
}

# normal ALPHA FIRST OBS: the same by another hand, from "PKTS BYTES DT" lines: median, mad and peak.
normal() {
	awk -v alpha="$1" -v first="$2" -v obs="$3" '{
		for (i = 1; i <= 2; i++) {
			x = $i / $3
			a = NR - 1 < obs && first > alpha ? first : alpha
			if (NR == 1) { med[i] = x; mad[i] = 0; peak[i] = x; continue }
			d = x - med[i]
			mad[i] = (1 - a) * mad[i] + a * (d < 0 ? -d : d)
			med[i] = (1 - a) * med[i] + a * x
			if (x > peak[i]) peak[i] = x
		}
	} END { printf "%.6f %.6f %.6f %.6f %.6f %.6f\n", med[1], mad[1], peak[1], med[2], mad[2], peak[2] }'
}

@test "baselines: medians, deviations and peaks of rates, against another implementation" {
	local got
	awk 'BEGIN { srand(7); for (i = 0; i < 60; i++) print 1 + int(rand() * 1000), 60 + int(rand() * 100000), 1 + i % 4 }' >obs
	awk -v header="$FLOW" -v OFS='\t' 'BEGIN { print header } {
		t = 1700000000 + NR * 10 ".000"
		print t, $3 ".000", "in", "10.0.0.1", 1, "tcp", $1, $2, 0, 0
		print t, $3 ".000", "-", "*", "-", "-", 0, 0, 0, 0 }' obs >in.tsv
	for o in '0.02 0.1 30' '0.3 0.1 30' '0.05 0.5 10'; do
		# shellcheck disable=SC2086 # words
		set -- $o
		record --baseline-alpha "$1" --baseline-alpha-bootstrap "$2" --baseline-min-obs "$3" in.tsv
		got=$(ask "SELECT printf('%.6f %.6f %.6f %.6f %.6f %.6f', pps_median, pps_mad, pps_peak, bps_median, bps_mad, bps_peak) FROM edge_baselines")
		[ "$got" = "$(normal "$1" "$2" "$3" <obs)" ]
		rm kliq.db
	done
}

@test "a frame after a long pause is a rate of its own dt, not of hours" {
	{
		echo '1700000000 in 10.0.0.1 1 tcp 100 1000 0 0'
		echo '1700007200 in 10.0.0.1 1 tcp 72000 720000 0 0'
	} | frames | sed 's/^1700007200.000\t10.000/1700007200.000\t7200.000/' | record
	[ "$(ask 'SELECT pps_median, pps_peak, bps_peak FROM edges')" = "10.0 10.0 100.0" ]
}

@test "--baseline-min-update-pps --baseline-min-update-bps: evidence, but no observation" {
	{
		echo '1700000000 in 10.0.0.1 1 tcp 10 1000 0 0'
		echo '1700000010 in 10.0.0.1 1 tcp 100 10000 0 0'
		echo '1700000020 in 10.0.0.1 1 tcp 10 1000 0 0'
	} | frames >in.tsv
	record --baseline-min-update-pps 5 in.tsv
	[ "$(ask 'SELECT seen, obs, pps_median, pps_mad, pps_peak, bps_median FROM edges JOIN edge_baselines USING (seen, obs)')" = "3 1 10.0 0.0 10.0 1000.0" ] ||
		[ "$(ask 'SELECT seen, obs, pps_median, pps_mad, pps_peak, bps_median FROM edge_baselines')" = "3 1 10.0 0.0 10.0 1000.0" ]
	rm kliq.db
	record --baseline-min-update-bps 500 in.tsv
	[ "$(ask 'SELECT seen, obs, active, bps_median FROM edge_baselines')" = "3 1 10000 1000.0" ]
}

@test "--baseline-peak-decay-half-life: half in its time, slower for who is seldom active" {
	peak() { ask "SELECT printf('%.2f', pps_peak) FROM edge_baselines"; }
	# Hardly active, but with 2 observations only: the plain half-life.
	{
		echo '1700000000 in 10.0.0.1 1 tcp 1000 1000 0 0'
		echo '1700086400 in 10.0.0.1 1 tcp 1 1 0 0'
	} | frames >in.tsv
	record --baseline-peak-decay-half-life 1d in.tsv
	[ "$(peak)" = 50.00 ]
	rm kliq.db
	record --baseline-peak-decay-half-life 14d in.tsv
	[ "$(peak)" = 95.17 ]
	rm kliq.db
	record in.tsv
	[ "$(peak)" = 100.00 ]
	rm kliq.db
	# 20 observations of 10 s, an hour apart: duty 200 / 72000 at the last; nine tenths of ten times slower.
	every 3600 20 'in 10.0.0.1 1 tcp 1000 1000 0 0' | frames | record --baseline-peak-decay-half-life 1d
	echo "$((1700000000 + 19 * 3600 + 86400)) in 10.0.0.1 1 tcp 1 1 0 0" | frames | record --baseline-peak-decay-half-life 1d
	want=$(awk 'BEGIN { d = 200 / (19 * 3600 + 86400); printf "%.2f", 100 * exp(-log(2) / (1 + 9 * (1 - d))) }')
	[ "$(peak)" = "$want" ]
	awk -v v="$want" 'BEGIN { exit !(v > 90 && v < 95) }'
}

@test "a bad cell loses its row, a frame cut short all of it; the others are recorded" {
	{
		printf '%s\n' "$FLOW"
		printf '1.000\t10.000\tin\t10.0.0.1\t1\ttcp\t9\t9\t1\t0\n1.000\t10.000\t-\t*\t-\t-\t0\t0\t0\t0\n'
		printf '2.000\t10.000\tin\t10.0.0.2\t70000\ttcp\t9\t9\t1\t0\n'
		printf "2.000\t10.000\tin\t10.0.0.3');DROP\t1\ttcp\t9\t9\t1\t0\n"
		printf '2.000\t10.000\tin\t10.0.0.4\t1\ttcp\t9\t9\t1\t0\n2.000\t10.000\t-\t*\t-\t-\t0\t0\t0\t0\n'
		printf '3.000\t10.000\tin\t10.0.0.5\t1\ttcp\t9\t9\t1\t0\n'
	} >in.tsv
	kl-graph-record in.tsv 2>err | sqlite3 -bail kliq.db
	[ "$(ask 'SELECT src FROM edges' | tr '\n' ' ')" = "10.0.0.1 10.0.0.4 " ]
	diff err - <<-'END'
		kl-graph-record: in.tsv:4: port: not 0 to 65535 '70000'
		kl-graph-record: in.tsv: frame 2.000: suppressed 1
		kl-graph-record: in.tsv:8: frame 3.000 ended without its star row
	END
	run --separate-stderr kl-graph-record in.tsv
	[ "$status" -eq 3 ]
	grep -v '^3' in.tsv >bad.tsv
	run --separate-stderr kl-graph-record bad.tsv
	[ "$status" -eq 1 ]
	for cell in '1.000 0.000 in 10.0.0.1 1 tcp 9 9 1 0' '1.000 1.000 up 10.0.0.1 1 tcp 9 9 1 0' \
		'1.000 1.000 in 10.0.0.1 1 icmp 9 9 1 0' '1.000 1.000 in 10.0.0.0/8 1 tcp 9 9 1 0' '1.000 1.000 in 10.0.0.1 1 300 9 9 1 0' \
		'1.000 1.000 in 10.0.0.1 1 tcp -1 9 1 0' '1.000 1.000 in 10.0.0.1 1 tcp 9 9999999999999999 1 0'; do
		{ echo "$FLOW"; tr ' ' '\t' <<<"$cell"; printf '1.000\t10.000\t-\t*\t-\t-\t0\t0\t0\t0\n'; } >bad.tsv
		run --separate-stderr kl-graph-record bad.tsv
		[ "$status" -eq 1 ]
		[[ $stderr == "kl-graph-record: bad.tsv:2: "*": not "* || $stderr == *": above "* ]]
	done
}

@test "--schema makes the tables, twice; other databases are refused and stay as they are" {
	kl-graph-record --schema | sqlite3 -bail kliq.db
	kl-graph-record --schema | sqlite3 -bail kliq.db
	[ "$(ask 'SELECT schema_version FROM meta')" = 1 ]
	[ "$(ask 'PRAGMA journal_mode')" = wal ]
	[ "$(ask "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)")" = \
		"edge_baselines graph_edges graph_wide meta source_baselines" ]
	ask 'UPDATE meta SET schema_version = 9'
	every 1 1 'in 10.0.0.1 1 tcp 9 9 1 0' | frames >in.tsv
	run --separate-stderr record in.tsv
	[ "$status" -ne 0 ]
	[[ $stderr == *"this database has another schema version"* ]]
	[ "$(ask 'SELECT count(*) FROM graph_edges')" = 0 ]
	rm kliq.db
	ask 'CREATE TABLE graph_edges (id TEXT PRIMARY KEY, node_id TEXT)'
	run --separate-stderr record in.tsv
	[ "$status" -ne 0 ]
	[[ $stderr == *"this database is of Kernloom IQ: kliq import reads it"* ]]
	[ "$(ask "SELECT name FROM sqlite_schema WHERE type = 'table'")" = graph_edges ]
}

@test "source_baselines has the columns of baseline" {
	[ -e "$BATS_TEST_DIRNAME/../schemas/baseline.tsv" ] || skip "no such stream"
	kl-graph-record --schema | sqlite3 -bail kliq.db
	ask "SELECT name FROM pragma_table_info('source_baselines')" |
		diff - <(awk -F'\t' 'NR > 2 { print $1 }' "$BATS_TEST_DIRNAME/../schemas/baseline.tsv")
}

@test "a database that another one writes to is waited for" {
	kl-graph-record --schema | sqlite3 -bail kliq.db
	mkfifo hold
	sqlite3 kliq.db <hold >held &
	exec 5>hold
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&5
	until_true test -s held
	every 1 1 'in 10.0.0.1 1 tcp 9 9 1 0' | frames >in.tsv
	record in.tsv &
	sleep .3
	[ "$(ask 'SELECT count(*) FROM edges')" = 0 ]
	echo 'COMMIT;' >&5
	exec 5>&-
	wait
	[ "$(ask 'SELECT count(*) FROM edges')" = 1 ]
}

@test "killed in the middle, of either end: what was reported is there, the rest not, learning goes on" {
	awk -v header="$FLOW" 'BEGIN {
		OFS = "\t"
		print header
		for (t = 0; t < 30; t++) {
			for (i = 0; i < 1000; i++)
				print 1700000000 + 60 * t ".000", "10.000", "in", "10." t "." int(i / 250) "." i % 250, 443, "tcp", 10, 1000, 1, 0
			print 1700000000 + 60 * t ".000", "10.000", "-", "*", "-", "-", 0, 0, 0, 0
		}
	}' >in.tsv
	kl-graph-record --report --graph-max-candidates 100000 in.tsv >all.sql
	size=$(stat -c %s all.sql)
	for part in 3 5 7 9; do
		# The writer dies at any byte: sqlite3 sees the end of its input there.
		rm -f kliq.db*
		head -c $((size * part / 10 - part)) all.sql | sqlite3 -bail kliq.db >out 2>/dev/null || true
		[ "$(ask 'PRAGMA integrity_check')" = ok ]
		[ "$(ask 'SELECT count(*) FROM graph_edges')" -ge $((($(wc -l <out) - 1) * 1000)) ]
		[ "$(($(ask 'SELECT count(*) FROM graph_edges') % 1000))" = 0 ]
		# sqlite3 dies.
		rm -f kliq.db*
		mkfifo pipe
		sqlite3 -bail kliq.db <pipe >out &
		pid=$!
		exec 5>pipe
		head -c $((size * part / 10)) all.sql >&5
		kill -9 $pid
		exec 5>&-
		wait $pid || true
		rm pipe
		[ "$(ask 'PRAGMA integrity_check')" = ok ]
		n=$(grep -c '^1700' out || true)
		[ "$(ask "SELECT count(*) FROM graph_edges WHERE src LIKE '10.%'")" -ge $((n * 1000)) ]
		kl-graph-record --graph-max-candidates 100000 in.tsv | sqlite3 -bail kliq.db
		[ "$(ask 'SELECT count(*) FROM graph_edges')" = 30000 ]
	done
}

@test "called wrongly" {
	run --separate-stderr kl-graph-record a b
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph-record: more than one FILE: 'b'" ]
	run --separate-stderr kl-graph-record none
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-graph-record: cannot read 'none': No such file or directory" ]
	run --separate-stderr kl-graph-record --graph-min-seen 0
	[ "$status" -eq 2 ]
	run --separate-stderr kl-graph-record --baseline-alpha 1.5
	[ "$stderr" = "kl-graph-record: bad value '1.5' for --baseline-alpha: a number, 0 to 1" ]
}

@test "a hundred thousand edges in a tick, all known: one transaction of less than half a second of work" {
	awk -v header="$FLOW" 'BEGIN {
		OFS = "\t"
		print header
		for (t = 0; t < 2; t++) {
			for (i = 0; i < 100000; i++)
				print 1700000000 + 60 * t ".000", "10.000", "in", "10." i % 2 "." int(i / 250) % 250 "." int(i % 250), int(i / 62500) + 1, "tcp", 10, 1000, 1, 0
			print 1700000000 + 60 * t ".000", "10.000", "-", "*", "-", "-", 0, 0, 0, 0
		}
	}' >in.tsv
	record --graph-max-candidates 200000 in.tsv
	n=$(ask 'SELECT count(*) FROM graph_edges')
	[ "$n" -ge 60000 ]
	[ "$(ask 'SELECT count(*) FROM edge_baselines WHERE seen = 2')" = "$n" ]
}

@test "the literal pipeline, from real packets to edges" {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --egress in0 >/dev/null
	kl-set -p "$PINS" flows on
	mkdir www
	echo hello >www/index.html
	in_here busybox httpd -f -p 8080 -h www 3>&- &
	# shellcheck disable=SC2016 # the inner shell's
	bounded 60 bash -c 'kl-dump-flow -p "$1" -i 1 -n 4 | kl-graph-record --report | sqlite3 -bail kliq.db >report' bash "$PINS" &
	until [ -s report ] && [ "$(grep -c '^1' report)" -ge 1 ]; do sleep .1; done
	in_peer ping -q -c 3 -i .2 10.77.0.2 >/dev/null
	[ "$(in_peer curl -sS http://10.77.0.2:8080/)" = hello ]
	in_peer nmap -sS -n -Pn -p 1-200 --max-retries 0 10.77.0.2 >/dev/null || true
	wait %2
	[ "$(wc -l <report)" -eq 5 ]
	[ "$(ask 'SELECT dir, src, service, state FROM edges')" = "in 10.77.0.1 0/icmp candidate
in 10.77.0.1 8080/tcp candidate
out 10.77.0.1 0/icmp candidate
out 10.77.0.1 */tcp candidate" ]
}
