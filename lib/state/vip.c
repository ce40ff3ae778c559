// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact-match lines (maps `vip` and `vip6`): a cache of the host prefixes of lpm and lpm6, one
 * 8-byte store a change. Works on mapped memory.
 */
#include "flow_hash.h"
#include "tables.h"

bool vip_wants(const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	return net->len == (ecmper_addr_is_ipv4(&net->addr) ? 32 : 128) && value->cur_nh_count;
}

uint64_t vip_slot(const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	uint32_t code = value->hash_on * ECMPER_VIP_CODE_STEP + __builtin_ctz(value->cur_nh_count);
	uint32_t table = value->cur_nh_offset | code;

	if (!ecmper_addr_is_ipv4(&net->addr))
		return ECMPER_VIP6_USED | table;
	return (uint64_t)ecmper_addr_to_ipv4(&net->addr) << 32 | table;
}

static uint64_t *find_slot4(struct tables *tables, uint32_t addr)
{
	uint32_t home = ecmper_vip_home4(addr, ecmper_vip_shift(tables->config->vip_lines));
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

/* The address is written while the slot is empty, see ecmper_abi.h. */
static uint64_t *find_slot6(struct tables *tables, const struct ecmper_addr *addr)
{
	uint32_t home = ecmper_vip_home6(addr, vip6_lines(tables->config));
	struct ecmper_vip6_line *line = &tables->vip6[home / ECMPER_VIP6_SLOTS];
	struct ecmper_vip6_slot *free_slot = NULL;

	for (unsigned int i = 0; i < ECMPER_VIP6_SLOTS; i++) {
		struct ecmper_vip6_slot *slot = &line->slot[(home + i) % ECMPER_VIP6_SLOTS];

		if (slot->table && !ecmper_addr_compare(&slot->addr, addr))
			return (uint64_t *)&slot->table;
		if (!slot->table && !free_slot)
			free_slot = slot;
	}
	if (!free_slot)
		return NULL;
	free_slot->addr = *addr;
	return (uint64_t *)&free_slot->table;
}

static uint64_t *find_slot(struct tables *tables, const struct ecmper_addr *addr)
{
	return ecmper_addr_is_ipv4(addr) ? find_slot4(tables, ecmper_addr_to_ipv4(addr))
					 : find_slot6(tables, addr);
}

void vip_set(struct tables *tables, const struct ecmper_net *net, const struct ecmper_prefix *value)
{
	uint64_t *slot = find_slot(tables, &net->addr);

	if (slot)
		__atomic_store_n(slot, vip_slot(net, value), __ATOMIC_RELEASE);
}

void vip_clear(struct tables *tables, const struct ecmper_net *net)
{
	uint64_t *slot = find_slot(tables, &net->addr);

	if (slot)
		__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
}
