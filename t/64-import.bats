#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq import: the triggers of Kernloom IQ's state.json go on here.

# shellcheck disable=SC2154 # bats sets stderr
load lib

setup() {
	need_root
	cd "$BATS_TEST_TMPDIR" || exit
	cat >empty.json <<-'END'
		{
		  "version": 2,
		  "active": {
		    "profile": "public-web",
		    "revision": 7,
		    "updated_at": "2026-11-01T10:00:00.5Z",
		    "trig": {"trig_pps": 812.5, "trig_syn": 90, "trig_scan": 20, "trig_bps": 0},
		    "tune": {"method": "median_mad", "k": 3.9},
		    "bootstrap": {"observed_seconds": 7200},
		    "clean_ratio": 0.75
		  },
		  "history": [
		    {"revision": 6, "at": "2026-10-31T10:00:00Z", "trig": {"trig_pps": 900, "trig_syn": 100, "trig_scan": 20, "trig_bps": 0},
		     "median_pps": 12.25, "mad_pps": 3, "median_syn": 1, "mad_syn": 0, "median_scan": 1, "mad_scan": 0, "sample_count": 800, "clean_ratio": 1},
		    {"revision": 7, "at": "2026-11-01T10:00:00Z", "trig": {"trig_pps": 812.5, "trig_syn": 90, "trig_scan": 20, "trig_bps": 0},
		     "median_pps": 12, "mad_pps": 3, "median_syn": 1, "mad_syn": 0, "median_scan": 1, "mad_scan": 0, "sample_count": 900, "clean_ratio": 0.75}
		  ],
		  "integrity": {
		    "sha256": ""
		  }
		}
	END
	sum=$(sha256sum <empty.json | cut -d' ' -f1)
	sed "s/\"sha256\": \"\"/\"sha256\": \"$sum\"/" empty.json >state.json
}

import() { kliq import --state "$BATS_TEST_TMPDIR/s" "$@"; }

@test "state.json: kl-tune goes on with its triggers and history" {
	run --separate-stderr import state.json
	[ "$status" -eq 0 ]
	t=s/learn/tune.tsv
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tdrop_rl\tsev\n1793527300.000\t1.000\t*\t0\t0\t0\t-\t0\t-\n' |
		kl-tune -s "$t" -o out >/dev/null
	diff out - <<<$'key\tvalue\ntrig-pps\t812.500\ntrig-syn\t90.000\ntrig-scan\t20.000'
	awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$3 == "imported" { print $at["at"] + 0, $at["revision"], $at["trig_pps"], $at["median_pps"], $at["mad_pps"], $at["samples"] }' "$t" |
		diff - <(printf '%s\n' '1793527200 7 812.500 12.000 3.000 900' '1793440800 6 900.000 12.250 3.000 800')
	awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $3 == "now" { print $at["revision"], $at["observed"] }' "$t" |
		diff - <(echo 7 7201.000)	# one clean tick more
	# Once.
	run --separate-stderr import state.json
	[ "$status" -eq 1 ]
	[[ $stderr == "kliq: "*"tune.tsv is there already: "* ]]
}

@test "a state that was changed, is cut, or is none" {
	sed 's/812.5/900/' state.json >changed.json
	for f in changed.json:"its integrity does not fit" /dev/null:"no state.json of Kernloom IQ" none:"cannot read 'none'"; do
		run --separate-stderr import "${f%%:*}"
		[ "$status" -ge 3 ]
		[[ $stderr == *"${f#*:}"* ]]
		[ ! -e s/learn/tune.tsv ]
	done
	run --separate-stderr import
	[ "$status" -eq 2 ]
	# Without integrity it is taken as it is.
	jq 'del(.integrity)' state.json >plain.json
	import plain.json
	[ -e s/learn/tune.tsv ]
}
