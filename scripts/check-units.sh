#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks the systemd units, with the paths filled in as `make install` does, by systemd's own
# `systemd-analyze verify`. Silent and 0 when they are right.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Programs that verify wants to see, without installing.
printf '#!/bin/sh\n' >"$dir/ecmper-loader"
cp "$dir/ecmper-loader" "$dir/ecmperctl"
chmod +x "$dir/ecmper-loader" "$dir/ecmperctl"
for template in "$root"/systemd/*.in; do
	file=$dir/$(basename "$template" .in)
	sed "s|@SBINDIR@|$dir|g; s|@SYSCONFDIR@|/etc|g" "$template" >"$file"
	if grep -n '@[A-Z]*@' "$file"; then
		exit 1
	fi
done
mkdir "$dir/ecmper-.service.d"
cp "$root/systemd/sandbox.conf" "$dir/ecmper-.service.d"
# --man=no: the pages are not installed either.
complaints=$(systemd-analyze verify --man=no "$dir"/*.service 2>&1) || {
	echo "$complaints"
	exit 1
}
# Complaints about other units of this machine are not ours.
if grep -F -e "$dir" -e ecmper <<<"$complaints"; then
	exit 1
fi
