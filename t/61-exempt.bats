#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq exempt: the inputs and what becomes of them; the allow table; and that a
# quiet, blocked source is let go.

# shellcheck disable=SC2154 # bats sets stderr

load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	S=$BATS_TEST_TMPDIR/state
	mkdir "$S"
	export TZ=UTC
	STARTED=$EPOCHSECONDS
}

teardown() {
	exec 5>&- || true
	lab_down
}

exempt() { kliq exempt --state "$S" "$@"; }

# rows: what list shows, its times as seconds behind the start, to the minute.
rows() {
	exempt list "$@" | awk -F'\t' -v OFS='\t' -v t="$STARTED" '
		function near(x) { return x == "-" ? x : int((x - t + 12000 + 30) / 60) * 60 - 12000 }
		NR > 1 { $5 = near($5); $6 = near($6); $7 = $7 == "-" ? $7 : int(($7 + 30) / 60) * 60; print }'
}

# written FILE SECONDS: the file is that old.
written() { touch -d "@$((STARTED - $2))" "$1"; }

@test "list: both inputs, owners and reasons, what ends first comes first" {
	cat >"$S/whitelist.txt" <<-'END'
		# ours
		10.0.0.0/8      # owner=ops reason=the office, all of it
		2001:db8::5 # a printer
		  192.0.2.7;owner=net

		192.0.2.8, of no concern
	END
	cat >"$S/feedback.json" <<-END
		[ { "target": "198.51.100.1", "action": "whitelist", "ttl": "2h", "notes": "a \"test\"\tof ours" },
		  { "target": "198.51.100.0/28", "action": "whitelist", "until": "$(date -u -d "@$((STARTED + 600))" +%FT%T.5Z)", "owner": "lab" },
		  { "target": "fd00::1", "action": "whitelist", "until": "$(date -u -d "@$((STARTED + 4200 + 7200))" +%FT%T)+02:00" },
		  { "target": "203.0.113.9", "action": "whitelist" } ]
	END
	written "$S/whitelist.txt" 120
	written "$S/feedback.json" 3600
	run --separate-stderr exempt
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "${lines[0]}" = $'prefix\tkind\towner\treason\twritten\tuntil\tleft' ]
	[ "${#lines[@]}" -eq 9 ]
	diff - <(rows) <<-'END'
		198.51.100.0/28	whitelist	lab	-	-3600	600	600
		198.51.100.1	whitelist	-	a test of ours	-3600	3600	3600
		fd00::1	whitelist	-	-	-3600	4200	4200
		203.0.113.9	whitelist	-	-	-3600	82800	82800
		10.0.0.0/8	whitelist	ops	the office, all of it	-120	-	-
		192.0.2.7	whitelist	net	-	-120	-	-
		192.0.2.8	whitelist	-	-	-120	-	-
		2001:db8::5	whitelist	-	a printer	-120	-	-
	END
	# Looking leaves nothing behind.
	[ "$(ls -A "$S")" = $'feedback.json\nwhitelist.txt' ]
	echo 198.18.0.1 >own
	rows --whitelist own | grep -q '^198.18.0.1'
}

@test "an expiry counts from when the entry was written; no reload and no restart renews it" {
	echo '[{"target":"192.0.2.1","action":"whitelist","ttl":"1h"}]' >"$S/feedback.json"
	written "$S/feedback.json" 1800
	exempt sync -n
	[ "$(rows | cut -f 5-)" = $'-1800\t1800\t1800' ]
	# The file gets another entry, and with it a new time.
	echo '[{"target":"192.0.2.2","action":"whitelist","ttl":"1h"},{"action":"whitelist","ttl":"1h","target":"192.0.2.1"}]' >"$S/feedback.json"
	written "$S/feedback.json" 600
	exempt sync -n
	diff - <(rows | cut -f 1,5-) <<-'END'
		192.0.2.1	-1800	1800	1800
		192.0.2.2	-600	3000	3000
	END
	touch "$S/feedback.json"
	exempt sync -n
	[ "$(rows | cut -f 5 | paste -sd' ')" = "-1800 -600" ]
	# One that is over is nobody's exemption, also when it is first seen then.
	rm "$S/exempt.tsv"
	echo '[{"target":"192.0.2.3","action":"whitelist","ttl":"30m"}]' >"$S/feedback.json"
	written "$S/feedback.json" 1801
	exempt sync -n
	[ -z "$(rows)" ]
	[ ! -s "$S/exempt.txt" ]
	# An entry that says itself when it was written needs no file for that.
	echo "[{\"target\":\"192.0.2.3\",\"action\":\"whitelist\",\"ttl\":\"1h\",\"written\":\"$(date -u -d "@$((STARTED - 3000))" +%FT%TZ)\"}]" >"$S/feedback.json"
	[ "$(rows | cut -f 5-)" = $'-3000\t600\t600' ]
}

@test "forgive clears once: for two ticks, and not again" {
	echo '[{"target":"192.0.2.1"},{"target":"192.0.2.2","action":"forgive","ttl":"1h"}]' >"$S/feedback.json"
	written "$S/feedback.json" 4000
	exempt sync -n -i 1
	diff - "$S/exempt.txt" <<<192.0.2.1
	# Its two ticks are over: as if it had been seen long ago.
	awk -F'\t' -v OFS='\t' 'NR > 1 { $6 -= 60; $7 -= 60; $6 = sprintf("%.3f", $6) } { print }' "$S/exempt.tsv" >t
	cp t "$S/exempt.tsv"
	for _ in 1 2; do
		exempt sync -n
		[ ! -s "$S/exempt.txt" ]
		touch "$S/feedback.json"
	done
	# Forgiven again is another entry.
	exempt forgive 192.0.2.1 --reason 'once more'
	exempt sync -n -i 60
	diff - "$S/exempt.txt" <<<192.0.2.1
	[ "$(rows | cut -f 1-4)" = $'192.0.2.1\tforgive\t-\tonce more' ]
	[ "$(jq length "$S/feedback.json")" -eq 3 ]
}

@test "add, del: the file without an end, the feedback with one" {
	printf '# ours\n10.0.0.0/8 # old\n192.0.2.1\n' >"$S/whitelist.txt"
	exempt add 10.0.0.0/8 --owner ops --reason 'the office'
	exempt add 2001:DB8::5
	exempt add 192.0.2.9 --for 1h30m --owner me --reason 'a test'
	exempt add 192.0.2.9 --for 2d
	diff - "$S/whitelist.txt" <<-'END'
		# ours
		192.0.2.1
		10.0.0.0/8  # owner=ops reason=the office
		2001:DB8::5
	END
	[ "$(jq -c '[.[] | [.target, .action, .owner]]' "$S/feedback.json")" = '[["192.0.2.9","whitelist",null]]' ]
	[ "$(rows | head -n 1)" = $'192.0.2.9\twhitelist\t-\t-\t0\t172800\t172800' ]
	exempt del 2001:db8::5
	exempt del 192.0.2.9
	[ "$(rows | cut -f 1 | paste -sd' ')" = "10.0.0.0/8 192.0.2.1" ]
	run --separate-stderr exempt del 192.0.2.9
	[ "$status" -eq 1 ]
	[ "$stderr" = "kliq: '192.0.2.9' is not exempt by $S/whitelist.txt or $S/feedback.json" ]
}

@test "called wrongly: status 2, one line, nothing changed" {
	bad() {
		run --separate-stderr exempt "${@:2}"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[ "$stderr" = "kliq: $1" ] || { echo "$stderr"; return 1; }
	}
	bad "unknown command 'exempt drop': there are list add del forgive sync follow" drop
	bad "exempt add needs one PREFIX" add
	bad "exempt del needs one PREFIX" del 10.0.0.1 10.0.0.2
	bad "exempt sync takes no operand: '10.0.0.1'" sync 10.0.0.1
	bad "exempt del takes no --for" del 10.0.0.1 --for 1h
	bad "not an address or prefix: '10.0.0.1/8'" add 10.0.0.1/8
	bad "not an address or prefix: 'a # b'" add 'a # b'
	bad "--for: a duration of a second or more, like 30m, 24h or 7d: '30'" add 10.0.0.1 --for 30
	bad "--for: a duration of a second or more, like 30m, 24h or 7d: '5ms'" add 10.0.0.1 --for 5ms
	bad "--owner: one word: 'the net'" add 10.0.0.1 --owner 'the net'
	bad "-i: a whole number of seconds, 1 to 99999: '0.5'" sync -i 0.5
	[ -z "$(find "$S" -mindepth 1 ! -name exempt.lock)" ]
}

@test "a broken input is said with its place, and what was read before stays" {
	printf '10.0.0.1\n' >"$S/whitelist.txt"
	echo '[{"target":"192.0.2.1","action":"whitelist"}]' >"$S/feedback.json"
	exempt sync -n
	cp "$S/exempt.txt" was
	broken() { # MESSAGE
		run --separate-stderr exempt sync -n
		[ "$status" -eq 2 ]
		[ "$stderr" = "kliq: $1" ] || { echo "$stderr"; return 1; }
		cmp was "$S/exempt.txt"
	}
	printf '# a list\n10.0.0.2\nten.example # x\n' >"$S/whitelist.txt"
	broken "$S/whitelist.txt:3: not an address or prefix 'ten.example'"
	printf '10.0.0.1\n' >"$S/whitelist.txt"
	local f="$S/feedback.json"
	while IFS='|' read -r json says; do
		printf '%s\n' "$json" >"$f"
		broken "$f: $says"
	done <<-'END'
		{"target":"192.0.2.1"}|not an array of objects
		[{"target":"192.0.2.1","action":"whitelist"},7]|entry 2: not an object
		[{"action":"whitelist"}]|entry 1: no target
		[{"target":"192.0.2.1"},{"target":"192.0.2.300"}]|entry 2: not an address or prefix '192.0.2.300'
		[{"target":"192.0.2.1/8"}]|entry 1: bits set behind the prefix length '192.0.2.1/8'
		[{"target":"192.0.2.1","ttl":"7d"}]|entry 1: ttl: not a duration like 24h or 1h30m: "7d"
		[{"target":"192.0.2.1","ttl":3600}]|entry 1: ttl: not a duration like 24h or 1h30m: 3600
		[{"target":"192.0.2.1","until":"tomorrow"}]|entry 1: until: not a time like 2026-05-01T12:00:00Z: "tomorrow"
		[{"target":"192.0.2.1","until":"2026-13-01T00:00:00Z"}]|entry 1: until: not a time like 2026-05-01T12:00:00Z: "2026-13-01T00:00:00Z"
	END
	printf '[{"target": "192.0.2.1",}]\n' >"$f"
	run --separate-stderr exempt sync -n
	[ "$status" -eq 2 ]
	[[ $stderr == "kliq: $f: "*"line 1"* && $stderr != *$'\n'* ]]
	cmp was "$S/exempt.txt"
	# An action of others is left out, the rest counts.
	echo '[{"target":"192.0.2.1","action":"whitelist"},{"target":"192.0.2.2","action":"praise"}]' >"$f"
	run --separate-stderr exempt sync -n
	[ "$status" -eq 0 ]
	[ "$stderr" = "kliq: $f: entry 2: action \"praise\" is neither forgive nor whitelist: left out" ]
	# Files that are away are empty ones.
	rm "$f" "$S/whitelist.txt"
	exempt sync -n
	[ ! -s "$S/exempt.txt" ]
}

@test "the list is not touched while it says the same; 3,000 entries" {
	for i in $(seq 3000); do echo "10.1.$((i / 250)).$((i % 250)) # owner=o$i"; done >"$S/whitelist.txt"
	exempt sync -n
	[ "$(wc -l <"$S/exempt.txt")" -eq 3000 ]
	stat -c %i "$S/exempt.txt" >was
	touch "$S/whitelist.txt"
	exempt sync -n
	stat -c %i "$S/exempt.txt" | cmp - was
	kl-fsm --whitelist "$S/exempt.txt" <<<$'time\tdt\tsrc\tdrop_rl\tsev\twhy' >/dev/null
}

lab() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
}

# allowed: the allow table: key, owner, seconds left to the minute.
allowed() {
	kl-rule -p "$PINS" list allow | awk -F'\t' '$1 != "time" && $3 != "*" {
		print $3, $7, $6 == "-" ? "-" : int(($6 - $1 + 30) / 60) * 60 }'
}

@test "the allow table: by difference, each entry to its own end, others' untouched" {
	lab
	kl-rule -p "$PINS" add allow 192.0.2.50
	kl-rule -p "$PINS" add allow 10.9.9.9 --owner iq
	printf '10.0.0.0/8\n192.0.2.50\n' >"$S/whitelist.txt"
	cat >"$S/feedback.json" <<-'END'
		[ {"target":"198.51.100.1","action":"whitelist","ttl":"10m"},
		  {"target":"198.51.100.0/24","action":"whitelist","ttl":"5m"},
		  {"target":"10.1.2.3","action":"whitelist","ttl":"10m"},
		  {"target":"203.0.113.1"} ]
	END
	run --separate-stderr exempt sync -p "$PINS"
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	# Under 10.0.0.0/8, which has no end, 10.1.2.3 would end it; who is forgiven is not let in.
	diff <(allowed) - <<-'END'
		10.0.0.0/8 iq -
		192.0.2.50 operator -
		198.51.100.0/24 iq 300
		198.51.100.1 iq 600
	END
	rm "$S/whitelist.txt"
	echo '[]' >"$S/feedback.json"
	exempt sync -p "$PINS"
	diff <(allowed) - <<<"192.0.2.50 operator -"
	lab_down
	# shellcheck disable=SC2034 # lab_down looks at it
	LAB=''
	run --separate-stderr exempt sync -p "$PINS"
	[ "$status" -eq 4 ]
	[[ $stderr == "kliq: the allow table is not up to date: "* && $stderr != *$'\n'* ]]
}

@test "kl-rule sync --until: lines with an end of their own" {
	lab
	local now=$EPOCHSECONDS
	printf '192.0.2.1 %s\n192.0.2.2 %s.500 # x\n192.0.2.3 -\n192.0.2.4 %s\n192.0.2.5 0\n' \
		$((now + 600)) $((now + 300)) $((now - 1)) >list
	kl-rule -p "$PINS" sync allow list --owner iq --until
	diff <(allowed) - <<-'END'
		192.0.2.1 iq 600
		192.0.2.2 iq 300
		192.0.2.3 iq -
	END
	[[ $(kl-rule -p "$PINS" sync allow list --owner iq --until -n) == "put "[0-2]" del 0" ]]
	kl-rule -p "$PINS" sync allow list --owner iq --until --ttl 1m
	allowed | grep -q '^192.0.2.3 iq 60$'
	printf '192.0.2.1 %s 22/tcp\n' $((now + 600)) >list
	run --separate-stderr kl-rule -p "$PINS" sync edge-deny list --owner graph --until
	[ "$status" -eq 3 ]
	printf '192.0.2.1 22/tcp %s\n' $((now + 600)) >list
	kl-rule -p "$PINS" sync edge-deny list --owner graph --until 2>/dev/null
	kl-rule -p "$PINS" list edge-deny | awk -F'\t' '$3 == "192.0.2.1" { print int(($6 - $1 + 30) / 60) * 60, $9, $10 }' |
		diff - <(echo 600 22 tcp)
	for bad in soon '' 99999999999.000; do
		echo "192.0.2.1 $bad" >list
		run --separate-stderr kl-rule -p "$PINS" sync allow list --owner iq --until
		[ "$status" -eq 3 ]
		[ "${stderr%%$'\n'*}" = "kl-rule: list:1: not Unix seconds, nor - '$bad'" ]
	done
	run --separate-stderr kl-rule -p "$PINS" load allow list --until
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-rule: load takes no --until" ]
}

# frames TIME...: score frames at those times without a source.
frames() {
	local t
	for t; do printf '%s\t1.000\t*\t0\t-\t-\n' "$t"; done
}

@test "a quiet, blocked source is let go within two ticks: by the whitelist for good, forgiven once" {
	lab
	exempt sync -p "$PINS"
	mkfifo score
	kl-fsm --up-need 0 --block-at 3 --hard-at 3 --block-min-sev 0 -s fsm.tsv --whitelist "$S/exempt.txt" <score |
		kl-apply -p "$PINS" --sync --max-age 10m >receipts &
	exec 5>score
	tick() { # ROW...
		local t
		t=$(date +%s.%3N)
		[[ $# == 0 ]] || printf "$t\t1.000\t%s\t0\t3.0\tpps\n" "$@" >&5
		printf '%s\t1.000\t*\t0\t-\t-\n' "$t" >&5
		until_true grep -q "^$t	\\*" receipts
	}
	denied() { kl-rule -p "$PINS" list deny | awk -F'\t' '$1 != "time" && $3 != "*" { print $3 }' | paste -sd' '; }
	printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n' >&5
	tick 10.77.0.1 192.0.2.2 192.0.2.3
	[ "$(denied)" = "10.77.0.1 192.0.2.2 192.0.2.3" ]
	[ "$(got 10.77.0.1 peer_send -c 5 src=10.77.0.1)" -eq 0 ]
	exempt add 10.77.0.1
	exempt forgive 192.0.2.2
	exempt sync -p "$PINS"
	# The kernel lets it through at once, the entry goes with the next tick, in which nobody has a row.
	[ "$(got 10.77.0.1 peer_send -c 5 src=10.77.0.1)" -eq 5 ]
	tick
	[ "$(denied)" = 192.0.2.3 ]
	run ! grep -qE $'\t(10.77.0.1|192.0.2.2)\t' fsm.tsv
	# Forgiven is not exempt: when its ticks are over it is judged as anybody.
	sleep 3.5
	exempt sync -p "$PINS"
	tick 10.77.0.1 192.0.2.2
	[ "$(denied)" = "192.0.2.2 192.0.2.3" ]
	exec 5>&-
	wait
}

@test "follow: what changes and what ends is seen by itself; it ends with its parent" {
	lab
	echo 192.0.2.1 >"$S/whitelist.txt"
	bash -c 'kliq exempt --state "$1" -p "$2" follow & echo $! >pid; exec sleep 60' bash "$S" "$PINS" &
	local parent=$!
	until_true is_allowed "192.0.2.1 iq -"
	exempt add 192.0.2.2 --for 15s
	until_true grep -q 192.0.2.2 "$S/exempt.txt"
	until_true is_not grep -q 192.0.2.2 "$S/exempt.txt"
	rm "$S/whitelist.txt"
	until_true test ! -s "$S/exempt.txt"
	kill "$parent"
	wait "$parent" || true
	until_true test ! -e "/proc/$(<pid)"
}

is_not() { ! "$@"; }
is_allowed() { [[ $(allowed | paste -sd" ") == "$1" ]]; }

