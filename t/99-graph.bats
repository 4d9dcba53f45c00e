#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The graph on real services: kliq run learns the edges of three peers, both families, people freeze them,
# and nothing else gets in; forged packets cost a peer nothing; a database in trouble stops no tick.

# shellcheck disable=SC2154,SC2016 # bats sets them; perl and inner shells expand those
load lib

setup() {
	need_root
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || exit
	lab_up
	STATE=$BATS_TEST_TMPDIR/iq OUT=$BATS_TEST_TMPDIR/receipts ERR=$BATS_TEST_TMPDIR/messages
	for last in 11 12 14; do
		ip -n "$PEER" addr add "10.77.0.$last/24" dev out0
		ip -n "$PEER" addr add "fd77::$last/64" dev out0 nodad
		ip -n "$HERE" neigh replace "10.77.0.$last" lladdr 02:00:00:00:00:0a dev in0
		ip -n "$HERE" neigh replace "fd77::$last" lladdr 02:00:00:00:00:0a dev in0
	done
	in_here kl-attach -p "$PINS" --sources 4096 --flows 4096 --egress in0 >/dev/null
	# An edge is learned from its second tick on.
	printf '%s\t%s\n' key value graph-min-seen 2 graph-min-windows 1 graph-min-age 0 >fast.tsv
}

teardown() {
	[[ -z ${KLIQ-} ]] || kill -KILL "$KLIQ" 2>/dev/null || true
	lab_down
}

gone() { ! kill -0 "$1" 2>/dev/null; }
ask() { sqlite3 -cmd '.timeout 5000' "$STATE/kliq.db" "$1"; }

start() { # OPTION...
	: >"$OUT"	# nothing of an earlier run is taken for this one's
	nsenter --net="/run/netns/$HERE" kliq run -p "$PINS" -c fast.tsv --state "$STATE" "$@" >"$OUT" 2>"$ERR" 3>&- &
	KLIQ=$!
	until_true grep -qP '\t\*\t' "$OUT"
}
stop() {
	kill -TERM "$KLIQ"
	until_true gone "$KLIQ"
	wait "$KLIQ"
	! pgrep -f -- "$STATE" >/dev/null
}

# Real ones, from the programs that "make deps" brings: they serve where they are started, and nowhere else.
services() {
	local name ns
	PATH=$PATH:$TOP/build/nginx/usr/sbin
	for name in nginx dropbear dnsmasq redis-check-rdb; do
		command -v "$name" >/dev/null || skip "no $name: make deps"
	done
	mkdir -m 755 here peer home home/.ssh
	for ns in here peer; do
		mkdir "$ns/www"
		cat >"$ns/nginx.conf" <<-END
			daemon off; pid $ns.pid; user nobody nogroup;
			events { worker_connections 64; }
			http {
				access_log off; client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;
				scgi_temp_path t;
				server { listen 80; listen [::]:80; root www; }
			}
		END
		"in_$ns" nginx -p "$PWD/$ns" -c nginx.conf -e stderr 3>&- &
		"in_$ns" dnsmasq -C /dev/null --keep-in-foreground --log-facility=- --no-hosts --no-resolv --pid-file= \
			--user=nobody --address=/kernloom.test/10.77.0.1 --address=/kernloom.test/fd77::1 2>"$ns.dns" 3>&- &
	done
	head -c 100000 /dev/urandom | tee here/www/page >peer/www/update
	# A user for ssh that this machine does not have.
	echo "guest:x:1000:1000::$PWD/home:/bin/sh" >passwd
	dropbearkey -t ed25519 -f hostkey >/dev/null 2>&1
	dropbearkey -t ed25519 -f key 2>/dev/null | grep '^ssh-' >home/.ssh/authorized_keys
	chown -R 1000:1000 home
	in_here unshare -m sh -c 'mount --bind passwd /etc/passwd && exec dropbear -FEs -p 22 -P ssh.pid -r hostkey' 2>ssh.log 3>&- &
	ln -s "$(command -v redis-check-rdb)" redis-server
	in_here ./redis-server --bind '*' '-::*' --protected-mode no --save '' >redis.log 3>&- &
	until_true traffic
}

# as LAST COMMAND...: by that peer, whose addresses are those the clients get.
as() {
	ip -n "$PEER" route replace 10.77.0.2 dev out0 src "10.77.0.$1" &&
		ip -n "$PEER" -6 route replace fd77::2 dev out0 src "fd77::$1" && in_peer "${@:2}"
}
fetch() { as "$1" curl -sf -m 3 "http://$2/page" | cmp - here/www/page; }
shell() { [[ $(HOME=$PWD as "$1" dbclient -y -y -T -i key "guest@$2" 'echo $((6 * 7))' 2>/dev/null </dev/null) == 42 ]]; }
store() {
	local word=$RANDOM
	[[ $(as "$1" timeout 3 redis-cli -h "$2" set word "$word") == OK && $(as "$1" timeout 3 redis-cli -h "$2" get word) == "$word" ]]
}
resolve() { [[ $(as "$1" dig +short +tries=1 +timeout=3 "@$2" kernloom.test) == 10.77.0.1 ]]; }
update() { # NAMESERVER TYPE: this host's own, from the address it is given
	local address
	address=$(in_here dig +short +tries=1 +timeout=3 "@$1" updates.kernloom.test "$2") || return
	[[ $address != *:* ]] || address="[$address]"
	in_here curl -sf -m 3 "http://$address/update" | cmp - peer/www/update
}
scan() { as 14 nmap "$@" --unprivileged -n -Pn -p 22,53,80,6379 --max-retries 0 -oG scan >/dev/null; }
# What is to work all along: three peers, and this host's own questions.
traffic() {
	local to
	for to in 10.77.0.2 fd77::2; do
		resolve 1 "$to" && shell 11 "$to" && store 12 "$to" && as 12 ping -q -c 1 -W 1 "$to" >/dev/null || return
	done
	for to in 10.77.0.2 '[fd77::2]'; do
		fetch 1 "$to" && fetch 11 "$to" || return
	done
	update 10.77.0.1 A && update fd77::1 AAAA
}
# What that is as edges.
allowed() {
	local family edge
	for family in 10.77.0. fd77::; do
		for edge in '1 80/tcp' '11 80/tcp' '11 22/tcp' '12 6379/tcp' '1 53/udp' '12 0/icmp'; do
			echo "in $family$edge frozen"
		done
		echo "out ${family}12 0/icmp frozen"	# the answers
		for edge in '1 53/udp' '1 80/tcp'; do
			echo "out $family$edge frozen"
		done
	done
}
learned() {
	traffic
	[[ $(ask "SELECT count(*) FROM graph_edges WHERE state = 'learned' AND (port OR proto = 'icmp')") == $(allowed | wc -l) ]]
}
learn() {
	services
	start --feature-profile graph-learning
	until_true learned
	stop
}
violated() { # SRC PORT
	awk -F'\t' -v src="$1" -v port="$2" '$3 == src && $4 == port && $6 == "new-edge" { n++ } END { exit !n }' \
		"$STATE/learn/violations.tsv"
}

@test "learned, rehearsed, frozen, enforced: what was learned works, anything else is dropped, told and explained" {
	learn
	graph() { kl-graph --db "$STATE/kliq.db" --frozen "$STATE/frozen.txt" "$@"; }
	[ "$(graph freeze --rehearse | awk -F'\t' '$3 == "*" { print $NF }')" -eq 0 ]
	graph freeze
	diff <(grep -v ' \*/' "$STATE/frozen.txt" | sort) <(allowed | sort)
	in_here kliq graph enforce -p "$PINS" --state "$STATE" --confirm 60 >rehearsal 2>&1
	kl-set -p "$PINS" confirm
	start --feature-profile graph-enforce --enforce
	traffic
	# A fourth peer, and a known one's first connection to another port: the first packet is one too many.
	export -f scan as store
	for family in 10.77.0. '-6 fd77::'; do
		prefix=${family#-6 }
		# shellcheck disable=SC2086 # two words
		[ "$(got "${prefix}14" scan ${family}2)" -eq 0 ]
		[ "$(grep -o '/filtered/tcp/' scan | wc -l)" -eq 4 ]
		[ "$(got "${prefix}11" store 11 "${prefix}2")" -eq 0 ]
		until_true violated "${prefix}14" 80
		until_true violated "${prefix}11" 6379
	done
	traffic
	run --separate-stderr in_here kliq why -p "$PINS" --state "$STATE" 10.77.0.11
	[ "$status" -eq 0 ]
	[[ $output == *"edges      in 10.77.0.11 22/tcp frozen"* ]]
	[[ $output == *"violates   in 6379/tcp  new-edge  score 95"* ]]
	[[ $output == *"edge-deny 6379/tcp, of graph"* ]]
	run --separate-stderr in_here kliq why -p "$PINS" --state "$STATE" fd77::14
	[[ $output == *"edges      none in the frozen baseline"* ]]
	[[ $output == *"in 80/tcp  new-edge  score 95"* ]]
	# Forged packets "from" a frozen peer, a thousand a second to a port nobody uses: it keeps its edges.
	peer_send -c 4000 -r 1000 src=10.77.0.11 dst=10.77.0.2 proto=udp dport=7 &
	forger=$!
	for _ in 1 2 3 4 5 6; do
		fetch 11 10.77.0.2
		sleep 0.5
	done
	wait "$forger"
	until_true violated 10.77.0.11 7
	sleep 2
	traffic
	kliq graph picture --state "$STATE" -o picture.svg
	grep -q 'stroke="red"' picture.svg
	stop
	[ ! -s "$ERR" ]
	# Taken back, all of it.
	in_here kliq graph relax -p "$PINS" --state "$STATE"
	fetch 14 10.77.0.2
}

# example PAGE WORDS: what its example below these words says, with the addresses of the lab.
example() {
	awk -v words="$2" '
		$0 == ".Sh EXAMPLES" { there = 1 }
		/^\.(Ed|Sh SEE)/ || /^[^.]/ && lines && !block { if (found) exit }
		there && index($0, words) == 1 { found = 1 }
		!found { next }
		/^\.Bd/ { block = 1; next }
		sub(/^\.Dl /, "") || block { print; lines++ }
	' "$TOP/$1" | sed 's/\\(dq/"/g; s/\\e/\\/g; s/10\.0\.7\.0/10.77.0.0/; s/192\.0\.2\.9/10.77.0.12/'
}
# literally PAGE WORDS: that example, by a shell that finds this test's instance and state where they usually are.
literally() {
	local text
	text=$(example "$@")
	[[ -n $text ]]
	in_here unshare -m bash -euc 'mount --bind "$1" /sys/fs/bpf && mount -t tmpfs tmpfs /var/lib &&
		mkdir -p /var/lib/kernloom/iq && mount --bind "$2" /var/lib/kernloom/iq && exec bash -euo pipefail -c "$3"' \
		bash "$PINS" "$STATE" "$text"
}
# What reads the kernel is told to end, as by ^C; the rest follows.
end_dumps() {
	local pid
	for pid in $(ip netns pids "$HERE"); do
		! grep -qs ^kl-dump- "/proc/$pid/comm" || kill -TERM "$pid" || true
	done
}

@test "by hand, with the pipelines of the pages: learn, rehearse, freeze, edit, enforce, check" {
	services
	mkdir "$STATE"
	cp fast.tsv "$STATE/settings.tsv"
	literally cmd/kl-graph-record.1 'Learn from now on' >recorded 2>"$ERR" 3>&- &
	until_true test -s recorded
	until_true learned
	end_dumps
	wait $! || [ $? -eq 143 ]
	export EDITOR='sed -i /fd77::11.80.tcp/d' GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@host GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@host
	literally cmd/kl-graph.1 'Look, rehearse, freeze' >seen
	[ "$(grep -c "$(printf '\tlearned\t')" seen)" -ge "$(allowed | wc -l)" ]
	[ "$(git -C "$STATE" show HEAD:frozen.txt | grep -v ' \*/' | sort)" = "$(allowed | sort)" ]
	literally cmd/kl-graph.1 'Change it by hand'
	literally cmd/kl-graph.1 'Administrators may come'
	literally cmd/kl-graph.1 'Who is on the wire now' >new 3>&- &
	wire=$!
	while ! gone "$wire"; do
		fetch 11 '[fd77::2]'
		sleep 0.5
	done
	wait "$wire" || [ $? -eq 1 ]	# they differ
	cut -f 2-5 new | diff - <(printf 'in\tfd77::11\t80\ttcp\n')
	literally pipelines/kliq.8 'On a host whose peers are known' >rehearsal
	literally cmd/kl-graph-check.1 'Strikes for who breaks it' >"$OUT" 2>"$ERR" 3>&- &
	check=$!
	in_here kl-dump-flow -p "$PINS" -i 1 -n 0 >flows.tsv 3>&- &
	until_true grep -qP '\t\*\t' "$OUT"
	fetch 1 10.77.0.2
	shell 11 fd77::2
	store 12 fd77::2
	update 10.77.0.1 A
	run ! store 12 10.77.0.2
	run ! fetch 11 '[fd77::2]'
	limited() { awk -F'\t' '$2 == "fd77::14" && $3 != "OBSERVE" { n++ } END { exit !n }' "$OUT"; }
	caught() { scan -6 fd77::2 && limited; }
	until_true caught
	end_dumps
	wait "$check" || [ $? -eq 143 ]
	cp "$STATE/frozen.txt" .
	literally cmd/kl-graph-check.1 'What a captured day' | grep -q "$(printf '^ *[1-9][0-9]* fd77::14\t6379\ttcp\tnew-edge$')"
	literally cmd/kl-graph.1 'A picture'
	grep -q '</svg>' graph.svg
}

@test "a database that is locked, then broken: said, tried again, and no tick waits" {
	services
	start --feature-profile graph-learning
	recorded() { [[ $(ask 'SELECT last_tick FROM meta') -gt ${1:-0} ]]; }
	until_true recorded
	mkfifo hold
	sqlite3 "$STATE/kliq.db" <hold >/dev/null 3>&- &
	exec 7>hold
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&7
	ticks=$(grep -cP '\t\*\t' "$OUT")
	until_true grep -q "kliq: the graph is not recorded: begun again in 10 s" "$ERR"
	grep -q 'database is locked' "$ERR"
	[ "$(grep -cP '\t\*\t' "$OUT")" -ge $((ticks + 5)) ]
	was=$(ask 'SELECT last_tick FROM meta')
	exec 7>&-
	until_true recorded "$was"
	[ "$(ask 'PRAGMA integrity_check')" = ok ]
	stop
	# Broken from the start: the tick runs all the same, and when the file is gone it is made anew.
	head -c 100000 /dev/urandom >"$STATE/kliq.db"
	rm -f "$STATE"/kliq.db-*
	start --feature-profile graph-learning
	until_true grep -q "cannot use the database $STATE/kliq.db" "$ERR"
	rm "$STATE/kliq.db"
	until_true recorded
	stop
}
