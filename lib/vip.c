// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact-match lines (map `vip`): a cache of the host prefixes of lpm, one 8-byte store a
 * change. Works on mapped memory; used by plan.c and recover.c.
 */
#include "flow_hash.h"
#include "tables.h"

bool vip_wants(const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	return ecmper_addr_is_ipv4(&net->addr) && net->len == 32 && value->cur_nh_count;
}

uint64_t vip_slot(const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	return (uint64_t)ecmper_addr_to_ipv4(&net->addr) << 32 | value->cur_nh_offset |
	       __builtin_ctz(value->cur_nh_count);
}

static uint64_t *find_slot(struct tables *tables, uint32_t addr)
{
	uint32_t home = ecmper_vip_home4(addr, tables->config->vip_lines);
	uint64_t *line = (uint64_t *)tables->vip[home / ECMPER_VIP_SLOTS].slot;
	uint64_t *free_slot = NULL;

	for (unsigned int i = 0; i < ECMPER_VIP_SLOTS; i++) {
		uint64_t *slot = &line[(home + i) % ECMPER_VIP_SLOTS];

		if (*slot && *slot >> 32 == addr)
			return slot;
		if (!*slot && !free_slot)
			free_slot = slot;
	}
	return free_slot;
}

void vip_set(struct tables *tables, const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	uint64_t *slot = find_slot(tables, ecmper_addr_to_ipv4(&net->addr));

	if (slot)
		__atomic_store_n(slot, vip_slot(net, value), __ATOMIC_RELEASE);
}

void vip_clear(struct tables *tables, const struct ecmper_net *net)
{
	uint64_t *slot = find_slot(tables, ecmper_addr_to_ipv4(&net->addr));

	if (slot)
		__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
}
