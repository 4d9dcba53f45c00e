#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The learning tick as kliq composes it: the same twice, nobody innocent above
# OBSERVE, an attacker who grows slowly caught, killed and begun again.

# shellcheck disable=SC2154 # bats sets stderr
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	day=$TOP/t/data/day.tsv
	# Learns as fast as a test can wait for.
	printf '%s\t%s\n' key value trig-pps 1200 trig-syn 250 trig-scan 20 bootstrap-every1 10m autotune-min-samples 100 \
		autotune-floor-pps 60 autotune-floor-syn 20 autotune-floor-scan 10 bootstrap-max-down1 0.2 >fast.tsv
}

# day SOURCES TICKS DT [ATTACKER]: benign traffic with a daily rhythm and bursts, from a seed; the attacker
# begins as one of them and from half of the time on sends ten percent more every hour.
made() {
	awk -v n="$1" -v ticks="$2" -v dt="$3" -v attacker="${4-}" 'BEGIN {
		OFS = "\t"
		srand(7)
		print "time", "dt", "src", "pkts", "bytes", "tcp", "udp", "icmp", "syn", "ack", "rst", "ports", "drop_allow", "drop_deny", "drop_rl"
		for (i = 0; i < n; i++) { mean[i] = 3 + 30 * rand() ^ 3; phase[i] = rand() * 6.28; at[i] = "10.0." int(i / 250) "." i % 250 + 1
			if (at[i] == attacker) mean[i] = 30 }
		for (k = 0; k < ticks; k++) {
			t = sprintf("%.3f", 1700000000 + k * dt); d = sprintf("%.3f", dt)
			for (i = 0; i < n; i++) {
				r = mean[i] * (1 + .5 * sin(k * dt / 13750.99 + phase[i])) * (.7 + .6 * rand())
				if (rand() < .002) r *= 2
				if (at[i] == attacker && k > ticks / 2) r = mean[i] * 1.1 ^ ((k - ticks / 2) * dt / 3600)
				p = int(r * dt); s = int(p / 20)
				if (p) print t, d, at[i], p, p * 400, p, 0, 0, s, p - s, 0, 1 + int(2 * rand()), 0, 0, 0
			}
			print t, d, "*", 1, 1, 1, 0, 0, 0, 0, 0, "-", 0, 0, 0
		}
	}'
}

@test "every feature profile replays, the same twice, and finds who attacks" {
	kliq replay --profile public-web "$day" >plain
	for f in dos-light iq-learning graph-learning graph-enforce; do
		kliq replay --feature-profile "$f" --profile public-web "$day" >a
		kliq replay --feature-profile "$f" --profile public-web "$day" | cmp - a
		# Nothing is learned in a minute.
		awk -F'\t' '$3 == "BLOCK" { print $2 }' a | sort -u | diff - <(awk -F'\t' '$3 == "BLOCK" { print $2 }' plain | sort -u)
	done
	run --separate-stderr kliq replay --feature-profile all "$day"
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: no feature profile 'all': there are dos-light iq-learning graph-learning graph-enforce" ]
	run --separate-stderr kliq replay --feature-profile klshield-light "$day"
	[ "$status" -eq 2 ]
}

@test "a benign day raises nobody; who then grows by ten percent an hour is limited before five times his normal" {
	made 100 5760 30 10.0.0.5 >in
	kliq replay --feature-profile iq-learning -c fast.tsv in >level
	# After the first hour, innocent: all but the attacker.
	awk -F'\t' '$1 != "time" && $3 != "OBSERVE" && $2 != "*" && $1 > 1700003600 { print $2 }' level | sort -u | diff - <(echo 10.0.0.5)
	when=$(awk -F'\t' '$2 == "10.0.0.5" && $3 == "RATE_HARD" { print $1; exit }' level)
	normal=$(awk -F'\t' '$3 == "10.0.0.5" && $1 < 1700086400 { n += $4; d += $2 } END { print n / d }' in)
	awk -F'\t' -v t="$when" -v normal="$normal" '$3 == "10.0.0.5" && $1 == t { exit !($4 / $2 < 5 * normal) }' in ||
		{ echo "at $when, normal $normal"; grep -P "^$when\t.*10.0.0.5\t" in; return 1; }
}

@test "the settings ask for learning by themselves, and --print shows the stages" {
	print() { kliq replay --print "$@" "$day" | grep -v "^kl-conf" | sed 's/ .*//' | tr '\n' ' '; }
	[ "$(print -c fast.tsv)" = "kl-score kl-rollup kl-fsm " ]
	[ "$(print --feature-profile dos-light -c fast.tsv)" = "mkfifo kl-recall kl-score kl-tune kl-rollup kl-fsm tee " ]
	[ "$(print --feature-profile iq-learning -c fast.tsv)" = "mkfifo kl-recall kl-baseline kl-score kl-tune kl-rollup kl-fsm tee " ]
	printf '%s\t%s\n' key value autotune on >on.tsv
	[ "$(print --feature-profile graph-learning --profile database)" = "mkfifo kl-recall kl-baseline kl-score kl-tune kl-fsm tee " ]
	[ "$(print -c on.tsv)" = "mkfifo kl-recall kl-score kl-tune kl-rollup kl-fsm tee " ]
}
