/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Map own_macs: which frames are addressed to this host, by destination MAC. Changed as a copy, which
 * is then written; under the instance's lock. Internal to lib/.
 */
#ifndef ECMPER_OWN_MACS_H
#define ECMPER_OWN_MACS_H

#include "ecmper/ecmper.h"

struct own_macs {
	int fd;
	struct ecmper_own_mac_line before[ECMPER_OWN_MAC_LINES]; /* when it was opened */
	struct ecmper_own_mac_line there[ECMPER_OWN_MAC_LINES];  /* in the map */
	struct ecmper_own_mac_line wanted[ECMPER_OWN_MAC_LINES];
};

int own_macs_open(struct own_macs *macs, int fd);
/* -ENOSPC: ECMPER_OWN_MAC_SLOTS others end in the same byte. */
int own_macs_allow(struct own_macs *macs, const uint8_t mac[6]);
/* These MACs and no others. What stays keeps its slot, so that frames to it are never missed. */
int own_macs_set(struct own_macs *macs, const uint8_t (*list)[6], unsigned int count);
int own_macs_write(struct own_macs *macs);
/* Back to what it was when it was opened. */
int own_macs_undo(struct own_macs *macs);

#endif
