#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of faults.sh, run by it in a mount namespace of its own: an instance on a bpffs of its own,
# which is then mounted read-only. Prints a line for each command: "ok ..." when it does its work
# or fails with exit status 1 and a message.
# Usage: faults-read-only.sh FOLDER
set -euo pipefail

dir=$1
mkdir -p "$dir"
trap 'umount "$dir"; rmdir "$dir"' EXIT
mount --make-rprivate /
mount -t bpf none "$dir"
export ECMPER_PIN=$dir/router

# try COMMAND...
try()
{
	local status=0 message

	message=$("$@" 2>&1 >/dev/null) || status=$?
	if ((status == 0)) || [[ $status == 1 && $message =~ ^(ecmperctl|ecmper-loader):\ .{20} ]]; then
		echo "ok $*: exit status $status $message"
	else
		echo "'$*' on a read-only bpffs: exit status $status, message '$message'"
	fi
}

ecmper-loader router up --dev spare0 --mode native >/dev/null
ecmperctl add 10.8.0.0/24 connected >/dev/null
mount -o remount,ro "$dir"
try ecmperctl show
try ecmperctl add 10.8.1.0/24 connected
try ecmper-loader router up --dev spare0 --mode native
try ecmper-loader router down
try env ECMPER_PIN="$dir/other" ecmper-loader router up --dev spare1 --mode native
mount -o remount,rw "$dir"
