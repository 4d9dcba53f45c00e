# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034 # the variables are the scripts'
# What the scripts of kliq share: messages, options, settings, privileges.
export LC_ALL=C
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# Options every script may read; defaults as kliq(8) gives them.
pins=/sys/fs/bpf state=/var/lib/kernloom/iq user=nobody seconds=1
profile='' feature='' record='' whitelist='' enforce='' print='' dry=''
conf=()
operands=()
pure=()

die() {
	local status=$1
	shift
	echo "kliq: $*" >&2
	exit "$status"
}

# options ALLOWED ARGUMENT...: reads the options whose names stand in ALLOWED
# into the variables above; what is no option goes to operands.
options() {
	local allowed=" $1 " name
	shift
	while [[ $# -gt 0 ]]; do
		name=$1
		case $name in
		--) operands+=("${@:2}") && return ;;
		-?*) [[ $allowed == *" $name "* ]] || die 2 "unknown option '$name': 'kliq help' lists them" ;;
		*) operands+=("$name") && shift && continue ;;
		esac
		case $name in
		--enforce | --print | -n)
			if [[ $name == -n ]]; then dry=yes; else printf -v "${name#--}" yes; fi
			shift
			continue
			;;
		esac
		[[ ${2-} ]] || die 2 "$name needs a value"
		case $name in
		-p) pins=$2 ;;
		-i) seconds=$2 ;;
		-c) conf+=("$2") ;;
		--feature-profile) feature=$2 ;;
		*) printf -v "${name#--}" %s "$2" ;;
		esac
		shift 2
	done
}

# header_of STREAM: the first line of it.
header_of() { awk 'NR > 1 { printf "%s%s", sep, $1; sep = "\t" } END { print "" }' "$here/../schemas/$1.tsv"; }

# settings_options FILE: what --profile and every -c say, files of settings as well
# as YAML, in merged; settings are the words that have a filter read it from FILE,
# where settings_write puts it. What is wrong kl-conf says itself.
settings_options() {
	local name
	[[ -n $profile || ${#conf[@]} -gt 0 ]] || profile=generic
	for name in "${conf[@]}"; do
		[[ -r $name ]] || die 2 "cannot read the settings '$name'"
	done
	merge=("${pure[@]}" kl-conf)
	[[ -z $profile ]] || merge+=(--profile "$profile")
	merge+=("${conf[@]}")
	merged=$("${merge[@]}") || exit
	settings_file=$1
	settings=(-c "$settings_file")
}

settings_write() {
	printf '%s\n' "$merged" >"$settings_file.new"
	mv -f "$settings_file.new" "$settings_file"
}

# setting KEY: its value, if it has one.
setting() { awk -F'\t' -v key="$1" '$1 == key { print $2 }' <<<"$merged"; }

# Everything in force, a line each: the defaults of the commands and what merged
# changes of them.
settings_in_force() {
	awk -F'\t' -v OFS='\t' '
		FNR == 1 { next }
		FILENAME == ARGV[1] { value[$1] = $4; key[++n] = $1; next }
		{ value[$1] = $2 }
		END { print "key", "value"; for (i = 1; i <= n; i++) print key[i], value[key[i]] }
	' "$here/../schemas/setting.tsv" - <<<"$merged"
}

# pure: the words that make a command run as the unprivileged user; none
# when there is no privilege to give up.
pure_words() {
	local group
	pure=()
	[[ $EUID == 0 ]] || return 0
	group=$(id -g -- "$user" 2>/dev/null) || die 2 "no user '$user'"
	[[ $(id -u -- "$user") != 0 ]] || die 2 "'$user' is no unprivileged user"
	pure=(setpriv "--reuid=$user" "--regid=$group" --clear-groups --no-new-privs)
}
