#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The graph on real services: kliq run learns the edges of three peers, both families, people freeze them,
# and nothing else gets in; forged packets cost a peer nothing; a database in trouble stops no tick.

# shellcheck disable=SC2154,SC2016 # bats sets them; perl and inner shells expand those
load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || exit
	lab_up
	STATE=$BATS_TEST_TMPDIR/iq OUT=$BATS_TEST_TMPDIR/receipts ERR=$BATS_TEST_TMPDIR/messages
	for last in 11 12 14; do
		ip -n "$PEER" addr add "10.77.0.$last/24" dev out0
		ip -n "$PEER" addr add "fd77::$last/64" dev out0 nodad
		ip -n "$HERE" neigh replace "10.77.0.$last" lladdr 02:00:00:00:00:0a dev in0
		ip -n "$HERE" neigh replace "fd77::$last" lladdr 02:00:00:00:00:0a dev in0
	done
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 --egress in0 >/dev/null
	# An edge is learned from its second tick on.
	printf '%s\t%s\n' key value graph-min-seen 2 graph-min-windows 1 graph-min-age 0 >fast.tsv
}

teardown() {
	[[ -z ${KLIQ-} ]] || kill -KILL "$KLIQ" 2>/dev/null || true
	lab_down
}

# eventually SECONDS COMMAND...: until it succeeds, at most so long.
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[[ $SECONDS -lt $end ]] || { echo "never: $*"; cat "$ERR"; return 1; }
		sleep 0.2
	done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
ask() { sqlite3 -cmd '.timeout 5000' "$STATE/kliq.db" "$1"; }

start() { # OPTION...
	nsenter --net="/run/netns/$HERE" kliq run -p "$PINS" -c fast.tsv --state "$STATE" "$@" >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	eventually 20 grep -qP '\t\*\t' "$OUT"
}
stop() {
	kill -TERM "$KLIQ"
	eventually 20 gone "$KLIQ"
	wait "$KLIQ"
	! pgrep -f -- "$STATE" >/dev/null
}

# Answers every question for an address with 192.0.2.1.
NAMES='$s = IO::Socket::IP->new(Proto => "udp", LocalPort => 53, V6Only => 0) or die;
	while ($s->recv($m, 512)) {
		$q = substr($m, 12); $q =~ /^((?:[^\0][\0-\377]*?)?\0....)/s or next; $q = $1;
		$a = substr($q, -4, 2) eq "\0\1";
		$s->send(substr($m, 0, 2) . "\x85\x80\0\1" . ($a ? "\0\1" : "\0\0") . "\0\0\0\0" . $q .
			($a ? "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1" : ""))
	}'
services() {
	mkdir www
	echo hello >www/index.html
	in_here busybox httpd -f -p 8080 -h www 3>&- &
	in_here busybox nc -ll -p 2222 -e cat 3>&- &
	in_here perl -MIO::Socket::IP -e "$NAMES" 3>&- &
	in_peer busybox httpd -f -p 80 -h www 3>&- &
	in_peer perl -MIO::Socket::IP -e "$NAMES" 3>&- &
	eventually 5 traffic
}

fetch() { in_peer curl -sf -m 3 -o /dev/null --interface "$1" "http://$2:8080/"; }
# What is to work all along: three peers, and this host's own questions.
traffic() {
	local last
	for last in 1 11 12; do
		fetch "10.77.0.$last" 10.77.0.2 && fetch "fd77::$last" '[fd77::2]' || return
	done
	in_peer busybox nslookup -type=a kernloom.test 10.77.0.2 | grep -q 192.0.2.1 &&
		in_peer ping -q -c 1 -W 1 -I 10.77.0.12 10.77.0.2 >/dev/null || return
	in_here busybox nslookup -type=a kernloom.test 10.77.0.1 | grep -q 192.0.2.1 &&
		in_here curl -sf -m 3 -o /dev/null http://10.77.0.1/ && in_here curl -sf -m 3 -o /dev/null 'http://[fd77::1]/'
}
learned() {
	traffic
	[[ $(ask "SELECT count(*) FROM graph_edges WHERE state = 'learned' AND dir = 'in' AND port") -ge 7 &&
		$(ask "SELECT count(*) FROM graph_edges WHERE state = 'learned' AND dir = 'out' AND port") -ge 3 ]]
}
learn() {
	services
	start --feature-profile graph-learning
	eventually 90 learned
	stop
}
violated() { # SRC PORT
	awk -F'\t' -v src="$1" -v port="$2" '$3 == src && $4 == port && $6 == "new-edge" { n++ } END { exit !n }' \
		"$STATE/learn/violations.tsv"
}

@test "learned, rehearsed, frozen, enforced: what was learned works, anything else is dropped, told and explained" {
	learn
	graph() { kl-graph --db "$STATE/kliq.db" --frozen "$STATE/frozen.txt" "$@"; }
	[ "$(graph freeze --rehearse | awk -F'\t' '$3 == "*" { print $NF }')" -eq 0 ]
	graph freeze
	for edge in 'in 10.77.0.'{1,11,12}' 8080/tcp' 'in fd77::'{1,11,12}' 8080/tcp' 'in 10.77.0.1 53/udp' 'in 10.77.0.12 0/icmp' \
		'out 10.77.0.1 53/udp' 'out 10.77.0.1 80/tcp' 'out fd77::1 80/tcp'; do
		grep -qx "$edge frozen" "$STATE/frozen.txt"
	done
	[ "$(grep -c 10.77.0.14 "$STATE/frozen.txt")" -eq 0 ]
	in_here kliq graph enforce -p "$PINS" --state "$STATE" --confirm 60 >rehearsal 2>&1
	kl-set -p "$PINS" confirm
	start --feature-profile graph-enforce --enforce
	traffic
	# A fourth peer, and a known one's first connection to another port: the first packet is one too many.
	scan() { in_peer nmap -sS -n -Pn -e out0 -S "$1" -p 22,2222,8080 --max-retries 0 "$2" >/dev/null 2>&1 || true; }
	new_port() { in_peer curl -s -m 2 --interface 10.77.0.11 telnet://10.77.0.2:2222 </dev/null || true; }
	export -f scan new_port in_peer
	[ "$(got 10.77.0.14 scan 10.77.0.14 10.77.0.2)" -eq 0 ]
	[ "$(got 10.77.0.11 new_port)" -eq 0 ]
	eventually 5 violated 10.77.0.14 8080
	eventually 5 violated 10.77.0.11 2222
	traffic
	run --separate-stderr in_here kliq why -p "$PINS" --state "$STATE" 10.77.0.11
	[ "$status" -eq 0 ]
	[[ $output == *"edges      in 10.77.0.11 8080/tcp frozen"* ]]
	[[ $output == *"violates   in 2222/tcp  new-edge  score 95"* ]]
	[[ $output == *"edge-deny 2222/tcp, of graph"* ]]
	run --separate-stderr in_here kliq why -p "$PINS" --state "$STATE" 10.77.0.14
	[[ $output == *"edges      none in the frozen baseline"* ]]
	[[ $output == *"in 8080/tcp  new-edge  score 95"* ]]
	# Forged packets "from" a frozen peer, a thousand a second to a port nobody uses: it keeps its edges.
	peer_send -c 4000 -r 1000 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=7 &
	forger=$!
	for _ in 1 2 3 4 5 6; do
		fetch 10.77.0.11 10.77.0.2
		sleep 0.5
	done
	wait "$forger"
	eventually 5 violated 10.77.0.11 7
	sleep 2
	traffic
	kliq graph picture --state "$STATE" -o picture.svg
	grep -q 'stroke="red"' picture.svg
	stop
	[ ! -s "$ERR" ]
	# Taken back, all of it.
	in_here kliq graph relax -p "$PINS" --state "$STATE"
	fetch 10.77.0.14 10.77.0.2
}

@test "a database that is locked, then broken: said, tried again, and no tick waits" {
	services
	start --feature-profile graph-learning
	recorded() { [[ $(ask 'SELECT last_tick FROM meta') -gt ${1:-0} ]]; }
	eventually 30 recorded
	mkfifo hold
	sqlite3 "$STATE/kliq.db" <hold >/dev/null 3>&- &
	exec 7>hold
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&7
	ticks=$(grep -cP '\t\*\t' "$OUT")
	eventually 90 grep -q "kliq: the graph is not recorded: begun again in 10 s" "$ERR"
	grep -q 'database is locked' "$ERR"
	[ "$(grep -cP '\t\*\t' "$OUT")" -ge $((ticks + 5)) ]
	was=$(ask 'SELECT last_tick FROM meta')
	exec 7>&-
	eventually 90 recorded "$was"
	[ "$(ask 'PRAGMA integrity_check')" = ok ]
	stop
	# Broken from the start: the tick runs all the same, and when the file is gone it is made anew.
	head -c 100000 /dev/urandom >"$STATE/kliq.db"
	rm -f "$STATE"/kliq.db-*
	start --feature-profile graph-learning
	eventually 5 grep -q "cannot use the database $STATE/kliq.db" "$ERR"
	rm "$STATE/kliq.db"
	eventually 90 recorded
	stop
}
