#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-flow: every column on real frames, both directions, what an edge is, ticks, snapshots, captures, the
# table full, every refusal.

# shellcheck disable=SC2016,SC2154 # inner shells and awk expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	SNAP=$BATS_TEST_TMPDIR/snapshot
	OUT=$BATS_TEST_TMPDIR/out
}

teardown() { lab_down; }

attach() {
	in_here kl-attach -p "$PINS" --sources 4096 "$@" in0 >/dev/null
	kl-set -p "$PINS" flows on
}
dump() { kl-dump-flow -p "$PINS" "$@"; }
four() { peer_send "$@" dst=10.77.0.2; }
six() { peer_send "$@" dst=fd77::2; }

# tick COMMAND...: what went over the edges while COMMAND ran, sorted, without time and dt.
tick() {
	[[ -e $SNAP ]] || dump -s "$SNAP" >/dev/null
	"$@"
	dump -s "$SNAP" >"$OUT"
	tail -n +2 "$OUT" | cut -f3- | sort
}
says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-dump-flow: $line")
}

@test "every column, both families, both flavours; the star row is the sum" {
	kinds() {
		four -c 3 src=10.77.0.5 proto=tcp dport=80 flags=S
		four -c 2 src=10.77.0.5 proto=tcp dport=80 flags=SA
		four -c 2 src=10.77.0.5 proto=tcp dport=80 flags=A len=100
		four -c 4 src=10.77.0.5 proto=udp dport=80 len=10
		four -c 2 src=10.77.0.6 proto=tcp dport=65535 flags=S
		six -c 3 src=fd77::5 proto=tcp dport=443 flags=S
		six -c 2 src=fd77::5 proto=icmp6
	}
	for flavour in new old; do
		attach --flavour "$flavour"
		rm -f "$SNAP"
		diff <(tick kinds) <(printf '%s\n' \
			'-	*	-	-	18	1240	8	0	0' \
			'in	10.77.0.5	80	tcp	7	578	3	0	0' \
			'in	10.77.0.5	80	udp	4	208	0	0	0' \
			'in	10.77.0.6	65535	tcp	2	108	2	0	0' \
			'in	fd77::5	0	icmp	2	124	0	0	0' \
			'in	fd77::5	443	tcp	3	222	3	0	0')
		diff <(head -n 1 "$OUT" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/flow.tsv" | cut -f1)
	done
	bpftool map show | grep -q ' name locks '
}

@test "protocols without ports, tags, options, extension headers; later fragments are under port 0" {
	attach
	shapes() {
		four -c 2 src=10.77.0.5 proto=icmp
		four src=10.77.0.5 proto=47 len=8
		four src=10.77.0.5 proto=50 len=8
		four src=10.77.0.5 proto=58 len=8
		four src=10.77.0.5 proto=132 len=12
		four src=10.77.0.6 proto=udp dport=53 vlan=5
		four src=10.77.0.6 proto=udp dport=53 vlan=5,7
		four src=10.77.0.6 proto=udp dport=53 opt=3
		four src=10.77.0.7 proto=udp dport=53 frag=0 more=1 len=16
		four src=10.77.0.7 proto=udp dport=53 frag=3 len=40
		four src=10.77.0.7 proto=tcp dport=53 frag=3 len=40
		six src=fd77::5 proto=1 len=8
		six src=fd77::6 proto=udp dport=53 ext=hop,dst,rt
		six src=fd77::7 ext=frag proto=udp dport=53 more=1 frag=0 len=16
		six src=fd77::7 ext=frag proto=udp dport=53 frag=3 len=40
	}
	# The payload of SCTP here is 'kkkkkkkkkkkk': its destination port is 0x6b6b.
	diff <(tick shapes | cut -f1-5) <(printf '%s\n' \
		'-	*	-	-	16' \
		'in	10.77.0.5	0	47	1' \
		'in	10.77.0.5	0	50	1' \
		'in	10.77.0.5	0	58	1' \
		'in	10.77.0.5	0	icmp	2' \
		'in	10.77.0.5	27499	132	1' \
		'in	10.77.0.6	53	udp	3' \
		'in	10.77.0.7	0	tcp	1' \
		'in	10.77.0.7	0	udp	1' \
		'in	10.77.0.7	53	udp	1' \
		'in	fd77::5	0	1	1' \
		'in	fd77::6	53	udp	1' \
		'in	fd77::7	0	udp	1' \
		'in	fd77::7	53	udp	1')
}

@test "outbound: what this host sends, under the port it is sent to; --dir" {
	attach --egress
	talk() {
		in_here ping -q -c 2 -i 0.2 -W 2 10.77.0.1
		in_here bash -c 'echo x >/dev/udp/10.77.0.1/9999' || true
	}
	[[ -e $SNAP ]] || dump -s "$SNAP" >/dev/null
	talk >/dev/null
	cp "$SNAP" "$SNAP.in"
	cp "$SNAP" "$SNAP.out"
	dump -s "$SNAP.in" --dir in | tail -n +2 | cut -f3- | sort >"$BATS_TEST_TMPDIR/in"
	dump -s "$SNAP.out" --dir out | tail -n +2 | cut -f3- | sort >"$BATS_TEST_TMPDIR/out.rows"
	# The datagram's refusal comes in as ICMP: two echo replies and that.
	diff "$BATS_TEST_TMPDIR/in" <(printf '%s\n' '-	*	-	-	3	268	0	0	0' 'in	10.77.0.1	0	icmp	3	268	0	0	0')
	diff "$BATS_TEST_TMPDIR/out.rows" <(printf '%s\n' '-	*	-	-	3	240	0	0	0' \
		'out	10.77.0.1	0	icmp	2	196	0	0	0' 'out	10.77.0.1	9999	udp	1	44	0	0	0')
	# What --dir left out is in the snapshot all the same.
	diff <(dump -s "$SNAP.in" | cut -f3-5,7) <(printf '%s\n' 'dir	src	port	pkts' '-	*	-	0')
	diff <(dump -s "$SNAP" --dir both | tail -n +2 | cut -f3-6 | sort) <(printf '%s\n' '-	*	-	-' \
		'in	10.77.0.1	0	icmp' 'out	10.77.0.1	0	icmp' 'out	10.77.0.1	9999	udp')
}

@test "drops: by an edge's rule or limit, by the source's; what was dropped at first makes no row" {
	attach
	kl-rule -p "$PINS" add deny 10.77.0.7
	kl-rule -p "$PINS" add edge-deny 10.77.0.5 80/tcp 2>/dev/null
	kl-rule -p "$PINS" add edge-limit fd77::5 53/udp --rate 1 --burst 2 2>/dev/null
	judged() {
		four -c 5 src=10.77.0.5 proto=tcp dport=80 flags=S
		four -c 5 src=10.77.0.5 proto=tcp dport=81 flags=S
		six -c 5 src=fd77::5 proto=udp dport=53
		four -c 5 src=10.77.0.6 proto=udp dport=9
		four -c 5 src=10.77.0.7 proto=udp dport=9
	}
	diff <(tick judged | cut -f2,3,5,7,8) <(printf '%s\n' '*	-	20	10	0' '10.77.0.5	80	5	5	0' \
		'10.77.0.5	81	5	5	0' '10.77.0.6	9	5	0	0' 'fd77::5	53	5	0	0')
	kl-set -p "$PINS" -f edge-mode deny
	kl-rule -p "$PINS" add deny 10.77.0.6
	diff <(tick judged | cut -f2,3,5,7,8) <(printf '%s\n' '*	-	20	10	13' '10.77.0.5	80	5	5	5' \
		'10.77.0.5	81	5	5	0' '10.77.0.6	9	5	0	5' 'fd77::5	53	5	0	3')
	# Without flows the mode alone counts what comes in.
	kl-set -p "$PINS" flows off
	diff <(tick judged | cut -f2,3,5) <(printf '%s\n' '*	-	20' '10.77.0.5	80	5' '10.77.0.5	81	5' '10.77.0.6	9	5' \
		'fd77::5	53	5')
}

# A connection from FAMILY's own address of the peer to port 7 here, opened and closed again.
connect() {
	in_peer perl -MSocket=:all -e 'use IO::Socket::IP; IO::Socket::IP->new(PeerAddr => $ARGV[0],
		PeerPort => 7, Timeout => 5) or die "no connection: $@"; sleep 1' "$1"
}
listen() {
	in_here perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(LocalAddr => "::", LocalPort => 7, Listen => 5,
		V6Only => 0) or die "cannot listen: $@"; open(F, ">", $ARGV[0]); close(F);
		while ($c = $s->accept) { push @c, $c }' "$OUT.up" 3>&- &
	until_true test -e "$OUT.up"
}

@test "est: connections that were really opened, which nobody can forge" {
	for flavour in new old; do
		lab_down
		lab_up
		rm -f "$OUT.up" "$SNAP"
		attach --egress --flavour "$flavour"
		listen
		both() { connect 10.77.0.2; connect 10.77.0.2; connect fd77::2; }
		tick both >"$OUT.rows"
		diff <(awk -F'\t' -v OFS='\t' '$1 == "in" && $4 == "tcp" { print $2, $3, $7, $9 }' "$OUT.rows") \
			<(printf '%s\n' '10.77.0.1	7	2	2' 'fd77::1	7	1	1')
		awk -F'\t' '$1 == "-" { exit $9 != 3 } $1 == "out" && $9 { exit 1 }' "$OUT.rows"
		# Somebody in the name of a host that hears the answers and says nothing: SYNs, and what would follow.
		ip -n "$HERE" neigh replace 10.77.0.9 lladdr 02:00:00:00:00:0a dev in0
		forged() {
			four -c 3 src=10.77.0.9 proto=tcp sport=1234 dport=7 flags=S
			for flags in A PA FA R SA; do
				four -c 50 src=10.77.0.9 proto=tcp sport=1234 dport=7 flags="$flags"
			done
		}
		tick forged >"$OUT.rows"
		grep -q '^in	10.77.0.9	7	tcp	' "$OUT.rows"
		grep -q '^out	10.77.0.9	1234	tcp	' "$OUT.rows"
		awk -F'\t' '$9 { print; bad = 1 } END { exit bad }' "$OUT.rows"
	done
}

# Without an egress program there is nothing to hold an acknowledgement against; dropped ones prove nothing.
@test "est: 0 without the egress program, and of what was dropped" {
	lab_down
	lab_up
	attach
	listen
	tick connect 10.77.0.2 | awk -F'\t' '$2 == "10.77.0.1" { n = $9 } $9 { bad = 1 } END { exit bad || n != "0" }'
	attach --egress
	# The answer to the SYN is seen, but what comes then is above the edge's limit.
	kl-rule -p "$PINS" add edge-limit 10.77.0.1 7/tcp --rate 1 --burst 1 2>/dev/null
	kl-set -p "$PINS" -f edge-mode deny
	limited() { timeout 5 bash -c "$(declare -f in_peer); PEER=$PEER in_peer perl -MIO::Socket::IP -e \
		'IO::Socket::IP->new(PeerAddr => \"10.77.0.2\", PeerPort => 7); '" || true; }
	tick limited | awk -F'\t' '$2 == "10.77.0.1" && $1 == "in" && $8 >= 1 { n++ } $9 { bad = 1 } END { exit bad || n != 1 }'
}

@test "whole addresses, where sources are kept per /64" {
	attach
	kl-set -p "$PINS" src6-prefix 64
	diff <(tick six -c 9 srcs=3 src=fd77:0:0:1::a proto=udp dport=9 | cut -f2,5) \
		<(printf '%s\n' '*	9' 'fd77:0:0:1::a	3' 'fd77:0:0:1::b	3' 'fd77:0:0:1::c	3')
}

@test "rows only of edges with packets in the tick; ticks of one stream, and how it ends" {
	attach
	four -c 7 src=10.77.0.5 proto=udp dport=9
	kl-dump-flow -p "$PINS" -i 0.8 -n 4 >"$OUT" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	four -c 3 src=10.77.0.6 proto=udp dport=9
	four -c 2 src=10.77.0.6 proto=udp dport=9
	wait "$pid"
	# In which of the ticks they came is the machine's affair.
	columns "$OUT" src port pkts | awk -F'\t' '
		NR == 1 { next }
		$1 == "*" { stars++; if ($2 != "-" || $3 != sum) bad = 1; sum = 0; next }
		$1 != "10.77.0.6" || $2 != 9 || $3 < 1 { bad = 1 }
		{ sum += $3; all += $3 }
		END { exit bad || stars != 4 || all != 5 }'
	awk -F'\t' 'NR > 1 && ($2 < 0.6 || $2 > 5) { print "dt " $2; bad = 1 } END { exit bad }' "$OUT"
	run bounded 10 bash -c 'kl-dump-flow -p "$1" -i 0.05 -n 0 | head -n 3 | wc -l; echo "${PIPESTATUS[0]}"' bash "$PINS"
	[ "$output" = "3
141" ]
	# Switched off meanwhile: no frame that says nothing came.
	bounded 30 kl-dump-flow -p "$PINS" -i 0.1 -n 0 >"$OUT" 2>"$OUT.err" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	kl-set -p "$PINS" flows off
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	diff "$OUT.err" <(echo "kl-dump-flow: flows and edge-mode are off in '$PINS': nothing is counted (kl-set flows on)")
	[[ $(tail -n 1 "$OUT") == *$'\t-\t*\t-\t-\t0\t0\t0\t0\t0' ]]
}

@test "two readers at once, both right" {
	attach
	for n in 1 2; do
		kl-dump-flow -p "$PINS" -i 0.$((n * 2)) -n 0 >"$OUT.$n" 3>&- &
		pids[n]=$!
	done
	for n in 1 2; do
		until_true grep -q '^[0-9]' "$OUT.$n"	# a tick, so its notes were taken
	done
	for _ in 1 2 3; do
		four -c 100 dports=10 src=10.77.0.5 proto=udp dport=100
		sleep 0.3
	done
	all() { columns "$OUT.$1" src pkts | awk -F'\t' '$1 == "*" { n += $2 } END { exit n < 300 }'; }
	for n in 1 2; do
		until_true all $n
	done
	sleep 0.5	# and nothing comes twice
	kill "${pids[@]}"
	for n in 1 2; do
		wait "${pids[n]}" || true
		columns "$OUT.$n" src port pkts | awk -F'\t' '$1 == "10.77.0.5" { n[$2] += $3 } $1 == "*" { all += $3 }
			END { for (p in n) print p "\t" n[p]; print "*\t" all }' | sort |
			diff - <(echo '*	300'; for p in {100..109}; do echo "$p	30"; done)
	done
}

@test "-s: the first run takes notes, the next ones tell the difference" {
	attach
	four -c 5 src=10.77.0.5 proto=udp dport=9
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "${#lines[@]}" -eq 2 ]
	diff <(cut -f2- <<<"${lines[1]}") <(printf '0.001\t-\t*\t-\t-\t0\t0\t0\t0\t0\n')
	diff <(head -n 1 "$SNAP" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/flow_snapshot.tsv" | cut -f1)
	diff <(sed -n 2p "$SNAP" | cut -f3-6,8-) <(printf 'in\t10.77.0.5\t9\tudp\t5\t210\t0\t0\t0\n')
	sleep 0.5
	some() { four -c 3 src=10.77.0.5 proto=udp dport=9; six src=fd77::5 proto=tcp dport=1 flags=S; }
	diff <(tick some | cut -f1-5) <(printf '%s\n' '-	*	-	-	4' 'in	10.77.0.5	9	udp	3' 'in	fd77::5	1	tcp	1')
	awk -F'\t' '$4 == "*" { exit !($2 >= 0.5 && $2 < 5) }' "$OUT"
	diff <(tick true | cut -f2,5) <(echo '*	0')
	# A place there is no more, as after a change of --flows, counts for nothing.
	sed -i "2s/\t[0-9]*\t/\t99999999\t/" "$SNAP"
	diff <(tick true | cut -f2,5) <(printf '%s\n' '*	8' '10.77.0.5	8')
	# One of the time before handshakes were counted.
	cut -f-11 "$SNAP" >"$SNAP.old"
	mv "$SNAP.old" "$SNAP"
	diff <(tick true | cut -f2,5) <(echo '*	0')
	diff <(head -n 1 "$SNAP" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/flow_snapshot.tsv" | cut -f1)
	# Another instance: its counters start from zero, and none is negative.
	in_here kl-attach -p "$PINS" --detach
	attach
	diff <(tick four -c 2 src=10.77.0.5 proto=udp dport=9 | cut -f2,5) <(printf '%s\n' '*	2' '10.77.0.5	2')
}

@test "-s: a snapshot that is broken, cut, doubled or not writable" {
	attach
	tick four -c 3 src=10.77.0.5 proto=udp dport=9 >/dev/null
	cp "$SNAP" "$BATS_TEST_TMPDIR/good"
	# COLUMN VALUE WHAT
	while read -r column value what; do
		awk -F'\t' -v OFS='\t' -v c="$column" -v v="$value" 'NR == 2 { $c = v } { print }' "$BATS_TEST_TMPDIR/good" >"$SNAP"
		says 3 "$SNAP:2: $what '$value'" dump -s "$SNAP"
		# What was there stays for whoever looks into it.
		cut -f"$column" "$SNAP" | grep -qxFe "$value"
	done <<-'END'
		2 x slot: not a whole number
		3 up dir: not in or out
		4 10.0.0.0/8 src: not an address
		5 65536 port: not 0 to 65535
		6 tpc proto: not a protocol
		7 -1 seen: not a whole number
		8 many pkts: not a whole number
		9 1.5 bytes: not a whole number
		10 - syn: not a whole number
		11 4294967296 drops: not a whole number
		12 none est: not a whole number
	END
	sed 2p "$BATS_TEST_TMPDIR/good" >"$SNAP"
	says 3 "$SNAP:3: slot: here twice '$(sed -n 2p "$SNAP" | cut -f2)'" dump -s "$SNAP"
	head -n 2 "$BATS_TEST_TMPDIR/good" >"$SNAP"
	says 3 "$SNAP:2: frame $(sed -n 2p "$SNAP" | cut -f1) ended without its star row" dump -s "$SNAP"
	cat "$BATS_TEST_TMPDIR/good" <(tail -n +2 "$BATS_TEST_TMPDIR/good" | sed '1s/^\([^\t]*\t\)[0-9]*/\10/') >"$SNAP"
	says 3 "$SNAP: 2 frames, not one" dump -s "$SNAP"
	run --separate-stderr dump -s "$BATS_TEST_TMPDIR/no/where"
	[ "$status" -eq 4 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "kl-dump-flow: cannot "*"'$BATS_TEST_TMPDIR/no/where"*": No such file or directory" ]]
}

@test "the table full: what is in no row is counted as lost" {
	attach --flows 10
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >/dev/null
	regular() { four -c 20 src=10.77.0.5 proto=tcp dport=80 flags=S; }
	tick regular >/dev/null
	strangers() { four -c 3000 srcs=3000 src=10.78.0.1 proto=udp dport=9 len=8; regular; }
	tick strangers >"$BATS_TEST_TMPDIR/rows"
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >"$OUT"
	diff <(grep -P '\t10\.77\.0\.5\t' "$BATS_TEST_TMPDIR/rows") <(echo 'in	10.77.0.5	80	tcp	20	1080	20	0	0')
	rows=$(grep -c '^in' "$BATS_TEST_TMPDIR/rows")
	[ "$rows" -ge 8 ]
	diff <(columns "$OUT" flows flows_evicted flows_lost | tail -n 1) <(printf '%s\t0\t%s\n' "$rows" $((3001 - rows)))
	[ "$(awk -F'\t' '$2 == "*" { print $5 }' "$BATS_TEST_TMPDIR/rows")" -eq $((19 + rows)) ]
	# Those that come again take the records of those that did not; no row goes below zero.
	crowd() { four -c 3000 srcs=300 src=10.79.0.1 proto=udp dport=9 len=8; }
	tick crowd >"$BATS_TEST_TMPDIR/rows"
	awk -F'\t' '$5 > 3000 || $2 ~ /^10\.78/ { print; bad = 1 } END { exit bad || NR < 2 }' "$BATS_TEST_TMPDIR/rows"
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >"$OUT"
	[ "$(columns "$OUT" flows_evicted | tail -n 1)" -ge 1 ]
}

@test "each capture: packets and bytes by edge" {
	CAPTURES=${KL_CAPTURES-$TOP/../shared/data}
	[[ -d $CAPTURES ]] || skip "no captures: \$KL_CAPTURES names their directory"
	attach --flows 131072
	dump -s "$SNAP" >/dev/null
	compared=0
	while read -r truth; do
		capture=${truth%.edges.tsv}
		name=${capture#"$CAPTURES"/}
		IFS=$'\t' read -r _ _ skipped < <("$HELPERS/feed" "$PINS" "$capture")
		dump -s "$SNAP" >"$OUT"
		[[ $skipped == 0 ]] || continue		# cut frames, or larger than a test frame
		case $name in
		# A cut IP header is not IP.
		bad/ip4-total-length.pcap | bad/ip6-length.pcap) continue ;;
		# Ports behind an extension header whose options are malformed but whose length is right are ports.
		ip6ext/mobile-dstopts-udp.pcap)
			diff <(columns "$OUT" port pkts | sort) <(printf '%s\n' '-	3' '0	1' '13000	2' 'port	pkts')
			continue
			;;
		esac
		columns "$OUT" src port proto pkts bytes | awk -F'\t' -v OFS='\t' '
			BEGIN { n["tcp"] = 6; n["udp"] = 17 }
			NR == 1 || $1 == "*" { next }
			{ n["icmp"] = $1 ~ /:/ ? 58 : 1; if ($3 in n) $3 = n[$3]; print }' | sort >"$BATS_TEST_TMPDIR/ours"
		awk -F'\t' -v OFS='\t' 'NR > 1 { print $1, $2, $3, $4, $5 }' "$truth" | sort >"$BATS_TEST_TMPDIR/theirs"
		diff "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs" || { echo "$name"; return 1; }
		compared=$((compared + 1))
	done < <(find -L "$CAPTURES" -name '*.edges.tsv' | sort)
	echo "$compared captures compared"
	[ "$compared" -ge 1 ]
}

@test "the stream is one of kl-tsv" {
	attach
	tick four -c 3 src=10.77.0.5 proto=udp dport=9 >/dev/null
	mlr --itsv --ojson filter '$src != "*"' "$OUT" |
		jq -e 'length == 1 and .[0].dir == "in" and .[0].port == 9 and .[0].pkts == 3' >/dev/null
	sqlite3 :memory: '.mode tabs' ".import $OUT t" "select src, proto, pkts from t where src <> '*'" |
		diff - <(printf '10.77.0.5\tudp\t3\n')
}

@test "refusals: one line each, the documented status" {
	attach
	says 2 "takes no operand: 'in0'" dump in0
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -s "$SNAP" -i 1
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -n 1 -s "$SNAP"
	says 2 "bad value '0' for --interval: a number, 0.01 to 86400" dump -i 0
	says 2 "bad value '-1' for --count: a whole number" dump -n -1
	says 2 "bad value 'up' for --dir: one of in out both" dump --dir up
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-dump-flow -p /no/where
	run bash -c 'kl-dump-flow -p "$1" -i 0.01 2>&1 >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "kl-dump-flow: cannot write standard output: No space left on device" ]
	kl-set -p "$PINS" flows off
	says 1 "flows and edge-mode are off in '$PINS': nothing is counted (kl-set flows on)" dump
	[ -z "$output" ]
	says 1 "flows and edge-mode are off in '$PINS': nothing is counted (kl-set flows on)" dump -s "$SNAP"
	[ ! -e "$SNAP" ]
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-dump-flow)" -p "$PINS"
	rm "$PINS/kernloom_flow4_stats_tags"
	says 4 "cannot open '$PINS': pin kernloom_flow4_stats_tags is missing: detach and attach again" dump
}
