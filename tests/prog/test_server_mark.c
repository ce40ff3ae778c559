// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and the mark: which mark a bounced packet gets, that a delivered one has
 * none, and that ECN bits, TTL and checksum are right whatever the header was. Both formats.
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

static struct connection owned;
static int listener;

static int open_one(void)
{
	listener = listen_at(VIP, HTTP);
	owned = connection_open(listener, 0);
	return 0;
}

static int with_dscp(void **state)
{
	return server_dscp(state) ?: open_one();
}

static int with_tos(void **state)
{
	return server_tos(state) ?: open_one();
}

static int without_connection(void **state)
{
	connection_close(&owned);
	close(listener);
	return lab_down(state);
}

/* To the kernel, without the mark that it may have had. */
static struct want want_delivered(const struct frame *in, uint32_t reason, int tos)
{
	return IS_DSCP_MARK(tos) ? want_cleared(in, reason, tos & 3) : want_pass(in, reason);
}

static void every_tos_byte_of_an_owned_packet_loses_its_mark_and_nothing_else(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_to_server(&in, of_connection(owned), .tos = tos);
		lab_send(*state, &in, want_delivered(&in, SERVER_owned, tos));
	}
	lab_settle(*state);
}

static void every_tos_byte_of_an_unowned_packet_is_marked_one_higher_or_ends_it(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		int m = tos >> 4;

		lab_case(*state, "ToS %02x", tos);
		frame_to_server(&in, .tos = tos);
		if (!IS_DSCP_MARK(tos))
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, tos & 3)));
		else if (m == LAST)
			lab_send(*state, &in, want_cleared(&in, SERVER_last, tos & 3));
		else if (m == QUIET)
			lab_send(*state, &in, want_drop(&in, SERVER_raced));
		else
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(m + 1, tos & 3)));
	}
	lab_settle(*state);
}

/* Only TCP sends again what it does not hear of. */
static void what_nobody_repeats_is_delivered_at_the_end_of_a_young_chain(void **state)
{
	struct frame in;

	frame_udp(&in, .dport = 9, .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_cleared(&in, SERVER_last, ECN_CE));
	frame_error(&in, .quote = REPLY(.proto = 17), .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_cleared(&in, SERVER_last, ECN_CE));
	frame_error(&in, .quote = REPLY(), .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_drop(&in, SERVER_raced));
	frame_to_server(&in, of_connection(owned), .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_cleared(&in, SERVER_owned, ECN_CE));
	frame_to_server(&in, .flags = SYN, .tos = DSCP_MARK(QUIET, ECN_CE));
	lab_expect(*state, &in, want_cleared(&in, SERVER_syn, ECN_CE));
}

static void every_other_packet_to_a_vip_is_delivered_without_its_mark(void **state)
{
	static const struct {
		const char *name;
		enum ecmper_server_reason reason;
		struct headers headers;
	} cases[] = {
		{"SYN", SERVER_syn, HEADERS(.flags = SYN)},
		{"UDP", SERVER_udp, HEADERS(.proto = 17, .dport = 53)},
		{"ICMP", SERVER_other, HEADERS(.proto = 1, .ihl = 6)},
		{"fragment", SERVER_fragment, HEADERS(.fragment = FRAGMENT_AT(8))},
		{"cut TCP header", SERVER_bad_header,
		 HEADERS(.cut = ETH_HLEN + 30, .total_length = 30)},
	};
	int udp = socket_at(SOCK_DGRAM, VIP, 53);
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		for (int tos = 0; tos < 256; tos++) {
			lab_case(*state, "%s, ToS %02x", cases[i].name, tos);
			frame_build(&in, &cases[i].headers);
			frame_set_tos(&in, tos);
			lab_send(*state, &in, want_delivered(&in, cases[i].reason, tos));
		}
	lab_settle(*state);
	close(udp);
}

static void what_is_for_none_of_the_vips_keeps_its_dscp(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_to_server(&in, .dst = "10.0.0.1", .tos = tos);
		lab_send(*state, &in, want_pass(&in, SERVER_not_vip));
	}
	lab_settle(*state);
}

static void bouncing_leaves_every_ttl_alone(void **state)
{
	struct frame in;

	for (int ttl = 0; ttl < 256; ttl++) {
		lab_case(*state, "TTL %d", ttl);
		frame_to_server(&in, .ttl = ttl, .tos = DSCP_MARK(2, ECN_CE));
		lab_send(*state, &in, want_bounce(&in, DSCP_MARK(3, ECN_CE)));
	}
	lab_settle(*state);
}

static void the_checksum_is_right_after_a_first_bounce_for_every_id(void **state)
{
	struct frame in;

	frame_to_server(&in, .tos = 0x02);
	lab_expect_all_ids(*state, &in, want_bounce(&in, DSCP_MARK(1, 2)));
}

static void the_checksum_is_right_after_a_later_bounce_for_every_id(void **state)
{
	struct frame in;

	frame_to_server(&in, .tos = DSCP_MARK(14, 3));
	lab_expect_all_ids(*state, &in, want_bounce(&in, DSCP_MARK(15, 3)));
}

static void the_checksum_is_right_after_delivery_for_every_id(void **state)
{
	struct frame in;

	frame_to_server(&in, of_connection(owned), .tos = DSCP_MARK(15, 1));
	lab_expect_all_ids(*state, &in, want_cleared(&in, SERVER_owned, 1));
}

static void in_format_tos_every_byte_of_an_unowned_packet_becomes_0x01(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_to_server(&in, .tos = tos);
		lab_send(*state, &in,
			 tos == TOS_MARK ? want_cleared(&in, SERVER_last, 0)
					 : want_bounce(&in, TOS_MARK));
	}
	lab_settle(*state);
}

static void in_format_tos_only_0x01_is_cleared_from_an_owned_packet(void **state)
{
	struct frame in;

	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_to_server(&in, of_connection(owned), .tos = tos);
		lab_send(*state, &in,
			 tos == TOS_MARK ? want_cleared(&in, SERVER_owned, 0)
					 : want_pass(&in, SERVER_owned));
	}
	lab_settle(*state);
}

static void in_format_tos_the_checksum_is_right_for_every_id(void **state)
{
	struct frame in;

	frame_to_server(&in, .tos = 0xfe);
	lab_expect_all_ids(*state, &in, want_bounce(&in, TOS_MARK));
	frame_to_server(&in, of_connection(owned), .tos = TOS_MARK);
	lab_expect_all_ids(*state, &in, want_cleared(&in, SERVER_owned, 0));
}

#define dscp(test) cmocka_unit_test_setup_teardown(test, with_dscp, without_connection)
#define tos(test)  cmocka_unit_test_setup_teardown(test, with_tos, without_connection)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		dscp(every_tos_byte_of_an_owned_packet_loses_its_mark_and_nothing_else),
		dscp(every_tos_byte_of_an_unowned_packet_is_marked_one_higher_or_ends_it),
		dscp(what_nobody_repeats_is_delivered_at_the_end_of_a_young_chain),
		dscp(every_other_packet_to_a_vip_is_delivered_without_its_mark),
		dscp(what_is_for_none_of_the_vips_keeps_its_dscp),
		dscp(bouncing_leaves_every_ttl_alone),
		dscp(the_checksum_is_right_after_a_first_bounce_for_every_id),
		dscp(the_checksum_is_right_after_a_later_bounce_for_every_id),
		dscp(the_checksum_is_right_after_delivery_for_every_id),
		tos(in_format_tos_every_byte_of_an_unowned_packet_becomes_0x01),
		tos(in_format_tos_only_0x01_is_cleared_from_an_owned_packet),
		tos(in_format_tos_the_checksum_is_right_for_every_id),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
