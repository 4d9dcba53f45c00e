-- SPDX-License-Identifier: BSD-2-Clause
-- A row for what was just committed, as schemas/recorded.tsv has it.
SELECT printf('%d.%03d', at / 1000, at % 1000), '*', edges, fresh, learned, dropped,
	(SELECT count(*) FROM graph_edges INDEXED BY edge_candidates WHERE state = 'candidate')
FROM did;
