#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-conf: configuration in YAML to settings; what it refuses, and where it
# says the mistake is.

# shellcheck disable=SC2016 # sed's last line is $
# shellcheck disable=SC2154 # bats sets stderr

load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	table=$TOP/t/data/pdp.tsv
	cat >web.yaml <<-'END'
		apiVersion: kernloom.io/v1alpha1
		kind: PDPConfig
		metadata:
		  name: web
		spec:
		  signal_engine:
		    pps_trigger: 1200
		    syn_trigger: 250
		    weights:
		      pps: 0.55
		      cap: 3.0
		  progressive_enforcement:
		    soft_at: 2
		    hard_at: 5
		    block_at: 12
		    up_need: 2
		    block_min_dur: 30s
		  non_compliance:
		    at: 15
		  adapters:
		    shield_pep:
		      soft_rate_pps: 400
		      cooldown: 5s
	END
	cat >pack.yaml <<-'END'
		apiVersion: kernloom.io/kliq/v1alpha1
		kind: LocalPolicyPack
		metadata:
		  name: site
		  issued_at: "2026-03-01T12:00:00Z"
		spec:
		  rules:
		    - name: gentle
		      when: {fsm_level: soft}
		      then:
		        ttl: 2m
		        params: {rate_pps: "100"}
		    - name: firm
		      when: {fsm_level: block}
		      then: {ttl: 24h}
	END
}

# value KEY ARGUMENT...: what kl-conf makes of that key.
value() {
	local key=$1
	shift
	kl-conf "$@" | awk -F'\t' -v key="$key" '$1 == key { print $2 }'
}

# refused LINE:COLUMN MESSAGE ARGUMENT...: one line on stderr, status 2, no output. FILE is web.yaml but for a
# place that has a file of its own.
refused() {
	local where=$1 what=$2
	shift 2
	[[ $where == *.*:* ]] || where=web.yaml:$where
	run --separate-stderr kl-conf "$@"
	if [[ $status != 2 || -n $output || $stderr != "kl-conf: $where: $what" ]]; then
		echo "$*: status $status"
		echo "got  $stderr"
		echo "want kl-conf: $where: $what"
		return 1
	fi
}

# broken SED LINE:COLUMN MESSAGE: that change of web.yaml is refused so.
broken() {
	cp web.yaml good
	sed -i -e "$1" web.yaml
	run ! cmp -s web.yaml good
	refused "$2" "$3" web.yaml
	mv good web.yaml
}

@test "a PDPConfig becomes settings" {
	run --separate-stderr kl-conf web.yaml
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff <(printf '%s\n' "$output") - <<-'END'
		key	value
		trig-pps	1200
		trig-syn	250
		w-pps	0.55
		sev-cap	3
		soft-at	2
		hard-at	5
		block-at	12
		up-need	2
		block-min-dur	30s
		cooldown	5s
		noncomp-at	15
		autotune	off
		soft-rate	400
	END
	kl-conf web.yaml >web.tsv
	kl-score -c web.tsv "$TOP/t/data/day.tsv" | kl-fsm -c web.tsv | tail -n 1 | grep -q '\*'
	kl-conf - <web.yaml | cmp - web.tsv
	kl-conf web.tsv | cmp - web.tsv
}

# The table has the name of the setting beside each key, and the values as the files have them.
@test "the configurations in use elsewhere are read, and their values come out" {
	local name n=0
	for name in $(head -n 1 "$table" | cut -f3-); do
		awk -v name="$name" -f "$TOP/t/pdp-yaml.awk" "$table" >"$name.yaml"
		run --separate-stderr kl-conf "$name.yaml"
		[ "$status" -eq 0 ]
		printf '%s\n' "$output" | tail -n +2 | sort >got
		awk -F'\t' -v OFS='\t' -v CONVFMT=%.9g -v name="$name" '
			FILENAME != ARGV[1] { known[$1] = 1; next }
			FNR == 1 { for (i = 3; i <= NF; i++) if ($i == name) at = i; next }
			$at != "-" { value[$2] = $at }
			END {
				for (k in value) {
					v = value[k]
					if (v ~ /^[0-9.]+(e[+]?[0-9]+)?$/) v = v + 0
					else if (v == "true") v = "on"
					else if (v == "false") v = "off"
					if (k in known) print k, v
				}
			}' "$table" "$TOP/schemas/setting.tsv" | sort >want
		diff want got
		printf '%s\n' "$stderr" >said
		run ! grep -v 'warning: not honoured: ' said
		grep -q "spec.graph.freeze: warning: not honoured: " said
		[[ $name != nas* ]] || grep -q "^kl-conf: $name.yaml:[0-9]*:[0-9]*: spec.adapters.netfilter: warning: " said
		n=$((n + 1))
	done
	[ "$n" -eq 17 ]
}

@test "what is not the shape of a document" {
	local keys='expected apiVersion, kind, metadata and spec, got'
	broken 's/v1alpha1/v2/' 1:13 "apiVersion: expected one of kernloom.io/v1alpha1, got 'kernloom.io/v2'"
	broken '1d' 1:1 "apiVersion: expected one of kernloom.io/v1alpha1, but the key is missing"
	broken 's/PDPConfig/Pod/' 2:7 "kind: expected PDPConfig or LocalPolicyPack, got 'Pod'"
	broken '2d' 1:1 "kind: expected PDPConfig or LocalPolicyPack, but the key is missing"
	broken 's/name: web/name: ""/' 4:9 "metadata.name: expected a text, got '' in quotes"
	broken '/name: web/d' 3:10 "metadata.name: expected a text, but the key is missing"
	broken 's/^spec:/spek:/' 5:1 "spek: expected a known key, perhaps spec, got 'spek'"
	broken '5,$d' 1:1 "spec: expected keys of its own, but the key is missing"
	broken '1,$d' 1:1 "document: $keys nothing"
	broken 's/.*/- x/' 1:1 "document: $keys a list"
	broken '$a--- {}' 24:1 "document: expected one document, got another behind it"
	broken '$aspec: {}' 24:1 "spec: expected each key once, got 'spec' again"
}

@test "what is no YAML" {
	local yaml='YAML: expected well-formed YAML, got'
	broken 's/^  adapters:/\tadapters:/' 20:1 "$yaml found a tab character that violates indentation, while scanning a plain scalar"
	broken 's/spec:/spec: [/' 7:16 "$yaml did not find expected ',' or ']', while parsing a flow sequence"
	broken 's/: web/: \x01/' 4:9 "$yaml control characters are not allowed"
	broken 's/: web/: \xff/' 4:9 "$yaml invalid leading UTF-8 octet"
	broken 's/5s/*nope/' 23:17 "$yaml found undefined alias"
	broken 's/5s/!foo 5s/' 23:17 "spec.adapters.shield_pep.cooldown: expected a duration like 500ms, 30s, 1h30m, got the tag '!foo'"
}

@test "keys that are not known, twice, missing" {
	local pe=spec.progressive_enforcement
	broken 's/up_need/up_neet/' 16:5 "$pe.up_neet: expected a known key, perhaps up_need, got 'up_neet'"
	broken 's/up_need/climb/' 16:5 "$pe.climb: expected a known key, got 'climb'"
	broken 's/hard_at: 5/soft_at: 5/' 14:5 "$pe.soft_at: expected each key once, got 'soft_at' again"
	broken '/hard_at/d' 13:5 "$pe.hard_at: expected a whole number, 1 to 2147483646, but the key is missing"
	broken 's/up_need: 2/up_need:/' 16:13 "$pe.up_need: expected a whole number, 0 to 2147483646, got nothing"
	broken 's/up_need: 2/up_need: ~/' 16:14 "$pe.up_need: expected a whole number, 0 to 2147483646, got nothing"
	broken 's/up_need: 2/up_need: {a: 1}/' 16:14 "$pe.up_need: expected a whole number, 0 to 2147483646, got keys of its own"
	broken 's/up_need: 2/up_need: [2]/' 16:14 "$pe.up_need: expected a whole number, 0 to 2147483646, got a list"
	broken '7d' 7:5 "spec.signal_engine.pps_trigger: expected a number above 0, but the key is missing"
	broken 's/^  non_compliance:/  ? [a, b]\n  : 1\n&/' 18:5 "spec: expected the name of a key, got a list"
}

@test "numbers of the wrong kind or out of range" {
	local v pps=spec.signal_engine.pps_trigger pe=spec.progressive_enforcement
	for v in 0 -5 0.0 many .inf .nan 0x10 0777 1_000 1e400 1e13 '1 2' true; do
		broken "s/: 1200/: $v/" 7:18 "$pps: expected a number above 0, got '$v'"
	done
	broken 's/: 1200/: "1200"/' 7:18 "$pps: expected a number above 0, got '1200' in quotes"
	broken 's/: 0.55/: -0.1/' 10:12 "spec.signal_engine.weights.pps: expected a number, 0 or more, got '-0.1'"
	broken 's/: 3.0/: 0/' 11:12 "spec.signal_engine.weights.cap: expected a number above 0, got '0'"
	broken 's/soft_at: 2/soft_at: 2.5/' 13:14 "$pe.soft_at: expected a whole number, 1 to 2147483646, got '2.5'"
	broken 's/block_at: 12/block_at: 0/' 15:15 "$pe.block_at: expected a whole number, 1 to 2147483646, got '0'"
	broken 's/: 400/: 0/' 22:22 "spec.adapters.shield_pep.soft_rate_pps: expected a whole number, 1 to 2147483646, got '0'"
	broken 's/: 400/: 99999999999/' 22:22 "spec.adapters.shield_pep.soft_rate_pps: expected a whole number, 1 to 2147483646, got '99999999999'"
}

@test "durations are Go's" {
	local v want='spec.progressive_enforcement.block_min_dur: expected a duration like 500ms, 30s, 1h30m, got'
	for v in 30 0 -30s 2d 1w '30 s' 500us 1.5ms 30S s 1h30 900000h .s; do
		broken "s/: 30s/: $v/" 17:20 "$want '$v'"
	done
	broken 's/: 30s/: "30"/' 17:20 "$want '30' in quotes"
	for v in 1h30m 0s 500ms 1.5h 336h '"45s"' "'2m'"; do
		sed "s/: 30s/: $v/" web.yaml >new.yaml
		[ "$(value block-min-dur new.yaml)" = "$(tr -d \"\' <<<"$v")" ]
	done
	for v in +5s=5000ms .5s=500ms 1000us=1ms '"0"=0' 1000000ns=1ms; do
		sed "s/: 30s/: ${v%=*}/" web.yaml >new.yaml
		[ "$(value block-min-dur new.yaml)" = "${v#*=}" ]
	done
}

@test "orders" {
	local pe=spec.progressive_enforcement
	broken 's/soft_at: 2/soft_at: 5/' 14:14 "$pe.hard_at: expected more than soft_at, which is 5, got '5'"
	broken 's/hard_at: 5/hard_at: 1/' 14:14 "$pe.hard_at: expected more than soft_at, which is 2, got '1'"
	broken 's/block_at: 12/block_at: 4/' 15:15 "$pe.block_at: expected more than hard_at, which is 5, got '4'"
	broken 's/up_need: 2/sev_step1: 2.5/' 16:16 "$pe.sev_step1: expected not more than sev-step2, which is 2 by default, got '2.5'"
	broken 's/up_need: 2/sev_step3: 1/' 16:16 "$pe.sev_step3: expected not less than sev-step2, which is 2 by default, got '1'"
	printf 'key\tvalue\nsoft-at\t9\n' >more.tsv
	refused more.tsv:2:1 "soft-at: expected not more than hard-at, which is 5, got '9'" web.yaml more.tsv
}

@test "every mistake is told, at most twenty of them" {
	sed -e 's/: 1200/: x/' -e 's/: 250/: y/' -e 's/: 5s/: z/' web.yaml >new.yaml
	run --separate-stderr kl-conf new.yaml
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	diff <(printf '%s\n' "$stderr") - <<-'END'
		kl-conf: new.yaml:7:18: spec.signal_engine.pps_trigger: expected a number above 0, got 'x'
		kl-conf: new.yaml:8:18: spec.signal_engine.syn_trigger: expected a number, 0 or more, got 'y'
		kl-conf: new.yaml:23:17: spec.adapters.shield_pep.cooldown: expected a duration like 500ms, 30s, 1h30m, got 'z'
	END
	{ cat web.yaml && echo '  settings:' && for i in {1..23}; do echo "    k$i: 1"; done; } >new.yaml
	run --separate-stderr kl-conf new.yaml
	[ "$status" -eq 2 ]
	[ "$(grep -c . <<<"$stderr")" -eq 21 ]
	[ "${stderr##*$'\n'}" = "kl-conf: 3 more errors" ]
}

@test "what was written is what counts, a 0 too" {
	sed -e 's/: 0.55/: 0/' -e 's/: 30s/: 0s/' -e 's/at: 15/at: 0/' -e 's/: 250/: 0/' web.yaml >new.yaml
	kl-conf web.yaml new.yaml >got
	grep -qx 'w-pps	0' got
	grep -qx 'block-min-dur	0s' got
	grep -qx 'noncomp-at	0' got
	grep -qx 'trig-syn	0' got
}

@test "later files win over earlier ones, packs over all, profiles over none" {
	sed -e 's/: 1200/: 1300/' -e '/syn_trigger/d' web.yaml >two.yaml
	[ "$(value trig-pps web.yaml two.yaml)" = 1300 ]
	[ "$(value trig-pps two.yaml web.yaml)" = 1200 ]
	[ "$(value trig-syn web.yaml two.yaml)" = 250 ]
	printf 'key\tvalue\nsoft-ttl\t7s\nsoft-rate-factor\t0.5\n' >t.tsv
	[ "$(value soft-ttl web.yaml t.tsv)" = 7s ]
	[ "$(value soft-ttl pack.yaml web.yaml t.tsv)" = 2m ]
	[ "$(value soft-rate pack.yaml web.yaml t.tsv)" = 100 ]
	[ "$(value soft-burst pack.yaml web.yaml t.tsv)" = 200 ]
	[ "$(value soft-rate-factor pack.yaml t.tsv)" = 0 ]
	[ "$(value block-ttl pack.yaml web.yaml)" = 24h ]
}

@test "any setting by its own name" {
	printf '  settings:\n    max-new-blocks: 7\n    combine: sum\n    whitelist: /etc/white list\n    state_ttl: 2h\n' >>web.yaml
	[ "$(value max-new-blocks web.yaml)" = 7 ]
	[ "$(value combine web.yaml)" = sum ]
	[ "$(value whitelist web.yaml)" = "/etc/white list" ]
	[ "$(value state-ttl web.yaml)" = 2h ]
	broken 's/combine: sum/combine: [sum]/' 26:14 "spec.settings.combine: expected a single value, got a list"
	broken 's/combine: sum/combined: sum/' 26:5 "spec.settings.combined: expected the name of a setting, got 'combined'"
	broken 's/new-blocks: 7/new-blocks: x/' 25:21 "spec.settings.max-new-blocks: expected a whole number, 0 or more, got 'x'"
	broken 's/combine: sum/combine: most/' 26:14 "spec.settings.combine: expected one of max sum, got 'most'"
	broken 's/state_ttl: 2h/state_ttl: 2/' 28:16 "spec.settings.state_ttl: expected a duration like 500ms, 30s, 1h30m, got '2'"
}

@test "settings as a file of settings" {
	bad() {
		# shellcheck disable=SC2059 # tests write escapes
		printf "key\tvalue\n$1" >t.tsv
		refused "t.tsv:$2" "$3" t.tsv
	}
	bad 'soft-att\t1\n' 2:1 "line: expected a known key, got 'soft-att'"
	bad 'soft-at\t1\nhard-at 2\n' 3:1 "line: expected a key, a TAB and a value, got 'hard-at 2'"
	bad 'soft-at\t\n' 2:1 "line: expected a key, a TAB and a value, got 'soft-at?'"
	bad 'soft-at\tx\n' 2:1 "soft-at: expected a whole number, 0 or more, got 'x'"
	bad 'soft-ttl\t5\n' 2:1 "soft-ttl: expected a duration like 500ms, 30s, 1h30m, got '5'"
	bad 'max-level\tNONE\n' 2:1 "max-level: expected one of OBSERVE RATE_SOFT RATE_HARD BLOCK, got 'NONE'"
	bad 'dry-run\tperhaps\n' 2:1 "dry-run: expected true or false, got 'perhaps'"
	bad 'soft-at\t1' 2:1 "line: expected a newline at the end of the last line, got 'soft-at?1'"
	printf 'key\tvalue\nsoft-ttl\t1d\nblock-min-dur\t0\n' >t.tsv
	kl-conf t.tsv >got
	diff got - <<-'END'
		key	value
		block-min-dur	0
		soft-ttl	1d
	END
}

@test "--explain tells where each value comes from" {
	kl-conf --explain web.yaml pack.yaml >got
	[ "$(head -n 1 got)" = "key	value	source" ]
	grep -qx 'trig-pps	1200	web.yaml:7' got
	grep -qx 'soft-ttl	2m	pack.yaml:11' got
	grep -qx 'soft-burst	200	pack.yaml:12' got
	grep -qx 'trig-scan	20	default' got
	[ "$(tail -n +2 got | cut -f1)" = "$(tail -n +2 "$TOP/schemas/setting.tsv" | cut -f1)" ]
}

@test "-t only tests" {
	run --separate-stderr kl-conf -t web.yaml pack.yaml
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
	sed 's/: 1200/: 0/' web.yaml >new.yaml
	run --separate-stderr kl-conf --test new.yaml
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-conf: new.yaml:7:18: spec.signal_engine.pps_trigger: expected a number above 0, got '0'" ]
}

@test "a gate that one signal alone never reaches is told" {
	sed -i 's/up_need: 2/block_min_sev: 3.5/' web.yaml
	run --separate-stderr kl-conf web.yaml
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-conf: web.yaml:16:20: spec.progressive_enforcement.block_min_sev: warning: never reached: one signal counts for 3 at most, so BLOCK needs several at once" ]
}

@test "packs: both versions, and what is wrong with one" {
	pack() {
		cp pack.yaml good
		sed -i -e "$1" pack.yaml
		run ! cmp -s pack.yaml good
		refused "pack.yaml:$2" "$3" pack.yaml
		mv good pack.yaml
	}
	kl-conf pack.yaml >want
	diff want - <<-'END'
		key	value
		soft-ttl	2m
		block-ttl	24h
		soft-rate	100
		soft-burst	200
		soft-rate-factor	0
	END
	sed 's|io/kliq/|io/|' pack.yaml | kl-conf - | cmp - want
	pack 's/kliq/klaq/' 1:13 "apiVersion: expected one of kernloom.io/kliq/v1alpha1 kernloom.io/v1alpha1, got 'kernloom.io/klaq/v1alpha1'"
	pack 's/name: site/name: ""/' 4:9 "metadata.name: expected a text, got '' in quotes"
	pack 's/name: site/name: my site/' 4:9 "metadata.name: expected a name without blanks, got 'my site'"
	pack '6,$d' 1:1 "spec: expected keys of its own, but the key is missing"
	pack '8,$d' 7:9 "spec.rules: expected a list, got nothing"
	pack '8,$d; s/rules:/rules: []/' 7:10 "spec.rules: expected at least one rule, got a list"
	pack 's/level: soft/level: gentle/' 9:25 "spec.rules[0].when.fsm_level: expected one of soft hard block, got 'gentle'"
	pack 's/2m/2/' 11:14 "spec.rules[0].then.ttl: expected a duration like 500ms, 30s, 1h30m, got '2'"
	pack 's/"100"/"1e2"/' 12:28 "spec.rules[0].then.params.rate_pps: expected a whole number of packets a second, below 2^31, got '1e2' in quotes"
	pack 's/T12/ 12/' 5:14 "metadata.issued_at: expected a time like 2026-01-31T12:00:00Z, got '2026-03-01 12:00:00Z' in quotes"
	pack 's/^spec:/&\n  autonomy: {max_action: nuke}/' 7:26 "spec.autonomy.max_action: expected one of observe signal rate_limit rate_limit_hard block, got 'nuke'"
	pack 's/- name: firm/- nam: firm/' 13:7 "spec.rules[1].nam: expected a known key, perhaps name, got 'nam'"
}

@test "packs: rules in CEL are refused by name" {
	sed -i 's/when: {fsm_level: block}/when: {language: cel, expression: "vars.x > 1", bindings: {x: {from: signal}}}/' pack.yaml
	refused pack.yaml:14:13 "spec.rules[1].when: expected fsm_level or capability, got CEL, which is not evaluated here, in rule 'firm'" pack.yaml
	sed -i '/name: firm/d; s/      when: {language/    - when: {language/' pack.yaml
	refused pack.yaml:13:13 "spec.rules[1].when: expected fsm_level or capability, got CEL, which is not evaluated here, in the nameless rule 2" pack.yaml
}

# ceiling LINE... of spec: the max-level that pack.yaml with it amounts to, with the other files of $more.
ceiling() {
	{ sed '/^  rules:/,$d' pack.yaml && printf '  %s\n' "$@" && sed -n '/^  rules:/,$p' pack.yaml; } >ceiling.yaml
	# shellcheck disable=SC2086 # a list of files
	value max-level ceiling.yaml ${more-} 2>/dev/null
}

@test "packs: what they allow is a ceiling that nothing lifts" {
	local list=action_authorization key
	[ -z "$(ceiling)" ]
	[ "$(ceiling 'autonomy: {max_action: observe}')" = OBSERVE ]
	[ "$(ceiling 'autonomy: {max_action: signal}')" = OBSERVE ]
	[ "$(ceiling 'autonomy: {max_action: rate_limit}')" = RATE_SOFT ]
	[ "$(ceiling 'autonomy: {max_action: rate_limit_hard}')" = RATE_HARD ]
	[ "$(ceiling 'autonomy: {max_action: block}')" = BLOCK ]
	[ -z "$(ceiling 'autonomy: {max_action: ""}')" ]
	[ "$(ceiling "$list: {allowed_capabilities: [enforce.access.allow]}")" = OBSERVE ]
	for key in traffic.rate_limit traffic.connection_limit traffic.bandwidth_limit network.rate_limit network.syn_protect; do
		[ "$(ceiling "$list: {allowed_capabilities: [enforce.$key]}")" = RATE_SOFT ]
	done
	[ "$(ceiling "$list: {allowed_capabilities: [enforce.traffic.rate_limit, enforce.traffic.tarpit]}")" = RATE_HARD ]
	for key in access.deny access.default_deny traffic.drop traffic.quarantine network.deny network.default_deny network.quarantine; do
		[ "$(ceiling "$list: {allowed_capabilities: [enforce.$key, enforce.traffic.rate_limit]}")" = BLOCK ]
	done
	[ "$(ceiling "$list: {allowed_capabilities: [enforce.magic]}")" = OBSERVE ]
	# The lower of the two; what is required only where there is neither.
	[ "$(ceiling 'autonomy: {max_action: rate_limit}' "$list: {allowed_capabilities: [enforce.access.deny]}")" = RATE_SOFT ]
	[ "$(ceiling 'autonomy: {max_action: block}' "$list: {allowed_capabilities: [enforce.traffic.rate_limit]}")" = RATE_SOFT ]
	[ "$(ceiling 'capabilities_required: [enforce.traffic.rate_limit]')" = RATE_SOFT ]
	[ "$(ceiling 'autonomy: {max_action: block}' 'capabilities_required: [enforce.traffic.rate_limit]')" = BLOCK ]
	# Neither a later pack, nor a file, lifts it; each may lower it.
	printf 'key\tvalue\nmax-level\tBLOCK\n' >high.tsv
	printf 'key\tvalue\nmax-level\tOBSERVE\n' >low.tsv
	ceiling 'autonomy: {max_action: block}' && mv ceiling.yaml high.yaml
	ceiling 'autonomy: {max_action: observe}' && mv ceiling.yaml low.yaml
	more='high.tsv high.yaml'
	[ "$(ceiling 'autonomy: {max_action: rate_limit}')" = RATE_SOFT ]
	more=low.tsv
	[ "$(ceiling 'autonomy: {max_action: rate_limit}')" = OBSERVE ]
	more=low.yaml
	[ "$(ceiling 'autonomy: {max_action: rate_limit}')" = OBSERVE ]
	more=
	# And it binds: of the captured attackers none is blocked, nor limited harder.
	ceiling 'autonomy: {max_action: rate_limit}'
	kl-conf --profile public-web ceiling.yaml >c.tsv
	kl-score -c c.tsv "$TOP/t/data/day.tsv" | kl-fsm -c c.tsv | cut -f3 | sort -u | diff <(printf '%s\n' - OBSERVE RATE_SOFT level) -
}

@test "packs: dry_run is switched on, and by nobody off" {
	printf 'key\tvalue\ndry-run\toff\n' >off.tsv
	printf 'key\tvalue\ndry-run\ton\n' >on.tsv
	sed 's/^  rules:/  autonomy: {dry_run: true}\n&/' pack.yaml >dry.yaml
	sed 's/^  rules:/  autonomy: {dry_run: false}\n&/' pack.yaml >wet.yaml
	[ "$(value dry-run dry.yaml wet.yaml off.tsv)" = on ]
	[ "$(value dry-run on.tsv wet.yaml)" = on ]
	[ -z "$(value dry-run wet.yaml)" ]
}

@test "packs: capabilities name levels, and win over fsm_level" {
	sed -i 's/fsm_level: block/fsm_level: block, capability: enforce.traffic.tarpit/' pack.yaml
	[ "$(value hard-ttl pack.yaml)" = 24h ]
	[ -z "$(value block-ttl pack.yaml)" ]
	sed -i 's/tarpit/magic/' pack.yaml
	run --separate-stderr kl-conf pack.yaml
	[ "$status" -eq 0 ]
	diff <(printf '%s\n' "$stderr") - <<-'END'
		kl-conf: pack.yaml:14:44: spec.rules[1].when.capability: warning: not honoured: no capability 'enforce.traffic.magic' is known
		kl-conf: pack.yaml:15:19: spec.rules[1].then.ttl: warning: not honoured: the rule is about no level above OBSERVE
	END
}

@test "packs: what Shield cannot honour is told" {
	cat >>pack.yaml <<-'END'
		    - name: again
		      when: {fsm_level: block, signal: graph.new_edge_after_freeze}
		      then: {ttl: 1h, capability: enforce.traffic.rate_limit, params: {rate_pps: 5}}
		    - name: none
		      when: {fsm_level: hard}
		      then: {params: {rate_pps: "0"}}
		  target_selector:
		    match_labels: {role: web}
		  exports:
		    forge: {enabled: true, endpoint: "https://example.org"}
		    correlate: {enabled: false}
		  action_authorization:
		    default_effect: deny
		  autonomy:
		    allow_local_block: false
	END
	run --separate-stderr kl-conf pack.yaml
	[ "$status" -eq 0 ]
	diff <(printf '%s\n' "$stderr") - <<-'END'
		kl-conf: pack.yaml:17:40: spec.rules[2].when.signal: warning: not honoured: rules go by levels, not by signals
		kl-conf: pack.yaml:18:35: spec.rules[2].then.capability: warning: not honoured: at BLOCK Shield lets nothing through
		kl-conf: pack.yaml:18:19: spec.rules[2].then.ttl: warning: not honoured: the ttl of BLOCK in line 15, which this one replaces
		kl-conf: pack.yaml:18:82: spec.rules[2].then.params.rate_pps: warning: not honoured: BLOCK has no rate
		kl-conf: pack.yaml:21:33: spec.rules[3].then.params.rate_pps: warning: not honoured: 0 is no rate; what else sets it counts
		kl-conf: pack.yaml:23:19: spec.target_selector.match_labels: warning: not honoured: what is given to a host is meant for it
		kl-conf: pack.yaml:25:22: spec.exports.forge.enabled: warning: not honoured: nothing is sent anywhere from here
		kl-conf: pack.yaml:28:21: spec.action_authorization.default_effect: warning: not honoured: what allowed_capabilities leaves out is not done, whatever this says
		kl-conf: pack.yaml:30:24: spec.autonomy.allow_local_block: warning: not honoured: it was for the audit log alone; max_action keeps from blocking
	END
	[ "$(printf '%s\n' "$output" | awk -F'\t' '$1 == "block-ttl" { print $2 }')" = 1h ]
}

# key FORMAT: a new key pair; the public one as PEM of that format.
key_pair() {
	openssl genpkey -algorithm ed25519 -out "$1.key" 2>/dev/null
	openssl pkey -in "$1.key" -pubout -out "$1.pem"
	raw() { printf -- '-----BEGIN KERNLOOM ED25519 %s KEY-----\n%s\n-----END KERNLOOM ED25519 %s KEY-----\n' "$1" "$2" "$1"; }
	raw PUBLIC "$(openssl pkey -in "$1.key" -pubout -outform DER | tail -c 32 | base64)" >"$1.raw"
	raw PRIVATE "$(openssl pkey -in "$1.key" -outform DER | tail -c 32 | base64)" >"$1.secret"
}

# sign KEY FILE: FILE with its signature, as signed.yaml.
sign() {
	openssl pkeyutl -sign -rawin -inkey "$1.key" -in "$2" -out sig
	{ cat "$2" && printf 'signature: %s\n' "$(base64 -w0 sig)"; } >signed.yaml
}

@test "signed packs: taken from the key's owner, whole, and from nobody else" {
	key_pair a
	key_pair b
	sign a pack.yaml
	kl-conf pack.yaml >want
	for pem in a.pem a.raw; do
		run --separate-stderr kl-conf --verify-key $pem signed.yaml
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		[ "$output" = "$(<want)" ]
	done
	run --separate-stderr kl-conf --verify-key a.secret signed.yaml
	[ "$status" -eq 0 ]
	[ "$stderr" = "kl-conf: a.secret: warning: a private key: the public one is all that is needed here" ]
	kl-conf signed.yaml | cmp - want
	refused signed.yaml:16:1 "signature: expected a signature of the whole text by the key's owner, got another" --verify-key b.pem signed.yaml
	refused pack.yaml:16:1 "signature: expected a last line signature: BASE64, but the pack is not signed" --verify-key a.pem pack.yaml
	sed 's/ttl: 2m/ttl: 3m/' signed.yaml >changed.yaml
	refused changed.yaml:16:1 "signature: expected a signature of the whole text by the key's owner, got another" --verify-key a.pem changed.yaml
	sed 's/^signature: ..../signature: /' signed.yaml >short.yaml
	refused short.yaml:16:1 "signature: expected 64 bytes in base64, got something else" --verify-key a.pem short.yaml
	refused short.yaml:16:1 "signature: expected 64 bytes in base64, got something else" short.yaml
	# What is no pack needs no signature.
	run --separate-stderr kl-conf --verify-key a.pem web.yaml signed.yaml
	[ "$status" -eq 0 ]
	# Nothing else of what may be anybody's is looked at.
	sed 's/ttl: 2m/ttl: x/' signed.yaml >changed.yaml
	refused changed.yaml:16:1 "signature: expected a signature of the whole text by the key's owner, got another" --verify-key a.pem changed.yaml
}

@test "keys that are none" {
	local want='expected an Ed25519 public key in PEM, a block PUBLIC KEY or KERNLOOM ED25519 PUBLIC KEY'
	key_pair a
	openssl genpkey -algorithm x25519 2>/dev/null | openssl pkey -pubout >x.pem
	sed 's/^[A-Za-z0-9]/A/' a.raw | head -c 60 >short
	sed '2s/....$//' a.raw >shorter
	: >empty
	for f in x.pem short shorter empty a.key; do
		run --separate-stderr kl-conf --verify-key $f pack.yaml
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[ "$stderr" = "kl-conf: $f: $want" ]
	done
	run --separate-stderr kl-conf --verify-key none pack.yaml
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-conf: cannot read 'none': No such file or directory" ]
}

@test "an older pack is not taken again" {
	aged() { sed "s/2026-03-01T12:00:00Z/$1/" pack.yaml >"$2"; }
	aged 2026-03-01T13:59:59+02:00 old.yaml
	aged 2026-03-01T12:00:00.5Z new.yaml
	run --separate-stderr kl-conf --issued-after packs pack.yaml
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-conf: cannot read 'packs': No such file or directory" ]
	kl-conf -t --issued-after packs --remember pack.yaml
	diff packs - <<<$'name\tissued_at\nsite\t2026-03-01T12:00:00Z'
	kl-conf -t --issued-after packs pack.yaml
	refused old.yaml:5:14 "metadata.issued_at: expected no time before 2026-03-01T12:00:00Z, when the newest pack of that name was issued, got '2026-03-01T13:59:59+02:00'" --issued-after packs old.yaml
	sed /issued_at/d pack.yaml >silent.yaml
	refused silent.yaml:4:3 "metadata.issued_at: expected a time not before 2026-03-01T12:00:00Z, when the newest pack of that name was issued, but the key is missing" --issued-after packs silent.yaml
	# Without --remember nothing is.
	kl-conf -t --issued-after packs new.yaml
	kl-conf -t --issued-after packs pack.yaml
	kl-conf -t --issued-after packs --remember new.yaml
	diff packs - <<<$'name\tissued_at\nsite\t2026-03-01T12:00:00.5Z'
	run --separate-stderr kl-conf -t --issued-after packs --remember pack.yaml
	[ "$status" -eq 2 ]
	# Another name is another pack; what was refused is not remembered.
	sed 's/name: site/name: other/; s/2026/2025/' pack.yaml >other.yaml
	run --separate-stderr kl-conf --issued-after packs --remember other.yaml old.yaml
	[ "$status" -eq 2 ]
	diff packs - <<<$'name\tissued_at\nsite\t2026-03-01T12:00:00.5Z'
	kl-conf -t --issued-after packs --remember other.yaml
	diff packs - <<<$'name\tissued_at\nother\t2025-03-01T12:00:00Z\nsite\t2026-03-01T12:00:00.5Z'
	printf 'name\tissued_at\nsite\tyesterday\n' >packs
	run --separate-stderr kl-conf --issued-after packs pack.yaml
	[ "$status" -eq 2 ]
	[ "$stderr" = "kl-conf: packs:2: expected a name, a TAB and a time, got 'site?yesterday'" ]
}

@test "called wrongly" {
	bad() {
		local want=$1
		shift
		run --separate-stderr kl-conf "$@"
		[ "$status" -eq 2 ] && [ -z "$output" ] && [ "$stderr" = "kl-conf: $want" ]
	}
	bad "needs a FILE or --profile NAME"
	bad "--remember goes with --issued-after FILE" --remember web.yaml
	bad "--profiles goes with --profile NAME" --profiles . web.yaml
	bad "cannot read 'none': No such file or directory" none
	bad "cannot read '.': Is a directory" .
	bad "unknown option '--verified'" --verified x web.yaml
	run --separate-stderr bash -c 'kl-conf web.yaml >/dev/full'
	[ "$status" -eq 4 ]
	[ "$stderr" = "kl-conf: cannot write stdout: No space left on device" ]
}
