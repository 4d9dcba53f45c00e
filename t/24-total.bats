#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-score judges the whole host: the star row, strangers, what is usual.
# shellcheck disable=SC2154 # bats sets stderr

bats_require_minimum_version 1.5.0
export LC_ALL=C

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# frames FROM [COUNTxNEW[/PKTS/SYN]]...: star rows a second apart, COUNT of each.
frames() {
	local t=$1 x
	shift
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tnew\n'
	for x; do
		awk -v t="$t" -v x="$x" 'BEGIN {
			OFS = "\t"
			split(x, p, "x"); split(p[2], v, "/")
			for (i = 0; i < p[1]; i++)
				print t + i ".000", "1.000", "*", v[2] + 0, 0, v[3] + 0, "-", v[1]
		}'
		t=$((t + ${x%%x*}))
	done
}

# judged OPTION...: "SECOND SEV WHY" of each star row whose severity is not that of the row before.
judged() {
	kl-score "$@" | awk -F'\t' '$3 == "*" && $13 " " $14 != was { was = $13 " " $14; print $1 + 0, was }'
}

@test "a whole star row" {
	frames 1000 1x5 >in
	run --separate-stderr kl-score --total-warmup 0 --total-trig-new 2 in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[1]}" = "1000.000	1.000	*	0	0	0	-	5	1200.000	250.000	20.000	0.000	2.500000	new" ]
}

@test "--total-trig-pps --total-trig-syn --total-trig-new, and --sev-cap: the largest ratio" {
	[ "$(frames 1000 1x0/500/100 | judged --total-warmup 0 --total-trig-pps 1000)" = "1000 0.500000 pps" ]
	[ "$(frames 1000 1x0/500/100 | judged --total-warmup 0 --total-trig-pps 1000 --total-trig-syn 50)" = "1000 2.000000 syn" ]
	[ "$(frames 1000 1x50/500/100 | judged --total-warmup 0 --total-trig-syn 50 --total-trig-new 10)" = "1000 3.000000 new" ]
	[ "$(frames 1000 1x50 | judged --total-warmup 0 --total-trig-new 10 --sev-cap 7)" = "1000 5.000000 new" ]
	[ "$(frames 1000 1x50 | judged --total-warmup 0 --total-trig-new 0)" = "1000 - -" ]
	[ "$(frames 1000 1x0 | judged --total-warmup 0)" = "1000 0.000000 -" ]
	# Without the column strangers cannot be counted; packets can.
	frames 1000 1x50/500/0 | cut -f -7 >in
	[ "$(kl-score --total-warmup 0 in | cut -f 12,13 | tail -n 1)" = "-	-" ]
	[ "$(kl-score --total-warmup 0 --total-trig-pps 100 in | cut -f 12,13 | tail -n 1)" = "3.000000	pps" ]
}

@test "--total-warmup: nothing in the first minute, nor behind a gap; what comes then is usual" {
	frames 1000 70x5000 20x500 1x21000 >in
	# 5,000 a second were usual, by a mean over a minute: 21,000 are too many, and would be 21 times the trigger else.
	[ "$(judged <in | sed -n '1,2p;$p')" = "1000 0.000000 -
1060 0.442163 new
1090 1.851790 new" ]
	frames 1000 30x5 >a
	{ cat a; frames 1200 100x3000; } >in
	[ "$(judged <in | awk '$1 < 1260')" = "1000 0.000000 -" ]
	# No gap: a flood in the 61st second is a flood.
	[ "$(frames 1000 60x5 1x2000 | judged | tail -n 1)" = "1060 2.000000 new" ]
	[ "$(frames 1000 59x5 1x2000 | judged | tail -n 1)" = "1000 0.000000 -" ]
}

@test "a flash crowd after an hour of learning: 2,000 in 10 s are no surge" {
	[ "$(frames 1000 3600x2 10x200 60x2 | kl-score | awk -F'\t' 'NR > 1 && $1 > 4599 && $13 + 0 > top { top = $13 + 0 } END { print top }')" = "0.2" ]
	frames 1000 3600x2 10x200 60x2 | kl-score | awk -F'\t' '$3 == "*" && $13 >= 1' | wc -l | grep -qx 0
}

@test "--total-factor: so many times what is usual" {
	usual() { frames 1000 4000x1000 "1x$1" | judged "${@:2}" | tail -n 1; }
	[ "$(usual 4000)" = "5000 1.000000 new" ]
	[ "$(usual 4000 --total-factor 2)" = "5000 2.000000 new" ]
	[ "$(usual 4000 --total-factor 0 --sev-cap 9)" = "5000 4.000000 new" ]
}

@test "nobody teaches it a flood: not at once, not in an hour" {
	# 4,000 a second for an hour, on a host that knew 10: it stays a flood to the end.
	[ "$(frames 1000 600x10 3600x4000 | kl-score | awk -F'\t' '$1 >= 1600 && $13 < 3' | wc -l)" -eq 0 ]
	# A ramp that doubles each minute, up to 4,000 a second: found when it is four times what an hour may teach.
	{ frames 1000 600x10; for i in 1 2 3 4 5 6 7 8 9; do frames $((1540 + 60 * i)) "60x$((10 << i))" | sed 1d; done; } >in
	[ "$(kl-score in | awk -F'\t' '$3 == "*" && $13 >= 1 { print $8; exit }')" = "1280" ]
}

@test "what was usual is forgotten by half in six hours" {
	# A mean of 1,716 at the end of the hundred seconds.
	frames 1000 100x3000 21600x0 >in
	kl-score -s state in >/dev/null
	awk -F'\t' '$2 == "::/0" { exit !($5 > 840 && $5 < 870) }' state || { cat state; return 1; }
}

@test "--state: two runs are one, and so are a hundred" {
	frames 1000 100x300 50x2000 50x900 >in
	kl-score in >want
	rm -f state
	for ((i = 0; i < 200; i += 50)); do
		awk -F'\t' -v from=$((1000 + i)) 'NR == 1 || ($1 >= from && $1 < from + 50)' in | kl-score -s state | sed 1d
	done >got
	diff got <(sed 1d want)
	[ "$(head -n 1 state)" = $'time\tsrc\tsince\tmean\tpeak' ]
	[ "$(sed -n 2p state | cut -f 1-3)" = $'1199.000\t::/0\t1000.000' ]
	printf 'time\tsrc\tsince\tmean\tpeak\n1.000\t::/0\t1.000\t-1\t0\n1.000\t*\t-\t-\t-\n' >state
	run --separate-stderr kl-score -s state in
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-score: state:2: mean: a number, 0 to 1000000000000 '-1'" ]
	[ "$output" = "" ]
}

@test "a star row with a bad count is said, and passes without a judgement" {
	frames 1000 1x5 | sed 's/5$/many/' >in
	run --separate-stderr kl-score in
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-score: in:2: new: not a whole number 'many'" ]
	[ "$(cut -f 13,14 <<<"${lines[1]}")" = "-	-" ]
}
