#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm against a second state machine written plainly (fsm-oracle.awk), on
# random traces that meet every comparison at equality (fsm-trace.awk).

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	seen=
}

# same SEED NOISY: both say the same of that trace; with violations if NOISY.
same() {
	awk -v seed="$1" -v dir=. -v noisy="$2" -f "$BATS_TEST_DIRNAME/fsm-trace.awk"
	awk -f "$BATS_TEST_DIRNAME/fsm-oracle.awk" settings.tsv violation.tsv score.tsv | sort >want
	kl-fsm -c settings.tsv --violations violation.tsv score.tsv |
		awk -F'\t' -v OFS='\t' 'NR > 1 { if ($3 == "OBSERVE") $5 = "-"; print $1, $2, $3, $4, $5, $6, $7, $8 }' |
		sort >got
	cmp want got || { echo "seed $1"; diff want got | head -n 5; return 1; }
	seen+=$(cut -f3,4 want | sort -u)$'\n'
}

# The steps between levels that occurred: 4 that stay, 3 up by one, 3 that skip, 6 down.
steps() { sort -u <<<"$seen" | grep -c '[A-Z]'; }

@test "900 sources under 30 settings: severities and drops" {
	for i in $(seq 30); do same "$i" 0; done
	[ "$(steps)" -ge 14 ]
}

@test "600 sources under 20 settings: violations too" {
	for i in $(seq 1001 1020); do same "$i" 1; done
	[ "$(steps)" -ge 14 ]
}
