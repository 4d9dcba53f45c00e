#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm -s | kl-apply --sync, killed and begun anew: nobody is released by that.

# shellcheck disable=SC2154 # bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	exec 5>&- || true
	lab_down
}

# frame SECONDS FROM TO SEV: of the sources from 10.1.0.0 + FROM up to TO, a while after the test began.
frame() {
	awk -v t=$((BEGAN + $1)) -v from="$2" -v to="$3" -v sev="$4" 'BEGIN {
		for (i = from; i < to; i++)
			printf "%d.000\t1.000\t10.1.%d.%d\t0\t%s\tpps\n", t, i / 256, i % 256, sev
		printf "%d.000\t1.000\t*\t0\t-\t-\n", t }'
}
head_of() { printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n'; }
# In a process of its own, to be killed as the stage it is.
tell() { exec kl-fsm -s state --up-need 0 --soft-at 3 --hard-at 3 --block-at 3 --block-min-sev 0; }
act() { exec kl-apply -p "$PINS" --sync --max-new-blocks 20000 --max-age 10m; }
denied() { kl-rule -p "$PINS" list deny | awk -F'\t' '$2 == "deny" && $3 != "*" { print $3 }' | sort; }

# frames N FILE: waits for N finished frames in FILE.
has() { [[ $(grep -c $'\t\*\t' "$2") -ge $1 ]]; }
frames() { ERR=$2.err until_true has "$@"; }

@test "what was decided a moment before a kill is kept by the restart, of 10,000 sources too" {
	BEGAN=$(date +%s)
	mkfifo in levels
	tell <in >levels 2>fsm.err &
	local fsm=$!
	act <levels >out 2>out.err &
	local apply=$!
	exec 5>in
	{ head_of; frame 0 0 10001 3; } >&5
	frames 1 out
	frame 1 10001 10050 3 >&5
	frames 2 out
	kill -KILL "$fsm" "$apply"
	wait "$fsm" "$apply" || true
	exec 5>&-
	[ ! -s fsm.err ]
	[ ! -s out.err ]
	denied >before
	[ "$(wc -l <before)" -eq 10050 ]

	{ head_of; frame 2 0 0 0; frame 3 20000 20001 3; } | tell 2>fsm.err | act >again 2>again.err
	[ ! -s fsm.err ]
	[ ! -s again.err ]
	# Of all that the two frames brought, one new source was something to do.
	[ "$(awk -F'\t' '$1 != "time" && $2 != "*" { n[$3 " " $4]++ } END { for (k in n) print k, n[k] }' again | sort)" \
		= $'BLOCK BLOCK 20100\nBLOCK OBSERVE 1' ]
	diff <(denied) <({ cat before; echo 10.1.78.32; } | sort)
}
