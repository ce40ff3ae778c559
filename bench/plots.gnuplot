# SPDX-License-Identifier: GPL-2.0-only
#
# Plots of the benchmarks' CSVs in folder `out` (set by run.sh), as SVG.

set datafile separator ","
set style fill solid 0.8 noborder
set rmargin 6

# 1024 as 1 k, 1048576 as 1 M
short(n) = n >= 1e6 ? sprintf("%.0f M", n / 1e6) : n >= 1000 ? sprintf("%.0f k", n / 1000) : sprintf("%.0f", n)
# The lines of a CSV whose first column is `what` and that pass a further condition, in awk's words
pick(file, what, rest) = sprintf("< awk -F, '$1 == \"%s\" && %s' %s/%s.csv", what, rest, out, file)

set terminal svg noenhanced size 900,900 font "sans,13" background "white"
set output out."/packet.svg"
set title "Cost of a packet (median and quartiles)"
set xlabel "x redirect floor"
set grid xtics lc rgb "#dddddd"
set xrange [0:*]
set yrange [-1:*] reverse
set ytics font ",11"
plot out."/packet_cost.csv" using (0):0:(0):5:($0 - 0.35):($0 + 0.35):ytic(stringcolumn(1).", ".short($2) \
	." flows, ".short($3)." prefixes".($4 > 4 ? ", ".short($4)." servers" : "")) \
	every ::1 with boxxyerror lc rgb "#4477aa" notitle, \
	"" using 5:0:6:7 every ::1 with xerrorbars lc rgb "#222222" pt 7 ps 0.2 notitle

reset
set datafile separator ","
set terminal svg noenhanced size 900,520 font "sans,13" background "white"
set grid ytics lc rgb "#dddddd"
set key below
set rmargin 6
set logscale x

set output out."/prefixes.svg"
set title "Cost of a packet by number of prefixes, redirect floor = 1"
set xlabel "prefixes"
set ylabel "x redirect floor"
set yrange [0:*]
plot for [tables in "shared own"] pick("scale", tables, "1") using 2:7 \
	with linespoints lw 2 title "1 k flows, ".tables." tables", \
     for [tables in "shared own"] pick("scale", tables, "1") using 2:8 \
	with linespoints lw 2 dt 2 title "1 M flows, ".tables." tables"

set output out."/scale.svg"
set title "Time to load and to change, by number of prefixes"
set ylabel "milliseconds"
set logscale y
set yrange [*:*]
plot for [tables in "shared own"] pick("scale", tables, "1") using 2:4 \
	with linespoints lw 2 title "load all, ".tables." tables", \
     for [tables in "shared own"] pick("scale", tables, "1") using 2:6 \
	with linespoints lw 2 dt 2 title "change all, ".tables." tables", \
     for [tables in "shared own"] pick("scale", tables, "1") using 2:($5 / 1000) \
	with linespoints lw 2 dt 3 title "change one, ".tables." tables"

set output out."/change.svg"
set title "One server removed, by size of the table"
set xlabel "buckets"
set ylabel "microseconds (median and quartiles)"
array way[4] = ["library", "process", "until first packet", "kernel resilient group"]
plot for [i=1:4] pick("change_cost", way[i], "$2 == \"remove\" && $4 == 100") using 3:6:7:8 \
	with yerrorlines lw 2 lc i title way[i].", 100 servers", \
     for [i=1:4] pick("change_cost", way[i], "$2 == \"remove\" && $4 == 4") using 3:6:7:8 \
	with yerrorlines lw 2 lc i dt 2 title way[i].", 4 servers"
