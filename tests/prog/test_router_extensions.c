// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and the extension headers of IPv6: whatever stands between the IP header and the
 * ports, the flow is the same; what is cut off or too much is dropped.
 */
#include <netinet/in.h>
#include "harness.h"

static const uint8_t kinds[] = {EXT_HOP,  EXT_ROUTING,  EXT_DEST,
				EXT_AUTH, EXT_MOBILITY, EXT_FRAGMENT};

static int four_servers(void **state)
{
	router_dscp(state);
	servers6_add(*state);
	lab_edit(*state, "add " VIP6 " via %s via %s via %s via %s", server_addr6(1),
		 server_addr6(2), server_addr6(3), server_addr6(4));
	return 0;
}

static struct want want_owner(struct lab *lab, const struct frame *in)
{
	return want_forward6(in, owner_of(lab, in), ROUTER_forward);
}

static void every_kind_in_every_size_leaves_the_flow_as_it_is(void **state)
{
	static const uint16_t sizes[] = {8, 16, 24, 64, 256, 1024};
	static const uint16_t auth_sizes[] = {8, 12, 16, 20, 24, 28, 124, 1020};
	struct frame in;

	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
		bool is_auth = kinds[k] == EXT_AUTH;
		unsigned int n = is_auth                    ? ARRAY_SIZE(auth_sizes)
				 : kinds[k] == EXT_FRAGMENT ? 1
							    : ARRAY_SIZE(sizes);

		for (unsigned int i = 0; i < n; i++)
			for (uint16_t port = 1000; port < 1008; port++) {
				uint16_t size = is_auth ? auth_sizes[i] : sizes[i];

				lab_case(*state, "kind %d, %d bytes, port %d", kinds[k], size,
					 port);
				frame_tcp6(&in, .sport = port, EXT({kinds[k], .size = size}));
				lab_send(*state, &in, want_owner(*state, &in));
				frame_udp6(&in, .sport = port, EXT({kinds[k], .size = size}));
				lab_send(*state, &in, want_owner(*state, &in));
			}
	}
	lab_settle(*state);
}

static void an_auth_header_counts_in_units_of_four_bytes(void **state)
{
	struct frame in;

	/* In units of eight, the ports would be those of other bytes, and here beyond the end. */
	frame_udp6(&in, EXT({EXT_AUTH, .size = 28}));
	assert_int_equal(in.data[IP6_END + 1], 5);
	lab_expect(*state, &in, want_owner(*state, &in));
	for (uint16_t port = 1000; port < 1032; port++) {
		lab_case(*state, "port %d", port);
		frame_tcp6(&in, .sport = port, .payload = 100, EXT({EXT_AUTH, .size = 24}));
		lab_send(*state, &in, want_owner(*state, &in));
	}
	lab_settle(*state);
}

static void the_fourth_byte_of_a_fragment_header_is_no_length(void **state)
{
	struct frame in;

	for (uint16_t port = 1000; port < 1016; port++) {
		lab_case(*state, "port %d", port);
		frame_tcp6(&in, .sport = port, EXT({EXT_FRAGMENT, .has_units = true, .units = 77}));
		lab_send(*state, &in, want_owner(*state, &in));
	}
	lab_settle(*state);
}

/* `count` headers of all kinds in turn. */
static void build_row(struct frame *frame, unsigned int first, unsigned int count, uint8_t proto)
{
	struct headers headers = HEADERS6(.proto = proto, .ext_count = count);

	for (unsigned int i = 0; i < count; i++)
		headers.ext[i].kind = kinds[(first + i) % ARRAY_SIZE(kinds)];
	frame_build(frame, &headers);
}

static void eight_in_a_row_pass_and_nine_are_dropped(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE, NO_NEXT};
	struct frame in;

	for (unsigned int p = 0; p < ARRAY_SIZE(protos); p++)
		for (unsigned int first = 0; first < ARRAY_SIZE(kinds); first++)
			for (unsigned int n = 1; n <= 10; n++) {
				lab_case(*state, "protocol %d, %u headers from %u on", protos[p], n,
					 first);
				build_row(&in, first, n, protos[p]);
				lab_send(*state, &in,
					 n <= 8 ? want_owner(*state, &in)
						: want_drop(&in, ROUTER_bad_header));
			}
	lab_settle(*state);
}

static void one_that_is_cut_off_anywhere_is_dropped(void **state)
{
	struct frame in;

	for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct headers headers = HEADERS6(
			EXT({EXT_DEST}, {kinds[k], .size = kinds[k] == EXT_FRAGMENT ? 8 : 24}));
		uint32_t end;

		frame_build(&in, &headers);
		end = in.l4;
		for (uint32_t length = IP6_END; length < end + 4; length++) {
			lab_case(*state, "kind %d, %u bytes", kinds[k], length);
			headers.cut = length;
			headers.total_length = length - IP6_END;
			frame_build(&in, &headers);
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
			lab_case(*state, "kind %d, %u bytes and padding", kinds[k], length);
			headers.cut = 0;
			frame_build(&in, &headers);
			in.counted = length;
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
			lab_case(*state, "kind %d, %u bytes of more", kinds[k], length);
			headers.cut = length;
			headers.total_length = AS_COMPUTED;
			frame_build(&in, &headers);
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
		}
	}
	lab_settle(*state);
}

static void one_that_says_it_is_longer_than_the_packet_is_dropped(void **state)
{
	struct frame in;

	for (unsigned int k = 0; k < ARRAY_SIZE(kinds) - 1; k++) {
		static const uint8_t units[] = {9, 100, 255};

		for (unsigned int i = 0; i < ARRAY_SIZE(units); i++) {
			lab_case(*state, "kind %d, length %d", kinds[k], units[i]);
			frame_tcp6(&in, EXT({kinds[k], .has_units = true, .units = units[i]}));
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
			frame_make6(&in, .proto = NO_NEXT,
				    EXT({kinds[k], .has_units = true, .units = units[i]}));
			lab_send(*state, &in, want_drop(&in, ROUTER_bad_header));
		}
	}
	lab_settle(*state);
}

static void the_ports_must_be_in_the_first_2048_bytes(void **state)
{
	struct frame in;

	ip_batch("link set out1 mtu 9000\nlink set out2 mtu 9000\nlink set out3 mtu 9000\n"
		 "link set out4 mtu 9000\n");
	servers6_add(*state);
	frame_tcp6(&in, EXT({EXT_DEST, .size = 1984}, {EXT_DEST}));
	assert_int_equal(in.l4, 2046);
	lab_expect(*state, &in, want_owner(*state, &in));
	frame_tcp6(&in, EXT({EXT_DEST, .size = 1992}, {EXT_DEST}));
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	frame_make6(&in, .proto = NO_NEXT, EXT({EXT_DEST, .size = 1992}, {EXT_DEST}));
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
	frame_tcp6(&in, EXT({EXT_DEST, .size = 2048}, {EXT_DEST, .size = 2048}, {EXT_AUTH}));
	lab_expect(*state, &in, want_drop(&in, ROUTER_bad_header));
}

static void what_is_no_extension_header_ends_the_walk(void **state)
{
	static const uint8_t others[] = {NO_NEXT, IPPROTO_ESP, 139 /* HIP */, 140 /* Shim6 */, 253};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		lab_case(*state, "next header %d", others[i]);
		frame_make6(&in, .proto = others[i], EXT({EXT_HOP}, {EXT_DEST}));
		lab_expect(*state, &in, want_owner(*state, &in));
		frame_make6(&in, .proto = others[i], .payload = 200, EXT({EXT_HOP}, {EXT_DEST}));
		lab_expect(*state, &in, want_owner(*state, &in));
	}
}

static void a_mark_and_hop_limit_change_in_front_of_them(void **state)
{
	struct frame in;
	int owner;

	frame_tcp6(&in, .tos = DSCP_MARK(5, 3), EXT({EXT_HOP}, {EXT_ROUTING, .size = 24}));
	owner = owner_of(*state, &in);
	lab_expect(*state, &in,
		   want_noted(want_tos(want_forward6(&in, owner, ROUTER_forward), 3),
			      ROUTER_mark_cleared));
	frame_tcp6(&in, .ttl = 1, EXT({EXT_HOP}));
	lab_expect(*state, &in, want_answer(&in, ROUTER_ttl, 0));
}

static void a_later_fragment_ends_the_walk_as_the_eighth_header_too(void **state)
{
	struct frame in;

	frame_make6(&in, .proto = EXT_DEST, .payload = 64,
		    EXT({EXT_DEST}, {EXT_DEST}, {EXT_DEST}, {EXT_DEST}, {EXT_DEST}, {EXT_DEST},
			{EXT_DEST}, {EXT_FRAGMENT, .fragment = FRAGMENT_AT(1), .id = 7}));
	lab_expect(*state, &in, want_noted(want_owner(*state, &in), ROUTER_fragment));
}

#define with_four(test) cmocka_unit_test_setup_teardown(test, four_servers, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_four(every_kind_in_every_size_leaves_the_flow_as_it_is),
		with_four(an_auth_header_counts_in_units_of_four_bytes),
		with_four(the_fourth_byte_of_a_fragment_header_is_no_length),
		with_four(eight_in_a_row_pass_and_nine_are_dropped),
		with_four(one_that_is_cut_off_anywhere_is_dropped),
		with_four(one_that_says_it_is_longer_than_the_packet_is_dropped),
		with_four(the_ports_must_be_in_the_first_2048_bytes),
		with_four(what_is_no_extension_header_ends_the_walk),
		with_four(a_later_fragment_ends_the_walk_as_the_eighth_header_too),
		with_four(a_mark_and_hop_limit_change_in_front_of_them),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
