# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the parts of the evaluation share: the network tests' lab, a folder for results, progress,
# churn, and the counters of all programs. Sourced by scripts/eval/*.sh, which run under
# `set -euo pipefail`.
#
# Environment:
#   EVAL_LONG   1: long runs (hours); empty (default): quick ones (minutes)
#   EVAL_OUT    where results go, default BUILD/eval
#   BUILD, ECMPER_LAB   as in scripts/lab-lib.sh

# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/net/lib.sh"

EVAL_LONG=${EVAL_LONG:-}
EVAL_OUT=${EVAL_OUT:-$LAB_BUILD/eval}
EVAL_NAME=$LAB_TEST
mkdir -p "$EVAL_OUT"

# eval_pick QUICK LONG: the value for this kind of run.
eval_pick()
{
	if [[ $EVAL_LONG ]]; then echo "$2"; else echo "$1"; fi
}

eval_say()
{
	printf '%-10s  %s\n' "$EVAL_NAME" "$*"
}

# eval_csv FILE HEADING: results go to EVAL_CSV from now on. The machine and the time are written
# beside it.
eval_csv()
{
	EVAL_CSV=$EVAL_OUT/$1.csv
	echo "$2" >"$EVAL_CSV"
	eval_machine >"$EVAL_OUT/$1.machine"
}

eval_machine()
{
	uname -srm
	sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo
	echo "$(nproc) CPUs, load $(cut -d ' ' -f 1 /proc/loadavg) before"
	date -u +%F
	echo "$(eval_pick quick long) run of $(git -C "$LAB_ROOT" describe --always --dirty 2>/dev/null || echo unknown)"
}

# eval_row VALUE...: a line of the CSV.
eval_row()
{
	local IFS=,

	echo "$*" >>"$EVAL_CSV"
}

# eval_percent PART WHOLE [DIGITS]
eval_percent()
{
	awk -v part="$1" -v whole="$2" -v digits="${3:-2}" \
		'BEGIN { printf "%.*f", digits, whole ? 100 * part / whole : 0 }'
}

# eval_lab SERVERS VARIABLE=VALUE...: a new lab.
eval_lab()
{
	lab_down
	export "${@:2}"
	lab_up "$1" >"$EVAL_OUT/lab.log" 2>&1 || {
		cat "$EVAL_OUT/lab.log" >&2
		return 1
	}
	eval_file 32k.bin 32768
	eval_file 256k.bin 262144
	eval_long_queues
}

# Room in the limited links' queues for some packets of each of hundreds of connections: no loss,
# so that none of them starves, and no transfer breaks for another reason than a change.
eval_long_queues()
{
	local i

	[[ ${LAB_RATE:-} ]] || return 0
	for ((i = 1; i <= $(lab_server_count); i++)); do
		lab_exec "ns$i" tc qdisc replace dev "veth$i" root tbf rate "$LAB_RATE" burst 64kb limit 16mb
	done
}

# eval_file NAME BYTES: a file that every server has.
eval_file()
{
	local i

	head -c "$2" "$LAB_DIR/1m.bin" >"$LAB_DIR/$1"
	for ((i = 1; i <= $(lab_server_count); i++)); do
		ln -s "$LAB_DIR/$1" "$LAB_DIR/ns$i/html/$1"
	done
}

# --- counters --------------------------------------------------------------------------------

eval_reset_counters()
{
	local i

	lab_ctl stats -r
	for ((i = 1; i <= $(lab_server_count); i++)); do
		[[ ! -e $(lab_pin "ns$i") ]] || lab_exec "ns$i" ecmperctl stats -r
	done
}

# The sum of a reason over those servers that run the server program.
eval_servers_reason()
{
	local i sum=0

	for ((i = 1; i <= $(lab_server_count); i++)); do
		[[ ! -e $(lab_pin "ns$i") ]] || sum=$((sum + $(lab_reason "$1" "ns$i")))
	done
	echo "$sum"
}

# Packets at the router: "ALL CLIENTS", those of all reasons, and those that clients sent to the
# VIP (each counted once, when it comes first).
eval_router_packets()
{
	lab_ctl -j stats | jq -r '
		[.reasons[] | {key: .reason, value: .}] | from_entries
		| "\([.[] | select(.action != "NOTE") | .packets] | add) \(
			.forward.packets + .no_server.packets - .restarted.packets)"'
}

# Everything there is to know, for a transfer that should not have broken.
eval_save_evidence()
{
	local dir=$EVAL_OUT/$1 i

	mkdir -p "$dir"
	lab_ctl stats >"$dir/router.stats"
	lab_ctl show >"$dir/show"
	lab_ctl tables >"$dir/tables"
	lab_exec ns99 nstat -asz >"$dir/client.nstat"
	for ((i = 1; i <= $(lab_server_count); i++)); do
		[[ ! -e $(lab_pin "ns$i") ]] || lab_exec "ns$i" ecmperctl stats >"$dir/server$i.stats"
		lab_exec "ns$i" nstat -asz >"$dir/server$i.nstat"
		cp "$LAB_DIR/ns$i/access.log" "$dir/server$i.access"
		cp "$LAB_DIR/ns$i/error.log" "$dir/server$i.error"
	done
	cp "$LAB_DIR"/*.json "$LAB_DIR"/*.broken "$LAB_DIR"/*.changes "$dir/" 2>/dev/null || true
	eval_say "evidence is in $dir"
}

# --- held connections (tests/net/held.c) -------------------------------------------------------

EVAL_ECHO_PORT=7000

eval_echo_listens()
{
	[[ -n $(lab_exec "ns$1" ss -Hltn "sport = :$EVAL_ECHO_PORT") ]]
}

# An echo server in every server's namespace.
eval_echo_up()
{
	local i

	for ((i = 1; i <= $(lab_server_count); i++)); do
		lab_spawn "ns$i" "ns$i/held.log" held serve "$EVAL_ECHO_PORT"
		lab_wait 5 eval_echo_listens "$i"
	done
}

eval_hold_is_ready()
{
	grep -q ready "$LAB_DIR/held.json"
}

# eval_hold OPTIONS...: connections that are all open when this returns, until eval_hold_end.
eval_hold()
{
	lab_spawn ns99 held.json held "$@" "$LAB_VIP" "$EVAL_ECHO_PORT"
	EVAL_HELD=$LAB_PID
	lab_wait 30 eval_hold_is_ready || lab_fail "the connections were not made: $(<"$LAB_DIR/held.json")"
}

# Its report.
eval_hold_end()
{
	lab_transfers_end "$EVAL_HELD" held.json | tail -n 1
}

# --- churn -----------------------------------------------------------------------------------

# eval_until MICROSECONDS: sleep until EPOCHREALTIME is this.
eval_until()
{
	local left=$(($1 - ${EPOCHREALTIME/./})) pause

	((left > 0)) || return 0
	printf -v pause '%d.%06d' $((left / 1000000)) $((left % 1000000))
	sleep "$pause"
}

# eval_churn T SECONDS: every T, a random one of the servers is removed and, T / 2 later, restored:
# the same ones in every run, so that runs can be compared. Ends with all servers there.
# EVAL_CHANGES: how many changes were made.
eval_churn()
{
	local half end next server count verb

	half=$(awk -v t="$1" 'BEGIN { printf "%d", t * 500000 }')
	count=$(lab_server_count)
	next=${EPOCHREALTIME/./} end=$((next + $2 * 1000000))
	EVAL_CHANGES=0 RANDOM=1
	: >"$LAB_DIR/churn.changes"
	while ((next < end)); do
		server=$(lab_server_addr $((RANDOM % count + 1)))
		for verb in del add; do
			next=$((next + half))
			eval_until "$next"
			echo "$EPOCHREALTIME $verb $server" >>"$LAB_DIR/churn.changes"
			lab_ctl "$verb" "$LAB_VIP/32" via "$server" >/dev/null
			EVAL_CHANGES=$((EVAL_CHANGES + 1))
		done
	done
	eval_until "$next"
}
