// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in tx_ports, the devices that packets leave by. A new device takes one that no packet is sent
 * to, so it may be written while an edit can still fail.
 */
#include <errno.h>
#include "tables.h"

int port_find(const struct tables *tables, uint32_t ifindex, uint16_t *port)
{
	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;
		int ret = tables->ops->tx_port_get(tables->arg, i, &there);

		if (ret && ret != -ENOENT)
			return ret;
		if (there && there == ifindex) {
			*port = i;
			return 0;
		}
	}
	return -ENOENT;
}

/* Does a neighbour still name the port? The kernel empties one whose device is gone; another device
 * there would get the packets of that neighbour. */
static bool is_port_named(const struct tables *tables, uint32_t port)
{
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		const struct ecmper_link *link = neigh_link(&tables->neigh[id]);

		if ((tables->neigh[id].flags & ECMPER_NEIGH_USED) && link && link->port == port)
			return true;
	}
	return false;
}

int port_choose(struct tables *tables, bool (*is_wanted)(const void *arg, uint32_t port),
		const void *arg, uint16_t *port)
{
	int left = -1;

	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;
		int ret = tables->ops->tx_port_get(tables->arg, i, &there);

		if (ret && ret != -ENOENT)
			return ret;
		if ((there && left >= 0) || is_wanted(arg, i) || is_port_named(tables, i))
			continue;
		if (there) {
			left = i;
			continue;
		}
		*port = i;
		return 0;
	}
	if (left < 0)
		return -ENOSPC;
	*port = left;
	/* Not tables_grace(): what rests is looked after only while an edit is pending. */
	return tables->ops->grace(tables->arg);
}
