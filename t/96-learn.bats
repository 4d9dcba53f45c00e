#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq run with the feature profile iq-learning on real packets: what it learned
# and decided outlives being killed at any moment, and why tells it.

# shellcheck disable=SC2154 # bats sets stderr
load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	export TZ=UTC
	T=$BATS_TEST_TMPDIR STATE=$BATS_TEST_TMPDIR/state
	OUT=$T/receipts ERR=$T/messages
	# Decides in two ticks of a quarter of a second, and learns as fast.
	printf '%s\t%s\n' key value trig-pps 100 sev-cap 3 soft-at 1 hard-at 2 block-at 3 up-need 1 block-min-sev 2 \
		block-min-dur 0 cooldown 0 block-ttl 5m offence-window 24h offence-max 8 bootstrap-every1 2s autotune-min-samples 10 autotune-floor-pps 60 >"$T/fast.tsv"
}

teardown() {
	local pid
	for pid in $(pids); do kill -KILL "$pid" 2>/dev/null || true; done
	lab_down
}

# Of all that runs for this test's state.
pids() { pgrep -f -- "$STATE" || true; }
none() { [[ -z $(pids) ]]; }

start() {
	: >"$OUT"	# nothing of an earlier run is taken for this one's
	kliq run -p "$PINS" -i 0.25 -c "$T/fast.tsv" --feature-profile iq-learning --state "$STATE" --enforce >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	until_true grep -qP '\t\*\t' "$OUT"
}

stop() {
	kill -TERM "$KLIQ"
	until_true none
	wait "$KLIQ"
}

# Everything at once, in the midst of whatever it does.
kill_all() {
	sleep "0.$((RANDOM % 10))"
	# shellcheck disable=SC2046 # a list
	kill -KILL $(pids)
	until_true none
	wait "$KLIQ" || true
}

calm() { peer_send -t 90 -c "$1" -r 40 src=10.77.0.7 dst=10.77.0.2 proto=udp dport=9; }
flood() { peer_send -c 2000 -r 2000 src=10.77.0.1 dst=10.77.0.2 proto=udp dport=9; }
blocked() { kl-rule -p "$PINS" list deny | grep -qP '\t10\.77\.0\.1\t.*\tiq\t'; }
held() { awk -F'\t' '$2 == "10.77.0.1"' "$OUT"; }
last() { awk -F'\t' '$2 == "*" { t = $1 } END { print t }' "$1"; }
obs() { [[ ! -e $STATE/learn/baseline.tsv ]] || columns "$STATE/learn/baseline.tsv" src obs | awk -F'\t' '$1 == "10.77.0.7" { print $2 }'; }
# A checkpoint of more than the first frames.
known() {
	local n t
	n=$(obs) t=$(ticks)
	[[ ${n:-0} -ge 10 && ${t:-0} -ge 10 ]]
}
ticks() { [[ ! -e $STATE/learn/tune.tsv ]] || columns "$STATE/learn/tune.tsv" kind ticks | awk -F'\t' '$1 == "now" { print $2 }'; }

@test "killed at any moment: what is enforced stays, of what was learned at most 30 seconds are gone" {
	start
	calm 3600 &
	flood
	until_true blocked
	# Before anything of it was ever saved.
	kill_all
	blocked
	start
	[ "$(held | head -n 1 | cut -f 3-4)" = $'BLOCK\tBLOCK' ]
	until_true known
	kill_all
	for f in baseline tune; do
		awk -v saved="$(last "$STATE/learn/$f.tsv")" -v seen="$(last "$OUT")" 'BEGIN { exit !(saved > 0 && seen - saved <= 31) }'
	done
	[ "$(held | cut -f 3 | sort -u)" = BLOCK ]
	blocked
	was=$(obs) ticked=$(ticks)
	# Again, soon after it began.
	start
	kill_all
	[ "$(obs)" -ge "$was" ]
	start
	sleep 2
	stop
	[ ! -s "$ERR" ]
	[ "$(held | cut -f 3 | sort -u)" = BLOCK ]
	blocked
	[ "$(obs)" -ge "$was" ]
	[ "$(ticks)" -gt "$ticked" ]
	[ "$(awk -F'\t' '$1 == "trig-pps" { print ($2 < 100 && $2 >= 60) }' "$STATE/learn/triggers.tsv")" = 1 ]
	sqlite3 "$STATE/kliq.db" "select obs from source_baselines where src = '10.77.0.7'" | diff - <(obs)
	# The file is gone: the database has it, and is waited for while another one has it for itself.
	was=$(obs)
	rm "$STATE/learn/baseline.tsv"
	{ echo 'pragma locking_mode = exclusive; begin exclusive; select 1;'; sleep 1; } | sqlite3 "$STATE/kliq.db" >"$T/lock" 3>&- &
	until_true grep -q 1 "$T/lock"
	start
	[ "$(obs)" -ge "$was" ]
	stop
	[ ! -s "$ERR" ]
}

@test "a disk that does not answer: ticks and blocks go on, nothing is refused; it ends when the disk does answer" {
	: >"$T/stuck"
	chmod 666 "$T/stuck"
	LD_PRELOAD=$HELPERS/stuck KL_STUCK=$T/stuck ASAN_OPTIONS=verify_asan_link_order=0 start
	flood
	until_true blocked
	until_true test -s "$T/stuck"
	further() { [ "$(grep -cP '\t\*\t' "$OUT")" -ge $((began + 20)) ]; }
	began=$(grep -cP '\t\*\t' "$OUT")
	until_true further
	[ "$(held | tail -n 1 | cut -f 3)" = BLOCK ]
	grep -q '	10.77.0.1	BLOCK	' "$STATE/fsm/state.tsv"
	rm "$T/stuck"
	stop
	[ ! -s "$ERR" ]
}

@test "why tells what was learned for all and of the source, its offences and what makes it exempt" {
	start
	calm 600
	flood
	until_true blocked
	stop
	own=$(columns "$STATE/learn/baseline.tsv" src base_pps | awk -F'\t' '$1 == "10.77.0.7" { print $2 + 0 }')
	tuned=$(awk -F'\t' '$1 == "trig-pps" { print $2 + 0 }' "$STATE/learn/triggers.tsv")
	[ "$tuned" != 100 ]
	kliq exempt add 10.77.0.0/29 --owner ops --reason office --for 1h -n --state "$STATE"
	kliq exempt sync -n --state "$STATE"
	about() { kliq why -p "$PINS" --state "$STATE" "$1" >"$T/why"; }
	calm 80 &
	sender=$!
	about 10.77.0.7
	wait "$sender"
	grep -qP "^learned +pps $tuned  syn [0-9.]+  scan 20  \(given: pps 100  syn 250  scan 20\)$" "$T/why"
	grep -qP "^normal +pps [34][0-9.]+  .* \(\d+ rows since \d{4}-" "$T/why"
	grep -qP "^own +pps $own  .*\(counts where it is more\)$" "$T/why"
	# The larger of the two is what counts.
	grep -qP "^pps .*/s  trigger $(printf '%s\n' "$own" "$tuned" | sort -g | tail -n 1) " "$T/why"
	grep -qP '^exempt +10\.77\.0\.0/29 \(whitelist\), ends [0-9-]+ [0-9:]+, owner ops: office$' "$T/why"
	run ! grep -q '^offences' "$T/why"
	about 10.77.0.1
	grep -qP '^offences +1 ' "$T/why"
	grep -q '^exempt ' "$T/why"
	about 10.77.0.9
	run ! grep -q '^exempt ' "$T/why"
	grep -q '^learned ' "$T/why"
	run ! grep -q '^own ' "$T/why"
	# It only looked.
	[ "$(columns "$STATE/learn/baseline.tsv" src base_pps | awk -F'\t' '$1 == "10.77.0.7" { print $2 + 0 }')" = "$own" ]
	# Where nothing is learned any more, what was learned is not said.
	kliq tick -p "$PINS" -c "$T/fast.tsv" --state "$STATE" >/dev/null
	about 10.77.0.7
	run ! grep -qE '^(learned|normal|own) ' "$T/why"
}
