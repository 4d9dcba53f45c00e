#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-total --hist: every bin of lengths, ports, drops, ticks, snapshots, every refusal.

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
	kl-set -p "$PINS" hist on
}
dump() { kl-dump-total -p "$PINS" --hist "$@"; }
four() { peer_send "$@" dst=10.77.0.2; }
six() { peer_send "$@" dst=fd77::2; }

# tick COMMAND...: the rows of what came while COMMAND ran, without time and dt.
tick() {
	[[ -e $SNAP ]] || dump -s "$SNAP" >/dev/null
	"$@"
	dump -s "$SNAP" >"$OUT"
	tail -n +2 "$OUT" | cut -f3-
}
says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-dump-total: $line")
}

@test "lengths: both sides of every bound, all frames; in order, the star row last" {
	# 42 bytes of headers: frames of 63 and 64, 127 and 128 and so on.
	lengths() {
		local n
		for n in 64 128 256 512 1024; do
			four -c 2 src=10.77.0.5 proto=udp dport=2000 len=$((n - 42 - 1))
			four -c 3 src=10.77.0.5 proto=udp dport=2000 len=$((n - 42))
		done
		# Not IP, and malformed.
		peer_send "hex=ffffffffffff02000000000a88b5$(printf '00%.0s' {1..46})"
		four src=10.77.0.5 proto=udp cut=33
	}
	for flavour in new old; do
		attach --flavour "$flavour"
		rm -f "$SNAP"
		diff <(tick lengths) - <<-'END'
			-	len	64	4	219	-
			-	len	128	5	446	-
			-	len	256	5	894	-
			-	len	512	5	1790	-
			-	len	1024	5	3582	-
			-	len	2048	3	3072	-
			*	-	-	27	10003	0
		END
		diff <(head -n 1 "$OUT" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/hist.tsv" | cut -f1)
	done
}

@test "lengths beyond: what no frame here has is named right" {
	attach
	dump -s "$SNAP" >/dev/null
	# As if that many fewer had come until then: bins 0, 14 and 15.
	awk -F'\t' -v OFS='\t' 'NR == 1 { print; next }
		$3 == "*" { print t = $1, 0, "-", "18446744073709551615", "18446744073709551556", 0
			print $1, 14, "-", "18446744073709551614", "18446744073708551616", 0
			print $1, 15, "-", "18446744073709551613", "18446744073706551616", 0 }
		{ print }' "$SNAP" >"$SNAP.new"
	mv "$SNAP.new" "$SNAP"
	diff <(tick true) - <<-'END'
		-	len	64	1	60	-
		-	len	1048576	2	1000000	-
		-	len	inf	3	3000000	-
		*	-	-	6	4000060	0
	END
}

@test "ports: 1 to 1023 of TCP, UDP and SCTP, both families; none of fragments, ICMP, or above" {
	attach
	ports() {
		four -c 2 src=10.77.0.5 proto=tcp dport=1 flags=S
		six -c 3 src=fd77::5 proto=udp dport=53
		four src=10.77.0.5 proto=udp dport=53 vlan=5,6
		six src=fd77::5 proto=udp dport=53 ext=hop,dst
		four src=10.77.0.5 proto=udp dport=1023
		four src=10.77.0.5 proto=udp dport=1024
		four src=10.77.0.5 proto=tcp dport=0
		four src=10.77.0.5 proto=icmp
		four src=10.77.0.5 proto=udp dport=53 frag=3 len=40
		# SCTP: ports 40000 and 80.
		peer_send "hex=02000000000b02000000000a0800450000200000000040842687$(printf '0a4d00050a4d00029c400050%016d' 0)"
	}
	diff <(tick ports | grep -v '	len	') - <<-'END'
		-	port	1	2	108	0
		-	port	53	5	314	0
		-	port	80	1	46	0
		-	port	1023	1	42	0
		*	-	-	13	722	0
	END
}

@test "drops: of ports, by whichever rule" {
	attach
	kl-rule -p "$PINS" add deny 10.77.0.5
	kl-rule -p "$PINS" add limit fd77::5 --rate 1 --burst 2
	some() {
		four -c 5 src=10.77.0.5 proto=udp dport=22
		four -c 5 src=10.77.0.6 proto=udp dport=22
		six -c 5 src=fd77::5 proto=udp dport=80
		four -c 5 src=10.77.0.5 proto=icmp
	}
	diff <(tick some | cut -f2-4,6) - <<-'END'
		len	64	20	-
		port	22	10	5
		port	80	5	3
		-	-	20	8
	END
}

@test "ticks of a stream; only bins that gained something" {
	attach
	four -c 7 src=10.77.0.5 proto=udp dport=7
	kl-dump-total -p "$PINS" --hist -i 1 -n 3 >"$OUT" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	four -c 5 src=10.77.0.5 proto=udp dport=9
	wait "$pid"
	# In which of the three they came is the machine's affair.
	columns "$OUT" kind bin pkts | sort | uniq -c | sed 's/^ *//; s/ /\t/' | awk -F'\t' '
		$2 == "port" && $3 != 9 { bad = 1 }
		$2 == "-" { stars += $1; all += $1 * $4 }
		$2 == "port" { port += $1 * $4 }
		END { exit bad || stars != 3 || all != 5 || port != 5 }'
	awk -F'\t' 'NR > 1 && ($2 < 0.9 || $2 > 5) { print "dt " $2; bad = 1 } END { exit bad }' "$OUT"
	# Switched off meanwhile: no frame that says nothing came.
	bounded 30 kl-dump-total -p "$PINS" --hist -i 0.1 -n 0 >"$OUT" 2>"$OUT.err" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	kl-set -p "$PINS" hist off
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	diff "$OUT.err" <(echo "kl-dump-total: histograms are off in '$PINS': nothing is counted (kl-set hist on)")
}

@test "-s: notes, difference, another instance, a broken snapshot, one of the counters" {
	attach
	four -c 5 src=10.77.0.5 proto=udp dport=9
	dump -s "$SNAP" >"$OUT"
	diff <(tail -n +2 "$OUT" | cut -f2-) <(printf '0.001\t*\t-\t-\t0\t0\t0\n')
	diff <(head -n 1 "$SNAP" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/hist_snapshot.tsv" | cut -f1)
	diff <(tail -n +2 "$SNAP" | cut -f2-6 | grep -v '\*') <(printf '%s\n' '0	-	5	210	0' '25	-	5	210	0')
	diff <(tick four -c 2 src=10.77.0.5 proto=udp dport=9 | cut -f2-4) \
		<(printf '%s\n' 'len	64	2' 'port	9	2' '-	-	2')
	in_here kl-attach -p "$PINS" --detach
	attach
	diff <(tick four -c 1 src=10.77.0.5 proto=udp dport=9 | cut -f2-4) \
		<(printf '%s\n' 'len	64	1' 'port	9	1' '-	-	1')
	sed -i '2s/\t1\t/\tone\t/' "$SNAP"
	says 3 "$SNAP:2: pkts: not a whole number 'one'" dump -s "$SNAP"
	kl-dump-total -p "$PINS" -s "$SNAP.total" >/dev/null
	cp "$SNAP.total" "$SNAP"
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-dump-total: $SNAP:1: "*drops* ]]
	cmp "$SNAP.total" "$SNAP"
}

@test "the stream is one of kl-tsv" {
	attach
	tick four -c 3 src=10.77.0.5 proto=udp dport=9 >/dev/null
	mlr --itsv --ojson filter '$kind == "port"' "$OUT" |
		jq -e 'length == 1 and .[0].bin == 9 and .[0].pkts == 3' >/dev/null
	sqlite3 :memory: '.mode tabs' ".import $OUT t" "select bin, pkts from t where kind = 'len'" |
		diff - <(printf '64\t3\n')
}

@test "refusals: one line each, the documented status" {
	attach
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -s "$SNAP" -i 1
	says 2 "option takes no value '--hist=on'" kl-dump-total -p "$PINS" --hist=on
	kl-set -p "$PINS" hist off
	says 1 "histograms are off in '$PINS': nothing is counted (kl-set hist on)" dump
	[ -z "$output" ]
	says 1 "histograms are off in '$PINS': nothing is counted (kl-set hist on)" dump -s "$SNAP"
	[ ! -e "$SNAP" ]
	# The counters do without.
	run --separate-stderr kl-dump-total -p "$PINS" -i 0.01
	[ "$status" -eq 0 ]
	rm "$PINS/kernloom_hist"
	says 4 "cannot open '$PINS': pin kernloom_hist is missing: detach and attach again" dump
}
