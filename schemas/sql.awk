# SPDX-License-Identifier: BSD-2-Clause
# schemas/*.sql -> C: each NAME.sql as a string, NAME_SQL, without its comment lines.
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.sql$/, "", name)
	gsub(/[^a-z0-9]/, "_", name)
	if (NR == 1)
		print "/* Made by schemas/sql.awk from schemas/: do not edit. */\n#ifndef KL_KLIQ_SQL_H\n#define KL_SQL_TEXT_H"
	printf "\n#define %s_SQL", toupper(name)
}
/^[ \t]*(--|$)/ { next }
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	sub(/^\t+/, "")
	printf " \\\n\t\"%s\\n\"", $0
}
END { print "\n\n#endif" }
