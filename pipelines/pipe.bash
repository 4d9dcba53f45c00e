# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2178,SC2094 # namerefs; a pipe has two ends
# A pipeline whose stages are known only when it runs: so many that a settings
# file asks for. Every stage is a process of its own, nothing stands between.

stage_names=()	# the words of stage N are the array stage_N

# then_stage NAME WORD...: one stage more; NAME is what messages call it.
then_stage() {
	declare -ga "stage_${#stage_names[@]}=()"
	local -n words=stage_${#stage_names[@]}
	stage_names+=("$1")
	words=("${@:2}")
}

# The pipeline as a shell reads it.
show_stages() {
	local i
	for i in "${!stage_names[@]}"; do
		local -n words=stage_$i
		[[ $i == 0 ]] || printf ' |\n'
		printf '%q ' "${words[@]}" | sed 's/ $//'
	done
	echo
}

# Two ends of a pipe: what is written to $wr is read from $rd.
new_pipe() {
	local dir both
	dir=$(mktemp -d)
	mkfifo "$dir/pipe"
	exec {both}<>"$dir/pipe"
	# shellcheck disable=SC2034 # the caller's
	exec {wr}>"$dir/pipe" {rd}<"$dir/pipe" {both}>&-
	rm -r "$dir"
}

# run_stages [FILE]: from standard input to standard output; the statuses of all
# are in $statuses when all have ended. Messages of the shell about them
# are kept down, theirs are not. FILE gets the process id of the first, which is
# told to end at once when there is a file "stop" beside it.
run_stages() {
	local i in rd wr messages last=$((${#stage_names[@]} - 1)) pids=()
	exec {messages}>&2 {in}<&0 2>/dev/null
	for i in "${!stage_names[@]}"; do
		local -n words=stage_$i
		if [[ $i == "$last" ]]; then
			exec {wr}>&1 {rd}</dev/null
		else
			new_pipe
		fi
		(
			trap - INT TERM HUP EXIT
			exec "${words[@]}" <&"$in" >&"$wr" 2>&"$messages" {in}<&- {wr}>&- {rd}<&- {messages}>&-
		) &
		pids+=("$!")
		if [[ $i == 0 && ${1-} ]]; then
			echo "$!" >"$1"
			[[ ! -e ${1%/*}/stop ]] || kill -TERM "$!"
		fi
		exec {in}<&- {wr}>&-
		in=$rd
	done
	exec {in}<&-
	statuses=()
	for i in "${pids[@]}"; do
		wait "$i" && statuses+=(0) || statuses+=("$?")
	done
	exec 2>&"$messages" {messages}>&-
}

# verdict [quiet]: ends with the status of the first stage that failed, said unless
# quiet; not of those that died of its death (SIGPIPE) or were told to end.
verdict() {
	local i code
	for i in "${!statuses[@]}"; do
		code=${statuses[i]}
		case $code in
		0 | 141) continue ;;
		143) [[ $i -gt 0 ]] || continue ;;
		esac
		if [[ $code -gt 128 ]]; then
			die 4 "${stage_names[i]} was killed by signal $((code - 128))"
		fi
		[[ ${1-} ]] || echo "kliq: ${stage_names[i]} ended with status $code" >&2
		exit "$code"
	done
}
