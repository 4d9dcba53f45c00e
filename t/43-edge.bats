#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-rule on the edge tables, its sync on all six, and what the packet path makes of edges.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 in0 >/dev/null
	edge_mode deny
}

teardown() { lab_down; }

# edge_mode off|deny|allow: all the features there are.
edge_mode() {
	local -A bits=([off]=0 [deny]=1024 [allow]=2048)
	"$HELPERS/poke" "$PINS/kernloom_cfg" 8 "${bits[$1]}"
}

rule() { kl-rule -p "$PINS" "$@"; }

# What list prints, without time and end: table key port/proto rate burst owner hits.
rules() { rule list "$@" | awk -F'\t' '$1 != "time" && $3 != "*" { print $2, $3, $9 "/" $10, $4, $5, $7, $8 }'; }

# says STATUS MESSAGE COMMAND...: nothing on stdout, one line on stderr.
says() {
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	[ "$output" = "" ]
	diff <(echo "$stderr") <(echo "kl-rule: $line")
}

# quiet COMMAND...: done, and nothing said.
quiet() {
	run --separate-stderr "$@"
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
}

# What every write of a rule changes: the generations of sources and of edges.
generations() {
	local pin
	for pin in kernloom_cfg kernloom_edge4_cfg kernloom_edge6_cfg; do
		bpftool -j map dump pinned "$PINS/$pin" | jq -c '.[0].value'
	done
}

# passed SRC KEY=VALUE...: how many of three packets came through.
passed() {
	local src=$1 dst=10.77.0.2
	shift
	[[ $src != *:* ]] || dst=fd77::2
	got "$src" peer_send -c 3 src="$src" dst=$dst "$@"
}

@test "add: each table, family and protocol; list shows source, port and protocol" {
	quiet rule add edge-allow 192.0.2.1 443/tcp
	quiet rule add edge-allow 192.0.2.1 53/udp --owner graph
	quiet rule add edge-allow 192.0.2.1 0/icmp
	quiet rule add edge-allow 2001:db8::1 0/icmp
	quiet rule add edge-allow 2001:db8::1 0/1
	quiet rule add edge-deny 192.0.2.1/32 9/sctp
	quiet rule add edge-deny 192.0.2.1 0/gre
	quiet rule add edge-deny ::ffff:192.0.2.2 65535/17
	quiet rule add edge-deny 2001:db8::1 0/255
	quiet rule add edge-deny 2001:db8::1 1/6 --owner iq
	quiet rule add edge-limit 192.0.2.1 443/tcp --rate 20
	quiet rule add edge-limit 2001:db8::1 0/esp --rate 4294967295 --burst 1
	diff <(rules) - <<-'END'
		edge-allow 192.0.2.1 0/icmp - - operator -
		edge-allow 192.0.2.1 443/tcp - - operator -
		edge-allow 192.0.2.1 53/udp - - graph -
		edge-allow 2001:db8::1 0/1 - - operator -
		edge-allow 2001:db8::1 0/icmp - - operator -
		edge-deny 192.0.2.1 0/47 - - operator 0
		edge-deny 192.0.2.1 9/132 - - operator 0
		edge-deny 192.0.2.2 65535/udp - - operator 0
		edge-deny 2001:db8::1 1/tcp - - iq 0
		edge-deny 2001:db8::1 0/255 - - operator 0
		edge-limit 192.0.2.1 443/tcp 20 40 operator 0
		edge-limit 2001:db8::1 0/50 4294967295 1 operator 0
	END
	[ "$(rules edge-limit | wc -l)" -eq 2 ]
	[ "$(rule list | tail -n 1 | cut -f 2-)" = "$(printf -- '-\t*\t-\t-\t-\t-\t12\t-\t-')" ]
	bpftool -j map dump pinned "$PINS/kernloom_edge4_deny" | jq -e 'length == 3'
	bpftool -j map dump pinned "$PINS/kernloom_edge6_allow" | jq -e 'length == 2'
}

@test "add replaces an edge: rate, burst, end, owner" {
	rule add edge-limit 192.0.2.1 53/udp --rate 5 --ttl 1h --owner graph
	[ "$(rules)" = "edge-limit 192.0.2.1 53/udp 5 10 graph 0" ]
	[ "$(rule list | awk -F'\t' 'NR == 2 { print ($6 - $1 > 3590 && $6 - $1 <= 3600) }')" -eq 1 ]
	rule add edge-limit 192.0.2.1 53/udp --rate 7 --burst 9
	[ "$(rules)" = "edge-limit 192.0.2.1 53/udp 7 9 operator 0" ]
	[ "$(rule list | sed -n 2p | cut -f 6)" = - ]
}

@test "del: pairs; an absent one is told, the others go; flush: one table, all owners or one" {
	for port in 1 2 3; do rule add edge-deny 192.0.2.1 $port/tcp; done
	rule add edge-deny 2001:db8::1 1/udp --owner graph
	rule add edge-deny 2001:db8::1 0/icmp --owner iq
	rule add edge-allow 192.0.2.1 1/tcp
	quiet rule del edge-deny 192.0.2.1 1/tcp 192.0.2.1 3/tcp
	says 1 "table edge-deny has no rule '192.0.2.1 2/udp'" rule del edge-deny 192.0.2.1 2/udp 192.0.2.1 2/tcp
	says 1 "table edge-deny has no rule '2001:db8::1 0/1'" rule del edge-deny 2001:db8::1 0/1
	diff <(rules edge-deny) - <<-'END'
		edge-deny 2001:db8::1 1/udp - - graph 0
		edge-deny 2001:db8::1 0/icmp - - iq 0
	END
	quiet rule flush edge-deny --owner graph
	[ "$(rules edge-deny)" = "edge-deny 2001:db8::1 0/icmp - - iq 0" ]
	quiet rule flush edge-deny
	[ "$(rules)" = "edge-allow 192.0.2.1 1/tcp - - operator -" ]
}

@test "load: SRC PORT/PROTO a line, blanks or TABs, comments, more words; options" {
	printf '%s\n' '# learned' '192.0.2.1 443/tcp' '' $'  2001:db8::1\t 53/udp\tseen often' \
		'192.0.2.1 0/icmp # echo' '; the end' $'192.0.2.1 443/tcp\r' >"$BATS_TEST_TMPDIR/list"
	quiet rule load edge-allow "$BATS_TEST_TMPDIR/list" --owner graph --ttl 1h
	diff <(rules) - <<-'END'
		edge-allow 192.0.2.1 0/icmp - - graph -
		edge-allow 192.0.2.1 443/tcp - - graph -
		edge-allow 2001:db8::1 53/udp - - graph -
	END
	rule list | awk -F'\t' '$3 != "*" && NR > 1 && $6 - $1 < 3590 { exit 1 }'
	rule load edge-limit - --rate 7 <"$BATS_TEST_TMPDIR/list"
	[ "$(rules edge-limit | sed -n 3p)" = "edge-limit 2001:db8::1 53/udp 7 14 operator 0" ]
	quiet rule load edge-deny /dev/null
}

@test "load: bad lines are told with their place, ten of them, the good ones go in, status 1" {
	printf '%s\n' '192.0.2.1 443/tcp' 192.0.2.300 192.0.2.2 '192.0.2.0/24 1/tcp' '192.0.2.3 0/tcp' '192.0.2.3 8/icmp' \
		'192.0.2.3 x/tcp' '192.0.2.3 1/tpc' '192.0.2.3,443/tcp' '192.0.2.9 53/udp' >"$BATS_TEST_TMPDIR/list"
	local l=$BATS_TEST_TMPDIR/list
	run --separate-stderr rule load edge-deny "$l"
	[ "$status" -eq 1 ]
	[ "$output" = "" ]
	diff <(echo "$stderr") - <<-END
		kl-rule: $l:2: not an address '192.0.2.300'
		kl-rule: $l:3: not PORT/PROTO ''
		kl-rule: $l:4: an edge has one address, not a prefix '192.0.2.0/24'
		kl-rule: $l:5: this protocol has ports, and 0 is none '0/tcp'
		kl-rule: $l:6: this protocol has no ports: its port is 0 '8/icmp'
		kl-rule: $l:7: not PORT/PROTO 'x/tcp'
		kl-rule: $l:8: unknown protocol '1/tpc'
		kl-rule: $l:9: not PORT/PROTO ''
	END
	diff <(rules) <(printf 'edge-deny 192.0.2.%s - - operator 0\n' '1 443/tcp' '9 53/udp')
	yes nothing | head -n 13 >"$l"
	run --separate-stderr rule load edge-deny <"$l"
	[ "$status" -eq 1 ]
	[ "${#stderr_lines[@]}" -eq 11 ]
	[ "${stderr_lines[9]}" = "kl-rule: stdin:10: not an address 'nothing'" ]
	[ "${stderr_lines[10]}" = "kl-rule: stdin: 3 more bad lines" ]
	says 4 "cannot read '/no/list': No such file or directory" rule load edge-deny /no/list
}

@test "called wrongly: one line, status 2, nothing changed" {
	says 2 "add edge-deny: no SRC PORT/PROTO given" rule add edge-deny
	says 2 "no PORT/PROTO behind '192.0.2.1'" rule add edge-deny 192.0.2.1
	says 2 "no PORT/PROTO behind '192.0.2.2'" rule del edge-deny 192.0.2.1 1/tcp 192.0.2.2
	says 2 "add: one operand too many: '192.0.2.2'" rule add edge-deny 192.0.2.1 1/tcp 192.0.2.2 2/tcp
	says 2 "an edge has one address, not a prefix: '192.0.2.0/24'" rule add edge-deny 192.0.2.0/24 1/tcp
	says 2 "an edge has one address, not a prefix: '2001:db8::1/64'" rule del edge-deny 2001:db8::1/64 1/tcp
	says 2 "not an address: '1/tcp'" rule add edge-deny 1/tcp 192.0.2.1
	says 2 "not PORT/PROTO: '443'" rule add edge-deny 192.0.2.1 443
	says 2 "not PORT/PROTO: '65536/tcp'" rule add edge-deny 192.0.2.1 65536/tcp
	says 2 "unknown protocol: '443/https'" rule add edge-deny 192.0.2.1 443/https
	local proto
	for proto in tcp udp sctp 6; do
		says 2 "this protocol has ports, and 0 is none: '0/$proto'" rule add edge-deny 192.0.2.1 "0/$proto"
	done
	for proto in icmp gre 47 0; do
		says 2 "this protocol has no ports: its port is 0: '7/$proto'" rule add edge-deny 192.0.2.1 "7/$proto"
	done
	says 2 "add edge-limit: --rate is missing" rule add edge-limit 192.0.2.1 1/tcp
	says 2 "load edge-limit: --rate is missing" rule load edge-limit /dev/null
	says 2 "sync edge-limit: --rate is missing" rule sync edge-limit /dev/null --owner iq
	says 2 "sync edge-deny: --owner is missing" rule sync edge-deny /dev/null
	says 2 "sync: no table given: allow, deny, limit, edge-allow, edge-deny or edge-limit" rule sync --owner iq
	says 2 "sync: one operand too many: 'b'" rule sync edge-deny /dev/null b --owner iq
	says 2 "add edge-deny takes no --rate" rule add edge-deny 192.0.2.1 1/tcp --rate 5
	says 2 "sync edge-allow takes no --burst" rule sync edge-allow /dev/null --owner iq --burst 5
	says 2 "add takes no --dry-run" rule add edge-deny 192.0.2.1 1/tcp -n
	says 2 "load takes no --dry-run" rule load edge-deny /dev/null --dry-run
	[ "$(rules)" = "" ]
}

@test "while edge-mode is off, making an edge warns, once; what concerns sources does not" {
	local off="edge-mode is off: nothing applies this yet (kl-set edge-mode deny|allow)"
	edge_mode off
	says 0 "$off" rule add edge-deny 192.0.2.1 1/tcp
	says 0 "$off" rule load edge-allow - <<<$'192.0.2.1 1/tcp\n192.0.2.1 2/tcp'
	says 0 "$off" rule sync edge-limit - --owner graph --rate 5 <<<"192.0.2.1 1/tcp"
	quiet rule sync edge-limit - --owner graph --rate 5 <<<"192.0.2.1 1/tcp"
	quiet rule del edge-deny 192.0.2.1 1/tcp
	quiet rule flush edge-limit
	quiet rule add deny 192.0.2.1
	[ "$(rules | wc -l)" -eq 3 ]
	edge_mode allow
	quiet rule add edge-deny 192.0.2.1 1/tcp
}

@test "sync: put what is missing or differs, remove the rest, again: nothing is written" {
	local was
	printf '%s\n' '192.0.2.1 1/tcp' '192.0.2.1 2/tcp' '2001:db8::1 0/icmp' '192.0.2.1 2/tcp' >"$BATS_TEST_TMPDIR/list"
	was=$(generations)
	[ "$(rule sync edge-limit -n --owner graph --rate 5 <"$BATS_TEST_TMPDIR/list")" = "put 3 del 0" ]
	[ "$(rules)" = "" ]
	[ "$(generations)" = "$was" ]
	quiet rule sync edge-limit "$BATS_TEST_TMPDIR/list" --owner graph --rate 5
	diff <(rules) - <<-'END'
		edge-limit 192.0.2.1 1/tcp 5 10 graph 0
		edge-limit 192.0.2.1 2/tcp 5 10 graph 0
		edge-limit 2001:db8::1 0/icmp 5 10 graph 0
	END
	run ! test "$(generations)" = "$was"
	was=$(generations)
	quiet rule sync edge-limit "$BATS_TEST_TMPDIR/list" --owner graph --rate 5
	[ "$(generations)" = "$was" ]
	[ "$(rule sync edge-limit --dry-run --owner graph --rate 5 "$BATS_TEST_TMPDIR/list")" = "put 0 del 0" ]
	# Other values, and two rules less and one more.
	[ "$(rule sync edge-limit -n --owner graph --rate 5 --burst 9 "$BATS_TEST_TMPDIR/list")" = "put 3 del 0" ]
	printf '%s\n' '192.0.2.1 2/tcp' '192.0.2.1 3/udp' >"$BATS_TEST_TMPDIR/list"
	[ "$(rule sync edge-limit -n --owner graph --rate 5 "$BATS_TEST_TMPDIR/list")" = "put 1 del 2" ]
	quiet rule sync edge-limit --owner graph --rate 6 "$BATS_TEST_TMPDIR/list"
	diff <(rules) - <<-'END'
		edge-limit 192.0.2.1 2/tcp 6 12 graph 0
		edge-limit 192.0.2.1 3/udp 6 12 graph 0
	END
	quiet rule sync edge-limit --owner graph --rate 6 /dev/null
	[ "$(rules)" = "" ]
}

@test "sync: other owners' rules stand, and are told when the list names them; what ended is free" {
	rule add edge-deny 192.0.2.1 1/tcp
	rule add edge-deny 192.0.2.1 2/tcp --owner iq
	rule add edge-deny 192.0.2.1 3/tcp --owner graph
	rule add edge-deny 192.0.2.1 4/tcp --ttl 1ms
	rule add edge-deny 192.0.2.1 5/tcp --ttl 1ms
	printf '192.0.2.1 %s/tcp\n' 1 2 4 6 >"$BATS_TEST_TMPDIR/list"
	says 1 "table edge-deny: 2 rules of the list are another owner's and stay so" \
		rule sync edge-deny --owner graph "$BATS_TEST_TMPDIR/list"
	# The ended one that nobody wants is not ours to remove.
	bpftool -j map dump pinned "$PINS/kernloom_edge4_deny" | jq -e 'length == 5'
	diff <(rules) - <<-'END'
		edge-deny 192.0.2.1 1/tcp - - operator 0
		edge-deny 192.0.2.1 2/tcp - - iq 0
		edge-deny 192.0.2.1 4/tcp - - graph 0
		edge-deny 192.0.2.1 6/tcp - - graph 0
	END
	run --separate-stderr rule sync edge-deny -n --owner graph "$BATS_TEST_TMPDIR/list"
	[ "$status" -eq 1 ]
	[ "$output" = "put 0 del 0" ]
}

@test "sync --ttl: written again when less than half of the time is left, or another end is wanted" {
	echo '192.0.2.1 1/tcp' >"$BATS_TEST_TMPDIR/list"
	counts() { rule sync edge-deny -n --owner graph "$@" "$BATS_TEST_TMPDIR/list"; }
	rule sync edge-deny --owner graph --ttl 1h "$BATS_TEST_TMPDIR/list"
	rule list | awk -F'\t' 'NR == 2 && ($6 - $1 < 3590 || $6 - $1 > 3600) { exit 1 }'
	[ "$(counts --ttl 1h)" = "put 0 del 0" ]
	[ "$(counts --ttl 90m)" = "put 0 del 0" ]
	[ "$(counts --ttl 3h)" = "put 1 del 0" ]
	[ "$(counts --ttl 30m)" = "put 1 del 0" ]
	[ "$(counts)" = "put 1 del 0" ]
	rule sync edge-deny --owner graph "$BATS_TEST_TMPDIR/list"
	[ "$(rule list | sed -n 2p | cut -f 6)" = - ]
	[ "$(counts --ttl 1h)" = "put 1 del 0" ]
}

@test "sync on the tables of sources: hosts, prefixes, both families" {
	local was table opts
	printf '%s\n' 192.0.2.1 198.51.100.0/24 2001:db8::1 2001:db8:1::/48 >"$BATS_TEST_TMPDIR/list"
	for table in allow deny limit; do
		opts=(--owner graph)
		[[ $table != limit ]] || opts+=(--rate 5)
		rule add "$table" 203.0.113.1 --owner graph "${opts[@]:2}"
		rule add "$table" 203.0.113.2 "${opts[@]:2}"
		[ "$(rule sync "$table" -n "${opts[@]}" "$BATS_TEST_TMPDIR/list")" = "put 4 del 1" ]
		quiet rule sync "$table" "${opts[@]}" "$BATS_TEST_TMPDIR/list"
		diff <(rules "$table" | cut -d ' ' -f 2,6) - <<-'END'
			192.0.2.1 graph
			198.51.100.0/24 graph
			203.0.113.2 operator
			2001:db8::1 graph
			2001:db8:1::/48 graph
		END
		was=$(generations)
		quiet rule sync "$table" "${opts[@]}" "$BATS_TEST_TMPDIR/list"
		[ "$(generations)" = "$was" ]
		quiet rule sync "$table" "${opts[@]}" /dev/null
		[ "$(rules "$table" | cut -d ' ' -f 2)" = 203.0.113.2 ]
	done
}

@test "sync: a broken or missing list changes nothing; an output that cannot be written is told" {
	rule add edge-deny 192.0.2.1 1/tcp --owner graph
	printf '%s\n' '192.0.2.2 1/tcp' '192.0.2.2 tcp' >"$BATS_TEST_TMPDIR/list"
	run --separate-stderr rule sync edge-deny --owner graph "$BATS_TEST_TMPDIR/list"
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	diff <(echo "$stderr") - <<-END
		kl-rule: $BATS_TEST_TMPDIR/list:2: not PORT/PROTO 'tcp'
		kl-rule: table edge-deny stays as it is: the list is broken
	END
	says 4 "cannot read '/no/list': No such file or directory" rule sync edge-deny --owner graph /no/list
	run --separate-stderr bash -c 'kl-rule -p "$1" sync edge-deny -n --owner graph /dev/null >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-rule: cannot write stdout: No space left on device" ]
	[ "$(rules)" = "edge-deny 192.0.2.1 1/tcp - - graph 0" ]
}

@test "a list from another kl-rule: neither waits for the other" {
	copies() {
		kl-rule -p "$1" list edge-allow | awk 'NR > 1 && $3 != "*" { print $3, $9 "/" $10 }' |
			kl-rule -p "$1" load edge-deny
	}
	export -f copies
	printf '%s\n' '192.0.2.1 1/tcp' '192.0.2.1 9/sctp' '2001:db8::1 0/icmp' '192.0.2.1 0/gre' | rule load edge-allow
	for _ in 1 2 3 4 5; do
		rule flush edge-deny
		timeout 10 bash -c 'copies "$1"' bash "$PINS"
		diff <(rules edge-allow | cut -d ' ' -f 2,3) <(rules edge-deny | cut -d ' ' -f 2,3)
	done
	[ "$(rules edge-deny | wc -l)" -eq 4 ]
}

@test "a full table: named with its size and how many went in; nothing in it is lost; what left makes room" {
	local full="kernloom_edge4_rl_policy (65536 entries): full"
	awk 'BEGIN { for (i = 0; i < 65536; i++) printf "10.1.%d.%d 80/tcp\n", i / 256, i % 256 }' >"$BATS_TEST_TMPDIR/full"
	rule add edge-limit 192.0.2.1 80/tcp --rate 9
	says 4 "table edge-limit: $full: 65535 of 65536 rules went in, nothing already in is lost" \
		rule load edge-limit "$BATS_TEST_TMPDIR/full" --rate 1 --owner graph
	[ "$(rule list edge-limit | tail -n 1 | cut -f 8)" -eq 65536 ]
	[ "$(rules edge-limit | tail -n 1)" = "edge-limit 192.0.2.1 80/tcp 9 18 operator 0" ]
	says 4 "table edge-limit: $full: 0 of 1 rules went in, nothing already in is lost" \
		rule add edge-limit 192.0.2.1 81/tcp --rate 1
	# The other family has a map of its own; what is in can be written anew.
	printf '%s\n' '192.0.2.1 81/tcp' '2001:db8::1 80/tcp' '192.0.2.1 80/tcp' >"$BATS_TEST_TMPDIR/more"
	says 4 "table edge-limit: $full: 2 of 3 rules went in, nothing already in is lost" \
		rule load edge-limit "$BATS_TEST_TMPDIR/more" --rate 3
	[ "$(rules edge-limit | tail -n 2 | head -n 1)" = "edge-limit 192.0.2.1 80/tcp 3 6 operator 0" ]
	# A sync of a full table that would be full again: what it removes makes the room.
	sed 's/ 80/ 82/' "$BATS_TEST_TMPDIR/full" | head -n 65535 >"$BATS_TEST_TMPDIR/other"
	quiet rule sync edge-limit "$BATS_TEST_TMPDIR/other" --rate 1 --owner graph
	[ "$(rules edge-limit | grep -c ' 82/tcp 1 2 graph ')" -eq 65535 ]
	[ "$(rules edge-limit | wc -l)" -eq 65537 ]
	rule del edge-limit 10.1.0.0 82/tcp
	rule add edge-limit 10.1.0.0 82/tcp --rate 1 --ttl 100ms
	sleep 0.2
	quiet rule add edge-limit 192.0.2.1 81/tcp --rate 1
	[ "$(rules edge-limit | wc -l)" -eq 65537 ]
}

# spent WHAT COMMAND...: its output in the file out; less than a second of processor time.
spent() {
	local TIMEFORMAT='%U %S' what=$1
	shift
	{ time "$@" >"$BATS_TEST_TMPDIR/out"; } 2>"$BATS_TEST_TMPDIR/spent"
	echo "$what: $(cat "$BATS_TEST_TMPDIR/spent")"
	awk '{ exit NF != 2 || $1 + $2 >= 1 }' "$BATS_TEST_TMPDIR/spent"
}

@test "a hundred thousand edges load, list in order, and sync, in less than a second each" {
	local list=$BATS_TEST_TMPDIR/list
	awk 'BEGIN { for (i = 0; i < 100000; i++) { x = (i * 7919 + 12345) % 131072
		printf "10.1.%d.%d %d/%s\n", x / 256 % 256, x % 256, 80 + int(x / 65536), i % 2 ? "tcp" : "udp" } }' >"$list"
	spent load rule load edge-deny "$list"
	spent flush rule flush edge-deny
	spent sync rule sync edge-deny "$list" --owner graph
	spent again rule sync edge-deny "$list" --owner graph
	[ "$(rule sync edge-deny -n "$list" --owner graph)" = "put 0 del 0" ]
	spent list rule list edge-deny
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out" | cut -f 8)" -eq 100000 ]
	# By the four numbers of the address, then tcp before udp, then by port.
	awk -F'\t' 'NR > 1 && $3 != "*" { print $3, $9 "/" $10 }' "$BATS_TEST_TMPDIR/out" |
		cmp - <(tr '/ ' '..' <"$list" | sort -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n -k 6,6 -k 5,5n |
			awk -F. '{ print $1 "." $2 "." $3 "." $4, $5 "/" $6 }')
	sed '50000,$d' "$list" >"$list.half"
	spent half rule sync edge-deny "$list.half" --owner graph
	[ "$(rule list edge-deny | tail -n 1 | cut -f 8)" -eq 49999 ]
}

@test "edge-deny drops exactly that source, port and protocol, in both families" {
	rule add edge-deny 10.77.0.11 80/tcp
	rule add edge-deny 10.77.0.11 0/icmp
	rule add edge-deny 10.77.0.11 0/gre
	rule add edge-deny fd77::11 80/tcp
	rule add edge-deny fd77::11 0/icmp
	local src icmp
	for src in 10.77.0.11 fd77::11; do
		icmp=icmp
		[[ $src != *:* ]] || icmp=icmp6
		[ "$(passed $src proto=tcp dport=80 flags=S)" -eq 0 ]
		[ "$(passed $src proto=tcp dport=80 flags=A vlan=5)" -eq 0 ]
		[ "$(passed $src proto=$icmp)" -eq 0 ]
		[ "$(passed $src proto=tcp dport=81 flags=S)" -eq 3 ]
		[ "$(passed $src proto=tcp sport=80 dport=8080 flags=S)" -eq 3 ]
		[ "$(passed $src proto=udp dport=80)" -eq 3 ]
	done
	[ "$(passed 10.77.0.11 proto=47 len=20)" -eq 0 ]
	[ "$(passed fd77::11 proto=47 len=20)" -eq 3 ]
	[ "$(passed 10.77.0.12 proto=tcp dport=80 flags=S)" -eq 3 ]
	[ "$(passed fd77::12 proto=tcp dport=80 flags=S)" -eq 3 ]
	rule del edge-deny fd77::11 80/tcp 10.77.0.11 0/icmp
	[ "$(passed fd77::11 proto=tcp dport=80 flags=S)" -eq 3 ]
	[ "$(passed 10.77.0.11 proto=icmp)" -eq 3 ]
	edge_mode off
	[ "$(passed 10.77.0.11 proto=tcp dport=80 flags=S)" -eq 3 ]
}

@test "edge-allow: in edge-mode allow exactly those edges pass, but the denied" {
	rule add edge-allow 10.77.0.11 80/tcp
	rule add edge-allow fd77::11 0/icmp
	rule add edge-allow fd77::11 53/udp
	rule add edge-deny fd77::11 53/udp
	[ "$(passed 10.77.0.11 proto=udp dport=80)" -eq 3 ]
	edge_mode allow
	[ "$(passed 10.77.0.11 proto=tcp dport=80 flags=S)" -eq 3 ]
	[ "$(passed fd77::11 proto=icmp6)" -eq 3 ]
	[ "$(passed 10.77.0.11 proto=udp dport=80)" -eq 0 ]
	[ "$(passed 10.77.0.11 proto=tcp dport=81 flags=S)" -eq 0 ]
	[ "$(passed 10.77.0.12 proto=tcp dport=80 flags=S)" -eq 0 ]
	[ "$(passed fd77::12 proto=icmp6)" -eq 0 ]
	[ "$(passed fd77::11 proto=udp dport=53)" -eq 0 ]
	rule del edge-deny fd77::11 53/udp
	[ "$(passed fd77::11 proto=udp dport=53)" -eq 3 ]
}

@test "edge-limit passes its rate and burst, within 5 in a hundred, and only of its edge, in both families" {
	rule add edge-limit 10.77.0.11 9/udp --rate 50 --burst 50
	rule add edge-limit fd77::11 9/udp --rate 50 --burst 50
	offers() {
		"$HELPERS/send" -t 15 -c 3000 -r 500 out0 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9 &
		"$HELPERS/send" -t 15 -c 3000 -r 500 out0 src=fd77::11 dst=fd77::2 proto=udp dport=9 &
		wait
	}
	export HELPERS
	export -f offers
	in_here "$HELPERS/recv" -t 30 in0 nsenter --net="/run/netns/$PEER" bash -c offers >"$BATS_TEST_TMPDIR/got"
	# 6 s of 50, and the burst: 350.
	awk -F'\t' '$2 < 333 || $2 > 367 { print; bad = 1 } END { exit bad || NR != 2 }' "$BATS_TEST_TMPDIR/got"
	[ "$(got 10.77.0.11 peer_send -c 200 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=10)" -eq 200 ]
	[ "$(got fd77::12 peer_send -c 200 src=fd77::12 dst=fd77::2 proto=udp dport=9)" -eq 200 ]
	# What did not pass are the hits.
	diff <(rules edge-limit) <(awk -F'\t' '{ print "edge-limit", $1, "9/udp 50 50 operator", 3000 - $2 }' \
		"$BATS_TEST_TMPDIR/got" | sort)
}

@test "--ttl ends an edge in the kernel, with nobody looking; list takes it out" {
	rule add edge-deny 10.77.0.11 9/udp --ttl 4s
	rule add edge-deny fd77::11 9/udp --ttl 4s
	[ "$(passed 10.77.0.11 proto=udp dport=9)" -eq 0 ]
	[ "$(passed fd77::11 proto=udp dport=9)" -eq 0 ]
	sleep 4.1
	[ "$(passed 10.77.0.11 proto=udp dport=9)" -eq 3 ]
	[ "$(passed fd77::11 proto=udp dport=9)" -eq 3 ]
	bpftool -j map dump pinned "$PINS/kernloom_edge4_deny" | jq -e 'length == 1'
	[ "$(rules)" = "" ]
	bpftool -j map dump pinned "$PINS/kernloom_edge4_deny" | jq -e 'length == 0'
}

@test "hits: of exactly that edge, in each family" {
	rule add edge-deny 10.77.0.11 9/udp
	rule add edge-deny 10.77.0.11 9/tcp
	rule add edge-deny fd77::11 0/icmp
	rule add edge-deny fd77::12 9/udp
	rule add edge-allow 10.77.0.11 9/udp
	peer_send -c 5 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=9
	peer_send -c 7 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=10
	peer_send -c 2 src=10.77.0.11 dst=10.77.0.2 proto=tcp dport=9
	peer_send -c 4 src=fd77::11 dst=fd77::2 proto=icmp6
	sleep 0.2
	diff <(rules) - <<-'END'
		edge-allow 10.77.0.11 9/udp - - operator -
		edge-deny 10.77.0.11 9/tcp - - operator 2
		edge-deny 10.77.0.11 9/udp - - operator 5
		edge-deny fd77::11 0/icmp - - operator 4
		edge-deny fd77::12 9/udp - - operator 0
	END
}
