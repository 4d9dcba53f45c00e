#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Many at once on real packets: floods from everywhere, beside clients that were
# there and visitors who come; prefixes; and what is left behind.

# shellcheck disable=SC2154,SC2030,SC2031 # bats sets them; each test has its own
load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	lab_up
	in_here kl-attach -p "$PINS" in0 >/dev/null
	STATE=$BATS_TEST_TMPDIR/state OUT=$BATS_TEST_TMPDIR/receipts ERR=$BATS_TEST_TMPDIR/messages
	SMALL=$BATS_TEST_TMPDIR/small.tsv
	# A fortieth of a large host's flood, and its budget likewise.
	printf '%s\t%s\n' key value total-trig-new 200 total-warmup 2s surge-ttl 2s down-need 2 surge-rate 25 >"$SMALL"
}

teardown() {
	[[ -z ${KLIQ-} ]] || kill -KILL "$KLIQ" 2>/dev/null || true
	lab_down
}

# eventually SECONDS COMMAND...: until it succeeds, at most so long.
eventually() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[[ $SECONDS -lt $end ]] || { echo "never: ${*:2}"; tail -n 3 "$OUT" "$ERR"; return 1; }
		sleep 0.1
	done
}

start() {
	kliq run -p "$PINS" -c "$SMALL" --state "$STATE" --enforce >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	eventually 20 test -s "$OUT"
}
stars() { awk -F'\t' '$2 == "*"' "$OUT" | wc -l; }
surging() { awk -F'\t' '$2 == "*" { level = $3 } END { exit level == "-" }' "$OUT"; }
calm() { ! surging; }
# ticks N: so many more frames.
ticks() {
	local want=$(($(stars) + $1))
	eventually 30 enough "$want"
}
enough() { [[ $(stars) -ge $1 ]]; }

# Words for send(1): FAMILY PROTO of the flood, number N of its kind; each source sends once a second. Nobody but
# it sends from its prefixes; in IPv6 each source is a network of its own.
from_everywhere() {
	local far=10.$((100 + $3)).0.1 to=10.77.0.2 walk=srcs
	[[ $1 == 4 ]] || far=2001:db$3::1 to=fd77::2 walk=nets
	echo "src=$far $walk=5000 dst=$to $(knock "$2")"
}
knock() { if [[ $1 == udp ]]; then echo proto=udp dport=53 len=30; else echo proto=tcp dport=80 flags=S; fi; }

# Ten who were there: N packets, a hundred a second.
regulars() {
	local from=10.77.9.1 to=10.77.0.2
	[[ $1 == 4 ]] || from=fd77::9:1 to=fd77::2
	peer_send -c "$2" -r 100 "src=$from" "dst=$to" srcs=10 proto=tcp dport=443 flags=A
}

# Twenty who come: once, and three times more unless they got through. The same packet, as a client does it.
visitors() {
	local i
	for i in 1 2 2 2; do
		# shellcheck disable=SC2046 # words
		peer_send -c 20 -r 200 "src=$([[ $1 == 4 ]] && echo 10.77."$((20 + $3))".1 || echo fd77::"$((20 + $3))":1)" \
			"dst=$([[ $1 == 4 ]] && echo 10.77.0.2 || echo fd77::2)" srcs=20 $(knock "$2")
		sleep "$i"
	done
}

# All of it at once; what arrives is counted by who called.
during() {
	regulars "$1" 500 &
	visitors "$@" &
	wait
}

# flood FAMILY PROTO N SECONDS: in the background, its process id in $FLOOD.
flood() {
	local words
	read -ra words <<<"$(from_everywhere "$1" "$2" "$3")"
	peer_send -c $((5000 * $4)) -r 5000 -t $((4 * $4)) "${words[@]}" 2>/dev/null 3>&- &
	FLOOD=$!
}

sent_so_far() { ip -n "$PEER" -s -j link show out0 | jq '.[0].stats64.tx.packets'; }

# held FAMILY PROTO N: a flood, the surge it raises, who gets through in it, and its end.
held() {
	local all regular visitor sent sent0 normal to
	flood "$1" "$2" "$3" 25
	eventually 20 surging
	ticks 4
	kliq status -p "$PINS" --state "$STATE" >page
	grep -q '^surge [RB].*: of strangers .* pass untested$' page
	kliq why -p "$PINS" --state "$STATE" '*' >page
	grep -q '^surge      [RB].* since ' page
	export HELPERS PEER
	export -f during regulars visitors knock peer_send in_peer
	sent0=$(sent_so_far)
	in_here "$HELPERS/recv" -t 60 in0 bash -c 'during "$@"' during "$1" "$2" "$3" >got
	sent=$(($(sent_so_far) - sent0))
	all=$(awk '{ n += $2 } END { print n + 0 }' got)
	regular=$(awk '$1 ~ /^10\.77\.9\.|^fd77::9:/ { n += $2 } END { print n + 0 }' got)
	visitor=$(awk -v n=$((20 + $3)) '$1 ~ "^(10\\.77\\." n "\\.|fd77::" n ":)" { n1++ } END { print n1 + 0 }' got)
	kill "$FLOOD" 2>/dev/null || true
	echo "IPv$1 $2: $sent sent, $all arrived, of regulars $regular of 500, $visitor of 20 visitors let in"
	[ "$regular" -ge 495 ]
	[ "$visitor" -ge 10 ]
	[ $((sent - 580)) -gt 5000 ]
	# What is the flood's, of what it sent: at most a twentieth.
	[ $(((all - regular - visitor) * 20)) -le $((sent - 500)) ]
	eventually 60 calm
	# Back to normal: a stranger's first packet passes.
	normal=10.77.50.$3 to=10.77.0.2
	[[ $1 == 4 ]] || normal=fd77::50:$3 to=fd77::2
	[ "$(got "$normal" peer_send -c 5 "src=$normal" "dst=$to" proto=tcp dport=80 flags=S)" -eq 5 ]
}

@test "a flood from everywhere is held off: TCP and UDP, IPv4 and IPv6; regulars and visitors are not" {
	cd "$BATS_TEST_TMPDIR"
	regulars 4 100
	regulars 6 100
	start
	sleep 11	# what is younger is no history
	held 4 tcp 1
	held 6 tcp 2
	held 4 udp 3
	held 6 udp 4
}

# What may grow: rows of state, rules, and kilobytes of each filter.
size() {
	wc -l <"$STATE/fsm/state.tsv"
	kl-rule -p "$PINS" list | wc -l
}
# memory NAME: kilobytes.
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(pgrep -f "^$1 .*$STATE|^$1 -p $PINS")/status"; }

# FLOODS=10 for more of them; each takes 22 seconds.
@test "floods in a row leave nothing behind" {
	cd "$BATS_TEST_TMPDIR"
	start
	regulars 4 300
	flood 4 tcp 9 8
	eventually 20 surging
	kill "$FLOOD"
	eventually 60 calm
	size >before
	for ((n = 1; n <= ${FLOODS:-5}; n++)); do
		flood $((n % 2 ? 4 : 6)) "$([[ $((n % 3)) == 0 ]] && echo udp || echo tcp)" $((n + 10)) 8
		eventually 20 surging
		kill "$FLOOD" 2>/dev/null || true
		eventually 60 calm
		for f in kl-score kl-rollup kl-fsm kl-apply; do
			[ "$n" -ne 3 ] || memory $f >"$f.3"
		done
	done
	eventually 30 eval_size
	for f in kl-score kl-rollup kl-fsm kl-apply; do
		[ $(($(memory $f) - $(<"$f.3"))) -le 512 ] || { echo "$f: $(<"$f.3") KiB, then $(memory $f)"; return 1; }
	done
	kill "$KLIQ"
	wait "$KLIQ"
	[ "$(wc -l <"$STATE/learn/rollup.tsv")" -le 2 ]
	[ "$(wc -l <"$STATE/learn/strangers.tsv")" -eq 3 ]
}
eval_size() { size | diff -q - before >/dev/null; }

rules_of() { kl-rule -p "$PINS" list | awk -F'\t' -v own=iq '$0 ~ own { print $3 }' | sort -u; }
has_rule() { rules_of | grep -qx "$1"; }

# With a small trigger: twenty packets a second.
start_strict() {
	printf 'trig-pps\t20\n' >>"$SMALL"
	start
	ticks 2
}

# together N BASE DST: each of N addresses twelve packets a second, which is 0.6 of its trigger.
together() { peer_send -c $((12 * $1 * 14)) -r $((12 * $1)) -t 40 "src=$2" "dst=$3" "srcs=$1" proto=udp dport=9 3>&- & }

explained() {
	kliq why -p "$PINS" --state "$STATE" "$1" >page
	grep -qE '^clean      [0-9]+ others' page
}

@test "a /24 and a /64 that spread their load: one entry each within ten ticks; why tells" {
	cd "$BATS_TEST_TMPDIR"
	start_strict
	from=$(stars)
	together 250 10.80.0.1 10.77.0.2
	together 300 2001:db8:80::1 fd77::2
	eventually 30 has_rule 10.80.0.0/24
	eventually 30 has_rule 2001:db8:80::/64
	for x in 10.80.0.0/24 2001:db8:80::/64; do
		[ "$(awk -F'\t' -v from="$from" -v x="$x" '$2 == "*" { n++ } $2 == x && $3 ~ /^[RB]/ { print n - from; exit }' "$OUT")" -le 10 ]
	done
	# No single address earned it.
	[ "$(rules_of | grep -c '^10\.80\|^2001')" -eq 2 ]
	kliq why -p "$PINS" --state "$STATE" 10.80.0.7 >page
	grep -q '^level      OBSERVE$' page
	grep -q '^caught     by its prefix 10.80.0.0/24: [RB]' page
	eventually 30 explained 2001:db8:80::/64
	grep -q '^level      [RB].* since' page
	kliq status -p "$PINS" --state "$STATE" | grep -q '^10\.80\.0\.0/24	[RB]'
}

@test "with two fifths of it clean a prefix is refused, which is said; who earned it alone is limited" {
	cd "$BATS_TEST_TMPDIR"
	start_strict
	peer_send -c 1500 -r 100 -t 40 src=10.81.0.151 dst=10.77.0.2 srcs=100 proto=udp dport=9 3>&- &
	together 150 10.81.0.1 10.77.0.2
	peer_send -c 1500 -r 100 -t 40 src=10.81.0.254 dst=10.77.0.2 proto=udp dport=9 3>&- &
	eventually 30 has_rule 10.81.0.254
	eventually 30 grep -qE 'kl-rollup: 10\.81\.0\.0/24 is not rolled up: (39|4[0-9])\.[0-9] % of it is clean' "$ERR"
	rules_of | grep '^10\.81' | diff - <(echo 10.81.0.254)
}
