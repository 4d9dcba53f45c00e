#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-score: the formula, every option, what passes through, who can read it.
# shellcheck disable=SC2016,SC2154 # programs of awk, mlr and jq; bats sets stderr

bats_require_minimum_version 1.5.0
export LC_ALL=C

setup() {
	ORACLE=$BATS_TEST_DIRNAME/score-oracle.awk
	cd "$BATS_TEST_TMPDIR" || return 1
}

# sev PKTS SYN PORTS BYTES DT OPTION...: "SEV WHY" of a single source.
sev() {
	printf 'time\tdt\tsrc\tpkts\tsyn\tports\tbytes\n9.000\t%s\ta\t%s\t%s\t%s\t%s\n9.000\t%s\t*\t1\t1\t-\t1\n' \
		"$5" "$1" "$2" "$3" "$4" "$5" | kl-score "${@:6}" | awk -F'\t' 'NR == 2 { print $12, $13 }'
}

# generate ROWS: frames of ten sources of all sorts.
generate() {
	awk -v n="$1" 'BEGIN {
		OFS = "\t"
		srand(11)
		print "time", "dt", "src", "pkts", "bytes", "tcp", "udp", "icmp", "syn", "ack", "rst", "ports",
			"drop_allow", "drop_deny", "drop_rl"
		for (i = 0; i < n; i++) {
			t = sprintf("%d.%03d", 1700000000 + i / 10, 250)
			dt = sprintf("%.3f", i % 30 < 10 ? 1 : .5 + int(i / 10) % 7 / 3)
			p = int(exp(rand() * 10)) - 1
			s = rand() < .5 ? int(p * rand()) : 0
			ports = rand() < .1 ? "-" : rand() < .5 ? int(exp(rand() * 5)) : 20 * int(rand() * 5)
			if (rand() < .2)
				p = 600 * int(rand() * 8)
			print t, dt, i % 10 < 9 ? "192.0.2." i % 10 : "*", p, p * int(60 + rand() * 1400), p, 0, 0, s, p - s, 0,
				ports, 0, 0, 0
		}
	}'
}

@test "the whole output of a frame" {
	printf '%s\n' 'time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl' \
		'1700000000.000	1.000	192.0.2.1	3000	180000	3000	0	0	3000	0	0	1	0	0	12' \
		'1700000000.000	1.000	2001:db8::1	60	4000	0	0	60	0	0	0	60	0	0	0' \
		'1700000000.000	1.000	198.51.100.0/24	0	0	0	0	0	0	0	0	0	0	0	0' \
		'1700000000.000	1.000	*	3060	184000	3000	0	60	3000	0	0	-	0	0	12' >in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$output" = 'time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	trig_pps	trig_syn	trig_scan	trig_bps	sev	why
1700000000.000	1.000	192.0.2.1	3000	180000	3000	0	0	3000	0	0	1	0	0	12	1200.000	250.000	20.000	0.000	3.000000	syn
1700000000.000	1.000	2001:db8::1	60	4000	0	0	60	0	0	0	60	0	0	0	1200.000	250.000	20.000	0.000	3.000000	scan
1700000000.000	1.000	198.51.100.0/24	0	0	0	0	0	0	0	0	0	0	0	0	1200.000	250.000	20.000	0.000	0.000000	-
1700000000.000	1.000	*	3060	184000	3000	0	60	3000	0	0	-	0	0	12	1200.000	250.000	20.000	0.000	-	-' ]
}

@test "--scan probes: answers are no scan, whatever ports they come to; columns may be missing" {
	# src pkts tcp udp icmp syn ack ports answers
	rows() {
		printf '%s\n' "time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl${1:+	answers}"
		while read -r src pkts tcp udp icmp syn ack ports answers; do
			printf '%s\n' "1.000	1.000	$src	$pkts	0	$tcp	$udp	$icmp	$syn	$ack	0	$ports	0	0	0${1:+	$answers}"
		done <<-'END'
			192.0.2.1 100 100 0 0 0 100 60 0
			192.0.2.2 100 0 100 0 0 0 60 100
			192.0.2.3 100 0 100 0 0 0 60 70
			192.0.2.4 100 100 0 0 60 0 60 0
			192.0.2.5 100 50 20 30 0 50 60 20
			* 500 250 220 30 60 150 - -
		END
	}
	rows with >in
	kl-score --scan probes --trig-pps 0 --trig-syn 0 in | cut -f3,21,22 | diff - <(printf '%s\t%s\t%s\n' src sev why 192.0.2.1 0.000000 - \
		192.0.2.2 0.000000 - 192.0.2.3 1.500000 scan 192.0.2.4 3.000000 scan 192.0.2.5 0.000000 - '*' - -)
	kl-score --trig-pps 0 --trig-syn 0 in | cut -f21 | sort | uniq -c | awk '{ print $1, $2 }' | diff - <(printf '%s\n' '1 -' '5 3.000000' '1 sev')
	kl-score --scan ports --trig-pps 0 --trig-syn 0 in | cmp - <(kl-score --trig-pps 0 --trig-syn 0 in)
	rows '' >in
	kl-score --scan probes --trig-pps 0 --trig-syn 0 in | cut -f3,20 | grep -v '\*' | diff - <(printf '%s\t%s\n' src sev 192.0.2.1 0.000000 \
		192.0.2.2 3.000000 192.0.2.3 3.000000 192.0.2.4 3.000000 192.0.2.5 1.000000)
	# Nor is a reset: src pkts tcp udp syn ack rst ports answers; .3 and .4 send RSTs with ACK, to hide what they ask.
	{
		head -n 1 in | sed 's/$/\tanswers/'
		while read -r src pkts tcp udp syn ack rst ports answers; do
			printf '%s\n' "1.000	1.000	$src	$pkts	0	$tcp	$udp	0	$syn	$ack	$rst	$ports	0	0	0	$answers"
		done <<-'END'
			192.0.2.1 100 100 0 0 70 30 60 0
			192.0.2.2 100 100 0 30 0 70 60 0
			192.0.2.3 100 100 0 30 70 70 60 0
			192.0.2.4 100 60 40 0 60 60 60 10
			192.0.2.5 100 100 0 0 0 60 60 0
			192.0.2.6 18446744073709551615 9 18446744073709551615 18446744073709551615 0 9 60 0
			* 0 0 0 0 0 0 - -
		END
	} >in2
	kl-score --scan probes --trig-pps 0 --trig-syn 0 in2 | cut -f3,21 | grep -v '\*' | diff - <(printf '%s\t%s\n' src sev 192.0.2.1 0.000000 \
		192.0.2.2 1.500000 192.0.2.3 1.500000 192.0.2.4 1.500000 192.0.2.5 2.000000 192.0.2.6 3.000000)
	printf '%s\t%s\n' key value scan probes >conf
	kl-score -c conf in | cmp - <(kl-score --scan probes in)
}

@test "--combine max is the default: one signal is enough" {
	[ "$(sev 0 500 0 0 1.000)" = "2.000000 syn" ]
	[ "$(sev 0 500 0 0 1.000 --combine max)" = "2.000000 syn" ]
}

@test "--combine sum adds weighted ratios" {
	[ "$(sev 1200 250 20 0 1.000 --combine sum)" = "1.000000 pps" ]
	[ "$(sev 0 500 0 0 1.000 --combine sum)" = "0.600000 syn" ]
	[ "$(sev 0 0 20 0 1.000 --combine sum)" = "0.150000 scan" ]
}

@test "--combine max keeps a sum that is larger" {
	[ "$(sev 1200 250 20 0 1.000 --w-pps 1 --w-syn 1 --w-scan 1)" = "3.000000 pps" ]
}

@test "--trig-pps --trig-syn --trig-scan --trig-bps" {
	[ "$(sev 100 0 0 0 1.000 --trig-pps 50)" = "2.000000 pps" ]
	[ "$(sev 0 100 0 0 1.000 --trig-syn 50)" = "2.000000 syn" ]
	[ "$(sev 0 0 100 0 1.000 --trig-scan 50)" = "2.000000 scan" ]
	[ "$(sev 0 0 0 100 1.000 --trig-bps 50)" = "2.000000 bps" ]
}

@test "a trigger of 0 is not looked at; bps is off by default" {
	[ "$(sev 9999 0 0 0 1.000 --trig-pps 0)" = "0.000000 -" ]
	[ "$(sev 0 9999 0 0 1.000 --trig-syn 0)" = "0.000000 -" ]
	[ "$(sev 0 0 9999 0 1.000 --trig-scan 0)" = "0.000000 -" ]
	[ "$(sev 0 0 0 99999999 1.000)" = "0.000000 -" ]
}

@test "--w-pps --w-syn --w-scan --w-bps" {
	[ "$(sev 1200 0 0 0 1.000 --combine sum --w-pps 0.5)" = "0.500000 pps" ]
	[ "$(sev 0 250 0 0 1.000 --combine sum --w-syn 0.25)" = "0.250000 syn" ]
	[ "$(sev 0 0 20 0 1.000 --combine sum --w-scan 2)" = "2.000000 scan" ]
	[ "$(sev 0 0 0 10 1.000 --combine sum --trig-bps 10 --w-bps 0.75)" = "0.750000 bps" ]
}

@test "--sev-cap caps each ratio" {
	[ "$(sev 999999 0 0 0 1.000)" = "3.000000 pps" ]
	[ "$(sev 999999 999999 999999 0 1.000 --combine sum)" = "3.000000 pps" ]
	[ "$(sev 999999 0 0 0 1.000 --sev-cap 5.5)" = "5.500000 pps" ]
	[ "$(sev 999999 250 0 0 1.000 --combine sum --sev-cap 1)" = "0.850000 pps" ]
}

@test "-c FILE sets all of them" {
	printf '%s\t%s\n' key value combine sum trig-pps 10 trig-syn 20 trig-scan 30 trig-bps 40 \
		w-pps 0.1 w-syn 0.2 w-scan 0.3 w-bps 0.4 sev-cap 2 >conf
	[ "$(sev 10 20 30 40 1.000 -c conf)" = "1.000000 bps" ]
	[ "$(sev 100 200 300 400 1.000 -c conf)" = "2.000000 bps" ]
	[ "$(sev 10 0 0 0 1.000 -c conf)" = "0.100000 pps" ]
	[ "$(sev 10 0 0 0 1.000 -c conf --combine max)" = "1.000000 pps" ]
}

@test "rates are counts by dt" {
	[ "$(sev 2400 0 0 0 2.000)" = "1.000000 pps" ]
	[ "$(sev 600 0 0 0 0.500)" = "1.000000 pps" ]
	[ "$(sev 0 0 5 0 0.250)" = "1.000000 scan" ]
}

@test "why: the first of equals, in the order pps syn scan bps" {
	[ "$(sev 10 10 10 10 1.000 --trig-pps 10 --trig-syn 10 --trig-scan 10 --trig-bps 10)" = "1.000000 pps" ]
	[ "$(sev 0 10 10 10 1.000 --trig-syn 10 --trig-scan 10 --trig-bps 10)" = "1.000000 syn" ]
	[ "$(sev 0 0 10 10 1.000 --trig-scan 10 --trig-bps 10)" = "1.000000 scan" ]
}

@test "why: the largest term of a sum, the largest ratio of max" {
	[ "$(sev 1200 300 0 0 1.000 --combine sum)" = "0.910000 pps" ]
	[ "$(sev 1200 300 0 0 1.000)" = "1.200000 syn" ]
}

@test "ports of - count as 0" {
	[ "$(sev 1200 0 - 0 1.000)" = "1.000000 pps" ]
}

@test "bad cells: the row is left out, the column named" {
	local c bad
	for c in dt pkts syn ports bytes; do
		for bad in x -1 1.5.1 '*'; do
			printf 'dt\t1.000\npkts\t1\nsyn\t1\nports\t1\nbytes\t1\n' | awk -F'\t' -v c="$c" -v bad="$bad" '
				{ h = h "\t" $1; v = v "\t" ($1 == c ? bad : $2); s = s "\t" $2 }
				END { print "time\tsrc" h; print "1.000\ta" v; print "1.000\t*" s }' >in
			run --separate-stderr kl-score in
			[ "$status" -eq 1 ]
			[ "${#lines[@]}" -eq 2 ]
			[[ $stderr == "kl-score: in:2: $c: not a"*" '$bad'" ]]
		done
	done
}

@test "a tick of no length is a bad cell" {
	run --separate-stderr sev 1 1 1 1 0.000
	[ "$output" = "- -" ]
	[ "$stderr" = "kl-score: stdin:2: dt: not a number > 0 '0.000'" ]
}

@test "counts up to 2^64-1" {
	[ "$(sev 18446744073709551615 0 0 0 1.000)" = "3.000000 pps" ]
	[ "$(sev 18446744073709551615 0 0 0 1.000 --trig-pps 1000000000000 --sev-cap 99999999)" = "18446744.073710 pps" ]
	run --separate-stderr sev 18446744073709551616 0 0 0 1.000
	[ "$stderr" = "kl-score: stdin:2: pkts: not a whole number '18446744073709551616'" ]
}

@test "settings that allow a severity above 10^9 are refused" {
	for options in '--combine sum --sev-cap 1000000001 --w-pps 1' '--sev-cap 1000000001 --w-pps 0' \
		'--sev-cap 500000000 --w-syn 2' '--sev-cap 1000000000000 --w-pps 1000000000000'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr kl-score $options </dev/null
		[ "$status" -eq 2 ]
		[ "$output" = "" ]
		[ "$stderr" = "kl-score: --sev-cap and the weights allow a severity above 10^9" ]
	done
	[ "$(sev 18446744073709551615 0 0 0 1.000 --trig-pps 1 --sev-cap 1000000000)" = "1000000000.000000 pps" ]
}

@test "triggers are printed with three decimals" {
	generate 10 | kl-score --trig-pps 0.0625 --trig-syn 1000000000000 --trig-scan 7 --trig-bps 12500000.5 |
		awk -F'\t' 'NR > 1 { print $16, $17, $18, $19 }' | sort -u >got
	[ "$(cat got)" = "0.062 1000000000000.000 7.000 12500000.500" ]
}

@test "what was read passes byte for byte" {
	generate 200 >in
	kl-score in | cut -f 1-15 | cmp - in
}

@test "columns in another order, and one more, give the same" {
	generate 200 >in
	kl-score in | awk -F'\t' '{ print $1, $3, $20, $21 }' >want
	awk 'BEGIN { FS = OFS = "\t" } { print $1, $12, $9, NR == 1 ? "note" : "n" NR, $5, $4, $3, $2 }' in >other
	kl-score other >out
	awk -F'\t' '{ print $1, $7, $13, $14 }' out | cmp - want
	cut -f 1-8 out | cmp - other
}

@test "the same input twice gives the same bytes" {
	generate 500 >in
	kl-score in >one
	kl-score <in >two
	cmp one two
}

# oracle COMBINE OPTION...: 3000 rows of ours against those of another hand.
oracle() {
	local conf=$1
	shift
	generate 3000 >in
	kl-score --combine "$conf" "$@" in | awk -F'\t' 'NR > 1 { print $1 "\t" $3 "\t" $20 "\t" $21 }' >got
}

@test "--combine sum against another implementation" {
	oracle sum
	awk -f "$ORACLE" -v combine=sum -v cap=3 -v t_pps=1200 -v t_syn=250 -v t_scan=20 -v t_bps=0 \
		-v w_pps=.55 -v w_syn=.30 -v w_scan=.15 -v w_bps=0 in >want
	[ "$(wc -l <want)" -eq 3000 ]
	cmp got want
}

@test "--combine max against another implementation" {
	oracle max
	awk -f "$ORACLE" -v combine=max -v cap=3 -v t_pps=1200 -v t_syn=250 -v t_scan=20 -v t_bps=0 \
		-v w_pps=.55 -v w_syn=.30 -v w_scan=.15 -v w_bps=0 in >want
	cmp got want
	# every signal leads somewhere, and nothing does
	[ "$(cut -f 4 got | sort -u | tr '\n' ' ')" = "- pps scan syn " ]
}

@test "other settings against another implementation" {
	local c
	for c in sum max; do
		oracle "$c" --trig-pps 333.3 --trig-syn 77.7 --trig-scan 9 --trig-bps 123456.789 --w-pps 0.21 --w-syn 0.33 \
			--w-scan 0.4 --w-bps 0.7 --sev-cap 4.75
		awk -f "$ORACLE" -v combine="$c" -v cap=4.75 -v t_pps=333.3 -v t_syn=77.7 -v t_scan=9 -v t_bps=123456.789 \
			-v w_pps=0.21 -v w_syn=0.33 -v w_scan=0.4 -v w_bps=0.7 in >want
		cmp got want
	done
}

@test "awk, mlr, sqlite3 and jq read it as it is, and agree" {
	generate 500 | kl-score >cap.tsv
	awk -F'\t' '$3 != "*" && $4 ~ /^[0-9]/ { n[$3] += $4 } END { for (s in n) print s "\t" n[s] }' cap.tsv | sort >want
	[ "$(wc -l <want)" -eq 9 ]
	mlr --tsv --headerless-csv-output filter '$src != "*"' 'then' stats1 -a sum -f pkts -g src cap.tsv | sort | cmp - want
	sqlite3 :memory: '.mode tabs' '.import cap.tsv src' \
		"select src, sum(pkts) from src where src <> '*' group by src order by src" | cmp - want
	jq -Rnr '(input / "\t") as $names | [inputs / "\t" | [$names, .] | transpose | map({(.[0]): .[1]}) | add |
		select(.src != "*")] | group_by(.src)[] | [.[0].src, (map(.pkts | tonumber) | add)] | @tsv' cap.tsv |
		sort | cmp - want
}

@test "the examples of the page" {
	generate 500 >day.tsv
	kl-score day.tsv |
		awk -F'\t' '$1 == "time" { for (i = 1; i <= NF; i++) if ($i == "sev") s = i }
			$3 != "*" && $s > 1 { print $s "\t" $3 }' |
		sort -rn | head >got
	[ "$(wc -l <got)" -eq 10 ]
	[ "$(head -n 1 got | cut -f 1)" = 3.000000 ]
	kl-score --trig-scan 5 day.tsv | mlr --tsv filter '$src != "*" && $sev >= 1' 'then' cut -f time,src,sev,why >got
	[ "$(head -n 1 got)" = $'time\tsrc\tsev\twhy' ]
	run ! grep -q '\*' got
	generate 10 >tick.tsv
	tab=$(printf '\t')
	kl-score tick.tsv | sort -t "$tab" -k 3,3 >s
	kl-score tick.tsv | kl-fsm --up-need 1 --soft-at 1 | sort -t "$tab" -k 2,2 |
		join -t "$tab" -1 3 -2 2 -o 0,1.20,2.3 s - >got
	grep -q "^192\.0\.2\.[0-9]${tab}[0-9.]*${tab}RATE_SOFT$" got
}

# judged FILE: source, triggers, severity and reason of its rows.
judged() { columns "$1" src trig_pps trig_syn trig_scan trig_bps sev why | sed 1d; }

@test "base_ columns raise a row's triggers, and lower none" {
	load lib
	printf '%s\n' 'time	dt	src	pkts	syn	ports	bytes	base_pps	base_syn	base_scan	base_bps' \
		'1.000	1.000	::1	3000	0	0	0	2000.000	-	-	-' \
		'1.000	1.000	::2	3000	0	0	0	100.000	1.000	0.000	-' \
		'1.000	1.000	::3	3000	500	40	9	3000.000	1000.000	40.000	9.000' \
		'1.000	1.000	::4	3000	0	0	0	-	-	-	-' \
		'1.000	1.000	*	12000	0	-	0	-	-	-	-' >in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	judged <(echo "$output") | diff - <(printf '%s\n' \
		'::1	2000.000	250.000	20.000	0.000	1.500000	pps' \
		'::2	1200.000	250.000	20.000	0.000	2.500000	pps' \
		'::3	3000.000	1000.000	40.000	0.000	1.000000	pps' \
		'::4	1200.000	250.000	20.000	0.000	2.500000	pps' \
		'*	1200.000	250.000	20.000	0.000	-	-')
	# A signal that is off stays off; one column alone is enough.
	kl-score --trig-pps 0 --trig-bps 3 in >out
	[ "$(judged out | sed -n 3p)" = '::3	0.000	1000.000	40.000	9.000	1.000000	scan' ]
}

@test "bad base_ cells: the row is left out, the column named" {
	local bad
	for bad in x -1 1000000000001; do
		printf 'time\tdt\tsrc\tpkts\tsyn\tports\tbytes\tbase_syn\n1.000\t1.000\t::1\t1\t1\t1\t1\t%s\n1.000\t1.000\t*\t1\t1\t1\t1\t-\n' "$bad" >in
		run --separate-stderr kl-score in
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 2 ]
		[[ $stderr == "kl-score: in:2: base_syn: "*" '$bad'" ]]
	done
}

@test "--triggers FILE: read again when it changes, at the start of a frame" {
	load lib
	mkfifo rows
	printf 'key\tvalue\ntrig-pps\t500\nw-pps\t0.5\n' >conf
	kl-score -c conf --trig-syn 7 --triggers trig rows >out 2>err 3>&- &
	exec 5>rows
	printf 'time\tdt\tsrc\tpkts\tsyn\tports\tbytes\n' >&5
	next() { # TIME: a frame, waited for
		printf '%s.000\t1.000\t*\t1\t1\t1\t1\n' "$1" >&5
		until_true grep -q "^$1" out
	}
	next 1
	printf 'key\tvalue\ntrig-pps\t44.5\ntrig-syn\t99\ntrig-bps\t6\n' >new && mv new trig
	next 2
	# Begun with the old ones: that frame keeps them.
	printf '3.000\t1.000\t::1\t1\t1\t1\t1\n' >&5
	sleep 0.2
	printf 'key\tvalue\ntrig-scan\t5\n' >new && mv new trig
	next 3
	next 4
	printf 'key\tvalue\ntrig-scan\tmany\n' >new && mv new trig
	next 5
	next 6
	printf 'key\tvalue\ntrig-scan\t6\n' >new && mv new trig
	next 7
	rm trig
	next 8
	exec 5>&-
	wait $!
	columns out time trig_pps trig_syn trig_scan trig_bps | sed 1d | diff - <(printf '%s\n' \
		'1.000	500.000	7.000	20.000	0.000' '2.000	44.500	7.000	20.000	6.000' \
		'3.000	44.500	7.000	20.000	6.000' '3.000	44.500	7.000	20.000	6.000' \
		'4.000	500.000	7.000	5.000	0.000' '5.000	500.000	7.000	5.000	0.000' \
		'6.000	500.000	7.000	5.000	0.000' '7.000	500.000	7.000	6.000	0.000' \
		'8.000	500.000	7.000	6.000	0.000')
	diff err - <<-'END'
		kl-score: trig:2: not a number, 0 to 1000000000000, for 'trig-scan'
		kl-score: 'trig' is broken; the triggers read before stay
		kl-score: 'trig' is gone; the triggers read before stay
	END
}

@test "--triggers FILE that is none: status 2" {
	refused() { # TEXT MESSAGE
		printf '%b' "$1" >trig
		run --separate-stderr kl-score --triggers trig /dev/null
		[ "$status" -eq 2 ]
		[ "$output" = "" ]
		[ "$stderr" = "kl-score: $2" ]
	}
	refused 'key\tvalue\ntrig-pps\t5' "trig: the last line does not end with a newline"
	refused 'key\tvalue\nw-pps\t5\n' "trig:2: not a trigger 'w-pps'"
	refused 'key\tvalue\ntrig-pps 5\n' "trig:2: not a key and a value with a TAB between 'trig-pps 5'"
	refused 'trig-pps\t-5\n' "trig:1: not a number, 0 to 1000000000000, for 'trig-pps'"
}
