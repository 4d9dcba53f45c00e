#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-baseline: what it adds, whom it learns from, how fast, its state, bad use.

# shellcheck disable=SC2154,SC2238 # bats sets stderr; more and cut are files
load lib

setup() { cd "$BATS_TEST_TMPDIR" || exit; }

# frames FROM TO STEP PROGRAM: a frame every STEP seconds; the program prints rows with
# row(src, packets a second, level, drop_rl).
frames() {
	awk -v from="$1" -v to="$2" -v step="$3" '
		function row(src, pps, level, drop) {
			printf "%d.000\t%d.000\t%s\t%d\t%d\t%d\t%d\t0\t0\t%d\t%s\n", t, step, src, pps * step, pps * step * 100,
				pps * step / 10, step, drop, level
		}
		BEGIN { print "time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tdrop_deny\tdrop_allow\tdrop_rl\tlevel"
			for (t = from; t < to; t += step) { '"$4"'; row("*", 0, "-", 0) } }' </dev/null
}
base() { awk -F'\t' -v s="${1:-192.0.2.1}" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 == s { v = $at["base_pps"] } END { print v }'; }

@test "rows as they came, four columns more: unknown until thirty rows, then 1.2 x 1.5 x the mean" {
	frames 1000 1032 1 'row("192.0.2.1", 100, "OBSERVE", 0)' | awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "more" : "x" }' >in
	kl-baseline in >out
	cut -f1-12 out | cmp - in
	awk -F'\t' '$3 == "192.0.2.1" { print $13, $14, $15, $16 }' out | uniq -c | awk '{ $1 = $1 } 1' |
		diff - <(printf '%s\n' '30 - - - -' '2 180.000 18.000 1.800 18000.000')
	head -n 1 out | cut -f13- | diff - <(printf 'base_pps\tbase_syn\tbase_scan\tbase_bps\n')
	awk -F'\t' '$3 == "*" && $13 $14 $15 $16 != "----" { exit 1 }' out
}

@test "nobody limited, dropped, too quiet or at its trigger is learned from" {
	frames 1000 1040 1 'row("192.0.2.1", 100, "RATE_SOFT", 0); row("192.0.2.2", 100, "OBSERVE", 1); row("192.0.2.3", 2, "OBSERVE", 0)
		row("192.0.2.4", 200, "OBSERVE", 0); row("192.0.2.5", 199, "OBSERVE", 0); row("192.0.2.6", 10, "-", 0)' >in
	kl-baseline -s s --trig-pps 200 in >/dev/null
	awk -F'\t' 'NR > 1 { print $2 }' s | sort | diff - <(printf '%s\n' '*' 192.0.2.5)
	# For a moment it may do half as much again as any source at once, and no more; for long as much as any.
	[ "$(kl-baseline --trig-pps 200 in | base 192.0.2.5)" = 300.000 ]
	[ "$(awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } $2 == "192.0.2.5" { print $at["high_pps"] }' s)" = 166.667 ]
	# Without the column anybody teaches.
	cut -f1-10 in | kl-baseline -s s2 --trig-pps 200 >/dev/null
	awk -F'\t' 'NR > 1 { print $2 }' s2 | sort | diff - <(printf '%s\n' '*' 192.0.2.{1,5,6})
	kl-baseline --srcbl-min-pps 1 --srcbl-min-obs 5 --srcbl-peak-mul 2 in | base 192.0.2.3 | diff - <(echo 6.000)
	[ "$(kl-baseline --srcbl-min-conf 1 in | base 192.0.2.5)" = - ]
}

@test "who ramps by ten percent an hour is at its trigger before it is at five times its normal" {
	frames 0 90000 60 'row("192.0.2.1", 100, "OBSERVE", 0)' >in
	frames 90000 180000 60 'row("192.0.2.1", 100 * 1.1 ^ ((t - 90000) / 3600), "OBSERVE", 0)' | tail -n +2 >>in
	kl-baseline --trig-pps 150 in | kl-score --trig-pps 150 --trig-syn 0 --trig-scan 0 |
		awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			$3 != "*" && $at["sev"] >= 1 { print $at["pkts"] / 60; exit }' >caught
	awk '{ n++; exit !($1 > 150 && $1 < 500) } END { if (!n) exit 1 }' caught
	# Its own normal, far beyond the trigger for all, is left alone.
	frames 0 90000 60 'row("192.0.2.1", 300, "OBSERVE", 0)' >in
	kl-baseline --trig-pps 1000 -s s in >/dev/null
	frames 90000 93600 60 'row("192.0.2.1", 300, "OBSERVE", 0)' >rest
	[ "$(kl-baseline --trig-pps 200 -s s rest | kl-score --trig-pps 200 --trig-syn 0 --trig-scan 0 | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 != "*" && $at["sev"] >= 1' | wc -l)" -eq 0 ]
}

@test "a peak decays, and grows no faster than it may" {
	frames 0 6000 60 'row("192.0.2.1", 100, "OBSERVE", 0)' >in
	frames 6000 6060 60 'row("192.0.2.1", 170, "OBSERVE", 0)' | tail -n +2 >>in
	frames 6060 92400 60 'row("192.0.2.1", 100, "OBSERVE", 0)' | tail -n +2 >>in
	kl-baseline --srcbl-peak-half-life 1d in >out
	# Twice as much a day: not at once what its new peak would allow.
	head -n 220 out | base | awk '{ exit !($1 > 174 && $1 < 176) }'
	base <out | awk '{ exit !($1 >= 119 && $1 < 130) }'
	[ "$(kl-baseline --srcbl-peak-half-life 0 in | base)" = 204.000 ]
}

@test "the triggers of a file are read again when they change" {
	frames 1000 1040 1 'row("192.0.2.4", 200, "OBSERVE", 0)' >in
	printf '%s\t%s\n' key value trig-pps 150 >t
	[ "$(kl-baseline --triggers t in | base 192.0.2.4)" = - ]
	# Known, it leaves room for bursts of three times the high.
	printf '%s\t%s\n' key value trig-pps 1500 >t
	[ "$(kl-baseline --triggers t in | base 192.0.2.4)" = 720.000 ]
}

@test "killed and begun again it knows the same; the state is one frame" {
	frames 1000 1200 1 'for (i = 1; i < 20; i++) row("192.0.2." i, 20 + (t * i) % 17, "OBSERVE", 0)' >in
	kl-baseline -s whole in >want
	awk -F'\t' 'NR == 1 { h = $0; next } { f = "part" int(($1 - 1000) / 70); if (!(f in seen)) { print h >f; seen[f] } print >f }' in
	for f in part0 part1 part2; do kl-baseline -s s "$f" | tail -n +2; done >got
	tail -n +2 want | cmp - got
	cmp whole s
	# Saved every thirty seconds of the data.
	mkfifo fifo
	kl-baseline -s live <fifo >/dev/null 3>&- &
	exec 9>fifo
	head -n 1300 in >&9
	until_true test -s live
	[ "$(awk -F'\t' 'NR > 1 { n++ } END { print n }' live)" -eq 20 ]
	kill -KILL $!
	exec 9>&-
	wait || true
	kl-baseline -s live part1 >/dev/null
}

@test "no more sources than it may remember, and who is seen no more makes room" {
	frames 1000 1010 1 'for (i = 1; i < 20; i++) row("192.0.2." i, 20, "OBSERVE", 0)' >in
	run --separate-stderr kl-baseline --srcbl-max-sources 10 -s s in
	[ "$status" -eq 0 ]
	[[ ${stderr%%$'\n'*} == "kl-baseline: frame 1000.000: 9 sources are not learned from: 10 are remembered" ]]
	[ "$(grep -c 192.0.2 s)" -le 10 ]
	frames 2000 2010 1 'for (i = 101; i < 106; i++) row("192.0.2." i, 20, "OBSERVE", 0)' >later
	kl-baseline --srcbl-max-sources 10 -s s later >/dev/null 2>&1
	[ "$(grep -c 192.0.2.10 s)" -ge 4 ]
}

@test "--scan, --srcbl-alpha and the others are read; bad use gets one line" {
	frames 1000 1032 1 'row("192.0.2.1", 100 + 100 * (t % 2), "OBSERVE", 0)' >in
	[ "$(kl-baseline --srcbl-alpha 1 in | base)" = "$(awk 'BEGIN { printf "%.3f", 200 * 1.8 }')" ]
	[ "$(kl-baseline --srcbl-alpha 0 in | base)" = 180.000 ]
	kl-baseline --srcbl-alpha-stable 0.5 --srcbl-max-growth 3 --scan probes in >/dev/null
	fails() {
		local want=$1 line=$2
		shift 2
		run --separate-stderr "$@"
		[ "$status" -eq "$want" ]
		diff <(echo "$stderr") <(echo "kl-baseline: $line")
	}
	fails 2 "more than one FILE: 'b'" kl-baseline a b
	fails 2 "bad value '2' for --srcbl-alpha: a number, 0 to 1" kl-baseline --srcbl-alpha 2
	fails 2 "bad value '0.5' for --srcbl-max-growth: a number, 1 to 1000000" kl-baseline --srcbl-max-growth 0.5
	kl-baseline in >twice
	run --separate-stderr kl-baseline twice
	[ "$status" -eq 3 ]
	echo nonsense >s
	run --separate-stderr kl-baseline -s s in
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-baseline: s:1: "* ]]
}

@test "bursts allow bursts: the same rate for long is at its trigger" {
	# 100 a second, and 400 for ten seconds of each ten minutes; then 400 for good.
	frames 0 7200 1 'row("192.0.2.1", t % 600 < 590 ? 100 : 400, "OBSERVE", 0)' >in
	frames 7200 7800 1 'row("192.0.2.1", 400, "OBSERVE", 0)' | tail -n +2 >>in
	# What is known with a trigger for all of 1000 and held against 150.
	head -n 10801 in >calm
	kl-baseline --trig-pps 1000 -s known calm >/dev/null
	cp known s
	tail -n +10802 in | cat <(head -n 1 in) - >rest
	kl-baseline --trig-pps 150 -s s rest | kl-score --trig-pps 150 --trig-syn 0 --trig-scan 0 |
		awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			$at["src"] != "*" && $at["sev"] >= 1 { print $1 + 0; exit }' >when
	[ "$(cat when)" -gt 7200 ]
	[ "$(cat when)" -lt 7260 ]
}

@test "into the database of kliq and back" {
	# shellcheck disable=SC2034 # what the functions use
	local here=$TOP/pipelines state=$PWD learn=$PWD runs=$PWD user
	user=$(id -un)
	# shellcheck source=pipelines/beside.bash
	source "$TOP/pipelines/beside.bash"
	runs=$PWD
	sqlite3 kliq.db <"$TOP/schemas/kliq.sql" >/dev/null
	frames 1000 1040 1 'row("192.0.2.1", 100, "OBSERVE", 0); if (t > 1020) row("192.0.2.2", 7, "OBSERVE", 0)' >in
	kl-baseline -s baseline.tsv in >/dev/null
	[ "$(grep -c -- '-	-	19	' baseline.tsv)" -eq 1 ]
	store_normals
	[ "$(sqlite3 kliq.db "select src, mean_pps, base_pps, obs from source_baselines where base_syn > 0 or peak_pps is null order by src")" = \
		"192.0.2.1|100.0|180.0|40
192.0.2.2|7.0||19" ]
	mv baseline.tsv was
	restore_normals
	cmp was baseline.tsv
	# Who is forgotten in the file is so in the database.
	grep -v 192.0.2.2 was >baseline.tsv
	store_normals
	[ "$(sqlite3 kliq.db "select src from source_baselines")" = 192.0.2.1 ]
	sqlite3 kliq.db 'delete from source_baselines'
	rm baseline.tsv
	restore_normals
	kl-baseline -s baseline.tsv in >/dev/null
	tail -n +2 was | cmp - <(tail -n +2 baseline.tsv)
}

@test "a run of one frame is kept too" {
	for t in 1000 1001; do frames "$t" $((t + 1)) 1 'row("192.0.2.1", 100, "OBSERVE", 0)' | kl-baseline -s s >/dev/null; done
	[ "$(columns s src obs | sed -n 2p)" = "192.0.2.1	2" ]
}
