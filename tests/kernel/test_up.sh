#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does this kernel take the programs? Up, replaced in place, down, of both roles and both modes.
set -euo pipefail
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

says()
{
	local wanted=$1

	shift
	"$@" >"$WORK/said" 2>&1 || { cat "$WORK/said"; return 1; }
	cat "$WORK/said"
	grep -qF "$wanted" "$WORK/said"
}

programs_on()
{
	within r ip -d link show dev "$1" | grep -c 'prog/xdp'
}

has_program()
{
	(($(programs_on "$1") == 1))
}

leaves_no_trace()
{
	! ls -d "$PINS-r" && (($(programs_on a0 || true) == 0))
}

counts_are_read()
{
	ctl stats router | tee "$WORK/said"
	grep -q tx_error "$WORK/said"
}

# role UP_OPTIONS...: through its life.
role()
{
	local role=$1

	shift
	check "$role: up in native mode" says "$role up on a0, native mode" loader r "$role" up --dev a0 "$@"
	check "$role: its program is on the device" has_program a0
	check "$role: up again replaces the program" says "$role replaced on a0, native mode" loader r "$role" up --dev a0 "$@"
	check "$role: and still one program is there" has_program a0
	check "$role: a second device" says "$role up on b0, generic mode" \
		loader r "$role" up --dev b0 --mode generic "$@"
	[[ $role != router ]] || tables
	check "$role: down" loader r "$role" down
	check "$role: leaves no trace" leaves_no_trace
}

tables()
{
	check "router: a neighbour" ctl neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev b0
	check "router: prefixes of both families" ctl add 10.0.10.0/32 via 10.0.0.1
	check "router: prefixes of both families" ctl add fd00:0:10::/128 via 10.0.0.1
	check "router: tables outlive the replacement of the program" \
		says "router replaced" loader r router up --dev a0
	check "router: tables outlive the replacement of the program" says 10.0.10.0/32 ctl show
	check "router: a flow's path is known" says "10.0.0.1" ctl trace tcp 192.0.2.7:40000 10.0.10.0:80
	check "router: counters" counts_are_read
}

namespace r
for device in a b; do
	within r ip link add "${device}0" type veth peer name "${device}1"
	within r ip link set "${device}0" up
	within r ip link set "${device}1" up
done
role router
role server --vip 10.0.10.0/32 --vip fd00:0:10::/128
