-- SPDX-License-Identifier: BSD-2-Clause
-- The frame in temp.tick becomes evidence: one transaction.
BEGIN IMMEDIATE;
DELETE FROM did;
INSERT INTO did SELECT at, 0, 0, 0, 0 FROM frame;

-- What limited sources left, and edges that expired and are here again, begin anew.
DELETE FROM graph_edges WHERE state = 'candidate' AND EXISTS (SELECT 1 FROM limited)
	AND (SELECT hi FROM limited WHERE lo <= addr ORDER BY lo DESC LIMIT 1) >= addr;
UPDATE did SET dropped = changes();
DELETE FROM graph_edges WHERE state = 'expired' AND EXISTS (SELECT 1 FROM graph_edges WHERE state = 'expired')
	AND (dir, src, port, proto) IN (SELECT dir, src, port, proto FROM tick
		UNION ALL SELECT dir, src, port, proto FROM soft UNION ALL SELECT dir, src, 0, proto FROM soft);

-- What may be a client's port is no service unless it is an edge already. Then each row's edge.
INSERT INTO tick
	SELECT dir, src, addr,
		iif(EXISTS (SELECT 1 FROM graph_edges e WHERE e.dir = s.dir AND e.src = s.src AND e.port = s.port
			AND e.proto = s.proto), port, 0) AS service,
		proto, sum(pkts), sum(bytes)
	FROM soft s GROUP BY dir, src, service, proto;
INSERT INTO known
	SELECT e.id, t.rowid, t.pkts, t.bytes, t.pkts * 1000.0 / dt >= min_pps AND t.bytes * 1000.0 / dt >= min_bps
	FROM frame CROSS JOIN conf CROSS JOIN tick t LEFT JOIN graph_edges e
		ON e.dir = t.dir AND e.src = t.src AND e.port = t.port AND e.proto = t.proto;

-- A source that touches edge after edge is no peer: what it left goes, and nothing new is taken from it for a
-- while. Of all others no more than there is room for, every tick another choice.
CREATE TEMP TABLE strange AS
	SELECT dir, src, addr, port, proto, tick.pkts, tick.bytes, obs FROM known JOIN tick ON tick.rowid = row
	WHERE id IS NULL;
DELETE FROM known WHERE id IS NULL;
DELETE FROM graph_wide WHERE until <= (SELECT at FROM frame);
DELETE FROM strange WHERE src IN (SELECT src FROM graph_wide);
INSERT INTO graph_wide
	SELECT src, (SELECT at + hold FROM frame, conf)
	FROM (SELECT src, count(*) AS n FROM strange GROUP BY src) s
	WHERE n + (SELECT count(*) FROM graph_edges e WHERE state = 'candidate' AND e.src = s.src)
		> (SELECT max_of_source FROM conf);
DELETE FROM graph_edges WHERE state = 'candidate'
	AND src IN (SELECT src FROM graph_wide WHERE until = (SELECT at + hold FROM frame, conf));
UPDATE did SET dropped = dropped + changes();
DELETE FROM strange WHERE src IN (SELECT src FROM graph_wide);
DELETE FROM graph_wide WHERE (SELECT count(*) FROM graph_wide) > (SELECT max_candidates FROM conf)
	AND src NOT IN (SELECT src FROM graph_wide ORDER BY until DESC, src LIMIT (SELECT max_candidates FROM conf));
DELETE FROM strange
	WHERE (SELECT count(*) FROM strange) > (SELECT max_candidates FROM conf)
	AND rowid IN (SELECT rowid FROM strange
		ORDER BY rowid * (SELECT (at % 1000003 + 1) * 40503 FROM frame) % 2147483647
		LIMIT -1 OFFSET (SELECT max_candidates FROM conf));

INSERT INTO graph_edges (dir, src, port, proto, state, addr)
	SELECT dir, src, port, proto, 'candidate', addr FROM strange;
UPDATE did SET fresh = changes();
INSERT INTO known
	SELECT e.id, NULL, s.pkts, s.bytes, obs FROM strange s JOIN graph_edges e
		ON e.dir = s.dir AND e.src = s.src AND e.port = s.port AND e.proto = s.proto;
UPDATE did SET edges = (SELECT count(*) FROM known);

-- Evidence, and what is normal. A frame may be older than the one before. obs of the row coming in is 0 when
-- it is too small to count; the first one that counts is the median. A peak fades with its half-life, the
-- slower the rarer the edge is active: up to ten times.
INSERT INTO edge_baselines
	SELECT id, at, at, 1, 1, 1, 1, pkts, bytes, obs, iif(obs, dt, 0),
		iif(obs, pkts * 1000.0 / dt, 0), 0, iif(obs, pkts * 1000.0 / dt, 0),
		iif(obs, bytes * 1000.0 / dt, 0), 0, iif(obs, bytes * 1000.0 / dt, 0), at
	FROM frame CROSS JOIN known
	WHERE true
	ON CONFLICT (edge) DO UPDATE SET
		first_seen = iif(excluded.first_seen < first_seen, excluded.first_seen, first_seen),
		last_seen = iif(excluded.last_seen > last_seen, excluded.last_seen, last_seen),
		seen = seen + 1,
		windows = windows + (excluded.last_seen / (SELECT window FROM conf)
			> last_seen / (SELECT window FROM conf)),
		days_seen = days_seen + (excluded.last_seen / 86400000 > last_seen / 86400000),
		days = CASE
			WHEN excluded.last_seen / 86400000 = last_seen / 86400000 THEN days | 1
			WHEN excluded.last_seen / 86400000 - last_seen / 86400000 > 55 THEN 1
			WHEN excluded.last_seen > last_seen
			THEN ((days << (excluded.last_seen / 86400000 - last_seen / 86400000)) | 1)
				& 72057594037927935
			WHEN last_seen / 86400000 - excluded.last_seen / 86400000 > 55 THEN days
			ELSE days | (1 << (last_seen / 86400000 - excluded.last_seen / 86400000))
			END,
		pkts = pkts + excluded.pkts,
		bytes = bytes + excluded.bytes,
		obs = obs + excluded.obs,
		active = active + excluded.active,
		pps_mad = iif(excluded.obs AND obs, pps_mad + (abs(excluded.pps_median - pps_median) - pps_mad)
			* iif(obs < (SELECT min_obs FROM conf), (SELECT alpha_first FROM conf), (SELECT alpha FROM conf)),
			pps_mad),
		pps_median = iif(excluded.obs AND obs, pps_median + (excluded.pps_median - pps_median)
			* iif(obs < (SELECT min_obs FROM conf), (SELECT alpha_first FROM conf), (SELECT alpha FROM conf)),
			iif(obs, pps_median, excluded.pps_median)),
		bps_mad = iif(excluded.obs AND obs, bps_mad + (abs(excluded.bps_median - bps_median) - bps_mad)
			* iif(obs < (SELECT min_obs FROM conf), (SELECT alpha_first FROM conf), (SELECT alpha FROM conf)),
			bps_mad),
		bps_median = iif(excluded.obs AND obs, bps_median + (excluded.bps_median - bps_median)
			* iif(obs < (SELECT min_obs FROM conf), (SELECT alpha_first FROM conf), (SELECT alpha FROM conf)),
			iif(obs, bps_median, excluded.bps_median)),
		pps_peak = max(excluded.pps_peak, iif((SELECT half_life FROM conf), pps_peak
			* pow(0.5, max(0, excluded.peak_at - peak_at) / ((SELECT half_life FROM conf)
			* iif(obs >= 20 AND excluded.peak_at - first_seen >= 3600000,
				1 + 9 * max(0, 1 - active * 1.0 / (excluded.peak_at - first_seen)), 1.0))), pps_peak)),
		bps_peak = max(excluded.bps_peak, iif((SELECT half_life FROM conf), bps_peak
			* pow(0.5, max(0, excluded.peak_at - peak_at) / ((SELECT half_life FROM conf)
			* iif(obs >= 20 AND excluded.peak_at - first_seen >= 3600000,
				1 + 9 * max(0, 1 - active * 1.0 / (excluded.peak_at - first_seen)), 1.0))), bps_peak)),
		peak_at = max(peak_at, excluded.peak_at);

-- Enough of it, while the edge is in use: often and long enough, or rarely for a long time.
UPDATE graph_edges INDEXED BY edge_candidates SET state = 'learned'
	FROM edge_baselines b, frame, conf
	WHERE state = 'candidate' AND b.edge = id AND last_seen = at
	AND ((seen >= min_seen AND windows >= min_windows AND last_seen - first_seen >= min_age)
		OR (last_seen - first_seen >= long_age AND (days_seen >= 3 OR (days_seen = 2 AND obs >= long_obs))));
UPDATE did SET learned = changes();

-- What nobody saw for long: learned edges are shown as expired for as long again.
DELETE FROM graph_edges INDEXED BY edge_expired
	WHERE state = 'expired' AND (SELECT last_seen FROM edge_baselines WHERE edge = id)
		< (SELECT at - 2 * expire FROM frame, conf);
DELETE FROM graph_edges INDEXED BY edge_candidates
	WHERE state = 'candidate' AND (SELECT last_seen FROM edge_baselines WHERE edge = id)
		< (SELECT at - expire FROM frame, conf);
UPDATE did SET dropped = dropped + changes();
UPDATE graph_edges SET state = 'expired'
	WHERE state = 'learned' AND id IN (SELECT edge FROM edge_baselines
		WHERE last_seen < (SELECT at - expire FROM frame, conf));
-- No more candidates than allowed: those with the least evidence go, the oldest first.
DELETE FROM graph_edges
	WHERE (SELECT count(*) FROM graph_edges INDEXED BY edge_candidates WHERE state = 'candidate')
		> (SELECT max_candidates FROM conf)
	AND id IN (SELECT id FROM graph_edges INDEXED BY edge_candidates JOIN edge_baselines ON edge = id
		WHERE state = 'candidate' ORDER BY windows DESC, seen DESC, last_seen DESC, id DESC
		LIMIT -1 OFFSET (SELECT max_candidates FROM conf));
UPDATE did SET dropped = dropped + changes();
UPDATE meta SET last_tick = max(last_tick, (SELECT at FROM frame));
COMMIT;
DROP TABLE strange;
DELETE FROM tick;
DELETE FROM soft;
DELETE FROM known;
DELETE FROM frame;
