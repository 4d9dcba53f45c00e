#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The built-in profiles, each through kl-conf, kl-score and kl-fsm: a lasting
# flood of one kind is blocked as soon as the gate permits, and nobody is
# limited for half of what the profile calls much.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mapfile -t profiles < <(cd "$TOP/pipelines/profiles" && for f in *.yaml; do echo "${f%.yaml}"; done)
}

# frames SETTINGS TIMES SECONDS KINDS: a source for each of KINDS (pps, syn, scan, bps), and that many frames of
# what each sends: its own rate TIMES the trigger, all else nearly nothing; "all" has every rate at once. UDP,
# but for the SYN flood. Where the profile does not look at a rate no source is made for it.
frames() {
	awk -F'\t' -v OFS='\t' -v times="$2" -v seconds="$3" -v kinds="$4" '
		{ is[$1] = $2 }
		END {
			n = split(kinds, kind, " ")
			for (i = 1; i <= n; i++) {
				k = kind[i]
				if (k != "all" && is["trig-" k] + 0 == 0)
					continue
				all = k == "all"
				syn = k == "syn" || all ? times * is["trig-syn"] : 0
				scan = k == "scan" || all ? times * is["trig-scan"] : 1
				pkts = k == "pps" || all ? times * is["trig-pps"] : 1
				if (pkts < syn) pkts = syn
				if (pkts < scan) pkts = scan
				bytes = k == "bps" || all ? times * is["trig-bps"] : 0
				if (bytes < 60) bytes = 60
				row[++rows] = sprintf("1.000\t192.0.2.%d\t%d\t%d\t%d\t%d\t0\t%d\t0\t0\t%d\t0\t0\t0",
					i, pkts, bytes, syn, pkts - syn, syn, scan)
			}
			print "time", "dt", "src", "pkts", "bytes", "tcp", "udp", "icmp", "syn", "ack", "rst", "ports", "drop_allow", "drop_deny", "drop_rl"
			for (t = 1; t <= seconds; t++) {
				time = sprintf("%d.000", 1700000000 + t)
				for (i = 1; i <= rows; i++)
					print time, row[i]
				print time, "1.000\t*\t0\t0\t0\t0\t0\t0\t0\t0\t-\t0\t0\t0"
			}
		}' "$1"
}

setting() { awk -F'\t' -v key="$2" '$1 == key { print $2 }' "$1"; }

@test "every profile is right, and complete" {
	local p key
	[ "${#profiles[@]}" -eq 22 ]
	for p in "${profiles[@]}"; do
		run --separate-stderr kl-conf --profile "$p"
		[ "$status" -eq 0 ]
		[ -z "$stderr" ]
		printf '%s\n' "$output" >"$p.tsv"
		for key in trig-pps trig-syn trig-scan w-pps w-syn w-scan sev-cap soft-at hard-at block-at up-need \
			down-need block-min-sev block-min-dur min-hold-soft min-hold-hard soft-ttl hard-ttl block-ttl \
			cooldown noncomp-at soft-rate-factor hard-rate-factor offence-window offence-max; do
			[ -n "$(setting "$p.tsv" "$key")" ] || { echo "$p: no $key"; return 1; }
		done
		[ "$(setting "$p.tsv" offence-window)" = 24h ]
		# Names are those of the files, and the text says so.
		[ "$(awk '$1 == "name:" { print $2 }' "$TOP/pipelines/profiles/$p.yaml")" = "$p" ]
	done
	for p in public-web public-api web-server api-server reverse-proxy idp ssh-bastion; do
		[ "$(setting "$p.tsv" graph)" = off ]
	done
}

@test "the thresholds are those that each name stands for" {
	local name want
	while read -r name want; do
		kl-conf --profile "$name" >p.tsv
		[ "$(for k in trig-pps trig-syn trig-scan soft-at hard-at block-at block-min-sev block-min-dur; do setting p.tsv $k; done | xargs)" = "$want" ] || {
			echo "$name is not $want"
			return 1
		}
	done <<-'END'
		generic 5000 500 50 3 7 999 0 0s
		ziti-router 8000 200 30 2 5 12 3 60s
		ROUTER 8000 200 30 2 5 12 3 60s
		ziti-router-bootstrap 25000 600 120 3 8 999 0 0s
		ziti-controller 80 20 5 1 3 9 2 15s
		controller 80 20 5 1 3 9 2 15s
		ziri-controller 80 20 5 1 3 9 2 15s
		ziti-controller-bootstrap 400 120 30 2 6 999 0 0s
		public-web 1200 250 20 2 5 12 2.8 30s
		public-api 2500 500 30 2 4 10 2.8 25s
		idp 350 180 10 1 3 8 2.5 30s
		internal-app 800 150 8 3 6 999 0 0s
		Internal 800 150 8 3 6 999 0 0s
		nas 1500 30 8 2 5 14 2.5 30s
		nas-bootstrap 4000 100 30 3 7 999 0 0s
		ssh-bastion 60 25 5 1 2 6 2 30s
		api-server 2500 500 30 2 4 10 2.8 25s
		database 300 50 8 2 4 10 2.5 20s
		reference 200 50 10 2 5 12 2.5 30s
		reverse-proxy 3000 600 25 2 5 12 2.8 30s
		web-server 1200 250 20 2 5 12 2.8 30s
	END
}

# From the first tick of the flood to the first with BLOCK; a gate of 30 s and the first tick at second 1: the
# last one may be at second 33.
@test "a flood of one kind, five times its trigger, is blocked when the gate has had its time" {
	local p gate kind n=0
	for p in "${profiles[@]}"; do
		kl-conf --profile "$p" >p.tsv
		gate=$(setting p.tsv block-min-dur)
		[ "$(setting p.tsv block-min-sev)" != 0 ] || continue
		[[ $gate == *s && $gate != *ms && $gate != *m* ]]
		frames p.tsv 5 $((${gate%s} + 3)) "pps syn scan bps" >src.tsv
		kl-score -c p.tsv src.tsv | kl-fsm -c p.tsv >level.tsv
		for kind in 1:pps 2:syn 3:scan 4:bps; do
			[ "$kind" != 4:bps ] || [ "$(setting p.tsv trig-bps)" -gt 0 ] 2>/dev/null || continue
			awk -F'\t' -v src="192.0.2.${kind%%:*}" '$2 == src && $3 == "BLOCK" { found = 1 } END { exit !found }' level.tsv || {
				echo "$p: ${kind#*:} is not blocked within $gate and 3 ticks"
				return 1
			}
			# And not before: the gate is what decides.
			awk -F'\t' -v src="192.0.2.${kind%%:*}" -v gate="${gate%s}" '
				$2 == src && $3 == "BLOCK" && $1 - 1700000001 < gate { early = 1 } END { exit early }' level.tsv
		done
		n=$((n + 1))
	done
	[ "$n" -eq 12 ]
}

@test "half of its triggers for an hour, one by one or all at once, gets nobody limited" {
	local p
	for p in "${profiles[@]}"; do
		kl-conf --profile "$p" >p.tsv
		frames p.tsv 0.5 3600 "pps syn scan bps all" >src.tsv
		kl-score -c p.tsv src.tsv | kl-fsm -c p.tsv >level.tsv
		[ "$(awk -F'\t' '$2 == "*"' level.tsv | grep -c .)" -eq 3600 ]
		awk -F'\t' -v p="$p" '$2 ~ /^192/ && $3 != "OBSERVE" { print p, $2, $3; bad = 1; exit } END { exit bad }' level.tsv
	done
}

@test "profiles that never block do not, however long the flood" {
	local p n=0
	for p in "${profiles[@]}"; do
		kl-conf --profile "$p" >p.tsv
		[ "$(setting p.tsv max-level)" = RATE_HARD ] || continue
		frames p.tsv 5 1500 "pps all" >src.tsv
		kl-score -c p.tsv src.tsv | kl-fsm -c p.tsv >level.tsv
		cut -f3 level.tsv | sort -u >levels
		grep -qx RATE_HARD levels
		run ! grep -qx BLOCK levels
		n=$((n + 1))
	done
	[ "$n" -eq 10 ]
}
