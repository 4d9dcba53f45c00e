#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq replay --compare, and kliq why about the past: a capture under two
# configurations, and as of an earlier time.

load lib

setup() {
	day=$TOP/t/data/day.tsv
	cd "$BATS_TEST_TMPDIR" || return 1
	export TZ=UTC
	printf 'key\tvalue\nsoft-at\t1000\nhard-at\t1000\nblock-at\t1000\n' >never.tsv
}

HEADER=$'src\tA_limited\tA_limited_for\tA_blocked\tA_blocked_for\tB_limited\tB_limited_for\tB_blocked\tB_blocked_for'
SUMS=$'config\tname\tlimited\tblocked\tonly_here\tlimited_for\tblocked_for'

@test "two profiles: who, when first, for how long; and the sums" {
	run --separate-stderr kliq replay --compare public-web generic "$day"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	echo "$output" | diff <(cat <<-END
		$HEADER
		2001:db8:bad::66	1700000005.000	33.000	1700000038.000	21.000	1700000010.000	49.000	-	-
		198.51.100.66	1700000006.000	33.000	1700000039.000	20.000	1700000011.000	48.000	-	-
		198.51.100.77	1700000007.000	52.000	-	-	1700000012.000	47.000	-	-

		$SUMS
		A	public-web	3	2	0	118.000	41.000
		B	generic	3	0	0	144.000	0.000
	END
	) -
	kliq replay --compare public-web generic - <"$day" | cmp - <(echo "$output")
}

@test "a file of settings against a profile; the same against itself" {
	run --separate-stderr kliq replay --compare ./never.tsv public-web "$day"
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = $'2001:db8:bad::66\t-\t-\t-\t-\t1700000005.000\t33.000\t1700000038.000\t21.000' ]
	[ "${lines[-2]}" = $'A\t./never.tsv\t0\t0\t0\t0.000\t0.000' ]
	[ "${lines[-1]}" = $'B\tpublic-web\t3\t2\t3\t118.000\t41.000' ]
	run --separate-stderr kliq replay --compare never.tsv never.tsv "$day"
	[ "$output" = "$HEADER

$SUMS
A	never.tsv	0	0	0	0.000	0.000
B	never.tsv	0	0	0	0.000	0.000" ]
}

@test "what is given besides holds for both" {
	echo 198.51.100.0/24 >white
	printf 'key\tvalue\nblock-at\t1000\nnoncomp-at\t0\n' >mild.tsv
	run --separate-stderr kliq replay --profile public-web --whitelist white --compare mild.tsv /dev/null "$day"
	[ "$status" -eq 2 ]	# an empty file is none of settings
	printf 'key\tvalue\n' >same.tsv
	run --separate-stderr kliq replay --profile public-web --whitelist white --compare mild.tsv same.tsv "$day"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^2001\|^198' <<<"$output")" -eq 1 ]
	[ "${lines[-2]}" = $'A\tmild.tsv\t1\t0\t0\t54.000\t0.000' ]
	[ "${lines[-1]}" = $'B\tsame.tsv\t1\t1\t0\t33.000\t21.000' ]
}

@test "the sums are those of the rows, the rows those of the two replays" {
	kliq replay --compare nas ssh-bastion "$day" >both
	for c in "A 2 nas" "B 6 ssh-bastion"; do
		read -r name at profile <<<"$c"
		# Ticks of a second: every row above OBSERVE stands for one, but those of the last frame.
		kliq replay --profile "$profile" "$day" | awk -F'\t' '$1 != "time" && $2 != "*" && $3 != "OBSERVE" && $1 < 1700000059' >rows
		[ "$(grep -vc BLOCK rows)" = "$(awk -F'\t' -v at="$at" 'NF == 9 && NR > 1 { n += $(at + 1) } END { print n + 0 }' both)" ]
		[ "$(grep -c BLOCK rows)" = "$(awk -F'\t' -v at="$at" 'NF == 9 && NR > 1 { n += $(at + 3) } END { print n + 0 }' both)" ]
		[ "$(awk -F'\t' -v c="$name" '$1 == c { print $6 + 0, $7 + 0 }' both)" = "$(grep -vc BLOCK rows) $(grep -c BLOCK rows)" ]
	done
}

@test "compare: bad use, bad files" {
	bad() {
		local want=$1 says=$2
		run --separate-stderr kliq replay "${@:3}"
		[ "$status" -eq "$want" ]
		[ -z "$output" ]
		[[ $stderr == *"$says"* && $stderr != *$'\n'* ]] || { echo "$stderr"; return 1; }
	}
	bad 2 "replay --compare needs A B FILE" --compare a b
	bad 2 "replay --compare needs A B FILE" --compare a b c d
	bad 2 "--compare needs a value" --compare
	bad 2 "no profile 'nonesuch'" --compare nonesuch nas "$day"
	bad 2 "./none.tsv" --compare nas ./none.tsv "$day"
	head -n 60 "$day" >"cut"
	run --separate-stderr kliq replay --compare nas generic cut
	[ "$status" -eq 3 ]
	[[ ${stderr%%$'\n'*} == "kl-score: cut:60: "* ]]
	[ -z "$output" ]
}

# about ARGUMENT...: the lines of why that tell where the source stands.
about() { kliq why --profile public-web "$@" | sed -n '/^level/,/^seen/p'; }

@test "why --at: as of that time, in Unix seconds or as people write it" {
	about 198.51.100.66 "$day" --at 1700000020 >got
	diff - got <<-'END'
		level      RATE_HARD since 2023-11-14 22:13:32, TTL ends 2023-11-14 22:23:32
		strikes    40  (RATE_SOFT from 2, RATE_HARD from 5, BLOCK from 12)
		history    2023-11-14 22:13:26  OBSERVE -> RATE_SOFT  strikes 2  severity 1.200000  syn
		           2023-11-14 22:13:32  RATE_SOFT -> RATE_HARD  strikes 16  severity 3.000000  gate
		seen       2023-11-14 22:13:40, in 1.000 s
	END
	about 198.51.100.66 "$day" --at 2023-11-14T22:13:40Z | cmp - got
	about 198.51.100.66 "$day" --at '2023-11-14 22:13:40' | cmp - got
	about 198.51.100.66 --at 1700000020.999 "$day" | cmp - got
	about 198.51.100.66 --at 1700000019.999 "$day" | tail -n 1 | diff - <(echo 'seen       2023-11-14 22:13:39, in 1.000 s')
	# Beyond its end the whole capture counts.
	about 198.51.100.66 "$day" --at 1800000000 | cmp - <(about 198.51.100.66 "$day")
	about 198.51.100.66 "$day" --at 1700000003 | head -n 1 | diff - <(echo 'level      OBSERVE')
}

@test "why --at: bad times, no capture, two captures" {
	run --separate-stderr kliq why 198.51.100.66 "$day" --at 1600000000
	[ "$status" -eq 1 ]
	[ "$stderr" = "kliq: $day: nothing in it up to 2020-09-13 12:26:40" ]
	run --separate-stderr kliq why 198.51.100.66 "$day" --at soon
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: --at: neither Unix seconds nor a time like 2026-05-01T12:00:00: 'soon'" ]
	run --separate-stderr kliq why 198.51.100.66 --at 1700000020
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: --at goes with a capture" ]
	run --separate-stderr kliq why 198.51.100.66 ./none --at 1700000020
	[ "$status" -eq 4 ]
	[ "$stderr" = "kliq: cannot read './none'" ]
	run --separate-stderr kliq why 198.51.100.66 "$day" "$day"
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: why needs one ADDR" ]
}

@test "why tells of the ceiling and of what is remembered" {
	printf 'key\tvalue\nmax-level\tRATE_HARD\noffence-window\t1h\n' >capped.tsv
	about -c capped.tsv 198.51.100.66 "$day" | sed -n 3p | diff - <(echo 'ceiling    no level above RATE_HARD')
	about -c capped.tsv 198.51.100.66 "$day" | tail -n 2 | head -n 1 | grep -q 'RATE_SOFT -> RATE_HARD'
	printf 'key\tvalue\noffence-window\t1h\n' >long.tsv
	about -c long.tsv 198.51.100.66 "$day" | sed -n 3,4p >got
	diff - got <<-'END'
		offences   1  (the next block lasts 2 x 10m; RATE_SOFT from strikes 1, after one high tick)
		           one less for every 1h out of BLOCK
	END
}
