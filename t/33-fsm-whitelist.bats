#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-fsm --whitelist: who is on it is never above OBSERVE.

# shellcheck disable=SC2154 # bats sets stderr

load fsm

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# until_frame TIME: kl-fsm in the background has written that frame.
until_frame() { until_true grep -q "^$1.000	\*" out; }

@test "addresses, prefixes, both families, comments; sources that are prefixes" {
	cat >list <<-'END'
		# ours
		10.0.0.1
		10.1.0.0/16   # a network

		2001:db8::5
		2001:db8:1::/48
		::ffff:10.3.0.1
	END
	{
		head_of
		tick 1001 10.0.0.1,3 10.0.0.2,3 10.1.200.7,3 10.2.0.0,3 2001:db8::5,3 2001:db8::6,3 2001:db8:1:2::3,3 \
			10.3.0.1,3 2001:db8::/64,3 2001:db8:2::/64,3 10.1.9.0/24,3 0.0.0.0/0,3
	} >in
	run --separate-stderr kl-fsm --whitelist list in
	whole 0 "" "$LEVEL
1001.000	10.0.0.2	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	10.2.0.0	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	2001:db8::6	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	2001:db8:2::/64	OBSERVE	OBSERVE	1001.000	-	3	3.000000	pps
1001.000	*	-	-	-	-	-	-	-"
}

@test "violations do not reach it, forced ones neither" {
	echo 10.0.0.1 >list
	{
		printf 'time\tdir\tsrc\tport\tproto\tkind\tscore\tstrikes\tforce\n'
		printf '1001.000\tin\t10.0.0.1\t22\ttcp\tnew-edge\t95\t-\t1\n'
		printf '1001.000\t-\t*\t-\t-\t-\t-\t-\t-\n'
	} >v
	{ head_of; tick 1001 10.0.0.1,0.1; } >in
	run --separate-stderr kl-fsm --whitelist list --violations v in
	whole 0 "" "$LEVEL
1001.000	*	-	-	-	-	-	-	-"
}

@test "a list that grows releases within one tick, with a row and without" {
	echo 10.9.9.9 >list
	mkfifo fifo
	kl-fsm --up-need 1 --whitelist list <fifo >out 2>err &
	local pid=$!
	exec 5>fifo
	{ head_of; tick 1001 10.0.0.1,3 10.0.0.2,3 10.0.0.3,3 10.0.0.4,1; } >&5
	until_frame 1001
	printf '10.0.0.1\n10.0.0.2\n10.0.0.4\n' >list
	tick 1002 10.0.0.1,3 10.0.0.3,3 >&5
	until_frame 1002
	tick 1003 10.0.0.1,3 10.0.0.2,3 >&5
	until_frame 1003
	# A broken list: the old one stays, said once.
	printf '10.0.0.3\nnonsense\n' >list
	tick 1004 10.0.0.1,3 10.0.0.3,3 >&5
	until_frame 1004
	tick 1005 >&5
	until_frame 1005
	rm list
	tick 1006 >&5
	tick 1007 >&5
	until_frame 1007
	echo 10.0.0.3 >list
	tick 1008 10.0.0.1,3 >&5
	exec 5>&-
	wait "$pid"
	diff - err <<-END
		kl-fsm: list:2: not an address or prefix 'nonsense'
		kl-fsm: 'list' is broken; the list read before stays
		kl-fsm: cannot read 'list': No such file or directory; the list read before stays
	END
	diff - out <<-END
		$LEVEL
		1001.000	10.0.0.1	RATE_SOFT	OBSERVE	1001.000	1061.000	3	3.000000	pps
		1001.000	10.0.0.2	RATE_SOFT	OBSERVE	1001.000	1061.000	3	3.000000	pps
		1001.000	10.0.0.3	RATE_SOFT	OBSERVE	1001.000	1061.000	3	3.000000	pps
		1001.000	10.0.0.4	OBSERVE	OBSERVE	1001.000	-	1	1.000000	pps
		1001.000	*	-	-	-	-	-	-	-
		1002.000	10.0.0.1	OBSERVE	RATE_SOFT	1002.000	-	0	3.000000	whitelist
		1002.000	10.0.0.2	OBSERVE	RATE_SOFT	1002.000	-	0	0.000000	whitelist
		1002.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	6	3.000000	pps
		1002.000	*	-	-	-	-	-	-	-
		1003.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	6	0.000000	quiet
		1003.000	*	-	-	-	-	-	-	-
		1004.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	9	3.000000	pps
		1004.000	*	-	-	-	-	-	-	-
		1005.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	9	0.000000	quiet
		1005.000	*	-	-	-	-	-	-	-
		1006.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	9	0.000000	quiet
		1006.000	*	-	-	-	-	-	-	-
		1007.000	10.0.0.3	RATE_SOFT	RATE_SOFT	1001.000	1061.000	8	0.000000	quiet
		1007.000	*	-	-	-	-	-	-	-
		1008.000	10.0.0.3	OBSERVE	RATE_SOFT	1008.000	-	0	0.000000	whitelist
		1008.000	10.0.0.1	RATE_SOFT	OBSERVE	1008.000	1068.000	3	3.000000	pps
		1008.000	*	-	-	-	-	-	-	-
	END
}

@test "a source of the saved state that is listed by now is released at once" {
	{ head_of; ticks 3 3; } | kl-fsm -s state >/dev/null
	echo 10.0.0.0/8 >list
	run --separate-stderr kl-fsm -s state --whitelist list <<<"$({ head_of; tick 1003; tick 1004 10.0.0.1,3; })"
	whole 0 "" "$LEVEL
1003.000	10.0.0.1	OBSERVE	RATE_HARD	1003.000	-	0	0.000000	whitelist
1003.000	*	-	-	-	-	-	-	-
1004.000	*	-	-	-	-	-	-	-"
	printf '%s\n1004.000\t*\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n' "$STATE" | cmp - state
}

@test "a list that cannot be read, or holds what is no address, is bad configuration" {
	head_of >in
	run --separate-stderr kl-fsm --whitelist nowhere in
	whole 2 "kl-fsm: cannot read 'nowhere': No such file or directory" ""
	printf '10.0.0.1\n10.0.0.1/8\nhost.example\n' >list
	run --separate-stderr kl-fsm --whitelist list in
	whole 2 "kl-fsm: list:2: bits set behind the prefix length '10.0.0.1/8'
kl-fsm: list:3: not an address or prefix 'host.example'" ""
	printf 'key\tvalue\nwhitelist\tlist\n' >conf
	echo 10.0.0.1 >list
	{ head_of; tick 1001 10.0.0.1,3; } >in
	run --separate-stderr kl-fsm -c conf in
	whole 0 "" "$LEVEL
1001.000	*	-	-	-	-	-	-	-"
	: >list
	run --separate-stderr kl-fsm --whitelist list in
	[ "$status" -eq 0 ]
	[[ $output == *"	10.0.0.1	"* ]]
}

@test "100,000 entries" {
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "10.%d.%d.%d\n", i / 65536, i / 256 % 256, i % 256 }' >list
	{
		head_of
		awk 'BEGIN { for (i = 90000; i < 110000; i++)
			printf "1001.000\t1.000\t10.%d.%d.%d\t0\t3.000000\tpps\n", i / 65536, i / 256 % 256, i % 256 }'
		tick 1001
	} >in
	kl-fsm --whitelist list in >out
	[ "$(wc -l <out)" -eq 10002 ]
	[ "$(sed -n 2p out | cut -f2)" = 10.1.134.160 ]
}
