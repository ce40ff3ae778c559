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
#include <linux/tcp.h>
#include "server.h"

static int server_setup(void **state, int mark)
{
	static const char *const vips[] = {VIP "/32", VIP_NET, VIP6 "/128", VIP6_NET};

	namespace_renew();
	*state = server_up(mark, vips, ARRAY_SIZE(vips));
	/* Of IPv6, nothing but the other end's answers is to come in by eth0. */
	ip_batch("link set eth0 addrgenmode none\n");
	sysctl_set("ipv6/conf/eth0/disable_ipv6", "0");
	ip_batch("addr add " VIP "/32 dev lo\naddr add " CLIENT "/32 dev lo\n"
		 "addr add 10.0.0.1/24 dev eth0\nroute add " GHOST "/32 dev eth0\n"
		 "neigh add " GHOST " lladdr " GHOST_MAC " dev eth0\n" ADDRESSES6
		 "addr add fd00::1/64 dev eth0 nodad\nroute add " GHOST6 "/128 dev eth0\n"
		 "neigh add " GHOST6 " lladdr " GHOST_MAC " dev eth0\n");
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

/* Of either family. Returns the size. */
static socklen_t address(struct sockaddr_storage *at, const char *addr, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;
	struct sockaddr_in *in = (struct sockaddr_in *)at;

	*at = (struct sockaddr_storage){};
	if (inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return sizeof(*in6);
	}
	assert_int_equal(inet_pton(AF_INET, addr, &in->sin_addr), 1);
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return sizeof(*in);
}

int socket_at(int type, const char *addr, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t size = address(&at, addr, port);
	int one = 1, fd = socket(at.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, size))
		fail_msg("cannot bind to %s:%d: %s", addr, port, strerror(errno));
	return fd;
}

void connect_to(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t size = address(&to, addr, port);

	if (connect(fd, (struct sockaddr *)&to, size) && errno != EINPROGRESS)
		fail_msg("cannot connect to %s:%d: %s", addr, port, strerror(errno));
}

uint16_t port_of(int fd)
{
	struct sockaddr_in6 at; /* the port of both families is in the same place */
	socklen_t size = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	return ntohs(at.sin6_port);
}

int listen_at(const char *addr, uint16_t port)
{
	int fd = socket_at(SOCK_STREAM, addr, port);

	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static uint32_t queue_seq(int fd, int queue)
{
	uint32_t seq;
	socklen_t size = sizeof(seq);

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size), 0);
	return seq;
}

void numbers_of(int fd, uint32_t *seq, uint32_t *ack)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	*seq = queue_seq(fd, TCP_RECV_QUEUE);
	*ack = queue_seq(fd, TCP_SEND_QUEUE);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
}

struct connection connection_open(int listener, uint16_t port)
{
	int family;
	socklen_t size = sizeof(family);
	struct connection connection;

	assert_int_equal(getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &size), 0);
	connection.client = socket_at(SOCK_STREAM, family == AF_INET6 ? CLIENT6 : CLIENT, port);
	connect_to(connection.client, family == AF_INET6 ? VIP6 : VIP, HTTP);
	connection.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection.server >= 0);
	connection.port = port_of(connection.client);
	numbers_of(connection.server, &connection.seq, &connection.ack);
	return connection;
}

void connection_adopt(struct frame *frame, const struct connection *connection)
{
	assert_int_equal(ntohs(frame_tcp_header(frame)->source), connection->port);
	frame_set_numbers(frame, connection->seq, connection->ack);
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

void wait_for_state(int fd, int wanted)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);

	for (int ms = 0; ms < 2000; ms++) {
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
		if (info.tcpi_state == wanted)
			return;
		usleep(1000);
	}
	fail_msg("the socket stays in state %d instead of %d", info.tcpi_state, wanted);
}

static uint32_t send_syn(struct lab *lab, int tap, struct frame *frame, uint16_t port, uint32_t seq)
{
	tap_send(tap, frame);
	do
		tap_receive(tap, frame);
	while (frame->proto != IPPROTO_TCP); /* IPv6 has things to say of its own */
	assert_int_equal(((uint8_t *)frame_tcp_header(frame))[13], SYN | ACK);
	assert_int_equal(ntohs(frame_tcp_header(frame)->dest), port);
	assert_int_equal(ntohl(frame_tcp_header(frame)->ack_seq), seq + 1);
	lab_rebase(lab);
	return ntohl(frame_tcp_header(frame)->seq);
}

uint32_t open_half(struct lab *lab, int tap, uint16_t port, uint32_t seq)
{
	struct frame frame;

	frame_to_server(&frame, .src = GHOST, .sport = port, .seq = seq, .flags = SYN);
	return send_syn(lab, tap, &frame, port, seq);
}

uint32_t open_half6(struct lab *lab, int tap, uint16_t port, uint32_t seq)
{
	struct frame frame;

	frame_to_server6(&frame, .src = GHOST6, .sport = port, .seq = seq, .flags = SYN);
	return send_syn(lab, tap, &frame, port, seq);
}
