#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-rule: every command, option and failure, on tables of the test's own.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
}

teardown() { lab_down; }

rule() { kl-rule -p "$PINS" "$@"; }

# What list prints, without time and end: table key rate burst owner hits.
rules() { rule list "$@" | awk -F'\t' -v OFS=' ' '$1 != "time" && $3 != "*" { print $2, $3, $4, $5, $7, $8 }'; }

# says STATUS MESSAGE COMMAND...: nothing on stdout, one line on stderr.
says() {
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	[ "$output" = "" ]
	diff <(echo "$stderr") <(echo "kl-rule: $line")
}

@test "add: a rule of each table and family; nothing is said" {
	run --separate-stderr rule add allow 192.0.2.0/24
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	rule add allow 2001:db8::/32
	rule add deny 198.51.100.7
	rule add deny 198.51.100.0/24
	rule add deny 2001:db8:1::7
	rule add deny 2001:db8:1::/48
	rule add limit 203.0.113.7 --rate 20 --burst 50
	rule add limit 203.0.113.0/24 --rate 5
	rule add limit 2001:db8:2::7 --rate 1 --burst 1
	rule add limit 2001:db8:2::/64 --rate 4294967295 --burst 4294967295
	rule add deny ::ffff:198.51.100.8
	rule add deny 0.0.0.0/0
	diff <(rules) - <<-'END'
		allow 192.0.2.0/24 - - operator -
		allow 2001:db8::/32 - - operator -
		deny 0.0.0.0/0 - - operator 0
		deny 198.51.100.0/24 - - operator 0
		deny 198.51.100.7 - - operator 0
		deny 198.51.100.8 - - operator 0
		deny 2001:db8:1::/48 - - operator 0
		deny 2001:db8:1::7 - - operator 0
		limit 203.0.113.0/24 5 10 operator 0
		limit 203.0.113.7 20 50 operator 0
		limit 2001:db8:2::/64 4294967295 4294967295 operator 0
		limit 2001:db8:2::7 1 1 operator 0
	END
}

@test "list: a frame of the schema, times, one table or all, the star row counts" {
	rule add deny 198.51.100.7 --ttl 1h
	rule add limit 198.51.100.7 --rate 20 --burst 40
	rule add allow 2001:db8::1
	rule list >"$BATS_TEST_TMPDIR/all"
	diff <(head -n 1 "$BATS_TEST_TMPDIR/all" | tr '\t' '\n') <(awk -F'\t' 'NR > 1 { print $1 }' "$TOP/schemas/rule.tsv")
	sed -E 's/[0-9]{10}\.[0-9]{3}/T/g' "$BATS_TEST_TMPDIR/all" | diff - <(printf '%b' \
		'time\ttable\tkey\trate\tburst\tuntil\towner\thits\tport\tproto\n' \
		'T\tallow\t2001:db8::1\t-\t-\t-\toperator\t-\t-\t-\n' \
		'T\tdeny\t198.51.100.7\t-\t-\tT\toperator\t0\t-\t-\n' \
		'T\tlimit\t198.51.100.7\t20\t40\t-\toperator\t0\t-\t-\n' \
		'T\t-\t*\t-\t-\t-\t-\t3\t-\t-\n')
	awk -F'\t' '$2 == "deny" && ($6 - $1 <= 3590 || $6 - $1 > 3600) { exit 1 }' "$BATS_TEST_TMPDIR/all"
	now=$(date +%s)
	awk -F'\t' -v now="$now" 'NR > 1 && ($1 < now - 5 || $1 > now + 5) { exit 1 }' "$BATS_TEST_TMPDIR/all"
	[ "$(rules deny)" = "deny 198.51.100.7 - - operator 0" ]
	[ "$(rule list limit | tail -n 1 | cut -f 2-)" = "$(printf -- '-\t*\t-\t-\t-\t-\t1\t-\t-')" ]
}

@test "list of nothing is a header and a star row" {
	run --separate-stderr rule list
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "$stderr" = "" ]
	[ "$(cut -f 2- <<<"${lines[1]}")" = "$(printf -- '-\t*\t-\t-\t-\t-\t0\t-\t-')" ]
}

@test "add replaces a rule of the same prefix: ttl, rate, burst, owner" {
	rule add limit 192.0.2.1 --rate 20 --burst 40 --ttl 1h --owner iq
	[ "$(rules)" = "limit 192.0.2.1 20 40 iq 0" ]
	rule add limit 192.0.2.1 -r 30 -b 31 -o operator
	[ "$(rules)" = "limit 192.0.2.1 30 31 operator 0" ]
	[ "$(rule list | sed -n 2p | cut -f 6)" = - ]
}

@test "--ttl ends a rule: it is not listed, and gone from the kernel" {
	rule add deny 192.0.2.1 --ttl 300ms
	rule add deny 192.0.2.2 -t 1h
	sleep 0.4
	bpftool -j map dump pinned "$PINS/kernloom_deny4_hash" | jq -e 'length == 2'
	[ "$(rules)" = "deny 192.0.2.2 - - operator 0" ]
	bpftool -j map dump pinned "$PINS/kernloom_deny4_hash" | jq -e 'length == 1'
}

@test "del removes; an absent rule is told, the others go; status 1" {
	rule add deny 192.0.2.1
	rule add deny 192.0.2.0/24
	rule add deny 2001:db8::1
	run --separate-stderr rule del deny 192.0.2.1 2001:db8::1
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	[ "$(rules)" = "deny 192.0.2.0/24 - - operator 0" ]
	says 1 "table deny has no rule '192.0.2.0'" rule del deny 192.0.2.0
	says 1 "table deny has no rule '192.0.2.9'" rule del deny 192.0.2.9 192.0.2.0/24
	says 1 "table allow has no rule '192.0.2.0/25'" rule del allow 192.0.2.0/25
	[ "$(rules)" = "" ]
}

@test "flush: one table, all owners or one" {
	rule add deny 192.0.2.1
	rule add deny 192.0.2.2 --owner iq
	rule add deny 192.0.2.0/24 --owner iq
	rule add limit 192.0.2.3 --rate 1 --owner iq
	run --separate-stderr rule flush deny --owner iq
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	diff <(rules) <(printf '%s\n' "deny 192.0.2.1 - - operator 0" "limit 192.0.2.3 1 2 iq 0")
	rule flush limit --owner operator
	rule flush deny
	[ "$(rules)" = "limit 192.0.2.3 1 2 iq 0" ]
}

@test "load: a list as it comes, from stdin or a file, with options" {
	cat >"$BATS_TEST_TMPDIR/list" <<-'END'
		# a blocklist
		192.0.2.1
		198.51.100.0/24 ; SBL1
		; another comment

		2001:db8::1,seen twice
		192.0.2.1
	END
	run --separate-stderr rule load deny "$BATS_TEST_TMPDIR/list" --ttl 1h --owner iq
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	diff <(rules) - <<-'END'
		deny 192.0.2.1 - - iq 0
		deny 198.51.100.0/24 - - iq 0
		deny 2001:db8::1 - - iq 0
	END
	awk -F'\t' '$2 == "deny" && $6 - $1 < 3590 { exit 1 }' <(rule list)
	rule load limit --rate 7 --burst 9 <"$BATS_TEST_TMPDIR/list"
	[ "$(rules limit | head -n 1)" = "limit 192.0.2.1 7 9 operator 0" ]
	rule load allow - <<<"203.0.113.0/24"
	[ "$(rules allow)" = "allow 203.0.113.0/24 - - operator -" ]
	rule load allow /dev/null
}

@test "load: bad lines are told with their place, the good ones go in, status 1" {
	printf '%s\n' 192.0.2.1 192.0.2.300 10.0.0.1/8 2001:db8::1 >"$BATS_TEST_TMPDIR/list"
	run --separate-stderr rule load deny "$BATS_TEST_TMPDIR/list"
	[ "$status" -eq 1 ]
	[ "$output" = "" ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[[ ${stderr_lines[0]} == "kl-rule: $BATS_TEST_TMPDIR/list:2: "*"'192.0.2.300'"* ]]
	[[ ${stderr_lines[1]} == "kl-rule: $BATS_TEST_TMPDIR/list:3: "*"'10.0.0.1/8'"* ]]
	diff <(rules) <(printf 'deny %s - - operator 0\n' 192.0.2.1 2001:db8::1)
	says 4 "cannot read '/no/list': No such file or directory" rule load deny /no/list
}

@test "a full map: named with its size and how many went in; nothing in it is lost; what ended makes room" {
	awk 'BEGIN { for (i = 0; i < 65536; i++) printf "10.%d.%d.0/24\n", i / 256, i % 256 }' >"$BATS_TEST_TMPDIR/full"
	rule add limit 192.0.2.0/24 --rate 9
	says 4 "table limit: kernloom_rl_policy4_lpm (65536 entries): full: 65535 of 65536 rules went in, nothing already in is lost" \
		rule load limit "$BATS_TEST_TMPDIR/full" --rate 1
	[ "$(rule list limit | tail -n 1 | cut -f 8)" -eq 65536 ]
	[ "$(rules limit | tail -n 1)" = "limit 192.0.2.0/24 9 18 operator 0" ]
	says 4 "table limit: kernloom_rl_policy4_lpm (65536 entries): full: 0 of 1 rules went in, nothing already in is lost" \
		rule add limit 198.51.100.0/24 --rate 1
	# Hosts and the other family have maps of their own; what is in can be written anew.
	printf '%s\n' 198.51.100.0/24 198.51.100.1 2001:db8::/64 10.0.0.0/24 >"$BATS_TEST_TMPDIR/more"
	says 4 "table limit: kernloom_rl_policy4_lpm (65536 entries): full: 3 of 4 rules went in, nothing already in is lost" \
		rule load limit "$BATS_TEST_TMPDIR/more" --rate 3
	[ "$(rules limit | sed -n 1p)" = "limit 10.0.0.0/24 3 6 operator 0" ]
	rule add limit 10.0.1.0/24 --rate 1 --ttl 100ms
	sleep 0.2
	rule add limit 198.51.100.0/24 --rate 1
	[ "$(rules limit | grep -c '^limit 198.51.100.0/24 1 2 ')" -eq 1 ]
	[ "$(rules limit | grep -c '^limit 10.0.1.0/24 ')" -eq 0 ]
}

@test "hits: what a rule dropped, counted for the longest that covers the source" {
	rule add deny 10.77.0.0/24
	rule add deny 10.77.0.9
	rule add deny 10.0.0.0/8
	rule add limit 10.99.0.1 --rate 1 --burst 1
	peer_send -c 3 src=10.77.0.8 dst=10.77.0.2 proto=udp dport=9
	peer_send -c 5 src=10.77.0.9 dst=10.77.0.2 proto=udp dport=9
	peer_send -c 2 src=10.5.5.5 dst=10.77.0.2 proto=udp dport=9
	peer_send -c 7 src=192.0.2.9 dst=10.77.0.2 proto=udp dport=9
	sleep 0.2
	diff <(rules) - <<-'END'
		deny 10.0.0.0/8 - - operator 2
		deny 10.77.0.0/24 - - operator 3
		deny 10.77.0.9 - - operator 5
		limit 10.99.0.1 1 1 operator 0
	END
	rule del deny 10.0.0.0/8
	peer_send -c 40 src=10.99.0.1 dst=10.77.0.2 proto=udp dport=9
	sleep 0.2
	hits=$(rules limit | cut -d ' ' -f 6)
	[ "$hits" -ge 30 ]
	[ "$hits" -lt 40 ]
}

@test "hundreds of rules of both families: in order, each source counted for the longest" {
	# Of 600 addresses every third is a rule, every second 16 of them another, and one holds all.
	awk -v shown="$BATS_TEST_TMPDIR/want" '
		function name(f, i) {
			return f == 4 ? sprintf("10.80.%d.%d", i / 256, i % 256) : sprintf("2001:db8::%x", 4096 + i)
		}
		function put(key, hits) {
			print key
			print "deny " key " - - operator " hits + 0 >shown
		}
		BEGIN {
			for (i = 0; i < 600; i++)
				drops[i % 3 == 0 ? i : i % 32 < 16 ? "of " int(i / 32) : "rest"] += 2
			for (f = 4; f <= 6; f += 2) {
				put(f == 4 ? "10.80.0.0/16" : "::/0", drops["rest"])
				for (i = 0; i < 600; i++) {
					if (i % 32 == 0)
						put(name(f, i) (f == 4 ? "/28" : "/124"), drops["of " i / 32])
					if (i % 3 == 0)
						put(name(f, i), drops[i])
				}
			}
		}' | tac | rule load deny
	peer_send -c 1200 src=10.80.0.0 srcs=600 dst=10.77.0.2 proto=udp dport=9
	peer_send -c 1200 src=2001:db8::1000 srcs=600 dst=fd77::2 proto=udp dport=9
	sleep 0.2
	[ "$(wc -l <"$BATS_TEST_TMPDIR/want")" -eq 440 ]
	diff <(rules) "$BATS_TEST_TMPDIR/want"
}

@test "hits of an IPv6 rule longer than the prefix sources are kept under are not known" {
	rule add deny 2001:db8::1
	rule add deny 2001:db8::/64
	kl-set -p "$PINS" src6-prefix 64
	diff <(rules) <(printf '%s\n' 'deny 2001:db8::/64 - - operator 0' 'deny 2001:db8::1 - - operator -')
}

@test "called wrongly: one line, status 2, nothing changed" {
	says 2 "no command '': add del list load sync flush" rule
	says 2 "no command 'drop': add del list load sync flush" rule drop deny 192.0.2.1
	says 2 "add: no table given: allow, deny, limit, edge-allow, edge-deny or edge-limit" rule add
	says 2 "unknown table 'edges': allow, deny, limit, edge-allow, edge-deny or edge-limit" rule add edges 192.0.2.1
	says 2 "add deny: no address or prefix given" rule add deny
	says 2 "add: one operand too many: '192.0.2.2'" rule add deny 192.0.2.1 192.0.2.2
	says 2 "list: one operand too many: '192.0.2.2'" rule list deny 192.0.2.2
	says 2 "not an address or prefix: '192.0.2'" rule add deny 192.0.2
	says 2 "not an address or prefix: '192.0.2.1/33'" rule add deny 192.0.2.1/33
	says 2 "not an address or prefix: 'example.org'" rule del deny example.org
	says 2 "bits are set behind the prefix length: '192.0.2.1/24'; its prefix is 192.0.2.0/24" rule add deny 192.0.2.1/24
	says 2 "add limit: --rate is missing" rule add limit 192.0.2.1
	says 2 "load limit: --rate is missing" rule load limit --burst 3
	says 2 "add deny takes no --rate" rule add deny 192.0.2.1 --rate 5
	says 2 "add allow takes no --burst" rule add allow 192.0.2.1 --burst 5
	says 2 "del limit takes no --rate" rule del limit 192.0.2.1 --rate 5
	says 2 "flush takes no --ttl" rule flush deny --ttl 5s
	says 2 "list takes no --owner" rule list --owner iq
	says 2 "bad value '0' for --rate: a whole number, 1 to 4294967295" rule add limit 192.0.2.1 --rate 0
	says 2 "bad value '0' for --burst: a whole number, 1 to 4294967295" rule add limit 192.0.2.1 --rate 1 --burst 0
	run --separate-stderr rule add deny 192.0.2.1 --ttl 0
	[ "$status" -eq 2 ]
	[[ $stderr == "kl-rule: bad value '0' for --ttl: "* ]]
	says 2 "bad value 'me' for --owner: one of operator iq graph" rule add deny 192.0.2.1 --owner me
	says 2 "unknown option '--force'" rule add deny 192.0.2.1 --force
	[ "$(rules)" = "" ]
}

@test "the system fails: nothing attached, a pin missing, another ABI, no privilege; status 4" {
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-rule -p /no/where list
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" rule list
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	rule list
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-rule)" -p "$PINS" list
	rm "$PINS/kernloom_rl_policy6_lpm"
	says 4 "cannot open '$PINS': pin kernloom_rl_policy6_lpm is missing: detach and attach again" rule add deny 192.0.2.1
}

@test "load: a closed standard input is not taken for another file" {
	run --separate-stderr bash -c 'kl-rule -p "$1" load deny <&-' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-rule: cannot read '-': Bad file descriptor" ]
}

@test "an output that cannot be written: status 4" {
	run --separate-stderr bash -c 'kl-rule -p "$1" list >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-rule: cannot write stdout: No space left on device" ]
}

# spent NAME COMMAND...: its processor time, in seconds, goes to spent.NAME; what it prints stays. Both times
# of one process, so that a busy machine tells of nothing but its work.
spent() {
	local TIMEFORMAT='%U %S'
	{ time "${@:2}" 2>&3; } 3>&2 2>"$BATS_TEST_TMPDIR/spent.$1"
}
at_most() { awk -v most="$1" '{ exit !($1 + $2 <= most) }' "$BATS_TEST_TMPDIR/spent.$2"; }

@test "a million addresses load in 5 s of processor time and list, in order, in 2 s" {
	awk 'BEGIN { for (i = 0; i < 1000000; i++) { x = (i * 7919 + 12345) % 16777216
		printf "11.%d.%d.%d\n", x / 65536, x / 256 % 256, x % 256 } }' >"$BATS_TEST_TMPDIR/million"
	spent load rule load deny "$BATS_TEST_TMPDIR/million" >"$BATS_TEST_TMPDIR/loaded"
	[ ! -s "$BATS_TEST_TMPDIR/loaded" ]
	spent list rule list deny >"$BATS_TEST_TMPDIR/listed"
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/listed" | cut -f 8)" -eq 1000000 ]
	cut -f 3 "$BATS_TEST_TMPDIR/listed" | sed '1d;$d' |
		cmp - <(sort -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n "$BATS_TEST_TMPDIR/million")
	[[ -z ${SAN-} ]] || return 0	# sanitizers take their own time
	cat "$BATS_TEST_TMPDIR"/spent.*
	at_most 5 load
	at_most 2 list
}
