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

@test "shows a settings file" {
	run --separate-stderr set_
	[ "$status" -eq 0 ]
	[ "$stderr" = "" ]
	diff <(echo "$output") <(printf '%s\t%s\n' key value enforce-allow off default-limit off sample 0 src6-prefix 128)
}

@test "changes one at a time, says nothing; the others stay" {
	run --separate-stderr set_ default-limit 100/200
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	[ "$stderr" = "" ]
	set_ sample 16
	set_ src6-prefix 64
	set_ --force enforce-allow on
	diff <(set_) <(printf '%s\t%s\n' key value enforce-allow on default-limit 100/200 sample 16 src6-prefix 64)
	set_ enforce-allow off
	set_ src6-prefix 128
	set_ default-limit off
	set_ sample 0
	diff <(set_) <(printf '%s\t%s\n' key value enforce-allow off default-limit off sample 0 src6-prefix 128)
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
	refused="the allow table is empty: enforce-allow would drop every source (--force does it all the same)"
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
	says 2 "unknown setting 'edge-mode': enforce-allow, default-limit, sample, src6-prefix" set_ edge-mode deny
	says 2 "no value for 'sample'" set_ sample
	says 2 "more than KEY and VALUE: '2'" set_ sample 1 2
	says 2 "bad value 'yes' for enforce-allow: on or off" set_ enforce-allow yes
	says 2 "bad value '96' for src6-prefix: 64 or 128" set_ src6-prefix 96
	says 2 "bad value '-1' for sample: a whole number, 0 to 4294967295" set_ -- sample -1
	for v in 0/5 5/0 5 5/ /5 5/5/5 4294967296/5 5/4294967296 a/b ""; do
		says 2 "bad value '$v' for default-limit: RATE/BURST, 1 to 4294967295 each, or off" set_ default-limit "$v"
	done
	diff <(set_) <(printf '%s\t%s\n' key value enforce-allow off default-limit off sample 0 src6-prefix 128)
}

@test "the system fails: nothing attached, a pin missing, another ABI, no privilege; status 4" {
	says 4 "cannot open '/no/where': nothing is attached there (kl-attach IFACE)" kl-set -p /no/where
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 77
	says 4 "cannot open '$PINS': kernloom_cfg speaks another ABI than version 2: attach with the matching kl-attach" set_
	"$HELPERS/poke" "$PINS/kernloom_cfg" 4 1
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	says 4 "cannot open '$PINS': no privilege: CAP_BPF and CAP_NET_ADMIN are needed" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v kl-set)" -p "$PINS" sample 1
	rm "$PINS/kernloom_rl_cfg"
	says 4 "cannot open '$PINS': pin kernloom_rl_cfg is missing: detach and attach again" set_
	run --separate-stderr bash -c 'kl-set -p "$1" >/dev/full' bash "$PINS"
	[ "$status" -eq 4 ]
}
