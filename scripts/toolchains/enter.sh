#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of toolchains.sh: runs a command in a root, in namespaces that end with it (unshare --mount
# --pid), so no mount has to be undone. The source is there as /ecmper, read-only; the folder to build
# into is /build. Devices and /sys are this machine's, but for a bpffs of its own.
#
# Usage: enter.sh ROOT BUILD COMMAND...
set -euo pipefail

root=$1 build=$2
shift 2
source=$(pwd)
mkdir -p "$root/ecmper" "$root/build"
! [[ -e /etc/resolv.conf ]] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$root" "$root" # a mount point, or the tests cannot make mount namespaces of their own
cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t bpf -o mode=0700 bpf sys/fs/bpf
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --bind -o ro "$source" ecmper
mount --bind "$build" build
environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C)
for name in CI TEST_TIMEOUT http_proxy https_proxy no_proxy; do
	[[ ! ${!name:-} ]] || environment+=("$name=${!name}")
done
exec env -i "${environment[@]}" chroot . "$@"
