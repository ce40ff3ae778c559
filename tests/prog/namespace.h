/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world of a test's own: its network namespace and bpffs, devices in it, and packet sockets on
 * them. It ends with the process, whatever ends that. Knows nothing of ecmper.
 */
#ifndef PROG_NAMESPACE_H
#define PROG_NAMESPACE_H

#include "frame.h"

/* Group setup: a mount namespace with an empty bpffs at the usual place. */
int namespace_enter(void **state);
/* A new, empty network namespace with `lo` up, in place of the last one. */
void namespace_renew(void);
/* Lines for `ip -batch`, formatted like printf. */
void ip_batch(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Write a file below /proc/sys/net. */
void sysctl_set(const char *name, const char *value);

/* A packet socket on a device, for IPv4 or another type. */
int tap_open(const char *dev);
int tap_open_for(const char *dev, uint16_t ethertype);
void tap_send(int fd, const struct frame *frame);
/* The next frame that arrives at the device; fails the test when none comes. */
void tap_receive(int fd, struct frame *frame);
/* Nothing has arrived, nor arrives within a moment. */
bool tap_is_silent(int fd);

#endif
