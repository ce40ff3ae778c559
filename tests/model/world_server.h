/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server's world in two parts: its sockets (world_server.c), and who sends it what
 * (traffic_server.c).
 */
#ifndef MODEL_WORLD_SERVER_H
#define MODEL_WORLD_SERVER_H

#include "generate.h"
#include "model.h"

void server_world_pick(const struct model_server *server, struct random *random, struct talk *talk);

#endif
