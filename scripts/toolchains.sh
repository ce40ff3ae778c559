#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does ecmper build and work with the compilers and libraries that people have? See usage().
set -uo pipefail

usage()
{
	cat <<'USAGE'
Usage: toolchains.sh [--table FILE] [SUITE]...

For each of Debian's suites (default: bookworm, trixie, sid): makes a root of it by debootstrap, or
brings the one from before up to date; installs what scripts/install-deps.sh says; builds there, every
warning an error; and runs the unit tests and every whole-frame test, on this machine's kernel. Needs
root. Ends with a line for each suite and "N passed, N failed"; exit status 1 when something failed.

  --table FILE   write what was run and its result into FILE, in place of the table there
  -h, --help

A suite that cannot be fetched is skipped; with CI=true it is a failure. What a suite built is in
BUILD/toolchains/SUITE: `BUILD=build/toolchains/sid scripts/kernels.sh` boots kernels with that.

Environment: BUILD (default build/); its toolchains/ gets builds and logs.
  ECMPER_ROOTS, where the roots are kept (default /var/cache/ecmper/roots; 1 GB each);
  ECMPER_MIRROR (default: the one that apt uses)
USAGE
}

here=$(dirname "$0")
cd "$here/.." || exit 1
# shellcheck source=scripts/suites.sh
. scripts/suites.sh
BUILD=$(realpath -m "${BUILD:-build}")
ROOTS=$(realpath -m "${ECMPER_ROOTS:-$(cache_folder roots)}")

table=''
passed=0 failed=0 skipped=0
child='' suite='' lock=''
summary=() rows=()
trap 'trap "" INT TERM; end_child; echo "interrupted" >&2; exit 130' INT TERM

# One run at a time uses a root. All that was started holds the lock, so who gets it is alone.
take_lock()
{
	exec {lock}>"$ROOTS/$suite.lock"
	flock -n "$lock" && return
	echo "toolchains: waiting for another run that uses $ROOTS/$suite"
	flock "$lock"
}

drop_lock()
{
	exec {lock}>&-
	lock=
}

# The namespaces end with their first process, and all mounts and processes with them.
end_child()
{
	[[ -z $child ]] || kill -KILL "$child" 2>/dev/null
	wait 2>/dev/null # no notice of the job that ends
	[[ $lock ]] || return
	drop_lock
	flock "$ROOTS/$suite.lock" true # until the last of them is gone
	rm -rf --one-file-system "$ROOTS/$suite.part"
}

# contained COMMAND...: in mount and process namespaces of its own. What it says goes to $log, with
# show=yes also to the terminal. In the background, so that a signal is answered at once.
contained()
{
	local status=0

	: >"$log"
	unshare --mount --pid --fork --kill-child --mount-proc "$@" </dev/null >"$log" 2>&1 &
	child=$!
	[[ ! ${show:-} ]] || tail -n +1 -f --pid="$child" "$log" | sed -u 's/^/  /' &
	wait "$child" || status=$?
	child=
	wait
	return "$status"
}

# inside COMMAND: of toolchains/inside.sh, in the root.
inside()
{
	contained scripts/toolchains/enter.sh "$ROOTS/$suite" "$folder" \
		/bin/bash /ecmper/scripts/toolchains/inside.sh "$1"
}

# The root, whole or not at all.
make_root()
{
	local root=$ROOTS/$suite

	[[ ! -e $root ]] || return 0
	rm -rf --one-file-system "$root.part"
	echo "making $root"
	if contained debootstrap --variant=minbase --include=ca-certificates \
		"$suite" "$root.part" "$(mirror)"; then
		mv "$root.part" "$root"
	else
		rm -rf --one-file-system "$root.part"
		return 1
	fi
}

not_fetched()
{
	local word=skip

	skipped=$((skipped + 1))
	if [[ ${CI:-} == true ]]; then
		failed=$((failed + 1))
		word=FAILED
	fi
	echo "  cannot be fetched from $(mirror) or installed; the end of $log:"
	tail -n 5 "$log" | sed 's/^/    /'
	[[ ! -e $ROOTS/$suite ]] || echo "  without $ROOTS/$suite it is made anew"
	summary+=("$(printf '%-6s %s: cannot be fetched' "$word" "$suite")")
}

# report STATUS START VERSIONS: one line for the summary, one for the table.
report()
{
	local totals ok bad word=ok

	totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	read -r ok _ bad _ <<<"${totals:-0 passed, 0 failed}"
	(($1 == 0 || bad > 0)) || bad=1
	((bad == 0)) || word=FAILED
	passed=$((passed + ok))
	failed=$((failed + bad))
	summary+=("$(printf '%-6s %s (%s): %d passed, %d failed (%d s)' "$word" "$suite" \
		"$(paste -sd, <<<"$3" | sed 's/,/, /g')" "$ok" "$bad" $((SECONDS - $2)))")
	rows+=("| $suite | $(awk '{ printf "%s | ", $2 }' <<<"$3")$ok passed, $bad failed |")
}

run_suite()
{
	local status=0 start=$SECONDS versions

	folder=$BUILD/toolchains/$suite
	log=$folder.log
	mkdir -p "$folder" "$ROOTS"
	take_lock
	echo "== $suite"
	if make_root && inside packages; then
		grep '^toolchains: ' "$log"
		inside versions
		versions=$(<"$log")
		show=yes inside test || status=$?
		ln -sfn "$ROOTS/$suite" "$folder/root"
		report "$status" "$start" "$versions"
	else
		not_fetched
	fi
	drop_lock
}

suites=()
while (($# > 0)); do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--table)
		if (($# < 2)); then
			echo "toolchains: --table: which file?" >&2
			exit 2
		fi
		table=$2
		shift
		;;
	-*)
		echo "toolchains: $1: no such option" >&2
		usage >&2
		exit 2
		;;
	*) suites+=("$1") ;;
	esac
	shift
done
((${#suites[@]} > 0)) || suites=(bookworm trixie sid)
if ((EUID != 0)); then
	echo "toolchains: must be run as root: it makes roots, and the tests load XDP programs" >&2
	exit 1
fi
PATH=$PATH:/usr/sbin:/sbin
if ! command -v debootstrap >/dev/null; then
	echo "toolchains: debootstrap is missing: scripts/install-deps.sh test installs it" >&2
	exit 1
fi
for suite in "${suites[@]}"; do
	if [[ $suite == */* || ! -e /usr/share/debootstrap/scripts/$suite ]]; then
		echo "toolchains: $suite: debootstrap knows no such suite (ls /usr/share/debootstrap/scripts)" >&2
		exit 2
	fi
done
for suite in "${suites[@]}"; do
	run_suite
done
printf '%s\n' "${summary[@]}"
if [[ $table ]]; then
	write_table "$table" "| Debian | clang | gcc | libbpf | cmocka | bpftool | unit and whole-frame tests |" \
		"|---|---|---|---|---|---|---|" "${rows[@]}"
fi
((skipped == 0)) || echo "$skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0))
