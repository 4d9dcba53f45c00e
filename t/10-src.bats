#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-src: every column on real frames, ticks, snapshots, the table full, every refusal.

# shellcheck disable=SC2016,SC2154,SC2317 # inner shells and awk expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	SNAP=$BATS_TEST_TMPDIR/snapshot
	OUT=$BATS_TEST_TMPDIR/out
}

teardown() { lab_down; }

attach() { in_here kl-attach -p "$PINS" --sources 4096 "$@" in0 >/dev/null; }
dump() { kl-dump-src -p "$PINS" "$@"; }

# tick COMMAND...: what the sources did while COMMAND ran, in order of their
# addresses, without time and dt.
tick() {
	[[ -e $SNAP ]] || dump -s "$SNAP" >/dev/null
	"$@"
	dump -s "$SNAP" >"$OUT"
	tail -n +2 "$OUT" | cut -f3- | sort
}
frames() { # SRC DST: each kind of packet
	local a=(src="$1" dst="$2") icmp=icmp
	[[ $1 != *:* ]] || icmp=icmp6
	peer_send -c 3 "${a[@]}" proto=tcp dport=80 flags=S
	peer_send -c 2 "${a[@]}" proto=tcp dport=80 flags=AP len=100
	peer_send "${a[@]}" proto=tcp dport=80 flags=SA
	peer_send "${a[@]}" proto=tcp dport=80 flags=RA
	peer_send "${a[@]}" proto=tcp dport=80 flags=R
	peer_send "${a[@]}" proto=tcp dport=80 flags=F
	peer_send -c 4 "${a[@]}" proto=udp dport=53 len=10
	peer_send -c 2 "${a[@]}" proto=$icmp
	peer_send "${a[@]}" proto=47 len=20
}
says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-dump-src: $line")
}

@test "every column, both families, both flavours; the star row is the sum" {
	both() { frames 10.77.0.5 10.77.0.2; frames fd77::5 fd77::2; }
	for flavour in new old; do
		attach --flavour "$flavour"
		rm -f "$SNAP"
		# Headers: 54 and 74 bytes of TCP, 42 and 62 of UDP and ICMP, 34 and 54 of IP.
		diff <(tick both | cut -f -14) <(printf '%s\n' \
			'*	32	2384	18	8	4	6	8	4	-	0	0	0	-' \
			'10.77.0.5	16	1032	9	4	2	3	4	2	2	0	0	0	0' \
			'fd77::5	16	1352	9	4	2	3	4	2	2	0	0	0	0')
		head -n 1 "$OUT" | diff - <(printf 'time\tdt\tsrc\tpkts\tbytes\ttcp\tudp\ticmp\tsyn\tack\trst\tports\tdrop_allow\tdrop_deny\tdrop_rl\tanswers\tnew\n')
	done
	bpftool map show | grep -q ' name locks '
}

@test "new: in the tick of the first packet, and not again; in the star row their number" {
	attach
	tick peer_send -c 20 srcs=20 src=10.77.1.1 dst=10.77.0.2 proto=udp dport=9 >"$BATS_TEST_TMPDIR/rows"
	[ "$(cut -f 15 "$BATS_TEST_TMPDIR/rows" | sort | uniq -c | tr -s ' ')" = " 20 1
 1 20" ]
	tick peer_send -c 21 srcs=21 src=10.77.1.1 dst=10.77.0.2 proto=udp dport=9 >"$BATS_TEST_TMPDIR/rows"
	[ "$(cut -f 1,15 "$BATS_TEST_TMPDIR/rows" | grep -v '	0$' | sort)" = "*	1
10.77.1.21	1" ]
}

@test "drops by reason, both families; dropped packets count" {
	attach
	all() {
		local s
		for s in 10.77.0.5 10.77.0.6 10.77.0.7; do
			peer_send -c 5 src=$s dst=10.77.0.2 proto=udp dport=9
		done
		for s in fd77::5 fd77::6 fd77::7; do
			peer_send -c 5 src=$s dst=fd77::2 proto=udp dport=9
		done
	}
	for s in 10.77.0.5 fd77::5; do kl-rule -p "$PINS" add deny $s; done
	for s in 10.77.0.6 fd77::6; do kl-rule -p "$PINS" add limit $s --rate 1 --burst 2; done
	for s in 10.77.0.7 fd77::7; do kl-rule -p "$PINS" add allow $s; done
	diff <(tick all | cut -f1,2,11-13) <(printf '%s\n' '*	30	0	10	6' \
		'10.77.0.5	5	0	5	0' '10.77.0.6	5	0	0	3' '10.77.0.7	5	0	0	0' \
		'fd77::5	5	0	5	0' 'fd77::6	5	0	0	3' 'fd77::7	5	0	0	0')
	kl-set -p "$PINS" enforce-allow on
	diff <(tick all | cut -f1,2,11-13) <(printf '%s\n' '*	30	20	0	0' \
		'10.77.0.5	5	5	0	0' '10.77.0.6	5	5	0	0' '10.77.0.7	5	0	0	0' \
		'fd77::5	5	5	0	0' 'fd77::6	5	5	0	0' 'fd77::7	5	0	0	0')
}

@test "ports: none, one, two interleaved connections; anew each tick; not from later fragments" {
	attach
	peer_send src=10.77.0.5 dst=10.77.0.2 proto=icmp
	peer_send src=fd77::5 dst=fd77::2 proto=icmp6
	some() {
		peer_send -c 20 src=10.77.0.5 dst=10.77.0.2 proto=icmp
		peer_send -c 20 src=10.77.0.6 dst=10.77.0.2 proto=tcp dport=0
		peer_send -c 20 src=10.77.0.7 dst=10.77.0.2 proto=tcp dport=443 dports=2
		peer_send -c 20 src=fd77::7 dst=fd77::2 proto=udp dport=65535 dports=2
		peer_send -c 20 src=10.77.0.8 dst=10.77.0.2 proto=udp frag=10 len=64
		peer_send -c 20 src=fd77::8 dst=fd77::2 ext=frag proto=udp frag=10 len=64
		peer_send -c 20 src=10.77.0.9 dst=10.77.0.2 proto=47 len=64
	}
	# A record made before the tick has no port of its own in it either.
	for _ in 1 2 3; do
		diff <(tick some | cut -f1,2,10) <(printf '%s\n' '*	140	-' '10.77.0.5	20	0' '10.77.0.6	20	1' \
			'10.77.0.7	20	2' '10.77.0.8	20	0' '10.77.0.9	20	0' 'fd77::7	20	2' 'fd77::8	20	0')
	done
}

@test "answers: UDP from below 1024 to 32768 and up, both families, both flavours" {
	both() {
		local a s d
		for a in "10.77.0.5 10.77.0.2" "fd77::5 fd77::2"; do
			read -r s d <<<"$a"
			peer_send -c 5 src="$s" dst="$d" proto=udp sport=53 dport=32768 dports=5
			peer_send -c 4 src="$s" dst="$d" proto=udp sport=53 dport=32767
			peer_send -c 3 src="$s" dst="$d" proto=udp sport=1024 dport=40000
			peer_send -c 2 src="$s" dst="$d" proto=tcp sport=53 dport=40000 flags=A
			peer_send -c 1 src="$s" dst="$d" proto=udp sport=1023 dport=65535
		done
	}
	for flavour in new old; do
		attach --flavour "$flavour"
		rm -f "$SNAP"
		diff <(tick both | cut -f1,2,14) <(printf '%s\n' '*	30	-' '10.77.0.5	15	6' 'fd77::5	15	6')
		diff <(tick both | cut -f1,2,14) <(printf '%s\n' '*	30	-' '10.77.0.5	15	6' 'fd77::5	15	6')
	done
}

@test "ports: the estimate of many" {
	attach
	# N TOLERANCE RANGES: the median over so many ranges of ports.
	while read -r n tolerance ranges; do
		many() {
			local i
			for ((i = 0; i < ranges; i++)); do
				peer_send -c $((3 * n)) src=10.77.1.$i dst=10.77.0.2 proto=tcp dport=$((1 + i * n)) dports="$n"
			done
		}
		tick many >"$BATS_TEST_TMPDIR/rows"
		median=$(grep -v '^\*' "$BATS_TEST_TMPDIR/rows" | cut -f10 | sort -n | sed -n "$((ranges / 2 + 1))p")
		[ "$(grep -c . "$BATS_TEST_TMPDIR/rows")" -eq $((ranges + 1)) ]
		awk -v n="$n" -v m="$median" -v t="$tolerance" 'BEGIN { exit !(m >= n * (1 - t) && m <= n * (1 + t)) }' ||
			{ echo "median of $n: $median"; cut -f1,10 "$BATS_TEST_TMPDIR/rows"; return 1; }
		rm "$SNAP"
	done <<-END
		10 0.15 9
		100 0.15 9
		500 0.15 9
		2000 0.3 15
		10000 0.3 5
	END
}

@test "rows only of who sent in the tick; ticks of one stream, their dt and pace" {
	attach
	peer_send -c 7 src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9
	kl-dump-src -p "$PINS" -i 1 -n 4 >"$OUT" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	peer_send -c 3 src=10.77.0.6 dst=10.77.0.2 proto=udp dport=9
	sleep 0.3
	peer_send -c 2 src=10.77.0.6 dst=10.77.0.2 proto=udp dport=9
	wait "$pid"
	# In which of the ticks they came is the machine's affair.
	columns "$OUT" src pkts ports | awk -F'\t' '
		NR == 1 { next }
		$1 == "*" { stars++; if ($2 != sum || $3 != "-") bad = 1; sum = 0; next }
		$1 != "10.77.0.6" || $2 < 1 || $3 != 1 { bad = 1 }
		{ sum += $2; all += $2 }
		END { exit bad || stars != 4 || all != 5 }'
	awk -F'\t' '
		NR == 1 { next }
		$2 < 0.9 || $2 > 5 { print "dt " $2; bad = 1 }
		$3 == "*" && was && ($1 - was < 0.8 || $1 - was > 5) { print "time from " was " to " $1; bad = 1 }
		$3 == "*" { was = $1 }
		END { exit bad }' "$OUT"
	run --separate-stderr dump
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	awk -F'\t' -v now="$(date +%s.%3N)" '$3 == "*" { exit !($2 >= 0.99 && $2 <= 5 && now - $1 >= 0 && now - $1 < 5) }' <<<"${lines[1]}"
}

@test "a stream comes frame by frame, and ends with its reader" {
	attach
	kl-dump-src -p "$PINS" -i 0.1 -n 0 >"$OUT" 3>&- &
	pid=$!
	four() { [ "$(grep -c '' "$OUT")" -ge 4 ]; }
	until_true four
	kill -0 "$pid"
	kill "$pid"
	wait "$pid" || true
	run bounded 5 bash -c 'kl-dump-src -p "$1" -i 0.05 -n 0 | head -n 3 | wc -l; echo "${PIPESTATUS[0]}"' bash "$PINS"
	[ "$output" = "3
141" ]
}

@test "-s: the first run takes notes, the next ones tell the difference" {
	attach
	peer_send -c 5 src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(cut -f2- <<<"${lines[1]}") <(printf '0.001\t*\t0\t0\t0\t0\t0\t0\t0\t0\t-\t0\t0\t0\t-\t0\n')
	[ "${#lines[@]}" -eq 2 ]
	sleep 0.5
	diff <(tick peer_send -c 3 src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9 | cut -f1,2) \
		<(printf '%s\n' '*	3' '10.77.0.5	3')
	awk -F'\t' '$3 == "*" { exit !($2 >= 0.5 && $2 < 5) }' "$OUT"
	diff <(tick true | cut -f1,2) <(echo '*	0')
	# Another instance: its counters start from zero, and none is negative.
	in_here kl-attach -p "$PINS" --detach
	attach
	diff <(tick peer_send -c 2 src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9 | cut -f1,2) \
		<(printf '%s\n' '*	2' '10.77.0.5	2')
}

@test "-s: a snapshot that is broken, cut or not writable" {
	attach
	tick peer_send -c 3 src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9 >/dev/null
	cp "$SNAP" "$BATS_TEST_TMPDIR/good"
	awk -F'\t' -v OFS='\t' 'NR == 2 { $5 = "many" } { print }' "$BATS_TEST_TMPDIR/good" >"$SNAP"
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 3 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "kl-dump-src: $SNAP:2: "*"'many'"* ]]
	# What was there stays for whoever looks into it.
	grep -q many "$SNAP"
	head -n 2 "$BATS_TEST_TMPDIR/good" >"$SNAP"
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 3 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "kl-dump-src: $SNAP"* ]]
	run --separate-stderr dump -s "$BATS_TEST_TMPDIR/no/where"
	[ "$status" -eq 4 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == "kl-dump-src: cannot "*"'$BATS_TEST_TMPDIR/no/where"*": No such file or directory" ]]
}

@test "src6-prefix 64: a /64 is one source" {
	attach
	kl-set -p "$PINS" src6-prefix 64
	two() {
		peer_send -c 9 srcs=3 src=fd77:0:0:1::a dst=fd77::2 proto=udp dport=9
		peer_send -c 2 src=fd77:0:0:2::a dst=fd77::2 proto=udp dport=10
	}
	diff <(tick two | cut -f1,2,10) <(printf '%s\n' '*	11	-' 'fd77:0:0:1::/64	9	1' 'fd77:0:0:2::/64	2	1')
	kl-set -p "$PINS" src6-prefix 128
	diff <(tick peer_send -c 9 srcs=3 src=fd77:0:0:1::a dst=fd77::2 proto=udp dport=9 | cut -f1,2,10) \
		<(printf '%s\n' '*	9	-' 'fd77:0:0:1::a	3	1' 'fd77:0:0:1::b	3	1' 'fd77:0:0:1::c	3	1')
}

@test "the table full: nothing is lost from the star row, nor from who was there" {
	in_here kl-attach -p "$PINS" --sources 10 in0 >/dev/null
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >/dev/null
	regular() { peer_send -c 20 src=10.77.0.5 dst=10.77.0.2 proto=tcp dport=80 flags=S; }
	tick regular >/dev/null
	# Sources that do not come again displace nobody.
	strangers() { peer_send -c 3000 srcs=3000 src=10.78.0.1 dst=10.77.0.2 proto=udp dport=9 len=8; regular; }
	tick strangers >"$BATS_TEST_TMPDIR/rows"
	[ "$(grep '^\*' "$BATS_TEST_TMPDIR/rows")" = '*	3020	151080	20	3000	0	20	0	0	-	0	0	0	-	3000' ]
	[ "$(grep -P '^10\.77\.0\.5\t' "$BATS_TEST_TMPDIR/rows")" = '10.77.0.5	20	1080	20	0	0	20	0	0	1	0	0	0	0	0' ]
	[ "$(grep -c . "$BATS_TEST_TMPDIR/rows")" -le 17 ]
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >"$OUT"
	listed=$(awk -F'\t' '$1 != "*" { n += $2 } END { print n }' "$BATS_TEST_TMPDIR/rows")
	[ "$(columns "$OUT" untracked | tail -n 1)" -eq $((3020 - listed)) ]
	[ "$(columns "$OUT" evicted new_sources | tail -n 1)" = '0	16' ]
	# Those that come again may; the star row counts them all the same.
	crowd() { peer_send -c 3000 srcs=300 src=10.79.0.1 dst=10.77.0.2 proto=udp dport=9 len=8; }
	[ "$(tick crowd | grep '^\*' | cut -f -14)" = '*	3000	150000	0	3000	0	0	0	0	-	0	0	0	-' ]
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/t" >"$OUT"
	[ "$(columns "$OUT" evicted | tail -n 1)" -ge 1 ]
}

@test "a record's bytes wrap at 2^51, its packets at 2^43, neither into the other" {
	in_here kl-attach -p "$PINS" --sources 10 in0 >/dev/null
	local size
	size=$(bpftool -j map show pinned "$PINS/kernloom_src4_stats_cold" | jq ".bytes_value / 8")
	one() { peer_send src=10.77.0.5 dst=10.77.0.2 proto=udp dport=9; }
	# Each of the sixteen records is made one that is a frame short of carrying: half of a field used up.
	# WORD of packets and bytes, its halves; CARRY, halves of packets and bytes; whose, of what was denied too.
	while read -r low high carried hot cold rules; do
		tick one >/dev/null
		for ((i = 0; i < 16; i++)); do
			"$HELPERS/poke" "$PINS/kernloom_src4_stats" $((i * 64 + hot)) "$low"
			"$HELPERS/poke" "$PINS/kernloom_src4_stats" $((i * 64 + hot + 4)) "$high"
			"$HELPERS/poke" "$PINS/kernloom_src4_stats_cold" $((i * size + cold)) "$carried"
		done
		[ "$rules" = none ] || kl-rule -p "$PINS" add deny 10.77.0.5
		tick true >/dev/null
		diff <(tick one | cut -f1-3) <(printf '%s\n' '*	1	42' '10.77.0.5	1	42')
		diff <(tick one | cut -f1-3) <(printf '%s\n' '*	1	42' '10.77.0.5	1	42')
	done <<-'END'
		0xfffffff0 0x17 0x0001ffff 24 20 none
		0xfffffff0 0x7ffffff7 0xffffffff 24 20 none
		0xfffffff0 0x17 0x0001ffff 32 24 deny
		0xfffffff0 0x7ffffff7 0xffffffff 32 24 deny
	END
}

@test "refusals: one line each, the documented status" {
	attach
	says 2 "takes no operand: 'in0'" dump in0
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -s "$SNAP" -i 1
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -n 1 -s "$SNAP"
	says 2 "bad value '0' for --interval: a number, 0.01 to 86400" dump -i 0
	says 2 "bad value '-1' for --count: a whole number" dump -n -1
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-dump-src -p /no/where
	run bash -c 'kl-dump-src -p "$1" -i 0.01 2>&1 >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "kl-dump-src: cannot write standard output: No space left on device" ]
	run bash -c 'kl-dump-src -p "$1" -i 0.01 2>&1 >&-' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "${#lines[@]}" -eq 1 ]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" dump
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-dump-src)" -p "$PINS"
	rm "$PINS/kernloom_src6_stats_cold"
	says 4 "cannot open '$PINS': pin kernloom_src6_stats_cold is missing: detach and attach again" dump
}
