#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Many at once, as kliq composes and explains it: which profiles notice a prefix
# and a surge, and what kliq why says of a prefix, of an address in it, of the host.

# shellcheck disable=SC2154,SC2016 # bats sets stderr; awk expands those
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export TZ=UTC
	HEAD='time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	answers	new'
}

# frames FROM TO STRANGERS [NAME,COUNT,PKTS,SYN]...: a frame each second; NAME holds a %d or %x for the number of the source.
frames() {
	awk -v from="$1" -v to="$2" -v new="$3" -v specs="${*:4}" 'BEGIN {
		OFS = "\t"
		n = split(specs, spec, " ")
		for (t = from; t < to; t++) {
			for (i = 1; i <= n; i++) {
				split(spec[i], s, ",")
				for (k = 1; k <= s[2]; k++)
					print t ".000", "1.000", sprintf(s[1], k), s[3], 60 * s[3], s[3], 0, 0, s[4], s[3] - s[4], 0, 1, 0, 0, 0, 0, 0
			}
			print t ".000", "1.000", "*", 2 * new, 120 * new, 2 * new, 0, 0, new, 0, 0, "-", 0, 0, 0, "-", new
		}
	}'
}

# levels SOURCE: "SECOND LEVEL" of each change, of level frames.
levels() { awk -F'\t' -v src="$1" '$2 == src && $3 != was { printf "%d %s\n", $1, $3; was = $3 }'; }

@test "profiles for everybody notice a surge and a prefix; those for few peers do not, unless told to; half a minute later it is over" {
	{ echo "$HEAD"; frames 1000 1070 5; frames 1070 1090 200000 198.51.100.%d,50,1200,0; frames 1090 1125 5; } >in
	for f in "$TOP"/pipelines/profiles/*.yaml; do
		p=$(basename "$f" .yaml)
		# Of each profile's own threshold, so that its addresses stay below it.
		pps=$(kl-conf --profile "$p" | awk '$1 == "trig-pps" { print int($2 * .6) }')
		awk -F'\t' -v OFS='\t' -v pps="$pps" '$3 ~ /^198/ { $4 = $6 = $10 = pps; $5 = 60 * pps } { print }' in >scaled
		kliq replay --profile "$p" scaled >level
		case $p in
		database* | internal-app | nas*)
			cut -f2,3 level | sort -u | diff - <(printf '%s\n' '*	-' 'src	level') ;;
		*)
			[ "$(levels '*' <level | sed -n 2p | cut -d' ' -f1)" = 1070 ]
			[[ $(levels '*' <level | tail -n 1) == 11[0-1]?" -" ]]
			[ "$(awk -F'\t' '$2 != "*" && NR > 1 && $3 != "OBSERVE" { print $2 }' level | sort -u)" = 198.51.100.0/24 ]
			;;
		esac || { echo "$p"; levels '*' <level; awk -F'\t' '$2 ~ /198/' level | head -n 3; return 1; }
	done
	printf '%s\t%s\n' key value total-trig-new 1000 rollup on >on.tsv
	kliq replay --profile nas -c on.tsv scaled >level
	[ "$(levels '*' <level | sed -n 2p | cut -d' ' -f1)" = 1070 ]
	grep -q '	198.51.100.0/24	' level
}

@test "a flash crowd is no surge after an hour; in the first minute nothing is; then what is above the trigger" {
	{ echo "$HEAD"; frames 1000 4600 2; frames 4600 4610 200; frames 4610 4630 2; } >in
	[ "$(kliq replay --profile public-web in | levels '*')" = "1000 -" ]
	# Begun with the crowd, of any size, within the first minute: no surge.
	{ echo "$HEAD"; frames 1000 1010 5000; frames 1010 1100 2; } >in
	[ "$(kliq replay --profile public-web in | levels '*')" = "1000 -" ]
	# And behind it, with nothing learned, 1,000 strangers a second are one.
	{ echo "$HEAD"; frames 1000 1062 2; frames 1062 1072 999; frames 1072 1100 2; } >in
	[ "$(kliq replay --profile public-web in | levels '*')" = "1000 -" ]
	{ echo "$HEAD"; frames 1000 1062 2; frames 1062 1072 2000; } >in
	[ "$(kliq replay --profile public-web in | levels '*' | sed -n 2p)" = "1062 RATE_SOFT" ]
}

@test "why of a prefix, and of an address in it: caught by the prefix" {
	{ echo "$HEAD"; frames 1000 1020 5 198.51.100.%d,200,700,0 198.51.100.20%d,2,1,0 192.0.2.%d,1,3000,0; } >in
	run --separate-stderr kliq why --profile public-web 198.51.100.0/24 in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff - <(sed -n '1,/^severity/p' <<<"$output") <<-'END'
		source     198.51.100.0/24
		level      RATE_HARD since 1970-01-01 00:16:44, TTL ends 1970-01-01 00:26:44
		strikes    48  (RATE_SOFT from 2, RATE_HARD from 5, BLOCK from 12)
		history    1970-01-01 00:16:44  OBSERVE -> RATE_HARD  strikes 6  severity 3.000000  rollup
		seen       1970-01-01 00:16:59, in 1.000 s
		pps            140002.0/s
		syn                 0.0/s
		bps           8400120.0/s
		members    200 addresses misbehave (severity from 0.5), or are new in a /64
		clean      2 others, with 2 packets: share 0.009901, at most 0.1 may be hit
		severity   3.000000, held against 4 times the triggers
	END
	run --separate-stderr kliq why --profile public-web 198.51.100.7 in
	diff - <(grep -v '^adds\|^gate' <<<"$output") <<-'END'
		source     198.51.100.7
		level      OBSERVE
		caught     by its prefix 198.51.100.0/24: RATE_HARD since 1970-01-01 00:16:44, TTL ends 1970-01-01 00:26:44
		strikes    0  (RATE_SOFT from 2, RATE_HARD from 5, BLOCK from 12)
		seen       1970-01-01 00:16:59, in 1.000 s
		pps               700.0/s  trigger 1200       ratio 0.583  weight 0.55
		syn                 0.0/s  trigger 250        ratio 0.000  weight 0.3
		scan                0.0/s  trigger 20         ratio 0.000  weight 0.15
		bps             42000.0/s  trigger 0          ratio 0.000  weight 0
		limiter             0.0/s dropped
		severity   0.583333, led by pps
		ends       nothing is held against it itself
	END
	# One beside it has nothing to do with it; nor has a prefix nobody rolled up.
	run --separate-stderr kliq why --profile public-web 192.0.2.1 in
	[[ ${lines[1]} == "level      RATE_HARD since"* ]]
	[[ $output != *caught* ]]
	run --separate-stderr kliq why --profile public-web 192.0.2.0/24 in
	[ "${lines[1]}" = "level      OBSERVE" ]
	grep -q 'a prefix has a row when 8 of its addresses or more misbehave' <<<"$output"
	# The same in IPv6.
	sed 's/198\.51\.100\.\([0-9]*\)/2001:db8::\1/' in >in6
	run --separate-stderr kliq why --profile public-web 2001:DB8:0::/64 in6
	[[ ${lines[0]} == "source     2001:db8::/64" && ${lines[1]} == "level      RATE_HARD since"* ]]
	run --separate-stderr kliq why --profile public-web 2001:db8::5 in6
	[[ ${lines[1]} == "level      OBSERVE" && ${lines[2]} == "caught     by its prefix 2001:db8::/64: RATE_HARD"* ]]
}

@test "why of a prefix that was refused says so, and whom it would hit" {
	{ echo "$HEAD"; frames 1000 1008 5 198.51.100.%d,60,700,0 198.51.100.1{1,2,3,4}%d,9,1,0; } >in
	run kliq why --profile public-web 198.51.100.0/24 in
	[ "$status" -eq 0 ]
	grep -q '^level      OBSERVE$' <<<"$output"
	grep -qx 'clean      36 others, with 36 packets: share 0.375000, above 0.1 may be hit' <<<"$output"
	grep -q '^severity   0, refused: its addresses are judged one by one$' <<<"$output"
}

@test "why during a surge: of the host, and of an address" {
	{ echo "$HEAD"; frames 1000 1070 5 192.0.2.%d,1,10,0; frames 1070 1075 200000 192.0.2.%d,1,10,0; } >in
	run --separate-stderr kliq why --profile public-web '*' in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff - <(echo "$output") <<-'END'
		source     *, the host as a whole
		surge      RATE_HARD since 1970-01-01 00:17:52, TTL ends 1970-01-01 00:18:02
		budget     of strangers 200 packets/s each of TCP, UDP, ICMP and others pass untested
		strikes    12  (RATE_SOFT from 2, RATE_HARD from 5, BLOCK from 12)
		history    1970-01-01 00:17:50  - -> RATE_SOFT  strikes 3  severity 3.000000  new
		           1970-01-01 00:17:52  RATE_SOFT -> RATE_HARD  strikes 9  severity 3.000000  new
		seen       1970-01-01 00:17:54, in 1.000 s
		pps            400000.0/s
		syn            200000.0/s
		new            200000.0/s
		severity   3.000000, led by new
		judged     strangers against 1000/s, or 4 times what is usual when that is more
		ends       level by level after its TTL, with 8 quiet ticks in a row (severity of all below 0.25; now 0)
	END
	run --separate-stderr kliq why --profile public-web 192.0.2.1 in
	diff - <(sed -n 1,4p <<<"$output") <<-'END'
		source     192.0.2.1
		level      OBSERVE
		surge      RATE_HARD since 1970-01-01 00:17:52: of strangers 200 packets/s each of TCP, UDP, ICMP and others pass untested
		           who has a history passes; another is dropped at first and let in when it comes again
	END
	# No surge, no word of it; and none where it is off.
	run --separate-stderr kliq why --profile public-web --at 1060 192.0.2.1 in
	[[ $output != *surge* ]]
	run --separate-stderr kliq why --profile nas '*' in
	[ "${lines[1]}" = "surge      none" ]
	grep -q '^judged     no stranger is counted (total-trig-new 0)$' <<<"$output"
}

@test "why: what is no prefix is said" {
	{ echo "$HEAD"; frames 1000 1002 5; } >in
	for bad in 10.0.0.0/33 10.0.0.0/ 10.0.0.0/x 10.0.0.0/0 ::/129 ::/0; do
		run --separate-stderr kliq why "$bad" in
		[ "$status" -eq 2 ]
		[ "$stderr" = "kliq: '$bad' is no address or prefix" ] || { echo "$bad: $stderr"; return 1; }
	done
}

@test "a time that is none is shown as such, and no shell runs it" {
	cd "$BATS_TEST_TMPDIR"
	printf '%s\n' '0; touch ran' '$(touch ran)' '1 $(touch ran)' - '' 1700000000.500 >list
	TZ=UTC awk -f "$TOP/pipelines/clock.awk" -f <(echo '{ print clock($0) }') list >got
	diff got <(printf '%s\n' - - - - - '2023-11-14 22:13:20')
	[ ! -e ran ]
}
