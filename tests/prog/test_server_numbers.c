// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and the numbers of a connection: a socket claims the packets that are near its
 * window, to the very byte of the bounds in docs/design.md, and no packet of the port's next
 * connection, which is another server's.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/tcp.h>
#include "server.h"

#define PORT       50000
#define NEAR       (64U << 20) /* of a living connection's window */
#define NEAR_CLOSE (1U << 20)  /* of what TIME_WAIT remembers */

static uint32_t receive_window(int fd)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP;
	struct tcp_repair_window window;
	socklen_t size = sizeof(window);

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &size), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	return window.rcv_wnd;
}

/* From and to where the numbers are the connection's. */
struct bounds {
	uint32_t seq_first, seq_last, ack_first, ack_last;
};

static void expect(struct lab *lab, const char *client, uint16_t port, uint32_t seq, uint32_t ack,
		   uint8_t flags, bool is_owned)
{
	struct frame in;

	lab_case(lab, "flags %02x, numbers %08x %08x", flags, seq, ack);
	frame_to_server(&in, .src = client, .sport = port, .seq = seq, .ack = ack, .flags = flags);
	lab_send(lab, &in,
		 is_owned ? want_pass(&in, SERVER_owned) : want_bounce(&in, DSCP_MARK(1, 0)));
	frame_set_tos(&in, DSCP_MARK(LAST, 1));
	lab_send(lab, &in, want_cleared(&in, is_owned ? SERVER_owned : SERVER_last, 1));
}

static void expect_bounds(struct lab *lab, const char *client, uint16_t port,
			  const struct bounds *to)
{
	static const uint8_t with_ack[] = {ACK, PSH | ACK, FIN | ACK, RST | ACK, SYN | ACK};

	for (unsigned int i = 0; i < ARRAY_SIZE(with_ack); i++) {
		uint8_t flags = with_ack[i];

		expect(lab, client, port, to->seq_first, to->ack_first, flags, true);
		expect(lab, client, port, to->seq_last, to->ack_last, flags, true);
		expect(lab, client, port, to->seq_first - 1, to->ack_first, flags, false);
		expect(lab, client, port, to->seq_last + 1, to->ack_last, flags, false);
		expect(lab, client, port, to->seq_first, to->ack_first - 1, flags, false);
		expect(lab, client, port, to->seq_last, to->ack_last + 1, flags, false);
		expect(lab, client, port, to->seq_first + (1U << 31), to->ack_first, flags, false);
		expect(lab, client, port, to->seq_first, to->ack_first + (1U << 31), flags, false);
	}
	lab_settle(lab);
}

static struct bounds bounds_of(const struct connection *connection, uint32_t in_flight)
{
	return (struct bounds){
		.seq_first = connection->seq - NEAR,
		.seq_last = connection->seq + receive_window(connection->server) + NEAR,
		.ack_first = connection->ack - NEAR,
		.ack_last = connection->ack + in_flight + NEAR,
	};
}

static void an_established_socket_claims_what_is_near_its_window(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct bounds bounds = bounds_of(&connection, 0);

	expect_bounds(*state, CLIENT, connection.port, &bounds);
	connection_close(&connection);
	close(listener);
}

static void what_was_received_moves_the_window(void **state)
{
	static const char data[30000];
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct bounds bounds, before = bounds_of(&connection, 0);
	char got[sizeof(data)];

	assert_int_equal(write(connection.client, data, sizeof(data)), sizeof(data));
	assert_int_equal(recv(connection.server, got, sizeof(got), MSG_WAITALL), sizeof(got));
	numbers_of(connection.server, &connection.seq, &connection.ack);
	bounds = bounds_of(&connection, 0);
	assert_int_equal(bounds.seq_first, before.seq_first + sizeof(data));
	expect_bounds(*state, CLIENT, connection.port, &bounds);
	connection_close(&connection);
	close(listener);
}

/* The client does not acknowledge, and its first number is such that they wrap. */
static void what_is_on_its_way_may_be_acknowledged(void **state)
{
	int listener = listen_at(VIP, HTTP), tap = tap_open("eth0-end");
	uint32_t answered = open_half(*state, tap, PORT, 0xffffffff);
	struct connection it = {.port = PORT, .seq = 0, .ack = answered + 1};
	struct bounds bounds;
	struct frame in;
	struct want want;
	char data[1000] = "";

	frame_to_server(&in, .src = GHOST, of_connection(it));
	want = want_pass(&in, SERVER_owned);
	lab_send_live(*state, &in, &want);
	it.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(it.server >= 0);
	assert_int_equal(write(it.server, data, sizeof(data)), sizeof(data));
	bounds = bounds_of(&it, sizeof(data));
	expect_bounds(*state, GHOST, PORT, &bounds);
	close(it.server);
	close(tap);
	close(listener);
}

static void without_an_ack_only_the_sequence_number_counts(void **state)
{
	static const uint8_t without[] = {RST, FIN, 0, PSH};
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct bounds to = bounds_of(&connection, 0);
	uint16_t port = connection.port;

	for (unsigned int i = 0; i < ARRAY_SIZE(without); i++) {
		expect(*state, CLIENT, port, connection.seq, 0, without[i], true);
		expect(*state, CLIENT, port, to.seq_first, 0, without[i], true);
		expect(*state, CLIENT, port, to.seq_last, 0, without[i], true);
		expect(*state, CLIENT, port, to.seq_first - 1, 0, without[i], false);
		expect(*state, CLIENT, port, to.seq_last + 1, 0, without[i], false);
	}
	lab_settle(*state);
	connection_close(&connection);
	close(listener);
}

static void a_keep_alive_probe_is_owned(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct frame in;

	for (uint16_t bytes = 0; bytes < 2; bytes++) {
		lab_case(*state, "with %d bytes", bytes);
		frame_to_server(&in, of_connection(connection), .seq = connection.seq - 1,
				.payload = bytes);
		lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	}
	connection_close(&connection);
	close(listener);
}

/* The client is gone without a word. It, or another behind its address, uses the port again. */
static void a_socket_that_was_left_behind_does_not_claim_the_next_connection(void **state)
{
	static const uint32_t next[][2] = {{0x10000000, 0x20000000}, {0x80000000, 0},
					   {0, 0x80000000},          {0xf0000000, 0x08000000},
					   {0x7fffffff, 0x12345678}, {0x0c000000, 0x0c000000}};
	int listener = listen_at(VIP, HTTP);
	struct connection old = connection_open(listener, 0);
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(next); i++)
		for (int m = 1; m < 15; m++) {
			lab_case(*state, "%08x %08x further, mark %d", next[i][0], next[i][1], m);
			frame_to_server(&in, of_connection(old), .seq = old.seq + next[i][0],
					.ack = old.ack + next[i][1], .tos = DSCP_MARK(m, 3),
					.payload = 100);
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(m + 1, 3)));
		}
	lab_case(*state, "its opening packet");
	frame_to_server(&in, of_connection(old), .seq = old.seq + 0x10000000, .flags = SYN);
	lab_send(*state, &in, want_pass(&in, SERVER_syn));
	lab_settle(*state);
	connection_close(&old);
	close(listener);
}

static void every_state_of_closing_claims_what_is_near(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct bounds bounds;

	shutdown(connection.client, SHUT_WR);
	/* With the FIN's acknowledgement, which may come late, the window is another. */
	wait_for_state(connection.client, BPF_TCP_FIN_WAIT2);
	wait_for_state(connection.server, BPF_TCP_CLOSE_WAIT);
	connection.seq++; /* the FIN */
	bounds = bounds_of(&connection, 0);
	expect_bounds(*state, CLIENT, connection.port, &bounds);
	connection_close(&connection);

	connection = connection_open(listener, 0);
	shutdown(connection.server, SHUT_WR);
	wait_for_state(connection.server, BPF_TCP_FIN_WAIT2);
	connection.ack++;
	bounds = bounds_of(&connection, 0);
	expect_bounds(*state, CLIENT, connection.port, &bounds);
	connection_close(&connection);
	close(listener);
}

static void time_wait_claims_less(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct bounds bounds = {.seq_first = connection.seq + 1 - NEAR_CLOSE,
				.seq_last = connection.seq + 1 + NEAR_CLOSE,
				.ack_first = connection.ack + 1 - NEAR_CLOSE,
				.ack_last = connection.ack + 1 + NEAR_CLOSE};

	connection_end_in_time_wait(&connection);
	expect_bounds(*state, CLIENT, connection.port, &bounds);
	lab_case(*state, "without an ACK");
	expect(*state, CLIENT, connection.port, connection.seq + 1, 0, RST, false);
	expect(*state, CLIENT, connection.port, connection.seq + 1, 0, FIN, false);
	lab_settle(*state);
	close(listener);
}

static void before_the_answer_a_socket_knows_no_numbers(void **state)
{
	static const uint32_t numbers[] = {0, 1, 0x40000000, 0x80000000, 0xffffffff};
	int fd = socket_at(SOCK_STREAM | SOCK_NONBLOCK, VIP, 0);
	struct frame in;

	connect_to(fd, GHOST, 25);
	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		lab_case(*state, "numbers %x", numbers[i]);
		frame_to_server(&in, .src = GHOST, .sport = 25, .dport = port_of(fd),
				.seq = numbers[i], .ack = ~numbers[i], .flags = SYN | ACK);
		lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	}
	close(fd);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(an_established_socket_claims_what_is_near_its_window),
		with_server(what_was_received_moves_the_window),
		with_server(what_is_on_its_way_may_be_acknowledged),
		with_server(without_an_ack_only_the_sequence_number_counts),
		with_server(a_keep_alive_probe_is_owned),
		with_server(a_socket_that_was_left_behind_does_not_claim_the_next_connection),
		with_server(every_state_of_closing_claims_what_is_near),
		with_server(time_wait_claims_less),
		with_server(before_the_answer_a_socket_knows_no_numbers),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
