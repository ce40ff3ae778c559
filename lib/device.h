/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network devices of this namespace, by netlink. Internal to lib/.
 */
#ifndef ECMPER_DEVICE_H
#define ECMPER_DEVICE_H

#include "tables.h"

/* Name, index and MAC; -ENODEV. */
int device_get(const char *name, struct device *device);
/* Name of an index, or "" when this namespace has no such device. */
const char *device_name(uint32_t ifindex, char name[IF_NAMESIZE]);
/* Counters of a device; dev is filled too. -ENODEV. */
int device_stats(uint32_t ifindex, struct ecmper_port_stats *stats);

#endif
