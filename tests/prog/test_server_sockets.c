// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and real sockets: each state that a connection can be in is owned, and
 * whatever belongs to no connection of this host is not.
 */
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

static const uint8_t segments[] = {ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, 0, FIN};

/* All kinds of segments but a SYN are the connection's, the marked ones too. */
static void expect_owned(struct lab *lab, const char *client, const struct connection *it)
{
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++) {
		frame_to_server(&in, .src = client, of_connection(*it), .flags = segments[i]);
		lab_send(lab, &in, want_pass(&in, SERVER_owned));
		frame_to_server(&in, .src = client, of_connection(*it), .flags = segments[i],
				.tos = DSCP_MARK(2, 1), .ihl = 8, .payload = 100);
		lab_send(lab, &in, want_cleared(&in, SERVER_owned, 1));
		frame_to_server(&in, .src = client, of_connection(*it), .flags = segments[i],
				.tos = DSCP_MARK(LAST, 1));
		lab_send(lab, &in, want_cleared(&in, SERVER_owned, 1));
	}
	frame_to_server(&in, .src = client, .sport = it->port, .flags = SYN);
	lab_send(lab, &in, want_pass(&in, SERVER_syn));
	lab_settle(lab);
}

static void expect_unowned(struct lab *lab, const char *dst, const char *client, uint16_t port)
{
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++) {
		frame_to_server(&in, .dst = dst, .src = client, .sport = port,
				.flags = segments[i]);
		lab_send(lab, &in, want_bounce(&in, DSCP_MARK(1, 0)));
		frame_to_server(&in, .dst = dst, .src = client, .sport = port, .flags = segments[i],
				.tos = DSCP_MARK(2, 1), .ihl = 8, .payload = 100);
		lab_send(lab, &in, want_bounce(&in, DSCP_MARK(3, 1)));
		frame_to_server(&in, .dst = dst, .src = client, .sport = port, .flags = segments[i],
				.tos = DSCP_MARK(LAST, 1));
		lab_send(lab, &in, want_cleared(&in, SERVER_last, 1));
	}
	frame_to_server(&in, .dst = dst, .src = client, .sport = port, .flags = SYN);
	lab_send(lab, &in, want_pass(&in, SERVER_syn));
	lab_settle(lab);
}

static void an_established_connection_is_owned_and_its_neighbours_are_not(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);

	expect_owned(*state, CLIENT, &connection);
	expect_unowned(*state, VIP, CLIENT, connection.port ^ 1);
	expect_unowned(*state, VIP, GHOST, connection.port);
	expect_unowned(*state, IN_VIP_NET, CLIENT, connection.port);
	connection_close(&connection);
	close(listener);
}

static void a_connection_is_owned_before_it_is_accepted_and_without_its_listener(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection first = connection_open(listener, 0);
	struct connection waiting = {.client = socket_at(SOCK_STREAM, CLIENT, 0)};

	connect_to(waiting.client, VIP, HTTP);
	waiting.port = port_of(waiting.client);
	numbers_of(waiting.client, &waiting.ack, &waiting.seq); /* seen from the other end */
	lab_case(*state, "not accepted");
	expect_owned(*state, CLIENT, &waiting);
	close(listener);
	lab_case(*state, "listener closed: accepted");
	expect_owned(*state, CLIENT, &first);
	lab_case(*state, "listener closed: not accepted");
	expect_unowned(*state, VIP, CLIENT, waiting.port);
	close(waiting.client);
	connection_close(&first);
}

/* What a server remembers of a connection that it closed owns its late packets, and no packet of
 * another connection from the same port: those have other numbers. */
static void expect_late_packets_owned(struct lab *lab, const struct connection *it)
{
	static const uint32_t off[] = {1 << 22, 1U << 31, -(1U << 22)};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++) {
		frame_to_server(&in, of_connection(*it), .flags = segments[i]);
		lab_send(lab, &in,
			 segments[i] & ACK ? want_pass(&in, SERVER_owned)
					   : want_bounce(&in, DSCP_MARK(1, 0)));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(off); i++) {
		frame_to_server(&in, of_connection(*it), .seq = it->seq + off[i]);
		lab_send(lab, &in, want_bounce(&in, DSCP_MARK(1, 0)));
		frame_to_server(&in, of_connection(*it), .ack = it->ack + off[i]);
		lab_send(lab, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	}
	lab_settle(lab);
}

static void a_connection_that_is_being_closed_is_owned_until_it_is_gone(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection;

	lab_case(*state, "FIN_WAIT2: closed here");
	connection = connection_open(listener, 0);
	shutdown(connection.server, SHUT_WR);
	wait_for_state(connection.server, BPF_TCP_FIN_WAIT2);
	expect_owned(*state, CLIENT, &connection);
	numbers_of(connection.server, &connection.seq, &connection.ack);
	close(connection.server);
	lab_case(*state, "FIN_WAIT2 without a process");
	expect_late_packets_owned(*state, &connection);
	close(connection.client);

	lab_case(*state, "CLOSE_WAIT: closed by the client");
	connection = connection_open(listener, 0);
	shutdown(connection.client, SHUT_WR);
	wait_for_state(connection.server, BPF_TCP_CLOSE_WAIT);
	expect_owned(*state, CLIENT, &connection);
	connection_close(&connection);

	lab_case(*state, "TIME_WAIT");
	connection = connection_open(listener, 0);
	connection_end_in_time_wait(&connection);
	expect_late_packets_owned(*state, &connection);
	close(listener);
}

static void a_connection_that_was_reset_is_not_owned_any_more(void **state)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);

	expect_owned(*state, CLIENT, &connection);
	assert_int_equal(
		setsockopt(connection.server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	connection_close(&connection);
	expect_unowned(*state, VIP, CLIENT, connection.port);
	close(listener);
}

static void a_listener_owns_only_syns(void **state)
{
	int listener = listen_at(VIP, HTTP), any;

	lab_case(*state, "on the VIP");
	expect_unowned(*state, VIP, CLIENT, 40000);
	close(listener);
	lab_case(*state, "on any address");
	any = listen_at("0.0.0.0", HTTP);
	expect_unowned(*state, VIP, CLIENT, 40000);
	expect_unowned(*state, IN_VIP_NET, CLIENT, 40000);
	close(any);
	lab_case(*state, "nobody listens");
	expect_unowned(*state, VIP, CLIENT, 40000);
}

static void a_connection_that_this_host_opens_from_a_vip_is_owned(void **state)
{
	int fd = socket_at(SOCK_STREAM | SOCK_NONBLOCK, VIP, 0);
	struct frame in;

	connect_to(fd, GHOST, 25);
	frame_to_server(&in, .src = GHOST, .sport = 25, .dport = port_of(fd), .flags = SYN | ACK);
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	close(fd);
}

static void a_half_open_connection_is_owned_by_who_answered_its_syn(void **state)
{
	int listener = listen_at(VIP, HTTP), tap = tap_open("eth0-end");
	static const uint32_t foreign[] = {0, 2, 1000, 0x80000001, 0xffffffff};
	static const uint8_t with_ack[] = {ACK, PSH | ACK, FIN | ACK, RST | ACK, SYN | ACK};
	uint32_t answered = open_half(*state, tap, 50000, 7000);
	struct frame in;

	for (unsigned int f = 0; f < ARRAY_SIZE(with_ack); f++) {
		lab_case(*state, "flags %02x, its own number", with_ack[f]);
		frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7001, .ack = answered + 1,
				.flags = with_ack[f]);
		lab_send(*state, &in, want_pass(&in, SERVER_owned));
		frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7001, .ack = answered + 1,
				.flags = with_ack[f], .ihl = 15, .tos = DSCP_MARK(3, 1));
		lab_send(*state, &in, want_cleared(&in, SERVER_owned, 1));
		for (unsigned int i = 0; i < ARRAY_SIZE(foreign); i++) {
			lab_case(*state, "flags %02x, number %u away", with_ack[f], foreign[i]);
			frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7001,
					.ack = answered + foreign[i], .flags = with_ack[f]);
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
			frame_set_tos(&in, DSCP_MARK(LAST, 2));
			lab_send(*state, &in, want_cleared(&in, SERVER_last, 2));
		}
	}
	lab_case(*state, "without an ACK number");
	frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7001, .flags = RST);
	lab_send(*state, &in, want_pass(&in, SERVER_owned));
	lab_case(*state, "the SYN again");
	frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 7000, .flags = SYN);
	lab_send(*state, &in, want_pass(&in, SERVER_syn));
	lab_case(*state, "another port");
	frame_to_server(&in, .src = GHOST, .sport = 50001, .seq = 7001, .ack = answered + 1);
	lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	lab_settle(*state);
	close(tap);
	close(listener);
}

static void a_half_open_connection_becomes_an_owned_one_by_its_ack(void **state)
{
	int listener = listen_at(VIP, HTTP), tap = tap_open("eth0-end"), fd;
	uint32_t answered = open_half(*state, tap, 50000, 0xffffffff); /* numbers wrap */
	struct frame in;
	struct want want;

	frame_to_server(&in, .src = GHOST, .sport = 50000, .seq = 0, .ack = answered + 1);
	want = want_pass(&in, SERVER_owned);
	lab_send_live(*state, &in, &want);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	lab_settle(*state);
	expect_owned(*state, GHOST,
		     &(struct connection){.port = 50000, .seq = 0, .ack = answered + 1});
	close(fd);
	close(tap);
	close(listener);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(an_established_connection_is_owned_and_its_neighbours_are_not),
		with_server(a_connection_is_owned_before_it_is_accepted_and_without_its_listener),
		with_server(a_connection_that_is_being_closed_is_owned_until_it_is_gone),
		with_server(a_connection_that_was_reset_is_not_owned_any_more),
		with_server(a_listener_owns_only_syns),
		with_server(a_connection_that_this_host_opens_from_a_vip_is_owned),
		with_server(a_half_open_connection_is_owned_by_who_answered_its_syn),
		with_server(a_half_open_connection_becomes_an_owned_one_by_its_ack),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
