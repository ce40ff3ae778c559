// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map own_macs, see own_macs.h. A line is written whole; of its slots only those change that are
 * meant to, and a slot that is read half written is nobody's MAC.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include "flow_hash.h"
#include "own_macs.h"

int own_macs_open(struct own_macs *macs, int fd)
{
	int ret = 0;

	macs->fd = fd;
	for (uint32_t i = 0; !ret && i < ECMPER_OWN_MAC_LINES; i++)
		ret = bpf_map_lookup_elem(fd, &i, &macs->before[i]);
	memcpy(macs->there, macs->before, sizeof(macs->there));
	memcpy(macs->wanted, macs->before, sizeof(macs->wanted));
	return ret;
}

static uint64_t slot_of(const uint8_t mac[6])
{
	uint32_t first;
	uint16_t last;

	memcpy(&first, mac, sizeof(first));
	memcpy(&last, mac + sizeof(first), sizeof(last));
	return ecmper_own_mac_slot(first, last);
}

int own_macs_allow(struct own_macs *macs, const uint8_t mac[6])
{
	uint64_t slot = slot_of(mac);
	__u64 *line = macs->wanted[ecmper_own_mac_line(slot)].slot, *free_slot = NULL;

	for (int i = ECMPER_OWN_MAC_SLOTS - 1; i >= 0; i--) {
		if (line[i] == slot)
			return 0;
		if (!line[i])
			free_slot = &line[i];
	}
	if (!free_slot)
		return -ENOSPC;
	*free_slot = slot;
	return 0;
}

static bool is_among(uint64_t slot, const uint8_t (*list)[6], unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (slot_of(list[i]) == slot)
			return true;
	return false;
}

int own_macs_set(struct own_macs *macs, const uint8_t (*list)[6], unsigned int count)
{
	int ret = 0;

	for (uint32_t i = 0; i < ECMPER_OWN_MAC_LINES; i++)
		for (int s = 0; s < ECMPER_OWN_MAC_SLOTS; s++)
			if (macs->wanted[i].slot[s] &&
			    !is_among(macs->wanted[i].slot[s], list, count))
				macs->wanted[i].slot[s] = 0;
	for (unsigned int i = 0; !ret && i < count; i++)
		ret = own_macs_allow(macs, list[i]);
	return ret;
}

int own_macs_write(struct own_macs *macs)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < ECMPER_OWN_MAC_LINES; i++) {
		if (!memcmp(&macs->there[i], &macs->wanted[i], sizeof(macs->wanted[i])))
			continue;
		ret = bpf_map_update_elem(macs->fd, &i, &macs->wanted[i], BPF_ANY);
		if (!ret)
			macs->there[i] = macs->wanted[i];
	}
	return ret;
}

int own_macs_undo(struct own_macs *macs)
{
	memcpy(macs->wanted, macs->before, sizeof(macs->wanted));
	return own_macs_write(macs);
}
