#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything that must be right before a change is: installs what is missing, builds, checks the
# style, the documents and their commands, runs the tiers of tests, and some of them on Debian's kernels in an
# emulator (scripts/kernels.sh). Needs root. The last line is
# "N passed, N failed"; exit status 1 when something failed. With CI=true a skip is a failure.
#
# Environment: BUILD, the folder to build into (default build/)
set -uo pipefail
set -m # each step is a process group, to be ended as a whole

cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
WERROR=1
export BUILD WERROR
passed=0 failed=0
child=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'stop' INT TERM

# Tests clean up after themselves, so let them end before we do.
stop()
{
	trap '' INT TERM
	set +m # no notice of the job that ends
	[[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null
	while [[ -n $child ]] && kill -0 -- "-$child" 2>/dev/null; do
		sleep 0.1
	done
	echo "interrupted" >&2
	exit 130
}

# In the background, so that a signal is answered at once.
run()
{
	local status=0

	"$@" </dev/null &
	child=$!
	wait "$child" || status=$?
	child=
	return "$status"
}

quietly()
{
	"$@" >"$log" 2>&1
}

# step NAME COMMAND...: one check, which passes or fails as a whole. It may say "skipped: why".
step()
{
	local name=$1

	shift
	if run quietly "$@"; then
		if grep -q '^skipped: ' "$log"; then
			sed -n "s/^skipped: /skip   $name: /p" "$log"
			return
		fi
		passed=$((passed + 1))
		echo "ok     $name"
	else
		failed=$((failed + 1))
		echo "FAILED $name: $*"
		sed 's/^/    /' "$log"
	fi
}

show()
{
	"$@" 2>&1 | tee "$log"
}

# tier NAME: the tests of `make NAME`, counted one by one by run-tests.sh.
tier()
{
	local status=0 totals

	echo "== make $1"
	run show make -s B="$BUILD" "$1" || status=$?
	totals=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	read -r ok _ bad _ <<<"${totals:-0 passed, 1 failed}"
	((status == 0 || bad > 0)) || bad=1
	passed=$((passed + ok))
	failed=$((failed + bad))
}

scripts_of_project()
{
	git ls-files --cached --others --exclude-standard '*.sh' .ci/run debian/rules |
		xargs grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell' | sort
}

check_scripts()
{
	# shellcheck disable=SC2046 # file names without spaces
	shellcheck -x $(scripts_of_project)
}

if ((EUID != 0)); then
	echo "check.sh: must be run as root: the tests load XDP programs and make network namespaces" >&2
	exit 1
fi
run scripts/install-deps.sh all || exit 1
step "build" make B="$BUILD" all tests
step "format" make B="$BUILD" check-format
step "shellcheck" check_scripts
step "documents" scripts/check-docs.sh
step "systemd units" scripts/check-units.sh
step "commands of README and docs" scripts/check-pages.sh
for name in unit prog model net kernels-quick; do
	tier "$name"
done
echo "$passed passed, $failed failed"
((failed == 0))
