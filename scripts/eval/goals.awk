# SPDX-License-Identifier: GPL-2.0-only
#
# Each goal of the evaluation as a line: met or not, and by how much. Reads paper.csv first, then
# those of throughput_totals, throughput_transfers, churn, flap, long, faults and fuzz that there are.

function say(is_met, text)
{
	printf "%-7s  %s\n", is_met ? "met" : "NOT MET", text
}

FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.csv$/, "", file) }
/^#/ || $1 == "T" || FNR == 1 { next }

file == "paper" { paper[$1 + 0] = $7 }

file == "throughput_totals" { mbit[$1] = $2 }
file == "throughput_transfers" {
	say($2 == 0, sprintf("servers added and removed under load: %d of %d transfers broken, goal 0", $2, $1))
}

file == "churn" && /^er4/ {
	say($6 == 0, sprintf("churn, %s, depth 4, T = %s s: %d of %d transfers broken, goal 0", $2, $4, $6, $5))
}
file == "churn" && /^er._maglev/ && ($4 + 0) in paper {
	limit = paper[$4 + 0]
	say($17 < limit, sprintf("churn, maglev, depth %d, T = %s s: %.1f %% of all packets bounced, goal < %.1f (%+.0f %%)",
		$3, $4, $17, limit, ($17 / limit - 1) * 100))
}

# Without a packet that a change overtook, a run says nothing.
file == "flap" && $1 != "0" {
	say($7 == 0 && $14 > 0, sprintf("all servers drained and added, %d at once, %d s: %d of %d transfers broken, %d packets raced, goal 0 and some",
		$2, $4, $7, $6, $14))
}

file == "long" {
	say($3 == 0, sprintf("churn, T = %s s: %d of %d held connections broken, %d messages compared, goal 0",
		$1, $3, $2, $9))
}

file == "faults" {
	say($5 == 0 && $6 == 0, sprintf("faults, %s: %d tries, %d not as they must be, %d packets lost, goal 0",
		$2, $3, $5, $6))
}

file == "fuzz" {
	say($4 == 0, sprintf("fuzzer of %s: %d failures after %d inputs, goal 0", $1, $4, $3))
}

END {
	for (n = 3; mbit[1] && n <= 5; n += 2) {
		ratio = mbit[n] / mbit[1]
		say(ratio >= 0.97 * n && ratio <= 1.03 * n,
			sprintf("throughput of %d servers: %.2f times that of one, goal %d +- 3 %% (%+.1f %%; the paper: %s)",
				n, ratio, n, (ratio / n - 1) * 100, n == 3 ? 2.67 : 4.57))
	}
}
