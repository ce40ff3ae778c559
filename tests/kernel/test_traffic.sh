#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real TCP through a client, a router and two servers, each in a namespace, over IPv4 and IPv6:
# connections that are held open and downloads by HTTP, while each server in turn is drained and
# added again. None may break.
set -euo pipefail
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

VIP=10.0.10.0 VIP6=fd00:10::10
SERVERS="11 12"
HELD=4
DOWNLOADS=${DOWNLOADS:-24}
BYTES=262144

# wire NAME NUMBER ROUTER_DEVICE NET: a namespace's e0 to the router, with permanent neighbours; its
# address in the nets of both families ends with that number, the router's with 100.
wire()
{
	local name=$1 number=$2 port=$3 net=10.0.$4 net6=fd00:$4 mac

	namespace "$name"
	ip link add e0 netns "$MARK-$name" type veth peer name "$port" netns "$MARK-r"
	within "$name" ip link set e0 address "02:00:00:00:00:$number"
	within r ip link set "$port" up
	mac=$(within r ip -br link show "$port" | awk '{ print $3 }')
	within "$name" ip link set e0 up
	# Checksums in the frames, as on a wire; and GRO, so that veth delivers what XDP sends.
	within "$name" ethtool -K e0 tx off gro on >"$WORK/ethtool.log"
	within "$name" ip -batch - <<-END
		addr add $net.$number/24 dev e0
		addr add $net6::$number/64 dev e0 nodad
		neigh replace $net.100 lladdr $mac dev e0
		neigh replace $net6::100 lladdr $mac dev e0
		route add default via $net.100
		route add ::/0 via $net6::100
	END
}

# The tables of the router: the client as a connected neighbour, the VIPs with both servers.
configure()
{
	{
		cat <<-END
			neigh add 10.0.1.99 lladdr 02:00:00:00:00:99 dev v0
			neigh add fd00:1::99 lladdr 02:00:00:00:00:99 dev v0
			add 10.0.1.0/24 connected
			add fd00:1::/64 connected
			add $VIP/32 via 10.0.2.11 via 10.0.2.12
			add $VIP6/128 via fd00:2::11 via fd00:2::12
		END
		for i in $SERVERS; do
			echo "neigh add 10.0.2.$i lladdr 02:00:00:00:00:$i dev v$i"
			echo "neigh add fd00:2::$i lladdr 02:00:00:00:00:$i dev v$i"
		done
	} | ctl apply - >"$WORK/apply.log"
}

server()
{
	within "s$1" ip -batch - <<-END
		addr add $VIP/32 dev lo
		addr add $VIP6/128 dev lo nodad
	END
	loader "s$1" server up --dev e0 --vip "$VIP/32" --vip "$VIP6/128" >"$WORK/server.log"
	spawn "s$1" busybox httpd -f -p "[::]:80" -h "$WORK/www"
	spawn "s$1" held serve 7
	wait_for 10 listens "s$1" 80
	wait_for 10 listens "s$1" 7
}

# A listener of both families on that port.
listens()
{
	within "$1" cat /proc/net/tcp6 | grep -q ":$(printf %04X "$2") 0*:0000 0A"
}

# What each server has in turn: taken out, added again.
change_all()
{
	for i in $SERVERS; do
		for verb in del add; do
			ctl "$verb" "$VIP/32" via "10.0.2.$i"
			ctl "$verb" "$VIP6/128" via "fd00:2::$i"
			"$@"
		done
	done
}

# Changes until the process ends.
change_while()
{
	while kill -0 "$1" 2>/dev/null; do
		change_all true >"$WORK/change.log" || return 1
		rounds=$((rounds + 1))
	done
}

# The number behind a name in a line of JSON.
field()
{
	sed -nE "s/.*\"$1\":([0-9]+).*/\1/p" "$2"
}

none_broken()
{
	cat "$1" "$1.err"
	[[ $(field broken "$1") == 0 && $(field "$2" "$1") == "$3" ]]
}

count_of()
{
	ctl stats router | awk -v name="$1" '$1 == name { print $2 }'
}

has_counted()
{
	ctl stats router
	(($(count_of "$1") > ${2:-0}))
}

# hold NAME ADDR: connections that stay open, each with a message under way now and then.
hold()
{
	spawn c held -n "$HELD" -b "$HELD" -g 50 -w 60 "$2" 7 >"$WORK/$1" 2>"$WORK/$1.err"
	wait_for 60 grep -q ready "$WORK/$1" "$WORK/$1.err"
}

# Each has had a message from after the last change: it says so when asked to end.
let_go()
{
	kill -TERM "$1" 2>/dev/null || true # it has ended when all are broken
	wait "$1" || true
}

family()
{
	local family=$1 vip=$2 held rounds=0 pid before

	hold "held$family" "$vip"
	held=${SPAWNED[-1]}
	before=$(count_of history)
	spawn c transfer -c 4 -n "$DOWNLOADS" -w 60 -p /file "$vip" 80 \
		>"$WORK/get$family" 2>"$WORK/get$family.err"
	pid=${SPAWNED[-1]}
	change_while "$pid"
	wait "$pid" || true
	check "IPv$family: $DOWNLOADS downloads, none broken" none_broken "$WORK/get$family" transfers "$DOWNLOADS"
	check "IPv$family: while the tables changed" test "$rounds" -gt 0
	let_go "$held"
	check "IPv$family: $HELD connections held open through all changes, none broken" \
		none_broken "$WORK/held$family" connections "$HELD"
	check "IPv$family: by way of previous owners" has_counted history "$before"
	echo "# IPv$family: $rounds rounds of 8 changes, $(($(count_of history) - before)) packets by the history"
}

mkdir "$WORK/www"
head -c "$BYTES" /dev/urandom >"$WORK/www/file"
namespace r
wire c 99 v0 1
for i in $SERVERS; do
	wire "s$i" "$i" "v$i" 2
done
loader r router up --dev v0 --dev v11 --dev v12 >"$WORK/router.log"
configure
for i in $SERVERS; do
	server "$i"
done
family 4 "$VIP"
family 6 "$VIP6"
