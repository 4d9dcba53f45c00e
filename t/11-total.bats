#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-total: every column on real frames, ticks, snapshots, every refusal.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	SNAP=$BATS_TEST_TMPDIR/snapshot
	OUT=$BATS_TEST_TMPDIR/out
}

teardown() { lab_down; }

dump() { kl-dump-total -p "$PINS" "$@"; }

# tick COMMAND...: "name=count" of every column that is not 0, behind dt and src.
tick() {
	[[ -e $SNAP ]] || dump -s "$SNAP" >/dev/null
	"$@"
	dump -s "$SNAP" >"$OUT"
	awk -F'\t' 'NR == 1 { split($0, name); next }
		{ for (i = 4; i <= NF; i++) if ($i != "0") { printf "%s%s=%s", s, name[i], $i; s = " " } print "" }' "$OUT"
}
is() { diff <(echo "$1") <(echo "$2"); }
says() { # STATUS MESSAGE COMMAND...: one line on stderr
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	diff <(echo "$stderr") <(echo "kl-dump-total: $line")
}
four() { peer_send "$@" dst=10.77.0.2; }
six() { peer_send "$@" dst=fd77::2; }

@test "the header is the schema's, the frame one star row" {
	run --separate-stderr dump -i 0.1
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "${#lines[@]}" -eq 2 ]
	diff <(tr '\t' '\n' <<<"${lines[0]}") <(tail -n +2 "$TOP/schemas/total.tsv" | cut -f1)
	diff <(cut -f3- <<<"${lines[1]}") <(awk -F'\t' 'NR > 4 { printf "\t0" } NR == 4 { printf "*" } END { print "" }' "$TOP/schemas/total.tsv")
}

@test "protocols and flags, both families" {
	is "$(tick four -c 3 src=10.77.0.5 proto=tcp flags=S)" \
		"pkts=3 bytes=162 pass=3 v4=3 tcp=3 syn=3 new_sources=1"
	is "$(tick six -c 2 src=fd77::5 proto=tcp flags=SA)" \
		"pkts=2 bytes=148 pass=2 v6=2 tcp=2 synack=2 ack=2 new_sources=1"
	is "$(tick four -c 2 src=10.77.0.5 proto=tcp flags=R)" "pkts=2 bytes=108 pass=2 v4=2 tcp=2 rst=2"
	is "$(tick four -c 2 src=10.77.0.5 proto=tcp flags=RA)" "pkts=2 bytes=108 pass=2 v4=2 tcp=2 rst=2 ack=2"
	is "$(tick four -c 2 src=10.77.0.5 proto=tcp flags=F)" "pkts=2 bytes=108 pass=2 v4=2 tcp=2"
	is "$(tick four -c 4 src=10.77.0.5 proto=udp len=8)" "pkts=4 bytes=200 pass=4 v4=4 udp=4"
	is "$(tick six -c 4 src=fd77::5 proto=icmp6)" "pkts=4 bytes=248 pass=4 v6=4 icmp=4"
	is "$(tick four -c 4 src=10.77.0.5 proto=47 len=6)" "pkts=4 bytes=160 pass=4 v4=4"
}

@test "fragments, what is not IP, malformed, essential" {
	is "$(tick four -c 2 src=10.77.0.5 proto=udp frag=0 more=1)" \
		"pkts=2 bytes=84 pass=2 v4=2 udp=2 frags4=2 new_sources=1"
	is "$(tick four -c 2 src=10.77.0.5 proto=tcp frag=5 len=40)" "pkts=2 bytes=148 pass=2 v4=2 tcp=2 frags4=2"
	is "$(tick six -c 3 src=fd77::5 ext=frag proto=udp frag=5 len=40)" \
		"pkts=3 bytes=306 pass=3 v6=3 udp=3 frags6=3 new_sources=1"
	is "$(tick peer_send -c 2 "hex=ffffffffffff02000000000a88b5$(printf '00%.0s' {1..46})")" "pkts=2 bytes=120 pass=2"
	is "$(tick four -c 2 src=10.77.0.5 proto=udp cut=33)" "pkts=2 bytes=66 pass=2 malformed=2"
	is "$(tick six src=fd77::5 proto=udp cut=53)" "pkts=1 bytes=53 pass=1 malformed=1"
	is "$(tick four src=10.77.0.5 proto=udp vlan=1,2,3,4,5)" "pkts=1 bytes=62 pass=1 malformed=1"
	is "$(tick four src=10.77.0.5 proto=udp vlan=1,2,3,4)" "pkts=1 bytes=58 pass=1 v4=1 udp=1"
	is "$(tick four src=10.77.0.5 proto=udp sport=67 dport=68)" "pkts=1 bytes=42 pass=1 v4=1 udp=1 essential=1 port_changes=1"
	kl-set -p "$PINS" -f enforce-allow on
	is "$(tick four src=10.77.0.5 proto=udp cut=33)" "pkts=1 bytes=33 malformed=1 drop_malformed=1"
	is "$(tick peer_send "hex=ffffffffffff02000000000a88b5$(printf '00%.0s' {1..46})")" "pkts=1 bytes=60 pass=1"
}

@test "verdicts, hits, judgements" {
	kl-rule -p "$PINS" add deny 10.77.0.5
	is "$(tick four -c 5 src=10.77.0.5 proto=udp)" \
		"pkts=5 bytes=210 drop_deny=5 v4=5 udp=5 deny_hits=5 new_sources=1 judged=1"
	kl-rule -p "$PINS" add limit fd77::5 --rate 1 --burst 2
	is "$(tick six -c 5 src=fd77::5 proto=udp)" \
		"pkts=5 bytes=310 pass=2 drop_rl=3 v6=5 udp=5 rl_hits=5 new_sources=1 judged=1"
	kl-rule -p "$PINS" add allow 10.77.0.6
	is "$(tick four -c 5 src=10.77.0.6 proto=udp)" \
		"pkts=5 bytes=210 pass=5 v4=5 udp=5 allow_hits=5 new_sources=1 judged=1"
	kl-set -p "$PINS" enforce-allow on
	is "$(tick six -c 5 src=fd77::7 proto=udp)" \
		"pkts=5 bytes=310 drop_allow=5 v6=5 udp=5 new_sources=1 judged=1"
}

@test "port changes are packets to a port that is new in the tick, the first excepted" {
	is "$(tick four -c 10 src=10.77.0.5 proto=udp dport=7 dports=2)" \
		"pkts=10 bytes=420 pass=10 v4=10 udp=10 port_changes=1 new_sources=1"
	is "$(tick four -c 10 src=10.77.0.5 proto=udp dport=7)" "pkts=10 bytes=420 pass=10 v4=10 udp=10"
}

@test "the table full: untracked, evicted" {
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 10 in0 >/dev/null
	is "$(tick four -c 100 srcs=100 src=10.78.0.1 proto=udp)" \
		"pkts=100 bytes=4200 pass=100 v4=100 udp=100 new_sources=16 untracked=84"
	# Those without a record come again, and take them from sources that did not.
	n=$(tick four -c 84 srcs=84 src=10.78.0.17 proto=udp)
	[[ $n =~ new_sources=([0-9]+)\ evicted=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -eq "${BASH_REMATCH[2]}" ]
	[ "${BASH_REMATCH[1]}" -ge 1 ]
}

@test "ticks of a stream; a restarted instance counts from zero" {
	kl-dump-total -p "$PINS" -i 1 -n 3 >"$OUT" 3>&- &
	pid=$!
	until_true grep -q '^[0-9]' "$OUT"
	four -c 5 src=10.77.0.5 proto=udp
	wait "$pid"
	# In which of the three they came is the machine's affair.
	diff <(columns "$OUT" src pkts | sort) <(printf '%s\n' '*	0' '*	0' '*	5' 'src	pkts')
	awk -F'\t' 'NR > 1 && ($2 < 0.9 || $2 > 5) { print "dt " $2; bad = 1 } END { exit bad }' "$OUT"
	tick four -c 9 src=10.77.0.5 proto=udp >/dev/null
	in_here kl-attach -p "$PINS" --detach
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
	is "$(tick four -c 2 src=10.77.0.5 proto=udp)" "pkts=2 bytes=84 pass=2 v4=2 udp=2 new_sources=1"
	sleep 0.3
	tick true >/dev/null
	awk -F'\t' 'NR > 1 { exit !($2 >= 0.3 && $2 < 5) }' "$OUT"
}

@test "refusals: one line each, the documented status" {
	says 2 "takes no operand: 'in0'" dump in0
	says 2 "-s is one tick without waiting: it excludes -i and -n" dump -s "$SNAP" -n 1
	says 2 "bad value '0' for --interval: a number, 0.01 to 86400" dump -i 0
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-dump-total -p /no/where
	run bash -c 'kl-dump-total -p "$1" -i 0.01 2>&1 >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
	[ "$output" = "kl-dump-total: cannot write standard output: No space left on device" ]
	tick four src=10.77.0.5 proto=udp >/dev/null
	sed -i 's/\t0\t/\tnone\t/' "$SNAP"
	run --separate-stderr dump -s "$SNAP"
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-dump-total: $SNAP:2: "*"'none'"* ]]
	"$HELPERS/poke" "$PINS/kernloom_cfg" 0 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" dump
	"$HELPERS/poke" "$PINS/kernloom_cfg" 0 0x4b4c5348
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-dump-total)" -p "$PINS"
	rm "$PINS/kernloom_totals"
	says 4 "cannot open '$PINS': pin kernloom_totals is missing: detach and attach again" dump
}
