#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-events: every reason in both families, edges, scans, samples, a full ring, one reader, every refusal.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	OUT=$BATS_TEST_TMPDIR/out
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/zero" >/dev/null
}

teardown() { lab_down; }

events() { kl-events -p "$PINS" "$@"; }
sample() { kl-set -p "$PINS" sample "$1"; }
four() { peer_send "$@" dst=10.77.0.2; }
six() { peer_send "$@" dst=fd77::2; }
# rows: of $OUT, without the two times and the header, equal ones counted.
rows() { tail -n +2 "$OUT" | cut -f2,4- | uniq -c | sed 's/^ *//; s/ /\t/'; }
# total NAME...: those counters since setup.
total() {
	cp "$BATS_TEST_TMPDIR/zero" "$BATS_TEST_TMPDIR/since"
	kl-dump-total -p "$PINS" -s "$BATS_TEST_TMPDIR/since" >"$BATS_TEST_TMPDIR/total"
	columns "$BATS_TEST_TMPDIR/total" "$@" | tail -n 1
}
# begin [OPTION...]: a reader in the background, in $pid, that has its place.
begin() {
	kl-events -p "$PINS" "$@" >"$OUT" 2>"$OUT.err" 3>&- &
	pid=$!
	until_true test -s "$OUT"
}
# ends STATUS
ends() {
	local status=0
	wait "$pid" || status=$?
	[ "$status" -eq "$1" ]
}
says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-events: $line")
}

@test "the header is the schema's; a frame a second, each with its star row" {
	run --separate-stderr events -n 3
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(tr '\t' '\n' <<<"${lines[0]}") <(tail -n +2 "$TOP/schemas/event.tsv" | cut -f1)
	diff <(printf '%s\n' "${lines[@]:1}" | cut -f2-) <(yes '*	-	-	-	-	0	0	0	0' | head -n 3)
	printf '%s\n' "${lines[@]:1}" | awk -F'\t' 'NR > 1 && ($1 - was < 0.9 || $1 - was > 1.3) { print $1 - was; bad = 1 }
		{ was = $1 } END { exit bad }'
}

@test "denied, limited, not allowed: IPv4, IPv6; what passes is no event" {
	sample 1
	kl-rule -p "$PINS" add deny 10.77.0.5
	kl-rule -p "$PINS" add deny fd77::5
	kl-rule -p "$PINS" add limit 10.77.0.6 --rate 1 --burst 2
	kl-rule -p "$PINS" add limit fd77::6 --rate 1 --burst 2
	four -c 3 src=10.77.0.5 proto=tcp flags=S dport=443
	six -c 2 src=fd77::5 proto=udp dport=53 len=8
	four -c 5 src=10.77.0.6 proto=udp dport=7
	six -c 5 src=fd77::6 proto=icmp6
	four -c 2 src=10.77.0.5 proto=icmp
	four -c 1 src=10.77.0.5 proto=47 len=6
	four -c 1 src=10.77.0.5 proto=udp dport=7 frag=5 len=40
	four -c 9 src=10.77.0.7 proto=udp
	kl-set -p "$PINS" -f enforce-allow on
	four -c 2 src=10.77.0.8 proto=udp dport=65535 vlan=5
	six -c 2 src=fd77::8 proto=tcp flags=A dport=1
	four src=10.77.0.8 proto=udp cut=33
	before=$(date +%s.%3N)
	events -n 1 >"$OUT"
	diff <(rows) - <<-'END'
		3	10.77.0.5	drop_deny	tcp	443	54	1	1	0
		2	fd77::5	drop_deny	udp	53	70	1	1	0
		3	10.77.0.6	drop_rl	udp	7	42	1	1	0
		3	fd77::6	drop_rl	icmp	0	62	1	1	0
		2	10.77.0.5	drop_deny	icmp	0	42	1	1	0
		1	10.77.0.5	drop_deny	47	0	40	1	1	0
		1	10.77.0.5	drop_deny	udp	0	74	1	1	0
		2	10.77.0.8	drop_allow	udp	65535	46	1	1	0
		2	fd77::8	drop_allow	tcp	1	74	1	1	0
		1	*	-	-	-	1052	19	19	0
	END
	# In order, all before the reader began, all of this minute, and one time for all rows.
	awk -F'\t' -v before="$before" 'NR == 1 || $2 == "*" { next }
		$3 < was || $3 > before + 0.002 || $3 < before - 60 { print "at " $3; bad = 1 }
		{ was = $3 } END { exit bad }' "$OUT"
	[ "$(tail -n +2 "$OUT" | cut -f1 | uniq | wc -l)" -eq 1 ]
}

@test "the whole address, where sources are kept per /64" {
	kl-set -p "$PINS" src6-prefix 64
	sample 1
	kl-rule -p "$PINS" add deny fd77::/64
	six src=fd77::1:2:3:5 proto=udp dport=9
	events -n 1 >"$OUT"
	diff <(rows) - <<-'END'
		1	fd77::1:2:3:5	drop_deny	udp	9	62	1	1	0
		1	*	-	-	-	62	1	1	0
	END
}

@test "one in ten; none; changed while it runs" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	four -c 100 src=10.77.0.5 proto=udp
	events -n 1 >"$OUT"
	diff <(rows) <(printf '1\t*\t-\t-\t-\t0\t0\t0\t0\n')
	sample 10
	# Each processor counts its own: the sender stays on one.
	for n in 55 45; do
		in_peer taskset -c 0 "$HELPERS/send" -c $n out0 src=10.77.0.5 dst=10.77.0.2 proto=udp
	done
	events -n 1 >"$OUT"
	diff <(rows) - <<-'END'
		10	10.77.0.5	drop_deny	udp	9	42	10	1	0
		1	*	-	-	-	420	100	10	0
	END
	sample 0
	four -c 100 src=10.77.0.5 proto=udp
	events -n 1 >"$OUT"
	diff <(rows) <(printf '1\t*\t-\t-\t-\t0\t0\t0\t0\n')
	diff <(total drop_deny events events_lost) <(printf '300\t10\t0\n')
}

@test "edges: by a rule, by its limit, by edge-mode allow; counted as denied, and as edges" {
	sample 1
	kl-set -p "$PINS" src6-prefix 64
	kl-rule -p "$PINS" add edge-deny 10.77.0.5 443/tcp 2>/dev/null
	kl-rule -p "$PINS" add edge-limit fd77::5 53/udp --rate 1 --burst 2 2>/dev/null
	kl-rule -p "$PINS" add edge-allow fd77::5 53/udp 2>/dev/null
	kl-rule -p "$PINS" add deny 10.77.0.6
	kl-set -p "$PINS" -f edge-mode deny
	four -c 3 src=10.77.0.5 proto=tcp flags=S dport=443
	four -c 2 src=10.77.0.5 proto=tcp flags=S dport=444
	six -c 5 src=fd77::5 proto=udp dport=53
	four -c 2 src=10.77.0.6 proto=udp dport=443
	kl-set -p "$PINS" -f edge-mode allow
	six -c 2 src=fd77::1:2:3:5 proto=udp dport=53
	six -c 2 src=fd77::5 proto=icmp6
	four -c 2 src=10.77.0.5 proto=132 len=12
	four src=10.77.0.5 proto=udp dport=7 frag=5 len=40
	events -n 1 >"$OUT"
	diff <(rows) - <<-'END'
		3	10.77.0.5	edge	tcp	443	54	1	1	0
		3	fd77::5	drop_rl	udp	53	62	1	1	0
		2	10.77.0.6	drop_deny	udp	443	42	1	1	0
		2	fd77::1:2:3:5	edge	udp	53	62	1	1	0
		2	fd77::5	edge	icmp	0	62	1	1	0
		2	10.77.0.5	edge	132	27499	46	1	1	0
		1	10.77.0.5	edge	udp	0	74	1	1	0
		1	*	-	-	-	846	15	15	0
	END
	diff <(total drop_deny drop_rl drop_edge drop_frag events events_lost) <(printf '12\t3\t10\t1\t15\t0\n')
}

# With which of its ports a source is told of is chance, of the instance's seed.
@test "scans: once a tick and source, both families, dropped or not; none without sample" {
	scan() { # SOURCE...: 256 ports each
		local s
		for s; do
			if [[ $s == *:* ]]; then
				six -c 512 dports=256 src="$s" proto=udp dport=1000
			else
				four -c 512 dports=256 src="$s" proto=tcp flags=S dport=1000
			fi
		done
	}
	scan 10.77.0.5
	events -n 1 >"$OUT"
	diff <(rows) <(printf '1\t*\t-\t-\t-\t0\t0\t0\t0\n')
	sample 1000000
	for tick in 1 2; do
		kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/src.$tick" >/dev/null
		scan 10.77.0.5 fd77::5 10.77.0.5
		four -c 500 dports=4 src=10.77.0.6 proto=udp dport=1000
		events -n 1 >"$OUT"
		diff <(rows | cut -f1-4,6-) - <<-'END'
			1	10.77.0.5	scan	tcp	54	1	1	0
			1	fd77::5	scan	udp	62	1	1	0
			1	*	-	-	116	2	2	0
		END
		awk -F'\t' 'NR == 1 || $2 == "*" { next } $6 < 1003 || $6 > 1255 { print; bad = 1 } END { exit bad }' "$OUT"
	done
	diff <(total pass drop_deny events events_lost) <(printf '4584\t0\t4\t0\n')
	# A scanner that is denied is told of as that, and as a scanner.
	sample 100
	kl-rule -p "$PINS" add deny 10.77.0.7
	kl-dump-src -p "$PINS" -s "$BATS_TEST_TMPDIR/src.3" >/dev/null
	in_peer taskset -c 0 "$HELPERS/send" -c 500 out0 dports=256 src=10.77.0.7 dst=10.77.0.2 proto=udp dport=1000
	events -n 1 >"$OUT"
	diff <(rows | cut -f2,3,6- | sort | uniq -c | sed 's/^ *//; s/ /\t/') - <<-'END'
		1	*	-	252	501	6	0
		5	10.77.0.7	drop_deny	42	100	1	0
		1	10.77.0.7	scan	42	1	1	0
	END
}

@test "both flavours of the program tell" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	sample 1
	for flavour in old new; do
		in_here kl-attach -p "$PINS" --flavour $flavour in0 >/dev/null
		four -c 4 src=10.77.0.5 proto=udp
		events -n 1 >"$OUT"
		diff <(rows) - <<-'END'
			4	10.77.0.5	drop_deny	udp	9	42	1	1	0
			1	*	-	-	-	168	4	4	0
		END
	done
}

@test "a full ring: what was lost is counted, in the star row while somebody reads" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	sample 1
	four -c 25000 src=10.77.0.5 proto=udp
	diff <(total drop_deny events events_lost) <(printf '25000\t21845\t3155\n')
	events -n 1 >"$OUT"
	diff <(rows) <(printf '21845\t10.77.0.5\tdrop_deny\tudp\t9\t42\t1\t1\t0\n1\t*\t-\t-\t-\t917490\t21845\t21845\t0\n')
	: >"$OUT"
	begin -n 3
	kill -STOP $pid
	four -c 25000 src=10.77.0.5 proto=udp
	kill -CONT $pid
	ends 0
	[ "$(grep -c '	10\.77\.0\.5	' "$OUT")" -eq 21845 ]
	awk -F'\t' '$2 == "*" { events += $9; lost += $10 } END { print events, lost }' "$OUT" | diff - <(echo 21845 3155)
	diff <(total drop_deny events events_lost) <(printf '50000\t43690\t6310\n')
}

@test "told to end: the frame under way gets its star row, status 0" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	sample 1
	for sig in TERM INT; do
		: >"$OUT"
		begin
		four -c 2 src=10.77.0.5 proto=udp
		kill -$sig $pid
		ends 0
		[ ! -s "$OUT.err" ]
		tail -n 1 "$OUT" | grep -qP '\t\*\t'
		awk -F'\t' '$2 == "*" { n += $9 } END { exit n != 2 }' "$OUT"
	done
}

@test "one reader at a time; a killed one is followed by the next, nothing is told twice" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	sample 1
	begin
	says 4 "another kl-events reads the events of '$PINS'" events -n 1
	kill -KILL $pid
	ends 137
	four -c 7 src=10.77.0.5 proto=udp
	events -n 1 >"$OUT"
	diff <(rows) - <<-'END'
		7	10.77.0.5	drop_deny	udp	9	42	1	1	0
		1	*	-	-	-	294	7	7	0
	END
	# Given back at the end, not left to run out: the next one has not to wait two seconds.
	bpftool -j map dump pinned "$PINS/kernloom_cfg" | jq -e '.[0].value[64:72] | all(. == "0x00")' >/dev/null
	events -n 1 >"$OUT"
	diff <(rows) <(printf '1\t*\t-\t-\t-\t0\t0\t0\t0\n')
	# One that stood still while another took over says so, and leaves that one alone.
	: >"$OUT"
	begin
	kill -STOP $pid
	kl-events -p "$PINS" -n 3 >"$OUT.next" 3>&- &
	next=$!
	sleep 3
	kill -CONT $pid
	ends 4
	diff "$OUT.err" <(echo "kl-events: another kl-events reads them: it took over while this one stood still")
	four -c 7 src=10.77.0.5 proto=udp
	wait $next
	awk -F'\t' '$2 == "*" { n += $9 } END { exit n != 7 }' "$OUT.next"
}

@test "the stream is one of kl-tsv" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	sample 1
	four -c 3 src=10.77.0.5 proto=udp
	events -n 2 >"$OUT"
	mlr --itsv --ojson filter '$src != "*"' "$OUT" | jq -e 'length == 3 and all(.[]; .reason == "drop_deny" and .port == 9)' >/dev/null
	sqlite3 :memory: '.mode tabs' ".import $OUT t" "select src, sum(aux) from t where src <> '*' group by src" |
		diff - <(printf '10.77.0.5\t3\n')
}

@test "refusals: one line each, the documented status" {
	says 2 "takes no operand: 'in0'" events in0
	says 2 "bad value '-1' for --count: a whole number" events --count=-1
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-events -p /no/where
	run bash -c 'kl-events -p "$1" -n 1 2>&1 >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "kl-events: cannot write standard output: No space left on device" ]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 0 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" events
	"$HELPERS/poke" "$PINS/kernloom_cfg" 0 0x4b4c5348
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-events)" -p "$PINS"
	rm "$PINS/kernloom_events"
	says 4 "cannot open '$PINS': pin kernloom_events is missing: detach and attach again" events
}
