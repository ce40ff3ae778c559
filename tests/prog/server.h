/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server with real sockets: the VIPs and the client's addresses are on `lo`, so that one process
 * is both ends of a connection; GHOST is a client that answers nothing, beyond device eth0. What
 * the server program makes of frames, as struct want.
 */
#ifndef PROG_SERVER_H
#define PROG_SERVER_H

#include "harness.h"

#define VIP_NET    "10.0.20.0/24" /* the other VIP prefix of the server */
#define IN_VIP_NET "10.0.20.7"
#define GHOST      "10.0.1.98"
#define VIP6_NET   "fd00:20::/64"
#define IN_VIP6    "fd00:20::7"
#define GHOST6     "fd00:1::98"
#define GHOST_MAC  "02:03:04:05:06:98"

/* As the router sends it to server 1. */
#define frame_to_server(frame, ...)                                                                \
	frame_tcp(frame, .to = server_mac(1), .from = way_out_mac(1), ##__VA_ARGS__)

#define frame_to_server6(frame, ...)                                                               \
	frame_tcp6(frame, .to = server_mac(1), .from = way_out_mac(1), ##__VA_ARGS__)

/* VIP6 and CLIENT6 on `lo`. The kernel makes an address's route only a while after the address. */
#define ADDRESSES6                                                                                 \
	"addr add " VIP6 "/128 dev lo nodad\naddr add " CLIENT6 "/128 dev lo nodad\n"              \
	"route add local " VIP6 "/128 dev lo\nroute add local " CLIENT6 "/128 dev lo\n"

/* Test setups, to be undone by lab_down(). Nobody listens yet. */
int server_dscp(void **state);
int server_tos(void **state);

/* Sent back with this ToS byte. */
struct want want_bounce(const struct frame *in, uint8_t tos);
/* To the kernel with this ToS byte, its mark cleared. */
struct want want_cleared(const struct frame *in, uint32_t reason, uint8_t tos);

/* `type`: SOCK_STREAM, SOCK_DGRAM, and flags. */
int socket_at(int type, const char *addr, uint16_t port);
void connect_to(int fd, const char *addr, uint16_t port);
uint16_t port_of(int fd);
int listen_at(const char *addr, uint16_t port);
/* The other end may take its time to acknowledge. `wanted`: BPF_TCP_*. */
void wait_for_state(int fd, int wanted);
/* Both ends of a connection to a listener at VIP:HTTP or VIP6:HTTP. */
struct connection {
	int client, server;
	uint16_t port;     /* the client's */
	uint32_t seq, ack; /* numbers of the next segment from it */
};
/* For frames of it. */
#define of_connection(c) .sport = (c).port, .seq = (c).seq, .ack = (c).ack
/* The next numbers of the other side, as this socket expects them. */
void numbers_of(int fd, uint32_t *seq, uint32_t *ack);
/* `port` 0: any. The family is the listener's. */
struct connection connection_open(int listener, uint16_t port);
/* The segment is one of this connection, which was not there when it was made. */
void connection_adopt(struct frame *frame, const struct connection *connection);
void connection_close(struct connection *connection);
/* Close the server's end first, then the client's: it stays in TIME_WAIT. */
void connection_end_in_time_wait(struct connection *connection);

/* Send GHOST's (GHOST6's) SYN on the wire; returns the sequence number of the SYN+ACK that came
 * back. `tap` is at eth0-end. The counters are taken as they are. */
uint32_t open_half(struct lab *lab, int tap, uint16_t port, uint32_t seq);
uint32_t open_half6(struct lab *lab, int tap, uint16_t port, uint32_t seq);

#endif
