// SPDX-License-Identifier: GPL-2.0-only
/*
 * The roles by their names, as on command lines and in texts.
 */
#include <errno.h>
#include <string.h>
#include "ecmper/ecmper.h"

const char *const ecmper_role_names[ECMPER_ROLES] = {
	[ECMPER_ROUTER] = "router",
	[ECMPER_SERVER] = "server",
};

int ecmper_role_parse(const char *word, enum ecmper_role *role)
{
	for (int i = 0; i < ECMPER_ROLES; i++) {
		if (strcmp(word, ecmper_role_names[i]))
			continue;
		*role = i;
		return 0;
	}
	return -EINVAL;
}
