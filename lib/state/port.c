// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places in tx_ports, the devices that packets leave by. A new device takes one that no packet is sent
 * to, so it may be written while an edit can still fail.
 */
#include <errno.h>
#include "edit.h"

/* Does a neighbour still name the port, or is one of this edit going to? The kernel empties one
 * whose device is gone; another device there would get the packets of that neighbour. */
static bool is_port_named(const struct edit *edit, uint32_t port)
{
	const struct tables *tables = edit->tables;

	for (unsigned int i = 0; i < edit->neigh_count; i++)
		if (edit->neighs[i].has_link && edit->neighs[i].link.port == port)
			return true;
	for (uint32_t id = 1; id < tables->config->max_next_hops; id++) {
		const struct ecmper_link *link = neigh_link(&tables->neigh[id]);

		if ((tables->neigh[id].flags & ECMPER_NEIGH_USED) && link && link->port == port)
			return true;
	}
	return false;
}

/* A place in tx_ports for a new device: a free one, or one that no neighbour names any more, to which
 * packets that are under way still have a grace period. -ENOSPC. */
static int choose_port(struct edit *edit, uint16_t *port)
{
	struct tables *tables = edit->tables;
	int left = -1;

	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;
		int ret = tables->ops->tx_port_get(tables->arg, i, &there);

		if (ret && ret != -ENOENT)
			return ret;
		if ((there && left >= 0) || is_port_named(edit, i))
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

int port_find(struct edit *edit, uint32_t ifindex, uint16_t *port)
{
	struct tables *tables = edit->tables;
	int ret;

	for (uint32_t i = 0; i < tables->config->max_ports; i++) {
		uint32_t there = 0;

		ret = tables->ops->tx_port_get(tables->arg, i, &there);
		if (ret && ret != -ENOENT)
			return ret;
		if (there && there == ifindex) {
			*port = i;
			return 0;
		}
	}
	ret = choose_port(edit, port);
	return ret ?: tables->ops->tx_port_set(tables->arg, *port, ifindex);
}
