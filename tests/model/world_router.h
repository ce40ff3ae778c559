/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A router's world in three parts: the instance and its edits (world_router.c), what they came to
 * (view_router.c), and who sends what (traffic_router.c).
 */
#ifndef MODEL_WORLD_ROUTER_H
#define MODEL_WORLD_ROUTER_H

#include "generate.h"
#include "model.h"

struct lab;

/* Fills in where the next hop of this name is, by what was said of it. */
typedef void hop_find(const struct ecmper_hop *wanted, struct model_hop *hop);
void router_world_read(struct lab *lab, hop_find *find, struct model_router *router);
void router_world_free(struct model_router *router);
void router_world_pick(const struct model_router *router, struct random *random, struct talk *talk);

#endif
