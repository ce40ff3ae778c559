#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# scripts/check-pages.sh notices what is wrong with a page. (That the pages are right is a step of check.sh.)
set -euo pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$LAB_DIR"

# complains WORDS ARGUMENTS...: does check-pages.sh fail and say so?
complains()
{
	! "$LAB_ROOT/scripts/check-pages.sh" "${@:2}" >"$LAB_DIR/said" 2>&1 && grep -q -- "$1" "$LAB_DIR/said"
}

# block INFO TEXT
block()
{
	local fence='```'

	printf '%s%s\n%s\n%s\n' "$fence" "$1" "$2" "$fence"
}

# page [INFO TEXT]...: a page with a lab of two hosts, and these blocks
page()
{
	block 'text lab' $'lan client eth0 10.0.0.99/24\nlan router eth0 10.0.0.100/24' >"$LAB_DIR/page.md"
	while (($# > 0)); do
		block "$1" "$2" >>"$LAB_DIR/page.md"
		shift 2
	done
}

readme=$LAB_ROOT/README.md
check "without the server program, connections break" \
	complains 'held connections are broken' --without 'server up' "$readme"
check "without a way to the VIP, requests are not answered" \
	complains '0 of 10 answered' --without 'via 10.0.1.100' "$readme"
check "without the router program, its commands fail" complains 'on router:' --without 'router up' "$readme"
page 'sh router' 'echo one two' 'text shows' 'one * three'
check "what does not come out is named" complains "no line 'one .* three'" "$LAB_DIR/page.md"
page 'sh router' 'echo  one two' 'text shows' 'one *'
check "a page without a request is no proof" complains 'no page has a request' "$LAB_DIR/page.md"
page 'sh routers' 'true'
check "a host that is none is named" complains "'routers' is no host" "$LAB_DIR/page.md"
page 'text show' 'one'
check "a kind of block that is none is named" complains "'show' is nothing" "$LAB_DIR/page.md"
block 'sh router' 'true' >"$LAB_DIR/page.md"
check "commands need a lab" complains 'no lab before them' "$LAB_DIR/page.md"
