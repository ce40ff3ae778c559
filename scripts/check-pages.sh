#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Types the commands of README.md and docs/ as they stand, on hosts where nothing but cables and
# addresses is prepared, and looks whether the service answers. What a fenced block is for stands behind
# its language:
#
#   ```text lab        a new lab, one line a device: segment, host, device, its MAC (when it matters), addresses
#   ```sh router       typed on that host (router, server 1, client); servers: on each of them. All must succeed
#   ```sh client       line by line; each curl is done ten times, each must be answered, and by way of the router
#                      program; and so again after every later block that changes something. From then
#                      on, connections are held: none may break before the lab ends, or until a `purge`
#   ```text shows      lines that stand in what the block before printed; * is anything
#
# Other blocks are for reading. Hosts are namespaces, a segment is a bridge. They have what distributions
# set at its strictest: no forwarding, rp_filter 1. Every server has a web server, on all addresses.
# Needs root, and `make all tools`.
#
# Usage: check-pages.sh [--without REGEX] [PAGE]...     default: README.md and the pages of docs/
#        --without: leave out the commands that match. To see what one is good for: then it must fail.
set -euo pipefail

export ECMPER_LAB=pages-$$
# shellcheck source=scripts/lab-lib.sh
. "$(dirname "$0")/lab-lib.sh"
cd "$LAB_ROOT"

REQUESTS=10
HELD=16       # connections to each address
HELD_PORT=7000
PATH=$LAB_BUILD/net:$PATH
without='^$'
hosts=() ports=0 requests=() holders=() printed='' where='' commands=0 asked=0 held=0

fail()
{
	echo "check-pages: $where: $*" >&2
	exit 1
}

# --- the lab ---------------------------------------------------------------------------------

# host_name HOST: the lab's name of the namespace of "router", "client", "server 1".
host_name()
{
	case $1 in
	router | client) echo "$1" ;;
	"server "[1-9]) echo "ns${1#server }" ;;
	*) return 1 ;;
	esac
}

listens()
{
	[[ -n $(lab_exec "$1" ss -Hltn "sport = :$HELD_PORT") ]]
}

host_add()
{
	local name=$1 path

	path=$(lab_netns "$name")
	[[ ! -e $path ]] || return 0
	ip netns add "${path##*/}"
	hosts+=("$name")
	lab_exec "$name" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	lab_exec "$name" sysctl -qw net.ipv4.conf.{all,default}.rp_filter=1 \
		net.ipv4.conf.{all,default}.{arp_ignore,arp_announce,accept_local,proxy_arp}=0
	lab_exec "$name" ip link set dev lo up
	[[ $name == ns* ]] || return 0
	lab_nginx_up "${name#ns}"
	lab_spawn "$name" "$name/held.log" held serve "$HELD_PORT"
	lab_wait 10 listens "$name" || fail "'held serve' does not start"
}

# segment_add NAME: a switch in the namespace `wire`.
segment_add()
{
	! lab_exec wire ip link show dev "$1" >/dev/null 2>&1 || return 0
	lab_exec wire ip link add name "$1" type bridge stp_state 0 mcast_snooping 0
	lab_exec wire sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
	lab_exec wire ip link set dev "$1" up
}

# cable NAME DEV SEGMENT: frames cross it one by one and whole, as on a wire.
cable()
{
	local port=port$((++ports))

	lab_pair "$1" "$2" wire "$port"
	lab_stub_attach wire "$port"
	lab_offload_off wire "$port"
	lab_exec wire ethtool -K "$port" gro off
	lab_exec wire sysctl -qw "net.ipv6.conf.$port.disable_ipv6=1"
	lab_exec wire ip link set dev "$port" master "$3" up
	lab_offload_off "$1" "$2"
}

# device_add SEGMENT HOST DEV WORD...: one line of a lab; a word is the MAC or an address.
device_add()
{
	local segment=$1 name dev=$3 word

	name=$(host_name "$2") || fail "'$2' is no host: router, client, or server and a digit"
	shift 3
	host_add "$name"
	segment_add "$segment"
	cable "$name" "$dev" "$segment"
	for word in "$@"; do
		[[ $word == */* ]] || lab_exec "$name" ip link set dev "$dev" address "$word"
	done
	lab_exec "$name" ip link set dev "$dev" up
	for word in "$@"; do
		[[ $word != */* ]] || lab_exec "$name" ip address add "$word" dev "$dev"
	done
}

# Can all IPv6 addresses be used? The kernel looks first whether another host has them.
addresses_are_settled()
{
	local name

	for name in "${hosts[@]}"; do
		[[ -z $(lab_exec "$name" ip -6 -o address show tentative) ]] || return 1
	done
}

settle()
{
	lab_wait 10 addresses_are_settled || fail "an IPv6 address cannot be used: another host has it"
}

lab_of_page()
{
	local words

	hold_end
	lab_down
	hosts=() ports=0 requests=()
	mkdir -p "$LAB_DIR/bpf"
	mount -t bpf "ecmper-$LAB" "$LAB_DIR/bpf"
	bpftool prog load "$LAB_BUILD/stub.bpf.o" "$LAB_DIR/bpf/stub"
	printf 'silent\nshow-error\nfail\nmax-time = 3\n' >"$LAB_DIR/.curlrc"
	lab_netns_add wire
	while read -ra words; do
		[[ ${words[1]} != server ]] || words=("${words[0]}" "${words[*]:1:2}" "${words[@]:3}")
		device_add "${words[@]}"
	done <<<"$1"
	settle
}

# --- what is typed ---------------------------------------------------------------------------

# type_on NAME TEXT
type_on()
{
	local count

	count=$(grep -cvE '^ *(#|$)' <<<"$2") || return 0
	commands=$((commands + count))
	printed=$(lab_exec "$1" env CURL_HOME="$LAB_DIR" bash -ec "$2" 2>&1 </dev/null) ||
		fail "on $1:"$'\n'"$2"$'\n'"printed:"$'\n'"$printed"
}

forwarded()
{
	lab_ctl -j stats | jq '[.reasons[] | select(.reason == "forward").packets] | add // 0'
}

# ask LINE: the request, ten times. printed is what came.
ask()
{
	local i answered=0 before after text=''

	before=$(forwarded)
	for ((i = 0; i < REQUESTS; i++)); do
		! printed=$(lab_exec client env CURL_HOME="$LAB_DIR" bash -ec "$1" 2>&1 </dev/null) ||
			answered=$((answered + 1))
		text+=$printed$'\n'
	done
	printed=$text
	after=$(forwarded)
	asked=$((asked + REQUESTS))
	((answered == REQUESTS)) ||
		fail "$1: $answered of $REQUESTS answered"$'\n'"$(sort -u <<<"$text")"$'\n'"$(lab_ctl stats)"
	((after - before >= 4 * REQUESTS)) ||
		fail "$1: answered, but the router program forwarded $((after - before)) packets: they went past it"
	echo "$where: $1: $answered of $REQUESTS answered"
}

# --- connections that must live --------------------------------------------------------------

is_ready()
{
	grep -q '^ready$' "$LAB_DIR/$1"
}

# To every address that was asked.
hold_begin()
{
	local request address log

	for request in "${requests[@]}"; do
		address=$(sed -E 's|.*http://\[?([0-9a-f.:]+[0-9a-f:])\]?(/.*)?$|\1|' <<<"$request")
		log=held-${#holders[@]}
		lab_spawn client "$log" held -n "$HELD" -b "$HELD" -g 50 -w 5 "$address" "$HELD_PORT"
		holders+=("$LAB_PID $log")
		lab_wait 10 is_ready "$log" || fail "connections to $address are not answered"
	done
}

hold_end()
{
	local holder pid log report

	for holder in "${holders[@]}"; do
		read -r pid log <<<"$holder"
		kill -TERM "$pid"
		lab_wait 10 lab_is_gone "$pid" || fail "'held' does not end"
		report=$(grep '^{' "$LAB_DIR/$log") || fail "'held' says nothing"
		held=$((held + HELD))
		[[ $(jq .broken <<<"$report") == 0 ]] ||
			fail "held connections are broken: $report"$'\n'"$(lab_ctl stats)"
	done
	holders=()
}

client_types()
{
	local line all=''

	while IFS= read -r line; do
		if [[ $line == curl* ]]; then
			requests+=("$line")
			ask "$line"
		else
			type_on client "$line"
			settle
		fi
		all+=$printed$'\n'
	done <<<"$1"
	((${#holders[@]} > 0)) || hold_begin
	printed=$all
}

# The namespaces of a host, or of all servers.
names()
{
	local name

	[[ $1 == servers ]] || {
		host_name "$1"
		return
	}
	for name in "${hosts[@]}"; do
		[[ $name != ns* ]] || echo "$name"
	done
}

# Is every line of the text in what was printed? Spaces count as one.
shows()
{
	local line got

	got=$(sed -E 's/[ \t]+/ /g; s/^ | $//g' <<<"$printed")
	while read -r line; do
		line=$(sed -E 's/ +/ /g; s/[][\\.^$]/\\&/g; s/\*/.*/g' <<<"$line")
		grep -qx -- "$line" <<<"$got" || fail "no line '$line' in what was printed:"$'\n'"$printed"
	done <<<"$1"
}

# change NAME... TEXT: typed on all of these, then everything is asked again.
change()
{
	local text=${*: -1} all='' name request

	[[ $text != *"ecmperctl purge"* ]] || hold_end
	for name in "${@:1:$#-1}"; do
		type_on "$name" "$text"
		all+=$printed$'\n'
	done
	settle
	for request in "${requests[@]}"; do
		ask "$request"
	done
	printed=$all
}

# --- pages -----------------------------------------------------------------------------------

# block INFO TEXT
block()
{
	local who=${1#sh } names text

	text=$(grep -vE -- "$without" <<<"$2" || true)
	case $1 in
	"text lab") lab_of_page "$2" ;;
	"text shows") shows "$2" ;;
	"text "*) fail "'${1#text }' is nothing that a block is for: lab or shows" ;;
	"sh "*)
		((${#hosts[@]} > 0)) || fail "commands, but no lab before them"
		names=$(names "$who") || fail "'$who' is no host"
		if [[ $who == client ]]; then
			client_types "$text"
		else
			# shellcheck disable=SC2086 # words
			change $names "$text"
		fi
		;;
	esac
}

# Lines within a fence, which may be indented, are a block.
page()
{
	local page=$1 line number=0 info='' inside=0 text=''

	hosts=()
	while IFS= read -r line <&3; do
		number=$((number + 1))
		if [[ $line != '```'* ]]; then
			((!inside)) || text+=$line$'\n'
		elif ((inside)); then
			inside=0
			block "$info" "${text%$'\n'}"
		else
			inside=1 text='' info=${line#'```'}
			where=$page:$number
		fi
	done 3<"$page"
	((!inside)) || fail "a block has no end"
}

if [[ ${1:-} == --without ]]; then
	without=${2:?a pattern behind --without}
	shift 2
fi
(($# > 0)) || set -- README.md docs/*.md
where=check-pages
lab_check || exit 1
lab_on_exit lab_down
for file in "$@"; do
	page "$file"
done
where=check-pages
hold_end
((asked > 0)) || fail "no page has a request"
echo "check-pages: $commands commands, $asked of $asked requests answered, 0 of $held held connections broken"
