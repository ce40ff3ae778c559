# SPDX-License-Identifier: GPL-2.0-only
#
# Plots of the benchmarks' CSVs in folder `out` (set by run.sh).

set datafile separator ","
set terminal svg size 900,520 font "sans,13" background "white"
set grid ytics lc rgb "#dddddd"
set style fill solid 0.8 border -1
set key top left

set output out."/packet.svg"
set title "Cost of a packet, redirect floor = 1 (median, quartiles)"
set ylabel "x redirect floor"
set yrange [0:*]
set boxwidth 0.7
set xtics rotate by -40 font ",10"
set bmargin 11
set rmargin 10
plot out."/packet_cost.csv" using 0:5:xtic(stringcolumn(1).", ".stringcolumn(2)." flows, ".stringcolumn(3)." pfx") \
	every ::1 with boxes lc rgb "#4477aa" notitle, \
	"" using 0:5:6:7 every ::1 with yerrorbars lc rgb "#222222" pt 0 notitle
unset bmargin
unset rmargin
set xtics norotate font ",13"

set output out."/prefixes.svg"
set title "Cost of a packet by number of prefixes, redirect floor = 1"
set xlabel "prefixes"
set logscale x
plot for [tables in "shared own"] out."/scale.csv" using (stringcolumn(1) eq tables ? $2 : NaN):7 \
	with linespoints lw 2 title "1 k flows, ".tables." tables", \
     for [tables in "shared own"] out."/scale.csv" using (stringcolumn(1) eq tables ? $2 : NaN):8 \
	with linespoints lw 2 dt 2 title "1 M flows, ".tables." tables"

set output out."/scale.svg"
set title "Time to load and to change, by number of prefixes"
set ylabel "milliseconds"
set logscale y
set yrange [*:*]
plot for [tables in "shared own"] out."/scale.csv" using (stringcolumn(1) eq tables ? $2 : NaN):4 \
	with linespoints lw 2 title "load all, ".tables." tables", \
     for [tables in "shared own"] out."/scale.csv" using (stringcolumn(1) eq tables ? $2 : NaN):6 \
	with linespoints lw 2 dt 2 title "change all, ".tables." tables", \
     for [tables in "shared own"] out."/scale.csv" using (stringcolumn(1) eq tables ? $2 : NaN):($5/1000) \
	with linespoints lw 2 dt 3 title "change one, ".tables." tables"

set output out."/change.svg"
set title "One server removed: time by size of the table (4 and 100 servers)"
set xlabel "buckets"
set ylabel "microseconds"
ways = "'library' 'process' 'until first packet' 'kernel resilient group'"
plot for [i=1:words(ways)] out."/change_cost.csv" \
	using (stringcolumn(1) eq word(ways, i) && stringcolumn(2) eq "remove" && $4 == 100 ? $3 : NaN):6:7:8 \
	with yerrorlines lw 2 title word(ways, i).", 100 servers", \
     for [i=1:words(ways)] out."/change_cost.csv" \
	using (stringcolumn(1) eq word(ways, i) && stringcolumn(2) eq "remove" && $4 == 4 ? $3 : NaN):6:7:8 \
	with yerrorlines lw 1 dt 2 title word(ways, i).", 4 servers"
