#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm: what a source costs in memory: remembered ones 128 bytes, benign ones nothing.

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

ended() { tail -n 1 out | grep -q '^1002.000	\*'; }

# peak SEV: bytes of memory at the peak of two frames of 300,000 sources with that severity.
peak() {
	local pid bytes
	rm -f in
	mkfifo in
	kl-fsm <in >out &
	pid=$!
	exec 5>in
	awk -v sev="$1" 'BEGIN {
		print "time\tdt\tsrc\tdrop_rl\tsev\twhy"
		for (t = 1001; t <= 1002; t++) {
			for (i = 0; i < 300000; i++)
				printf "%d.000\t1.000\t10.%d.%d.%d\t0\t%s\t%s\n", t, i / 65536, i / 256 % 256, i % 256, sev, i % 2 ? "pps" : "syn"
			printf "%d.000\t1.000\t*\t0\t-\t-\n", t
		}
	}' >&5
	until_true ended
	bytes=$(awk '/^VmHWM:/ { print $2 * 1024 }' "/proc/$pid/status")
	exec 5>&-
	wait "$pid"
	echo "$bytes"
}

@test "300,000 remembered sources take at most 128 bytes each, benign ones none" {
	[[ -z ${SAN-} ]] || skip "AddressSanitizer takes memory of its own"
	local benign hot
	benign=$(peak 0.9)
	hot=$(peak 3)
	[ "$(grep -c '	6	3.000000	' out)" -eq 300000 ]
	echo "benign $benign, remembered $hot"
	[ "$benign" -lt 6000000 ]
	[ $(((hot - benign) / 300000)) -le 128 ]
	[ $(((hot - benign) / 300000)) -ge 80 ]
}
