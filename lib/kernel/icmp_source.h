/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which addresses the router's ICMP errors come from: map icmp_source. Internal to lib/.
 */
#ifndef ECMPER_ICMP_SOURCE_H
#define ECMPER_ICMP_SOURCE_H

#include "device.h"
#include "ecmper/ecmper.h"

/* Of each device: what the options say, else an address that the device has now, else none. fd: the map. */
int icmp_source_set(int fd, const struct ecmper_up_options *options, const struct device *devices);

#endif
