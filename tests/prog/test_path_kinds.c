// SPDX-License-Identifier: GPL-2.0-only
/*
 * Router and server program in turn, like test_path.c, with every other kind of packet: each frame
 * as the other program left it, from the client by a server that does not know it to the one that
 * does. Who knows it is decided by when the socket is made.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

#define PORT 45678
#define VLAN 7

static struct lab *router, *server;

static int both(void **state)
{
	static const char *const vips[] = {VIP "/32", VIP6 "/128"};

	(void)state;
	namespace_renew();
	router = router_up(ECMPER_MARK_DSCP, "000102030405060708090a0b0c0d0e0f");
	server = server_up(ECMPER_MARK_DSCP, vips, ARRAY_SIZE(vips));
	ip_batch("addr add " VIP "/32 dev lo\naddr add " CLIENT "/32 dev lo\n" ADDRESSES6);
	lab_make_chain(router, VIP, server_addr, 2);
	lab_make_chain(router, VIP6, server_addr, 2);
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

/* From the client by server 2, which sends it back, to server 1. `note`: the router's, or -1. */
static void go_to_server_1(struct frame *frame, int note)
{
	uint8_t ecn = frame_get_tos(frame) & 3;
	uint32_t notes = note < 0 ? 0 : BIT(note);
	struct want want = want_forward(frame, 2, ROUTER_forward);

	want.reasons |= notes;
	pass(router, frame, want);
	pass(server, frame, want_bounce(frame, DSCP_MARK(1, ecn)));
	want = want_tos(want_forward(frame, 1, ROUTER_history), DSCP_MARK(LAST, ecn));
	want.reasons |= notes;
	pass(router, frame, want);
}

static void over_ipv6_a_connection_finds_its_owner(void **state)
{
	int listener = listen_at(VIP6, HTTP);
	struct connection connection;
	struct frame frame;

	(void)state;
	frame_tcp6(&frame, .sport = PORT, .tos = 0xb9, .flow = 0xfffff);
	go_to_server_1(&frame, -1);
	assert_int_equal(frame_get_ttl(&frame), 63);
	connection = connection_open(listener, PORT);
	connection_adopt(&frame, &connection);
	pass(server, &frame, want_cleared(&frame, SERVER_owned, 1));
	connection_close(&connection);
	close(listener);
}

static void through_vlans_a_connection_finds_its_owner(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection;
	struct frame frame;

	(void)state;
	for (int i = 1; i <= 2; i++)
		lab_edit(router, "neigh add %s lladdr %s dev %s vlan %d", server_addr(i),
			 server_mac(i), way_out(i), VLAN + i);
	frame_tcp(&frame, .sport = PORT, .tags = {{ETH_P_8021AD, 0xe001}, {ETH_P_8021Q, 5}});
	pass(router, &frame,
	     want_tag(want_forward(&frame, 2, ROUTER_forward), 0xe000 | (VLAN + 2)));
	pass(server, &frame, want_bounce(&frame, DSCP_MARK(1, 0)));
	pass(router, &frame,
	     want_tag(want_tos(want_forward(&frame, 1, ROUTER_history), DSCP_MARK(LAST, 0)),
		      0xe000 | (VLAN + 1)));
	connection = connection_open(listener, PORT);
	connection_adopt(&frame, &connection);
	pass(server, &frame, want_cleared(&frame, SERVER_owned, 0));
	connection_close(&connection);
	close(listener);
}

static void an_icmp_error_finds_the_owner_of_its_connection(void **state)
{
	(void)state;
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		int listener = listen_at(is_ipv6 ? VIP6 : VIP, HTTP);
		struct connection connection;
		struct frame frame;

		frame_error(&frame, .quote = REPLY(.dport = PORT));
		if (is_ipv6)
			frame_error6(&frame, .quote = REPLY6(.dport = PORT));
		go_to_server_1(&frame, ROUTER_icmp_error);
		connection = connection_open(listener, PORT);
		pass(server, &frame, want_cleared(&frame, SERVER_owned, 0));
		connection_close(&connection);
		close(listener);
	}
}

static void a_datagram_finds_its_socket(void **state)
{
	(void)state;
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct frame frame;
		int fd;

		frame_udp(&frame, .dport = 53);
		if (is_ipv6)
			frame_udp6(&frame, .dport = 53);
		go_to_server_1(&frame, -1);
		fd = socket_at(SOCK_DGRAM, is_ipv6 ? VIP6 : VIP, 53);
		connect_to(fd, is_ipv6 ? CLIENT6 : CLIENT, 40000);
		pass(server, &frame, want_cleared(&frame, SERVER_owned, 0));
		close(fd);
	}
}

static void all_parts_of_a_datagram_find_its_socket(void **state)
{
	static const uint16_t parts[] = {MORE_FRAGMENTS, FRAGMENT_AT(200),
					 MORE_FRAGMENTS | FRAGMENT_AT(9)};

	(void)state;
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct frame frames[ARRAY_SIZE(parts)];
		int fd;

		for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
			frame_udp(&frames[i], .dport = 53, .fragment = parts[i], .payload = 64);
			if (is_ipv6)
				frame_udp6(&frames[i], .dport = 53, .payload = 64,
					   EXT({EXT_FRAGMENT, .fragment = parts[i], .id = 9}));
			go_to_server_1(&frames[i], -1);
		}
		fd = socket_at(SOCK_DGRAM, is_ipv6 ? VIP6 : VIP, 53);
		pass(server, &frames[0], want_cleared(&frames[0], SERVER_udp, 0));
		for (unsigned int i = 1; i < ARRAY_SIZE(parts); i++)
			pass(server, &frames[i], want_cleared(&frames[i], SERVER_fragment, 0));
		close(fd);
	}
}

static void nobodys_datagram_ends_at_the_last_server(void **state)
{
	struct frame frame;

	(void)state;
	frame_udp6(&frame, .dport = 53);
	go_to_server_1(&frame, -1);
	pass(server, &frame, want_cleared(&frame, SERVER_last, 0));
}

/* Server 2 still has a socket of the port's last connection; the new one is with server 1. */
static void a_socket_that_was_left_behind_lets_the_next_connection_pass(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection old = connection_open(listener, PORT);
	struct frame frame;

	(void)state;
	frame_tcp(&frame, of_connection(old), .seq = old.seq + 0x30000000,
		  .ack = old.ack + 0x50000000);
	go_to_server_1(&frame, -1);
	frame_set_numbers(&frame, old.seq, old.ack);
	pass(server, &frame, want_cleared(&frame, SERVER_owned, 0));
	connection_close(&old);
	close(listener);
}

#define with_both(test) cmocka_unit_test_setup_teardown(test, both, both_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_both(over_ipv6_a_connection_finds_its_owner),
		with_both(through_vlans_a_connection_finds_its_owner),
		with_both(an_icmp_error_finds_the_owner_of_its_connection),
		with_both(a_datagram_finds_its_socket),
		with_both(all_parts_of_a_datagram_find_its_socket),
		with_both(nobodys_datagram_ends_at_the_last_server),
		with_both(a_socket_that_was_left_behind_lets_the_next_connection_pass),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
