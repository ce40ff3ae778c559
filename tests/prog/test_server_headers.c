// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program and what may stand in a header: only packets to a VIP are judged, and what is
 * malformed is the kernel's, as it came.
 */
#include <netinet/in.h>
#include <unistd.h>
#include "server.h"

static void frames_that_are_no_unicast_ip_are_not_for_a_vip(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"ARP", HEADERS(.ethertype = ETH_P_ARP)},
		{"VLAN with neither IPv4 nor IPv6", HEADERS(.ethertype = ETH_P_8021Q)},
		{"14 bytes", HEADERS(.ethertype = ETH_P_ARP, .cut = ETH_HLEN)},
		{"broadcast", HEADERS(.to = "ff:ff:ff:ff:ff:ff")},
		{"multicast", HEADERS(.to = "01:00:5e:00:00:01", .tos = DSCP_MARK(1, 0))},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_pass(&in, SERVER_not_vip));
	}
}

static void only_the_vips_are_judged(void **state)
{
	static const struct {
		const char *dst;
		bool is_vip;
	} cases[] = {
		{VIP, true},           {"10.0.9.255", false},
		{"10.0.10.1", false},  {"10.0.20.0", true},
		{"10.0.20.255", true}, {"10.0.19.255", false},
		{"10.0.21.0", false},  {"10.0.0.1", false},
		{CLIENT, false},       {"255.255.255.255", false},
		{"0.0.0.0", false},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "to %s", cases[i].dst);
		frame_to_server(&in, .dst = cases[i].dst);
		lab_expect(*state, &in,
			   cases[i].is_vip ? want_bounce(&in, DSCP_MARK(1, 0))
					   : want_pass(&in, SERVER_not_vip));
	}
}

static void malformed_headers_go_to_the_kernel_as_they_came(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"ihl 4", HEADERS(.ihl = 4)},
		{"ihl 0", HEADERS(.ihl = 0)},
		{"version 6", HEADERS(.version = 6)},
		{"total length 19", HEADERS(.total_length = 19)},
		{"total length below ihl", HEADERS(.ihl = 15, .total_length = 59)},
		{"marked", HEADERS(.ihl = 4, .tos = DSCP_MARK(1, 0))},
		{"not to a VIP", HEADERS(.ihl = 4, .dst = "10.0.0.1")},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_pass(&in, SERVER_bad_header));
	}
}

static void frames_that_end_within_the_headers_go_to_the_kernel(void **state)
{
	struct frame in;

	for (uint32_t length = ETH_HLEN; length < IP_END + 20; length++) {
		lab_case(*state, "%u bytes", length);
		frame_to_server(&in, .cut = length,
				.total_length = length < IP_END ? 40 : (int)length - ETH_HLEN);
		lab_send(*state, &in, want_pass(&in, SERVER_bad_header));
	}
	lab_settle(*state);
	lab_case(*state, "just enough");
	frame_to_server(&in, .cut = IP_END + 20);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server(&in, .ihl = 15, .cut = IP_END + 60);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
}

static void padding_is_not_taken_for_a_tcp_header(void **state)
{
	struct frame in;

	for (int length = IP_LENGTH + 4; length < IP_LENGTH + 20; length++) {
		lab_case(*state, "total length %d", length);
		frame_to_server(&in, .total_length = length, .padding = 6);
		in.counted = ETH_HLEN + length;
		lab_expect(*state, &in, want_pass(&in, SERVER_bad_header));
	}
}

static void frames_that_are_shorter_than_they_say_go_to_the_kernel(void **state)
{
	static const struct {
		const char *name;
		struct headers headers;
	} cases[] = {
		{"within the TCP header", HEADERS(.cut = IP_END + 19)},
		{"by one byte", HEADERS(.payload = 100, .cut = IP_END + 20 + 99)},
		{"total length 65535", HEADERS(.total_length = 65535)},
	};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		lab_case(*state, "%s", cases[i].name);
		frame_build(&in, &cases[i].headers);
		lab_expect(*state, &in, want_pass(&in, SERVER_bad_header));
	}
}

static void other_protocols_are_delivered(void **state)
{
	static const uint8_t protos[] = {IPPROTO_ICMP, IPPROTO_GRE,     IPPROTO_SCTP,
					 IPPROTO_ESP,  IPPROTO_UDPLITE, 253};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(protos); i++) {
		lab_case(*state, "protocol %d", protos[i]);
		frame_make(&in, .proto = protos[i], .payload = 40, .to = server_mac(1));
		lab_expect(*state, &in, want_pass(&in, SERVER_other));
		frame_make(&in, .proto = protos[i], .payload = 40, .tos = DSCP_MARK(2, 1));
		lab_expect(*state, &in, want_cleared(&in, SERVER_other, 1));
	}
}

static void a_first_fragment_is_judged_and_later_ones_are_delivered(void **state)
{
	static const uint16_t later[] = {FRAGMENT_AT(1), MORE_FRAGMENTS | FRAGMENT_AT(1),
					 MORE_FRAGMENTS | FRAGMENT_AT(0x1fff), FRAGMENT_AT(185)};
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct frame in;

	frame_to_server(&in, .id = 0x1235, .fragment = MORE_FRAGMENTS, .payload = 64);
	lab_expect(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
	frame_to_server(&in, .fragment = MORE_FRAGMENTS, .payload = 64, of_connection(connection));
	lab_expect(*state, &in, want_pass(&in, SERVER_owned));
	for (unsigned int i = 0; i < ARRAY_SIZE(later); i++) {
		lab_case(*state, "fragment %04x", later[i]);
		frame_to_server(&in, .fragment = later[i]);
		lab_expect(*state, &in, want_pass(&in, SERVER_fragment));
		frame_to_server(&in, .fragment = later[i], .tos = DSCP_MARK(LAST, 3));
		lab_expect(*state, &in, want_cleared(&in, SERVER_fragment, 3));
	}
	connection_close(&connection);
	close(listener);
}

static void ip_options_and_payloads_hide_no_connection(void **state)
{
	static const uint16_t payloads[] = {0, 1, 1460, 4000, 8940};
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	struct frame in;

	for (uint8_t ihl = 5; ihl <= 15; ihl++)
		for (unsigned int i = 0; i < ARRAY_SIZE(payloads); i++) {
			lab_case(*state, "ihl %d, %d bytes of payload", ihl, payloads[i]);
			frame_to_server(&in, .ihl = ihl, .payload = payloads[i],
					of_connection(connection));
			lab_send(*state, &in, want_pass(&in, SERVER_owned));
			frame_to_server(&in, .ihl = ihl, .payload = payloads[i], .padding = 5);
			lab_send(*state, &in, want_bounce(&in, DSCP_MARK(1, 0)));
			frame_to_server(&in, .ihl = ihl, .payload = payloads[i], .flags = SYN);
			lab_send(*state, &in, want_pass(&in, SERVER_syn));
		}
	lab_settle(*state);
	connection_close(&connection);
	close(listener);
}

static void a_syn_is_delivered_whoever_owns_its_flow(void **state)
{
	static const uint8_t flags[] = {SYN, SYN | 0xc0, SYN | PSH, SYN | FIN, SYN | RST};
	int listener = listen_at(VIP, HTTP);
	struct connection connection = connection_open(listener, 0);
	const uint16_t ports[] = {40000, connection.port};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
		for (unsigned int p = 0; p < ARRAY_SIZE(ports); p++) {
			lab_case(*state, "flags %02x from port %d", flags[i], ports[p]);
			frame_to_server(&in, .flags = flags[i], .sport = ports[p]);
			lab_send(*state, &in, want_pass(&in, SERVER_syn));
			frame_to_server(&in, .flags = flags[i], .sport = ports[p],
					.tos = DSCP_MARK(2, 1));
			lab_send(*state, &in, want_cleared(&in, SERVER_syn, 1));
		}
	lab_settle(*state);
	connection_close(&connection);
	close(listener);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, server_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_server(frames_that_are_no_unicast_ip_are_not_for_a_vip),
		with_server(only_the_vips_are_judged),
		with_server(malformed_headers_go_to_the_kernel_as_they_came),
		with_server(frames_that_end_within_the_headers_go_to_the_kernel),
		with_server(padding_is_not_taken_for_a_tcp_header),
		with_server(frames_that_are_shorter_than_they_say_go_to_the_kernel),
		with_server(other_protocols_are_delivered),
		with_server(a_first_fragment_is_judged_and_later_ones_are_delivered),
		with_server(ip_options_and_payloads_hide_no_connection),
		with_server(a_syn_is_delivered_whoever_owns_its_flow),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
