#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes docs/evaluation.md and docs/plots/*.svg from the results of `make eval` and `make bench`.
# What was not run is said to be missing; nothing is made up.
# Usage: report.sh [-e FOLDER] [-b FOLDER]    results of the evaluation (default BUILD/eval) and of
#                                            the benchmarks (default BUILD/bench/results)
set -euo pipefail

cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
eval_dir=$BUILD/eval
bench_dir=$BUILD/bench/results
while getopts "e:b:" option; do
	case $option in
	e) eval_dir=$OPTARG ;;
	b) bench_dir=$OPTARG ;;
	*) exit 2 ;;
	esac
done
plots=docs/plots
er_cases="er1_modulo er1_maglev er4_modulo er4_maglev"

# has FOLDER FILE...: are all of them there, and not empty?
has()
{
	local file

	for file in "${@:2}"; do
		[[ -s $1/$file ]] || return 1
	done
}

# picture FOLDER NAME TEXT: copy a plot, and show it.
picture()
{
	has "$1" "$2.svg" || return 0
	mkdir -p "$plots"
	cp "$1/$2.svg" "$plots/$2.svg"
	printf '![%s](plots/%s.svg)\n\n' "$3" "$2"
}

# Each line of a list of goals as a row.
goals()
{
	echo "| | goal |"
	echo "|---|---|"
	sed -nE 's/^(met|NOT MET) +(.*)/| \1 | \2 |/p' "$1" | sed 's/| NOT MET |/| **not met** |/'
	echo
}

# machine FILE: its lines as a sentence.
machine()
{
	[[ ! -s $1 ]] || printf 'Run on: %s.\n\n' "$(paste -sd ';' "$1" | sed 's/;/; /g')"
}

# table COLUMNS < CSV: the columns of these names, as a table.
table()
{
	awk -F, -v wanted="$1" '
	BEGIN { count = split(wanted, name, " ") }
	NR == 1 {
		for (i = 1; i <= NF; i++)
			column[$i] = i
		head = "|"; line = "|"
		for (i = 1; i <= count; i++) {
			text = name[i]
			gsub("_", " ", text)
			head = head " " text " |"; line = line "---|"
		}
		print head "\n" line
		next
	}
	{
		row = "|"
		for (i = 1; i <= count; i++)
			row = row " " $column[name[i]] " |"
		print row
	}
	END { print "" }'
}

# beside_paper FIELD "PAPER'S COLUMNS" "CASES": by T, columns of paper.csv, and this field of
# churn.csv for these cases.
beside_paper()
{
	awk -F, -v field="$1" -v papers="$2" -v cases="$3" '
	function cell(value) { return value == "" ? " - |" : " " value " |" }
	function columns(    i) { for (i = 1; i <= NF; i++) column[$i] = i }
	/^#/ { next }
	FILENAME ~ /paper.csv$/ && $1 == "T" { columns(); next }
	FILENAME ~ /paper.csv$/ { for (i in column) figure[$1 + 0, "paper " i] = $column[i]; next }
	FNR == 1 { delete column; columns(); next }
	{
		t = $column["T"] + 0
		if (!(t in seen)) { seen[t] = 1; order[++count] = t }
		figure[t, $1] = $column[field]
	}
	END {
		known = split(papers, paper, " ")
		all = known + split(cases, ours, " ")
		head = "| T (s) |"; line = "|---|"
		for (i = 1; i <= all; i++) {
			name[i] = i <= known ? "paper " paper[i] : ours[i - known]
			head = head " " name[i] " |"
			line = line "---|"
		}
		gsub("_", " ", head)
		print head "\n" line
		for (j = 1; j <= count; j++) {
			row = "| " order[j] " |"
			for (i = 1; i <= all; i++)
				row = row cell(figure[order[j], name[i]])
			print row
		}
		print ""
	}' scripts/eval/paper.csv "$eval_dir/churn.csv"
}

throughput()
{
	cat <<'TEXT'
## Throughput

Five servers are added one after the other under load, and removed again. Each is limited to 25 Mbit/s (tbf, with a queue
long enough that no packet is lost), and a client has 500 transfers of 32 KiB under way at any time, which is enough to
leave no server idle. A removed server is drained: it finishes the transfers that it has.

TEXT
	has "$eval_dir" throughput.csv throughput_totals.csv || {
		printf 'Not run.\n\n'
		return
	}
	machine "$eval_dir/throughput.machine"
	picture "$eval_dir" throughput "Mbit/s of each server over time"
	awk -F, 'NR == 1 { print "servers,Mbit/s,times one server"; next }
		NR == 2 { one = $2 } { printf "%s,%s,%.2f\n", $1, $2, $2 / one }' "$eval_dir/throughput_totals.csv" |
		sed '1s/times one server/times_one_server/' | table "servers Mbit/s times_one_server"
	printf 'The paper: 2.67 with three servers, 4.57 with five.\n\n'
}

churn()
{
	cat <<'TEXT'
## Churn

A random one of four servers is removed every T seconds and restored T / 2 later: two changes in every T. Each server is limited
to 50 Mbit/s; a client has 120 transfers of 256 KiB under way at any time, each on a connection of its own that takes about
1.3 s. What breaks depends on how long transfers take in relation to T. The paper does not say how long its own took; with
these, plain ECMP breaks about as many as it did there. Each transfer is counted once, as complete or as broken (reset, refused,
cut short, 30 s without data).

*ECMP* is the same router without history (depth 0), and servers without the server program.

TEXT
	has "$eval_dir" churn.csv || {
		printf 'Not run.\n\n'
		return
	}
	machine "$eval_dir/churn.machine"
	picture "$eval_dir" churn "Broken transfers by T"
	printf 'Broken transfers, %%, plain ECMP:\n\n'
	beside_paper broken_percent "ecmp_modulo ecmp_maglev" "ecmp_modulo ecmp_maglev"
	printf 'Broken transfers, %%, ECMP-ER (er1: depth 1, as in the paper; er4: depth 4; maglev is consistent hashing):\n\n'
	beside_paper broken_percent "er_modulo er_maglev" "$er_cases"
	printf 'What each figure stands on:\n\n'
	table "case T transfers broken broken_percent changes p50_ms p99_ms" <"$eval_dir/churn.csv"
	cat <<'TEXT'
## Bounced packets

From the same runs: packets that servers sent back, of all packets at the router (in both directions, and bounced ones each time
they come). Of the clients' packets alone, the share is larger: the second table.

TEXT
	picture "$eval_dir" bounced "Bounced packets by T"
	printf 'Bounced, %% of all packets:\n\n'
	beside_paper bounced_percent "bounced_modulo bounced_maglev" "$er_cases"
	printf 'Bounced, %% of the packets that clients send:\n\n'
	beside_paper bounced_percent_of_clients "bounced_modulo bounced_maglev" "$er_cases"
}

flap()
{
	cat <<'TEXT'
## A whole service that flaps

All four servers are drained, then added again in another order, over and over, by one `ecmperctl` after the other or by `ecmperctl batch` with two
changes at once and 20 ms between. A client has 48 transfers of 256 KiB under way at any time. What a server sends is limited to
100 Mbit/s and queues up to 30 ms, bounced packets with it, so that changes overtake many. *Raced*: packets whose chain ended just after a
change, at a server that did not own them; it dropped them, and TCP sent them again. With a flight time of 0 (`--flight-time`)
they are answered by an RST. (`sudo scripts/eval/run.sh -l flap`)

TEXT
	has "$eval_dir" flap.csv || {
		printf 'Not run.\n\n'
		return
	}
	machine "$eval_dir/flap.machine"
	table "flight_time at_once run seconds changes transfers broken reset bounced raced p50_ms p99_ms" <"$eval_dir/flap.csv"
}

held()
{
	cat <<'TEXT'
## Held connections

A thousand connections live through the whole churn, half of them busy (a message every 0.1 s), half idle for most of the time
(one every 5 s). Every byte of every echo is compared.

TEXT
	has "$eval_dir" long.csv || {
		printf 'Not run.\n\n'
		return
	}
	machine "$eval_dir/long.machine"
	table "T connections broken messages changes seconds bounced worst_ms" <"$eval_dir/long.csv"
}

faults()
{
	cat <<'TEXT'
## Faults

While connections carry data, commands are killed or refused memory at their system calls, one after the other; maps are
full, of another version, on a bpffs that is read-only. *Bad*: the table was neither the old nor the new one, the next command
did not put everything right, or the message did not say what happened.

TEXT
	has "$eval_dir" faults.csv || {
		printf 'Not run.\n\n'
		return
	}
	machine "$eval_dir/faults.machine"
	table "what tries struck bad lost_packets" <"$eval_dir/faults.csv"
	[[ ! -s $eval_dir/faults.log ]] || {
		printf 'What was bad:\n\n'
		cut -c 1-160 "$eval_dir/faults.log" | sed 's/^/    /'
		echo
	}
}

code()
{
	printf '## Code\n\n'
	! has "$eval_dir" fuzz.csv || table "target seconds inputs failures" < <(
		sed '1s/case/target/; 1s/runs/inputs/' "$eval_dir/fuzz.csv")
	! has "$eval_dir" coverage.csv || {
		printf 'Lines of lib/ that the unit tests reach:\n\n'
		table "file lines reached percent" <"$eval_dir/coverage.csv"
	}
	has "$eval_dir" fuzz.csv || has "$eval_dir" coverage.csv || printf 'Not run.\n\n'
}

# What the targets that are not met are made of.
ablation()
{
	has "$bench_dir" packet_cost.csv change_cost.csv || return 0
	cat <<'TEXT'
What stands in the way of a cheaper change: the parts of removing one of 100 servers from 65 536 buckets, on plain arrays without
a kernel. Maglev's turns are 65 536 walks, each of which ends where the CPU does not expect it.

TEXT
	table "what us us_q1 us_q3" < <(
		awk -F, 'NR == 1 || ($1 ~ /^(of it|library)/ && $2 == "remove" && $3 == 65536 && $4 == 100)' \
			"$bench_dir/change_cost.csv")
	cat <<'TEXT'
What stands in the way of many prefixes at one price: memory. The redirect floor with one look at a random line of so much of it
(a prefix has a line of `vip`, and with a table of its own a line of `cur_nh`):

TEXT
	table "case ratio ratio_q1 ratio_q3 ns" < <(
		awk -F, 'NR == 1 || $1 ~ /^floor redirect/' "$bench_dir/packet_cost.csv"
	)
}

bench()
{
	printf '## Cost\n\n'
	has "$bench_dir" targets.txt || {
		printf 'The benchmarks were not run.\n\n'
		return
	}
	machine "$bench_dir/machine.txt"
	goals "$bench_dir/targets.txt"
	ablation
	picture "$bench_dir" packet "Cost of a packet"
	picture "$bench_dir" prefixes "Cost of a packet by number of prefixes"
	picture "$bench_dir" change "Cost of a change by size of the table"
	picture "$bench_dir" scale "Time to load and to change by number of prefixes"
}

page()
{
	cat <<'TEXT'
# Evaluation

How many connections live, and what it costs: written by `scripts/eval/report.sh` from what `make eval` and `make bench`
measured (client, router and servers are network namespaces of one machine, joined by veth). The paper is the one on ECMP-ER,
IOTS 2022; its figures are in `scripts/eval/paper.csv`.

TEXT
	if has "$eval_dir" goals.txt; then
		goals "$eval_dir/goals.txt"
	else
		printf 'The evaluation was not run.\n\n'
	fi
	throughput
	churn
	flap
	held
	faults
	code
	bench
}

# Without empty lines at the end.
page | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >docs/evaluation.md
echo "docs/evaluation.md, $(find "$plots" -name '*.svg' 2>/dev/null | wc -l) plots in $plots"
