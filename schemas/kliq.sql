-- SPDX-License-Identifier: BSD-2-Clause
-- kliq.db: edges, their evidence, what is normal on them and for sources. Times are Unix
-- milliseconds, 0 is never. Applying it twice changes nothing.
PRAGMA page_size = 16384;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TEMP TABLE is_kliq (
	foreign_columns INTEGER CONSTRAINT "this database is of Kernloom IQ: kliq import reads it" CHECK (foreign_columns = 0)
);
INSERT INTO is_kliq SELECT count(*) FROM pragma_table_info('graph_edges') WHERE name = 'node_id';
CREATE TABLE IF NOT EXISTS meta (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	schema_version INTEGER NOT NULL,
	last_tick INTEGER NOT NULL DEFAULT 0,
	head TEXT NOT NULL DEFAULT '',
	foot TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT OR IGNORE INTO meta (one, schema_version) VALUES (1, 1);
CREATE TEMP TABLE is_version (
	version INTEGER CONSTRAINT "this database has another schema version" CHECK (version = 1)
);
INSERT INTO is_version SELECT schema_version FROM meta;

-- An edge, and what was decided about it. src: the other side, as in flow rows; a prefix only where people
-- decided. port: 0 is none, or any (a client's). addr: its address as 16 bytes, IPv4 mapped, of which bits
-- count. above, behind: comments of the frozen baseline, as head and foot of meta are its first and last ones.
CREATE TABLE IF NOT EXISTS graph_edges (
	id INTEGER PRIMARY KEY,
	dir TEXT NOT NULL CHECK (dir IN ('in', 'out')),
	src TEXT NOT NULL,
	port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
	proto TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('candidate', 'learned', 'approved', 'frozen', 'denied', 'expired')),
	addr BLOB NOT NULL CHECK (length(addr) = 16),
	bits INTEGER NOT NULL DEFAULT 128 CHECK (bits BETWEEN 0 AND 128),
	above TEXT NOT NULL DEFAULT '',
	behind TEXT NOT NULL DEFAULT '',
	UNIQUE (dir, src, port, proto)
) STRICT;
CREATE INDEX IF NOT EXISTS edge_addr ON graph_edges (addr);
CREATE INDEX IF NOT EXISTS edge_candidates ON graph_edges (src) WHERE state = 'candidate';
CREATE INDEX IF NOT EXISTS edge_expired ON graph_edges (src) WHERE state = 'expired';

-- What was seen on an edge, and what is normal on it. days: bit 0 is the day of last_seen (UTC), bit 1 the day
-- before, for 8 weeks. From obs on: of the obs observations that count, active milliseconds long together;
-- rates are a second's. All that is written every tick is here: a row of few bytes.
CREATE TABLE IF NOT EXISTS edge_baselines (
	edge INTEGER PRIMARY KEY,
	first_seen INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	windows INTEGER NOT NULL,
	days_seen INTEGER NOT NULL,
	days INTEGER NOT NULL,
	pkts INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	obs INTEGER NOT NULL,
	active INTEGER NOT NULL,
	pps_median REAL NOT NULL,
	pps_mad REAL NOT NULL,
	pps_peak REAL NOT NULL,
	bps_median REAL NOT NULL,
	bps_mad REAL NOT NULL,
	bps_peak REAL NOT NULL,
	peak_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS edge_gone AFTER DELETE ON graph_edges
BEGIN
	DELETE FROM edge_baselines WHERE edge = old.id;
END;

-- What is normal for a source: a row of kl-baseline's state, column by column; what is - there is NULL here.
CREATE TABLE IF NOT EXISTS source_baselines (
	src TEXT PRIMARY KEY,
	mean_pps REAL,
	mean_syn REAL,
	mean_scan REAL,
	mean_bps REAL,
	peak_pps REAL,
	peak_syn REAL,
	peak_scan REAL,
	peak_bps REAL,
	high_pps REAL,
	high_syn REAL,
	high_scan REAL,
	high_bps REAL,
	base_pps REAL,
	base_syn REAL,
	base_scan REAL,
	base_bps REAL,
	obs INTEGER,
	first_seen REAL,
	last_seen REAL,
	stepped REAL
) STRICT;

-- Sources that touched too many edges at once: nothing new is taken from them until then.
CREATE TABLE IF NOT EXISTS graph_wide (
	src TEXT PRIMARY KEY,
	until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For people: times as text, deviations with their floor (a twentieth of the median).
CREATE VIEW IF NOT EXISTS edges AS
	SELECT dir, src, iif(port = 0 AND proto IN ('tcp', 'udp', '132'), '*', port) || '/' || proto AS service,
		state,
		strftime('%Y-%m-%dT%H:%M:%SZ', first_seen / 1000, 'unixepoch') AS first_seen,
		strftime('%Y-%m-%dT%H:%M:%SZ', last_seen / 1000, 'unixepoch') AS last_seen,
		seen, windows, days_seen, pkts, bytes, obs,
		round(pps_median, 3) AS pps_median, round(max(pps_mad, pps_median / 20), 3) AS pps_mad,
		round(pps_peak, 3) AS pps_peak, round(bps_median, 3) AS bps_median,
		round(max(bps_mad, bps_median / 20), 3) AS bps_mad, round(bps_peak, 3) AS bps_peak
	FROM graph_edges LEFT JOIN edge_baselines ON edge = id
	ORDER BY dir, addr NOT BETWEEN x'00000000000000000000ffff00000000' AND x'00000000000000000000ffffffffffff',
		addr, bits, proto, port;
CREATE VIEW IF NOT EXISTS edge_counts AS
	SELECT state, count(*) AS edges, total(pkts) AS pkts, total(bytes) AS bytes
	FROM graph_edges LEFT JOIN edge_baselines ON edge = id GROUP BY state;
COMMIT;
DROP TABLE temp.is_kliq;
DROP TABLE temp.is_version;
