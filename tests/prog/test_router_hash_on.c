// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and `hash-on`: which parts of a flow choose its server. Prefixes of hosts (found by
 * the exact match) and of networks (found by lpm), of both families.
 */
#include <netinet/in.h>
#include "harness.h"

enum { CLIENTS = 24 };

/* The address of a client, and that of a host in the network of VIPs. */
static const char *client(int n, bool is_ipv6)
{
	static char text[40];

	snprintf(text, sizeof(text), is_ipv6 ? "fd00:1::%x" : "10.0.1.%d", n + 1);
	return text;
}

static const char *vip(int n, bool is_ipv6)
{
	static char text[40];

	snprintf(text, sizeof(text), is_ipv6 ? "fd00:11::%x" : "10.0.11.%d", n);
	return text;
}

/* In place of the prefix that `is_there`: its hash-on cannot be changed otherwise. */
static void add(struct lab *lab, const char *net, const char *hash_on, bool is_there)
{
	if (is_there)
		lab_edit(lab, "del %s", net);
	lab_edit(lab, "add %s hash-on %s via %s via %s via %s via %s", net, hash_on, server_addr(1),
		 server_addr(2), server_addr(3), server_addr(4));
}

/* One of many things that a client may send. */
static struct headers something(int n, bool is_ipv6, const char *src, const char *dst)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE, IPPROTO_TCP,
					 IPPROTO_SCTP};
	struct headers headers = HEADERS(.proto = protos[n % ARRAY_SIZE(protos)], .sport = 1000 + n,
					 .dport = 80 + n % 7, .payload = 8 + n);
	struct headers headers6 =
		HEADERS6(.proto = protos[n % ARRAY_SIZE(protos)], .sport = 1000 + n,
			 .dport = 80 + n % 7, .payload = 8 + n);
	struct headers *result = is_ipv6 ? &headers6 : &headers;

	result->src = src;
	result->dst = dst;
	return *result;
}

/* All that a client sends goes to one server. Returns the servers that clients went to. */
static unsigned int expect_together(struct lab *lab, bool is_ipv6, const char *dst)
{
	unsigned int owners = 0;
	struct frame in;

	for (int c = 0; c < CLIENTS; c++) {
		int owner = 0;

		for (int n = 0; n < 15; n++) {
			struct headers headers = something(n, is_ipv6, client(c, is_ipv6), dst);

			lab_case(lab, "from %s to %s, kind %d", headers.src, dst, n);
			frame_build(&in, &headers);
			owner = owner ?: owner_of(lab, &in);
			assert_int_equal(owner_of(lab, &in), owner);
			lab_send(lab, &in, want_forward(&in, owner, ROUTER_forward));
		}
		owners |= BIT(owner);
	}
	lab_settle(lab);
	return owners;
}

static void by_source_a_clients_packets_of_all_kinds_go_to_one_server(void **state)
{
	static const char *const nets[] = {"10.0.10.0/32", "10.0.11.0/24", "fd00:10::10/128",
					   "fd00:11::/64"};
	static const char *const dsts[] = {VIP, "10.0.11.1", VIP6, "fd00:11::1"};
	static const char *const hash_ons[] = {"src", "src-dst"};

	for (unsigned int h = 0; h < ARRAY_SIZE(hash_ons); h++)
		for (unsigned int i = 0; i < ARRAY_SIZE(nets); i++) {
			add(*state, nets[i], hash_ons[h], h);
			assert_int_equal(expect_together(*state, i > 1, dsts[i]),
					 BIT(1) | BIT(2) | BIT(3) | BIT(4));
		}
}

static void only_by_source_all_addresses_of_the_prefix_are_one(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
		for (int is_src = 0; is_src < 2; is_src++) {
			unsigned int owners = 0;

			add(*state, is_ipv6 ? "fd00:11::/64" : "10.0.11.0/24",
			    is_src ? "src" : "src-dst", is_src);
			for (int n = 0; n < 32; n++) {
				struct headers headers =
					something(n, is_ipv6, client(5, is_ipv6), vip(n, is_ipv6));

				lab_case(*state, "to %s, %s", headers.dst, is_src ? "src" : "both");
				frame_build(&in, &headers);
				owners |= BIT(owner_of(*state, &in));
				lab_send(*state, &in,
					 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
			}
			lab_settle(*state);
			if (is_src) /* a single bit */
				assert_int_equal(owners & (owners - 1), 0);
			else
				assert_int_equal(owners, BIT(1) | BIT(2) | BIT(3) | BIT(4));
		}
}

static void a_prefix_that_is_added_anew_is_hashed_as_it_says_then(void **state)
{
	static const char *const words[] = {"5tuple", "src", "src-dst", "src", "5tuple", "src-dst"};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
		unsigned int owners = 0;

		add(*state, VIP, words[i], i);
		add(*state, VIP6, words[i], i);
		for (uint16_t port = 1000; port < 1032; port++) {
			lab_case(*state, "%s, port %d", words[i], port);
			frame_tcp(&in, .sport = port);
			owners |= BIT(owner_of(*state, &in));
			lab_send(*state, &in,
				 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
			frame_udp6(&in, .sport = port);
			lab_send(*state, &in,
				 want_forward(&in, owner_of(*state, &in), ROUTER_forward));
		}
		lab_settle(*state);
		assert_true((owners & (owners - 1)) == 0 || words[i][0] == '5');
	}
}

static void an_icmp_error_goes_where_the_client_of_its_flow_goes(void **state)
{
	static const char *const hash_ons[] = {"src", "src-dst"};
	struct frame in, about;

	for (unsigned int h = 0; h < ARRAY_SIZE(hash_ons); h++) {
		add(*state, VIP, hash_ons[h], h);
		add(*state, VIP6, hash_ons[h], h);
		for (int c = 0; c < CLIENTS; c++) {
			const char *to = client(c, false);

			lab_case(*state, "hash-on %s, client %d", hash_ons[h], c);
			frame_udp(&about, .src = to);
			frame_error(&in, .quote = REPLY(.dst = to, .dport = 7));
			lab_send(*state, &in,
				 want_noted(want_forward(&in, owner_of(*state, &about),
							 ROUTER_forward),
					    ROUTER_icmp_error));
			to = client(c, true);
			frame_udp6(&about, .src = to);
			frame_error6(&in, .quote = REPLY6(.dst = to, .dport = 7));
			lab_send(*state, &in,
				 want_noted(want_forward(&in, owner_of(*state, &about),
							 ROUTER_forward),
					    ROUTER_icmp_error));
		}
		lab_settle(*state);
	}
}

static void fragments_need_no_first_part(void **state)
{
	static const char *const hash_ons[] = {"src", "src-dst"};
	struct frame in;

	for (unsigned int h = 0; h < ARRAY_SIZE(hash_ons); h++) {
		add(*state, VIP, hash_ons[h], h);
		add(*state, VIP6, hash_ons[h], h);
		for (int c = 0; c < CLIENTS; c++) {
			int owner;

			lab_case(*state, "hash-on %s, client %d", hash_ons[h], c);
			frame_tcp(&in, .src = client(c, false));
			owner = owner_of(*state, &in);
			frame_udp(&in, .src = client(c, false), .fragment = FRAGMENT_AT(185));
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
			frame_udp(&in, .src = client(c, false), .fragment = MORE_FRAGMENTS,
				  .payload = 8);
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
			frame_tcp6(&in, .src = client(c, true));
			owner = owner_of(*state, &in);
			frame_make6(&in, .proto = EXT_DEST, .src = client(c, true),
				    EXT({EXT_FRAGMENT, .fragment = FRAGMENT_AT(9)}));
			lab_send(*state, &in, want_forward(&in, owner, ROUTER_forward));
		}
		lab_settle(*state);
	}
}

static void a_bounced_packet_follows_its_clients_history(void **state)
{
	struct frame in;

	add(*state, VIP, "src", false);
	lab_edit(*state, "del " VIP " via %s", server_addr(1));
	for (int c = 0; c < CLIENTS; c++) {
		struct chain chain;

		lab_case(*state, "client %d", c);
		frame_udp(&in, .src = client(c, false), .sport = c, .tos = DSCP_MARK(1, 0));
		chain = chain_of(*state, &in);
		frame_set_macs(&in, INGRESS_MAC, server_mac(chain.server[0]));
		lab_send(
			*state, &in,
			want_tos(want_forward(&in, chain.server[chain.length > 1 ? 1 : 0],
					      chain.length > 1 ? ROUTER_history : ROUTER_chain_end),
				 DSCP_MARK(LAST, 0)));
	}
	lab_settle(*state);
}

static void a_drained_prefix_knows_old_connections_whatever_it_hashes_on(void **state)
{
	static const char *const choices[] = {"5tuple", "src", "src-dst"};
	struct frame in;

	for (unsigned int i = 0; i < ARRAY_SIZE(choices); i++) {
		lab_case(*state, "%s", choices[i]);
		lab_edit(*state, "add " VIP " hash-on %s via %s", choices[i], server_addr(1));
		lab_edit(*state, "del " VIP " via %s", server_addr(1));
		frame_tcp(&in);
		lab_expect(*state, &in,
			   want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 0)));
		frame_tcp(&in, .fragment = FRAGMENT_AT(64));
		lab_send(*state, &in,
			 i ? want_tos(want_forward(&in, 1, ROUTER_history), DSCP_MARK(LAST, 0))
			   : want_noted(want_tos(want_forward(&in, 1, ROUTER_history),
						 DSCP_MARK(LAST, 0)),
					ROUTER_fragment));
		frame_tcp(&in, .flags = SYN);
		lab_expect(*state, &in, want_drop(&in, ROUTER_no_server));
		lab_edit(*state, "del " VIP);
	}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(by_source_a_clients_packets_of_all_kinds_go_to_one_server),
		with_router(only_by_source_all_addresses_of_the_prefix_are_one),
		with_router(a_prefix_that_is_added_anew_is_hashed_as_it_says_then),
		with_router(an_icmp_error_goes_where_the_client_of_its_flow_goes),
		with_router(fragments_need_no_first_part),
		with_router(a_bounced_packet_follows_its_clients_history),
		with_router(a_drained_prefix_knows_old_connections_whatever_it_hashes_on),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
