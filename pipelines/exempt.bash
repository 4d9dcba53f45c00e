# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154,SC2015 # the variables are kliq-exempt's; a || that ends is meant for all before it
# How the inputs of kliq exempt become the list kl-fsm reads and rules of the allow table.

now() { printf '%s.%03d' "${EPOCHREALTIME%.*}" "$((10#${EPOCHREALTIME#*.} / 1000))"; }

# is_list FILE NAME: says what is wrong with it, as kl-fsm will; NAME comes before the line's number.
is_list() {
	local said
	said=$(printf 'time\tdt\tsrc\tdrop_rl\tsev\twhy\n' | kl-fsm --whitelist "$1" 2>&1 >/dev/null) && return
	sed "s|^kl-fsm: $1:|kliq: $2|; s|^kl-fsm:|kliq:|" <<<"$said" >&2
	return 1
}

# rows_of_list FILE SOURCE: what a whitelist says, as exempt.awk reads it.
rows_of_list() {
	local mtime
	[[ -e $1 ]] || return 0
	mtime=$(stat -c %.3Y "$1") && cp "$1" "$dir/list" || return
	is_list "$dir/list" "$1:" || return
	awk -v OFS='\t' -v mtime="$mtime" -v source="$2" '
		{
			line = $0
			gsub(/[\001-\037\177"]/, " ", line)
			comment = ""
			if (match(line, /[#;]/)) {
				comment = substr(line, RSTART + 1)
				line = substr(line, 1, RSTART - 1)
			}
			if (split(line, word, /[ ,]+/) == 0 || (word[1] == "" && word[2] == ""))
				next
			owner = reason = "-"
			if (match(comment, /(^| )owner=[^ ]+/)) {
				owner = substr(comment, RSTART, RLENGTH)
				comment = substr(comment, 1, RSTART - 1) substr(comment, RSTART + RLENGTH)
				sub(/.*=/, "", owner)
			}
			sub(/(^| )reason=/, " ", comment)
			gsub(/^ +| +$/, "", comment)
			if (comment != "")
				reason = comment
			print source, word[1] == "" ? word[2] : word[1], "whitelist", owner, reason, mtime, "-", "-", "-"
		}' "$dir/list"
}

# rows_of_feedback FILE: the same of feedback.json.
rows_of_feedback() {
	local mtime bad
	[[ -e $1 ]] || return 0
	mtime=$(stat -c %.3Y "$1") && cp "$1" "$dir/feedback" || return
	if ! jq -rf "$here/feedback.jq" "$dir/feedback" >"$dir/found" 2>"$dir/said"; then
		echo "kliq: $1: $(head -n 1 "$dir/said" | sed 's/^jq: error[^:]*: *//')" >&2
		return 1
	fi
	awk -F'\t' -v file="$1" '/^[!~]/ { print "kliq: " file ($2 ? ": entry " $2 : "") ": " $3 }' "$dir/found" >&2
	bad=$(grep -c '^!' "$dir/found" || true)
	[[ $bad == 0 ]] || return 1
	# One line an entry, so that the number of a bad one is its line's.
	awk -F'\t' '{ while (++n < $1) print ""; print $2 }' <(grep -v '^~' "$dir/found") >"$dir/targets"
	is_list "$dir/targets" "$1: entry " || return
	awk -F'\t' -v OFS='\t' -v mtime="$mtime" '!/^~/ { print "feedback", $2, $3, $7, $8, mtime, $4, $5, $6 }' "$dir/found"
}

# Looks at the inputs: $dir/exempt.tsv is what is exempt by them. False: one of
# them is broken, and what was known of it stays.
look() {
	local kept='' known=$state/exempt.tsv
	: >"$dir/rows"
	rows_of_list "$list" list >>"$dir/rows" || kept+=' list'
	[[ -z $whitelist ]] || rows_of_list "$whitelist" own >>"$dir/rows" || kept+=' own'
	rows_of_feedback "$feedback" >>"$dir/rows" || kept+=' feedback'
	awk -F'\t' -v now="$(now)" -v hold="$hold" -v kept="$kept" -f "$here/exempt.awk" \
		<(if [[ -e $known ]]; then cat "$known"; else echo; fi) "$dir/rows" >"$dir/exempt.tsv" || exit 4
	[[ -z $kept ]]
}

# place NAME: $dir/NAME becomes the state's, unless that is the same.
place() {
	cmp -s "$dir/$1" "$state/$1" && return
	cp "$dir/$1" "$state/.$1.new" && chmod 644 "$state/.$1.new" && mv -f "$state/.$1.new" "$state/$1" ||
		die 4 "cannot write $state/$1"
}

# One pass. kl-fsm is told first: it is the one that would limit.
sync_once() {
	local status=0 said code=0
	look || status=2
	place exempt.tsv
	awk -F'\t' -v now="$(now)" 'NR > 1 && ($6 == "-" || $6 > now) { print $1 }' "$dir/exempt.tsv" | sort -u >"$dir/exempt.txt"
	place exempt.txt
	[[ -z $dry ]] || return "$status"
	# Of an address under a prefix that is exempt for as long the shorter will do: the kernel asks the longer.
	awk -F'\t' -v now="$(now)" -f "$here/address.awk" -f "$here/lasting.awk" "$dir/exempt.tsv" >"$dir/allow"
	said=$(kl-rule -p "$pins" sync allow "$dir/allow" --owner iq --until 2>&1) || code=$?
	# 1: some are in allow as somebody else's, which is as good.
	if [[ $code -gt 1 ]]; then
		echo "kliq: the allow table is not up to date: ${said#kl-rule: }" >&2
		status=4
	fi
	return "$status"
}

# Again whenever an input changed or a time is over, and once a minute for what others did.
follow() {
	local was=none is due=0 never
	exec {never}<> <(:)
	while kill -0 "$PPID" 2>/dev/null; do
		is=$(stat -c '%n %i %y %s' "$list" "$feedback" ${whitelist:+"$whitelist"} 2>/dev/null || true)
		if [[ $is != "$was" || ${EPOCHSECONDS} -ge $due ]]; then
			locked sync_once || true
			was=$is
			due=$(awk -F'\t' -v now="$(now)" 'BEGIN { due = now + 60 }
				NR > 1 && $6 != "-" && $6 > now && $6 < due { due = $6 }
				END { printf "%d", due + 0.999 }' "$state/exempt.tsv")
		fi
		read -r -t 1 _ <&"$never" || true
	done
}

# locked COMMAND...: no other does it meanwhile.
locked() {
	local lock status=0
	exec {lock}>>"$state/exempt.lock" || die 4 "cannot write in $state"
	flock "$lock"
	"$@" || status=$?
	exec {lock}>&-
	return "$status"
}
