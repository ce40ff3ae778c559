# SPDX-License-Identifier: GPL-2.0-only
#
# Plots of the evaluation's CSVs in folder `out`, beside the paper's figures in file `paper` (both
# set by run.sh), as SVG. `has(FILE)`: was that part run?

set datafile separator ","
set terminal svg noenhanced size 900,440 font "sans,13" background "white"
set grid ytics lc rgb "#dddddd"
set key outside right top
has(file) = system("test -s ".out."/".file.".csv && echo 1") eq "1"
# The lines of one case of churn.csv, sorted by T
pick(name) = sprintf("< awk -F, '$1 == \"%s\"' %s/churn.csv | sort -t, -k4,4n", name, out)
array color[5] = ["#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677"]

if (has("throughput")) {
	set output out."/throughput.svg"
	set title "Servers added and removed one by one, each limited to 25 Mbit/s"
	set xlabel "seconds"
	set ylabel "Mbit/s, stacked"
	set yrange [0:*]
	sum(n) = (n < 1 ? 0 : sum(n - 1) + column(2 + n))
	plot for [i=5:1:-1] out."/throughput.csv" using 1:(sum(i)) every ::1 \
		with filledcurves y1=0 lc rgb color[i] title "server ".i
	unset yrange
}

if (has("churn")) {
	set logscale x
	set xtics (0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 10)
	set xrange [0.08:12]
	set xlabel "T: seconds between removals of a server"

	set output out."/churn.svg"
	set title "Broken transfers"
	set ylabel "% of transfers"
	set yrange [-2:100]
	plot paper using 1:2 with linespoints dt 2 pt 4 lc rgb "#bbbbbb" title "paper, ECMP modulo", \
	     paper using 1:3 with linespoints dt 2 pt 6 lc rgb "#888888" title "paper, ECMP consistent", \
	     paper using 1:4 with linespoints dt 3 pt 4 lc rgb "#ddaa77" title "paper, ECMP-ER modulo", \
	     paper using 1:5 with linespoints dt 3 pt 6 lc rgb "#aa7733" title "paper, ECMP-ER consistent", \
	     pick("ecmp_modulo") using 4:7 with linespoints lw 2 pt 4 lc rgb color[5] title "ECMP modulo", \
	     pick("ecmp_maglev") using 4:7 with linespoints lw 2 pt 6 lc rgb color[4] title "ECMP Maglev", \
	     pick("er1_modulo") using 4:7 with linespoints lw 2 pt 4 lc rgb color[2] title "ecmper modulo, depth 1", \
	     pick("er1_maglev") using 4:7 with linespoints lw 2 pt 6 lc rgb color[1] title "ecmper Maglev, depth 1", \
	     pick("er4_modulo") using 4:7 with linespoints lw 3 pt 5 lc rgb "#117733" title "ecmper modulo, depth 4", \
	     pick("er4_maglev") using 4:7 with linespoints lw 3 pt 7 lc rgb color[3] title "ecmper Maglev, depth 4"

	set output out."/bounced.svg"
	set title "Bounced packets"
	set ylabel "% of all packets"
	set yrange [0:*]
	plot paper using 1:6 with linespoints dt 2 pt 4 lc rgb "#bbbbbb" title "paper, modulo", \
	     paper using 1:7 with linespoints dt 2 pt 6 lc rgb "#888888" title "paper, consistent", \
	     pick("er1_modulo") using 4:17 with linespoints lw 2 pt 4 lc rgb color[2] title "ecmper modulo, depth 1", \
	     pick("er1_maglev") using 4:17 with linespoints lw 2 pt 6 lc rgb color[1] title "ecmper Maglev, depth 1", \
	     pick("er4_modulo") using 4:17 with linespoints lw 2 pt 5 lc rgb "#117733" title "ecmper modulo, depth 4", \
	     pick("er4_maglev") using 4:17 with linespoints lw 2 pt 7 lc rgb color[3] title "ecmper Maglev, depth 4", \
	     pick("er4_maglev") using 4:18 with linespoints dt 2 pt 7 lc rgb color[3] title "the same, % of the clients' packets"
}
