# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tests of a kernel share. They run in the guest of scripts/kernels.sh, where there is
# busybox, iproute2, bash and little else; they run on any machine as well (with busybox's httpd).
# Sourced by tests/kernel/test_*.sh, under `set -euo pipefail`.

# Names of namespaces and pin folders, as no other run has them.
MARK=k$$
PINS=/sys/fs/bpf/ecmper-$MARK
WORK=$(mktemp -d)
NAMESPACES=()
SPAWNED=()
PATH=$(realpath "${BUILD:-build}"):$(realpath "${BUILD:-build}/net"):$PATH

clean_up()
{
	local pid name role

	for pid in "${SPAWNED[@]}"; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid"
	done
	for name in "${NAMESPACES[@]}"; do
		for role in router server; do
			ECMPER_PIN=$PINS-$name within "$name" ecmper-loader "$role" down 2>/dev/null || true
		done
		ip netns del "$MARK-$name"
	done
	rm -rf "$WORK"
}
trap 'trap "" INT TERM; set +e; clean_up' EXIT
trap 'exit 130' INT TERM

# check SENTENCE COMMAND...: the test passes when the command succeeds; what it says is shown when not.
check()
{
	local sentence=$1

	shift
	if "$@" >"$WORK/check.log" 2>&1; then
		echo "ok $sentence"
	else
		echo "not ok $sentence"
		sed 's/^/# /' "$WORK/check.log"
	fi
}

# wait_for SECONDS COMMAND...: repeat the command until it succeeds, or fail after that time.
wait_for()
{
	local until=$((SECONDS + $1))

	shift
	until "$@" >"$WORK/wait.log" 2>&1; do
		((SECONDS < until)) || return 1
		sleep 0.05
	done
}

# With a network namespace, but the bpffs of all: `ip netns exec` would hide it.
within()
{
	local name=$1

	shift
	nsenter --net="/run/netns/$MARK-$name" "$@"
}

# spawn NAME COMMAND...: in that namespace and in the background, until the test ends. SPAWNED[-1] is
# its process id.
spawn()
{
	local name=$1

	shift
	nsenter --net="/run/netns/$MARK-$name" "$@" </dev/null &
	SPAWNED+=($!)
}

namespace()
{
	ip netns add "$MARK-$1"
	NAMESPACES+=("$1")
	within "$1" ip link set lo up
}

# The loader and ecmperctl, each on the instance of its namespace.
loader()
{
	local name=$1

	shift
	ECMPER_PIN=$PINS-$name within "$name" ecmper-loader "$@"
}

ctl()
{
	ECMPER_PIN=$PINS-r within r ecmperctl "$@"
}
