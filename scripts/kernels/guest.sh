#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The first process of the guest that kernels.sh boots: prepares the machine, runs the tests that
# /tests names, switches it off. What it says goes to the second serial port, where no message of the
# kernel comes in between.
export PATH=/usr/bin:/bin HOME=/ TEST_TIMEOUT=600
trap 'poweroff -f' EXIT

mount -t devtmpfs dev /dev
exec >/dev/ttyS1 2>&1 </dev/null
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t bpf bpf /sys/fs/bpf
ln -sf /proc/self/fd /dev/fd
mkdir -p /run/netns
while read -r module; do
	insmod "$module" || echo "guest: insmod $module failed"
done </modules
ip link set lo up
cd /ecmper || exit 1
read -ra tests </tests
scripts/run-tests.sh "${tests[@]}"
