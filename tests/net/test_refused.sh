#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# When the programs cannot be loaded, the message says why: memory, rights, what the kernel lacks. What
# is optional is done without. (A kernel that is too old: tests/kernel/test_too_old.sh.)
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

# In which a process has no more than 16 MB, or nothing where there are no memory cgroups.
memory_cgroup()
{
	local folder=/sys/fs/cgroup name=ecmper-$ECMPER_LAB

	if [[ -e $folder/memory/memory.limit_in_bytes ]]; then
		mkdir "$folder/memory/$name"
		echo $((16 << 20)) >"$folder/memory/$name/memory.limit_in_bytes"
		echo "$folder/memory/$name"
	elif grep -qs memory "$folder/cgroup.subtree_control"; then
		mkdir "$folder/$name"
		echo $((16 << 20)) >"$folder/$name/memory.max"
		echo "$folder/$name"
	fi
}

# The loader, in the router's namespace, whose words are in out.log.
loader()
{
	lab_exec router "$@" >"$LAB_DIR/out.log" 2>&1
}

says()
{
	sed 's/^/# /' "$LAB_DIR/out.log"
	grep -qF -- "$1" "$LAB_DIR/out.log"
}

no_btf()
{
	# shellcheck disable=SC2016 # for the inner shell
	loader unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$@"
}

no_trace()
{
	[[ ! -e $(lab_pin router) && ! -e $(lab_pin router)/server ]]
}

export LAB_SERVER_PROG=0
lab_up 1
lab_exec router ecmper-loader router down

cgroup=$(memory_cgroup)
if [[ $cgroup ]]; then
	# shellcheck disable=SC2016 # for the inner shell
	check_fails "16 MB are not enough for a router" \
		loader sh -c 'echo $$ >"$1/cgroup.procs" && exec ecmper-loader router up --dev veth100' sh "$cgroup"
	check "which is said" says "not enough memory for the router"
	check "and that a cgroup may be the limit" says "memory cgroup"
	check_fails "and not blamed on the kernel" says "Linux"
	check "nothing is left" no_trace
	rmdir "$cgroup"
else
	echo "ok a limit of memory # SKIP no memory cgroups here"
fi

for role in "router up" "server up --vip 10.0.10.0/32"; do
	# shellcheck disable=SC2086 # words
	check_fails "${role%% *}: CAP_BPF is missing" \
		loader setpriv --bounding-set=-bpf,-sys_admin --inh-caps=-bpf,-sys_admin ecmper-loader $role --dev veth100
	check "which is said" says "missing: CAP_BPF"
	check "nothing is left" no_trace
done

check "without BTF the router works" no_btf ecmper-loader router up --dev veth100
check "says what it does without" says "router without tx_error: the kernel has no BTF"
check_is "which is not there" "" "$(lab_exec router bpftool link show pinned "$(lab_pin router)/tx_errors" 2>/dev/null || true)"
check "with BTF, up again" loader ecmper-loader router up --dev veth100
check_fails "has all" says "without"
lab_exec router ecmper-loader router down
check_fails "without BTF the server program cannot work" \
	no_btf ecmper-loader server up --dev veth100 --vip 10.0.10.0/32
check "which is said" says "lacks BTF (/sys/kernel/btf/vmlinux)"
check "nothing is left" no_trace
