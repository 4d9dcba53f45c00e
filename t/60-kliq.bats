#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kliq without the kernel: replay, why from a capture, printed pipelines, bad
# use; and that other tools read the streams as they are.

load lib

setup() {
	day=$TOP/t/data/day.tsv
	dir=$BATS_TEST_TMPDIR
	export TZ=UTC
}

# The changes of level in a stream, without its times' fraction.
changes() {
	awk -F'\t' '$3 != $4 && $2 != "*" && $1 != "time" { print $1 + 0, $2, $4, $3, $9 }' "$1"
}

@test "replay judges a capture: each attacker limited and blocked, the clients never named" {
	run --separate-stderr kliq replay --profile public-web "$day"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	echo "$output" >"$dir/level.tsv"
	diff - <(changes "$dir/level.tsv") <<-'END'
		1700000005 2001:db8:bad::66 OBSERVE RATE_SOFT scan
		1700000006 198.51.100.66 OBSERVE RATE_SOFT syn
		1700000007 198.51.100.77 OBSERVE RATE_SOFT pps
		1700000011 2001:db8:bad::66 RATE_SOFT RATE_HARD gate
		1700000012 198.51.100.66 RATE_SOFT RATE_HARD gate
		1700000013 198.51.100.77 RATE_SOFT RATE_HARD gate
		1700000038 2001:db8:bad::66 RATE_HARD BLOCK noncomp
		1700000039 198.51.100.66 RATE_HARD BLOCK noncomp
	END
	run ! grep -E '203\.0\.113\.10|2001:db8:c::10' "$dir/level.tsv"
}

@test "replay gives the same bytes twice, from a file and from standard input" {
	kliq replay --profile public-web "$day" >"$dir/a"
	kliq replay --profile public-web "$day" >"$dir/b"
	kliq replay --profile public-web - <"$day" >"$dir/c"
	cmp "$dir/a" "$dir/b"
	cmp "$dir/a" "$dir/c"
	[ "$(grep -c . "$dir/a")" -gt 100 ]
}

@test "replay does not mind the order of columns, and an unknown one" {
	kliq replay --profile public-web "$day" >"$dir/want"
	awk -F'\t' -v OFS='\t' '{ extra = $1 == "time" ? "note" : "x" NR
		print $1, extra, $3, $15, $14, $13, $12, $11, $10, $9, $8, $7, $6, $5, $4, $2 }' "$day" >"$dir/turned"
	kliq replay --profile public-web "$dir/turned" >"$dir/got"
	cmp "$dir/want" "$dir/got"
	kl-score "$dir/turned" | awk -F'\t' '$1 == "time" { exit !($2 == "note") }'
	[ "$(kl-score "$dir/turned" | cut -f2 | tail -n 1)" = "x301" ]
}

@test "replay without settings takes the generic profile, which blocks nobody" {
	kliq replay "$day" >"$dir/got"
	kliq replay --profile GENERIC "$day" | cmp - "$dir/got"
	run ! grep -q BLOCK "$dir/got"
	grep -q RATE_SOFT "$dir/got"
}

@test "replay: -c changes the profile, and the last -c wins" {
	printf 'key\tvalue\nsoft-at\t1000\n' >"$dir/off.tsv"
	printf 'key\tvalue\nhard-at\t1000\nblock-at\t1000\n' >"$dir/more.tsv"
	printf 'key\tvalue\nsoft-at\t3\n' >"$dir/on.tsv"
	kliq replay --profile public-web -c "$dir/more.tsv" -c "$dir/off.tsv" "$day" >"$dir/got"
	run ! grep -q RATE_ "$dir/got"
	kliq replay --profile public-web -c "$dir/more.tsv" -c "$dir/off.tsv" -c "$dir/on.tsv" "$day" >"$dir/got"
	changes "$dir/got" | head -n 1 | diff <(echo 1700000006 2001:db8:bad::66 OBSERVE RATE_SOFT scan) -
}

@test "replay: -c takes YAML too, packs above all; what is wrong is said with its line" {
	kl-conf --profile public-web >"$dir/web.tsv"
	cp "$TOP/pipelines/profiles/public-web.yaml" "$dir/site.yaml"
	sed -i 's/soft_at: 2/soft_at: 1/' "$dir/site.yaml"
	kliq replay -c "$dir/site.yaml" "$day" >"$dir/got"
	changes "$dir/got" | head -n 1 | diff <(echo 1700000005 2001:db8:bad::66 OBSERVE RATE_SOFT scan) -
	cat >"$dir/pack.yaml" <<-'END'
		apiVersion: kernloom.io/kliq/v1alpha1
		kind: LocalPolicyPack
		metadata: {name: gentle}
		spec:
		  autonomy: {max_action: rate_limit}
		  rules: [{name: soft, when: {fsm_level: soft}, then: {ttl: 2m}}]
	END
	kliq replay -c "$dir/pack.yaml" -c "$dir/site.yaml" "$day" >"$dir/got"
	changes "$dir/got" | cut -d' ' -f4 | sort -u | diff <(echo RATE_SOFT) -
	sed -i 's/pps_trigger: 1200/pps_trigger: 0/' "$dir/site.yaml"
	run --separate-stderr kliq replay -c "$dir/site.yaml" "$day"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"$dir/site.yaml:"*": spec.signal_engine.pps_trigger: expected a number above 0, got '0'" ]]
}

@test "replay and why leave no file behind" {
	mkdir "$dir/tmp"
	TMPDIR=$dir/tmp kliq replay --profile nas "$day" >/dev/null
	TMPDIR=$dir/tmp kliq why --profile nas 198.51.100.66 "$day" >/dev/null
	TMPDIR=$dir/tmp run kliq replay --profile castle "$day"
	[ -z "$(ls -A "$dir/tmp")" ]
}

@test "replay: a whitelisted source is never limited" {
	printf '2001:db8:bad::/48\n198.51.100.66 # a friend\n' >"$dir/white"
	kliq replay --profile public-web --whitelist "$dir/white" "$day" >"$dir/got"
	changes "$dir/got" | cut -d' ' -f2 | sort -u | diff <(echo 198.51.100.77) -
}

@test "replay: a cut frame is an error and decides nothing" {
	head -n 60 "$day" >"$dir/cut"
	kliq replay --profile public-web "$day" | awk -F'\t' '$1 < 1700000012 || $1 == "time"' >"$dir/want"
	run --separate-stderr kliq replay --profile public-web "$dir/cut"
	[ "$status" -eq 3 ]
	[[ ${stderr%%$'\n'*} == "kl-score: $dir/cut:60: "*"star row"* ]]
	[ "$output" = "$(<"$dir/want")" ]
}

@test "replay: bad use and bad files get one line and their status" {
	bad() {
		local want=$1 subject=$2
		shift 2
		run --separate-stderr kliq "$@"
		[ "$status" -eq "$want" ] && [ -z "$output" ] && [[ $stderr != *$'\n'* ]] &&
			[[ $stderr == "kliq: "*"$subject"* ]] || { echo "$*: $status: $output: $stderr"; return 1; }
	}
	bad 2 "which command"
	bad 2 "unknown command 'fly'" fly
	bad 2 "replay needs one FILE" replay
	bad 2 "replay needs one FILE" replay a b
	bad 2 "unknown option '--enforce'" replay --enforce "$day"
	bad 2 "--profile needs a value" replay --profile
	bad 2 "cannot read the settings '$dir/none'" replay -c "$dir/none" "$day"
	bad 2 "takes no operand" run eth0
	bad 2 "takes no operand" tick eth0
	bad 2 "takes no operand" status eth0
	bad 2 "takes no operand" demo eth0
	bad 2 "--seconds" demo --seconds 0
	bad 2 "why needs one ADDR" why
	bad 2 "go with a capture" why --profile nas 192.0.2.1
	bad 4 "has not been here" why --state "$dir/none" 192.0.2.1
	bad 2 "'300.1.1.1' is no address" why 300.1.1.1 "$day"
	bad 2 "'10.0.0.0/33' is no address or prefix" why 10.0.0.0/33 "$day"
	bad 2 "'1::2::3' is no address" why 1::2::3 "$day"
	for p in castle ../profiles/nas; do
		run --separate-stderr kliq replay --profile "$p" "$day"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ $stderr == "kl-conf: no profile '$p': there are "*" public-web "* ]]
	done
	run --separate-stderr kliq replay "$dir/none"
	[ "$status" -eq 4 ]
	[[ ${stderr%%$'\n'*} == "kl-score: cannot read '$dir/none': "* ]]
	printf 'key\tvalue\nsoft-att\t1\n' >"$dir/typo.tsv"
	run --separate-stderr kliq replay -c "$dir/typo.tsv" "$day"
	[ "$status" -eq 2 ]
	[[ $stderr == *"$dir/typo.tsv:2:"*soft-att* ]]
}

@test "replay: a stage that is killed is named" {
	mkdir "$dir/bin"
	printf '#!/bin/sh\nkill -KILL $$\n' >"$dir/bin/kl-fsm"
	chmod +x "$dir/bin/kl-fsm"
	PATH=$dir/bin:$PATH run --separate-stderr kliq replay "$day"
	[ "$status" -eq 4 ]
	[ "$stderr" = "kliq: kl-fsm was killed by signal 9" ]
}

@test "every profile is accepted by every filter, by name and by its old names" {
	for f in "$TOP"/pipelines/profiles/*.yaml; do
		name=$(basename "$f" .yaml)
		kliq replay --profile "$name" "$day" >"$dir/$name"
		[ "$(cut -f2 "$dir/$name" | grep -cx '\*')" -eq 60 ]
	done
	[ "$(find "$TOP/pipelines/profiles" -name '*.yaml' | wc -l)" -eq 22 ]
	kliq replay --profile router "$day" | cmp - "$dir/ziti-router"
	kliq replay --profile controller "$day" | cmp - "$dir/ziti-controller"
	kliq replay --profile internal "$day" | cmp - "$dir/internal-app"
}

@test "--print shows the pipeline that would run" {
	run --separate-stderr kliq replay --print --profile idp --whitelist "$dir/a b" "$day"
	[ "$status" -eq 0 ]
	[ "$output" = "kl-conf --profile idp >settings.tsv
kl-score -c settings.tsv $day |
kl-rollup -c settings.tsv --min-sev 0.1 |
kl-fsm -c settings.tsv --whitelist ${dir}/a\\ b" ]
	run --separate-stderr kliq run --print -p /x -i 5 --profile public-web --enforce --state /s --record /r
	[ "$status" -eq 0 ]
	printf '%s\n' "$output" | sed 's/^setpriv.* kl-/kl-/' | diff - <(cat <<-END
		kl-conf --profile public-web >/s/settings.tsv
		kl-dump-src -p /x -i 5 -n 0 |
		tee -a /r |
		kl-score -c /s/settings.tsv -s /s/learn/strangers.tsv |
		kl-rollup -c /s/settings.tsv -s /s/learn/rollup.tsv --min-sev 0.1 |
		kl-fsm -c /s/settings.tsv --whitelist /s/exempt.txt -s /s/fsm/state.tsv |
		kl-apply -p /x -c /s/settings.tsv --sync
	END
	)
	# What is learned reaches whoever multiplies it.
	kliq run --print --feature-profile iq-learning --profile nas --state /s | grep -o 'kl-[a-z]* .*--triggers [^ ]*' | sed 's/ .* / /' |
		diff - <(printf '%s /s/learn/triggers.tsv\n' kl-baseline kl-score kl-apply)
	kliq tick --print --feature-profile dos-light --profile nas --state /s | tail -n 1 | grep -q -- '--triggers /s/learn/triggers.tsv'
	run --separate-stderr kliq tick --print --profile nas --state /s
	[ "$status" -eq 0 ]
	[ "$(sed -n 2p <<<"$output")" = "kl-dump-src -p /sys/fs/bpf -s /s/src.snapshot |" ]
	[ "$(tail -n 1 <<<"$output")" = "kl-apply -p /sys/fs/bpf -c /s/settings.tsv --sync -n" ]
}

@test "--print: as root the filters run as the unprivileged user" {
	[[ $EUID == 0 ]] || skip "needs root"
	run --separate-stderr kliq run --print
	[ "$(grep -c -- '^setpriv --reuid=nobody --regid=[0-9]* --clear-groups --no-new-privs kl-\(conf\|score\|rollup\|fsm\) ' <<<"$output")" -eq 4 ]
	run --separate-stderr kliq run --print --user daemon
	[ "$(grep -c -- '--reuid=daemon' <<<"$output")" -eq 4 ]
	run --separate-stderr kliq run --print --user root
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: 'root' is no unprivileged user" ]
	run --separate-stderr kliq run --print --user no-such-user
	[ "$status" -eq 2 ]
	[ "$stderr" = "kliq: no user 'no-such-user'" ]
}

@test "run, tick and demo without root say so" {
	[[ $EUID != 0 ]] || as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	for c in run tick demo; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr ${as-} kliq "$c"
		[ "$status" -eq 4 ]
		[[ $stderr == "kliq: $c needs root: "* ]]
	done
}

@test "why explains an attacker from a capture" {
	run --separate-stderr kliq why --profile public-web 2001:DB8:bad:0::66 "$day"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff - <(echo "$output") <<-'END'
		source     2001:db8:bad::66
		level      BLOCK since 2023-11-14 22:13:58, TTL ends 2023-11-14 22:23:58
		strikes    45  (RATE_SOFT from 2, RATE_HARD from 5, BLOCK from 12)
		offences   1  (the next block lasts 2 x 10m; RATE_SOFT from strikes 1, after one high tick)
		           one less for every 24h out of BLOCK
		history    2023-11-14 22:13:25  OBSERVE -> RATE_SOFT  strikes 2  severity 1.400000  scan
		           2023-11-14 22:13:31  RATE_SOFT -> RATE_HARD  strikes 16  severity 3.000000  gate
		           2023-11-14 22:13:58  RATE_HARD -> BLOCK  strikes 48  severity 3.000000  noncomp
		seen       2023-11-14 22:14:09, in 1.000 s
		pps               300.0/s  trigger 1200       ratio 0.250  weight 0.55
		syn               300.0/s  trigger 250        ratio 1.200  weight 0.3
		scan              300.0/s  trigger 20         ratio 3.000  weight 0.15
		bps             22200.0/s  trigger 0          ratio 0.000  weight 0
		limiter             0.0/s dropped
		severity   3.000000, led by scan
		adds       1 strikes a tick from severity 1, 2 from 2, 3 from 3
		gate       BLOCK needs severity 2.8 for 30s: not reached
		ends       to RATE_HARD after its TTL, with 8 quiet ticks in a row (severity below 0.25, nothing dropped by the limiter; now 10)
		           and no strike for 45s (the last at 2023-11-14 22:14:09)
		           or at once when it is whitelisted
	END
}

@test "why: nothing is held against a client, nor against one never seen" {
	run --separate-stderr kliq why --profile public-web 203.0.113.10 "$day"
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = "level      OBSERVE" ]
	[ "${lines[-1]}" = "ends       nothing is held against it" ]
	run --separate-stderr kliq why --profile public-web 192.0.2.99 "$day"
	[ "$status" -eq 0 ]
	[ "${lines[3]}" = "seen       not in what was looked at, up to 2023-11-14 22:14:19" ]
}

@test "why --state holds a capture against what was learned there, and teaches it nothing" {
	local state=$dir/state
	mkdir -p "$state/learn"
	kl-conf --profile public-web >"$state/settings.tsv"
	printf '%s\t%s\n' srcbl-min-conf 0 srcbl-min-obs 5 >>"$state/settings.tsv"
	printf '%s\t%s\n' key value trig-pps 7 trig-syn 250 trig-scan 20 >"$state/learn/triggers.tsv"
	awk -F'\t' '$1 < 1700000030 || $1 == "time"' "$day" | kl-baseline -c "$state/settings.tsv" -s "$state/learn/baseline.tsv" >/dev/null
	own=$(columns "$state/learn/baseline.tsv" src base_pps | awk -F'\t' '$1 == "203.0.113.10" { print $2 + 0 }')
	awk -v own="$own" 'BEGIN { exit !(own > 7) }'
	sums=$(cd "$state" && find . -type f -exec cksum {} + | sort)
	about() { kliq why --state "$state" "$@" "$day" >"$dir/why"; }
	pps() { awk '$1 == "pps" { print $4 }' "$dir/why"; }
	# Who learns nothing now has no use for what was learned.
	about 203.0.113.10
	[ "$(pps)" = 1200 ]
	run ! grep -qE '^(learned|normal|own)' "$dir/why"
	echo dos-light >"$state/feature"
	about 203.0.113.10
	[ "$(pps)" = 7 ]
	grep -qx 'learned    pps 7  syn 250  scan 20  (given: pps 1200  syn 250  scan 20)' "$dir/why"
	run ! grep -qE '^(normal|own)' "$dir/why"
	echo iq-learning >"$state/feature"
	about 203.0.113.10
	[ "$(pps)" = "$own" ]
	grep -qE "^own +pps $own .*\(counts where it is more\)$" "$dir/why"
	about 192.0.2.99
	grep -q '^learned' "$dir/why"
	run ! grep -qE '^(normal|own)' "$dir/why"
	# The settings are those given, where some are.
	about --profile nas 203.0.113.10
	grep -qE "^learned .*\(given: pps 1500  syn 30  scan 8  bps 80000000\)$" "$dir/why"
	rm "$state/feature"
	[ "$(cd "$state" && find . -type f -exec cksum {} + | sort)" = "$sums" ]
	# Else a capture knows nothing of a state.
	[ "$(kliq why --profile public-web 203.0.113.10 "$day" | awk '$1 == "pps" { print $4 }')" = 1200 ]
	run --separate-stderr kliq why --state "$dir/none" 203.0.113.10 "$day"
	[ "$status" -eq 4 ]
	[ "$stderr" = "kliq: nothing in $dir/none: kliq run or kliq tick has not been here" ]
}

@test "why shows as a scan what counts as one" {
	{
		sed -n '1s/$/\tanswers/p' "$day"
		printf '1.000\t1.000\t%s\t0\t0\t0\t0\n' '192.0.2.1	60	3600	60	0	0	5	40	15	60' '*	60	3600	60	0	0	5	40	15	-'
	} >"$dir/in"
	kliq why --profile nas 192.0.2.1 "$dir/in" | grep -qE '^scan +5\.0/s  trigger 8 +ratio 0\.625 '
	printf '%s\t%s\n' key value scan ports >"$dir/ports"
	kliq why --profile nas -c "$dir/ports" 192.0.2.1 "$dir/in" | grep -qE '^scan +60\.0/s  trigger 8 +ratio 3\.000 '
}

@test "why finds the prefix a source is counted under" {
	sed 's|2001:db8:bad::66|2001:db8:bad::/64|' "$day" >"$dir/prefix"
	run --separate-stderr kliq why --profile public-web 2001:db8:bad::7 "$dir/prefix"
	[ "${lines[0]}" = "source     2001:db8:bad::/64" ]
	run --separate-stderr kliq why --profile public-web 2001:db8:bad:1::7 "$dir/prefix"
	[ "${lines[0]}" = "source     2001:db8:bad:1::7" ]
}

@test "awk, mlr, jq and sqlite3 read src, score and level streams alike" {
	kl-score "$day" >"$dir/score.tsv"
	kliq replay --profile public-web "$day" >"$dir/level.tsv"
	for s in "$day" "$dir/score.tsv" "$dir/level.tsv"; do
		awk -F'\t' 'NR == 1 { n = NF } { c += NF } END { print NR - 1, c - n }' "$s" >"$dir/awk"
		mlr --itsv --ojsonl cat "$s" | jq -s '"\(length) \(map(length) | add)"' -r >"$dir/mlr"
		jq -R -n '[inputs | split("\t")] | .[1:] | "\(length) \(map(length) | add)"' -r <"$s" >"$dir/jq"
		sqlite3 :memory: '.mode tabs' ".import '$s' t" '.mode list' '.separator " "' \
			"select count(*), count(*) * (select count(*) from pragma_table_info('t')) from t" >"$dir/sqlite"
		diff "$dir/awk" "$dir/mlr"
		diff "$dir/awk" "$dir/jq"
		diff "$dir/awk" "$dir/sqlite"
	done
	# shellcheck disable=SC2016 # a field of mlr
	mlr --itsv --onidx filter '$level == "BLOCK"' "$dir/level.tsv" | awk '{ print $2 }' | sort -u |
		diff - <(printf '%s\n' 198.51.100.66 2001:db8:bad::66)
	[ "$(sqlite3 :memory: '.mode tabs' ".import '$dir/score.tsv' s" "select src from s where src <> '*' group by src order by max(cast(sev as real)) desc, src limit 1")" \
		= "198.51.100.66" ]
}

@test "kliq run tells its pipelines to end; one that went meanwhile, or whose file cannot be read, keeps it from nothing" {
	local as=''
	[[ $EUID != 0 ]] || as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$dir"
	mkdir -m 777 "$dir/run"
	# shellcheck disable=SC2086,SC2016 # words; the inner shell expands
	run --separate-stderr $as bash -euo pipefail -c '
		state=$1
		. "$2/pipelines/beside.bash"
		ln -s gone "$runs/a.pid"
		echo 1 >"$runs/b.pid" && chmod 000 "$runs/b.pid"
		sleep 60 3>&- &
		echo "$!" >"$runs/c.pid"
		stop_all
		wait "$!" || echo "$?"
		ls "$runs/stop"' bash "$dir" "$TOP"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$output" = "143
$dir/run/stop" ]
}

@test "help and version" {
	run --separate-stderr kliq help
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "usage: kliq run "* ]]
	run --separate-stderr kliq -V
	[ "$status" -eq 0 ]
	[[ $output == *[0-9].[0-9]* ]]
}
