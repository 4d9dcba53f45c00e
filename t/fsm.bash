# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Frames for kl-fsm, made by hand, and a short form of what it says.
# shellcheck disable=SC2034,SC2154 # the tests use these, and bats sets those

load lib

LEVEL=$'time\tsrc\tlevel\tfrom\tsince\tuntil\tstrikes\tsev\twhy'
STATE=$'time\tsrc\tlevel\tstrikes\tup\tdown\tnoncomp\tsince\texpires\tcooldown\tlast_trigger\thigh_since\tforce\toffences\toffended'

# head: the header of score frames, as far as kl-fsm needs them.
head_of() { printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n'; }

# tick TIME [SRC,SEV[,DROP[,WHY]]]...: a frame.
tick() {
	local t=$1 row src sev drop why
	shift
	for row; do
		IFS=, read -r src sev drop why <<<"$row"
		printf '%s.000\t1.000\t%s\t%s\t%s\t%s\n' "$t" "$src" "${drop:-0}" "$sev" "${why:-pps}"
	done
	printf '%s.000\t1.000\t*\t0\t-\t-\n' "$t"
}

# ticks SEV[/DROP]...: frames a second apart from 1001 on, of the source 10.0.0.1; "-" is no row.
ticks() {
	local t=1000 x sev drop
	for x; do
		t=$((t + 1))
		IFS=/ read -r sev drop <<<"$x"
		if [[ $x == - ]]; then tick "$t"; else tick "$t" "10.0.0.1,$sev,${drop:-0}"; fi
	done
}

# trail OPTION... : SEV[/DROP]...: what kl-fsm makes of them, a word a tick: the level's letter
# (O, S, H, B) with the strikes; "." where it prints no row.
trail() {
	local options=()
	while [[ $1 != : ]]; do
		options+=("$1")
		shift
	done
	shift
	{ head_of; ticks "$@"; } | kl-fsm "${options[@]}" | awk -F'\t' '
		NR == 1 { next }
		$2 == "*" { printf "%s%s", sep, word == "" ? "." : word; word = ""; sep = " "; next }
		{ word = substr($3, $3 ~ /^RATE/ ? 6 : 1, 1) $7 }
		END { print "" }'
}

# whole STATUS STDERR OUTPUT: everything the last run gave.
whole() {
	[ "$status" -eq "$1" ] || { echo "status $status: $stderr"; return 1; }
	[ "$stderr" = "$2" ] || { echo "stderr: $stderr"; return 1; }
	[ "$output" = "$3" ] || { echo "output: $output"; return 1; }
}
