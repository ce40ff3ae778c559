# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lab: this topology, made of network namespaces. Functions only; nothing happens until one is
# called.
#
#   ns99  veth99 10.0.1.99 --- veth100 10.0.1.100  router  10.0.0.100 veth101..10N --- veth1..N  ns1..nsN
#         fd00:0:1::99         fd00:0:1::100               fd00::100                       10.0.0.1..N
#                                                                                          fd00::1..N
#
# The VIPs 10.0.10.0 and fd00:0:10:: are on every server's lo. With LAB_WIRE=1 a two-port bridge
# stands in the middle of every link (namespace `wire`, ports wire1XX towards the router and tail1XX
# towards the end): there, and only there, tcpdump sees every frame.
#
# Environment:
#   ECMPER_LAB       name of this lab, default "lab": prefix of its namespaces and run folder
#   BUILD            folder with ecmper-loader, ecmperctl and stub.bpf.o, default build/
#   LAB_SERVER_PROG  1 (default): servers run the server program; 0: plain servers
#   LAB_MARK         dscp (default) or tos
#   LAB_MODE         native (default) or generic
#   LAB_FAMILY       4 (default) or 6: the family of LAB_VIP and of what else is asked for
#   LAB_WIRE         1: links go through the wire namespace
#   LAB_FLIGHT_TIME  the router's --flight-time, default its own
#   LAB_MTU          MTU of all links, default 1500
#   LAB_RATE         rate limit of each server, for example 100mbit; empty (default): none
#   LAB_ACTIVE       how many servers get the VIP at first, default all
#   LAB_EXTRA        lines of configuration that lab_apply adds to the topology's

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB=${ECMPER_LAB:-lab}
LAB_DIR=/run/ecmper-$LAB
LAB_BUILD=${BUILD:-build}
[[ $LAB_BUILD == /* ]] || LAB_BUILD=$LAB_ROOT/$LAB_BUILD
LAB_MAX_SERVERS=64
PATH=$LAB_BUILD:$PATH:/usr/sbin:/sbin
# shellcheck source=scripts/lab-names.sh
. "$LAB_ROOT/scripts/lab-names.sh"
# shellcheck source=scripts/lab-links.sh
. "$LAB_ROOT/scripts/lab-links.sh"
# shellcheck source=scripts/lab-nginx.sh
. "$LAB_ROOT/scripts/lab-nginx.sh"
# shellcheck source=scripts/lab-capture.sh
. "$LAB_ROOT/scripts/lab-capture.sh"

lab_fail()
{
	echo "lab: $*" >&2
	return 1
}

# --- running commands ------------------------------------------------------------------------

# lab_exec NAME COMMAND...: run in a namespace. Not by `ip netns exec`, which hides bpffs.
lab_exec()
{
	local name=$1

	shift
	nsenter --net="$(lab_netns "$name")" env ECMPER_PIN="$(lab_pin "$name")" "$@"
}

# ecmperctl of the router.
lab_ctl()
{
	lab_exec router ecmperctl "$@"
}

# lab_on_exit FUNCTION: call it when the script ends, also by a signal, once and undisturbed.
lab_on_exit()
{
	local on_signal=$'trap "" INT TERM HUP; exit 130\n)'

	# shellcheck disable=SC2064 # the function of now
	trap "trap '' INT TERM HUP; set +e; $1" EXIT
	# The last line ends the $( ) that bash 5.2 may take itself to be within; else it is not reached.
	# shellcheck disable=SC2064 # the text of now
	trap "$on_signal" INT TERM HUP
}

# lab_wait SECONDS COMMAND...: repeat the command until it succeeds, or fail after that time.
lab_wait()
{
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# lab_spawn NAME LOG COMMAND...: run in the background until lab_kill or lab_down. Its process id
# is in LAB_PID, its output in the run folder's LOG. It is recorded before it runs, so that no
# signal can come in between.
lab_spawn()
{
	local name=$1 log=$LAB_DIR/$2

	shift 2
	: >"$log" # now: nobody must take the last one's words for its own
	(
		lab_record "$BASHPID"
		exec nsenter --net="$(lab_netns "$name")" env ECMPER_PIN="$(lab_pin "$name")" "$@"
	) >"$log" 2>&1 </dev/null &
	# shellcheck disable=SC2034 # for the caller
	LAB_PID=$!
}

# When a process started, to tell it from a later one with the same id.
lab_start_time()
{
	local stat

	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	cut -d' ' -f20 <<<"$stat"
}

lab_record()
{
	local start

	start=$(lab_start_time "$1") || return 0
	echo "$1 $start" >>"$LAB_DIR/pids"
}

lab_is_gone()
{
	local state

	state=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	state=${state##*) }
	[[ $state == Z* ]]
}

# lab_kill PID [SIGNAL]: end a process of the lab and wait until it is gone.
lab_kill()
{
	kill -s "${2:-TERM}" "$1" 2>/dev/null || return 0
	lab_wait 5 lab_is_gone "$1" || kill -s KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

lab_kill_recorded()
{
	local pid start

	[[ -f $LAB_DIR/pids ]] || return 0
	while read -r pid start; do
		[[ $(lab_start_time "$pid") == "$start" ]] || continue
		lab_kill "$pid"
	done <"$LAB_DIR/pids"
}

# --- ecmper ----------------------------------------------------------------------------------

# lab_server_prog NUMBER on|off: the server program, or a plain server with a passing stub.
lab_server_prog()
{
	local i=$1

	if [[ $2 == on ]]; then
		[[ ! -e $LAB_DIR/ns$i/stub ]] || lab_stub_detach "ns$i" "veth$i"
		rm -f "$LAB_DIR/ns$i/stub"
		lab_exec "ns$i" ecmper-loader server up --dev "veth$i" --vip "$(lab_vip 4)" \
			--vip "$(lab_vip 6)" --mark "${LAB_MARK:-dscp}" --mode "${LAB_MODE:-native}"
	else
		[[ ! -e $(lab_pin "ns$i") ]] || lab_exec "ns$i" ecmper-loader server down
		lab_stub_attach "ns$i" "veth$i"
		touch "$LAB_DIR/ns$i/stub"
	fi
}

# The router's devices, as options of ecmper-loader.
lab_router_devs()
{
	local i

	for ((i = 0; i <= $1; i++)); do
		echo "--dev veth$((100 + i))"
	done
}

lab_router_prog()
{
	# shellcheck disable=SC2046 # words
	lab_exec router ecmper-loader router up $(lab_router_devs "$1") \
		--mark "${LAB_MARK:-dscp}" --mode "${LAB_MODE:-native}" \
		${LAB_FLIGHT_TIME:+--flight-time "$LAB_FLIGHT_TIME"}
}

# "add 10.0.10.0/32 via 10.0.0.1 via 10.0.0.3": a prefix and the servers with these numbers.
lab_route()
{
	local prefix=$1 family i

	shift
	family=$(lab_family_of "$prefix")
	echo -n "add $prefix"
	[[ ${LAB_MARK:-dscp} == dscp ]] || echo -n " depth 1"
	for i in "$@"; do
		echo -n " via $(lab_addr "$family" "$i")"
	done
	echo
}

# One neighbour of the router: the end with this number, by both of its addresses.
lab_neigh_config()
{
	local family dev=veth$((100 + $1))

	(($1 != 99)) || dev=veth100
	for family in 4 6; do
		echo "neigh add $(lab_addr "$family" "$1") lladdr $(lab_end_mac "$1") dev $dev"
	done
}

# The neighbours and connected routes of the topology, as ecmperctl reads them.
lab_base_config()
{
	local i count

	count=$(lab_server_count)
	for i in 99 $(seq "$count"); do
		lab_neigh_config "$i"
	done
	printf 'add %s connected\n' 10.0.1.0/24 10.0.0.0/24 fd00:0:1::/64 fd00::/64
	echo "${LAB_EXTRA:-}"
}

# lab_config NUMBER...: all of the configuration, with the VIPs on these servers.
lab_config()
{
	lab_base_config
	(($# > 0)) || return 0
	lab_route "$(lab_vip 4)" "$@"
	lab_route "$(lab_vip 6)" "$@"
}

# lab_apply NUMBER...: make it so.
lab_apply()
{
	lab_config "$@" | lab_ctl apply - >"$LAB_DIR/apply.log"
}

# lab_owner PROTO SOURCE:PORT VIP:PORT: the address of the server that a flow's bucket belongs to.
lab_owner()
{
	lab_ctl -j trace "$@" | jq -r '.hops[0].address'
}

lab_ecmper_up()
{
	local count=$1 i

	lab_router_prog "$count"
	for ((i = 1; i <= count; i++)); do
		if [[ ${LAB_SERVER_PROG:-1} == 1 ]]; then
			lab_server_prog "$i" on
		else
			lab_server_prog "$i" off
		fi
	done
	# shellcheck disable=SC2046 # words
	lab_apply $(seq "${LAB_ACTIVE:-$count}")
}

# --- up and down -----------------------------------------------------------------------------

lab_check()
{
	local tool

	((EUID == 0)) || lab_fail "must be run as root" || return
	for tool in nsenter ip bpftool ethtool nginx; do
		command -v "$tool" >/dev/null ||
			lab_fail "$tool is missing: run scripts/install-deps.sh" || return
	done
	[[ -x $LAB_BUILD/ecmper-loader && -x $LAB_BUILD/ecmperctl && -f $LAB_BUILD/stub.bpf.o ]] ||
		lab_fail "$LAB_BUILD/ecmper-loader is missing: run make" || return
	[[ ! -e $LAB_DIR ]] || lab_fail "lab '$LAB' is up already (or was left half-finished): take it down first"
}

# lab_up [COUNT]: namespaces, links, nginx, programs, configuration.
lab_up()
{
	local count=${1:-4} i

	[[ $count =~ ^[1-9][0-9]?$ ]] && ((count <= LAB_MAX_SERVERS)) ||
		lab_fail "'$count' is not a number of servers from 1 to $LAB_MAX_SERVERS" || return
	lab_check || return
	mkdir -p "$LAB_DIR/bpf"
	echo "$count" >"$LAB_DIR/servers"
	mount -t bpf ecmper-"$LAB" "$LAB_DIR/bpf"
	bpftool prog load "$LAB_BUILD/stub.bpf.o" "$LAB_DIR/bpf/stub"
	head -c 1048576 /dev/urandom >"$LAB_DIR/1m.bin"
	lab_wire_up
	lab_netns_add router
	lab_client_up
	for ((i = 1; i <= count; i++)); do
		lab_server_up "$i" "$count"
	done
	lab_ecmper_up "$count"
}

# Everything that lab_up made, or as much of it as is there.
lab_down()
{
	local netns

	lab_kill_recorded
	for netns in "/run/netns/$LAB-router" "/run/netns/$LAB-wire" "/run/netns/$LAB"-ns*; do
		[[ ! -e $netns ]] || ip netns delete "${netns##*/}"
	done
	! mountpoint -q "$LAB_DIR/bpf" || umount "$LAB_DIR/bpf"
	rm -rf "$LAB_DIR"
}
