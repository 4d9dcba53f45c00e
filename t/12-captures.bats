#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# kl-dump-src against captures of real traffic, each frame through the attached
# program: what it counts by source is what two other parsers counted
# (CAPTURE.sources.tsv). The captures are below $KL_CAPTURES.

# shellcheck disable=SC2154 # bats sets them
load lib

setup() {
	need_root
	CAPTURES=${KL_CAPTURES-$TOP/../shared/data}
	[[ -d $CAPTURES ]] || skip "no captures: \$KL_CAPTURES names their directory"
	lab_up no6
	SNAP=$BATS_TEST_TMPDIR/snapshot
}

teardown() { lab_down; }

# A cut IP header is not IP: these frames are counted as malformed and belong to no source.
by_our_rule() {
	case $1 in
	bad/ip4-total-length.pcap | bad/ip6-length.pcap) true ;;
	*) false ;;
	esac
}

@test "each capture: packets, bytes, SYN, RST, TCP, UDP, ICMP and ports by source" {
	in_here kl-attach -p "$PINS" --sources 131072 in0 >/dev/null
	kl-dump-src -p "$PINS" -s "$SNAP" >/dev/null
	kl-dump-total -p "$PINS" -s "$SNAP.total" >/dev/null
	compared=0
	while read -r truth; do
		capture=${truth%.sources.tsv}
		name=${capture#"$CAPTURES"/}
		IFS=$'\t' read -r passed dropped skipped < <("$HELPERS/feed" "$PINS" "$capture")
		kl-dump-src -p "$PINS" -s "$SNAP" >"$BATS_TEST_TMPDIR/out"
		kl-dump-total -p "$PINS" -s "$SNAP.total" >"$BATS_TEST_TMPDIR/total"
		[ "$dropped" -eq 0 ]
		[ "$(columns "$BATS_TEST_TMPDIR/total" pkts | tail -n 1)" -eq "$passed" ]
		if [[ $skipped != 0 ]]; then
			echo "# $name: $skipped frames are cut, or larger than a test frame: not compared" >&3
			continue
		fi
		if by_our_rule "$name"; then
			[ "$(columns "$BATS_TEST_TMPDIR/total" malformed | tail -n 1)" -ge 1 ]
			continue
		fi
		columns "$BATS_TEST_TMPDIR/out" src pkts bytes syn rst tcp udp icmp ports | grep -vP '^(src|\*)\t' |
			sort >"$BATS_TEST_TMPDIR/ours"
		awk -F'\t' -v OFS='\t' '
			NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			{ print $at["src"], $at["pkts"], $at["bytes"], $at["syn"], $at["rst"], $at["tcp"],
				$at["udp"], $at["icmp"], $at["dports"] }' "$truth" | sort >"$BATS_TEST_TMPDIR/theirs"
		diff <(cut -f1-8 "$BATS_TEST_TMPDIR/ours") <(cut -f1-8 "$BATS_TEST_TMPDIR/theirs") || { echo "$name"; return 1; }
		# Ports: exact up to one, else within what the estimate promises.
		paste "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs" | awk -F'\t' -v name="$name" '
			{
				off = $9 > $18 ? $9 - $18 : $18 - $9
				may = $18 <= 1 ? 0 : $18 <= 700 ? $18 / 4 : $18
				if (may && may < 3)
					may = $18 < 3 ? $18 - 1 : 3
				if (off > may) { print name ": " $1 ": " $18 " ports read as " $9; bad = 1 }
			}
			END { exit bad }'
		compared=$((compared + 1))
	done < <(find -L "$CAPTURES" -name '*.sources.tsv' | sort)
	echo "$compared captures compared"
	[ "$compared" -ge 1 ]
}
