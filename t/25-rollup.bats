#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-rollup: which prefixes, how bad, whom a rule would hit, what passes through.
# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

ADDS=$'members\tclean_srcs\tclean_pkts\tshare'

# frame TIME [NAME,COUNT,SEV[,NEW[,FIRST]]]...: score rows of COUNT sources each, a packet rate of SEV x 100
# against a trigger of 100. NAME holds a %d or %x for the number of the source, from FIRST, or 1, on.
frame() {
	local t=$1 spec name count sev new first
	shift
	for spec; do
		IFS=, read -r name count sev new first <<<"$spec"
		awk -v t="$t" -v name="$name" -v n="$count" -v sev="$sev" -v new="${new:-0}" -v first="${first:-1}" 'BEGIN {
			OFS = "\t"
			for (i = first; i < first + n; i++)
				print t ".000", "1.000", sprintf(name, i), 100 * sev, 6000 * sev, 0, 1, 0, new, \
					"100.000", "0.000", "0.000", "0.000", sprintf("%.6f", sev), "pps"
		}'
	done
	printf '%s.000\t1.000\t*\t1\t1\t0\t-\t0\t0\t-\t-\t-\t-\t-\t-\n' "$t"
}
score_head() {
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tdrop_rl\tnew\ttrig_pps\ttrig_syn\ttrig_scan\ttrig_bps\tsev\twhy\n'
}

# frames LAST SPEC...: the same frame each second from 1001 to LAST.
frames() {
	local t last=$1
	shift
	for ((t = 1001; t <= last; t++)); do frame "$t" "$@"; done
}

# rolled OPTION... : LAST SPEC...: "TIME SRC SEV WHY MEMBERS CLEAN SHARE" of each prefix row.
rolled() {
	local options=()
	while [[ $1 != : ]]; do
		options+=("$1")
		shift
	done
	shift
	{ score_head; frames "$@"; } | kl-rollup "${options[@]}" |
		awk -F'\t' '$16 != "-" && $16 != "members" { print $1 + 0, $3, $14 + 0, $15, $16, $17, $19 + 0 }'
}

@test "a whole output: rows pass as they are, a prefix comes before the star row" {
	{ score_head; frame 1001 203.0.113.%d,3,0.5 203.0.113.20%d,1,0; } >in
	run --separate-stderr kl-rollup --rollup-members 2 --rollup-watch 0 --rollup-factor 1 --rollup-max-clean 0.5 in
	whole 0 "" "$(score_head)	$ADDS
1001.000	1.000	203.0.113.1	50	3000	0	1	0	0	100.000	0.000	0.000	0.000	0.500000	pps	-	-	-	-
1001.000	1.000	203.0.113.2	50	3000	0	1	0	0	100.000	0.000	0.000	0.000	0.500000	pps	-	-	-	-
1001.000	1.000	203.0.113.3	50	3000	0	1	0	0	100.000	0.000	0.000	0.000	0.500000	pps	-	-	-	-
1001.000	1.000	203.0.113.201	0	0	0	1	0	0	100.000	0.000	0.000	0.000	0.000000	pps	-	-	-	-
1001.000	1.000	203.0.113.0/24	150	9000	0	4	0	0	-	-	-	-	1.500000	rollup	3	1	0	0.250000
1001.000	1.000	*	1	1	0	-	0	0	-	-	-	-	-	-	-	-	-	-"
}

@test "columns in any order, unknown ones carried, none but the needed ones there" {
	awk 'BEGIN { OFS = "\t"; print "time", "why", "colour", "sev", "trig_bps", "trig_scan", "trig_syn", "trig_pps", "src", "pkts", "dt"
		for (i = 0; i < 2; i++)
			print "5.000", "pps", "red", "0.5", 0, 0, 0, 10, "10.0.0." i, 5, "1.000"
		print "5.000", "-", "-", "-", 0, 0, 0, 10, "*", 10, "1.000" }' >in
	run --separate-stderr kl-rollup --rollup-members 2 --rollup-watch 0 --rollup-factor 1 in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[3]}" = "5.000	rollup	-	1.000000	-	-	-	-	10.0.0.0/24	10	1.000	2	0	0	0.000000" ]
}

@test "300 attackers at 0.6 of a trigger in a /24 and a /64: one entry each within 10 ticks" {
	{ score_head; frames 1010 203.0.113.%d,250,0.6 2001:db8::%x,300,0.6 192.0.2.%d,100,0.2; } >in
	kl-rollup in >out
	kl-fsm out >level
	run awk -F'\t' 'NR > 1 && $2 != "*" && $3 != "OBSERVE" && !seen[$2]++ { print $1, $2, $3, $9 }' level
	[ "$output" = "1005.000 203.0.113.0/24 RATE_HARD rollup
1005.000 2001:db8::/64 RATE_HARD rollup" ]
	awk -F'\t' '$1 == "1010.000" && $3 ~ /\// { print $3, $16, $17, $18, $19 }' out | diff - <(
		echo "203.0.113.0/24 250 0 0 0.000000"
		echo "2001:db8::/64 300 0 0 0.000000"
	)
}

@test "40 % clean: refused once a window, in the row every tick; who earned it is judged alone" {
	{ score_head; frames 1014 203.0.113.%d,149,0.6 203.0.113.%d,100,0.01,0,150 203.0.113.250,1,3; } >in
	run --separate-stderr kl-rollup in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-rollup: 203.0.113.0/24 is not rolled up: 40.0 % of it is clean, 100 of 250 addresses (--rollup-max-clean 0.1)
kl-rollup: 203.0.113.0/24 is not rolled up: 40.0 % of it is clean, 100 of 250 addresses (--rollup-max-clean 0.1)" ]
	[ "$(grep -c '	refused	' <<<"$output")" -eq 11 ]
	kl-fsm <<<"$output" >level
	[ "$(awk -F'\t' '$2 != "*" && NR > 1 { print $2 }' level | sort -u)" = "203.0.113.250" ]
}

@test "--rollup-members: as many as that; IPv4 and IPv6 alike" {
	[ "$(rolled : 1004 10.0.0.%d,8,0.6 | tail -n 1)" = "1004 10.0.0.0/24 1.2 rollup 8 0 0" ]
	[ "$(rolled : 1004 10.0.0.%d,7,0.6)" = "" ]
	[ "$(rolled --rollup-members 7 : 1004 10.0.0.%d,7,0.6)" = "1004 10.0.0.0/24 1.05 rollup 7 0 0" ]
	[ "$(rolled : 1004 2001:db8::%x,8,0.6)" = "1004 2001:db8::/64 1.2 rollup 8 0 0" ]
	[ "$(rolled : 1004 2001:db8::%x,7,0.6)" = "" ]
}

@test "--rollup-sev: who misbehaves" {
	[ "$(rolled : 1004 10.0.0.%d,9,0.49)" = "" ]
	[ "$(rolled --rollup-sev 0.4 : 1004 10.0.0.%d,10,0.4)" = "1004 10.0.0.0/24 1 rollup 10 0 0" ]
}

@test "--rollup-factor and --sev-cap: how bad a prefix is" {
	[ "$(rolled --rollup-factor 10 : 1004 10.0.0.%d,10,0.6)" = "1004 10.0.0.0/24 0.6 rollup 10 0 0" ]
	[ "$(rolled --rollup-factor 1 : 1004 10.0.0.%d,10,0.6)" = "1004 10.0.0.0/24 3 rollup 10 0 0" ]
	[ "$(rolled --rollup-factor 1 --sev-cap 5 : 1004 10.0.0.%d,10,0.6)" = "1004 10.0.0.0/24 5 rollup 10 0 0" ]
	# One that is far above counts no more than the cap.
	[ "$(rolled : 1004 10.0.0.%d,7,0.5 10.0.0.77,1,50)" = "1004 10.0.0.0/24 1.625 rollup 8 0 0" ]
}

@test "--rollup-max-clean: the share of sources, and that of packets" {
	[ "$(rolled : 1004 10.0.0.%d,9,0.6 10.0.0.77,1,0.1)" = "1004 10.0.0.0/24 1.35 rollup 9 1 0.1" ]
	[ "$(rolled : 1004 10.0.0.%d,9,0.6 10.0.0.7%d,2,0.1 2>err)" = "1004 10.0.0.0/24 0 refused 9 2 0.181818" ]
	[ "$(rolled --rollup-max-clean 0.2 : 1004 10.0.0.%d,9,0.6 10.0.0.7%d,2,0.1)" = "1004 10.0.0.0/24 1.35 rollup 9 2 0.181818" ]
	# One client that sends much without a severity, among 20.
	{ score_head; frames 1004 10.0.0.%d,20,0.5; } | awk -F'\t' -v OFS='\t' '{ print }
		$3 == "10.0.0.20" { $3 = "10.0.0.99"; $4 = 500; $14 = "0.1"; print }' >in
	run --separate-stderr kl-rollup in
	[ "$stderr" = "kl-rollup: 10.0.0.0/24 is not rolled up: 33.3 % of it is clean, 1 of 21 addresses (--rollup-max-clean 0.1)" ]
}

@test "--rollup-watch: how long it is looked at first" {
	[ "$(rolled --rollup-watch 0 : 1001 10.0.0.%d,9,0.6 | wc -l)" -eq 1 ]
	[ "$(rolled --rollup-watch 1s : 1002 10.0.0.%d,9,0.6)" = "1002 10.0.0.0/24 1.35 rollup 9 0 0" ]
	[ "$(rolled : 1003 10.0.0.%d,9,0.6)" = "" ]
}

@test "--rollup-window: who misbehaved lately counts still, and no longer than that" {
	{ score_head; frames 1004 10.0.0.%d,9,0.6; for t in 1005 1006 1007 1008 1009; do frame $t 10.9.0.1,1,0.1; done; } >in
	kl-rollup --rollup-window 3s in >out
	[ "$(awk -F'\t' '$15 == "rollup" { print $1, $14 }' out)" = "1004.000 1.350000
1005.000 0.000000
1006.000 0.000000" ]
	# Nine addresses one after the other, each for one tick.
	{ score_head; for ((t = 1001; t <= 1012; t++)); do frame "$t" "10.0.0.$((t - 1000)),1,2.9"; done; } >in
	[ "$(kl-rollup --rollup-factor 1 in | awk -F'\t' '$15 == "rollup" { print $1 + 0, $14 + 0, $16 }')" = "1008 2.9 8
1009 2.9 9
1010 2.9 10
1011 2.9 10
1012 2.9 10" ]
}

@test "the smallest that suffices; a wider one for many, from many places" {
	# All in one /24: no /16.
	[ "$(rolled : 1004 10.0.0.%d,250,0.6 | cut -d' ' -f 2)" = 10.0.0.0/24 ]
	# Four in each of ten /24: the /16. In nine of one and one elsewhere: none.
	spread() { local i; for i in 1 2 3 4 5 6 7 8 9 10; do echo "10.0.$i.%d,$1,0.6"; done; }
	mapfile -t s < <(spread 4)
	[ "$(rolled : 1004 "${s[@]}")" = "1004 10.0.0.0/16 3 rollup 40 0 0" ]
	mapfile -t s < <(spread 3)
	[ "$(rolled : 1004 "${s[@]}")" = "" ]
	[ "$(rolled : 1004 10.0.{1,2,3,4,5,6,7}.%d,7,0.6)" = "" ]
	[ "$(rolled : 1004 2001:db8:0:{1,2,3,4,5,6,7,8}::%x,4,0.6)" = "1004 2001:db8::/56 3 rollup 32 0 0" ]
	[ "$(rolled : 1004 2001:db8:0:{1,2,3,4,5,6,7,8}0{1,2,3,4,5,6,7}::%x,4,0.6)" = "1004 2001:db8::/48 3 rollup 224 0 0" ]
}

@test "no wider prefix around one that was refused" {
	run rolled : 1004 10.0.{1,2,3,4,5,6,7,8,9,10}.%d,7,0.6 10.0.11.%d,9,0.6 10.0.11.5%d,5,0.01
	[ "$(grep -v '^kl-rollup' <<<"$output")" = "1004 10.0.11.0/24 0 refused 9 5 0.357143" ]
}

@test "a host that rotates its addresses within a /64" {
	{
		score_head
		for ((t = 1001; t <= 1006; t++)); do
			frame "$t" "2001:db8::$((t - 1000)):%x,100,0.05,1" "2001:db8:1::$((t - 1000)):%x,1,0.05,1" "10.0.0.%d,200,0.05,1"
		done
	} >in
	kl-rollup in >out
	[ "$(awk -F'\t' '$15 == "rollup" { print $1 + 0, $3, $14 + 0, $16, $17 }' out)" = "1004 2001:db8::/64 1.25 393 0
1005 2001:db8::/64 1.25 493 0
1006 2001:db8::/64 1.25 593 0" ]
	# Where others live it is left alone: that addresses are new is no proof.
	awk -F'\t' -v OFS='\t' '$3 == "*" { for (i = 0; i < 9; i++) print $1, $2, "2001:db8::f:" i, 5, 300, 0, 1, 0, 0, "100.000", 0, 0, 0, "0.050000", "pps" }
		{ print }' in >with
	run --separate-stderr kl-rollup with
	[ "$(grep -c '	rollup	' <<<"$output")" -eq 0 ]
	[ "$stderr" = "kl-rollup: 2001:db8::/64 is not rolled up: 8.3 % of it is clean, 9 of 402 addresses (--rollup-max-clean 0.1)" ]
}

@test "addresses that are left after some seconds are no clean ones" {
	{
		score_head
		for ((t = 0; t < 40; t++)); do
			# Each hundred for six seconds, the next ones five seconds later.
			now=("2001:db8::$((t / 5)):%x,100,0.05,$((t % 5 == 0))")
			[[ $t -lt 5 || $((t % 5)) != 0 ]] || now+=("2001:db8::$((t / 5 - 1)):%x,100,0.05,0")
			frame $((1001 + t)) "${now[@]}"
		done
	} >in
	run --separate-stderr kl-rollup in
	[ -z "$stderr" ]
	[ "$(grep -c '	rollup	' <<<"$output")" -eq 37 ]
	# Who stays is clean when he has been there for the window.
	{ score_head; for ((t = 0; t < 14; t++)); do frame $((1001 + t)) "2001:db8::%x,100,0.05,$((t == 0))"; done; } >in
	[ "$(kl-rollup in | awk -F'\t' '$15 == "rollup" { last = $1 } END { print last + 0 }')" = 1010 ]
}

@test "sources kept as /64: they are members of what is wider" {
	[ "$(rolled : 1004 2001:db8:0:%x::/64,40,0.6)" = "1004 2001:db8::/56 3 rollup 40 0 0" ]
}

@test "it ends by itself: no row any more, and the state machine lets go" {
	{ score_head; frames 1006 10.0.0.%d,50,0.6; for ((t = 1007; t <= 1200; t++)); do frame "$t" 10.9.0.1,1,0.1; done; } >in
	kl-rollup in | kl-fsm --hard-ttl 20s --soft-ttl 20s --block-ttl 20s >level
	[ "$(awk -F'\t' '$2 == "10.0.0.0/24" { last = $1 + 0 " " $3 } END { print last }' level)" = "1018 OBSERVE" ] || {
		awk -F'\t' '$2 == "10.0.0.0/24"' level | tail -n 3
		return 1
	}
}

@test "--state: two runs are one" {
	{ score_head; frames 1012 10.0.0.%d,20,0.6 10.0.0.10%d,2,0.1 2001:db8::%x,9,0.6; } >in
	awk -F'\t' 'NR == 1 || $1 < 1003' in >a
	awk -F'\t' 'NR == 1 || $1 >= 1003' in >b
	kl-rollup in >want
	kl-rollup -s state a >got
	kl-rollup --state state b | sed 1d >>got
	cmp got want
	[ "$(head -n 1 state)" = $'time\tsrc\tfirst_seen\tlast_seen\tbad_at\tfresh_at' ]
	[ "$(sed -n 2p state)" = $'1012.000\t10.0.0.1\t1001.000\t1012.000\t1012.000\t-' ]
	# Everyone gone: the state is empty again.
	{ score_head; frame 1100; } | kl-rollup -s state >/dev/null
	[ "$(wc -l <state)" -eq 2 ]
	printf 'time\tsrc\tfirst_seen\tlast_seen\tbad_at\tfresh_at\n1.000\t10.0.0.1\t1.000\t1.000\tx\t-\n1.000\t*\t-\t-\t-\t-\n' >state
	run --separate-stderr kl-rollup -s state b
	whole 3 "kl-rollup: state:2: bad_at: a time in seconds with three decimals, or - 'x'" ""
}

@test "--rollup-max-sources: what there is no room for is said, and passes" {
	{ score_head; frames 1001 10.0.0.%d,9,0.6; } >in
	run --separate-stderr kl-rollup --rollup-max-sources 5 in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-rollup: no room for 4 addresses (--rollup-max-sources 5)" ]
	[ "${#lines[@]}" -eq 11 ]
}

@test "--min-sev: what is calm stays out, but what a limit dropped of; all are counted" {
	{ score_head; frame 1001 10.0.0.%d,9,0.6 10.0.0.1%d,2,0.05 10.0.1.%d,1,0.05 10.0.2.%d,1,0.1; } |
		awk -F'\t' -v OFS='\t' '$3 == "10.0.1.1" { $8 = 4 } { print }' >in
	kl-rollup --rollup-watch 0 --rollup-max-clean 0.2 in >all
	awk -F'\t' '$14 == "sev" || $14 == "-" || $14 >= 0.1 || $8 > 0' all >want
	kl-rollup --rollup-watch 0 --rollup-max-clean 0.2 --min-sev 0.1 in | diff want -
	[ "$(wc -l <all) $(wc -l <want)" = "16 14" ]
	[ "$(awk -F'\t' '$15 == "rollup" { print $3, $16, $17 }' want)" = "10.0.0.0/24 9 2" ]
	kl-rollup --rollup-watch 0 --min-sev 0.1 in 2>err | grep -q 'refused	9	2'
}

@test "--min-sev up to where a tick is quiet and a limit obeyed changes no level" {
	local seed min moved=0
	for seed in $(seq 2001 2020); do
		awk -v seed="$seed" -v dir=. -f "$BATS_TEST_DIRNAME/fsm-trace.awk"
		awk -F'\t' -v OFS='\t' '
			NR == 1 { print $0, "pkts", "trig_pps", "trig_syn", "trig_scan", "trig_bps"; next }
			{ print $0, 1, 0, 0, 0, 0 }' score.tsv >in
		min=$(awk -F'\t' 'BEGIN { least = 9 }
			/^(sev-step1|sev-decay-below|noncomp-reset-below)/ || (/^(noncomp-sev|block-min-sev)/ && $2 > 0) {
				if ($2 < least) least = $2 }
			END { print least }' settings.tsv)
		kl-fsm -c settings.tsv in | cut -f1-7 >want
		kl-rollup --rollup-members 1000 --min-sev "$min" in >sieved
		kl-fsm -c settings.tsv sieved | cut -f1-7 | diff want -
		moved=$((moved + $(wc -l <in) - $(wc -l <sieved)))
	done
	[ "$moved" -gt 1000 ]
}

@test "a frame that was cut decides nothing" {
	{ score_head; frames 1003 10.0.0.%d,9,0.6; } >in
	{ sed '$d' in; frame 1004 10.0.0.%d,7,0.6; } >part
	run --separate-stderr kl-rollup --rollup-watch 0 part
	[ "$status" -eq 3 ]
	# The ninth and eighth were in the frames before: still within the window.
	[ "$(awk -F'\t' '$15 == "rollup" { print $1, $16 }' <<<"$output")" = "1001.000 9
1002.000 9
1004.000 9" ]
	{ score_head; frame 1001 10.0.0.%d,9,0.6 | sed '$d'; frame 1002 10.0.0.%d,7,0.6; } >part
	[ "$(kl-rollup --rollup-watch 0 part 2>/dev/null | grep -c rollup)" -eq 0 ]
}

@test "bad rows are left out and said, once a frame" {
	{ score_head; frame 1001 10.0.0.%d,9,0.6 | sed -e 's/	10.0.0.3	/	nobody	/' -e 's/	10.0.0.4	60	/	10.0.0.4	x	/'; } >in
	run --separate-stderr kl-rollup --rollup-watch 0 --rollup-members 7 in
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-rollup: in:4: src: not an address or prefix 'nobody'
kl-rollup: in: frame 1001.000: suppressed 1" ]
	[ "$(awk -F'\t' '$15 == "rollup" { print $16 }' <<<"$output")" = 7 ]
	[ "${#lines[@]}" -eq 10 ]
}

@test "called wrongly, and input that is none" {
	run --separate-stderr kl-rollup a b
	whole 2 "kl-rollup: more than one FILE: 'b'" ""
	run --separate-stderr kl-rollup --rollup-members 1
	whole 2 "kl-rollup: bad value '1' for --rollup-members: a whole number, 2 to 1000000000" ""
	run --separate-stderr kl-rollup --rollup-max-clean 1.5
	whole 2 "kl-rollup: bad value '1.5' for --rollup-max-clean: a number, 0 to 1" ""
	printf 'time\tsrc\n1.000\t*\n' >in
	run --separate-stderr kl-rollup in
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-rollup: in:1: "*dt* ]]
	run --separate-stderr kl-rollup nothing
	whole 4 "kl-rollup: cannot read 'nothing': No such file or directory" ""
}

@test "-c FILE sets all of them" {
	printf 'key\tvalue\nrollup-members\t2\nrollup-sev\t0.1\nrollup-factor\t1\nrollup-max-clean\t0.6\nrollup-window\t2s\nrollup-watch\t0\nrollup-max-sources\t3\nsev-cap\t0.15\n' >conf
	[ "$(rolled -c conf : 1001 10.0.0.%d,2,0.1 10.0.0.9%d,1,0.01)" = "1001 10.0.0.0/24 0.15 rollup 2 1 0.333333" ]
}
