#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# On a kernel that is too old: `up` says so, by version and by what is missing, and leaves nothing behind.
set -euo pipefail
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

refuses()
{
	! loader r "$@" >"$WORK/said" 2>&1
}

says()
{
	cat "$WORK/said"
	grep -qF -- "$1" "$WORK/said"
}

no_trace()
{
	! ls -d "$PINS-r" && ! within r ip -d link show dev a0 | grep 'prog/xdp'
}

namespace r
within r ip link add a0 type veth peer name a1
within r ip link set a0 up
for role in "router up" "server up --vip 10.0.10.0/32"; do
	# shellcheck disable=SC2086 # words
	check "${role%% *}: up is refused" refuses $role --dev a0
	sed 's/^/# /' "$WORK/said"
	check "${role%% *}: as too old, by its version" says "Linux $(uname -r) is too old"
	check "${role%% *}: by what it lacks" says "it lacks XDP programs for frames in several buffers (5.18), bpf_xdp_get_buff_len (5.18)"
	check "${role%% *}: and what it takes" says "needs Linux 5.18 or newer"
	check "${role%% *}: not by an errno" test "$(grep -c 'Invalid argument' "$WORK/said")" = 0
	check "${role%% *}: nothing is left" no_trace
done
