-- SPDX-License-Identifier: BSD-2-Clause
-- What kl-graph-record puts its numbers into: the settings, once; the frame under way; the sources that
-- are limited now, as ranges of addresses that do not touch.
PRAGMA cache_size = -65536;
PRAGMA temp_store = MEMORY;
PRAGMA secure_delete = OFF;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
CREATE TEMP TABLE conf (
	min_seen, min_windows, min_age, window, long_obs, long_age, expire, max_candidates, max_of_source, hold,
	min_obs, half_life, alpha, alpha_first, min_pps, min_bps
);
-- soft: rows whose port may be a client's.
CREATE TEMP TABLE tick (dir, src, addr, port, proto, pkts, bytes);
CREATE TEMP TABLE soft (dir, src, addr, port, proto, pkts, bytes);
CREATE TEMP TABLE frame (at, dt);
CREATE TEMP TABLE limited (lo BLOB PRIMARY KEY, hi BLOB) WITHOUT ROWID;
-- The edges of the rows of tick, by rowid; id NULL: there is none. obs: enough to say what is normal.
CREATE TEMP TABLE known (id INTEGER, row INTEGER, pkts INTEGER, bytes INTEGER, obs INTEGER);
CREATE TEMP TABLE did (at, edges, fresh, learned, dropped);
