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
	printf '%s\t%s\n' key value total-warmup 2s surge-ttl 1s down-need 1 >"$SMALL"
}

teardown() {
	[[ -z ${KLIQ-} ]] || kill -KILL "$KLIQ" 2>/dev/null || true
	lab_down
}

start() {
	kliq run -p "$PINS" "$@" -c "$SMALL" --state "$STATE" --enforce >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	until_true test -s "$OUT"
}
stars() { awk -F'\t' '$2 == "*"' "$OUT" | wc -l; }
surging() { awk -F'\t' '$2 == "*" { level = $3 } END { exit level == "-" }' "$OUT"; }
calm() { ! surging; }
# ticks N: so many more frames.
ticks() {
	local want=$(($(stars) + $1))
	until_true enough "$want"
}
enough() { [[ $(stars) -ge $1 ]]; }

# Words for send(1): FAMILY PROTO of the flood, number N of its kind; each source sends once a second. Nobody but
# it sends from its prefixes; in IPv6 each source is a network of its own.
from_everywhere() {
	local far=$((100 + $3)).1.0.1 to=10.77.0.2 walk=srcs
	[[ $1 == 4 ]] || far=2001:$((1000 + $3))::1 to=fd77::2 walk=nets
	echo "src=$far $walk=200000 dst=$to $(knock "$2")"
}
knock() { if [[ $1 == udp ]]; then echo proto=udp dport=53 len=30; else echo proto=tcp dport=80 flags=S; fi; }

# flood FAMILY PROTO N SECONDS: in the background, its process id in $FLOOD; how many it sent in file flooded.
flood() {
	local words
	read -ra words <<<"$(from_everywhere "$1" "$2" "$3")"
	in_peer "$HELPERS/send" -f -c $((200000 * $4)) -r 200000 -t $(($4 * 4)) out0 "${words[@]}" >flooded 2>>flood.err 3>&- &
	FLOOD=$!
}
# stop: the flood; why it went another way than planned, if it did.
stop() {
	kill "$FLOOD" 2>/dev/null || true
	wait "$FLOOD" || true
	! grep -v ': only ' flood.err || echo "# flood: $(grep -v ': only ' flood.err | tail -n 1)" >&3
}

# Those who are no flood have an address of their own on the wire; what finds no room there is lost.
client_send() {
	local opts=(-l -t 40)
	while [[ $1 == -* ]]; do
		opts+=("$1" "$2")
		shift 2
	done
	in_peer "$HELPERS/send" "${opts[@]}" out0 smac=02:00:00:00:00:0c "$@"
}
here_of() { if [[ $1 == 4 ]]; then echo 10.77.0.2; else echo fd77::2; fi; }

# Fifty who were there: COUNT packets, RATE a second.
regulars() {
	client_send -c "$2" -r "$3" "src=$([[ $1 == 4 ]] && echo 10.77.9.1 || echo fd77::9:1)" "dst=$(here_of "$1")" \
		srcs=50 proto=tcp dport=443 flags=A
}

# Thirty who come, five a second: the same packet at 0, 1, 3 and 7 seconds, as Linux does it; then ten others each,
# which pass of nobody who is not let in.
visitors() {
	local at to words
	to=$(here_of "$1")
	words=("src=$([[ $1 == 4 ]] && echo "10.77.$((20 + $3)).1" || echo "fd77::$((20 + $3)):1")" "dst=$to" srcs=30)
	for at in 0 1 3 7; do
		# shellcheck disable=SC2046 # words
		{ sleep $at; client_send -c 30 -r 5 "${words[@]}" $(knock "$2"); } &
	done
	sleep 13.5
	client_send -c 300 -r 300 "${words[@]}" proto=tcp dport=80 flags=A
	wait
}

# All of it at once, for fifteen seconds; what arrives is counted by who called.
during() {
	regulars "$1" 7500 500 &
	visitors "$@" &
	wait
}

# ticks_of TOTALS: of the flood, one a line: time, packets, passed.
ticks_of() {
	awk -F'\t' '$1 == "time" { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$(at["pkts"]) > 5000 { print $1, $(at["pkts"]), $(at["pass"]) }' "$1"
}

# no_room: how many frames the wire had no room for so far.
no_room() { ip -n "$PEER" -s -j link show out0 | jq '.[0].stats64.tx.dropped'; }

# held FAMILY PROTO N: a flood, and from its first packet on who gets through; the surge it raises, and its end.
held() {
	local counter totals regular visitor normal over lost
	lost=$(no_room)
	kl-dump-total -p "$PINS" -i 1 -n 80 >totals 3>&- &
	totals=$!
	export HELPERS PEER
	export -f during regulars visitors here_of knock client_send in_peer
	flood "$1" "$2" "$3" 15
	in_here "$HELPERS/recv" -t 60 -m 02:00:00:00:00:0c in0 bash -c 'during "$@"' during "$1" "$2" "$3" >got 3>&- &
	counter=$!
	until_true surging
	kliq status -p "$PINS" --state "$STATE" >page
	grep -q '^surge [RB].*: of strangers .* pass untested$' page
	kliq why -p "$PINS" --state "$STATE" '*' >page
	grep -q '^surge      [RB].* since ' page
	wait "$counter"
	stop
	lost=$(($(no_room) - lost))
	until_true calm
	kill "$totals"
	ticks_of totals >flood
	regular=$(awk '$1 ~ /^10\.77\.9\.|^fd77::9:/ { n += $2 } END { print n + 0 }' got)
	visitor=$(awk -v n=$((20 + $3)) '$1 ~ "^(10\\.77\\." n "\\.|fd77::" n ":)" && $2 > 10 { n1++ } END { print n1 + 0 }' got)
	over=$(awk -F'\t' '$2 != "*" { next } $3 != "-" { on = 1 } on && $3 == "-" { on = 0; t = $1 } END { printf "%d", t }' "$OUT")
	awk -v who="IPv$1 $2" -v sent="$(<flooded)" -v regular="$regular" -v visitor="$visitor" -v over="$over" -v lost="$lost" '
		{ first = first " " $3; if (NR > 5) { later += $2; passed += $3 }; end = $1 }
		NR == 8 { shown = first }
		END {
			split(sent, s, " ")
			printf "# %s: %d/s sent, %d lost on the wire; passed in its ticks%s ..., from the sixth on %.2f %%; ", who,
				s[1] / s[4], lost, shown, 100 * passed / later
			printf "of regulars %d of 7500, of visitors %d of 30; over after %d s\n", regular, visitor, over - end
			exit NR < 12 || passed * 20 > later || over - end > 30
		}' flood >&3
	[ "$regular" -ge 7425 ]
	[ "$visitor" -ge 15 ]
	# Back to normal: a stranger's first packet passes.
	normal=10.77.50.$3
	[[ $1 == 4 ]] || normal=fd77::50:$3
	[ "$(got "$normal" peer_send -c 5 "src=$normal" "dst=$(here_of "$1")" proto=tcp dport=80 flags=S)" -eq 5 ]
}

@test "a flood of 200,000 a second from everywhere is held off; regulars and visitors are not" {
	cd "$BATS_TEST_TMPDIR"
	printf '%s\t%s\n' key value total-warmup 2s >"$SMALL"
	regulars 4 100 1000
	regulars 6 100 1000
	start --profile public-web
	sleep 11	# what is younger is no history
	held 4 tcp 1
	held 4 udp 2
	held 6 tcp 3
}

# What may grow: rows of state, rules, and kilobytes of each filter.
size() {
	wc -l <"$STATE/fsm/state.tsv"
	kl-rule -p "$PINS" list | wc -l
}
# memory NAME: kilobytes.
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(pgrep -f "^$1 .*$STATE|^$1 -p $PINS")/status"; }

# At least once from everywhere, until the surge is on; and its end.
short_flood() {
	flood "$1" "$2" "$3" 2
	until_true surging
	wait "$FLOOD" || true
	stop
	[ "$(cut -d' ' -f1 flooded)" -ge 200000 ]
	until_true calm
}

@test "ten floods in a row leave nothing behind" {
	cd "$BATS_TEST_TMPDIR"
	start
	regulars 4 500 500
	ticks 3
	short_flood 4 tcp 9
	size >before
	for ((n = 1; n <= 10; n++)); do
		short_flood $((n % 2 ? 4 : 6)) "$([[ $((n % 3)) == 0 ]] && echo udp || echo tcp)" $((n + 10))
		for f in kl-score kl-rollup kl-fsm kl-apply; do
			[ "$n" -ne 3 ] || memory $f >"$f.3"
		done
	done
	until_true eval_size
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
	until_true has_rule 10.80.0.0/24
	until_true has_rule 2001:db8:80::/64
	for x in 10.80.0.0/24 2001:db8:80::/64; do
		[ "$(awk -F'\t' -v from="$from" -v x="$x" '$2 == "*" { n++ } $2 == x && $3 ~ /^[RB]/ { print n - from; exit }' "$OUT")" -le 10 ]
	done
	# No single address earned it.
	[ "$(rules_of | grep -c '^10\.80\|^2001')" -eq 2 ]
	kliq why -p "$PINS" --state "$STATE" 10.80.0.7 >page
	grep -q '^level      OBSERVE$' page
	grep -q '^caught     by its prefix 10.80.0.0/24: [RB]' page
	until_true explained 2001:db8:80::/64
	grep -q '^level      [RB].* since' page
	kliq status -p "$PINS" --state "$STATE" | grep -q '^10\.80\.0\.0/24	[RB]'
}

@test "with two fifths of it clean a prefix is refused, which is said; who earned it alone is limited" {
	cd "$BATS_TEST_TMPDIR"
	start_strict
	peer_send -c 1500 -r 100 -t 40 src=10.81.0.151 dst=10.77.0.2 srcs=100 proto=udp dport=9 3>&- &
	together 150 10.81.0.1 10.77.0.2
	peer_send -c 1500 -r 100 -t 40 src=10.81.0.254 dst=10.77.0.2 proto=udp dport=9 3>&- &
	until_true has_rule 10.81.0.254
	until_true grep -qE 'kl-rollup: 10\.81\.0\.0/24 is not rolled up: (39|4[0-9])\.[0-9] % of it is clean' "$ERR"
	rules_of | grep '^10\.81' | diff - <(echo 10.81.0.254)
}
