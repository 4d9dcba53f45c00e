# SPDX-License-Identifier: BSD-2-Clause
# feedback.json as rows: its number, target, action, when it was written, how
# long it holds, until when, owner, reason; times in Unix seconds, "-" for none.
# What is wrong is a row "!" of its number and a message; 0 is the whole file.

def cell: if . == null then "-" else tostring | gsub("[\\x00-\\x20\\x7f\"]+"; " ") | gsub("^ +| +$"; "") |
	if . == "" then "-" else . end end;

# "1h30m": numbers with units, their sum in seconds.
def duration:
	{ "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1, "m": 60, "h": 3600 } as $unit |
	if type != "string" then null
	elif . == "0" then 0
	elif test("^\\+?([0-9]+(\\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$") then
		[scan("([0-9.]+)(ns|us|µs|ms|s|m|h)") | (.[0] | sub("\\.$"; "") | tonumber) * $unit[.[1]]] | add
	else null end;

# "2026-05-01T12:00:00.5+02:00" (RFC 3339) in seconds.
def moment:
	if type != "string" then null else
		[capture("^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?<part>\\.[0-9]+)?(?<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})$")] |
		if length == 0 then null else
			.[0] as $t |
			(try ("\($t.day)T\($t.time)Z" | fromdateiso8601) catch null) as $whole |
			if $whole == null then null else
				$whole + ("0" + ($t.part // "") | tonumber) -
				(if $t.zone | test("[Zz]") then 0 else
					($t.zone[1:3] | tonumber) * 3600 + ($t.zone[4:6] | tonumber) * 60 |
					if $t.zone[0:1] == "-" then -. else . end end)
			end
		end
	end;

def wrong($n; $what): ["!", ($n | tostring), $what];

def row($n):
	if type != "object" then wrong($n; "not an object")
	elif (.target | type) != "string" then wrong($n; "no target")
	elif [.action // "forgive"] | inside(["forgive", "whitelist"]) | not then
		["~", ($n | tostring), "action \(.action | tojson) is neither forgive nor whitelist: left out"]
	elif .ttl != null and (.ttl | duration) == null then wrong($n; "ttl: not a duration like 24h or 1h30m: \(.ttl | tojson)")
	elif .until != null and (.until | moment) == null then wrong($n; "until: not a time like 2026-05-01T12:00:00Z: \(.until | tojson)")
	elif .written != null and (.written | moment) == null then wrong($n; "written: not a time like 2026-05-01T12:00:00Z: \(.written | tojson)")
	else [($n | tostring), (.target | cell), .action // "forgive",
		(if .written == null then "-" else .written | moment | tostring end),
		(if .until != null then "-" else .ttl // "24h" | duration | tostring end),
		(if .until == null then "-" else .until | moment | tostring end),
		(.owner | cell | gsub(" "; "_")), ((.notes // .reason) | cell)]
	end;

if type != "array" then wrong(0; "not an array of objects") | join("\t")
else to_entries[] | (.key + 1) as $n | .value | row($n) | join("\t") end
