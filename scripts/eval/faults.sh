#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything that can go wrong with ecmperctl and ecmper-loader, while packets flow: killed at each
# system call, out of memory at each, full maps, maps of another version, a bpffs that cannot be
# written, hundreds of commands at once. After each: is the table the old or the new one, does the
# next command put everything right, was a packet lost, does the message say what happened? Writes
# faults.csv.
# Usage: faults.sh [CASE...], of the names at the end.   Environment: scripts/eval/lib.sh
set -euo pipefail
# shellcheck source=scripts/eval/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/eval/faults-spare.sh
. "$LAB_ROOT/scripts/eval/faults-spare.sh"

victim=$(lab_server_addr 2)
FAULT_IN=router # namespace of the commands that are struck

# --- what is expected ------------------------------------------------------------------------

# One more thing that is not as it must be. Returns 0: the run goes on, and shows all of them.
bad()
{
	CASE_BAD=$((CASE_BAD + 1))
	eval_say "  NOT AS IT MUST BE: $*"
	echo "$CASE: $*" >>"$EVAL_OUT/faults.log"
}

# must SENTENCE COMMAND...
must()
{
	local sentence=$1

	shift
	"$@" >"$LAB_DIR/must.log" 2>&1 || bad "$sentence (exit status $?: $(head -c 300 "$LAB_DIR/must.log"))"
}

# The owners of the VIP's buckets, as one word.
table()
{
	lab_ctl -j tables cur_nh | jq -c '[.cur_nh[] | select(.prefix == "'"$LAB_VIP/32"'") | .address]' | md5sum
}

# is_clear_failure STATUS FILE: exit status 1 and a message that begins with the program's name.
is_clear_failure()
{
	[[ $1 == 1 ]] && grep -qE '^(ecmperctl|ecmper-loader): .{20}' "$2"
}

# Packets that met no table, no server or no owner: "REASON COUNT", on the router and on servers.
lost_packets()
{
	local reason

	for reason in no_route no_neigh no_server no_device bad_header ttl tx_error chain_end; do
		echo "$reason $(lab_reason "$reason")"
	done
	echo "last $(eval_servers_reason last)"
}

# lost_since FILE: how many more, and which, if any.
lost_since()
{
	lost_packets | awk 'NR == FNR { before[$1] = $2; next }
		$2 > before[$1] { sum += $2 - before[$1]; which = which " " $1 " " $2 - before[$1] }
		END { print sum + 0, which }' "$1" -
}

# run_case NAME SENTENCE FUNCTION: a line of the CSV. The function counts CASE_TRIES, and in
# CASE_HIT those where the fault struck.
run_case()
{
	local lost which start=$SECONDS

	CASE=$1 CASE_TRIES=0 CASE_HIT=0 CASE_BAD=0
	lost_packets >"$LAB_DIR/lost"
	"$3"
	read -r lost which < <(lost_since "$LAB_DIR/lost")
	must "packets flow" lab_exec ns99 curl -sf -m 5 -o /dev/null "http://$LAB_VIP/"
	eval_row "$1" "$2" "$CASE_TRIES" "$CASE_HIT" "$CASE_BAD" "$lost"
	eval_say "$2: $CASE_HIT of $CASE_TRIES struck, $CASE_BAD bad, $lost packets lost${which:+ ($which)}, $((SECONDS - start)) s"
}

# --- faults at each system call --------------------------------------------------------------

# calls SET COMMAND...: the system calls that it makes, of this set, one a line: the name, and the
# how-manieth of that name. The exit of the process cannot fail.
calls()
{
	local set=$1

	shift
	lab_exec "$FAULT_IN" strace -e trace="$set" -e signal=none -o "$LAB_DIR/calls" "$@" >/dev/null
	awk -F '(' '/^[a-z0-9_]+[(]/ && !/^exec|^exit/ { print $1, ++count[$1] }' "$LAB_DIR/calls"
}

# Those behind the dynamic loader's: from the first of bpf() on.
own_calls()
{
	calls "$@" | sed -n '/^bpf /,$p'
}

# struck FAULT CALL N COMMAND...: the command, with the fault at its Nth call of this name. In a
# shell of its own, which tells nobody of a killed process.
struck()
{
	local fault=$1 call=$2 n=$3

	shift 3
	(
		lab_exec "$FAULT_IN" strace -o /dev/null -e signal=none -e inject="$call:$fault:when=$n" "$@"
		exit $?
	) >"$LAB_DIR/struck.log" 2>&1
}

# The edit is one of two states, whatever happens. edit_struck FAULT CALL N OLD NEW WORDS...
edit_struck()
{
	local fault=$1 call=$2 n=$3 old=$4 new=$5 status=0 now

	shift 5
	CASE_TRIES=$((CASE_TRIES + 1))
	struck "$fault" "$call" "$n" ecmperctl "$@" || status=$?
	now=$(table)
	case $status in
	0) [[ $now == "$new" ]] || bad "$call $n of '$*': exit status 0, but not the new table" ;;
	137) [[ $now == "$old" || $now == "$new" ]] || bad "$call $n of '$*': neither the old nor the new table" ;;
	*)
		is_clear_failure "$status" "$LAB_DIR/struck.log" ||
			bad "$call $n of '$*': exit status $status, message '$(head -c 200 "$LAB_DIR/struck.log")'"
		[[ $now == "$old" ]] || bad "$call $n of '$*': it failed, but the table changed"
		;;
	esac
	((status == 0)) || CASE_HIT=$((CASE_HIT + 1))
	must "show after $call $n of '$*'" lab_ctl show
	must "trace after $call $n of '$*'" lab_ctl trace tcp 10.0.1.99:40000 "$LAB_VIP:80"
}

# each_call SET FAULT: a server is removed, and then added, with the fault at each call in turn. The
# next command puts right what a fault left.
each_call()
{
	local set=$1 fault=$2 call n all without

	all=$(table)
	lab_ctl del "$LAB_VIP/32" via "$victim" >/dev/null
	without=$(table)
	lab_apply 1 2 3 4
	own_calls "$set" ecmperctl del "$LAB_VIP/32" via "$victim" >"$LAB_DIR/each"
	lab_apply 1 2 3 4
	while read -r call n; do
		edit_struck "$fault" "$call" "$n" "$all" "$without" del "$LAB_VIP/32" via "$victim"
		must "the next command after $call $n of del" lab_apply 1 3 4
		[[ $(table) == "$without" ]] || bad "$call $n of del: the next command did not make the table"
		edit_struck "$fault" "$call" "$n" "$without" "$all" add "$LAB_VIP/32" via "$victim"
		must "the next command after $call $n of add" lab_apply 1 2 3 4
		[[ $(table) == "$all" ]] || bad "$call $n of add: the next command did not make the table"
	done <"$LAB_DIR/each"
}

case_kill_edit()
{
	each_call all signal=KILL
}

case_memory_edit()
{
	each_call bpf,mmap error=ENOMEM
}

# loader_struck SET FAULT STEP COMMAND...: a loader that replaces the programs of one that is up, with
# the fault at every STEPth call in turn; what packets need stays.
loader_struck()
{
	local set=$1 fault=$2 step=$3 call n before status

	shift 3
	before=$(lab_ctl dump | md5sum)
	own_calls "$set" "$@" | awk -v step="$step" 'NR % step == 1 || step == 1' >"$LAB_DIR/each"
	while read -r call n; do
		CASE_TRIES=$((CASE_TRIES + 1)) status=0
		struck "$fault" "$call" "$n" "$@" || status=$?
		((status == 0)) || CASE_HIT=$((CASE_HIT + 1))
		((status == 0 || status == 137)) || is_clear_failure "$status" "$LAB_DIR/struck.log" ||
			bad "$call $n of the loader: exit status $status, message '$(head -c 200 "$LAB_DIR/struck.log")'"
		[[ $(lab_ctl dump | md5sum) == "$before" ]] || bad "$call $n of the loader: the state changed"
	done <"$LAB_DIR/each"
	must "the loader succeeds in the end" lab_exec "$FAULT_IN" "$@"
	[[ $(lab_ctl dump | md5sum) == "$before" ]] || bad "the state changed"
}

router_up=(ecmper-loader router up --dev veth100 --mode native)
server_up=(ecmper-loader server up --dev veth1 --vip "$LAB_VIP/32" --mode native)

# Reads of /proc and of BTF are most of its calls, and all alike.
case_kill_loader()
{
	loader_struck '!read' signal=KILL "$(eval_pick 12 1)" "${router_up[@]}"
	FAULT_IN=ns1 loader_struck '!read' signal=KILL "$(eval_pick 12 1)" "${server_up[@]}"
}

case_memory_loader()
{
	loader_struck bpf,mmap error=ENOMEM "$(eval_pick 8 1)" "${router_up[@]}"
	FAULT_IN=ns1 loader_struck bpf,mmap error=ENOMEM "$(eval_pick 8 1)" "${server_up[@]}"
}

# --- many at once ----------------------------------------------------------------------------

# One of two hundred: an edit, or a look at what must be a whole table. Server 4 stays, so that every
# bucket has an owner. One of the others may be removed already: then the command must say so.
one_of_many()
{
	local server buckets

	server=$(lab_server_addr $((RANDOM % 3 + 1)))
	case $(($1 % 5)) in
	0) lab_ctl del "$LAB_VIP/32" via "$server" >/dev/null 2>"$LAB_DIR/many.$1" || grep 'not among' "$LAB_DIR/many.$1" ;;
	1) lab_ctl add "$LAB_VIP/32" via "$server" >/dev/null ;;
	2)
		lab_ctl -j show "$LAB_VIP/32" >"$LAB_DIR/many.$1"
		buckets=$(jq '[.[0].servers[].buckets] | add' "$LAB_DIR/many.$1")
		((buckets == 4096)) || cat "$LAB_DIR/many.$1"
		((buckets == 4096))
		;;
	3) lab_ctl trace tcp "10.0.1.99:$((40000 + $1))" "$LAB_VIP:80" >/dev/null ;;
	4) lab_ctl dump >/dev/null ;;
	esac
}

case_many()
{
	local i pids=()

	for ((i = 0; i < 200; i++)); do
		one_of_many "$i" >"$LAB_DIR/many.$i.log" 2>&1 &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		CASE_TRIES=$((CASE_TRIES + 1)) CASE_HIT=$((CASE_HIT + 1))
		wait "${pids[i]}" || bad "command $i of 200: $(head -c 1000 "$LAB_DIR/many.$i.log")"
	done
	must "the next command" lab_apply 1 2 3 4
}

# --- the lab ---------------------------------------------------------------------------------

traffic_end()
{
	local report

	report=$(eval_hold_end)
	eval_row traffic "connections meanwhile: $(jq .messages <<<"$report") messages compared" \
		"$(jq .connections <<<"$report")" 0 "$(jq .broken <<<"$report")" 0
	eval_say "meanwhile: $(jq -r '"\(.connections) connections, \(.broken) broken, \(.messages) messages compared, longest wait \(.worst_ms) ms"' \
		<<<"$report")"
	[[ $(jq .broken <<<"$report") == 0 ]] || eval_save_evidence faults
}

# After all that, nothing may be left in use but what the state needs: no room is lost for good.
leftovers()
{
	local units ranges

	CASE=leftovers CASE_BAD=0
	lab_ctl clear >/dev/null
	lab_apply 1 2 3 4
	lab_ctl clear >/dev/null
	units=$(bpftool -j map dump pinned "$(lab_pin router)/alloc" |
		jq '[.[].formatted.value | select(.used != 0)] | length')
	ranges=$(bpftool -j map dump pinned "$(lab_pin router)/ranges" | jq length)
	((units == 0)) || bad "$units words of 'alloc' in use after clear"
	((ranges == 0)) || bad "$ranges entries of 'ranges' after clear"
	eval_row leftovers "room that is lost for good" 1 0 "$CASE_BAD" 0
}

cases="kill_edit|ecmperctl killed at each system call
kill_loader|ecmper-loader (router and server) killed at system calls
memory_edit|ecmperctl out of memory at each bpf() and mmap()
memory_loader|ecmper-loader (router and server) out of memory
many|200 ecmperctl at once
full|maps that are full
spare_kill|a router killed while it comes up or goes down
version|maps of another version
read_only|bpffs that cannot be written"

: >"$EVAL_OUT/faults.log"
eval_csv faults case,what,tries,struck,bad,lost_packets
eval_lab 4 LAB_RATE=
spare_links
eval_echo_up
eval_hold -n 60 -b 60 -g 50
while IFS='|' read -r name what; do
	(($# == 0)) || [[ " $* " == *" $name "* ]] || continue
	run_case "$name" "$what" "case_$name" </dev/null
done <<<"$cases"
traffic_end
leftovers
