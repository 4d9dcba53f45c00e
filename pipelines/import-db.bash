# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The database of Kernloom IQ (up to 0.2: one table of edges), into ours. Sourced; needs die() of common.bash.

# What it holds of edges, as a GraphProposal: JSON is YAML. Its edges of connection tracking have the
# port in the destination's id as well.
import_db_proposal() {
	sqlite3 -batch -init /dev/null -readonly "$1" <<-'END'
		SELECT json_object('kind', 'GraphProposal', 'spec', json_object('edges', json_group_array(json_object(
			'state', state,
			'source', json_object('kind', source_kind, 'id', source_id),
			'destination', json_object('kind', destination_kind, 'id', CASE
				WHEN destination_kind = 'node' THEN 'node'
				WHEN destination_id GLOB '[[]*]:*' THEN substr(destination_id, 2, instr(destination_id, ']') - 2)
				WHEN destination_id GLOB '*.*.*.*:*' THEN substr(destination_id, 1, instr(destination_id, ':') - 1)
				ELSE destination_id END),
			'protocol', protocol, 'destination_port', destination_port, 'direction', direction,
			'first_seen_at', strftime('%Y-%m-%dT%H:%M:%fZ', first_seen_at / 1e9, 'unixepoch'),
			'last_seen_at', strftime('%Y-%m-%dT%H:%M:%fZ', last_seen_at / 1e9, 'unixepoch'),
			'seen_count', seen_count)))) FROM graph_edges;
	END
}

# What a proposal does not carry: counters and what is normal, of ticks a second long. Its windows were
# ticks too: no more of them than there were minutes are believed.
import_db_evidence() {
	sqlite3 -batch -bail -init /dev/null "$2" <<-END
		.timeout 10000
		ATTACH 'file:${1//\'/\'\'}?mode=ro' AS iq;
		BEGIN IMMEDIATE;
		UPDATE edge_baselines SET
			windows = max(windows, min(o.seen_count, 1 + (o.last_seen_at - o.first_seen_at) / 60000000000)),
			days_seen = max(days_seen, 1 + (o.first_seen_at / 86400000000000 < o.last_seen_at / 86400000000000)),
			pkts = max(pkts, o.packets_total), bytes = max(bytes, o.bytes_total),
			obs = max(obs, o.bl_obs), active = max(active, o.bl_obs * 1000),
			pps_median = o.bl_pps_median, pps_mad = o.bl_pps_mad, pps_peak = o.bl_pps_peak,
			bps_median = o.bl_bytes_median, bps_mad = o.bl_bytes_mad, bps_peak = o.bl_bps_peak,
			peak_at = max(peak_at, CAST(o.bl_pps_peak_ts * 1000 AS INTEGER))
		FROM graph_edges e, iq.graph_edges o
		WHERE e.id = edge AND edge_baselines.obs < o.bl_obs AND e.port = o.destination_port
			AND e.dir = iif(o.source_kind = 'node', 'out', 'in')
			AND e.src = iif(o.source_kind = 'node', o.destination_id, o.source_id)
			AND (e.proto = o.protocol OR (e.proto = 'icmp' AND o.protocol = '58'));
		UPDATE meta SET last_tick = max(last_tick, (SELECT coalesce(max(last_seen), 0) FROM edge_baselines));
		COMMIT;
	END
}

# import_db OLD NEW FROZEN: adds the edges of OLD, which stays as it is, to the database NEW and the frozen
# baseline FROZEN. When both are the same file, OLD becomes NEW.iq first.
import_db() {
	local old=$1 new=$2 frozen=$3 doc columns status=0
	columns=$(sqlite3 -batch -init /dev/null -readonly "$old" "SELECT count(*) FROM pragma_table_info('graph_edges')
		WHERE name IN ('node_id', 'source_id', 'destination_id', 'bl_obs', 'bl_bps_peak', 'state')" 2>/dev/null) ||
		die 4 "cannot read '$old' as a database"
	[[ $columns == 6 ]] || die 3 "'$old' is no database of Kernloom IQ with edges and their baselines"
	if [[ $old -ef $new ]]; then
		[[ ! -e $new.iq ]] || die 4 "'$new.iq' is there already: not overwritten"
		sqlite3 -batch -init /dev/null -readonly "$old" "VACUUM INTO '${new//\'/\'\'}.iq'" 2>/dev/null ||
			die 4 "cannot write '$new.iq'"
		rm -f "$new" "$new-wal" "$new-shm"
		old=$new.iq
	fi
	doc=$(mktemp --suffix=.yaml)
	if import_db_proposal "$old" >"$doc"; then
		kl-graph --db "$new" --frozen "$frozen" import "$doc" || status=$?
	else
		status=4
	fi
	rm -f "$doc"
	[[ $status == 0 ]] || die "$status" "nothing was imported from '$old'"
	import_db_evidence "$old" "$new" || die 4 "the edges of '$old' were imported, their counters were not"
}
