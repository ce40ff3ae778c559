/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the options of `up` to the content of map config. Internal to lib/.
 */
#ifndef ECMPER_CONFIG_H
#define ECMPER_CONFIG_H

#include "ecmper/ecmper.h"

/* *config: as it is, when the instance is up, and then as it shall be. -EINVAL: a value is out of
 * range; -EBUSY: it is fixed while the instance is up. */
int config_make(const struct ecmper_up_options *options, bool is_up, struct ecmper_config *config,
		struct ecmper_error *err);

#endif
