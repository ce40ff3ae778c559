// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and fragments: the first part is judged as its datagram would be, and later
 * ones follow it back to the router, or are delivered.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

static const uint16_t later[] = {MORE_FRAGMENTS | FRAGMENT_AT(1), FRAGMENT_AT(185),
				 MORE_FRAGMENTS | FRAGMENT_AT(9), FRAGMENT_AT(0x1fff)};

/* A part of the datagram with this id, which only its first one shows the port of. */
static void build(struct frame *frame, bool is_ipv6, uint32_t id, uint16_t fragment, uint16_t dport)
{
	if (is_ipv6)
		frame_udp6(frame, .dport = dport, .payload = 64,
			   EXT({EXT_FRAGMENT, .fragment = fragment, .id = id}));
	else
		frame_udp(frame, .dport = dport, .payload = 64, .fragment = fragment, .id = id);
}

static void expect_bounced(struct lab *lab, bool is_ipv6, uint32_t id, uint16_t fragment)
{
	struct frame in;

	lab_case(lab, "IPv6 %d, id %x, fragment %04x, bounced", is_ipv6, id, fragment);
	build(&in, is_ipv6, id, fragment, 1);
	lab_send(lab, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_set_tos(&in, DSCP_MARK(4, 1));
	lab_send(lab, &in, want_bounce(&in, DSCP_MARK(5, 1)));
}

static void expect_delivered(struct lab *lab, bool is_ipv6, uint32_t id, uint16_t fragment,
			     uint32_t reason)
{
	struct frame in;

	lab_case(lab, "IPv6 %d, id %x, fragment %04x, delivered", is_ipv6, id, fragment);
	build(&in, is_ipv6, id, fragment, 53);
	lab_send(lab, &in, want_pass(&in, reason));
	frame_set_tos(&in, DSCP_MARK(4, 1));
	lab_send(lab, &in, want_cleared(&in, reason, 1));
	frame_set_tos(&in, DSCP_MARK(LAST, 1));
	lab_send(lab, &in, want_cleared(&in, reason, 1));
}

/* Sockets that take datagrams to port 53 of the VIPs. */
static int sockets[2];

static int with_sockets(void **state)
{
	server_dscp(state);
	sockets[0] = socket_at(SOCK_DGRAM, VIP, 53);
	sockets[1] = socket_at(SOCK_DGRAM, VIP6, 53);
	return 0;
}

static int without_sockets(void **state)
{
	close(sockets[0]);
	close(sockets[1]);
	return lab_down(state);
}

static void after_a_bounced_first_part_the_others_are_bounced(void **state)
{
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		expect_bounced(*state, is_ipv6, 0x1001, MORE_FRAGMENTS);
		for (unsigned int i = 0; i < ARRAY_SIZE(later); i++)
			expect_bounced(*state, is_ipv6, 0x1001, later[i]);
	}
	lab_settle(*state);
}

static void after_a_delivered_first_part_and_before_any_the_others_are_delivered(void **state)
{
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		expect_delivered(*state, is_ipv6, 0x1001, later[0], SERVER_fragment);
		expect_delivered(*state, is_ipv6, 0x1001, MORE_FRAGMENTS, SERVER_udp);
		for (unsigned int i = 0; i < ARRAY_SIZE(later); i++)
			expect_delivered(*state, is_ipv6, 0x1001, later[i], SERVER_fragment);
	}
	lab_settle(*state);
}

static void an_id_that_is_used_again_is_judged_again(void **state)
{
	for (int round = 0; round < 3; round++)
		for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
			expect_bounced(*state, is_ipv6, 0x1001, MORE_FRAGMENTS);
			expect_bounced(*state, is_ipv6, 0x1001, later[1]);
			expect_delivered(*state, is_ipv6, 0x1001, MORE_FRAGMENTS, SERVER_udp);
			expect_delivered(*state, is_ipv6, 0x1001, later[1], SERVER_fragment);
		}
	lab_settle(*state);
}

static void datagrams_under_way_at_once_are_told_apart(void **state)
{
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		for (uint32_t id = 1; id < 32; id++)
			if (id % 3)
				expect_bounced(*state, is_ipv6, id << 8, MORE_FRAGMENTS);
			else
				expect_delivered(*state, is_ipv6, id << 8, MORE_FRAGMENTS,
						 SERVER_udp);
		for (uint32_t id = 31; id > 0; id--)
			if (id % 3)
				expect_bounced(*state, is_ipv6, id << 8, later[1]);
			else
				expect_delivered(*state, is_ipv6, id << 8, later[1],
						 SERVER_fragment);
	}
	lab_settle(*state);
}

static void addresses_and_of_ipv4_the_protocol_tell_datagrams_apart(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"another client", HEADERS(.src = GHOST, .proto = 17)},
		{"another VIP", HEADERS(.dst = IN_VIP_NET, .proto = 17)},
		{"another protocol", HEADERS(.proto = 6)},
		{"another client, IPv6", HEADERS6(.src = GHOST6, .proto = 17)},
		{"another VIP, IPv6", HEADERS6(.dst = IN_VIP6, .proto = 17)},
	};
	struct frame in;

	expect_bounced(*state, false, 0x1001, MORE_FRAGMENTS);
	expect_bounced(*state, true, 0x1001, MORE_FRAGMENTS);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct headers headers = cases[i].headers;

		lab_case(*state, "%s", cases[i].name);
		headers.id = 0x1001;
		headers.fragment = FRAGMENT_AT(9);
		headers.ext[0] = (struct ext){EXT_FRAGMENT, .fragment = 9, .id = 0x1001};
		headers.ext_count = headers.is_ipv6;
		frame_build(&in, &headers);
		lab_send(*state, &in, want_pass(&in, SERVER_fragment));
	}
	lab_settle(*state);
}

static void later_ipv6_parts_may_name_another_next_header(void **state)
{
	struct frame in;

	frame_udp6(&in, EXT({EXT_FRAGMENT, .fragment = MORE_FRAGMENTS, .id = 7}, {EXT_DEST}));
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_make6(&in, .proto = EXT_DEST,
		    EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(9), .id = 7}));
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
}

static void a_later_part_with_the_mark_last_is_delivered(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		lab_case(*state, "IPv6 %d", is_ipv6);
		expect_bounced(*state, is_ipv6, 0x1001, MORE_FRAGMENTS);
		build(&in, is_ipv6, 0x1001, later[0], 1);
		frame_set_tos(&in, DSCP_MARK(LAST, 3));
		lab_expect(*state, &in, want_cleared(&in, SERVER_last, 3));
		lab_case(*state, "IPv6 %d, and so is the first one, again", is_ipv6);
		build(&in, is_ipv6, 0x1001, MORE_FRAGMENTS, 1);
		frame_set_tos(&in, DSCP_MARK(LAST, 3));
		lab_expect(*state, &in, want_cleared(&in, SERVER_last, 3));
		expect_delivered(*state, is_ipv6, 0x1001, later[0], SERVER_fragment);
	}
	lab_settle(*state);
}

static void parts_of_tcp_follow_their_first_one_too(void **state)
{
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct frame in;

	frame_to_server(&in, .id = 1, .fragment = MORE_FRAGMENTS, .payload = 64);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server(&in, .id = 1, .fragment = FRAGMENT_AT(11), .payload = 64);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server(&in, .id = 2, .fragment = MORE_FRAGMENTS, of_connection(connection));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	frame_to_server(&in, .id = 2, .fragment = FRAGMENT_AT(11));
	lab_expect(*state, &in, want_pass(&in, SERVER_fragment));
	connection_close(&connection);
	close(listener);
}

static void an_atomic_fragment_is_a_packet_and_leaves_nothing(void **state)
{
	expect_bounced(*state, true, 0x1001, 0);
	expect_delivered(*state, true, 0x1001, later[0], SERVER_fragment);
	expect_delivered(*state, true, 0x1001, 0, SERVER_udp);
	lab_settle(*state);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, with_sockets, without_sockets)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(after_a_bounced_first_part_the_others_are_bounced),
		with_server(after_a_delivered_first_part_and_before_any_the_others_are_delivered),
		with_server(an_id_that_is_used_again_is_judged_again),
		with_server(datagrams_under_way_at_once_are_told_apart),
		with_server(addresses_and_of_ipv4_the_protocol_tell_datagrams_apart),
		with_server(later_ipv6_parts_may_name_another_next_header),
		with_server(a_later_part_with_the_mark_last_is_delivered),
		with_server(parts_of_tcp_follow_their_first_one_too),
		with_server(an_atomic_fragment_is_a_packet_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
