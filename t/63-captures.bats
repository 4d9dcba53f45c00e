#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# Decisions on real captures: who attacks is limited within three ticks, and
# nobody else ever is.

# shellcheck disable=SC2238 # who is a file here
load lib

setup() {
	CAPTURES=${KL_CAPTURES-$TOP/../shared/data}
	[[ -d $CAPTURES ]] || skip "no captures: \$KL_CAPTURES names their directory"
	cd "$BATS_TEST_TMPDIR" || exit
}

# judged PROFILE CAPTURE: a line for each source that is of interest, see captures.awk.
judged() {
	kl-dump-pcap "$2" 2>/dev/null >src
	kliq replay --profile "$1" src >level
	awk -f "$TOP/t/captures.awk" level
}

@test "nobody in the captures of normal traffic leaves OBSERVE" {
	n=0
	for profile in public-web nas; do
		for f in "$CAPTURES"/normal/*.pcap*; do
			[[ $f == *.tsv ]] && continue
			judged "$profile" "$f" >who
			awk -v f="$profile ${f##*/}" '$4 != "-" || $5 != "-" || $6 != "-" { print f ": " $0; bad = 1 } END { exit bad }' who
			n=$((n + 1))
		done
	done
	[ "$n" -ge 20 ]
}

@test "a scan or flood that crosses a trigger, be it once, is limited within three ticks" {
	for profile in public-web nas; do
		for f in "$CAPTURES"/{flood,scan}/*.pcap*; do
			[[ $f == *.tsv ]] && continue
			judged "$profile" "$f" | sed "s|^|$profile ${f##*/} |"
		done
	done | sort >who
	awk '$5 != "-" { n++; first = $6 == "-" || ($7 != "-" && $7 < $6) ? $7 : $6
		if (first == "-" || first > $5 + 3) { print; bad = 1 } } END { exit bad || n < 8 }' who
	# The hosts that were attacked, and answered, are not taken for attackers: not
	# even the server whose passwords are tried, that resets what its clients left.
	awk '{ print $2, $3 }' who | sort -u | diff - <(printf '%s\n' 'nd6-fragments.pcap 2001:db8:1::2' 'syn-1000-ports.pcapng 172.16.0.8' \
		'syn-one-source.pcap 10.0.0.2' 'three-hosts-syn.pcap 10.0.0.140' 'three-hosts-udp.pcap 10.0.0.135')
}
