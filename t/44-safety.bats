#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What lets default-deny be switched on from afar: trials that the packet path
# takes back by itself, the dead-man switch, and whom kl-set asks about first.

# shellcheck disable=SC2016,SC2154 # inner shells and awk expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 in0 >/dev/null
	T=$BATS_TEST_TMPDIR
}

teardown() {
	exec 7>&- || true
	lab_down
}

set_() { in_here kl-set -p "$PINS" "$@"; }
rule() { in_here kl-rule -p "$PINS" "$@"; }
value() { set_ | awk -F'\t' -v key="$1" '$1 == key { print $2 }'; }

# says STATUS MESSAGE COMMAND...: nothing on stdout, these lines on stderr.
says() {
	local want=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	diff <(echo "$stderr") <(awk 'NF { print "kl-set: " $0; next } 1' <<<"$text")
	[ "$status" -eq "$want" ]
	[ "$output" = "" ]
}

# quiet COMMAND...: done, and nothing said.
quiet() { says 0 "" "$@"; }

# passes SOURCE [N]: how many of N packets reach the host.
passes() {
	local dst=10.77.0.2
	[[ $1 != *:* ]] || dst=fd77::2
	got "$1" peer_send -c "${2-20}" src="$1" dst=$dst proto=udp dport=9
}

# bits: the features as they are written down, whatever is in force.
bits() {
	bpftool -j map dump pinned "$PINS/kernloom_cfg" |
		jq '.[0].value[8:12] | map(.[2:]) | reverse | join("")' -r | { read -r hex && echo $((16#$hex)); }
}

# lapsed: waits for the trial's end without writing anything.
is_lapsed() { [ "$(value trial)" = lapsed ]; }
lapsed() { until_true is_lapsed; }

# tries SETTING...: a shell of a session of its own sets that on trial for 6 s
# and is killed with all it began.
tries() {
	rm -f "$T/said"
	in_here setsid --fork bash -c '
		kl-set -p "$1" --force --confirm 6 "${@:3}" 2>"$2"
		echo "status $?, group $$" >>"$2"
		exec sleep 60' bash "$PINS" "$T/said" "$@" 3>&-
	until_true grep -qs group "$T/said"
	kill -KILL -- "-$(sed -n 's/.*group //p' "$T/said")"
	diff <(sed 's/, group.*//' "$T/said") <(
		printf '%s\n' "kl-set: reverts in 6 s unless: kl-set -p $PINS confirm" "status 0")
}

# both SOURCE SOURCE: how many of 20 packets each pass.
both() { echo "$(passes "$1") $(passes "$2")"; }

# ---- trials ----

@test "a trial of enforce-allow ends by itself although whoever began it was killed" {
	tries enforce-allow on
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
	[ "$(value enforce-allow)" = on ]
	lapsed
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ "$(value enforce-allow)" = off ]
	[ $(($(bits) & 1)) -eq 1 ]			# nobody wrote it off: the packet path went back
	set_ sample 0
	[ $(($(bits) & 1)) -eq 0 ]
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
}

@test "a trial of edge-mode ends by itself: from deny to allow and back to deny" {
	rule add edge-deny 10.77.0.8 9/udp
	rule add edge-deny fd77::8 9/udp
	set_ edge-mode deny
	tries edge-mode allow
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
	[ "$(value edge-mode)" = allow ]
	lapsed
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ "$(both 10.77.0.8 fd77::8)" = "0 0" ]
	[ "$(value edge-mode)" = deny ]
	set_ sample 0
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ "$(both 10.77.0.8 fd77::8)" = "0 0" ]
	[ "$(value edge-mode)" = deny ]
}

@test "a trial of default-limit ends by itself: the old rate is back exactly" {
	set_ default-limit 1/12
	tries default-limit 1/3
	[ "$(value default-limit)" = 1/3 ]
	[ "$(passes 10.77.0.9)" -le 6 ]
	[ "$(passes fd77::9)" -le 6 ]
	lapsed
	[ "$(value default-limit)" = 1/12 ]
	for unsettled in yes no; do
		for src in 10.77.0.1 fd77::1; do
			[ $unsettled = yes ] || src=${src}0
			n=$(passes $src)
			echo "$src: $n"
			[ "$n" -ge 11 ]
			[ "$n" -le 15 ]
		done
		set_ sample 0
	done
	[ "$(value default-limit)" = 1/12 ]
	set_ default-limit off
	tries default-limit 1/3
	lapsed
	[ "$(value default-limit)" = off ]
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
}

@test "a trial of src6-prefix ends by itself: sources are told apart again" {
	set_ default-limit 1/12
	tries src6-prefix 64
	[ "$(value src6-prefix)" = 64 ]
	[ "$(passes fd77::a:1)" -ge 11 ]
	[ "$(passes fd77::a:2)" -le 5 ]
	lapsed
	[ "$(value src6-prefix)" = 128 ]
	[ "$(passes fd77::b:1)" -ge 11 ]
	[ "$(passes fd77::b:2)" -ge 11 ]
}

@test "confirmed in time it stays; confirmed late, or without a trial: status 1" {
	says 1 "nothing to confirm: no trial is under way" set_ confirm
	says 0 "reverts in 3 s unless: kl-set -p $PINS confirm" set_ -f --confirm 3 enforce-allow on
	[[ $(value trial) == [123] ]]
	quiet set_ confirm
	[ "$(value trial)" = - ]
	says 1 "nothing to confirm: no trial is under way" set_ confirm
	sleep 3.2
	[ "$(value enforce-allow)" = on ]
	[ "$(passes 10.77.0.9)" -eq 0 ]
	says 0 "reverts in 1 s unless: kl-set -p $PINS confirm" set_ --confirm 1000ms enforce-allow off
	lapsed
	for _ in unsettled settled; do
		says 1 "too late: the trial ran out, and what was before it is set again" set_ confirm
		[ "$(value enforce-allow)" = on ]
		[ "$(value trial)" = lapsed ]
	done
	set_ --confirm 1h enforce-allow off 2>/dev/null
	[[ $(value trial) == 3[56]?? ]]
}

@test "what is changed during a trial takes part in it; --confirm sets its end anew" {
	set_ default-limit 100/200
	says 0 "reverts in 100 s unless: kl-set -p $PINS confirm" set_ --confirm 100 default-limit 5/5
	run --separate-stderr set_ --force enforce-allow on
	[ "$status" -eq 0 ]
	[[ $stderr =~ ^kl-set:\ reverts\ in\ [0-9]+\ s\ unless:\ kl-set\ -p\ $PINS\ confirm$ ]]
	quiet set_ sample 3			# what no trial takes back is set for good
	says 0 "reverts in 1 s unless: kl-set -p $PINS confirm" set_ --confirm 1s default-limit off
	lapsed
	[ "$(value default-limit)" = 100/200 ]
	[ "$(value enforce-allow)" = off ]
	[ "$(value sample)" = 3 ]
	set_ src6-prefix 64
	[ "$(value default-limit)" = 100/200 ]
	[ "$(value enforce-allow)" = off ]
	[ "$(value src6-prefix)" = 64 ]
}

@test "a trial outlives kl-attach; kl-apply and kl-rule write off one that ran out" {
	says 0 "reverts in 2 s unless: kl-set -p $PINS confirm" set_ -f --confirm 2 enforce-allow on
	in_here kl-attach -p "$PINS" in0 >/dev/null
	lapsed
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ $(($(bits) & 1)) -eq 1 ]
	header | kl-apply -p "$PINS" -n >/dev/null
	[ $(($(bits) & 1)) -eq 1 ]
	frame 0 "*" - | kl-apply -p "$PINS" >/dev/null
	[ $(($(bits) & 1)) -eq 0 ]
	set_ -f --confirm 1 enforce-allow on 2>/dev/null
	lapsed
	rule add deny 192.0.2.1
	[ $(($(bits) & 1)) -eq 0 ]
}

# ---- the dead-man switch ----

header() { printf 'time\tsrc\tlevel\tfrom\tsince\tuntil\tstrikes\tsev\twhy\n'; }

# frame OFFSET SRC LEVEL ...: a frame of these rows, OFFSET seconds from now, held for a minute.
frame() {
	local t end
	t=$(awk -v now="$(date +%s.%3N)" -v off="$1" 'BEGIN { printf "%.3f", now + off }')
	end=$(awk -v t="$t" 'BEGIN { printf "%.3f", t + 60 }')
	shift
	[[ -n ${bare-} ]] || header
	while [[ $1 != \* ]]; do
		printf '%s\t%s\t%s\tOBSERVE\t%s\t%s\t3\t1.000000\tpps\n' "$t" "$1" "$2" "$t" "$end"
		shift 2
	done
	printf '%s\t*\t-\t-\t-\t-\t-\t-\t-\n' "$t"
}

# A kl-apply that lives on: frames come through descriptor 7.
stream() {
	rm -f "$T/fifo"
	mkfifo "$T/fifo"
	kl-apply -p "$PINS" <"$T/fifo" >"$T/out" 2>"$T/err" &
	STREAM=$!
	exec 7>"$T/fifo"
	header >&7
}

# feed N ROW...: a frame, and the answer to it, the N-th.
feed() {
	bare=yes frame 0 "${@:2}" "*" >&7
	until_true answers "$1"
}
answers() { [ "$(grep -cP '\t\*\t' "$T/out")" -ge "$1" ]; }

# falls MODE: waits until it did.
is_fallen() { [ "$(value fallen)" = "$1" ]; }
falls() { until_true is_fallen "$1"; }

# Counters of a second in which a packet comes: how many met a fallen switch.
met() {
	kl-dump-total -p "$PINS" -i 2 -n 1 >"$T/total" &
	local pid=$!
	until_true test -s "$T/total"
	sleep 0.2	# and its notes are taken
	passes 10.77.0.50 3 >/dev/null
	wait "$pid"
	columns "$T/total" fallen | tail -n 1
}

# The world of these tests: who is denied by kl-apply, denied by the operator, held by a limit.
enforce() {
	rule add deny fd77::9
	rule add limit 10.77.0.30 --rate 1 --burst 3
	rule add limit fd77::30 --rate 1 --burst 3
	stream
	feed 1 10.77.0.9 BLOCK
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
}

# held: are the limits in force?
held() {
	[ "$(passes 10.77.0.30)" -le 8 ]
	[ "$(passes fd77::30)" -le 8 ]
}

@test "dead-man limits: kl-apply is killed, denials and lists rest, limits hold; it comes back, they are in force" {
	enforce
	rule add edge-deny 10.77.0.40 9/udp
	set_ edge-mode deny
	set_ dead-man limits 5
	[ "$(value dead-man)" = "limits 5s" ]
	feed 2 10.77.0.9 BLOCK
	[ "$(passes 10.77.0.9)" -eq 0 ]
	[ "$(value fallen)" = - ]
	kill -KILL "$STREAM"
	wait "$STREAM" || true
	exec 7>&-
	falls limits
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ "$(passes 10.77.0.40)" -eq 20 ]
	held
	set_ -f enforce-allow on
	[ "$(passes 10.77.0.41)" -eq 20 ]
	set_ enforce-allow off
	[ "$(value falls)" -eq 1 ]
	[ "$(met)" -ge 3 ]
	set_ dead-man limits 60		# counts as a beat
	[ "$(value fallen)" = - ]
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
	set_ dead-man limits 1
	falls limits
	[ "$(passes 10.77.0.9)" -eq 20 ]
	stream
	set_ dead-man off
	[ "$(value fallen)" = - ]
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
	[ "$(value falls)" -eq 2 ]
}

@test "dead-man: the first frame of a new kl-apply puts all back in force" {
	enforce
	set_ dead-man limits 3
	kill -KILL "$STREAM"
	wait "$STREAM" || true
	exec 7>&-
	falls limits
	[ "$(passes 10.77.0.9)" -eq 20 ]
	stream
	[ "$(value fallen)" = limits ]		# that it runs is not enough
	feed 1 10.77.0.9 BLOCK
	[ "$(value fallen)" = - ]
	[ "$(passes 10.77.0.9)" -eq 0 ]
}

@test "dead-man pass: everything passes; keep: nothing changes, and it is counted" {
	enforce
	exec 7>&-
	wait "$STREAM"
	set_ -f enforce-allow on
	set_ dead-man pass 1
	falls pass
	[ "$(both 10.77.0.9 fd77::9)" = "20 20" ]
	[ "$(both 10.77.0.30 fd77::30)" = "20 20" ]
	set_ enforce-allow off
	set_ dead-man keep 60
	[ "$(passes 10.77.0.51 1)" -eq 1 ]	# a fall is found out by packets, and so is its end
	set_ dead-man keep 1
	falls keep
	[ "$(both 10.77.0.9 fd77::9)" = "0 0" ]
	held
	[ "$(met)" -ge 3 ]
	[ "$(value falls)" -eq 2 ]
}

@test "dead-man: what counts is frames carried out, not a kl-apply that waits, refuses or only looks" {
	stream
	set_ dead-man keep 1
	feed 1
	falls keep
	kill -0 "$STREAM"			# it lives, and what feeds it does not
	bare=yes frame -60 "*" >&7
	until_true test -s "$T/err"
	grep -q refused "$T/err"
	[ "$(value fallen)" = keep ]
	frame 0 192.0.2.1 BLOCK "*" | kl-apply -p "$PINS" -n >/dev/null
	[ "$(value fallen)" = keep ]
	set_ dead-man keep 60
	[ "$(value fallen)" = - ]
}

@test "two kl-apply and a rule writer at once lose nothing; a killed writer leaves no lock" {
	for who in 1 2; do
		for i in {1..12}; do
			[ "$i" -gt 1 ] || header
			bare=yes frame 0 "10.$who.0.$i" BLOCK "fd0$who::$i" RATE_HARD "*"
			sleep 0.05
		done | kl-apply -p "$PINS" >"$T/out$who" &
		pids[who]=$!
	done
	for i in {1..12}; do rule add deny "10.3.0.$i"; done
	wait "${pids[1]}"
	wait "${pids[2]}"
	diff <(rule list | awk -F'\t' '$3 != "*" && $1 != "time" { print $2, $3, $7 }' | sort) <(
		for i in {1..12}; do
			echo "deny 10.3.0.$i operator"
			for who in 1 2; do printf '%s\n' "deny 10.$who.0.$i iq" "limit fd0$who::$(printf %x "0x$i") iq"; done
		done | sort)
	exec 8<"$PINS"
	flock 8
	stream
	bare=yes frame 0 10.9.9.9 BLOCK "*" >&7
	run timeout 1 kl-set -p "$PINS" sample 7
	[ "$status" -eq 124 ]
	[ "$(value sample)" = 0 ]		# to look needs no lock
	kill -KILL "$STREAM"
	wait "$STREAM" || true
	exec 8<&-
	quiet bounded 5 kl-set -p "$PINS" sample 7
	[ "$(value sample)" = 7 ]
}

# ---- whom default-deny would cut off ----

# with_resolv FILE COMMAND...: runs it where that is /etc/resolv.conf.
with_resolv() {
	local file=$1
	shift
	in_here unshare --mount sh -c 'mount --bind "$1" /etc/resolv.conf || exit 99; shift; exec "$@"' sh "$file" "$@"
}

cut() { echo "$1 would be cut off: kl-rule -p $PINS add ${3-allow} ${2-${1##* }} (or --force)"; }

@test "enforce-allow: the SSH peer of this process, of the nearest ancestor; both families, in several spellings" {
	rule add allow 192.0.2.1
	for ssh in "10.77.0.1 4711 10.77.0.2 22" "::ffff:10.77.0.1 4711 ::ffff:10.77.0.2 22"; do
		SSH_CONNECTION=$ssh says 1 "$(cut "the SSH peer 10.77.0.1")" set_ enforce-allow on
	done
	for ssh in "fd77::1 4711 fd77::2 22" "FD77:0::1 4711 fd77::2 22"; do
		SSH_CONNECTION=$ssh says 1 "$(cut "the SSH peer fd77::1")" set_ enforce-allow on
	done
	SSH_CONNECTION="fe80::9%in0 4711 fe80::2%in0 22" says 1 "$(cut "the SSH peer fe80::9")" set_ enforce-allow on
	# What sudo does.
	SSH_CONNECTION="198.51.100.1 1 10.77.0.2 22" says 1 "$(cut "the SSH peer 10.77.0.1")" in_here bash -c '
		SSH_CONNECTION="10.77.0.1 1 10.77.0.2 22" bash -c "env -u SSH_CONNECTION sh -c \"\\\"\\\$@\\\"; exit \\\$?\" sh \"\$@\"; exit \$?" bash "$@"
		exit $?' bash kl-set -p "$PINS" enforce-allow on
	[ "$(value enforce-allow)" = off ]
	# Covered by a prefix; hidden behind one that ended; by one that ended.
	rule add allow 10.77.0.0/24
	rule add allow 10.77.0.1 --ttl 100ms
	sleep 0.2
	SSH_CONNECTION="10.77.0.1 4711 10.77.0.2 22" quiet set_ enforce-allow on
	[ "$(value enforce-allow)" = on ]
	set_ enforce-allow off
	rule del allow 10.77.0.0/24
	rule add allow 10.77.0.1 --ttl 100ms
	sleep 0.2
	SSH_CONNECTION="10.77.0.1 4711 10.77.0.2 22" says 1 "$(cut "the SSH peer 10.77.0.1")" set_ enforce-allow on
	SSH_CONNECTION="10.77.0.1 4711 10.77.0.2 22" quiet set_ --force enforce-allow on
}

@test "enforce-allow: this host itself is nobody to cut off; an SSH_CONNECTION nobody understands: status 4" {
	rule add allow 192.0.2.1
	for ssh in "127.0.0.1 1 127.0.0.1 22" "127.8.8.8 1 127.0.0.1 22" "::1 1 ::1 22" "10.77.0.2 1 10.77.0.2 22" \
		"fd77::2 1 fd77::2 22"; do
		SSH_CONNECTION=$ssh quiet set_ enforce-allow on
		set_ enforce-allow off
	done
	for ssh in "" x "10.77.0.1 1 10.77.0.2" "10.77.0.1 1 10.77.0.2 0" "10.77.0.1 1 10.77.0.2 65536" \
		"10.77.0.1 1 10.77.0.2 22 5" "10.77.0.0/24 1 10.77.0.2 22" "UNKNOWN 65535 UNKNOWN 65535"; do
		SSH_CONNECTION=$ssh says 4 "SSH_CONNECTION does not name the SSH peer: '$ssh'" set_ enforce-allow on
	done
	[ "$(value enforce-allow)" = off ]
}

@test "enforce-allow: the default gateways and the resolvers, each told once" {
	rule add allow 192.0.2.1
	ip -n "$HERE" route add default via 10.77.0.1
	ip -n "$HERE" route add 198.51.100.0/24 via 10.77.0.66
	ip -n "$HERE" -6 route add default via fe80::a dev in0
	ip -n "$HERE" -6 route add fd88::/64 via fd77::66
	printf '%s\n' '# nameserver 1.1.1.1' 'search example.org' 'nameserver 192.0.2.53' ' nameserver	fd99::53%in0 ' \
		'nameserver 127.0.0.53' 'nameserver ::1' 'nameserver 10.77.0.1' 'nameserver 192.0.2.53' 'nameserver 192.0.2.1' >"$T/resolv"
	says 1 "$(
		cut "the default gateway 10.77.0.1"
		cut "the default gateway fe80::a"
		cut "the resolver 192.0.2.53"
		cut "the resolver fd99::53"
	)" with_resolv "$T/resolv" kl-set -p "$PINS" enforce-allow on
	[ "$(value enforce-allow)" = off ]
	printf '%s\n' 10.77.0.1 fe80::/64 192.0.2.53 fd99::53 | rule load allow
	quiet with_resolv "$T/resolv" kl-set -p "$PINS" enforce-allow on
	[ "$(value enforce-allow)" = on ]
	echo 'nameserver ns.example.org' >"$T/resolv"
	says 4 "resolv.conf: not an address: 'nameserver ns.example.org'" \
		with_resolv "$T/resolv" kl-set -p "$PINS" enforce-allow on
	# Behind the stub of systemd-resolved stand the true ones.
	says 1 "$(cut "the resolver 203.0.113.53")" in_here unshare --mount sh -c '
		mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/resolve
		echo "nameserver 203.0.113.53" >/run/systemd/resolve/resolv.conf
		exec "$@"' sh kl-set -p "$PINS" enforce-allow on
}

@test "edge-mode allow: the lists, the egress program, the SSH peer" {
	empty="the tables allow and edge-allow are empty: edge-mode allow would drop all but replies (or --force)"
	egress="no egress program on in0: replies to this host's own connections would be dropped: kl-attach -p $PINS --egress in0 (or --force)"
	says 1 "$empty"$'\n'"$egress" set_ edge-mode allow
	rule add edge-allow 192.0.2.1 80/tcp --ttl 100ms
	sleep 0.2
	says 1 "$empty"$'\n'"$egress" set_ edge-mode allow
	rule add edge-allow fd77::99 80/tcp
	says 1 "$egress" set_ edge-mode allow
	quiet set_ edge-mode deny
	quiet set_ edge-mode off
	in_here kl-attach -p "$PINS" --egress in0 >/dev/null
	# Whoever serves this host answers it.
	ip -n "$HERE" route add default via 10.77.0.1
	echo 'nameserver fd99::53' >"$T/resolv"
	quiet with_resolv "$T/resolv" kl-set -p "$PINS" edge-mode allow
	quiet set_ edge-mode off
	for peer in 10.77.0.1 fd77::1; do
		SSH_CONNECTION="$peer 4711 10.77.0.2 2222"
		export SSH_CONNECTION
		refused=$(cut "the SSH peer $peer" "$peer 2222/tcp" edge-allow)
		says 1 "$refused" set_ edge-mode allow
		rule add edge-allow $peer 22/tcp
		rule add edge-allow $peer 2222/udp
		rule add edge-allow $peer 2222/tcp --ttl 100ms
		sleep 0.2
		says 1 "$refused" set_ edge-mode allow
		[ "$(value edge-mode)" = off ]
		quiet set_ --force edge-mode allow
		quiet set_ edge-mode off
		rule add edge-allow $peer 2222/tcp
		quiet set_ edge-mode allow
		quiet set_ edge-mode off
		rule del edge-allow $peer 2222/tcp
		says 1 "$refused" set_ edge-mode allow
		rule add allow $peer
		quiet set_ edge-mode allow
		quiet set_ edge-mode off
	done
}

@test "a refusal begins no trial, and none is prolonged" {
	says 1 "the allow table is empty: enforce-allow would drop every source (or --force)" \
		set_ --confirm 60 enforce-allow on
	[ "$(value trial)" = - ]
	set_ --confirm 5 default-limit 5/5 2>/dev/null
	says 1 "the allow table is empty: enforce-allow would drop every source (or --force)" \
		set_ --confirm 600 enforce-allow on
	[[ $(value trial) == [1-5] ]]
}

# ---- what people see ----

@test "kliq status tells of a trial, of one that ran out, of the dead-man switch" {
	state() { in_here kliq status -p "$PINS" --state "$T/none" | grep '^enforce-allow'; }
	[ "$(state)" = "enforce-allow off  edge-mode off  default-limit off  dead-man off" ]
	rule add edge-deny 192.0.2.1 9/udp
	set_ dead-man limits 90s
	set_ edge-mode deny
	set_ --confirm 1h default-limit 20/40 2>/dev/null
	[[ $(state) =~ ^enforce-allow\ off\ \ edge-mode\ deny\ \ default-limit\ 20/40\ \ dead-man\ limits\ 90s\ \ trial:\ reverts\ in\ 3[56][0-9][0-9]\ s\ unless\ confirmed$ ]]
	set_ dead-man pass 1
	set_ --confirm 1 default-limit 20/40 2>/dev/null
	lapsed
	falls pass
	[ "$(state)" = "enforce-allow off  edge-mode deny  default-limit off  dead-man pass 1s (fallen)  trial ran out: all is as it was before" ]
}
