#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What breaks around a running instance: a full disk, stages that are killed,
# pins that are taken away, a wall clock set by a day, an interface that goes
# and comes, two kl-apply at once, a settings file half written. Each time: the
# documented status, one line, and nothing lost that was there.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # inner shells and awk expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	T=$BATS_TEST_TMPDIR
	SHIFTED=(env LD_PRELOAD="$HELPERS/clock" KL_CLOCK="$T/clock" ASAN_OPTIONS=verify_asan_link_order=0)
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 in0 >/dev/null
}

teardown() {
	local pid
	for pid in "${STAGES[@]-}"; do
		[[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
	done
	! mountpoint -q "$T/disk" || umount "$T/disk"
	lab_down
}

rule() { kl-rule -p "$PINS" "$@"; }
rules() { rule list "$@" | awk -F'\t' '$1 != "time" && $3 != "*" { print $2, $3, $7 }'; }
flood() { peer_send -c "${2-200}" src="$1" dst=10.77.0.2 proto=udp dport=9; }
passes() { got "$1" flood "$1" 20; }
export -f flood

lines_beyond() { [ "$(wc -l <"$1")" -gt "$2" ]; }

# fails STATUS MESSAGE COMMAND...: one line on stderr.
fails() {
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ] || { echo "status $status: $stderr"; return 1; }
	diff <(echo "$stderr") <(echo "$line")
}

# A disk of SIZE at $T/disk; fill takes all there is left of it.
disk() {
	mkdir "$T/disk"
	mount -t tmpfs -o size="$1" disk "$T/disk"
}
fill() { ! cat /dev/zero >"$T/disk/filler" 2>/dev/null; }

# Score frames of one source, as kl-fsm needs them: tick TIME SEV
header() { printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n'; }
tick() {
	[[ $2 == - ]] || printf '%s.000\t1.000\t%s\t0\t%s\tpps\n' "$1" "${3-10.77.0.9}" "$2"
	printf '%s.000\t1.000\t*\t0\t-\t-\n' "$1"
}

# The wall clock of commands run by shifted is off by as many seconds as $T/clock says at that moment.
shifted() { "${SHIFTED[@]}" "$@"; }
DAY=86400

# ---- a full disk ----

@test "full disk: kl-fsm tells no level it could not keep, and goes on from what it kept" {
	disk 256k
	local state=$T/disk/state
	{ header; tick 1001 3; tick 1002 3; } | kl-fsm -s "$state" >"$T/first"
	grep -q RATE_HARD "$T/first"
	cp "$state" "$T/control"
	fill
	{ header; tick 1003 3; tick 1004 3; tick 1005 3; tick 1008 3; tick 1009 3; } >"$T/in"
	fails 4 "kl-fsm: cannot write '$state': No space left on device" kl-fsm -s "$state" "$T/in"
	[[ $output != *BLOCK* ]]
	cmp "$state" "$T/control"
	diff <(find "$T/disk" -type f -printf '%f\n' | sort) <(printf '%s\n' filler state)
	rm "$T/disk/filler"
	kl-fsm -s "$state" "$T/in" >"$T/got"
	kl-fsm -s "$T/control" "$T/in" >"$T/want"
	grep -q BLOCK "$T/want"
	cmp "$T/got" "$T/want"
	cmp "$state" "$T/control"
}

@test "full disk: no snapshot is lost, and the next tick counts from the last one that was kept" {
	disk 256k
	kl-set -p "$PINS" flows on
	local c
	for c in src flow total; do
		kl-dump-$c -p "$PINS" -s "$T/disk/$c" >/dev/null
	done
	flood 10.77.0.9 30
	cp -a "$T/disk" "$T/before"
	fill
	for c in src flow total; do
		fails 4 "kl-dump-$c: cannot write '$T/disk/$c': No space left on device" \
			kl-dump-$c -p "$PINS" -s "$T/disk/$c"
		# Its frame was whole and told all the same.
		[ "$(columns /dev/stdin src pkts <<<"$output" | tail -n 1)" = $'*\t30' ]
		cmp "$T/disk/$c" "$T/before/$c"
	done
	rm "$T/disk/filler"
	[ "$(find "$T/disk" -type f | wc -l)" -eq 3 ]
	flood 10.77.0.9 12
	for c in src flow total; do
		kl-dump-$c -p "$PINS" -s "$T/disk/$c" >"$T/frame"
		[ "$(columns "$T/frame" src pkts | tail -n 1)" = $'*\t42' ]
		kl-dump-$c -p "$PINS" -s "$T/disk/$c" >"$T/frame"
		[ "$(columns "$T/frame" src pkts | tail -n 1)" = $'*\t0' ]
	done
}

@test "full disk: what kl-apply did stays done when its receipts find no room; so do rules that are listed" {
	disk 64k
	fill
	wants() {
		local now
		now=$(date +%s).000
		printf 'time\tsrc\tlevel\tsince\tuntil\n%s\t10.77.0.9\tBLOCK\t%s\t-\n%s\t*\t-\t-\t-\n' "$now" "$now" "$now"
	}
	wants >"$T/in"
	fails 4 "kl-apply: cannot write stdout: No space left on device" \
		bash -c 'kl-apply -p "$1" "$2" >"$3"' bash "$PINS" "$T/in" "$T/disk/receipts"
	[ "$(rules)" = "deny 10.77.0.9 iq" ]
	[ "$(passes 10.77.0.9)" -eq 0 ]
	fails 4 "kl-rule: cannot write stdout: No space left on device" \
		bash -c 'kl-rule -p "$1" list >"$2"' bash "$PINS" "$T/disk/rules"
	[ "$(rules)" = "deny 10.77.0.9 iq" ]
}

# ---- stages that are killed ----

# The four stages, each with a process of its own in STAGES; levels end after TTL seconds.
pipeline() { # TTL
	printf '%s\t%s\n' key value trig-pps 50 sev-cap 3 soft-at 1 hard-at 2 block-at 3 up-need 1 down-need 1 \
		block-min-sev 2 block-min-dur 0 cooldown 0 min-hold-hard 0 block-ttl "$1" >"$T/conf"
	rm -f "$T"/pipe-*
	mkfifo "$T/pipe-src" "$T/pipe-score" "$T/pipe-level"
	"${SHIFTED[@]}" kl-dump-src -p "$PINS" -i 0.25 -n 0 >"$T/pipe-src" 2>"$T/err-src" 3>&- &
	STAGES=($!)
	kl-score -c "$T/conf" <"$T/pipe-src" >"$T/pipe-score" 2>"$T/err-score" 3>&- &
	STAGES+=($!)
	kl-fsm -c "$T/conf" -s "$T/state" <"$T/pipe-score" >"$T/pipe-level" 2>"$T/err-fsm" 3>&- &
	STAGES+=($!)
	"${SHIFTED[@]}" kl-apply -c "$T/conf" -p "$PINS" --sync <"$T/pipe-level" >"$T/receipts" 2>"$T/err-apply" 3>&- &
	STAGES+=($!)
	until_true frames 2
}
frames() { [ "$(grep -cP '\t\*\t' "$T/receipts")" -ge "$1" ]; }
more_frames() { until_true frames $(($(grep -cP '\t\*\t' "$T/receipts") + ${1-2})); }
blocked() { [[ $(rules deny) == "deny 10.77.0.9 iq" ]]; }
denied() { rules deny | grep -qx "deny $1 iq"; }
free() { [[ -z $(rules deny) ]]; }
gone() {
	local pid
	for pid in "${STAGES[@]}"; do ! kill -0 "$pid" 2>/dev/null || return 1; done
}
# The statuses of the stages, of those that were killed or lost their reader as bash has them.
statuses() {
	local pid status all=()
	for pid in "${STAGES[@]}"; do
		status=0
		wait "$pid" || status=$?
		all+=("$status")
	done
	STAGES=()
	echo "${all[*]}"
}

@test "killed stages: whichever it was, the others end, the block stays and ends in the kernel by itself" {
	local i
	for i in 0 1 2 3 4; do		# 4: all of them
		rm -f "$T/state"
		pipeline 6s
		flood 10.77.0.9
		until_true blocked
		if [[ $i == 4 ]]; then
			kill -KILL "${STAGES[@]}"
		else
			kill -KILL "${STAGES[i]}"
		fi
		[ "$(passes 10.77.0.9)" -eq 0 ]
		until_true gone
		statuses >"$T/statuses"
		# Before it: ended by SIGPIPE. Behind it: at the end of their input, which may have come
		# within a frame.
		awk -v killed="$i" '{
			for (j = 1; j <= 4; j++)
				if (killed == 4 ? $j != 137 && $j != 141 && $j != 0 && $j != 3 : j - 1 == killed ? $j != 137 : j - 1 < killed ? $j != 141 : $j != 0 && $j != 3)
					bad = 1
			if (bad)
				print "killed " killed ": " $0
			exit bad
		}' "$T/statuses"
		run ! grep -vE '^kl-[a-z]+: stdin:[0-9]+: frame [0-9.]+ ended without its star row$' "$T"/err-*
		# Nobody is left to lift it: the entry has its own end.
		until_true free
		[ "$(passes 10.77.0.9)" -eq 20 ]
	done
}

# ---- pins that are taken away ----

@test "pins removed under running readers: each ends with one line, for none of them silence is quiet" {
	local c pids=()
	kl-set -p "$PINS" flows on
	kl-set -p "$PINS" sample 1
	for c in src flow total; do
		kl-dump-$c -p "$PINS" -i 0.1 -n 0 >"$T/out-$c" 2>"$T/err-$c" 3>&- &
		pids+=("$!")
	done
	kl-events -p "$PINS" -n 0 >"$T/out-events" 2>"$T/err-events" 3>&- &
	pids+=("$!")
	STAGES=("${pids[@]}")
	for c in src flow total events; do
		until_true grep -qP '\t\*\t' "$T/out-$c"
	done
	rm "$PINS/kernloom_deny4_hash"
	until_true gone
	[ "$(statuses)" = "4 4 4 4" ]
	for c in src flow total; do
		diff "$T/err-$c" <(echo "kl-dump-$c: lost '$PINS': kernloom_deny4_hash: No such file or directory")
	done
	diff "$T/err-events" <(echo "kl-events: lost '$PINS': kernloom_deny4_hash: No such file or directory")
	# Whole frames all the same.
	for c in src flow total events; do
		grep -qP '\t\*\t' <(tail -n 1 "$T/out-$c")
	done
}

@test "another instance in the place of the one that is read: told, not taken for a quiet network" {
	kl-dump-src -p "$PINS" -i 0.1 -n 0 >"$T/out" 2>"$T/err" 3>&- &
	STAGES=($!)
	until_true grep -qP '\t\*\t' "$T/out"
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	until_true gone
	[ "$(statuses)" = 4 ]
	grep -qxE "kl-dump-src: lost '$PINS': kernloom_[a-z0-9_]+: (Stale file handle|No such file or directory)" "$T/err"
	[ "$(wc -l <"$T/err")" -eq 1 ]
}

@test "every pin gone: the packet path still enforces, the pipeline ends, and a new instance begins well" {
	pipeline 60s
	rule add deny 10.77.0.7
	find "$PINS" -type f -name 'kernloom_*' ! -name '*_link' -delete
	[ "$(passes 10.77.0.7)" -eq 0 ]
	until_true gone
	statuses >/dev/null
	grep -hE '^kl-(dump-src|apply): lost ' "$T"/err-* >"$T/lost"
	grep -qF "lost '$PINS': kernloom_" "$T/lost"
	fails 4 "kl-rule: cannot open '$PINS': nothing is attached there (kl-attach IFACE)" rule list
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	[ "$(passes 10.77.0.7)" -eq 20 ]
}

# ---- a wall clock that is set ----

# frame_of FILE: dt, and how far its time is from the real one, in whole days.
frame_of() {
	awk -F'\t' -v now="$(date +%s)" 'END {
		dt = $2 >= 0.2 && $2 < 60 ? "well" : "dt=" $2
		days = ($1 - now) / 86400
		printf "%s %d\n", dt, days + (days > 0 ? 0.5 : -0.5)
	}' "$1"
}

@test "clock set by a day, either way, between ticks of cron: no rate is wrong, nothing is lost" {
	local c step n=0
	kl-set -p "$PINS" flows on
	for c in src flow total; do
		shifted kl-dump-$c -p "$PINS" -s "$T/$c" >/dev/null
	done
	for step in $DAY -$DAY 0; do
		n=$((n + 10))
		flood 10.77.0.9 $n
		sleep 0.3
		echo "$step" >"$T/clock"
		for c in src flow total; do
			shifted kl-dump-$c -p "$PINS" -s "$T/$c" >"$T/frame"
			[ "$(frame_of "$T/frame")" = "well $((step / DAY))" ]
			[ "$(columns "$T/frame" src pkts | tail -n 1)" = "*	$n" ]
		done
	done
}

@test "snapshots of another instance: counted since that one began, of which the new one knows" {
	local c
	kl-set -p "$PINS" flows on
	for c in src flow total; do kl-dump-$c -p "$PINS" -s "$T/$c" >/dev/null; done
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 in0 >/dev/null
	kl-set -p "$PINS" flows on
	flood 10.77.0.9 10
	sleep 0.3
	for c in src flow total; do
		# As if taken before the machine went down, and after a longer time than it runs now.
		sed "2,\$s/^[0-9.]*/99999999999.000/" "$T/$c" >"$T/late"
		for snapshot in "$T/$c" "$T/late"; do
			kl-dump-$c -p "$PINS" -s "$snapshot" >"$T/frame"
			[ "$(frame_of "$T/frame")" = "well 0" ]
			[ "$(columns "$T/frame" src pkts | tail -n 1)" = "*	10" ]
		done
	done
}

@test "clock set while a stream runs: every dt is its tick's, every packet in one of them" {
	local step
	"${SHIFTED[@]}" kl-dump-src -p "$PINS" -i 0.25 -n 0 >"$T/out" 2>"$T/err" 3>&- &
	STAGES=($!)
	until_true lines_beyond "$T/out" 1
	for step in 0 $DAY -$DAY; do
		echo "$step" >"$T/clock"
		flood 10.77.0.9 50
		until_true lines_beyond "$T/out" $(($(wc -l <"$T/out") + 2))
	done
	kill "${STAGES[0]}"
	statuses >/dev/null
	[ ! -s "$T/err" ]
	awk -F'\t' 'NR > 1 && ($2 < 0.2 || $2 > 30) { print; bad = 1 }
		$3 == "*" { n += $4; if (was) { if ($1 - was > 80000) up++; if (was - $1 > 160000) down++ } was = $1 }
		END { exit bad || n != 150 || up != 1 || down != 1 }' "$T/out"
}

# trace STEP: the same ticks, those from the sixth on by a clock that was set by STEP seconds while no
# time went by: trouble, its end, and trouble anew.
trace() {
	local i sev t=200000
	header
	for ((i = 1; i <= 700; i++)); do
		case $i in
		[1-5]) sev=3 ;;
		6[5-9][0-9]) sev=3 ;;
		*) sev=- ;;
		esac
		[[ $i == 6 ]] || t=$((t + 1))
		tick $((i < 6 ? t : t + $1)) $sev
	done
}
# back SECONDS: level frames from the sixth on as by a clock that is so much later.
back() {
	awk -F'\t' -v OFS='\t' -v by="$1" '
		function later(x) { return x == "-" ? x : sprintf("%.3f", x + by) }
		n >= 5 { $1 = later($1); if ($2 != "*") { $5 = later($5); $6 = later($6) } }
		{ print }
		$2 == "*" { n++ }'
}

@test "clock set back by a day: kl-fsm ends what it began when it was to end, in one run and over a restart" {
	local opts=(--block-min-dur 0 --up-need 1 --cooldown 2s --block-ttl 100s --hard-ttl 50s --soft-ttl 50s)
	trace 0 >"$T/in"
	trace -$DAY >"$T/set"
	kl-fsm "${opts[@]}" "$T/in" >"$T/want"
	diff <(awk -F'\t' '$1 != "time" && $3 != $4 { print $1 - 200000, $4, $3 }' "$T/want") - <<-'END'
		1 OBSERVE RATE_SOFT
		4 RATE_SOFT BLOCK
		104 BLOCK OBSERVE
		649 OBSERVE RATE_SOFT
		652 RATE_SOFT BLOCK
	END
	kl-fsm "${opts[@]}" "$T/set" | back $DAY | diff - "$T/want"
	# Killed and begun anew just when the clock is set, by less than --state-ttl.
	trace -1800 >"$T/set"
	head -n 11 "$T/set" | kl-fsm "${opts[@]}" -s "$T/state" >"$T/got"
	[ "$(tail -n 1 "$T/got" | cut -f 1,2)" = $'200005.000\t*' ]
	{ header; tail -n +12 "$T/set"; } | kl-fsm "${opts[@]}" -s "$T/state" | tail -n +2 >>"$T/got"
	back 1800 <"$T/got" | diff - "$T/want"
}

@test "clock set back by a day: violations that wait by the old clock do not stop those by the new one" {
	mkfifo "$T/violations" "$T/in"
	exec 6<>"$T/violations"
	kl-fsm --violations "$T/violations" <"$T/in" >"$T/out" 2>"$T/err" 3>&- 6>&- &
	STAGES=($!)
	exec 5>"$T/in"
	violation() { printf '%s.000\t%s\t%s\t50\t-\t0\n%s.000\t*\t-\t-\t-\t-\n' "$1" "$2" "$3" "$1"; }
	{ header; tick 200001 -; } >&5
	{ printf 'time\tsrc\tkind\tscore\tstrikes\tforce\n'; violation 200009 10.1.1.1 waits; } >&6
	tick 200002 - >&5
	until_true grep -q '^200002' "$T/out"
	run ! grep -q 10.1.1.1 "$T/out"
	violation $((200003 - DAY)) 10.2.2.2 new >&6
	tick $((200004 - DAY)) - >&5
	exec 5>&- 6>&-
	until_true gone
	[ "$(statuses)" = 0 ]
	[ ! -s "$T/err" ]
	diff <(awk -F'\t' '$2 ~ /^10/ { print $1, $2, $7, $9 }' "$T/out" | sort) \
		<(printf '%s\n' "$((200004 - DAY)).000 10.1.1.1 1 waits" "$((200004 - DAY)).000 10.2.2.2 1 new")
}

@test "clock set under a running pipeline: at most a frame is refused, blocks hold and end, new ones come" {
	local step i=0
	for step in $DAY -$DAY; do
		i=$((i + 1))
		rm -f "$T/state" "$T/clock"
		pipeline 10s
		flood 10.77.0.9
		until_true blocked
		echo "$step" >"$T/clock"
		# By the new clock the next attacker is found, and let go when his time is over.
		more_frames
		flood 10.77.0.9
		until_true blocked
		more_frames 4
		[[ $step -gt 0 ]] || blocked
		until_true free
		kill "${STAGES[0]}"
		until_true gone
		[[ $(statuses) =~ ^143\ 0\ 0\ [01]$ ]]
		[ "$(cat "$T"/err-* | wc -l)" -le 1 ]
		run ! grep -vhE '^kl-apply: frame [0-9.]+ refused: [0-9.]+ s (old|in the future) \(--max-age\)$' "$T"/err-*
	done
}

@test "clock set: what a rule has left is what the kernel gives it" {
	local step
	for step in $DAY -$DAY; do
		echo "$step" >"$T/clock"
		shifted kl-rule -p "$PINS" add deny 10.77.0.9 --ttl 60s
		shifted kl-rule -p "$PINS" list deny |
			awk -F'\t' '$3 == "10.77.0.9" { left = $6 - $1 } END { exit !(left > 30 && left <= 60) }'
		rm "$T/clock"
		shifted kl-rule -p "$PINS" list deny |
			awk -F'\t' '$3 == "10.77.0.9" { left = $6 - $1 } END { exit !(left > 30 && left <= 60) }'
	done
}

# ---- an interface that goes and comes ----

@test "an interface deleted and made again under a running pipeline: it goes on, and attached again enforces" {
	pipeline 60s
	rule add deny 10.77.0.7
	ip -n "$HERE" link del in0
	more_frames 3
	[[ $(in_here kl-attach -p "$PINS" --status | sed -n 2p) == -$'\t'* ]]
	ip -n "$PEER" link add out0 address 02:00:00:00:00:0a type veth \
		peer name in0 address 02:00:00:00:00:0b netns "$HERE"
	ip -n "$PEER" link set out0 up
	ip -n "$HERE" link set in0 up
	[ "$(passes 10.77.0.7)" -eq 20 ]	# nothing is on the new one yet
	in_here kl-attach -p "$PINS" in0 >"$T/attached"
	[[ $(tail -n 1 "$T/attached") == in0$'\tnative\t'* ]]
	[ "$(passes 10.77.0.7)" -eq 0 ]
	flood 10.77.0.9
	until_true denied 10.77.0.9
	[ "$(passes 10.77.0.9)" -eq 0 ]
	kill "${STAGES[0]}"
	until_true gone
	[ "$(statuses)" = "143 0 0 0" ]
	[ "$(cat "$T"/err-*)" = "" ]
}

# ---- two at once ----

@test "two kl-apply at once on the same frames: each entry once, nobody fails; killed, its lock is free" {
	local who i
	levels() { # FRAMES: of 300 sources, a frame each 50 ms
		printf 'time\tsrc\tlevel\tsince\tuntil\n'
		for ((i = 0; i < $1; i++)); do
			awk -v t="$(date +%s.%3N)" -v level="$([[ $((i % 2)) == 0 ]] && echo BLOCK || echo RATE_HARD)" 'BEGIN {
				for (i = 0; i < 300; i++) printf "%s\t10.1.%d.%d\t%s\t%s\t-\n", t, i / 100, i % 100, level, t
				printf "%s\t*\t-\t-\t-\n", t }'
			sleep 0.05
		done
	}
	for who in 1 2; do
		levels 21 | kl-apply -p "$PINS" --sync >"$T/out$who" 2>"$T/err$who" 3>&- &
		pids[who]=$!
	done
	wait "${pids[1]}"
	wait "${pids[2]}"
	[ ! -s "$T/err1" ]
	[ ! -s "$T/err2" ]
	[ "$(awk -F'\t' '$2 ~ /^10/ { print $7 }' "$T"/out[12] | sort | uniq -c | tr -s ' ')" = " 12600 ok" ]
	# Whoever came last wanted BLOCK.
	diff <(rules) <(for i in {0..2}; do for j in {0..99}; do echo "deny 10.1.$i.$j iq"; done; done)
	levels 1000 | kl-apply -p "$PINS" --sync >"$T/out1" 3>&- &
	STAGES=($!)
	until_true grep -qP '\t\*\t' "$T/out1"
	kill -KILL "${STAGES[0]}"
	levels 1 | bounded 20 kl-apply -p "$PINS" --sync >"$T/out2"
	[ "$(rules | wc -l)" -eq 300 ]
	statuses >/dev/null
}

# ---- half a settings file ----

@test "a settings file cut anywhere but behind a line: refused with its line, nothing is done by half of a value" {
	local n size c
	printf '%s\t%s\n' key value cooldown 12s max-strikes 48 trig-pps 5000 soft-rate 80 >"$T/whole"
	size=$(stat -c %s "$T/whole")
	{ header; tick 1001 3; } >"$T/score"
	for ((n = 0; n < size; n++)); do
		head -c "$n" "$T/whole" >"$T/conf"
		run --separate-stderr kl-fsm -c "$T/conf" "$T/score"
		if [[ $n -gt 0 && -z $(tail -c 1 "$T/conf") ]]; then
			[ "$status" -eq 0 ]
			[ "$stderr" = "" ]
		else
			[ "$status" -eq 2 ]
			[ "$output" = "" ]
			[ "${#stderr_lines[@]}" -eq 1 ]
			[[ $stderr == "kl-fsm: $T/conf:"* ]]
		fi
	done
	head -c $((size - 2)) "$T/whole" >"$T/conf"
	for c in kl-score kl-fsm "kl-apply -p $PINS"; do
		# shellcheck disable=SC2086 # words
		fails 2 "${c%% *}: $T/conf:5: the last line does not end with a newline" $c -c "$T/conf" "$T/score"
	done
	for c in "run --enforce --state $T/kliq" "tick --enforce --state $T/kliq" "replay"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr kliq $c -p "$PINS" -c "$T/conf"
		[ "$status" -eq 2 ]
		[ "$output" = "" ]
	done
	[ "$(rules)" = "" ]
}
