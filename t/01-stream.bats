#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The stream's rules, seen through kl-score: every way an input can be broken
# gives one line, the documented status, and nothing of the broken frame's end.

# shellcheck disable=SC2154 # bats sets stderr

bats_require_minimum_version 1.5.0
export LC_ALL=C

HEAD='time\tdt\tsrc\tpkts\tbytes\tsyn\tports\n'
SCORED=$'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\ttrig_pps\ttrig_syn\ttrig_scan\ttrig_bps\tsev\twhy'
TRIG=$'1200.000\t250.000\t20.000\t0.000'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# put FORMAT: the header and what FORMAT says.
put() {
	# shellcheck disable=SC2059 # tests write escapes
	printf "$HEAD$1"
}

# feed FORMAT: the same, in the file "in", read.
feed() {
	put "$1" >in
	run --separate-stderr kl-score in
}

# broken STATUS MESSAGE [ROW...]: what came out, whole.
broken() {
	local want=$SCORED row
	[ "$status" -eq "$1" ]
	[ "$stderr" = "kl-score: $2" ]
	shift 2
	for row; do want+=$'\n'$row; done
	[ "$output" = "$want" ]
}

A=$'1.000\t1.000\ta\t600\t100\t0\t1\t'$TRIG$'\t0.500000\tpps'
STAR=$'1.000\t1.000\t*\t600\t100\t0\t-\t'$TRIG$'\t-\t-'

@test "a whole frame passes" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$output" = "$SCORED"$'\n'"$A"$'\n'"$STAR" ]
}

@test "a header alone is a stream" {
	feed ''
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	[ "$output" = "$SCORED" ]
}

@test "empty input" {
	: >in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: in: empty: not even a header" ]
}

@test "empty standard input is named stdin" {
	run --separate-stderr kl-score </dev/null
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: stdin: empty: not even a header" ]
}

@test "no header" {
	printf '1.000\t1.000\ta\t600\t100\t0\t1\n' >in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: in:1: no header: the first column is not 'time' but '1.000'" ]
}

@test "each column it needs, missing" {
	local c
	for c in dt src pkts bytes syn ports; do
		printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\n' | sed "s/	$c//" >in
		run --separate-stderr kl-score in
		[ "$status" -eq 3 ]
		[ "$output" = "" ]
		[ "$stderr" = "kl-score: in:1: missing column '$c'" ]
	done
}

@test "a column named twice" {
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tsyn\n' >in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: in:1: column named twice 'syn'" ]
}

@test "each column it adds, there already" {
	local c
	for c in trig_pps trig_syn trig_scan trig_bps sev why; do
		printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\t%s\n' "$c" >in
		run --separate-stderr kl-score in
		[ "$status" -eq 3 ]
		[ "$output" = "" ]
		[ "$stderr" = "kl-score: in:1: column is already there '$c'" ]
	done
}

@test "a frame cut by another time is dropped, the next one is read" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\n2.000\t1.000\t*\t0\t0\t0\t-\n'
	broken 3 "in:3: frame 1.000 ended without its star row" "$A" \
		$'2.000\t1.000\t*\t0\t0\t0\t-\t'"$TRIG"$'\t-\t-'
}

@test "a frame cut by a header is dropped, the next one is read" {
	feed "1.000\t1.000\ta\t600\t100\t0\t1\n${HEAD}1.000\t1.000\t*\t600\t100\t0\t-\n"
	broken 3 "in:3: frame 1.000 ended without its star row" "$A" "$SCORED" "$STAR"
}

@test "a frame cut by the end" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\n'
	broken 3 "in:2: frame 1.000 ended without its star row" "$A"
}

@test "two rows of a frame, nothing between them from head" {
	put '1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\tb\t0\t0\t0\t1\n1.000\t1.000\t*\t0\t0\t0\t-\n' |
		head -n 2 >in
	run --separate-stderr kl-score in
	broken 3 "in:2: frame 1.000 ended without its star row" "$A"
}

@test "too few cells" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\tb\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	broken 3 "in:3: 3 cells under a header of 7" "$A"
}

@test "too many cells" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\tx\n'
	broken 3 "in:2: 8 cells under a header of 7"
}

@test "empty cells: first, middle, last" {
	local row
	for row in '\t1.000\ta\t600\t100\t0\t1\n' '1.000\t1.000\t\t600\t100\t0\t1\n' '1.000\t1.000\ta\t600\t100\t0\t\n'; do
		feed "$row"
		broken 3 "in:2: empty cell"
	done
}

@test "an empty line" {
	feed '\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	broken 3 "in:2: empty line"
}

@test "a time that is none" {
	local t
	for t in 1 1.0 1.0000 -1.000 x 1.00x 1e3.000 99999999999999999999.000; do
		feed "$t"'\t1.000\ta\t600\t100\t0\t1\n'
		broken 3 "in:2: time: not Unix seconds with three decimals '$t'"
	done
}

@test "a NUL byte" {
	feed '1.000\t1.000\ta\0\t600\t100\t0\t1\n'
	broken 3 "in:2: byte 0x00 may not stand in a cell"
}

@test "other control bytes" {
	feed '1.000\t1.000\ta\033[2J\t600\t100\t0\t1\n'
	broken 3 "in:2: byte 0x1b may not stand in a cell"
	feed '1.000\t1.000\ta\177\t600\t100\t0\t1\n'
	broken 3 "in:2: byte 0x7f may not stand in a cell"
}

@test "a quotation mark" {
	feed '1.000\t1.000\t"a"\t600\t100\t0\t1\n'
	broken 3 "in:2: a quotation mark may not stand in a cell"
}

@test "a carriage return" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\r\n'
	broken 3 "in:2: a carriage return may not stand in a cell"
}

@test "bytes above 0x7f pass" {
	feed '1.000\t1.000\t\303\244\t600\t100\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	[ "$status" -eq 0 ]
	[ "$output" = "$SCORED"$'\n'"${A/	a	/	ä	}"$'\n'"$STAR" ]
}

@test "no newline at the end, even of a star row" {
	feed '1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-'
	broken 3 "in:3: the last line does not end with a newline" "$A"
}

@test "a line of 65536 bytes passes, one byte more does not" {
	local fill
	fill=$(printf '%*s' 65507 '' | tr ' ' x)
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\tfill\n1.000\t1.000\t*\t60\t100\t0\t-\t%s\n' "$fill" >in
	[ "$(sed -n 2p in | wc -c)" -eq 65533 ]
	sed -i '2s/$/xxxx/' in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "${#lines[1]}" -eq $((65536 + 34)) ]
	sed -i '2s/$/x/' in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-score: in:2: line is longer than 65536 bytes" ]
}

@test "a line without any end is refused before memory goes" {
	[[ -z ${SAN-} ]] || skip "AddressSanitizer needs more than memory's bound"
	put '' >in
	head -c 50000000 /dev/zero | tr '\0' x >>in
	run --separate-stderr bash -c 'ulimit -v 100000; kl-score in'
	broken 3 "in:2: line is longer than 65536 bytes"
}

@test "more than 128 columns" {
	{ printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports'; printf '\tc%d' {8..122}; echo; } >in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "$(awk '{ print NF }' <<<"$output")" -eq 128 ]
	# What it appends would be too many for the next.
	{ printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports'; printf '\tc%d' {8..123}; echo; } >in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: in:1: 128 columns leave no room for 'why'" ]
	{ printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports'; printf '\tc%d' {8..129}; echo; } >in
	run --separate-stderr kl-score in
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: in:1: more than 128 columns" ]
}

@test "a bad cell loses its row only; the first of a frame is told, the others counted" {
	feed '1.000\t1.000\tx\t-6\t100\t0\t1\n1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\ty\t1\tz\tz\tz\n1.000\t1.000\tw\t1\tz\t1\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	[ "$status" -eq 1 ]
	[ "$output" = "$SCORED"$'\n'"$A"$'\n'"$STAR" ]
	[ "$stderr" = "kl-score: in:2: pkts: not a whole number '-6'
kl-score: in: frame 1.000: suppressed 2" ]
}

@test "bad cells of the next frame are told again" {
	feed '1.000\t1.000\tx\tq\t0\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n2.000\t1.000\tx\tr\t0\t0\t1\n2.000\t1.000\t*\t1\t1\t1\t-\n'
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-score: in:2: pkts: not a whole number 'q'
kl-score: in:4: pkts: not a whole number 'r'" ]
}

@test "a long bad cell is shown shortened" {
	feed '1.000\t1.000\tx\t1234567890123456789012345678901234567890123456789012345678901234567890\t0\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n'
	broken 1 "in:2: pkts: not a whole number '123456789012345678901234567890123456789012345678...'" "$STAR"
}

@test "broken and bad: the worse status counts" {
	feed '1.000\t1.000\tx\tq\t0\t0\t1\n2.000\t1.000\t*\t600\t100\t0\t-\n'
	[ "$status" -eq 3 ]
}

@test "captures put together with cat: columns may change" {
	printf 'time\tdt\tsrc\tpkts\tbytes\tsyn\tports\n1.000\t1.000\t*\t1\t2\t3\t-\n' >a
	printf 'time\tports\tsrc\tsyn\tnote\tpkts\tbytes\tdt\n2.000\t1\ta\t0\tn\t600\t1\t1.000\n2.000\t-\t*\t3\tm\t1\t2\t1.000\n' >b
	cat a b >in
	run --separate-stderr kl-score in
	[ "$status" -eq 0 ]
	[ "$output" = "$SCORED
1.000	1.000	*	1	2	3	-	$TRIG	-	-
time	ports	src	syn	note	pkts	bytes	dt	trig_pps	trig_syn	trig_scan	trig_bps	sev	why
2.000	1	a	0	n	600	1	1.000	$TRIG	0.500000	pps
2.000	-	*	3	m	1	2	1.000	$TRIG	-	-" ]
	mv in want
	kl-score want >one
	kl-score a b >two
	cmp one two
}

@test "the worst status of several files is kept" {
	put '1.000\t1.000\t*\t1\t2\t3\t-\n' >good
	put '1.000\t1.000\ta\tq\t2\t3\t1\n1.000\t1.000\t*\t1\t2\t3\t-\n' >bad
	put '1.000\t1.000\ta\t1\t2\t3\t1\n' >short
	run --separate-stderr kl-score good good
	[ "$status" -eq 0 ]
	run --separate-stderr kl-score bad good
	[ "$status" -eq 1 ]
	run --separate-stderr kl-score short bad good
	[ "$status" -eq 3 ]
}

@test "a file that is not there, a folder" {
	run --separate-stderr kl-score nothing
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: cannot read 'nothing': No such file or directory" ]
	run --separate-stderr kl-score .
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-score: cannot read '.': Is a directory" ]
}

@test "a file that may not be read" {
	put '' >in
	chmod 000 in
	chmod 755 .
	if [[ $EUID == 0 ]]; then
		run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-score)" in
	else
		run --separate-stderr kl-score in
	fi
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: cannot read 'in': Permission denied" ]
}

@test "a full disk" {
	put '1.000\t1.000\t*\t1\t2\t3\t-\n' >in
	run --separate-stderr bash -c 'kl-score in >/dev/full'
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-score: cannot write stdout: No space left on device" ]
	run --separate-stderr bash -c 'kl-score --help >/dev/full'
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-score: cannot write stdout: No space left on device" ]
}

@test "a closed standard output" {
	put '1.000\t1.000\t*\t1\t2\t3\t-\n' >in
	run --separate-stderr bash -c 'kl-score <in >&-'
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-score: cannot write stdout: Bad file descriptor" ]
	run --separate-stderr bash -c 'kl-score in >&-'
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-score: cannot write stdout: Bad file descriptor" ]
}

@test "a closed standard input" {
	run --separate-stderr bash -c 'kl-score <&-'
	[ "$status" -eq 4 ]
	[ "$output" = "" ]
	[ "$stderr" = "kl-score: cannot read 'stdin': Bad file descriptor" ]
}

@test "a reader that goes away ends it by SIGPIPE, without a word" {
	{ put ''; yes $'1.000\t1.000\ta\t600\t100\t0\t1' | head -n 100000; } >in
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'kl-score in | head -n 1; echo "${PIPESTATUS[0]}"'
	[ "$output" = "$SCORED"$'\n'141 ]
	[ "$stderr" = "" ]
}

@test "a frame comes out of a pipe as soon as its star row went in" {
	mkfifo in out
	kl-score <in >out 3>&- &
	exec 8>in 9<out
	put '1.000\t1.000\ta\t600\t100\t0\t1\n1.000\t1.000\t*\t600\t100\t0\t-\n' >&8
	local got want
	for want in "$SCORED" "$A" "$STAR"; do
		read -r -t 5 got <&9
		[ "$got" = "$want" ]
	done
	printf '2.000\t1.000\t*\t600' >&8
	printf '\t100\t0\t-\n' >&8
	read -r -t 5 got <&9
	[ "$got" = "2.000${STAR#1.000}" ]
	exec 8>&- 9<&-
	wait
}

@test "messages show control bytes as question marks" {
	printf 't\303\033[31m' >bad
	run --separate-stderr kl-score "--combine=$(cat bad)"
	[ "$status" -eq 2 ]
	[ "$stderr" = $'kl-score: bad value \'t\303?[31m\' for --combine: one of max sum' ]
}
