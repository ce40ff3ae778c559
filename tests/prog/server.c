// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server's world, see server.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

static int server_setup(void **state, int mark)
{
	static const char *const vips[] = {VIP "/32", VIP_NET};

	namespace_renew();
	*state = server_up(mark, vips, ARRAY_SIZE(vips));
	ip_batch("addr add " VIP "/32 dev lo\naddr add " CLIENT "/32 dev lo\n"
		 "addr add 10.0.0.1/24 dev eth0\nroute add " GHOST "/32 dev eth0\n"
		 "neigh add " GHOST " lladdr " GHOST_MAC " dev eth0\n");
	lab_rebase(*state);
	return 0;
}

int server_dscp(void **state)
{
	return server_setup(state, ECMPER_MARK_DSCP);
}

int server_tos(void **state)
{
	return server_setup(state, ECMPER_MARK_TOS);
}

struct want want_bounce(const struct frame *in, uint8_t tos)
{
	struct want want = want_pass(in, SERVER_bounce);

	want.verdict = XDP_TX;
	frame_swap_macs(&want.frame);
	frame_set_tos(&want.frame, tos);
	return want;
}

struct want want_cleared(const struct frame *in, uint32_t reason, uint8_t tos)
{
	struct want want = want_pass(in, reason);

	want.reasons |= BIT(SERVER_mark_cleared);
	frame_set_tos(&want.frame, tos);
	return want;
}

static struct sockaddr_in address(const char *addr, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(addr), .sin_port = htons(port)};
}

static int bound_socket(const char *addr, uint16_t port)
{
	struct sockaddr_in at = address(addr, port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail_msg("cannot bind to %s:%d: %s", addr, port, strerror(errno));
	return fd;
}

int listen_at(const char *addr, uint16_t port)
{
	int fd = bound_socket(addr, port);

	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

struct connection connection_open(int listener, uint16_t port)
{
	struct connection connection = {.client = bound_socket(CLIENT, port)};
	struct sockaddr_in to = address(VIP, HTTP), from;
	socklen_t size = sizeof(from);

	if (connect(connection.client, (struct sockaddr *)&to, sizeof(to)))
		fail_msg("cannot connect to the VIP: %s", strerror(errno));
	connection.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection.server >= 0);
	assert_int_equal(getsockname(connection.client, (struct sockaddr *)&from, &size), 0);
	connection.port = ntohs(from.sin_port);
	return connection;
}

void connection_close(struct connection *connection)
{
	close(connection->client);
	close(connection->server);
}

void connection_end_in_time_wait(struct connection *connection)
{
	char byte;

	close(connection->server);
	assert_int_equal(read(connection->client, &byte, 1), 0); /* the FIN is there */
	close(connection->client);
}

uint32_t open_half(struct lab *lab, int tap, uint16_t port, uint32_t seq)
{
	struct frame frame;

	frame_to_server(&frame, .src = GHOST, .sport = port, .seq = seq, .flags = SYN);
	tap_send(tap, &frame);
	tap_receive(tap, &frame);
	assert_int_equal(((uint8_t *)frame_tcp_header(&frame))[13], SYN | ACK);
	assert_int_equal(ntohs(frame_tcp_header(&frame)->dest), port);
	assert_int_equal(ntohl(frame_tcp_header(&frame)->ack_seq), seq + 1);
	lab_rebase(lab);
	return ntohl(frame_tcp_header(&frame)->seq);
}
