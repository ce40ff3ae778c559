/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server with real sockets: the VIPs and the client's address are on `lo`, so that one process
 * is both ends of a connection; GHOST is a client that answers nothing, beyond device eth0. What
 * the server program makes of frames, as struct want.
 */
#ifndef PROG_SERVER_H
#define PROG_SERVER_H

#include "harness.h"

#define VIP_NET    "10.0.20.0/24" /* the other VIP prefix of the server */
#define IN_VIP_NET "10.0.20.7"
#define GHOST      "10.0.1.98"
#define GHOST_MAC  "02:03:04:05:06:98"

/* As the router sends it to server 1. */
#define frame_to_server(frame, ...)                                                                \
	frame_tcp(frame, .to = server_mac(1), .from = way_out_mac(1), ##__VA_ARGS__)

/* Test setups, to be undone by lab_down(). Nobody listens yet. */
int server_dscp(void **state);
int server_tos(void **state);

/* Sent back with this ToS byte. */
struct want want_bounce(const struct frame *in, uint8_t tos);
/* To the kernel with this ToS byte, its mark cleared. */
struct want want_cleared(const struct frame *in, uint32_t reason, uint8_t tos);

int listen_at(const char *addr, uint16_t port);
/* Both ends of a connection to a listener at VIP:HTTP. */
struct connection {
	int client, server;
	uint16_t port; /* the client's */
};
/* `port` 0: any. */
struct connection connection_open(int listener, uint16_t port);
void connection_close(struct connection *connection);
/* Close the server's end first, then the client's: it stays in TIME_WAIT. */
void connection_end_in_time_wait(struct connection *connection);

/* Send GHOST's SYN on the wire; returns the sequence number of the SYN+ACK that came back. `tap`
 * is at eth0-end. The counters are taken as they are. */
uint32_t open_half(struct lab *lab, int tap, uint16_t port, uint32_t seq);

#endif
