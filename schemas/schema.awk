# SPDX-License-Identifier: BSD-2-Clause
# schemas/*.tsv -> C: for each stream NAME its header line (NAME_HEADER), its
# columns as a list of strings (NAME_COLS), as an enum (NAME_col, NAME_NCOLS)
# and as NAME_EACH(X); and, where a stream begins with all columns of another,
# what its filter appends: NAME_ADDS (strings), NAME_ADDS_HEADER (text).
# setting.tsv becomes SETTING_KEYS and SETTING_EACH(X), an X(key, type, default) each.
# -v page=1 prints an mdoc list of each file instead.
BEGIN { FS = "\t" }

function broken(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	bad = 1
	exit 1
}

function mdoc(s)
{
	gsub(/\\/, "\\e", s)
	return s ~ /^[.']/ ? "\\&" s : s
}

FNR == 1 {
	stream = FILENAME
	sub(/.*\//, "", stream)
	sub(/\.tsv$/, "", stream)
	settings = stream == "setting"
	want = settings ? "key\tcommand\ttype\tdefault\tmeaning" : "name\ttype\tunit\trange\tmeaning"
	if ($0 != want)
		broken("the header is not \"" want "\"")
	if (!settings)
		streams[++nstreams] = stream
	if (page && NR > 1)
		print ".El"
	if (page)
		print ".Bl -tag -width Ds -compact"
	next
}

NF != 5 { broken(NF " cells, not 5") }
/"|\\/ { broken("a quotation mark or backslash") }
settings ? $1 !~ /^[a-z][a-z0-9-]*$/ : $1 !~ /^[a-z][a-z0-9_]*$/ { broken("not a name: " $1) }
(stream, $1) in seen { broken("named twice: " $1) }
{
	seen[stream, $1] = 1
	if (settings) {
		keys = keys (keys == "" ? "" : ", ") "\"" $1 "\""
		each = each " X(\"" $1 "\", \"" $3 "\", \"" $4 "\")"
	} else
		col[stream, ++n[stream]] = $1
	if (page && settings)
		printf ".It Cm %s Pq %s , %s , default %s\n%s.\n", $1, $2, $3, mdoc($4), mdoc($5)
	else if (page)
		printf ".It Va %s Pq %s%s , %s\n%s.\n", $1, $2, $3 == "-" ? "" : " , " $3, mdoc($4), mdoc($5)
}

function list(s, from, before, after, between,   i, t)
{
	for (i = from; i <= n[s]; i++)
		t = t (i > from ? between : "") before col[s, i] after
	return t
}

# The longest other stream whose columns all stand, in order, before s's own.
function grown_from(s,   i, j, t, best)
{
	best = ""
	for (i = 1; i <= nstreams; i++) {
		t = streams[i]
		if (n[t] >= n[s] || (best != "" && n[t] <= n[best]))
			continue
		for (j = 1; j <= n[t] && col[t, j] == col[s, j]; j++)
			;
		if (j > n[t])
			best = t
	}
	return best
}

END {
	if (bad)
		exit 1
	if (page) {
		print ".El"
		exit 0
	}
	print "/* Made by schemas/schema.awk from schemas/: do not edit. */"
	print "#ifndef KL_SCHEMA_H\n#define KL_SCHEMA_H\n"
	for (i = 1; i <= nstreams; i++) {
		s = streams[i]
		up = toupper(s)
		print "#define " up "_HEADER \"" list(s, 1, "", "", "\\t") "\""
		print "#define " up "_COLS " list(s, 1, "\"", "\"", ", ")
		print "#define " up "_EACH(X) " list(s, 1, "X(", ")", " ")
		base = grown_from(s)
		if (base != "") {
			print "#define " up "_ADDS " list(s, n[base] + 1, "\"", "\"", ", ")
			print "#define " up "_ADDS_HEADER \"" list(s, n[base] + 1, "\\t", "", "") "\""
		}
		print "enum { " list(s, 1, up "_", "", ", ") ", " up "_NCOLS };\n"
	}
	if (keys != "") {
		print "#define SETTING_KEYS " keys
		print "#define SETTING_EACH(X)" each "\n"
	}
	print "#endif"
}
