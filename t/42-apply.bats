#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-apply: what each level writes, how long it holds, whose it leaves alone,
# what it refuses, and what happens when something fails.

# shellcheck disable=SC2016,SC2154 # inner shells and awk expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	T=$BATS_TEST_TMPDIR
}

teardown() {
	exec 7>&- || true
	lab_down
}

rule() { kl-rule -p "$PINS" "$@"; }
apply() { kl-apply -p "$PINS" "$@"; }

header() { printf 'time\tsrc\tlevel\tfrom\tsince\tuntil\tstrikes\tsev\twhy\n'; }

# frame OFFSET: rows SRC LEVEL [SINCE UNTIL] on stdin, seconds from the
# frame's time, become a frame OFFSET seconds from now.
frame() {
	awk -v now="$(date +%s.%3N)" -v off="$1" '
		function at(s) { return s == "" || s == "-" ? "-" : sprintf("%.3f", t + s) }
		BEGIN { t = now + off }
		{ printf "%.3f\t%s\t%s\tOBSERVE\t%s\t%s\t3\t1.000000\tpps\n", t, $1, $2, at($3 == "" ? 0 : $3), at($4) }
		END { printf "%.3f\t*\t-\t-\t-\t-\t-\t-\t-\n", t }'
}
frames() {
	header
	frame 0
}

# wants ROW...: one frame of these rows.
wants() { printf '%s\n' "$@" | frames; }

# done_: of receipts: src level action result.
done_() { awk -F'\t' '$1 != "time" && $2 != "*" { print $2, $3, $10, $11 }' "$@"; }

# holds: table key rate burst owner of all rules.
holds() { rule list | awk -F'\t' '$1 != "time" && $3 != "*" { print $2, $3, $4, $5, $7 }'; }

# left KEY: seconds a rule has yet, without fraction.
left() { rule list | awk -F'\t' -v key="$1" '$3 == key { printf "%d\n", $6 - $1 + 0.5 }'; }

# between LOW HIGH N
between() {
	echo "$1 <= $3 <= $2"
	[ "$3" -ge "$1" ]
	[ "$3" -le "$2" ]
}

# said FILE LINE...: times are T, seconds N.
said() {
	sed -E 's/[0-9]{10}\.[0-9]{3}/T/g; s/[0-9]+\.[0-9]{3} s/N s/' "$1" | diff - <(printf 'kl-apply: %s\n' "${@:2}")
}

@test "every level in both families: entries, receipts, carried columns" {
	{
		printf 'x\tlevel\tsrc\tuntil\tsince\ttime\n' | awk -F'\t' -v OFS='\t' '{ print $6, $1, $2, $3, $4, $5 }'
		t=$(date +%s).000
		for r in 'RATE_SOFT 192.0.2.1' 'RATE_HARD 192.0.2.2' 'BLOCK 192.0.2.3' 'OBSERVE 192.0.2.4' \
			'RATE_SOFT 2001:db8::1' 'BLOCK 2001:db8:0:1::/64' 'RATE_HARD 198.51.100.0/24'; do
			printf '%s\text=ra\t%s\t%s\t-\t%s\n' "$t" "${r% *}" "${r#* }" "$t"
		done
		printf '%s\t-\t-\t*\t-\t-\n' "$t"
	} >"$T/in"
	apply "$T/in" >"$T/out"
	awk -F'\t' -v OFS='\t' '
		NR == 1 { print $0, "action", "result"; next }
		$4 == "*" { print $0, "-", "-"; next }
		{ print $0, $3 ~ /^RATE/ ? "limit" : $3 == "BLOCK" ? "deny" : "none", "ok" }' "$T/in" | diff "$T/out" -
	diff <(holds) - <<-'END'
		deny 192.0.2.3 - - iq
		deny 2001:db8:0:1::/64 - - iq
		limit 192.0.2.1 20 40 iq
		limit 192.0.2.2 5 10 iq
		limit 198.51.100.0/24 5 10 iq
		limit 2001:db8::1 20 40 iq
	END
}

@test "dry-run on in the settings is -n; off is nothing" {
	printf 'key\tvalue\ndry-run\ton\n' >"$T/on"
	printf 'key\tvalue\ndry-run\toff\n' >"$T/off"
	wants '192.0.2.1 BLOCK 0 60' >"$T/in"
	apply -c "$T/on" "$T/in" | done_ | diff - <(echo 192.0.2.1 BLOCK deny dry)
	[ -z "$(holds)" ]
	apply -c "$T/off" -n "$T/in" | done_ | diff - <(echo 192.0.2.1 BLOCK deny dry)
	[ -z "$(holds)" ]
	apply -c "$T/on" -c "$T/off" "$T/in" | done_ | diff - <(echo 192.0.2.1 BLOCK deny ok)
	[ "$(holds)" = "deny 192.0.2.1 - - iq" ]
	printf 'key\tvalue\ndry-run\tyes\n' >"$T/bad"
	run --separate-stderr apply -c "$T/bad" "$T/in"
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-apply: $T/bad:2: bad value 'yes' for dry-run: on or off" ]
}

@test "from level to level: what is new is there, what was before is gone" {
	for step in RATE_SOFT=limit:20 RATE_HARD=limit:5 BLOCK=deny:- RATE_HARD=limit:5 RATE_SOFT=limit:20 BLOCK=deny:- OBSERVE=release: OBSERVE=none:; do
		level=${step%=*} action=${step#*=}
		[ "$(wants "192.0.2.1 $level" | apply | done_)" = "192.0.2.1 $level ${action%:*} ok" ]
		[ "$(holds | awk '{ print $1 ":" $3 }')" = "$(case $action in *:?*) echo "$action" ;; esac)" ]
	done
}

@test "a level reaches packets: limited, denied, released" {
	send() { got 10.77.0.9 peer_send -c 40 src=10.77.0.9 dst=10.77.0.2 proto=udp dport=9; }
	[ "$(send)" -eq 40 ]
	wants '10.77.0.9 RATE_HARD' | apply >/dev/null
	between 9 13 "$(send)"
	wants '10.77.0.9 BLOCK' | apply >/dev/null
	[ "$(send)" -eq 0 ]
	wants '10.77.0.9 OBSERVE' | apply >/dev/null
	[ "$(send)" -eq 40 ]
}

@test "rates: given, by factor of the trigger, from a settings file; entries are rewritten when they change" {
	rows() { printf '%s\n' '192.0.2.1 RATE_SOFT' '192.0.2.2 RATE_HARD'; }
	rates() { rows | frames | apply "$@" >"$T/out"; holds | cut -d ' ' -f 3-4 | paste -sd' '; }
	[ "$(rates)" = "20 40 5 10" ]
	[ "$(done_ "$T/out" | cut -d ' ' -f 3 | paste -sd' ')" = "limit limit" ]
	[ "$(rates)" = "20 40 5 10" ]
	[ "$(done_ "$T/out" | cut -d ' ' -f 3 | paste -sd' ')" = "none none" ]
	[ "$(rates --soft-rate 80 --soft-burst 90)" = "80 90 5 10" ]
	[ "$(done_ "$T/out" | cut -d ' ' -f 3 | paste -sd' ')" = "limit none" ]
	[ "$(rates --hard-rate 7 --hard-burst 8)" = "20 40 7 8" ]
	[ "$(rates --trig-pps 1000 --soft-rate-factor 0.5 --hard-rate-factor 0.1)" = "500 1000 100 200" ]
	[ "$(rates --trig-pps 1 --soft-rate-factor 0.5)" = "1 2 5 10" ]
	[ "$(rates --soft-rate-factor 0.5)" = "20 40 5 10" ]
	printf '%s\t%s\n' key value trig-pps 333 soft-rate-factor 0.5 hard-rate 6 hard-burst 66 soft-at 3 \
		soft-rate 1 soft-burst 2 hard-rate-factor 0 max-age 20s max-new-blocks 5 >"$T/conf"
	[ "$(rates -c "$T/conf")" = "166 332 6 66" ]
	[ "$(rates -c "$T/conf" --trig-pps 0)" = "1 2 6 66" ]
	[ "$(rates --trig-pps 0 -c "$T/conf")" = "1 2 6 66" ]
}

@test "--triggers FILE: the rates by factor follow it, what is held is written again; broken or gone it changes nothing" {
	mkfifo "$T/rows"
	printf '%s\t%s\n' key value trig-pps 1000 soft-rate-factor 0.5 hard-rate-factor 0.1 >"$T/conf"
	apply -c "$T/conf" --triggers "$T/trig" "$T/rows" >"$T/out" 2>"$T/err" 3>&- 7>&- &
	exec 7>"$T/rows"
	header >&7
	next() { # a frame, waited for; then what is held, and what was done
		local n
		n=$(grep -cP '\t\*\t' "$T/out" || true)
		printf '%s\n' '192.0.2.1 RATE_SOFT' '192.0.2.2 RATE_HARD' '192.0.2.3 BLOCK' | frame 0 >&7
		answered $((n + 1)) >&2
		echo "$(holds | cut -d ' ' -f 3-4 | paste -sd' ') $(done_ "$T/out" | tail -n 3 | cut -d ' ' -f 3 | paste -sd' ')"
	}
	keeps() { printf 'key\tvalue\ntrig-pps\t%s\n' "$1" >"$T/new" && mv "$T/new" "$T/trig"; }
	[ "$(next)" = "- - 500 1000 100 200 limit limit deny" ]
	keeps 400.5
	[ "$(next)" = "- - 200 400 40 80 limit limit none" ]
	[ "$(next)" = "- - 200 400 40 80 none none none" ]
	keeps many
	[ "$(next)" = "- - 200 400 40 80 none none none" ]
	rm "$T/trig"
	[ "$(next)" = "- - 200 400 40 80 none none none" ]
	keeps 3000
	[ "$(next)" = "- - 1500 3000 300 600 limit limit none" ]
	exec 7>&-
	wait "$!"
	said "$T/err" "$T/trig:2: not a number, 0 to 1000000000000, for 'trig-pps'" \
		"'$T/trig' is broken; the triggers read before stay" "'$T/trig' is gone; the triggers read before stay"
	# The command line wins; a file that is none is said at once.
	rows() { printf '%s\n' '192.0.2.1 RATE_SOFT' | frames; }
	rows | apply -c "$T/conf" --triggers "$T/trig" --trig-pps 80 >/dev/null
	[ "$(rule list limit | awk -F'\t' '$3 == "192.0.2.1" { print $4 }')" = 40 ]
	keeps many
	run --separate-stderr apply --triggers "$T/trig" /dev/null
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-apply: $T/trig:2: not a number, 0 to 1000000000000, for 'trig-pps'" ]
}

@test "an entry ends with its level; held beyond, it is renewed before half its time is over" {
	wants '192.0.2.1 BLOCK 0 100' '192.0.2.2 BLOCK -40 60' '192.0.2.3 BLOCK -60 40' '192.0.2.4 BLOCK -500 -400' \
		'192.0.2.5 BLOCK' '192.0.2.6 BLOCK 0 0' | apply >"$T/out"
	between 98 100 "$(left 192.0.2.1)"
	between 58 60 "$(left 192.0.2.2)"
	between 98 100 "$(left 192.0.2.3)"
	between 98 100 "$(left 192.0.2.4)"
	between 58 60 "$(left 192.0.2.5)"
	between 58 60 "$(left 192.0.2.6)"
	# Held: .2 has more than half of its 100 s, .1 as well; one of 60 that is wanted for 130 has not.
	wants '192.0.2.1 BLOCK -40 60' '192.0.2.2 BLOCK -40 60' '192.0.2.5 BLOCK 0 130' | apply >"$T/out"
	diff <(done_ "$T/out" | cut -d ' ' -f 1,3) <(printf '%s\n' '192.0.2.1 none' '192.0.2.2 none' '192.0.2.5 deny')
	between 128 130 "$(left 192.0.2.5)"
	between 97 100 "$(left 192.0.2.1)"
}

@test "a level that ends further off than the kernel's clock reaches is held" {
	for until in 18446744073.709 253402300799.000 9223372036854774.000; do
		wants '192.0.2.1 BLOCK' | awk -F'\t' -v OFS='\t' -v u="$until" 'NR == 2 { $5 = "1.000"; $6 = u } 1' >"$T/in"
		[ "$(apply "$T/in" | done_)" = "192.0.2.1 BLOCK deny ok" ]
		[ "$(holds)" = "deny 192.0.2.1 - - iq" ]
		rule flush deny
	done
}

@test "what nobody holds ends in the kernel; the next run sweeps it out, with a receipt" {
	wants '192.0.2.1 BLOCK 0 0.4' '192.0.2.2 RATE_SOFT 0 60' | apply >/dev/null
	sleep 0.5
	bpftool -j map dump pinned "$PINS/kernloom_deny4_hash" | jq -e 'length == 1' >/dev/null
	printf '' | frames | apply >"$T/out"
	diff <(cut -f 2- "$T/out") <(printf '%b' 'src\tlevel\tfrom\tsince\tuntil\tstrikes\tsev\twhy\taction\tresult\n' \
		'192.0.2.1\tOBSERVE\t-\t-\t-\t-\t-\t-\trelease\tok\n' '*\t-\t-\t-\t-\t-\t-\t-\t-\t-\n')
	bpftool -j map dump pinned "$PINS/kernloom_deny4_hash" | jq -e 'length == 0' >/dev/null
	[ "$(holds)" = "limit 192.0.2.2 20 40 iq" ]
}

# A stream: lines for kl-apply come through descriptor 7, receipts into $T/out.
stream() {
	mkfifo "$T/fifo"
	kl-apply -p "$PINS" <"$T/fifo" >"$T/out" 2>"$T/err" &
	STREAM=$!
	exec 7>"$T/fifo"
	header >&7
}

# answered N: waits until N frames have been answered.
answers() { [ "$(grep -cP '\t\*\t' "$T/out")" -ge "$1" ]; }
answered() { ERR=$T/err until_true answers "$1"; }

@test "stream: a short level that is held never lapses; the receipts come at each star row" {
	stream
	for i in 1 2 3 4 5 6 7 8; do
		echo '192.0.2.1 BLOCK 0 0.6' | frame 0 >&7
		answered "$i"
		[ "$(holds)" = "deny 192.0.2.1 - - iq" ]
		sleep 0.2
	done
	exec 7>&-
	wait "$STREAM"
	[ "$(done_ "$T/out" | grep -c deny)" -ge 2 ]
	for i in {1..100}; do		# a lease is three ticks, and a tick as long as the machine made it
		[ -n "$(holds)" ] || break
		sleep 0.1
	done
	[ "$(holds)" = "" ]
}

@test "stream: killed between two frames and started again, nothing flaps" {
	stream
	printf '%s\n' '192.0.2.1 BLOCK 0 60' '192.0.2.2 RATE_SOFT 0 60' | frame 0 >&7
	answered 1
	kill -KILL "$STREAM"
	wait "$STREAM" || true
	exec 7>&-
	[ "$(holds | wc -l)" -eq 2 ]
	rm "$T/fifo"
	stream
	printf '%s\n' '192.0.2.1 BLOCK 0 60' '192.0.2.2 RATE_SOFT 0 60' | frame 0 >&7
	answered 1
	[ "$(done_ "$T/out" | cut -d ' ' -f 3- | sort -u)" = "none ok" ]
	echo '192.0.2.1 OBSERVE' | frame 0 >&7
	answered 2
	[ "$(holds)" = "limit 192.0.2.2 20 40 iq" ]
	exec 7>&-
	wait "$STREAM"
}

@test "stream: an entry deleted by hand comes back, one of other rates is put right" {
	stream
	for i in 1 2; do
		printf '%s\n' '192.0.2.1 BLOCK 0 60' '192.0.2.2 RATE_SOFT 0 60' | frame 0 >&7
		answered "$i"
	done
	[ "$(done_ "$T/out" | tail -n 2 | cut -d ' ' -f 3 | sort -u)" = none ]
	rule del deny 192.0.2.1
	rule add limit 192.0.2.2 --rate 99 --owner iq
	printf '%s\n' '192.0.2.1 BLOCK 0 60' '192.0.2.2 RATE_SOFT 0 60' | frame 0 >&7
	answered 3
	diff <(holds) <(printf '%s\n' 'deny 192.0.2.1 - - iq' 'limit 192.0.2.2 20 40 iq')
	exec 7>&-
	wait "$STREAM"
}

@test "stream: the lock is held for a frame, not for ever" {
	stream
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 1
	[ "$(wants '192.0.2.2 BLOCK' | bounded 5 kl-apply -p "$PINS" | done_)" = "192.0.2.2 BLOCK deny ok" ]
	bounded 5 kl-rule -p "$PINS" add deny 192.0.2.3
	# And it is held then: a frame waits for whoever has it.
	exec 8<"$PINS"
	flock 8
	echo '192.0.2.1 OBSERVE' | frame 0 >&7
	sleep 0.3
	[ "$(grep -cP '\t\*\t' "$T/out")" -eq 1 ]
	exec 8<&-
	answered 2
	exec 7>&-
	wait "$STREAM"
}

@test "stream: the instance goes, or another takes its place: status 4, one line" {
	stream
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 1
	in_here kl-attach -p "$PINS" --detach
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	st=0
	wait "$STREAM" || st=$?
	[ "$st" -eq 4 ]
	[ "$(wc -l <"$T/err")" -eq 1 ]
	grep -q "^kl-apply: lost '$PINS': kernloom_[a-z0-9_]*: No such file or directory$" "$T/err"
	exec 7>&-
	rm "$T/fifo"
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	stream
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 1
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	st=0
	wait "$STREAM" || st=$?
	[ "$st" -eq 4 ]
	grep -q "^kl-apply: lost '$PINS': kernloom_[a-z0-9_]*: Stale file handle$" "$T/err"
}

@test "the operator's entries are left alone" {
	rule add deny 192.0.2.1
	rule add limit 192.0.2.2 --rate 1
	rule add deny 192.0.2.3
	rule add limit 192.0.2.4 --rate 1
	rule list >"$T/before"
	wants '192.0.2.1 BLOCK' '192.0.2.2 RATE_HARD' '192.0.2.3 OBSERVE' '192.0.2.4 OBSERVE' | apply --sync >"$T/out"
	diff <(done_ "$T/out") - <<-'END'
		192.0.2.1 BLOCK keep ok
		192.0.2.2 RATE_HARD keep ok
		192.0.2.3 OBSERVE none ok
		192.0.2.4 OBSERVE none ok
	END
	diff <(cut -f 2- "$T/before") <(rule list | cut -f 2-)
	# Beside them, in the other table, ours may stand.
	wants '192.0.2.2 BLOCK' '192.0.2.1 RATE_SOFT' | apply | done_ | diff - <(printf '%s\n' '192.0.2.2 BLOCK deny ok' '192.0.2.1 RATE_SOFT limit ok')
	diff <(holds) - <<-'END'
		deny 192.0.2.1 - - operator
		deny 192.0.2.2 - - iq
		deny 192.0.2.3 - - operator
		limit 192.0.2.1 20 40 iq
		limit 192.0.2.2 1 2 operator
		limit 192.0.2.4 1 2 operator
	END
}

@test "stream: an entry the operator took over is his from then on; one he removed is ours again" {
	stream
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 1
	rule add deny 192.0.2.1
	echo '192.0.2.1 OBSERVE' | frame 0 >&7
	answered 2
	[ "$(holds)" = "deny 192.0.2.1 - - operator" ]
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 3
	[ "$(done_ "$T/out" | tail -n 1)" = "192.0.2.1 BLOCK keep ok" ]
	rule del deny 192.0.2.1
	echo '192.0.2.1 BLOCK 0 60' | frame 0 >&7
	answered 4
	[ "$(holds)" = "deny 192.0.2.1 - - iq" ]
	exec 7>&-
	wait "$STREAM"
}

@test "--sync removes the iq entries a frame does not name, and only those" {
	rule add deny 192.0.2.1 --owner iq --ttl 1h
	rule add limit 192.0.2.2 --owner iq --rate 1
	rule add deny 192.0.2.3
	wants '192.0.2.4 BLOCK' | apply >"$T/out"
	[ "$(holds | wc -l)" -eq 4 ]
	wants '192.0.2.4 BLOCK' | apply --sync >"$T/out"
	diff <(done_ "$T/out" | sort) <(printf '%s\n' '192.0.2.1 OBSERVE release ok' '192.0.2.2 OBSERVE release ok' '192.0.2.4 BLOCK none ok')
	diff <(holds) <(printf '%s\n' 'deny 192.0.2.3 - - operator' 'deny 192.0.2.4 - - iq')
}

@test "--sync removes nothing in a frame that has a bad row" {
	rule add deny 192.0.2.1 --owner iq --ttl 1h
	wants '192.0.2.1x BLOCK' '192.0.2.4 BLOCK' >"$T/in"
	run --separate-stderr apply --sync "$T/in"
	[ "$status" -eq 1 ]
	diff <(holds) <(printf '%s\n' 'deny 192.0.2.1 - - iq' 'deny 192.0.2.4 - - iq')
}

@test "bad rows: told with file and line, left out, status 1; the others are carried out" {
	wants '192.0.2.1 BLOCK' '192.0.2 BLOCK' '192.0.2.2 BLOCK' >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-apply: $T/in:3: src: not an address or prefix '192.0.2'" ]
	[ "$(done_ <<<"$output")" = "$(printf '%s\n' '192.0.2.1 BLOCK deny ok' '192.0.2.2 BLOCK deny ok')" ]
	wants '192.0.2.1 BLOCKED' >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-apply: $T/in:2: level: not OBSERVE, RATE_SOFT, RATE_HARD or BLOCK 'BLOCKED'" ]
	wants '192.0.2.1 BLOCK' '192.0.2.1 OBSERVE' >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-apply: $T/in:3: src: twice in a frame '192.0.2.1'" ]
	wants '192.0.2.1 BLOCK 0 60' | awk -F'\t' -v OFS='\t' 'NR == 2 { $6 = "soon" } 1' >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 1 ]
	[[ $stderr == "kl-apply: $T/in:2: until: "*"'soon'" ]]
}

@test "a frame without its star row is not carried out, status 3; the whole ones around it are" {
	{
		header
		echo '192.0.2.1 BLOCK' | frame 0
		echo '192.0.2.2 BLOCK' | frame 1 | head -n 1
		echo '192.0.2.3 BLOCK' | frame 2
		echo '192.0.2.4 BLOCK' | frame 3 | head -n 1
	} >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 3 ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "$(done_ <<<"$output")" = "$(printf '%s\n' '192.0.2.1 BLOCK deny ok' '192.0.2.3 BLOCK deny ok')" ]
	diff <(holds) <(printf 'deny %s - - iq\n' 192.0.2.1 192.0.2.3)
}

@test "what a cut frame named is not taken for wanted: --sync of the next one removes it" {
	rule add deny 192.0.2.2 --owner iq --ttl 1h
	{
		header
		echo '192.0.2.2 BLOCK' | frame 0 | head -n 1
		echo '192.0.2.3 BLOCK' | frame 1
	} >"$T/in"
	run --separate-stderr apply --sync "$T/in"
	[ "$status" -eq 3 ]
	[ "$(holds)" = "deny 192.0.2.3 - - iq" ]
}

@test "old frames and frames of the future are refused whole: receipts, one line a frame, status 1" {
	rule add deny 192.0.2.9 --owner iq --ttl 1h
	{
		header
		printf '%s\n' '192.0.2.1 BLOCK' '192.0.2.2 RATE_SOFT' | frame -3600
		echo '192.0.2.3 BLOCK' | frame 3600
	} >"$T/in"
	run --separate-stderr apply --sync "$T/in"
	[ "$status" -eq 1 ]
	echo "$stderr" >"$T/err"
	said "$T/err" "frame T refused: N s old (--max-age)" "frame T refused: N s in the future (--max-age)"
	diff <(done_ <<<"$output") - <<-'END'
		192.0.2.1 BLOCK none stale
		192.0.2.2 RATE_SOFT none stale
		192.0.2.3 BLOCK none stale
	END
	[ "$(holds)" = "deny 192.0.2.9 - - iq" ]
	{ header; echo '192.0.2.1 BLOCK' | frame -8; echo '192.0.2.2 BLOCK' | frame 8; } >"$T/in"
	apply "$T/in" >/dev/null
	run --separate-stderr apply --max-age 5s "$T/in"
	[ "$status" -eq 1 ]
	[ "$(done_ <<<"$output" | cut -d ' ' -f 4 | sort -u)" = stale ]
	{ header; echo '192.0.2.1 OBSERVE' | frame -3600; } | apply --max-age 2h >/dev/null
	[ "$(holds | wc -l)" -eq 2 ]
}

@test "--max-new-blocks: the rest gets the hard limit, is told once a frame, and is denied later" {
	wants '192.0.2.1 BLOCK' '192.0.2.2 BLOCK' '192.0.2.3 BLOCK' >"$T/in"
	rule add limit 192.0.2.3 --rate 77
	run --separate-stderr apply --max-new-blocks 1 "$T/in"
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-apply: 2 sources limited, not denied: over --max-new-blocks 1" ]
	diff <(done_ <<<"$output") - <<-'END'
		192.0.2.1 BLOCK deny ok
		192.0.2.2 BLOCK limit capped
		192.0.2.3 BLOCK keep capped
	END
	diff <(holds) - <<-'END'
		deny 192.0.2.1 - - iq
		limit 192.0.2.2 5 10 iq
		limit 192.0.2.3 77 154 operator
	END
	run --separate-stderr apply --max-new-blocks 1 "$T/in"
	[ "$(done_ <<<"$output" | cut -d ' ' -f 3- | paste -sd,)" = "none ok,deny ok,keep capped" ]
	run --separate-stderr apply --max-new-blocks 1 "$T/in"
	[ "$stderr" = "" ]
	[ "$(done_ <<<"$output" | cut -d ' ' -f 3- | paste -sd,)" = "none ok,none ok,deny ok" ]
	rule flush deny
	run --separate-stderr apply --max-new-blocks 0 "$T/in"
	[ "$(done_ <<<"$output" | cut -d ' ' -f 3- | paste -sd,)" = "limit capped,limit capped,keep capped" ]
	[ "$(rule list deny | wc -l)" -eq 2 ]
}

@test "a thousand new blocks a frame by default" {
	for ((i = 0; i < 1003; i++)); do echo "10.9.$((i / 256)).$((i % 256)) BLOCK"; done | frames >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$stderr" = "kl-apply: 3 sources limited, not denied: over --max-new-blocks 1000" ]
	[ "$(done_ <<<"$output" | cut -d ' ' -f 4 | sort | uniq -c | tr -s ' \n' ' ')" = " 3 capped 1000 ok " ]
}

@test "-n writes nothing, tells what would be done, and each change once" {
	rule add deny 192.0.2.1 --owner iq --ttl 1h
	rule add deny 192.0.2.2
	holds >"$T/before"
	{
		header
		printf '%s\n' '192.0.2.1 OBSERVE' '192.0.2.2 BLOCK' '192.0.2.3 RATE_SOFT 0 60' '192.0.2.4 OBSERVE' | frame 0
		printf '%s\n' '192.0.2.3 RATE_SOFT 0 60' | frame 1
	} >"$T/in"
	run --separate-stderr apply -n "$T/in"
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(done_ <<<"$output") - <<-'END'
		192.0.2.1 OBSERVE release dry
		192.0.2.2 BLOCK keep dry
		192.0.2.3 RATE_SOFT limit dry
		192.0.2.4 OBSERVE none dry
		192.0.2.3 RATE_SOFT none dry
	END
	diff <(holds) "$T/before"
	[ "$(wants '192.0.2.3 BLOCK' | apply --dry-run --max-new-blocks 0 2>/dev/null | done_)" = "192.0.2.3 BLOCK limit capped" ]
	diff <(holds) "$T/before"
}

@test "-n needs no instance, and no privilege for that" {
	wants '192.0.2.3 BLOCK' >"$T/in"
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$(command -v kl-apply)" -n -p "$T/none" "$T/in"
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$(done_ <<<"$output")" = "192.0.2.3 BLOCK deny dry" ]
}

@test "a full map: told once a frame, receipts, the old entry stays, tried again; status 1" {
	awk 'BEGIN { for (i = 0; i < 65536; i++) printf "10.%d.%d.0/24\n", i / 256, i % 256 }' >"$T/full"
	rule load limit "$T/full" --rate 1
	rule add deny 192.0.2.0/24 --owner iq --ttl 1h
	wants '192.0.2.0/24 RATE_SOFT' '198.51.100.0/24 RATE_HARD' '198.51.100.1 RATE_HARD' '2001:db8::/64 RATE_SOFT' >"$T/in"
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-apply: 2 of 4 changes failed: kernloom_rl_policy4_lpm (65536 entries): full" ]
	diff <(done_ <<<"$output") - <<-'END'
		192.0.2.0/24 RATE_SOFT limit full
		198.51.100.0/24 RATE_HARD limit full
		198.51.100.1 RATE_HARD limit ok
		2001:db8::/64 RATE_SOFT limit ok
	END
	[ "$(holds | grep -v '^limit 10\.')" = "$(printf '%s\n' 'deny 192.0.2.0/24 - - iq' 'limit 198.51.100.1 5 10 iq' 'limit 2001:db8::/64 20 40 iq')" ]
	rule del limit 10.0.0.0/24 10.0.1.0/24
	run --separate-stderr apply "$T/in"
	[ "$status" -eq 0 ]
	[ "$(holds | grep -vc '^limit 10\.')" -eq 4 ]
	[ "$(holds | grep -c '^deny')" -eq 0 ]
}

@test "the start fails: nothing attached, a pin missing, another ABI, no privilege; status 4, one line" {
	fails() { # MESSAGE COMMAND...
		local line=$1
		shift
		run --separate-stderr "$@" "$T/in"
		[ "$status" -eq 4 ]
		[ "$output" = "" ]
		diff <(echo "$stderr") <(echo "kl-apply: cannot open $line")
	}
	wants '192.0.2.3 BLOCK' >"$T/in"
	fails "'/no/where': nothing is attached there (kl-attach IFACE)" kl-apply -p /no/where
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	fails "'$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" apply
	fails "'$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" apply -n
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	fails "'$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-apply)" -p "$PINS"
	rm "$PINS/kernloom_deny6_lpm"
	fails "'$PINS': pin kernloom_deny6_lpm is missing: detach and attach again" apply
}

@test "called wrongly, bad settings, broken input" {
	bad() { # STATUS MESSAGE COMMAND...
		local want=$1 line=$2
		shift 2
		run --separate-stderr "$@"
		[ "$status" -eq "$want" ]
		diff <(echo "$stderr") <(echo "kl-apply: $line")
	}
	wants '192.0.2.3 BLOCK' >"$T/in"
	bad 2 "more than one FILE: 'b'" apply a b
	bad 2 "bad value '0' for --soft-rate: a whole number, 1 to 4294967295" apply --soft-rate 0 "$T/in"
	bad 2 "bad value '-1' for --max-new-blocks: a whole number, 0 to 4294967295" apply --max-new-blocks -1 "$T/in"
	bad 2 "bad value 'x' for --hard-rate-factor: a number >= 0" apply --hard-rate-factor x "$T/in"
	bad 2 "unknown option '--owner'" apply --owner iq "$T/in"
	printf 'key\tvalue\nsoft-burst\tmany\n' >"$T/conf"
	bad 2 "$T/conf:2: bad value 'many' for soft-burst: a whole number, 1 to 4294967295" apply -c "$T/conf" "$T/in"
	bad 4 "cannot read '/no/file': No such file or directory" apply /no/file
	bad 3 "stdin: empty: not even a header" apply </dev/null
	cut -f 1-2,4- "$T/in" >"$T/less"
	bad 3 "$T/less:1: missing column 'level'" apply "$T/less"
	awk -F'\t' -v OFS='\t' '{ print $0, NR == 1 ? "result" : "ok" }' "$T/in" >"$T/more"
	bad 3 "$T/more:1: column is already there 'result'" apply "$T/more"
	run --separate-stderr bash -c 'kl-apply -p "$1" "$2" >/dev/full' bash "$PINS" "$T/in"
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-apply: cannot write stdout: No space left on device" ]
}

@test "many: 80,000 new verdicts beside 100,000 rules of the operator, then unchanged" {
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "11.%d.%d.%d\n", i / 65536, i / 256 % 256, i % 256 }' >"$T/list"
	rule load limit "$T/list" --rate 9
	awk 'BEGIN { for (i = 0; i < 80000; i++) printf "%d.%d.%d.%d RATE_SOFT 0 600\n", i % 8 ? 12 : 11, i / 65536, i / 256 % 256, i % 256 }' |
		frames >"$T/in"
	apply "$T/in" | done_ | cut -d ' ' -f 3- | sort | uniq -c | tr -s ' \n' ' ' >"$T/sum"
	[ "$(cat "$T/sum")" = " 10000 keep ok 70000 limit ok " ]
	[ "$(holds | grep -c ' iq$')" -eq 70000 ]
	[ "$(holds | grep -c ' 9 18 operator$')" -eq 100000 ]
	apply "$T/in" | done_ | cut -d ' ' -f 3- | sort | uniq -c | tr -s ' \n' ' ' >"$T/sum"
	[ "$(cat "$T/sum")" = " 10000 keep ok 70000 none ok " ]
	printf '' | frames | apply --sync | done_ | cut -d ' ' -f 3- | sort | uniq -c | tr -s ' \n' ' ' >"$T/sum"
	[ "$(cat "$T/sum")" = " 70000 release ok " ]
	[ "$(holds | grep -c ' iq$')" -eq 0 ]
}
