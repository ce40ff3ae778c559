// SPDX-License-Identifier: GPL-2.0-only
/*
 * Router and server program in turn, each frame as the other one left it: from the client to the
 * connection's owner, or to the end when there is none. The servers are one program and one
 * kernel: who owns the connection is decided by when its socket is made.
 */
#include <unistd.h>
#include "server.h"

#define PORT 45678

static struct lab *router, *server;

static void set_up(int mark)
{
	static const char *const vips[] = {VIP "/32"};

	namespace_renew();
	router = router_up(mark, "000102030405060708090a0b0c0d0e0f");
	server = server_up(mark, vips, ARRAY_SIZE(vips));
	ip_batch("addr add " VIP "/32 dev lo\naddr add " CLIENT "/32 dev lo\n");
}

static int both_dscp(void **state)
{
	(void)state;
	set_up(ECMPER_MARK_DSCP);
	return 0;
}

static int both_tos(void **state)
{
	(void)state;
	set_up(ECMPER_MARK_TOS);
	return 0;
}

static int both_down(void **state)
{
	void *labs[] = {server, router};

	(void)state;
	return lab_down(&labs[0]) ?: lab_down(&labs[1]);
}

/* Through one program; `frame` becomes what came out. */
static void pass(struct lab *lab, struct frame *frame, struct want want)
{
	lab_stand_for(lab, frame);
	lab_expect(lab, frame, want);
	frame_copy(frame, &want.frame);
	assert_true(frame_has_good_check(frame));
}

static void replace_server(int with)
{
	lab_edit(router, "add " VIP " via %s\ndel " VIP " via %s", server_addr(with),
		 server_addr(with - 1));
}

static void the_documents_frames_reach_the_owner(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection;
	struct frame frame;

	(void)state;
	lab_edit(router, "add " VIP " via %s", server_addr(1));
	replace_server(2);
	frame_tcp(&frame, .sport = PORT, .ttl = 64, .tos = 0x00);
	pass(router, &frame, want_forward(&frame, 2, ROUTER_forward));
	assert_int_equal(frame_ip(&frame)->ttl, 63);
	assert_int_equal(frame_ip(&frame)->tos, 0x00);

	pass(server, &frame, want_bounce(&frame, 0x01)); /* server 2 has no such connection */
	assert_int_equal(frame_ip(&frame)->ttl, 63);

	pass(router, &frame, want_forward(&frame, 1, ROUTER_history));
	assert_int_equal(frame_ip(&frame)->ttl, 62);
	assert_int_equal(frame_ip(&frame)->tos, 0x01);

	connection = connection_open(listener, PORT); /* server 1 has */
	connection_adopt(&frame, &connection);
	pass(server, &frame, want_cleared(&frame, SERVER_owned, 0x00));
	connection_close(&connection);
	close(listener);
}

static void in_format_tos_nobodys_packet_ends_at_the_second_server(void **state)
{
	struct frame frame;

	(void)state;
	lab_edit(router, "add " VIP " via %s", server_addr(1));
	replace_server(2);
	frame_tcp(&frame);
	pass(router, &frame, want_forward(&frame, 2, ROUTER_forward));
	pass(server, &frame, want_bounce(&frame, TOS_MARK));
	pass(router, &frame, want_forward(&frame, 1, ROUTER_history));
	pass(server, &frame, want_cleared(&frame, SERVER_last, 0));
}

/* What the router makes of the frame that `changes` servers sent back, one after the other. */
static struct want want_next(const struct frame *in, int changes, int tried, int depth, int ecn)
{
	int length = changes < depth ? changes : depth; /* of the chain */
	bool is_last = tried >= length;
	struct want want = tried > length ? want_forward(in, changes + 1, ROUTER_chain_end)
					  : want_forward(in, changes + 1 - tried, ROUTER_history);

	frame_set_tos(&want.frame, DSCP_MARK(is_last ? LAST : tried, ecn));
	return want;
}

static void nobodys_packet_ends_after_depth_plus_one_servers_at_most(void **state)
{
	enum { DEPTH = 3, ECN = 2, TTL = 64 };
	int changes = 0;

	(void)state;
	lab_edit(router, "add " VIP " depth %d via %s", DEPTH, server_addr(1));
	do {
		struct frame frame;
		int visits = 0;

		frame_tcp(&frame, .tos = 0x48 | ECN, .ttl = TTL);
		pass(router, &frame, want_forward(&frame, changes + 1, ROUTER_forward));
		for (;;) {
			bool is_last = frame_ip(&frame)->tos == DSCP_MARK(LAST, ECN);

			lab_case(server, "%d changes, visit %d", changes, ++visits);
			if (is_last)
				break;
			pass(server, &frame, want_bounce(&frame, DSCP_MARK(visits, ECN)));
			lab_case(router, "%d changes, visit %d", changes, visits);
			pass(router, &frame, want_next(&frame, changes, visits, DEPTH, ECN));
		}
		pass(server, &frame, want_cleared(&frame, SERVER_last, ECN));
		assert_int_equal(frame_ip(&frame)->ttl, TTL - 1);
		assert_uint_in_range(visits, 2, DEPTH + 1);
		replace_server(++changes + 1);
	} while (changes < 8);
}

static void a_connection_survives_as_many_changes_as_the_chain_is_long(void **state)
{
	enum { DEPTH = 15, ECN = 1 };
	int listener = listen_at(VIP, HTTP);

	(void)state;
	lab_edit(router, "add " VIP " depth %d via %s", DEPTH, server_addr(1));
	for (int changes = 1; changes <= DEPTH; changes++) {
		struct connection connection;
		struct frame frame;

		replace_server(changes + 1);
		lab_case(router, "%d changes", changes);
		frame_tcp(&frame, .sport = PORT + changes, .tos = ECN);
		pass(router, &frame, want_forward(&frame, changes + 1, ROUTER_forward));
		for (int tried = 1; tried <= changes; tried++) {
			pass(server, &frame, want_bounce(&frame, DSCP_MARK(tried, ECN)));
			pass(router, &frame, want_next(&frame, changes, tried, DEPTH, ECN));
		}
		connection = connection_open(listener, PORT + changes); /* it is server 1's */
		connection_adopt(&frame, &connection);
		pass(server, &frame, want_cleared(&frame, SERVER_owned, ECN));
		connection_close(&connection);
	}
	close(listener);
}

/* Between two servers, the table changes under the packet: by its number alone it would go on
 * past its owner. */
static void a_packet_finds_its_owner_that_returns_while_it_is_on_its_way(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection;
	struct frame frame;
	struct want want;

	(void)state;
	lab_edit(router, "add " VIP " via %s", server_addr(1));
	replace_server(2);
	replace_server(3);
	frame_tcp(&frame, .sport = PORT, .tos = 0x02);
	pass(router, &frame, want_forward(&frame, 3, ROUTER_forward));
	pass(server, &frame, want_bounce(&frame, DSCP_MARK(1, 2)));
	lab_edit(router, "add " VIP " via %s\ndel " VIP " via %s", server_addr(1), server_addr(3));
	want = want_forward(&frame, 1, ROUTER_forward);
	want.reasons |= BIT(ROUTER_restarted);
	frame_set_tos(&want.frame, 2);
	pass(router, &frame, want);
	connection = connection_open(listener, PORT);
	connection_adopt(&frame, &connection);
	pass(server, &frame, want_pass(&frame, SERVER_owned));
	connection_close(&connection);
	close(listener);
}

static void connections_of_a_drained_prefix_find_their_owner(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection;
	struct frame frame;

	(void)state;
	lab_edit(router, "add " VIP " via %s", server_addr(1));
	replace_server(2);
	lab_edit(router, "del " VIP " via %s", server_addr(2));
	frame_tcp(&frame, .sport = PORT, .tos = 0x29);
	struct want want = want_forward(&frame, 2, ROUTER_history);

	frame_set_tos(&want.frame, DSCP_MARK(1, 1));
	pass(router, &frame, want);
	pass(server, &frame, want_bounce(&frame, DSCP_MARK(2, 1)));
	want = want_forward(&frame, 1, ROUTER_history);
	frame_set_tos(&want.frame, DSCP_MARK(LAST, 1));
	pass(router, &frame, want);
	connection = connection_open(listener, PORT);
	connection_adopt(&frame, &connection);
	pass(server, &frame, want_cleared(&frame, SERVER_owned, 1));
	connection_close(&connection);
	close(listener);
}

#define dscp(test) cmocka_unit_test_setup_teardown(test, both_dscp, both_down)
#define tos(test)  cmocka_unit_test_setup_teardown(test, both_tos, both_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		tos(the_documents_frames_reach_the_owner),
		tos(in_format_tos_nobodys_packet_ends_at_the_second_server),
		dscp(nobodys_packet_ends_after_depth_plus_one_servers_at_most),
		dscp(a_connection_survives_as_many_changes_as_the_chain_is_long),
		dscp(a_packet_finds_its_owner_that_returns_while_it_is_on_its_way),
		dscp(connections_of_a_drained_prefix_find_their_owner),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
