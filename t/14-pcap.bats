#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-pcap on captures made here: rows, ticks, directions, link types, and
# whatever can be wrong with a capture.
# shellcheck disable=SC2016,SC2086,SC2154 # programs of awk; words without blanks; bats sets stderr

load lib
load pcap

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

A=198.51.100.1 B=198.51.100.2 ME=192.0.2.1
SRC='time	dt	src	pkts	bytes	tcp	udp	icmp	syn	ack	rst	ports	drop_allow	drop_deny	drop_rl	answers	new'
FLOW='time	dt	dir	src	port	proto	pkts	bytes	syn	drops	est'
NONE='0	0	0	0	0	0	0	0	-	0	0	0	-	0'	# of a star row behind dt and src

# prints STATUS TEXT COMMAND...: that on stdout, nothing on stderr.
prints() {
	local want=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	diff <(printf '%s\n' "$output") <(printf '%s\n' "$text")
	diff <(printf '%s' "$stderr") /dev/null
	[ "$status" -eq "$want" ]
}
# says STATUS MESSAGE COMMAND...: that one line on stderr.
says() {
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	diff <(printf '%s\n' "$stderr") <(printf 'kl-dump-pcap: %s\n' "$line")
	[ "$status" -eq "$want" ]
}
# at TIME...: a SYN of A at each.
at() { printf "%s $ETH$(tcp4 $A $ME 1024 80 $SYN)\n" "$@"; }

# One of everything, within a second; then a second without, and one packet.
mixed() {
	cat <<-END
		1700000000.250000 ffffffffffff0200000000010806 0001080006040001
		1700000000.300000 $ETH $(tcp4 $A $ME 1024 80 $SYN)
		1700000000.310000 $ETH $(tcp4 $ME $A 80 1024 $SYNACK)
		1700000000.320000 $ETH $(tcp4 $A $ME 1024 80 $ACK)
		1700000000.330000 $ETH $(tcp4 $A $ME 1024 443 $RST)
		1700000000.340000 $ETH6 $(udp6 1 2 5353 53) 00000000
		1700000000.350000 $ETH $(ip4 $B $ME 1 8) 0800000000000000
		1700000000.360000 $ETH $(ip4 $B $ME 47 4) 00000800
		1700000000.370000 $ETH $(ip4 $A $ME 17 8 0x00b9) $(udp 7 9)
		1700000000.380000 $ETH 4400 $(tcp4 $B $ME 1 2 $SYN | cut -c5-)
		1700000000.390000 02000000000202000000000181000064 0800 $(udp4 $A $ME 7 80)
		1700000002.250000 $ETH6 $(ip6 1 2 58 8) 8000000000000000
	END
}

@test "src frames: the schema's header, every counter, an empty tick, sources as they came" {
	mixed | capture >in
	prints 0 "$SRC
1700000001.250	1.000	198.51.100.1	5	250	3	2	0	1	1	1	2	0	0	0	0	1
1700000001.250	1.000	192.0.2.1	1	54	1	0	0	0	1	0	1	0	0	0	0	1
1700000001.250	1.000	2001:db8::1	1	66	0	1	0	0	0	0	1	0	0	0	0	1
1700000001.250	1.000	198.51.100.2	2	80	0	0	1	0	0	0	0	0	0	0	0	1
1700000001.250	1.000	*	9	450	4	3	1	1	2	1	-	0	0	0	-	4
1700000002.250	1.000	*	$NONE
1700000003.250	1.000	2001:db8::1	1	62	0	0	1	0	0	0	0	0	0	0	0	0
1700000003.250	1.000	*	1	62	0	0	1	0	0	0	-	0	0	0	-	0" kl-dump-pcap in
	diff <(head -n 1 <<<"$output" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/src.tsv" | cut -f1)
}

@test "flow frames: the schema's header, a row for each source, port and protocol" {
	mixed | capture >in
	prints 0 "$FLOW
1700000001.250	1.000	in	198.51.100.1	80	tcp	2	108	1	0	-
1700000001.250	1.000	in	192.0.2.1	1024	tcp	1	54	0	0	-
1700000001.250	1.000	in	198.51.100.1	443	tcp	1	54	0	0	-
1700000001.250	1.000	in	2001:db8::1	53	udp	1	66	0	0	-
1700000001.250	1.000	in	198.51.100.2	0	icmp	1	42	0	0	-
1700000001.250	1.000	in	198.51.100.2	0	47	1	38	0	0	-
1700000001.250	1.000	in	198.51.100.1	0	udp	1	42	0	0	-
1700000001.250	1.000	in	198.51.100.1	80	udp	1	46	0	0	-
1700000001.250	1.000	-	*	-	-	9	450	1	0	-
1700000002.250	1.000	-	*	-	-	0	0	0	0	-
1700000003.250	1.000	in	2001:db8::1	0	icmp	1	62	0	0	-
1700000003.250	1.000	-	*	-	-	1	62	0	0	-" kl-dump-pcap --flows in
	diff <(head -n 1 <<<"$output" | tr '\t' '\n') <(tail -n +2 "$TOP/schemas/flow.tsv" | cut -f1)
}

@test "icmp is that of the family; the other's is a number" {
	{
		echo "1.000000 $ETH $(ip4 $A $ME 58 4) 80000000"
		echo "1.100000 $ETH6 $(ip6 1 2 1 4) 08000000"
	} | capture >in
	kl-dump-pcap --flows in >out
	diff <(columns out src port proto | sed -n 2,3p) <(printf '%s\t0\t58\n2001:db8::1\t0\t1\n' $A)
}

@test "ports are exact: thousands, of many sources at once, TCP and UDP as one" {
	awk -v eth="$ETH" -v head="$(ip4 0.0.0.0 $ME 17 8 | cut -c1-24)" 'BEGIN {
		for (i = 0; i < 6000; i++)	# source s: ports 1 to 1000 * s, each several times
			for (s = 1; s <= 3; s++)
				printf "5.%06d %s%sc63364%02xc0000201%04x%04x00080000\n", i, eth, head, s,
					7, i % (1000 * s) + 1
	}' | capture >in
	kl-dump-pcap in >out
	diff <(columns out src pkts ports | tail -n +2) - <<-'END'
		198.51.100.1	6000	1000
		198.51.100.2	6000	2000
		198.51.100.3	6000	3000
		*	18000	-
	END
	{
		echo "1.000000 $ETH $(udp4 $A $ME 7 53)"
		echo "1.000000 $ETH $(tcp4 $A $ME 7 53 $SYN)"
		echo "1.000000 $ETH $(tcp4 $A $ME 7 0 $SYN)"
		echo "1.000000 $ETH $(ip4 $A $ME 132 4) 00070035"
	} | capture >in
	kl-dump-pcap in >out
	[ "$(columns out ports | sed -n 2p)" = 2 ]
}

# ends OPTION...: time, dt and pkts of the star rows of ./in.
ends() { kl-dump-pcap "$@" in | awk -F'\t' '$3 == "*" { print $1, $2, $4 }'; }

@test "-i: ticks from the first packet on, in whole milliseconds" {
	at 1700000000.100900 1700000000.600899 1700000000.600900 1700000002.100900 | capture >in
	diff <(ends -i 0.5) - <<-'END'
		1700000000.600 0.500 2
		1700000001.100 0.500 1
		1700000001.600 0.500 0
		1700000002.100 0.500 0
		1700000002.600 0.500 1
	END
	diff <(ends --interval 2) - <<-'END'
		1700000002.100 2.000 3
		1700000004.100 2.000 1
	END
	diff <(ends) - <<-'END'
		1700000001.100 1.000 3
		1700000002.100 1.000 0
		1700000003.100 1.000 1
	END
	diff <(ends -i 0.0016 | head -n 1) <(echo "1700000000.102 0.002 1")
}

@test "--whole: one frame of whole seconds from the earliest packet on" {
	at 1700000010.500000 1700000003.500000 1700000012.400000 | capture >in
	diff <(ends --whole) <(echo "1700000012.500 9.000 3")
	at 1700000003.000000 | capture >in
	diff <(ends --whole) <(echo "1700000004.000 1.000 1")
	at 1.000000 4.000000 | capture >in
	diff <(ends --whole) <(echo "5.000 4.000 2")
	prints 0 "$FLOW
5.000	4.000	in	198.51.100.1	80	tcp	2	108	2	0	-
5.000	4.000	-	*	-	-	2	108	2	0	-" kl-dump-pcap --whole --flows in
}

@test "--gap: long times without packets have no ticks, and that is said once" {
	at 100.000000 4000.500000 4001.000000 10000.000000 | capture >in
	run --separate-stderr kl-dump-pcap in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-dump-pcap: times without packets left out (--gap): 2, of 9897 s in all" ]
	[ "$(awk -F'\t' '$3 == "*" { print $1, $4 }' <<<"$output" | paste -sd' ')" = "101.000 1 4001.000 1 4002.000 1 10001.000 1" ]

	run --separate-stderr kl-dump-pcap --gap 3900500ms in
	[ "$stderr" = "kl-dump-pcap: times without packets left out (--gap): 1, of 5998 s in all" ]
	[ "${#lines[@]}" -eq $((1 + 3899 + 4 * 2)) ]

	run --separate-stderr kl-dump-pcap --gap 0 in
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "${#lines[@]}" -eq $((1 + 9897 + 4 * 2)) ]
	awk -F'\t' -v t=101 'NR > 1 && $3 == "*" && $1 != t++ { print; bad = 1 } END { exit bad }' <<<"$output"
}

@test "packets out of order count in the tick under way; who is far behind is said" {
	at 100.000000 102.500000 101.600000 101.499999 100.000000 102.900000 | capture >in
	run --separate-stderr kl-dump-pcap in
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-dump-pcap: packets more than a tick behind the latest, counted in the tick under way: 2" ]
	[ "$(awk -F'\t' '$3 == "*" { print $1, $4 }' <<<"$output" | paste -sd' ')" = "101.000 1 102.000 0 103.000 5" ]
}

# Both directions: what leaves 192.0.2.1 and 2001:db8::2, what comes, and what passes by.
both() {
	cat <<-END
		1.000000 $ETH $(tcp4 $A $ME 1024 80 $SYN)
		1.100000 $ETH $(tcp4 $ME $A 40000 443 $SYN)
		1.200000 $ETH $(tcp4 $ME $A 40001 443 $ACK)
		1.300000 $ETH $(tcp4 $A $B 1024 443 $SYN)
		1.400000 02000000000202000000000188a80001 81000002 86dd $(udp6 2 1 5353 53)
		1.500000 $ETH6 $(udp6 1 2 5353 53)
	END
}
# rows OPTION...: of flows, without what all share.
rows() { kl-dump-pcap --whole --flows "$@" in | awk -F'\t' 'NR > 1 { print $3, $4, $5, $6, $7, $8, $9 }'; }

@test "--local: what this side sent is out, told by the other side" {
	both | capture >in
	diff <(rows --local $ME,2001:db8::2) - <<-'END'
		in 198.51.100.1 80 tcp 1 54 1
		out 198.51.100.1 443 tcp 2 108 1
		in 198.51.100.1 443 tcp 1 54 1
		out 2001:db8::1 53 udp 1 70 0
		in 2001:db8::1 53 udp 1 62 0
		- * - - 6 348 3
	END
	diff <(rows --dir auto --local 192.0.2.0/24,2001:db8::2/128) <(rows --local $ME,2001:db8::2)
	diff <(rows --local 203.0.113.9) <(rows)
	[ "$(rows --local 0.0.0.0/0,::/0 | cut -d' ' -f1 | sort -u | paste -sd' ')" = "- out" ]
}

@test "--dir: all packets one way" {
	both | capture >in
	diff <(rows) <(rows --dir in)
	diff <(rows --dir in) - <<-'END'
		in 198.51.100.1 80 tcp 1 54 1
		in 192.0.2.1 443 tcp 2 108 1
		in 198.51.100.1 443 tcp 1 54 1
		in 2001:db8::2 53 udp 1 70 0
		in 2001:db8::1 53 udp 1 62 0
		- * - - 6 348 3
	END
	diff <(rows --dir out) - <<-'END'
		out 192.0.2.1 80 tcp 1 54 1
		out 198.51.100.1 443 tcp 2 108 1
		out 198.51.100.2 443 tcp 1 54 1
		out 2001:db8::1 53 udp 1 70 0
		out 2001:db8::2 53 udp 1 62 0
		- * - - 6 348 3
	END
}

@test "--src6-prefix: sources by address or by /64; IPv4 is whole in both" {
	{
		echo "1.000000 $ETH6 $(udp6 1 9 7 53)"
		echo "1.000000 $ETH6 $(udp6 2 9 7 54)"
		echo "1.000000 $ETH $(udp4 $A $ME 7 54)"
	} | capture >in
	kl-dump-pcap --src6-prefix 64 in >out
	diff <(columns out src pkts ports | tail -n +2) <(printf '2001:db8::/64\t2\t2\n%s\t1\t1\n*\t3\t-\n' $A)
	kl-dump-pcap --src6-prefix 128 in >out
	diff <(columns out src pkts ports | tail -n +2) <(printf '2001:db8::1\t1\t1\n2001:db8::2\t1\t1\n%s\t1\t1\n*\t3\t-\n' $A)
	kl-dump-pcap in | cmp - out
}

# linked LINKTYPE HEADER4 HEADER6: a packet of each family behind such headers.
linked() {
	{
		echo "1.000000 $2 $(udp4 $A $ME 7 53)"
		echo "1.000000 $3 $(udp6 1 9 7 53)"
	} | capture -v link="$1" >in
	kl-dump-pcap in >out
	diff out - <<-END
		$SRC
		2.000	1.000	198.51.100.1	1	42	0	1	0	0	0	0	1	0	0	0	0	1
		2.000	1.000	2001:db8::1	1	62	0	1	0	0	0	0	1	0	0	0	0	1
		2.000	1.000	*	2	104	0	2	0	0	0	0	-	0	0	0	-	2
	END
}

@test "link types without an Ethernet header: as if they had one" {
	linked 1 $ETH $ETH6
	linked 113 00000001000602000000000100000800 000000010006020000000001000086dd
	linked 276 0800000000000001000100060200000000010000 86dd000000000001000100060200000000010000
	linked 101 '' ''
	linked 228 '' ''
	linked 229 '' ''
	local six
	for six in 0a 18 1c 1e; do
		linked 0 02000000 ${six}000000
		linked 0 00000002 000000$six
		linked 108 00000002 000000$six
	done
}

@test "link types: what is not IP, a tag behind a cooked header, too little for a header" {
	local link
	{
		echo "1.000000 0000000100060200000000010000 8100 0064 0800 $(udp4 $A $ME 7 53)"
		echo "1.000000 0000000100060200000000010000 0806 $(udp4 $A $ME 7 53)"
		echo "1.000000 00000001000602000000000100000800"
		echo "1.000000 000000010006"
	} | capture -v link=113 >in
	kl-dump-pcap in >out
	diff <(columns out src pkts bytes ports | tail -n +2) <(printf '%s\t1\t46\t1\n*\t1\t46\t-\n' $A)
	{
		echo "1.000000 05000000 $(udp4 $A $ME 7 53)"
		echo "1.000000 02000002 $(udp4 $A $ME 7 53)"
		echo "1.000000 02000100 $(udp4 $A $ME 7 53)"
		echo "1.000000 0200"
		echo "1.000000"
	} | capture -v link=0 >in
	prints 0 "$SRC
2.000	1.000	*	$NONE" kl-dump-pcap in
	{
		echo "1.000000 50 $(udp4 $A $ME 7 53)"
		echo "1.000000"
	} | capture -v link=101 >in
	prints 0 "$SRC
2.000	1.000	*	$NONE" kl-dump-pcap in
	for link in 105 147; do
		at 1.000000 | capture -v link=$link >in
		says 3 "in: link type $link ($([[ $link == 105 ]] && echo IEEE802_11 || echo unknown)) is not understood" kl-dump-pcap in
		[ "$output" = "$SRC" ]
	done
}

@test "cut by the snapshot length: lengths are those of the wire, what is missing is unknown" {
	{
		echo "1.000000 len=1000 $ETH $(tcp4 $A $ME 7 80 $SYN | cut -c1-48)"
		echo "1.000000 len=1000 $ETH $(tcp4 $B $ME 7 80 $SYN | cut -c1-46)"
		echo "1.000000 len=1000 $ETH $(tcp4 $ME $B 7 80 $SYN | cut -c1-38)"
		echo "1.000000 len=33 $ETH $(tcp4 $ME $B 7 80 $SYN)"	# more than there was is not of it
	} | capture >in
	prints 0 "$SRC
2.000	1.000	198.51.100.1	1	1000	1	0	0	0	0	0	1	0	0	0	0	1
2.000	1.000	198.51.100.2	1	1000	1	0	0	0	0	0	0	0	0	0	0	1
2.000	1.000	*	2	2000	2	0	0	0	0	0	-	0	0	0	-	2" kl-dump-pcap in
}

@test "byte orders, nanoseconds, pcapng: the same rows" {
	mixed | capture >in
	kl-dump-pcap in >want
	mixed | capture -v big=1 >in
	kl-dump-pcap in | cmp - want
	mixed | sed 's/^\([0-9]*\.[0-9]*\)/\1000/' | capture -v nano=1 >in
	kl-dump-pcap in | cmp - want
	# Ends a nanosecond before the tick does; and with it.
	at 1.000000001 2.000000000 2.000000001 | capture -v nano=1 >in
	[ "$(ends | cut -d' ' -f3 | paste -sd' ')" = "2 1" ]
	# Section header, interface, one enhanced packet at 1000000 us.
	packet=$ETH$(tcp4 $A $ME 1024 80 $SYN)0000
	# shellcheck disable=SC2001 # no other way before bash 5.2
	printf '%b' "$(sed 's/../\\x&/g' <<-END | tr -d '\n'
		0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000
		010000001400000001000000ffff000014000000
		0600000058000000000000000000000040420f003600000036000000${packet}58000000
	END
	)" >in
	at 1.000000 | capture >classic
	kl-dump-pcap classic >want
	kl-dump-pcap in | cmp - want
}

@test "several files in order, standard input, a clock that goes on" {
	at 1.000000 1.500000 | capture >one
	at 3.200000 | capture >two
	at 1.000000 1.500000 3.200000 | capture >all
	kl-dump-pcap all >want
	kl-dump-pcap one two | cmp - want
	kl-dump-pcap <all | cmp - want
	kl-dump-pcap - <all | cmp - want
	kl-dump-pcap one - <two | cmp - want
	kl-dump-pcap --whole one two >out
	[ "$(columns out time dt pkts | tail -n 1)" = $'4.000\t3.000\t3' ]
	capture </dev/null >none
	kl-dump-pcap none all none | cmp - want
	prints 0 "$SRC" kl-dump-pcap none
	prints 0 "$FLOW" kl-dump-pcap --whole --flows none
}

@test "a frame is written when its tick is over, not at the end" {
	mkfifo pipe
	kl-dump-pcap <pipe >out &
	exec 7>pipe
	at 1.000000 2.000000 | capture >&7
	three() { [ "$(wc -l <out)" -ge 3 ]; }
	until_true three
	diff <(columns out time src | tail -n +2) <(printf '2.000\t%s\n2.000\t*\n' $A)
	exec 7>&-
	wait $!
	[ "$(wc -l <out)" -eq 5 ]
}

@test "cut anywhere: the frames that are whole, and status 3" {
	at 1.000000 1.500000 | capture >in
	local n step=$((16 + 54)) status err
	for ((n = 0; n < 24 + 2 * step; n += n % step == 24 ? 1 : 3)); do
		status=0
		head -c $n in >part
		kl-dump-pcap part >out 2>err || status=$?
		err=$(<err)
		if ((n == 24 || n == 24 + step)); then	# the capture may end here
			[ $status -eq 0 ]
			[ "$err" = "" ]
			continue
		fi
		[ $status -eq 3 ]
		where=
		((n < 24)) || where="packet $(((n - 24) / step + 1)): "
		[[ $err == "kl-dump-pcap: part: ${where}truncated dump file"* && $err != *$'\n'* ]]
		[ "$(<out)" = "$SRC" ]
	done
	# The next packet's time alone tells that a tick is over, once all of it is there.
	at 1.000000 2.000000 3.500000 | capture >in
	kl-dump-pcap in >want
	head -c $((24 + 3 * step - 1)) in >part
	says 3 "part: packet 3: truncated dump file; tried to read 54 captured bytes, only got 53" kl-dump-pcap part
	diff <(printf '%s\n' "$output") <(head -n 3 want)
	says 3 "part: packet 3: truncated dump file; tried to read 54 captured bytes, only got 53" kl-dump-pcap --whole part
	[ "$output" = "$SRC" ]
	says 3 "part: packet 3: truncated dump file; tried to read 54 captured bytes, only got 53" kl-dump-pcap part in
	diff <(printf '%s\n' "$output") <(head -n 3 want)
}

@test "damaged captures" {
	says 3 "/dev/null: truncated dump file; tried to read 4 file header bytes, only got 0" kl-dump-pcap /dev/null
	seq 1000 >in
	says 3 "in: unknown file format" kl-dump-pcap in
	says 3 "stdin: unknown file format" kl-dump-pcap <in
	{ at 1.000000 3.000000 && echo "4.000000 cap=300000000 00"; } | capture >in
	run --separate-stderr kl-dump-pcap in
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-dump-pcap: in: packet 3: "*300000000* && $stderr != *$'\n'* ]]
	[ "$(awk -F'\t' '$3 == "*" { print $1, $4 }' <<<"$output" | paste -sd' ')" = "2.000 1 3.000 0" ]
	at 1.999999 2.1000000 | capture >in
	says 3 "in: packet 2: its time is none" kl-dump-pcap in
}

@test "files that cannot be read or written" {
	says 4 "cannot read 'nothing': No such file or directory" kl-dump-pcap nothing
	says 4 "cannot read '.': Is a directory" kl-dump-pcap .
	says 4 "cannot read 'stdin': Bad file descriptor" bash -c 'kl-dump-pcap <&-'
	at 1.000000 | capture >in
	says 4 "cannot write stdout: No space left on device" bash -c 'kl-dump-pcap in >/dev/full'
	says 4 "cannot write stdout: Bad file descriptor" bash -c 'kl-dump-pcap in >&-'
}

@test "called wrongly" {
	local v
	at 1.000000 | capture >in
	for v in 0 0.0009 86401 x; do
		says 2 "bad value '$v' for --interval: a number, 0.001 to 86400" kl-dump-pcap -i $v in
	done
	says 2 "bad value '1x' for --gap: a duration like 500ms, 30s, 10m" kl-dump-pcap --gap 1x in
	says 2 "bad value 'up' for --dir: one of in out auto" kl-dump-pcap --flows --dir up in
	says 2 "bad value '96' for --src6-prefix: one of 64 128" kl-dump-pcap --src6-prefix 96 in
	says 2 "--whole is one tick: it excludes -i and --gap" kl-dump-pcap --whole -i 1 in
	says 2 "--whole is one tick: it excludes -i and --gap" kl-dump-pcap --whole --gap 1s in
	says 2 "flows are told by whole addresses: --flows excludes --src6-prefix" kl-dump-pcap --flows --src6-prefix 64 in
	says 2 "--dir and --local are for --flows" kl-dump-pcap --dir out in
	says 2 "--dir and --local are for --flows" kl-dump-pcap --local $ME in
	says 2 "--dir out is said of all packets: it excludes --local" kl-dump-pcap --flows --dir out --local $ME in
	for v in "x" "1.2.3.4/33" "192.0.2.1/24" ","; do
		says 2 "bad value '$v' for --local: addresses and prefixes, commas between" kl-dump-pcap --flows --local "$v" in
	done
	says 2 "bad value 'fd00::g,::1' for --local: addresses and prefixes, commas between" \
		kl-dump-pcap --flows --local "$ME,fd00::g,::1" in
	[ "$output" = "" ]
}

# A scan of 40 ports a second, a flood of 1,000 SYNs a second, and a client, for 20 s.
attack() {
	awk -v eth="$ETH" -v head="$(ip4 0.0.0.0 $ME 6 20 | cut -c1-24)" '
		function out(last, port, flags) {
			printf "%.6f %s%sc63364%02xc0000201%s%04x000000000000000050%02x000000000000\n",
				1700000000 + i / 1000, eth, head, last, "0400", port, flags
		}
		BEGIN {
			for (i = 0; i < 20000; i++) {
				out(3, 80, 2)
				if (i % 25 == 0)
					out(2, 1 + i / 25, 2)
				if (i % 100 == 0)
					out(1, 443, 16)
			}
		}' | capture
}

@test "piped on: the flooder and the scanner are decided about, the client is not" {
	attack >in
	kl-dump-pcap in | kl-score | kl-fsm >out
	diff <(columns out src level from why | awk -F'\t' '$2 != $3 && $1 != "*"' | tail -n +2) - <<-'END'
		198.51.100.3	RATE_HARD	OBSERVE	syn
		198.51.100.2	RATE_SOFT	OBSERVE	scan
		198.51.100.3	BLOCK	RATE_HARD	syn
		198.51.100.2	RATE_HARD	RATE_SOFT	gate
	END
}

@test "the filters behind bind columns by name: another order and one more give the same decisions" {
	attack >in
	kl-dump-pcap in >src
	kl-score src >score
	awk -F'\t' -v OFS='\t' '{
		print $1, NR == 1 ? "site" : "here", $12, $3, $15, $14, $13, $11, $10, $9, $8, $7, $6, $5, $4, $2, $17, $16 }' src |
		kl-score >other
	diff <(columns other time src pkts ports syn sev why) <(columns score time src pkts ports syn sev why)
	[ "$(columns other site | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')" = here ]
	kl-fsm other | cmp - <(kl-fsm score)
}

captures() {
	CAPTURES=${KL_CAPTURES-$TOP/../shared/data}
	[[ -d $CAPTURES ]] || skip "no captures: \$KL_CAPTURES names their directory"
}

# counts PART COMMAND...: in every capture that has a CAPTURE.PART.tsv, that file is what
# COMMAND CAPTURE prints, lines sorted. Not compared: where headers contradict themselves, where a
# cut one was counted (a cut IP header is not IP), and, by time, where time goes backwards.
counts() {
	local part=$1 truth capture compared=0
	shift
	while read -r truth; do
		capture=${truth%".$part.tsv"}
		case $part:${capture#"$CAPTURES"/} in
		*:bad/ip4-total-length.pcap | *:bad/ip6-length.pcap | *:bad/ip6-39-bytes.pcap) continue ;;
		edges:ip6ext/mobile-dstopts-udp.pcap | ticks:ip6ext/mobile-dstopts-udp.pcap) continue ;;
		ticks:bad/synthetic-mix.pcap) continue ;;
		*:bad/ip4-malformed.pcap) # two interfaces, which libpcap does not read
			says 3 "$capture: packet 1: an interface has a snapshot length 65536 different from the snapshot length of the first interface" \
				kl-dump-pcap "$capture"
			continue
			;;
		esac
		diff <("$@" "$capture" 2>/dev/null | sort) <(tail -n +2 "$truth" | sort) || { echo "$capture"; return 1; }
		compared=$((compared + 1))
	done < <(find -L "$CAPTURES" -name "*.$part.tsv" | sort)
	echo "$compared captures compared"
	[ "$compared" -ge 1 ]
}

# The columns of sources.tsv that a frame does not have are taken over from there.
sources() {
	kl-dump-pcap --whole "$1" | awk -F'\t' -v OFS='\t' '
		FNR == 1 { for (i = 1; i <= NF; i++) at[FILENAME, $i] = i; next }
		FILENAME != "-" { row[$1] = $0; next }
		{
			for (i = 1; i <= NF; i++) v[i] = $i
			$0 = row[v[at["-", "src"]]]
			for (k in at) {
				split(k, name, SUBSEP)
				if (name[1] != "-" && ((c = "-" SUBSEP (name[2] == "dports" ? "ports" : name[2])) in at))
					$at[k] = v[at[c]]
			}
			if (v[at["-", "src"]] != "*") print
		}' "$1.sources.tsv" -
}
edges() {
	kl-dump-pcap --whole --flows "$1" | awk -F'\t' -v OFS='\t' '
		BEGIN { number["tcp"] = 6; number["udp"] = 17 }
		FILENAME != "-" { dsts[$1, $2, $3] = $6; next }
		FNR > 1 && $4 != "*" {
			p = $6 == "icmp" ? ($4 ~ /:/ ? 58 : 1) : $6 in number ? number[$6] : $6
			print $4, $5, p, $7, $8, dsts[$4, $5, p]
		}' "$1.edges.tsv" -
}
ticks() {
	kl-dump-pcap "$1" | awk -F'\t' -v OFS='\t' '
		NR == 2 { first = $1 }
		NR > 1 && $3 != "*" { print int($1 - first + .5), $3, $4, $5, $9, $12 }'
}

@test "recorded traffic: sources as two other parsers counted them" {
	captures
	counts sources sources
}

@test "recorded traffic: edges" {
	captures
	counts edges edges
}

@test "recorded traffic: what each source did in each second" {
	captures
	counts ticks ticks
}

@test "recorded attacks: who scanned, who flooded" {
	captures
	# changes CAPTURE: who came to which level, and why.
	changes() { kl-dump-pcap "$CAPTURES/$1" | kl-score | kl-fsm | awk -F'\t' '$2 != "*" && $3 != $4 { print $2, $3, $9 }'; }
	diff <(changes scan/three-hosts-syn.pcap) <(printf 'src level why\n10.0.0.140 RATE_HARD scan\n')
	diff <(changes scan/three-hosts-udp.pcap) <(printf 'src level why\n10.0.0.135 RATE_SOFT scan\n10.0.0.135 RATE_HARD scan\n')
	diff <(changes flood/nd6-fragments.pcap) <(printf 'src level why\n2001:db8:1::2 RATE_HARD pps\n')
	diff <(changes normal/web.pcap) <(echo 'src level why')
}
