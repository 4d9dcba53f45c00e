#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-graph: what is listed and rehearsed, what people decide, the frozen baseline as a file, proposals of
# Kernloom IQ, three views compared, the picture.
# shellcheck disable=SC2154 # bats sets stderr

load lib
FLOW='time	dt	dir	src	port	proto	pkts	bytes	syn	drops'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# frames: "TIME DIR SRC PORT PROTO PKTS BYTES SYN DROPS" a line to flow frames of 10 seconds.
frames() {
	awk -v header="$FLOW" -v OFS='\t' '
		function star() { print sprintf("%d.000", t), "10.000", "-", "*", "-", "-", 0, 0, 0, 0 }
		BEGIN { print header }
		NR > 1 && $1 != t { star() }
		{ t = $1; print sprintf("%d.000", t), "10.000", $2, $3, $4, $5, $6, $7, $8, $9 }
		END { if (NR) star() }'
}

# every STEP N "REST"...: lines at N times STEP seconds apart from 1700000000 on.
every() {
	local i rest
	for ((i = 0; i < $2; i++)); do
		for rest in "${@:3}"; do
			echo "$((1700000000 + i * $1)) $rest"
		done
	done
}

graph() {
	kl-graph --db kliq.db --frozen frozen.txt "$@"
}

ask() {
	sqlite3 -cmd '.timeout 10000' -separator ' ' kliq.db "$@"
}

# A database with three learned edges and a candidate.
learned() {
	{
		every 150 5 'in 10.0.0.9 22 tcp 10 1000 1 0' 'in 10.0.0.10 443 tcp 20 2000 1 0' 'out 2001:db8::1 53 udp 1 100 0 0'
		echo '1700000600 in 192.0.2.1 8080 tcp 5 500 1 0'
	} | sort -n | frames | kl-graph-record --graph-min-age 5m | sqlite3 -bail kliq.db
}

@test "list: the whole output" {
	learned
	run --separate-stderr graph list
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(echo "$output") - <<-'END'
		time	dir	src	port	proto	state	first_seen	last_seen	seen	windows	days	pkts	bytes	bl_obs	bl_pps_median	bl_pps_mad	bl_pps_peak	bl_bps_median	bl_bps_mad	bl_bps_peak
		1700000600.000	in	10.0.0.9	22	tcp	learned	1700000000.000	1700000600.000	5	5	1	50	5000	5	1.000	0.050	1.000	100.000	5.000	100.000
		1700000600.000	in	10.0.0.10	443	tcp	learned	1700000000.000	1700000600.000	5	5	1	100	10000	5	2.000	0.100	2.000	200.000	10.000	200.000
		1700000600.000	in	192.0.2.1	8080	tcp	candidate	1700000600.000	1700000600.000	1	1	1	5	500	1	0.500	0.025	0.500	50.000	2.500	50.000
		1700000600.000	out	2001:db8::1	53	udp	learned	1700000000.000	1700000600.000	5	5	1	5	500	5	0.100	0.005	0.100	10.000	0.500	10.000
		1700000600.000	-	*	-	-	-	-	-	4	-	-	160	16000	-	-	-	-	-	-	-
	END
}

@test "list: --state and --src" {
	learned
	names() { graph list "$@" | awk -F'\t' 'NR > 1 { print $3 }' | tr '\n' ' '; }
	[ "$(names --state candidate)" = "192.0.2.1 * " ]
	[ "$(names --state candidate,learned --state frozen)" = "10.0.0.9 10.0.0.10 192.0.2.1 2001:db8::1 * " ]
	[ "$(names --src 10.0.0.0/24)" = "10.0.0.9 10.0.0.10 * " ]
	[ "$(names --src 10.0.0.9)" = "10.0.0.9 * " ]
	[ "$(names --src 2001:db8::/32)" = "2001:db8::1 * " ]
	[ "$(names --src ::/0)" = "10.0.0.9 10.0.0.10 192.0.2.1 2001:db8::1 * " ]
	[ "$(names --state learned --src 192.0.2.0/24)" = "* " ]
	run --separate-stderr graph list --state known
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: bad value 'known' for --state: names of states with commas between" ]
	run --separate-stderr graph list --src 10.0.0.1/24
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: bad value '10.0.0.1/24' for --src: an address or prefix" ]
}

@test "freeze writes database and file; again it changes nothing" {
	learned
	run --separate-stderr graph freeze
	[ "$status" -eq 0 ]
	[ "$output" = "3 edges frozen, 3 in all" ]
	diff frozen.txt - <<-'END'
		in 10.0.0.9 22/tcp frozen
		in 10.0.0.10 443/tcp frozen
		out 2001:db8::1 53/udp frozen
	END
	[ "$(stat -c %a frozen.txt)" = 644 ]
	[ "$(ask "SELECT count(*) FROM graph_edges WHERE state = 'frozen'")" = 3 ]
	cp frozen.txt before
	[ "$(graph freeze)" = "0 edges frozen, 3 in all" ]
	cmp before frozen.txt
	[ "$(ask "SELECT state FROM graph_edges WHERE src = '192.0.2.1'")" = candidate ]
}

@test "freeze: some only" {
	learned
	[ "$(graph freeze 10.0.0.0/24 22/tcp out 2001:db8::/64)" = "2 edges frozen, 2 in all" ]
	[ "$(cat frozen.txt)" = "in 10.0.0.9 22/tcp frozen
out 2001:db8::1 53/udp frozen" ]
}

@test "between two freezes the file changes by what changed" {
	learned
	graph freeze
	cp frozen.txt one
	every 150 5 'in 10.0.0.77 22 tcp 10 1000 1 0' | frames | kl-graph-record --graph-min-age 5m | sqlite3 -bail kliq.db
	graph freeze
	[ "$(diff one frozen.txt | grep '^[<>]')" = '> in 10.0.0.77 22/tcp frozen' ]
	graph deny 10.0.0.10
	[ "$(diff one frozen.txt | grep '^[<>]' | sort)" = '< in 10.0.0.10 443/tcp frozen
> in 10.0.0.10 443/tcp denied
> in 10.0.0.77 22/tcp frozen' ]
}

@test "approve and deny: by edge, by source, by prefix; what nobody saw; comments stay" {
	learned
	graph approve 192.0.2.1 8080/tcp
	[ "$(cat frozen.txt)" = "in 192.0.2.1 8080/tcp approved" ]
	sed -i 's/$/  # the new one/' frozen.txt
	graph import
	graph deny 192.0.2.1 in 10.0.0.0/24 22/tcp
	diff frozen.txt - <<-'END'
		in 10.0.0.0/24 22/tcp denied
		in 10.0.0.9 22/tcp denied
		in 192.0.2.1 8080/tcp denied  # the new one
	END
	graph approve 10.0.0.0/8
	[ "$(sed -n 1,3p frozen.txt)" = "in 10.0.0.0/24 22/tcp approved
in 10.0.0.9 22/tcp approved
in 10.0.0.10 443/tcp approved" ]
	graph deny out 198.51.100.0/24 '*/udp'
	[ "$(tail -n 1 frozen.txt)" = "out 198.51.100.0/24 */udp denied" ]
	# A source alone is all its edges, and no others.
	run --separate-stderr graph deny 10.0.0.99
	[ "$status" -eq 1 ]
	[ "$stderr" = "kl-graph: there is no such edge" ]
	run --separate-stderr graph deny out 10.0.0.9
	[ "$status" -eq 1 ]
	graph approve 10.0.0.99 0/icmp
	grep -qx 'in 10.0.0.99 0/icmp approved' frozen.txt
}

@test "denied is taken back by approve, import and forget, not by freeze" {
	learned
	graph deny 10.0.0.9 22/tcp
	graph freeze
	[ "$(grep -c frozen frozen.txt)" = 2 ]
	grep -qx 'in 10.0.0.9 22/tcp denied' frozen.txt
	every 150 9 'in 10.0.0.9 22 tcp 10 1000 1 0' | frames | kl-graph-record --graph-min-age 5m | sqlite3 -bail kliq.db
	[ "$(ask "SELECT state FROM graph_edges WHERE src = '10.0.0.9'")" = denied ]
	graph approve 10.0.0.9
	grep -qx 'in 10.0.0.9 22/tcp approved' frozen.txt
}

@test "a denied prefix bars what is learned inside it from being frozen" {
	graph deny 10.0.0.8/30 22/tcp
	learned
	[ "$(graph freeze)" = "2 edges frozen, 2 in all" ]
	grep -qx 'in 10.0.0.8/30 22/tcp denied' frozen.txt
	run ! grep -q '10.0.0.9 ' frozen.txt
	[ "$(graph freeze --rehearse | awk -F'\t' '$3 == "10.0.0.9" { print $NF }')" = cut ]
	[ "$(graph freeze --rehearse --src 10.0.0.9 | awk -F'\t' '$3 == "10.0.0.9" { print $NF }')" = cut ]
}

@test "forget: as if never seen" {
	learned
	graph freeze
	graph forget 10.0.0.0/24
	[ "$(cat frozen.txt)" = "out 2001:db8::1 53/udp frozen" ]
	[ "$(ask 'SELECT count(*) FROM edge_baselines')" = 2 ]
	run --separate-stderr graph forget 10.0.0.0/24
	[ "$status" -eq 1 ]
	graph forget out 2001:db8::1
	[ ! -s frozen.txt ]
}

@test "the file goes round byte for byte, comments and all" {
	learned
	cat >frozen.txt <<-'END'
		# Reviewed in November.
		# Ask before changing.

		# The balancer's health check,
		#
		#	every second.
		in 10.0.0.9 22/tcp frozen  # "quoted" 'single' \ back; ünïcode

		in 10.0.0.10 443/tcp frozen  #
		in 10.0.7.0/24 22/tcp approved
		in 192.0.2.9 */udp denied
		in 2001:db8::/32 0/icmp approved
		out 10.0.0.1 53/udp frozen
		# nothing below
	END
	cp frozen.txt want
	graph import
	cmp want frozen.txt
	graph export | cmp - want
	graph export other.txt
	cmp other.txt want
	rm frozen.txt
	graph import other.txt
	cmp want frozen.txt
	# Another order is put right, and nothing else.
	{ head -n 4 want; sed -n '10,$p' want; } >/dev/null
	awk 'NR == 11 { held = $0; next } { print } NR == 12 { print held }' want >mixed.txt
	run ! cmp -s mixed.txt want
	graph import mixed.txt
	cmp want frozen.txt
	# The database follows the file: edges that are not in it are not decided.
	[ "$(ask "SELECT count(*) FROM graph_edges WHERE state = 'frozen'")" = 3 ]
	grep -v 443 want >less.txt
	graph import less.txt
	cmp less.txt frozen.txt
	[ "$(ask "SELECT count(*) FROM graph_edges WHERE src = '10.0.0.10'")" = 0 ]
	graph freeze >/dev/null
	graph export | cmp - frozen.txt
}

@test "a file with a mistake is refused with its line, and nothing changes" {
	learned
	graph freeze
	cp frozen.txt before
	local bad
	while IFS= read -r bad; do
		{ cat before; echo "$bad"; } >edited.txt
		run --separate-stderr graph import edited.txt
		[ "$status" -eq 3 ]
		[[ $stderr == "kl-graph: edited.txt:4: "* ]]
		cmp before frozen.txt
		[ "$(ask "SELECT count(*) FROM graph_edges WHERE state = 'frozen'")" = 3 ]
	done <<-'END'
		in 10.0.0.300 22/tcp frozen
		in 10.0.0.1 22 frozen
		in 10.0.0.1 22/tcp learned
		in 10.0.0.0/24 22/tcp frozen
		in 10.0.0.1/24 22/tcp denied
		up 10.0.0.1 22/tcp frozen
		in  10.0.0.1 22/tcp frozen
		in 10.0.0.9 22/tcp approved
		in 10.0.0.1 0/tcp frozen
	END
}

@test "an edited file is not written over: the line is named; import and export end it" {
	learned
	graph freeze
	cp frozen.txt before
	sed -i '2s/$/  # why?/' frozen.txt
	cp frozen.txt edited
	for c in freeze 'approve 192.0.2.1' 'deny 192.0.2.1' 'forget 192.0.2.1'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr graph $c
		[ "$status" -eq 1 ]
		[ "$output" = "" ]
		[ "$stderr" = "kl-graph: frozen.txt:2: not what the database holds: import or export it first 'in 10.0.0.10 443/tcp frozen  # why?'" ]
		cmp edited frozen.txt
	done
	graph export frozen.txt
	cmp before frozen.txt
	cp edited frozen.txt
	graph import
	graph freeze
	cmp edited frozen.txt
}

@test "both or neither: a file that cannot be written leaves the database as it is" {
	learned
	mkdir frozen.txt
	run --separate-stderr graph freeze
	[ "$status" -eq 4 ]
	[[ $stderr == "kl-graph: cannot read 'frozen.txt': "* ]]
	rmdir frozen.txt
	run --separate-stderr kl-graph --db kliq.db --frozen no/such/folder freeze
	[ "$status" -eq 4 ]
	[[ $stderr == "kl-graph: cannot write 'no/such/folder': "* ]]
	[ "$(ask "SELECT count(*) FROM graph_edges WHERE state = 'frozen'")" = 0 ]
	[ -z "$(find . -name '.*.new')" ]
}

@test "killed in the middle: both as before, or the database ahead, which is said and mended" {
	learned
	local i pid
	for i in 0 1 2 3 4 5 6 7 8 9; do
		# Its sqlite3 has the lock too, and may yet finish what it was sent.
		(exec 9>lock; flock 9; exec kl-graph --db kliq.db --frozen frozen.txt deny "10.0.1.$i" 22/tcp) &
		pid=$!
		sleep "0.0$i"
		kill -9 $pid 2>/dev/null || true
		wait $pid || true
		flock -w 20 lock true
		[ "$(ask 'PRAGMA integrity_check')" = ok ]
		graph export want
		if [ -e frozen.txt ] && ! cmp -s want frozen.txt; then
			run --separate-stderr graph freeze
			[ "$status" -eq 1 ]
			[[ $stderr == "kl-graph: frozen.txt:"*": not what the database holds: "* ]]
			graph export frozen.txt
		fi
		graph freeze >/dev/null
		graph export | cmp - frozen.txt
	done
}

@test "a database that is not there, broken, foreign, of another version, locked: one line, status 4" {
	learned
	run --separate-stderr kl-graph --db none.db list
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-graph: database 'none.db': unable to open database \"./none.db\": unable to open database file" ]
	[ ! -e none.db ]
	head -c 5000 /dev/urandom >broken.db
	for c in list freeze; do
		run --separate-stderr kl-graph --db broken.db --frozen x.txt "$c"
		[ "$status" -eq 4 ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == "kl-graph: database 'broken.db': "*"not a database"* ]]
		[ ! -e x.txt ]
	done
	sqlite3 foreign.db 'CREATE TABLE graph_edges (node_id TEXT)'
	for c in list freeze; do
		run --separate-stderr kl-graph --db foreign.db --frozen x.txt "$c"
		[ "$status" -eq 4 ]
		[[ $stderr == "kl-graph: database 'foreign.db': "*"of Kernloom IQ: kliq import reads it"* ]]
	done
	sqlite3 empty.db 'CREATE TABLE t (x)'
	run --separate-stderr kl-graph --db empty.db list
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-graph: database 'empty.db': nothing was recorded in it yet" ]
	cp kliq.db later.db
	sqlite3 later.db 'UPDATE meta SET schema_version = 2'
	for c in list freeze; do
		run --separate-stderr kl-graph --db later.db --frozen x.txt "$c"
		[ "$status" -eq 4 ]
		[[ $stderr == "kl-graph: database 'later.db': "*"another schema version"* ]]
	done
}

@test "a database that another one writes to: listed all the same, and changed afterwards" {
	learned
	mkfifo hold
	sqlite3 kliq.db <hold >held &
	exec 5>hold
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&5
	until_true test -s held
	[ "$(graph list | wc -l)" = 6 ]
	graph freeze >out &
	sleep .3
	[ ! -s out ]
	echo 'COMMIT;' >&5
	exec 5>&-
	wait
	[ "$(cat out)" = "3 edges frozen, 3 in all" ]
}

@test "sqlite3 killed in the middle, or not there: one line, status 4" {
	learned
	mkdir bin
	printf '#!/bin/sh\nkill -9 $$\n' >bin/sqlite3
	chmod +x bin/sqlite3
	PATH=$PWD/bin:$PATH run --separate-stderr kl-graph --db kliq.db list
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-graph: database 'kliq.db': sqlite3 was killed by signal 9" ]
	mkdir only
	ln -s "$(command -v kl-graph)" only/kl-graph
	run --separate-stderr env PATH="$PWD/only" kl-graph --db kliq.db list
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-graph: cannot start sqlite3: No such file or directory" ]
}

@test "freeze --rehearse: what is cut and what is kept, with periods; a weekly job is kept" {
	day=86400
	{
		for i in 0 1 2; do echo "$((1700000000 + i * 7 * day)) in 10.0.0.1 873 tcp 9 900 1 0"; done
		for i in 0 1; do echo "$((1700000000 + i * 7 * day)) in 10.0.0.2 873 tcp 9 900 1 0"; done
		for ((i = 0; i < 14; i++)); do echo "$((1700000000 + i * day)) in 10.0.0.3 22 tcp 9 900 1 0"; done
		echo "$((1700000000 + 14 * day)) in 10.0.0.4 22 tcp 9 900 1 0"
		for i in 0 1 3 9; do echo "$((1700000000 + i * day)) in 10.0.0.5 22 tcp 9 900 1 0"; done
	} | sort -n | frames | kl-graph-record | sqlite3 -bail kliq.db
	graph approve 10.0.9.0/24 22/tcp
	graph deny 10.0.0.5 22/tcp
	graph freeze --rehearse | cut -f 2-6,8- >out
	diff out - <<-'END'
		dir	src	port	proto	state	seen	days	period	verdict
		in	10.0.0.2	873	tcp	candidate	2	2	weekly	cut
		in	10.0.0.4	22	tcp	candidate	1	1	one-day	cut
		in	10.0.0.1	873	tcp	learned	3	3	weekly	keep
		in	10.0.0.3	22	tcp	learned	14	14	daily	keep
		in	10.0.9.0/24	22	tcp	approved	0	0	-	keep
		-	*	-	-	-	5	-	-	2
	END
	graph freeze >/dev/null
	grep -qx 'in 10.0.0.1 873/tcp frozen' frozen.txt
	run ! grep -q '10.0.0.2' frozen.txt
	run --separate-stderr graph freeze --rehearse 10.0.0.1
	[ "$status" -eq 2 ]
}

@test "diff: file, database and wire" {
	learned
	graph freeze 10.0.0.0/24 >/dev/null
	run --separate-stderr graph diff
	[ "$status" -eq 1 ]
	[ "$output" = "time	dir	src	port	proto	file	state	pkts	what
1700000600.000	out	2001:db8::1	53	udp	-	learned	-	unfrozen
1700000600.000	-	*	-	-	-	-	-	1" ]
	graph freeze >/dev/null
	run --separate-stderr graph diff
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "1700000600.000	-	*	-	-	-	-	-	0" ]
	graph deny 10.0.0.9
	graph approve 198.51.100.0/24 22/tcp
	sed -i 's/^in 10.0.0.10 443.*/in 10.0.0.10 443\/tcp approved/' frozen.txt
	frames >wire <<-'END'
		1700000700 in 10.0.0.9 22 tcp 3 300 0 3
		1700000700 in 10.0.0.10 443 tcp 3 300 0 0
		1700000700 in 192.0.2.1 8080 tcp 4 300 1 0
		1700000700 in 203.0.113.5 3389 tcp 5 300 5 0
		1700000700 in 198.51.100.7 22 tcp 5 300 1 0
		1700000700 out 10.0.0.10 51515 tcp 6 300 0 0
		1700000710 in 192.0.2.1 8080 tcp 4 300 1 0
	END
	run --separate-stderr graph diff wire
	[ "$status" -eq 1 ]
	diff <(echo "$output") - <<-'END'
		time	dir	src	port	proto	file	state	pkts	what
		1700000600.000	in	10.0.0.9	22	tcp	denied	denied	3	denied
		1700000600.000	in	10.0.0.10	443	tcp	approved	frozen	3	edited
		1700000600.000	in	192.0.2.1	8080	tcp	-	candidate	8	new
		1700000600.000	in	203.0.113.5	3389	tcp	-	-	5	new
		1700000600.000	out	10.0.0.10	0	tcp	-	-	6	new
		1700000600.000	out	2001:db8::1	53	udp	frozen	frozen	-	quiet
		1700000600.000	-	*	-	-	-	-	-	6
	END
	graph diff - <wire | cmp - <(echo "$output")
	run --separate-stderr graph diff none
	[ "$status" -eq 4 ]
	# Only the first with a service above: its port is not a client's.
	frames <<<'1700000700 in 10.0.0.9 40000 udp 3 300 0 0' >wire
	[ "$(graph diff wire | awk -F'\t' '$NF == "new" { print $4 }')" = 0 ]
	[ "$(graph diff --service 40000/udp wire | awk -F'\t' '$NF == "new" { print $4 }')" = 40000 ]
	[ "$(graph diff --ephemeral 50000-60000 wire | awk -F'\t' '$NF == "new" { print $4 }')" = 40000 ]
}

@test "dot: sources, services, states by colour, violations in red" {
	learned
	graph freeze >/dev/null
	graph deny 10.0.0.9
	printf '%s\n' 'time	dir	src	port	proto	kind	score	strikes	force' '1.000	in	203.0.113.9	3389	tcp	new-edge	95	-	0' \
		'1.000	in	10.0.0.10	443	tcp	peak	60	-	0' '1.000	in	10.0.0.10	443	tcp	peak	60	-	0' '1.000	-	*	-	-	-	-	-	-' >violations
	graph dot --violations violations >out
	grep -q '"10.0.0.9" -> "here 22/tcp" \[color="firebrick3", style=dashed' out
	grep -q '"here" -> "2001:db8::1" \[label="53/udp", color="forestgreen"' out
	grep -q '"192.0.2.1" -> "here 8080/tcp" \[color="gray60"' out
	[ "$(grep -c 'color="red"' out)" = 2 ]
	grep -q '"203.0.113.9" -> "here 3389/tcp" \[color="red".*label="new-edge"' out
	grep -q '"10.0.0.10" -> "here 443/tcp" \[color="red".*label="peak"' out
	graph dot --state frozen --src 10.0.0.0/8 >out
	[ "$(grep -c -- '->' out)" = 1 ]
	printf '%s\n' 'time	dir	src	port	proto	kind	score	strikes	force' '1.000	in	10.0.0.10	443	tcp	x"];y	60	-	0' \
		'1.000	-	*	-	-	-	-	-	-' >violations
	run --separate-stderr graph dot --violations violations
	[ "$status" -eq 3 ]
	command -v dot >/dev/null || skip "no graphviz"
	graph dot | dot -Tsvg | grep -q '<svg'
}

@test "proposals: out and in again, and one as Kernloom IQ writes it" {
	learned
	graph freeze >/dev/null
	graph deny 10.0.0.9
	graph approve 10.9.0.0/16 22/tcp
	graph export --node host-1 proposal.yaml
	kl-graph --db other.db --frozen other.txt import proposal.yaml
	cmp other.txt frozen.txt
	diff <(kl-graph --db other.db list | cut -f 2-9) <(graph list | cut -f 2-9)
	graph export --format yaml --state denied | grep -c 'state: ' | grep -qx 1
	cat >iq.yaml <<-'END'
		apiVersion: kernloom.io/v1alpha1
		kind: GraphProposal
		metadata:
		    node_id: web-1
		    generated_at: 2024-05-01T10:00:00.123456789Z
		    generated_by: kliq
		    mode: learned
		spec:
		    summary:
		        candidate_edges: 0
		        learned_edges: 2
		    edges:
		        - id: 6a1f3c0e-0000-4000-8000-000000000001
		          state: frozen
		          source:
		              kind: ip
		              id: 10.0.0.9
		          destination:
		              kind: node
		              id: web-1
		          protocol: tcp
		          destination_port: 22
		          direction: egress
		          first_seen_at: 2024-04-01T10:00:00Z
		          last_seen_at: 2024-05-01T09:59:59.5+02:00
		          seen_count: 4000
		          confidence: 0
		          attributes: {}
		        - id: 6a1f3c0e-0000-4000-8000-000000000002
		          state: learned
		          source: {kind: ip, id: "2001:db8::7"}
		          destination: {kind: node, id: web-1}
		          protocol: "58"
		          destination_port: 0
		          direction: ingress
	END
	graph import iq.yaml
	[ "$(ask "SELECT state FROM graph_edges WHERE src = '10.0.0.9'")" = denied ]
	[ "$(ask "SELECT src, proto, state FROM graph_edges WHERE src = '2001:db8::7'")" = "2001:db8::7 icmp learned" ]
	rm -f new.db
	kl-graph --db new.db --frozen new.txt import iq.yaml
	[ "$(cat new.txt)" = "in 10.0.0.9 22/tcp frozen" ]
	[ "$(kl-graph --db new.db list | awk -F'\t' 'NR == 2 { print $2, $7, $8, $9 }')" = "in 1711965600.000 1714550399.500 4000" ]
}

@test "proposals with mistakes: each with its line, nothing imported" {
	cat >bad.yaml <<-'END'
		kind: GraphProposal
		spec:
		  edges:
		    - {state: frozen, source: {kind: ip, id: 10.0.0.300}, destination: {kind: node}, protocol: tcp, destination_port: 1}
		    - {state: frozen, source: {kind: ip, id: 10.0.0.3}, destination: {kind: node}, protocol: tcp, destination_port: 99999}
		    - {state: suspicious, source: {kind: ip, id: 10.0.0.3}, destination: {kind: node}, protocol: tcp, destination_port: 1}
		    - {state: frozen, source: {kind: ip, id: 10.0.0.0/8}, destination: {kind: node}, protocol: tcp, destination_port: 1}
		    - text
		    - {state: frozen, source: {kind: ip, id: 10.0.0.3}, destination: {kind: node}, protocol: tcp, destination_port: 1, seen_count: -1, first_seen_at: yesterday}
	END
	run --separate-stderr graph import bad.yaml
	[ "$status" -eq 3 ]
	diff <(echo "$stderr") - <<-'END'
		kl-graph: bad.yaml:4: the other side has no id that is an address or prefix '10.0.0.300'
		kl-graph: bad.yaml:5: no destination_port of 0 to 65535, or no protocol ''
		kl-graph: bad.yaml:6: not a state 'suspicious'
		kl-graph: bad.yaml:7: a prefix can be approved and denied only 'frozen'
		kl-graph: bad.yaml:8: not an edge 'text'
		kl-graph: bad.yaml:9: not a count '-1'
		kl-graph: bad.yaml:9: not a time as in RFC 3339 'yesterday'
	END
	[ ! -e kliq.db ]
	printf 'kind: PolicyPack\nspec: {edges: []}\n' >bad.yaml
	run --separate-stderr graph import bad.yaml
	[ "$status" -eq 3 ]
	[ "$stderr" = "kl-graph: bad.yaml:1: kind is not GraphProposal ''" ]
	printf 'kind: GraphProposal\nspec:\n  edges: [\n' >bad.yaml
	run --separate-stderr graph import bad.yaml
	[ "$status" -eq 3 ]
	[[ $stderr == "kl-graph: bad.yaml:4: "* ]]
	run --separate-stderr graph export --format yaml --node 'a"b'
	[ "$status" -eq 2 ]
}

# A database as Kernloom IQ 0.2 has it.
iq() {
	sqlite3 "$1" <<-'END'
		PRAGMA journal_mode = WAL;
		CREATE TABLE graph_edges (id TEXT PRIMARY KEY, node_id TEXT, source_kind TEXT, source_id TEXT,
			destination_kind TEXT, destination_id TEXT, protocol TEXT, destination_port INT, direction TEXT,
			first_seen_at INT, last_seen_at INT, seen_count INT, distinct_windows INT, packets_total INT,
			bytes_total INT, confidence INT, state TEXT, learned_by TEXT, attributes_json TEXT,
			bl_pps_median REAL DEFAULT 0, bl_pps_mad REAL DEFAULT 0, bl_bytes_median REAL DEFAULT 0,
			bl_bytes_mad REAL DEFAULT 0, bl_pps_peak REAL DEFAULT 0, bl_bps_peak REAL DEFAULT 0,
			bl_pps_peak_ts REAL DEFAULT 0, bl_bps_peak_ts REAL DEFAULT 0, bl_obs INT DEFAULT 0, bl_state TEXT);
		INSERT INTO graph_edges VALUES
			('a', 'n', 'ip', '10.0.0.5', 'node', 'n', 'tcp', 443, 'egress', 1700000000000000000, 1700864000500000000,
				900, 900, 12345, 678901, 0, 'frozen', 'admin', '{}', 12.5, 1.5, 900, 80, 40, 5000, 1700864000.5,
				1700864000.5, 800, 'candidate'),
			('b', 'n', 'ip', '2001:db8::5', 'node', 'n', '58', 0, 'ingress', 1700000000000000000,
				1700000030000000000, 30, 30, 30, 3000, 0, 'learned', 'local', '{}', 1, 0.1, 100, 9, 2, 200, 1700000030,
				1700000030, 30, 'candidate'),
			('c', 'n', 'ip', '10.0.0.7', 'node', 'n', 'udp', 0, 'ingress', 1700000000000000000,
				1700000030000000000, 3, 3, 3, 300, 0, 'denied', 'admin', '{}', 0, 0, 0, 0, 0, 0, 0, 0, 0, 'candidate'),
			('d', 'n', 'ip', '10.0.0.2', 'ip', '10.0.0.9:5432', 'tcp', 5432, 'egress', 1700000000000000000,
				1700000030000000000, 3, 3, 3, 300, 0, 'candidate', 'local', '{}', 0, 0, 0, 0, 0, 0, 0, 0, 0, 'candidate');
	END
}

import_db() {
	# shellcheck disable=SC2016 # the inner shell's
	bash -c 'set -euo pipefail; . "$1/common.bash"; . "$1/import-db.bash"; import_db "${@:2}"' bash \
		"$BATS_TEST_DIRNAME/../pipelines" "$@"
}

@test "the database of Kernloom IQ is imported, and stays; again it changes nothing" {
	iq "it's old.db"
	run --separate-stderr import_db "it's old.db" kliq.db frozen.txt
	[ "$status" -eq 0 ]
	[ "$output$stderr" = "" ]
	[ "$(cat frozen.txt)" = "in 10.0.0.5 443/tcp frozen
in 10.0.0.7 */udp denied" ]
	graph list | cut -f 1-5,6- >one
	diff one - <<-'END'
		time	dir	src	port	proto	state	first_seen	last_seen	seen	windows	days	pkts	bytes	bl_obs	bl_pps_median	bl_pps_mad	bl_pps_peak	bl_bps_median	bl_bps_mad	bl_bps_peak
		1700864000.500	in	10.0.0.5	443	tcp	frozen	1700000000.000	1700864000.500	900	900	2	12345	678901	800	12.500	1.500	40.000	900.000	80.000	5000.000
		1700864000.500	in	10.0.0.7	0	udp	denied	1700000000.000	1700000030.000	3	1	1	0	0	0	-	-	-	-	-	-
		1700864000.500	in	2001:db8::5	0	icmp	learned	1700000000.000	1700000030.000	30	1	1	30	3000	30	1.000	0.100	2.000	100.000	9.000	200.000
		1700864000.500	out	10.0.0.9	5432	tcp	candidate	1700000000.000	1700000030.000	3	1	1	0	0	0	-	-	-	-	-	-
		1700864000.500	-	*	-	-	-	-	-	4	-	-	12375	681901	-	-	-	-	-	-	-
	END
	import_db "it's old.db" kliq.db frozen.txt
	graph list | cmp - one
	# In its own place it makes room.
	iq kliq2.db
	import_db kliq2.db kliq2.db other.txt
	cmp other.txt frozen.txt
	kl-graph --db kliq2.db list | cmp - one
	[ "$(sqlite3 kliq2.db.iq 'SELECT count(*) FROM graph_edges')" = 4 ]
}

@test "what is no database of Kernloom IQ is not imported" {
	learned
	run --separate-stderr import_db kliq.db new.db frozen.txt
	[ "$status" -eq 3 ]
	[ "$stderr" = "kliq: 'kliq.db' is no database of Kernloom IQ with edges and their baselines" ]
	run --separate-stderr import_db none.db new.db frozen.txt
	[ "$status" -eq 4 ]
	[ "$stderr" = "kliq: cannot read 'none.db' as a database" ]
	iq bad.db
	sqlite3 bad.db "UPDATE graph_edges SET source_id = 'host-7' WHERE id = 'b'"
	run --separate-stderr import_db bad.db new.db frozen.txt
	[ "$status" -eq 3 ]
	[[ ${stderr_lines[0]} == "kl-graph: "*": the other side has no id that is an address or prefix 'host-7'" ]]
	[ "${stderr_lines[1]}" = "kliq: nothing was imported from 'bad.db'" ]
	[ ! -e new.db ]
	[ ! -e frozen.txt ]
}

@test "a hundred thousand edges are frozen, exported and imported" {
	kl-graph-record --schema | sqlite3 -bail kliq.db
	ask "INSERT INTO graph_edges (dir, src, port, proto, state, addr)
		WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 99999)
		SELECT 'in', printf('10.%d.%d.%d', n / 65536, n / 256 % 256, n % 256), 443, 'tcp', 'learned',
			unhex FROM (SELECT n, zeroblob(16) AS unhex FROM i)"
	[ "$(graph freeze)" = "100000 edges frozen, 100000 in all" ]
	[ "$(wc -l <frozen.txt)" = 100000 ]
	graph export | cmp - frozen.txt
	graph import
	graph export | cmp - frozen.txt
	[ "$(graph diff | wc -l)" = 2 ]
}

@test "called wrongly" {
	run --separate-stderr graph
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: no command '': list, freeze, approve, deny, forget, export, import, diff, dot" ]
	run --separate-stderr graph show
	[ "$status" -eq 2 ]
	run --separate-stderr graph approve
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: approve: which edge? SRC or SRC PORT/PROTO" ]
	run --separate-stderr graph list 10.0.0.1
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: list: one operand too many: '10.0.0.1'" ]
	run --separate-stderr graph deny 22/tcp
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: not an address or prefix '22/tcp'" ]
	run --separate-stderr graph deny in
	[ "$status" -eq 2 ]
	run --separate-stderr graph deny 10.0.0.1/8
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: bits set behind the prefix length '10.0.0.1/8'" ]
	run --separate-stderr graph list --rehearse
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: list takes no --rehearse" ]
	run --separate-stderr graph export --state frozen
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-graph: export: --state goes with --format yaml: a baseline is whole" ]
}
