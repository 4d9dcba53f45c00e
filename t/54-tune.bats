#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-tune: what it learns from, its steps, its state, bad use.

# shellcheck disable=SC2094,SC2154,SC2238 # in and cut are files here; bats sets stderr
load lib

setup() { cd "$BATS_TEST_TMPDIR" || exit; }

HEAD='time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	level	sev	why'

# frames FROM TO STEP PROGRAM: a frame every STEP seconds; the program prints rows with
# row(src, pkts, syn, ports, level, sev, drop_rl).
frames() {
	awk -v from="$1" -v to="$2" -v step="$3" -v head="$HEAD" '
		function row(src, pkts, syn, ports, level, sev, drop) {
			printf "%d.000\t%d.000\t%s\t%d\t%d\t%d\t0\t0\t%d\t%d\t0\t%s\t0\t0\t%d\t%s\t%s\t%s\n", t, step, src,
				pkts, pkts * 100, pkts, syn, pkts - syn, ports, drop, level, sev, (sev > 0 ? "pps" : "-")
		}
		function star() { row("*", 0, 0, "-", "-", "-", 0) }
		BEGIN { srand(5); print head; for (t = from; t < to; t += step) { '"$4"'; star() } }' </dev/null
}

fast() { # as fast as learning goes
	kl-tune -s state -o out --autotune-min-samples 10 --bootstrap-every1 10s --learn-half-life 1h \
		--autotune-floor-pps 10 --autotune-floor-syn 2 --autotune-floor-scan 1 "$@"
}
trig() { awk -F'\t' -v k="trig-$1" '$1 == k { print $2 }' out; }
now() { awk -F'\t' -v c="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 == "now" { print $at[c] }' state; }
tuned() { awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 == "tuned" { print $at["at"] + 0, $at["revision"], $at["trig_pps"] + 0, $at["median_pps"] + 0, $at["mad_pps"] + 0, $at["samples"] }' state; }

@test "passes frames on byte for byte; what it does not know is passed on, too" {
	frames 100 103 1 'row("192.0.2.1", 5, 0, 1, "OBSERVE", "0.100000", 0)' | awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "more" : "x" }' >in
	kl-tune in | cmp - in
	kl-tune <in | cmp - in
	kl-tune --autotune off in | cmp - in
}

@test "a step: median plus K raw MADs, not below the floor, no further than its caps" {
	# Of nine sources 11 to 19 packets a second: median 15, MAD 2; K 4: 23. One SYN each, one port.
	frames 1000 1060 1 'for (i = 1; i < 10; i++) row("192.0.2." i, 10 + i, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fast --trig-pps 25 --trig-syn 3 --trig-scan 20 in >/dev/null
	# Never more than 2 % down a step, every ten seconds.
	tuned | diff - <(printf '%s\n' '1050 5 23 15 2 459' '1040 4 23.059 15 2 369' '1030 3 23.53 15 2 279' '1020 2 24.01 15 2 189' '1010 1 24.5 15 2 99')
	rm state*
	fast --trig-pps 20 --trig-syn 3 --trig-scan 20 in >/dev/null
	# And up by 10 %; a SYN trigger falls to its floor, not below.
	tuned | awk '{ print $3 }' | diff - <(printf '%s\n' 23 23 23 23 22)
	[ "$(trig syn)" = 2.712 ]
}

@test "who is limited, hot, quiet or dropped does not teach; a blocked flood does not stop learning" {
	frames 1000 1031 1 'for (i = 1; i < 10; i++) row("192.0.2." i, 20, 1, 1, "OBSERVE", "0.100000", 0)
		row("192.0.2.20", 900, 1, 1, "RATE_SOFT", "0.500000", 0)
		row("192.0.2.21", 2, 1, 1, "OBSERVE", "0.000000", 0)
		row("192.0.2.22", 800, 1, 1, "OBSERVE", "0.100000", 1)
		row("192.0.2.23", 700, 1, 1, "-", "0.100000", 0)
		row("192.0.2.24", 600, 1, 1, "OBSERVE", "0.900000", 0)
		row("192.0.2.66", 1000000, 1000000, 1, "BLOCK", "3.000000", 1000000)' >in
	fast --trig-pps 100 in >/dev/null
	[ "$(now ticks)" -eq 31 ]
	[ "$(now clean)" = 1.000000 ]
	[ "$(now samples)" -eq $((31 * 9)) ]
	cut -f2 state.samples | sort -u | diff - <(printf '%s\n' '*' 192.0.2.{1..9} src | sort -u)
	tuned | awk '$4 != 20 || $5 != 0 { exit 1 }'
	[ "$(trig pps)" = "$(awk 'BEGIN { printf "%.3f", 100 * .98 ^ 3 }')" ]
}

@test "a tick whose passing packets are hot, or whose innocent are dropped, teaches nothing" {
	frames 1000 1020 1 'for (i = 1; i < 10; i++) row("192.0.2." i, 20, 1, 1, "OBSERVE", "0.100000", 0)
		if (t % 2) row("192.0.2.66", 100, 1, 1, "OBSERVE", "1.000000", 0)' >in
	fast in >/dev/null
	[ "$(now clean)" = 0.500000 ]
	[ "$(now observed)" = 10.000 ]
	[ "$(now samples)" -eq 90 ]
	rm state*
	fast --learn-frac-gt 0.5 in >/dev/null
	[ "$(now clean)" = 1.000000 ]
	rm state*
	fast --learn-sev-gt 1.1 --learn-max-sev 0.05 in >/dev/null
	[ "$(now clean)" = 1.000000 ]
	[ "$(now samples)" -eq 0 ]
	rm state*
	frames 1000 1020 1 'row("192.0.2.1", 20, 1, 1, "OBSERVE", "0.100000", 0); row("192.0.2.2", 20, 1, 1, "OBSERVE", "0.100000", 1)' >in
	fast in >/dev/null
	[ "$(now clean)" = 0.000000 ]
	rm state*
	fast --learn-max-drop-ratio 0.03 --learn-min-pps 21 in >/dev/null
	[ "$(now clean)" = 1.000000 ]
	[ "$(now samples)" -eq 0 ]
}

@test "killed and begun again at any frame it learns the same" {
	prog='for (i = 1; i < 40; i++) row("192.0.2." i, 10 + int(rand() * 40), int(rand() * 5), 1 + int(rand() * 3), "OBSERVE", "0.100000", 0)'
	frames 1000 1600 1 "$prog" >in
	fast in >/dev/null
	cp out want
	[ "$(trig pps)" != 1200.000 ]
	rm state state.samples
	awk -F'\t' 'NR == 1 { h = $0; next } { f = "part" int(($1 - 1000) / 97); if (!(f in seen)) { print h >f; seen[f] } print >f }' in
	for f in part{0..6}; do fast "$f" | cmp - "$f"; done
	# Rows are kept with three decimals.
	paste want out | awk -F'\t' '$2 - $4 > .002 || $4 - $2 > .002 { print; bad = 1 } END { exit bad }'
}

@test "the sample is bounded and forgets: a day's old rows give way" {
	frames 0 600 60 'for (i = 0; i < 5000; i++) row("10.0." int(i / 250) "." i % 250, 1000, 1, 1, "OBSERVE", "0.100000", 0)' >in
	frames 864000 864600 60 'for (i = 0; i < 5000; i++) row("10.0." int(i / 250) "." i % 250, 3000, 1, 1, "OBSERVE", "0.100000", 0)' | tail -n +2 >>in
	kl-tune -s state -o out in >/dev/null
	[ "$(now samples)" -eq 20000 ]
	[ "$(wc -c <state.samples)" -le 2097152 ]
	# Ten half-lives lie between: of the old rows next to none is left.
	awk -F'\t' '$3 == "60000.000" { n++ } { if ($3 + 0 < 20) old++ } END { exit !(old < 200) }' state.samples
}

@test "phases, and a cap in each; the phase moves on" {
	frames 1000 1100 1 'for (i = 1; i < 40; i++) row("192.0.2." i, 40, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fast --trig-pps 1000 --bootstrap-window 60s --bootstrap-phase1-end 20s --bootstrap-phase2-end 40s \
		--bootstrap-every2 10s --bootstrap-every3 10s --steady-every 10s --bootstrap-max-down1 0.1 --bootstrap-max-down2 0.2 \
		--bootstrap-max-down3 0.3 --autotune-max-change-down 0.5 --autotune-alpha 0.5 in >/dev/null
	awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 == "tuned" { print $at["phase"], $at["trig_pps"] }' state | tac |
		diff - <(printf '%s\n' '1 900.000' '2 720.000' '2 576.000' '3 403.200' '3 282.240' 'steady 211.680' 'steady 158.760' 'steady 119.070' 'steady 89.302')
	[ "$(now phase)" = steady ]
}

@test "bootstrap off: the other period; guards keep triggers from falling" {
	frames 1000 1050 1 'for (i = 1; i < 40; i++) row("192.0.2." i, 40, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fast --bootstrap off --autotune-every 20s --trig-pps 1000 in >/dev/null
	[ "$(tuned | wc -l)" -eq 2 ]
	rm state*
	fast --bootstrap-min-windows 3 --trig-pps 1000 in >/dev/null
	tuned | awk '{ print $3 }' | tac | diff - <(printf '%s\n' 1000 1000 1000 980)
	rm state*
	fast --bootstrap-min-windows 1 --bootstrap-min-sources 40 --trig-pps 1000 in >/dev/null
	[ "$(trig pps)" = 1000.000 ]
	rm state*
	fast --bootstrap-min-windows 1 --bootstrap-min-sources 39 --trig-pps 1000 in >/dev/null
	[ "$(trig pps)" != 1000.000 ]
}

@test "a trigger of 0 stays; bytes are learned when they have a floor" {
	frames 1000 1050 1 'for (i = 1; i < 40; i++) row("192.0.2." i, 40, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fast --trig-syn 0 --trig-bps 100000 in >/dev/null
	[ -z "$(trig syn)" ]
	[ "$(awk -F'\t' '$3 == "now"' state | cut -f12)" = 0.000 ]
	[ "$(trig bps)" = 100000.000 ]
	rm state*
	fast --trig-bps 100000 --autotune-floor-bps 10 in >/dev/null
	[ "$(trig bps)" = "$(awk 'BEGIN { printf "%.3f", 100000 * .98 ^ 4 }')" ]
}

@test "the state wins over what is given, as long as that is the same, and says what was learned" {
	frames 1000 1050 1 'for (i = 1; i < 40; i++) row("192.0.2." i, 40, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fast --trig-pps 1000 in >/dev/null
	was=$(trig pps)
	head -n 1 in >empty
	frames 1049 1050 1 '' >one
	fast --trig-pps 1000 one >/dev/null
	[ "$(trig pps)" = "$was" ]
	kl-tune --autotune off --trig-pps 1000 -s state -o out one >/dev/null
	[ "$(trig pps)" = "$was" ]
	head -n 1 out | diff - <(printf 'key\tvalue\n')
}

@test "a trigger given as another than before is learned anew from there, the others are not" {
	frames 1000 1050 1 'for (i = 1; i < 40; i++) row("192.0.2." i, 40, 1, 1, "OBSERVE", "0.100000", 0)' >in
	frames 1049 1050 1 '' >one
	fast --trig-pps 1000 --trig-syn 90 in >/dev/null
	syn=$(trig syn) samples=$(now samples)
	[ "$(now observed)" = 50.000 ]
	run --separate-stderr fast --trig-pps 400 --trig-syn 90 one
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-tune: trig-pps is given as 400, no more as before: learned anew from there" ]
	[ "$(trig pps)" = 400.000 ]
	[ "$(trig syn)" = "$syn" ]
	[ "$(now samples)" = "$samples" ]
	[ "$(now observed)" = 1.000 ]
	# Said once; it is remembered though it was killed at once.
	run --separate-stderr fast --trig-pps 400 --trig-syn 90 none
	[ "$stderr" = "kl-tune: cannot read 'none': No such file or directory" ]
	run --separate-stderr fast --trig-pps 800 --trig-syn 0 none
	[ "${stderr_lines[0]}" = "kl-tune: trig-pps is given as 800, no more as before: learned anew from there" ]
	[ "${stderr_lines[1]}" = "kl-tune: trig-syn is given as 0, no more as before: learned anew from there" ]
	run --separate-stderr fast --trig-pps 800 --trig-syn 0 one
	[ -z "$stderr" ]
	[ "$(trig pps)" = 800.000 ]
	[ -z "$(trig syn)" ]
	# A state that does not know, as an imported one, goes on.
	grep -v '	given	' state >new
	[ "$(wc -l <new)" -lt "$(wc -l <state)" ]
	mv new state
	fast --trig-pps 70 --trig-syn 0 one >/dev/null 2>err
	[ ! -s err ]
	[ "$(trig pps)" = 800.000 ]
}

@test "bad use and bad state: one line each, the documented status" {
	frames 1000 1002 1 'row("192.0.2.1", 20, 1, 1, "OBSERVE", "0.100000", 0)' >in
	fails() {
		local want=$1 line=$2
		shift 2
		run --separate-stderr "$@"
		[ "$status" -eq "$want" ]
		diff <(echo "$stderr") <(echo "kl-tune: $line")
	}
	fails 2 "more than one FILE: 'b'" kl-tune a b
	fails 2 "bootstrap-phase1-end is after bootstrap-phase2-end" kl-tune --bootstrap-phase1-end 6d in
	fails 2 "bootstrap-phase2-end is after bootstrap-window" kl-tune --bootstrap-window 3d in
	fails 2 "--learn-half-life is 0" kl-tune --learn-half-life 0 in
	fails 2 "bad value '2' for --learn-frac-gt: a number, 0 to 1" kl-tune --learn-frac-gt 2 in
	fails 4 "cannot open 'none': No such file or directory" kl-tune none || fails 4 "cannot read 'none': No such file or directory" kl-tune none
	echo 'time	src' >state
	fails 3 "state:1: other columns than this command keeps" kl-tune -s state in
	rm state
	fast in >/dev/null
	sed -i 's/\tnow\t/\tthen\t/' state
	fails 3 "state:2: kind: not now, given, tuned or imported 'then'" kl-tune -s state in
	sed -i 's/\tthen\t/\tnow\t/; $d' state
	run --separate-stderr kl-tune -s state in
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-tune: state:"*"star row"* ]]
	rm state
	sed '$d' in >cut
	run --separate-stderr kl-tune -s state cut
	[ "$status" -eq 3 ]
	[ "$(now ticks)" -eq 1 ]
	fails 4 "cannot write 'no/state': No such file or directory" kl-tune -o no/state in || [[ $stderr == "kl-tune: cannot "*"no/"* ]]
}
