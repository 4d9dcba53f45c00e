#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm: the memory of offenders. Blocks get longer, limits come sooner, all of it is forgotten.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# One tick blocks and the TTL alone decides when a block ends.
HARSH=(--up-need 0 --soft-at 3 --hard-at 3 --block-at 3 --block-min-sev 0 --block-ttl 10s --cooldown 0
	--min-hold-hard 0 --down-need 0 --max-strikes 3)

# attacks FROM TO TIME...: frames of every second, with a high tick of 10.0.0.1 at each TIME.
attacks() {
	awk -v from="$1" -v to="$2" -v at="${*:3}" 'BEGIN {
		n = split(at, t, " ")
		for (i = 1; i <= n; i++) high[t[i]]
		print "time\tdt\tsrc\tdrop_rl\tsev\twhy"
		for (i = from; i <= to; i++) {
			if (i in high)
				printf "%d.000\t1.000\t10.0.0.1\t0\t3.0\tpps\n", i
			printf "%d.000\t1.000\t*\t0\t-\t-\n", i
		}
	}'
}

# blocks: of level frames, when each block began and how long it is to last.
blocks() { awk -F'\t' '$3 == "BLOCK" && $4 != "BLOCK" { print $1 + 0, $6 - $5 }'; }

@test "each block doubles the next, up to --offence-max; without a window none does" {
	attacks 1001 1500 1001 1040 1100 1200 1300 >in
	kl-fsm "${HARSH[@]}" in | blocks | diff - <(printf '%s 10\n' 1001 1040 1100 1200 1300)
	kl-fsm "${HARSH[@]}" --offence-window 1h in | blocks |
		diff - <(printf '%s\n' '1001 10' '1040 20' '1100 40' '1200 80' '1300 80')
	kl-fsm "${HARSH[@]}" --offence-window 1h --offence-max 3 in | blocks |
		diff - <(printf '%s\n' '1001 10' '1040 20' '1100 30' '1200 30' '1300 30')
	kl-fsm "${HARSH[@]}" --offence-window 1h --offence-max 1 in | blocks |
		diff - <(printf '%s 10\n' 1001 1040 1100 1200 1300)
	printf 'key\tvalue\noffence-window\t1h\noffence-max\t2\n' >conf
	kl-fsm "${HARSH[@]}" -c conf in | blocks |
		diff - <(printf '%s\n' '1001 10' '1040 20' '1100 20' '1200 20' '1300 20')
	kl-fsm "${HARSH[@]}" -c conf --offence-window 0 in | cmp - <(kl-fsm "${HARSH[@]}" in)
}

@test "a block is forgotten for each window out of BLOCK, none meanwhile" {
	# Blocks 1001-1011, 1020-1040, 1050-1090; then three are remembered, and 1, 2, 3 windows pass.
	attacks 1001 1600 1001 1020 1050 1145 >in
	kl-fsm "${HARSH[@]}" --offence-window 60s in | blocks | tail -n 1 | diff - <(echo 1145 80)
	attacks 1001 1600 1001 1020 1050 1155 >in
	kl-fsm "${HARSH[@]}" --offence-window 60s in | blocks | tail -n 1 | diff - <(echo 1155 40)
	attacks 1001 1600 1001 1020 1050 1215 >in
	kl-fsm "${HARSH[@]}" --offence-window 60s in | blocks | tail -n 1 | diff - <(echo 1215 20)
	attacks 1001 1600 1001 1020 1050 1275 >in
	kl-fsm "${HARSH[@]}" --offence-window 60s -s state in | blocks | tail -n 1 | diff - <(echo 1275 10)
	# And then so is the source.
	printf '%s\n1600.000\t*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n' "$STATE" | cmp - state
}

@test "an offender is limited sooner, and blocked no sooner" {
	# A block by a forced violation, which its TTL ends; then two ticks of severity 1.
	{
		printf 'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce\n'
		printf '1001.000\tin\t10.0.0.1\t22\ttcp\tnew-edge\t95\t-\t1\n1001.000\t-\t*\t-\t-\t-\t-\t-\t-\n'
	} >v
	{
		head_of
		for t in $(seq 1001 1099); do tick "$t"; done
		for t in $(seq 1100 1109); do tick "$t" 10.0.0.1,1 10.0.0.2,1; done
	} >in
	changes() { awk -F'\t' '$1 + 0 >= 1100 && $2 != "*" && $3 != $4 { print $1 + 0, $2, $3, $7 }'; }
	local options=(--violations v --block-ttl 5s --hard-ttl 5s --soft-ttl 5s --up-need 3 --hard-at 20 --block-at 21
		--max-strikes 22)
	kl-fsm "${options[@]}" in | changes |
		diff - <(printf '%s\n' '1102 10.0.0.1 RATE_SOFT 3' '1102 10.0.0.2 RATE_SOFT 3')
	kl-fsm "${options[@]}" --offence-window 1h in | changes |
		diff - <(printf '%s\n' '1101 10.0.0.1 RATE_SOFT 2' '1102 10.0.0.2 RATE_SOFT 3')
	kl-fsm "${options[@]}" --offence-window 1h --soft-at 2 in | changes |
		diff - <(printf '%s\n' '1100 10.0.0.1 RATE_SOFT 1' '1102 10.0.0.2 RATE_SOFT 3')
	# To RATE_HARD at once when its strikes say so; to BLOCK by a streak like everybody.
	{ head_of; for t in 1101 1102 1103 1104; do tick "$t" 10.0.0.1,3 10.0.0.2,3; done; } >in
	printf '%s\n' "$STATE" $'1100.000\t10.0.0.1\tOBSERVE\t30\t0\t9\t0\t1090.000\t-\t1095.000\t1050.000\t-\t0\t1\t1090.000' \
		$'1100.000\t10.0.0.2\tOBSERVE\t30\t0\t9\t0\t1090.000\t-\t1095.000\t1050.000\t-\t0\t0\t-' \
		$'1100.000\t*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-' >state
	kl-fsm -s state --offence-window 1h --up-need 3 --block-min-sev 0 --cooldown 0 in | changes |
		diff - <(printf '%s\n' '1101 10.0.0.1 RATE_HARD 33' '1103 10.0.0.1 BLOCK 39' '1103 10.0.0.2 BLOCK 39')
}

@test "what is remembered outlives a restart; a state without the columns is one of no offences" {
	attacks 1001 1020 1001 >one
	attacks 1021 1100 1030 >two
	kl-fsm "${HARSH[@]}" --offence-window 1h -s state one >/dev/null
	sed -n 2p state | diff - <(echo $'1020.000\t10.0.0.1\tOBSERVE\t0\t0\t19\t0\t1011.000\t-\t1011.000\t1001.000\t-\t0\t1\t1011.000')
	cut -f 1-13 state >old
	kl-fsm "${HARSH[@]}" --offence-window 1h -s state two | blocks | diff - <(echo 1030 20)
	run --separate-stderr kl-fsm "${HARSH[@]}" --offence-window 1h -s old two
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	blocks <<<"$output" | diff - <(echo 1030 10)
	head -n 1 old | diff - <(echo "$STATE")
	# Switched off, what the file remembers counts for nothing and goes.
	rm state
	kl-fsm "${HARSH[@]}" --offence-window 1h -s state one >/dev/null
	kl-fsm "${HARSH[@]}" -s state two | blocks | diff - <(echo 1030 10)
	kl-fsm "${HARSH[@]}" -s state <(head_of; tick 1100; tick 1101) | grep -v '\*' | diff - <(echo "$LEVEL")
}

@test "the state's new cells are checked" {
	attacks 1001 1002 1001 >in
	kl-fsm "${HARSH[@]}" --offence-window 1h -s good in >/dev/null
	sed '2s/\t1\t1002.000$/\t11\t1002.000/' good >state
	run --separate-stderr kl-fsm -s state in
	whole 3 "kl-fsm: state:2: offences: a whole number, 0 to 10 '11'" ""
	sed '2s/1002.000$/soon/' good >state
	run --separate-stderr kl-fsm -s state in
	whole 3 "kl-fsm: state:2: offended: a time in seconds with three decimals, or - 'soon'" ""
	# One without the other: the window begins with the next tick.
	cut -f 1-14 good >state
	kl-fsm "${HARSH[@]}" --offence-window 1h -s state <(attacks 1003 1100 1050) | blocks | diff - <(echo 1050 20)
}

@test "who is released by the whitelist is no offender any more" {
	attacks 1001 1100 1001 1050 >in
	head -n 15 in | kl-fsm "${HARSH[@]}" --offence-window 1h -s state >/dev/null
	grep -q $'\t10.0.0.1\t' state
	echo 10.0.0.0/8 >white
	{ head -n 1 in; sed -n 16,17p in; } | kl-fsm "${HARSH[@]}" --offence-window 1h -s state --whitelist white >/dev/null
	run ! grep -q $'\t10.0.0.1\t' state
	{ head -n 1 in; sed 1,17d in; } | kl-fsm "${HARSH[@]}" --offence-window 1h -s state | blocks | diff - <(echo 1050 10)
}

@test "no more than 131072 are remembered for nothing but that: the newest" {
	awk 'BEGIN {
		print "time\tdt\tsrc\tdrop_rl\tsev\twhy"
		for (i = 0; i < 140000; i++)
			printf "1001.000\t1.000\t10.%d.%d.%d\t0\t3.0\tpps\n", i / 65536, i / 256 % 256, i % 256
		for (t = 1001; t <= 1015; t++)
			printf "%d.000\t1.000\t*\t0\t-\t-\n", t
	}' >in
	kl-fsm "${HARSH[@]}" --offence-window 1h -s state in >/dev/null
	[ "$(grep -c . state)" -eq 131074 ]
	[ "$(sed -n 2p state | cut -f 2,3,14)" = $'10.0.34.224\tOBSERVE\t1' ]
	[ "$(sed -n 131073p state | cut -f 2)" = 10.2.34.223 ]
}

@test "options out of range" {
	for bad in "0 1" "1025 1025"; do
		run --separate-stderr kl-fsm --offence-max "${bad%% *}" /dev/null
		whole 2 "kl-fsm: bad value '${bad%% *}' for --offence-max: a whole number, 1 to 1024" ""
	done
	run --separate-stderr kl-fsm --offence-window never /dev/null
	whole 2 "kl-fsm: bad value 'never' for --offence-window: a duration like 500ms, 30s, 10m" ""
}
