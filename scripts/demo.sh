#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows on real traffic what ECMP-ER is for. Installs what is missing, builds, makes a lab of
# network namespaces, and removes it at the end, also after ^C. Exit status 1 when ECMP-ER broke
# a transfer. Usage: demo.sh --help
set -euo pipefail

export ECMPER_LAB=${ECMPER_LAB:-demo}
here=$(dirname "$0")
# shellcheck source=scripts/lab-lib.sh
. "$here/lab-lib.sh"
# shellcheck source=scripts/demo1.sh
. "$here/demo1.sh"
# shellcheck source=scripts/demo2.sh
. "$here/demo2.sh"

ER_BROKE=0 # 1 once ECMP-ER broke a transfer

usage()
{
	cat <<'USAGE'
Usage: demo.sh [-6] [1|2]
  1    an open connection, a server added, a request on that connection; frame by frame
  2    360 transfers of 1 MB while servers come and go; plain ECMP against ECMP-ER
  -6   over IPv6
Without a number: both. Environment: BUILD (default build/), ECMPER_LAB (name of the lab, default "demo")
USAGE
}

say()
{
	printf '%s\n' "$*"
}

heading()
{
	printf '\n== %s\n' "$*"
}

# fresh_lab SERVERS VARIABLE=VALUE...: the lab of one run.
fresh_lab()
{
	lab_down
	export "${@:2}"
	lab_up "$1" >/dev/null
}

prepare()
{
	((EUID == 0)) || {
		echo "demo.sh: must be run as root: it makes network namespaces and loads XDP programs" >&2
		exit 1
	}
	"$here/install-deps.sh" all
	say "building in $LAB_BUILD"
	make -s -C "$LAB_ROOT" B="$LAB_BUILD" all
}

verdict()
{
	say ""
	if ((ER_BROKE)); then
		say "Verdict: ECMP-ER BROKE A TRANSFER."
		return 1
	fi
	say "Verdict: ECMP-ER broke no transfer."
}

bad_usage()
{
	usage >&2
	exit 2
}

demos="demo1 demo2"
while (($#)); do
	case $1 in
	-6) lab_speak 6 ;;
	1 | 2) demos=demo$1 ;;
	-h | --help | help)
		usage
		exit
		;;
	*) bad_usage ;;
	esac
	shift
done
prepare
lab_on_exit lab_down
for demo in $demos; do
	"$demo"
done
verdict
