# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154,SC2034 # the variables are kliq-run's
# What runs beside the tick and must never hold it up: learned normals into the
# database, and the two pipelines of the graph. What fails is said and begun
# again. All end when $runs/stop appears; whoever puts it there sends SIGTERM to
# the first stage of each pipeline, and the others finish what they have.

runs=$state/run		# NAME.pid: the first stage of a pipeline under way

stop_all() {
	local f pid
	[[ -d $runs ]] || return 0
	: >"$runs/stop"
	for f in "$runs"/*.pid; do
		# It may go meanwhile, with its pipeline: $(<FILE) would end this shell then.
		{ read -r pid <"$f" && kill -TERM "$pid"; } 2>/dev/null || true
	done
}

# rest SECONDS: or until all is to stop. A builtin waits, no process is made.
rest() {
	local left=$1 never
	exec {never}<> <(:)
	while [[ $left -gt 0 && ! -e $runs/stop ]]; do
		read -r -t 1 _ <&"$never" || true
		left=$((left - 1))
	done
	exec {never}>&-
}

# every SECONDS COMMAND...: says itself what went wrong.
every() {
	while [[ ! -e $runs/stop ]]; do
		"${@:2}" || true
		rest "$1"
	done
}

# keeps NAME TO WHAT: the pipeline that NAME_stages composes, as long as the tick runs.
keeps() {
	while [[ ! -e $runs/stop ]]; do
		(
			stage_names=()
			"$1_stages"
			run_stages "$runs/$1.pid" </dev/null >"$2"
			verdict
		) || true
		rm -f "$runs/$1.pid"
		[[ -e $runs/stop ]] || echo "kliq: $3: begun again in 10 s, what flows until then is not seen" >&2
		rest 10
	done
}

record_stages() {
	then_stage kl-dump-flow kl-dump-flow -p "$pins" -i 10 -n 0
	pure_stage kl-graph-record "${settings[@]}" --levels "$fsm_state"
	then_stage sqlite3 sqlite3 -bail "$state/kliq.db"
}

check_stages() {
	then_stage kl-dump-flow kl-dump-flow -p "$pins" -i "$seconds" -n 0
	local check=(kl-graph-check "${settings[@]}" --frozen "$state/frozen.txt" --baselines "$state/edges.tsv"
		--log "$learn/violations.tsv")
	[[ $feature != graph-enforce ]] || check+=(--graph-mode frozen-enforce --deny "$learn/deny.txt")
	pure_stage "${check[@]}"
}

# normal_columns TEXT: TEXT for each column of the state behind src, "@" being its name, with commas between.
normal_columns() {
	awk -F'\t' -v text="$1" 'NR > 3 { t = text; gsub(/@/, $1, t); printf "%s%s", sep, t; sep = ", " }' \
		"$here/../schemas/baseline.tsv"
}

# The normals of sources into the database, when kl-baseline saved new ones; what is not known is NULL there.
store_normals() {
	[[ $learn/baseline.tsv -nt $runs/stored ]] || return 0
	touch -r "$learn/baseline.tsv" "$runs/stored"
	sqlite3 -bail "$state/kliq.db" <<-END || echo "kliq: the normals of sources are not in $state/kliq.db" >&2
		.timeout 5000
		.mode tabs
		begin immediate;
		.import --schema temp '$learn/baseline.tsv' n
		delete from temp.n where src = '*';
		delete from source_baselines where src not in (select src from temp.n);
		insert or replace into source_baselines (src, $(normal_columns '@'))
			select src, $(normal_columns "nullif(@, '-')") from temp.n;
		commit;
	END
}

# And back, where the file is gone.
restore_normals() {
	[[ ! -e $learn/baseline.tsv && -s $state/kliq.db ]] || return 0
	if ! sqlite3 -cmd '.timeout 5000' -bail -header -separator $'\t' "$state/kliq.db" "
		with t as (select ifnull(printf('%.3f', max(last_seen)), '0.000') as time from source_baselines)
		select * from (select time, src, $(normal_columns "iif(@ is null, '-', iif('@' = 'obs', @, printf('%.3f', @))) as @")
			from source_baselines, t
			union all select time, '*', $(normal_columns "'-'") from t)
		order by src = '*', src" >"$state/baseline.new"; then
		echo "kliq: cannot read $state/kliq.db: the normals of sources are learned anew" >&2
		return
	fi
	chown "$user" "$state/baseline.new"
	mv "$state/baseline.new" "$learn/baseline.tsv"
}

# What is normal on edges, for kl-graph-check.
show_edges() {
	local new=$state/edges.tsv.new
	if kl-graph --db "$state/kliq.db" list --state learned,approved,frozen >"$new" && chmod 644 "$new"; then
		mv "$new" "$state/edges.tsv"
	else
		echo "kliq: what is normal on edges is not read from $state/kliq.db; what it said before stays" >&2
	fi
}

# The baseline and what violates it into the kernel, when either changed.
sync_edges() {
	[[ ! $runs/synced -nt $state/frozen.txt || $learn/deny.txt -nt $runs/synced ]] || return 0
	touch "$runs/syncing"
	if "$here/kliq-graph" sync -p "$pins" --state "$state"; then
		mv "$runs/syncing" "$runs/synced"
	else
		echo "kliq: the edges are not in the kernel; tried again in 10 s" >&2
		rest 10
	fi
}

# What needs the database begins when it can be used.
with_database() {
	until sqlite3 -cmd '.timeout 5000' -bail "$state/kliq.db" <"$here/../schemas/kliq.sql" >/dev/null; do
		echo "kliq: cannot use the database $state/kliq.db: nothing is kept there; tried again in 10 s" >&2
		rest 10
		[[ ! -e $runs/stop ]] || return 0
	done
	every 30 store_normals &
	if [[ $feature == graph-* ]]; then
		every 60 show_edges &
		keeps record /dev/null "the graph is not recorded" &
	fi
	wait
}

beside_start() {
	[[ $mode == run ]] || return 0
	exempt follow &
	echo "$!" >"$runs/exempt.pid"
	[[ $feature == iq-learning || $feature == graph-* ]] || return 0
	restore_normals
	with_database &
	[[ $feature == graph-* ]] || return 0
	kl-set -p "$pins" flows on
	[[ -e $state/frozen.txt ]] || : >"$state/frozen.txt"
	[[ -e $state/edges.tsv ]] || header_of edge >"$state/edges.tsv"
	if [[ $feature == graph-enforce && -n $enforce ]]; then
		[[ $(kl-set -p "$pins" | awk '$1 == "edge-mode" { print $2 }') != off ]] || kl-set -p "$pins" edge-mode deny
		every 1 sync_edges &
	fi
	keeps check "$learn/violations" "the graph is not checked" &
}

beside_stop() {
	[[ $mode == run ]] || return 0
	stop_all
	[[ -z $feature ]] || : <>"$learn/violations"	# who waits for a reader waits no longer
	wait
	[[ $feature != iq-learning && $feature != graph-* ]] || store_normals
}

# The pipelines beside the tick, as a shell reads them.
beside_show() {
	[[ $mode == run && $feature == graph-* ]] || return 0
	(stage_names=() && record_stages && show_stages)
	(stage_names=() && check_stages && show_stages) | sed "\$s|\$| > $learn/violations|"
}
