/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What view.c and trace.c tell of next hops.
 */
#ifndef ECMPER_VIEW_H
#define ECMPER_VIEW_H

#include "instance.h"

/* The devices behind the ports as they are now, one a port, ifindex 0 where there is none. A
 * report looks once. The caller frees them. */
int ports_look(const struct ecmper *ecmper, struct device **ports, struct ecmper_error *err);
/* One neighbour, for people. */
void neigh_view(const struct ecmper *ecmper, const struct device *ports, uint32_t id,
		struct ecmper_neigh_view *view);

#endif
