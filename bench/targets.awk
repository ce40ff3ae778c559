# SPDX-License-Identifier: GPL-2.0-only
#
# Each target as a line: met or not, and by how much. Reads the CSVs of packet_cost, change_cost and
# scale, in any order: the first line of each says which it is.

function judge(text, value, limit, format, is_least,    met)
{
	if (value == "" || value + 0 == 0)
		return
	met = is_least ? value >= limit : value <= limit
	printf "%-7s  %-70s " format ", target %s " format " (%+.0f %%)\n", met ? "met" : "NOT MET",
		text, value, is_least ? ">=" : "<=", limit, (value / limit - 1) * 100
}

FNR == 1 { file = $1; next }

# case,flows,prefixes,servers,ratio,...
file == "case" { ratio[$1, $2, $3, $4] = $5 }
file == "case" && $1 == "router plain" && $3 == 1 && $4 == 4 && $5 > worst { worst = $5 }

file == "case" && $1 == "router ipv6" && $3 == 1 && $5 > worst6 { worst6 = $5 }

# what,change,buckets,servers,prefixes,us,us_q1,... The lower quartile: other work only adds to times.
file == "what" { us[$1, $2, $3, $4] = $7 }

# tables,prefixes,bytes,load_ms,change_one_us,change_all_ms,...
file == "tables" { load_ms[$1, $2] = $4; one_us[$1, $2] = $5 }

END {
	one = ratio["router plain", 1, 1, 4]
	many = ratio["router plain", 1048576, 1, 4]
	judge("plain IPv4 path with counters, x redirect floor (worst of 1 to 1 M flows)", worst, 3.5,
		"%.2f")
	judge("plain IPv6 path, x redirect floor (worst of 1 to 1 M flows)", worst6, 5.5, "%.2f")
	if (one && many) {
		judge("1 M flows, x the cost with 1 flow", many / one, 1.2, "%.2f")
		for (n = 1000; n <= 100000; n *= 10) {
			limit = n == 100000 ? 1.25 : 1.2
			judge(n " prefixes, 1 k flows, x the cost with 1 prefix",
				ratio["router plain", 1024, n, 4] / ratio["router plain", 1024, 1, 4], limit,
				"%.2f")
			judge(n " prefixes, 1 M flows, x the cost with 1 prefix",
				ratio["router plain", 1048576, n, 4] / many, limit, "%.2f")
		}
		judge("kernel routing table (bpf_fib_lookup, as xdp-forward) / ecmper",
			ratio["kernel fib", 1048576, 1, 1] / many, 2.5, "%.2f", 1)
	}
	judge("one server of 100 removed, 65536 buckets, in the library, us",
		us["library", "remove", 65536, 100], 1000, "%.0f")
	judge("one server of 100 added, 65536 buckets, in the library, us",
		us["library", "add", 65536, 100], 1000, "%.0f")
	judge("one server of 100 removed, 65536 buckets, as a process, us",
		us["process", "remove", 65536, 100], 6000, "%.0f")
	judge("the same at 32768 buckets against `ip nexthop replace`, resilient group, us",
		us["library", "remove", 32768, 100],
		us["kernel resilient group", "remove", 32768, 100], "%.0f")
	judge("batch over 1000 prefixes of 1024 buckets, shared table, us",
		us["batch shared table", "remove", 1024, 100], 1e6, "%.0f")
	judge("batch over 1000 prefixes of 1024 buckets, own tables, us",
		us["batch own tables", "remove", 1024, 100], 1e6, "%.0f")
	if (load_ms["own", 1000])
		judge("time to load a prefix, 100 000 of them / 1 000 of them (linear: 1)",
			load_ms["own", 100000] / load_ms["own", 1000] / 100, 1.2, "%.2f")
	if (one_us["own", 1])
		judge("a change to one of 100 000 prefixes / to the only one",
			one_us["own", 100000] / one_us["own", 1], 2, "%.2f")
}
