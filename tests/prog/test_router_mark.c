// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router and marks of format dscp: whose marks count, to whom a marked packet goes, with which
 * mark and with the ECN bits that it came with. test_router_tos.c has the other format.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

/* The current owner of make_chain(lab, 2, ...). */
#define BOUNCED_BY server_mac(2)

/* Every bucket has had servers 1, 2, ... n, one after the other. */
static void make_chain(struct lab *lab, int n, int depth)
{
	lab_edit(lab, "add " VIP " depth %d via %s", depth, server_addr(1));
	for (int i = 2; i <= n; i++)
		lab_edit(lab, "add " VIP " via %s\ndel " VIP " via %s", server_addr(i),
			 server_addr(i - 1));
}

/* To a previous owner, with this mark instead of the one it came with. */
static struct want want_history(const struct frame *in, int server, int mark)
{
	struct want want = want_forward(in, server, ROUTER_history);

	frame_set_tos(&want.frame, DSCP_MARK(mark, frame_ip(&want.frame)->tos & 3));
	return want;
}

static struct want want_chain_end(const struct frame *in, int server)
{
	struct want want = want_forward(in, server, ROUTER_chain_end);

	frame_set_tos(&want.frame, DSCP_MARK(LAST, frame_ip(&want.frame)->tos & 3));
	return want;
}

static struct want want_cleared(const struct frame *in, int server)
{
	struct want want = want_forward(in, server, ROUTER_forward);

	want.reasons |= BIT(ROUTER_mark_cleared);
	frame_set_tos(&want.frame, frame_ip(&want.frame)->tos & 3);
	return want;
}

/* It was not sent by this table: begins anew, without a mark. */
static struct want want_restarted(const struct frame *in, int server)
{
	struct want want = want_forward(in, server, ROUTER_forward);

	want.reasons |= BIT(ROUTER_restarted);
	frame_set_tos(&want.frame, frame_ip(&want.frame)->tos & 3);
	return want;
}

/* What becomes of a packet with mark k of 1 or more, sent back by the k-th server of the chain. */
static struct want want_bounced(const struct frame *in, const struct chain *chain, unsigned int k)
{
	if (k > chain->length)
		return want_restarted(in, chain->server[0]);
	if (k == chain->length)
		return want_chain_end(in, chain->server[0]);
	return want_history(in, chain->server[k], k + 1 < chain->length ? (int)k : LAST);
}

static void mark_k_goes_to_the_kth_previous_owner_and_is_last_for_the_oldest(void **state)
{
	struct frame in;

	make_chain(*state, 16, 15);
	for (int k = 1; k <= 15; k++)
		for (int ecn = 0; ecn < 4; ecn++) {
			lab_case(*state, "mark %d, ECN %d", k, ecn);
			frame_tcp(&in, .from = server_mac(17 - k), .tos = DSCP_MARK(k, ecn));
			lab_send(*state, &in, want_history(&in, 16 - k, k < 15 ? k : LAST));
		}
	lab_settle(*state);
}

static void chains_of_every_length_end_at_the_current_owner(void **state)
{
	struct frame in;

	for (int length = 1; length <= 5; length++) {
		lab_edit(*state, "clear");
		for (int i = 1; i <= SERVERS_MAX; i++)
			lab_edit(*state, "neigh add %s lladdr %s dev %s", server_addr(i),
				 server_mac(i), way_out(i));
		make_chain(*state, length, 4);
		for (int k = 1; k <= 15; k++) {
			lab_case(*state, "%d owners, mark %d", length, k);
			frame_tcp(&in, .from = server_mac(k < length ? length - k + 1 : 1),
				  .tos = DSCP_MARK(k, ECN_ECT1));
			lab_send(*state, &in,
				 k > length    ? want_restarted(&in, length)
				 : k == length ? want_chain_end(&in, length)
					       : want_history(&in, length - k,
							      k + 1 < length ? k : LAST));
		}
		lab_settle(*state);
	}
}

static void with_depth_zero_there_is_no_history(void **state)
{
	struct frame in;

	make_chain(*state, 3, 0);
	for (int k = 1; k <= 15; k++) {
		lab_case(*state, "mark %d", k);
		frame_tcp(&in, .from = server_mac(3), .tos = DSCP_MARK(k, 0));
		lab_send(*state, &in, k == 1 ? want_chain_end(&in, 3) : want_restarted(&in, 3));
	}
	lab_settle(*state);
}

static void every_tos_byte_of_a_client_loses_its_mark_and_nothing_else(void **state)
{
	struct frame in;

	make_chain(*state, 3, 4);
	for (int tos = 0; tos < 256; tos++) {
		lab_case(*state, "ToS %02x", tos);
		frame_tcp(&in, .tos = tos);
		lab_send(*state, &in,
			 IS_DSCP_MARK(tos) ? want_cleared(&in, 3)
					   : want_forward(&in, 3, ROUTER_forward));
	}
	lab_settle(*state);
}

static void every_tos_byte_of_a_server_is_taken_for_what_it_is(void **state)
{
	struct frame in;

	make_chain(*state, 3, 4);
	for (int tos = 0; tos < 256; tos++) {
		int k = tos >> 4;

		lab_case(*state, "ToS %02x", tos);
		frame_tcp(&in, .from = server_mac(k && k <= 3 ? 4 - k : 1), .tos = tos);
		if (!IS_DSCP_MARK(tos))
			lab_send(*state, &in, want_forward(&in, 3, ROUTER_forward));
		else if (k == LAST)
			lab_send(*state, &in, want_cleared(&in, 3));
		else if (k > 3)
			lab_send(*state, &in, want_restarted(&in, 3));
		else if (k == 3)
			lab_send(*state, &in, want_chain_end(&in, 3));
		else
			lab_send(*state, &in, want_history(&in, 3 - k, k == 1 ? 1 : LAST));
	}
	lab_settle(*state);
}

static void marks_count_only_from_a_next_hop(void **state)
{
	/* 16 is a neighbour, but no server of any prefix; then a router's own MAC, and near misses. */
	const char *const strangers[] = {
		CLIENT_MAC,          server_mac(16),      INGRESS_MAC,         "02:03:04:05:06:00",
		"02:03:04:05:07:01", "03:03:04:05:06:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"};
	struct frame in;

	make_chain(*state, 2, 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(strangers); i++) {
		lab_case(*state, "from %s", strangers[i]);
		frame_tcp(&in, .from = strangers[i], .tos = DSCP_MARK(1, ECN_CE));
		lab_expect(*state, &in, want_cleared(&in, 2));
	}
}

static void marks_count_from_every_next_hop_as_long_as_it_is_one(void **state)
{
	struct frame in;

	make_chain(*state, 2, 4);
	frame_tcp(&in, .from = server_mac(5), .tos = DSCP_MARK(1, 0));
	lab_case(*state, "before it is one");
	lab_expect(*state, &in, want_cleared(&in, 2));
	lab_case(*state, "server of another prefix");
	lab_edit(*state, "add 10.0.11.0/24 via %s", server_addr(5));
	lab_expect(*state, &in, want_restarted(&in, 2));
	lab_case(*state, "drained");
	lab_edit(*state, "add 10.0.11.0/24 via %s\ndel 10.0.11.0/24 via %s", server_addr(6),
		 server_addr(5));
	lab_expect(*state, &in, want_restarted(&in, 2));
	lab_case(*state, "purged");
	lab_edit(*state, "purge %s", server_addr(5));
	lab_expect(*state, &in, want_cleared(&in, 2));
	lab_case(*state, "its prefix is gone");
	frame_tcp(&in, .from = server_mac(6), .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_restarted(&in, 2));
	lab_edit(*state, "del 10.0.11.0/24");
	lab_expect(*state, &in, want_cleared(&in, 2));
}

static void a_server_with_a_new_mac_is_known_by_that_one(void **state)
{
	struct frame old, new;

	make_chain(*state, 2, 4);
	struct want want;

	frame_tcp(&old, .from = server_mac(2), .tos = DSCP_MARK(1, 0));
	frame_tcp(&new, .from = "02:03:04:05:06:aa", .tos = DSCP_MARK(1, 0));
	lab_edit(*state, "neigh add %s lladdr 02:03:04:05:06:aa dev %s", server_addr(2),
		 way_out(2));
	want = want_cleared(&old, 2);
	frame_set_macs(&want.frame, "02:03:04:05:06:aa", way_out_mac(2));
	lab_expect(*state, &old, want);
	lab_expect(*state, &new, want_history(&new, 1, LAST));
}

static void only_the_very_mac_that_it_was_sent_to_sends_a_packet_back(void **state)
{
	struct frame in;
	char mac[ECMPER_MAC_STRLEN];
	uint8_t byte[ETH_ALEN];

	make_chain(*state, 2, 4);
	for (int i = 0; i < ETH_ALEN; i++) {
		mac_parse(server_mac(2), byte);
		byte[i] ^= 0x40;
		ecmper_mac_format(byte, mac);
		lab_case(*state, "from %s", mac);
		lab_edit(*state,
			 "neigh add 10.0.0.99 lladdr %s dev out1\nadd 10.0.11.0 via 10.0.0.99",
			 mac);
		frame_tcp(&in, .from = mac, .tos = DSCP_MARK(1, 2));
		lab_expect(*state, &in, want_restarted(&in, 2));
	}
}

static void marks_of_any_kind_of_segment_and_protocol_count(void **state)
{
	static const uint8_t flags[] = {SYN, SYN | ACK, FIN | ACK, RST, PSH | ACK};
	struct frame in;

	make_chain(*state, 2, 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		lab_case(*state, "flags %02x", flags[i]);
		frame_tcp(&in, .from = BOUNCED_BY, .tos = DSCP_MARK(1, 0), .flags = flags[i]);
		lab_expect(*state, &in, want_history(&in, 1, LAST));
	}
	lab_case(*state, "UDP");
	frame_udp(&in, .from = BOUNCED_BY, .tos = DSCP_MARK(1, 0), .ihl = 15, .padding = 4);
	lab_expect(*state, &in, want_history(&in, 1, LAST));
	lab_case(*state, "ICMP");
	frame_icmp(&in, .from = BOUNCED_BY, .tos = DSCP_MARK(1, 0));
	lab_expect(*state, &in, want_history(&in, 1, LAST));
}

static void to_a_neighbour_a_mark_is_only_a_dscp(void **state)
{
	const char *const macs[] = {CLIENT_MAC, BOUNCED_BY};
	struct frame in;

	make_chain(*state, 2, 4);
	lab_edit(*state, "add 10.0.0.0/24 connected");
	for (unsigned int i = 0; i < ARRAY_SIZE(macs); i++)
		for (int tos = 0; tos < 256; tos++) {
			lab_case(*state, "ToS %02x from %s", tos, macs[i]);
			frame_tcp(&in, .dst = server_addr(9), .from = macs[i], .tos = tos);
			lab_send(*state, &in, want_forward(&in, 9, ROUTER_connected));
		}
	lab_settle(*state);
}

static void an_only_previous_owner_without_a_mac_is_waited_for(void **state)
{
	struct frame in;

	lab_edit(*state, "add " VIP " via 10.0.0.200");
	lab_edit(*state, "add " VIP " via %s\ndel " VIP " via 10.0.0.200", server_addr(2));
	frame_tcp(&in, .from = server_mac(2), .tos = DSCP_MARK(1, ECN_CE));
	lab_expect(*state, &in, want_drop(&in, ROUTER_no_neigh));
}

/* One change of a random kind; never to none of the servers. */
static void change_something(struct lab *lab, unsigned int *seed, unsigned int *members)
{
	int server = 1 + rand_r(seed) % 8;
	unsigned int others = *members & ~BIT(server);

	if (!(*members & BIT(server)) || !others) {
		lab_edit(lab, "add " VIP " via %s weight %d", server_addr(server),
			 1 + rand_r(seed) % 3);
		*members |= BIT(server);
	} else {
		lab_edit(lab, "del " VIP " via %s", server_addr(server));
		*members = others;
	}
}

static void after_any_changes_every_mark_follows_its_buckets_chain(void **state)
{
	unsigned int seed = 1, members = BIT(1), longest = 0;
	char client[16];
	struct frame in;

	lab_edit(*state, "add " VIP " buckets 64 depth 6 via %s", server_addr(1));
	for (int round = 0; round < 30; round++) {
		change_something(*state, &seed, &members);
		for (int flow = 0; flow < 256; flow++) {
			struct chain chain;
			int k = rand_r(&seed) % 16;

			snprintf(client, sizeof(client), "10.1.%d.%d", round, flow);
			lab_case(*state, "round %d, client %s, mark %d", round, client, k);
			frame_tcp(&in, .src = client, .tos = k ? DSCP_MARK(k, flow & 3) : flow & 3);
			chain = chain_of(*state, &in);
			longest = chain.length > longest ? chain.length : longest;
			frame_set_macs(
				&in, INGRESS_MAC,
				server_mac(chain.server[k && k <= (int)chain.length ? k - 1 : 0]));
			lab_send(*state, &in,
				 k ? want_bounced(&in, &chain, k)
				   : want_forward(&in, chain.server[0], ROUTER_forward));
		}
		lab_settle(*state);
	}
	assert_true(longest > 4);
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(mark_k_goes_to_the_kth_previous_owner_and_is_last_for_the_oldest),
		with_router(chains_of_every_length_end_at_the_current_owner),
		with_router(with_depth_zero_there_is_no_history),
		with_router(every_tos_byte_of_a_client_loses_its_mark_and_nothing_else),
		with_router(every_tos_byte_of_a_server_is_taken_for_what_it_is),
		with_router(marks_count_only_from_a_next_hop),
		with_router(marks_count_from_every_next_hop_as_long_as_it_is_one),
		with_router(a_server_with_a_new_mac_is_known_by_that_one),
		with_router(only_the_very_mac_that_it_was_sent_to_sends_a_packet_back),
		with_router(marks_of_any_kind_of_segment_and_protocol_count),
		with_router(to_a_neighbour_a_mark_is_only_a_dscp),
		with_router(an_only_previous_owner_without_a_mac_is_waited_for),
		with_router(after_any_changes_every_mark_follows_its_buckets_chain),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
