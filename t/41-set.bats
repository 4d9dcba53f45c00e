#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-set: every setting, what it does to packets, every refusal.

# shellcheck disable=SC2016,SC2154 # inner shells expand; bats sets stderr
load lib

setup() {
	need_root
	lab_up no6
	in_here kl-attach -p "$PINS" --sources 4096 in0 >/dev/null
}

teardown() { lab_down; }

set_() { kl-set -p "$PINS" "$@"; }
value() { set_ | awk -F'\t' -v key="$1" '$1 == key { print $2 }'; }

says() { # STATUS MESSAGE COMMAND...
	local want=$1 line=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" -eq "$want" ]
	[ "$output" = "" ]
	diff <(echo "$stderr") <(echo "kl-set: $line")
}

# passes SOURCE: how many of 20 packets reach the host.
passes() { got "$1" peer_send -c 20 src="$1" dst=10.77.0.2 proto=udp dport=9; }

# settings KEY VALUE ...: what kl-set shows when these are not as after attaching.
settings() {
	local line
	{
		printf 'key\tvalue\n'
		for line in enforce-allow=off edge-mode=off src6-prefix=128 flows=off hist=off default-limit=off \
			sample=0 dead-man=off fallen=- falls=0 trial=-; do
			printf '%s\t%s\n' "${line%%=*}" "${line#*=}"
		done
	} | awk -F'\t' -v OFS='\t' -v set="$*" '
		BEGIN { n = split(set, w, " "); for (i = 1; i < n; i += 2) to[w[i]] = w[i + 1] }
		$1 in to { $2 = to[$1]; sub(/_/, " ", $2) }
		1'
}

@test "shows a settings file" {
	run --separate-stderr set_
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(echo "$output") <(settings)
}

@test "changes one at a time, says nothing; the others stay" {
	run --separate-stderr set_ default-limit 100/200
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	set_ sample 16
	set_ src6-prefix 64
	set_ --force enforce-allow on
	set_ flows on
	set_ hist on
	set_ edge-mode deny
	set_ dead-man limits 90s
	diff <(set_) <(settings enforce-allow on default-limit 100/200 sample 16 src6-prefix 64 flows on hist on \
		edge-mode deny dead-man limits_90s)
	set_ flows off
	set_ hist off
	set_ edge-mode off
	set_ dead-man off
	set_ enforce-allow off
	set_ src6-prefix 128
	set_ default-limit off
	set_ sample 0
	diff <(set_) <(settings)
}

@test "what is shown can be set again, as the page does it" {
	set_ edge-mode deny
	set_ default-limit 7/9
	set_ dead-man limits 1500ms
	set_ hist on
	set_ | grep -vE '^(key|fallen|falls|trial)' >"$BATS_TEST_TMPDIR/settings"
	for i in edge-mode default-limit dead-man hist; do set_ $i off; done
	while read -r key value; do
		# shellcheck disable=SC2086 # dead-man has two words
		set_ "$key" $value
	done <"$BATS_TEST_TMPDIR/settings"
	diff <(set_) <(settings edge-mode deny default-limit 7/9 dead-man limits_1.5s hist on)
}

@test "enforce-allow drops whom no rule allows, at once, both ways" {
	kl-rule -p "$PINS" add allow 10.77.0.8
	[ "$(passes 10.77.0.8)" -eq 20 ]
	[ "$(passes 10.77.0.9)" -eq 20 ]
	set_ enforce-allow on
	[ "$(passes 10.77.0.8)" -eq 20 ]
	[ "$(passes 10.77.0.9)" -eq 0 ]
	set_ enforce-allow off
	[ "$(passes 10.77.0.9)" -eq 20 ]
}

@test "enforce-allow on with nobody allowed is refused unless forced; a rule that ended allows nobody" {
	refused="the allow table is empty: enforce-allow would drop every source (or --force)"
	says 1 "$refused" set_ enforce-allow on
	kl-rule -p "$PINS" add allow 192.0.2.1 --ttl 100ms
	sleep 0.2
	says 1 "$refused" set_ enforce-allow on
	[ "$(value enforce-allow)" = off ]
	set_ enforce-allow off
	set_ -f enforce-allow on
	[ "$(value enforce-allow)" = on ]
	set_ enforce-allow off
	kl-rule -p "$PINS" add allow 2001:db8::1
	set_ enforce-allow on
	[ "$(value enforce-allow)" = on ]
}

@test "default-limit holds a source that has no limit of its own" {
	kl-rule -p "$PINS" add limit 10.77.0.8 --rate 1000000 --burst 1000
	set_ default-limit 1/5
	n=$(passes 10.77.0.9)
	[ "$n" -ge 4 ]
	[ "$n" -le 7 ]
	[ "$(passes 10.77.0.8)" -eq 20 ]
	set_ default-limit off
	[ "$(passes 10.77.0.9)" -eq 20 ]
}

@test "refusals: one line, status 2, nothing changed" {
	says 2 "unknown setting 'trial': confirm, dead-man, default-limit, edge-mode, enforce-allow, flows, hist, sample, src6-prefix" \
		set_ trial -
	says 2 "no value for 'sample'" set_ sample
	says 2 "one operand too many: '2'" set_ sample 1 2
	says 2 "one operand too many: 'now'" set_ confirm now
	for key in enforce-allow flows hist; do
		says 2 "bad value 'yes' for $key: one of off on" set_ "$key" yes
	done
	says 2 "bad value 'on' for edge-mode: one of off deny allow" set_ edge-mode on
	says 2 "bad value '96' for src6-prefix: one of 128 64" set_ src6-prefix 96
	says 2 "no value for 'dead-man'" set_ dead-man
	says 2 "no SEC for 'dead-man'" set_ dead-man limits
	says 2 "bad value 'drop' for dead-man: one of off keep limits pass" set_ dead-man drop 5
	says 2 "bad value '5' for dead-man: nothing stands behind off" set_ dead-man off 5
	says 2 "one operand too many: '6'" set_ dead-man pass 5 6
	for v in 0 999ms -1 x 4294967296 ''; do
		says 2 "bad value '$v' for dead-man: seconds, or a duration like 5m, at least 1 s" set_ -- dead-man keep "$v"
	done
	for v in 0 999ms -1 x 4294967296; do
		says 2 "bad value '$v' for --confirm: seconds, or a duration like 5m, at least 1 s" \
			set_ "--confirm=$v" enforce-allow off
	done
	for v in "sample 1" "flows on" "hist on" "dead-man off" confirm ""; do
		# shellcheck disable=SC2086 # words
		says 2 "--confirm goes with default-limit, edge-mode, enforce-allow and src6-prefix" set_ --confirm 5 $v
	done
	says 2 "bad value '-1' for sample: a whole number, 0 to 4294967295" set_ -- sample -1
	for v in 0/5 5/0 5 5/ /5 5/5/5 4294967296/5 5/4294967296 a/b ""; do
		says 2 "bad value '$v' for default-limit: RATE/BURST, 1 to 4294967295 each, or off" set_ default-limit "$v"
	done
	diff <(set_) <(settings)
}

@test "the system fails: nothing attached, a pin missing, another ABI, no privilege; status 4" {
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-set -p /no/where
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 3: attach with the matching kl-attach" set_
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 3
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-set)" -p "$PINS" sample 1
	rm "$PINS/kernloom_rl_cfg"
	says 4 "cannot open '$PINS': pin kernloom_rl_cfg is missing: detach and attach again" set_
	run --separate-stderr bash -c 'kl-set -p "$1" >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
}
