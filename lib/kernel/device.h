/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network devices of this namespace, by netlink.
 */
#ifndef ECMPER_DEVICE_H
#define ECMPER_DEVICE_H

#include "tables.h"

/* Name, index and MAC; -ENODEV. */
int device_get(const char *name, struct device *device);

/* All devices at one time, by index. */
struct devices {
	struct device *list;
	unsigned int count;
};
int devices_read(struct devices *devices);
/* NULL: there is none of that index. */
const struct device *devices_find(const struct devices *devices, uint32_t ifindex);
void devices_free(struct devices *devices);

/* Counters of a device; dev is filled too. -ENODEV. */
int device_stats(uint32_t ifindex, struct ecmper_port_stats *stats);

#endif
