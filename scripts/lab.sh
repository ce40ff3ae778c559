#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The documents' topology, made of network namespaces. What it consists of, and the environment
# that changes it: lab-lib.sh.
set -euo pipefail

usage()
{
	cat <<'USAGE'
Usage: lab.sh up [N]            client, router and N servers (default 4), running, on IPv4 and IPv6
       lab.sh down              remove everything that `up` made
       lab.sh enter NAME        a shell in ns1.., ns99 (or client), router, wire
       lab.sh exec NAME CMD...  run a command there
Environment: ECMPER_LAB BUILD LAB_SERVER_PROG LAB_MARK LAB_MODE LAB_WIRE LAB_MTU LAB_RATE LAB_ACTIVE, see
scripts/lab-lib.sh
USAGE
}

# shellcheck source=scripts/lab-lib.sh
. "$(dirname "$0")/lab-lib.sh"

need_name()
{
	[[ -e $(lab_netns "$1") ]] || {
		lab_fail "no namespace '$1' in lab '$LAB': is it up?"
		exit 1
	}
}

undo()
{
	echo "lab: up failed, removing what was made" >&2
	lab_down
}

up()
{
	local family

	lab_check
	lab_on_exit undo
	lab_up "$@"
	trap - EXIT
	echo "lab '$LAB' is up: $(lab_server_count) servers, VIPs $(lab_vip 4) and $(lab_vip 6). Try:"
	for family in 4 6; do
		lab_speak "$family"
		echo "  scripts/lab.sh exec client curl -sg '$LAB_URL/'"
	done
	echo "  scripts/lab.sh exec router ecmperctl show"
}

enter()
{
	need_name "$1"
	echo "namespace $1 of lab '$LAB'; exit leaves it" >&2
	PS1="$LAB-$1# " lab_exec "$1" bash --norc -i
}

bad_usage()
{
	usage >&2
	exit 2
}

case ${1:-} in
up)
	(($# <= 2)) || bad_usage
	up "${@:2}"
	;;
down)
	(($# == 1)) || bad_usage
	lab_down
	;;
enter)
	(($# == 2)) || bad_usage
	enter "$2"
	;;
exec)
	(($# > 2)) || bad_usage
	need_name "$2"
	lab_exec "${@:2}"
	;;
help | -h | --help) usage ;;
*) bad_usage ;;
esac
