// SPDX-License-Identifier: GPL-2.0-only
/*
 * The router in the moment between two writes of one change: lpm has the new state, and the slot of
 * the exact match the old one. The state is written into the pinned maps as it stands then.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "harness.h"

/* A prefix's value in lpm or lpm6 as `edit` makes it, and nothing else of the change. */
static void edit_lpm(struct lab *lab, bool is_ipv6, void (*edit)(struct ecmper_prefix *))
{
	struct {
		uint32_t prefixlen;
		uint8_t addr[16];
	} key = {.prefixlen = is_ipv6 ? 128 : 32};
	struct ecmper_prefix value;
	char path[256];
	int fd;

	inet_pton(is_ipv6 ? AF_INET6 : AF_INET, is_ipv6 ? VIP6 : VIP, key.addr);
	snprintf(path, sizeof(path), "%s/%s", lab->pin, is_ipv6 ? "lpm6" : "lpm");
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	edit(&value);
	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), 0);
	close(fd);
}

static void make_connected(struct ecmper_prefix *prefix)
{
	prefix->flags |= ECMPER_PREFIX_CONNECTED;
	prefix->cur_nh_offset = prefix->cur_nh_count = 0;
	prefix->prv_nh_offset = prefix->prv_nh_count = 0;
}

static void forget_history(struct ecmper_prefix *prefix)
{
	prefix->prv_nh_offset = prefix->prv_nh_count = 0;
}

static void build(struct frame *frame, bool is_ipv6, const char *from, uint8_t tos)
{
	if (is_ipv6)
		frame_tcp6(frame, .from = from, .tos = tos);
	else
		frame_tcp(frame, .from = from, .tos = tos);
}

static void a_bounced_packet_of_a_prefix_that_becomes_connected_is_the_kernels(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		lab_make_chain(*state, is_ipv6 ? VIP6 : VIP, server_addr, 3);
		edit_lpm(*state, is_ipv6, make_connected);
		for (int k = 1; k <= 15; k++) {
			lab_case(*state, "IPv6 %d, mark %d", is_ipv6, k);
			build(&in, is_ipv6, server_mac(k <= 3 ? 4 - k : 1), DSCP_MARK(k, 1));
			lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
		}
		lab_case(*state, "IPv6 %d, without a mark", is_ipv6);
		build(&in, is_ipv6, CLIENT_MAC, 0);
		lab_expect(*state, &in, want_forward(&in, 3, ROUTER_forward));
	}
}

static void so_is_an_old_connections_packet_when_all_servers_are_drained(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		const char *vip = is_ipv6 ? VIP6 : VIP;

		lab_edit(*state, "add %s via %s", vip, server_addr(1));
		lab_edit(*state, "del %s via %s", vip, server_addr(1));
		edit_lpm(*state, is_ipv6, make_connected);
		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, CLIENT_MAC, 0x28);
		lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
		build(&in, is_ipv6, server_mac(1), DSCP_MARK(2, 1));
		lab_expect(*state, &in, want_pass(&in, ROUTER_no_route));
	}
}

static void a_bounced_packet_of_a_prefix_without_history_ends_at_the_current_owner(void **state)
{
	struct frame in;

	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		lab_make_chain(*state, is_ipv6 ? VIP6 : VIP, server_addr, 3);
		edit_lpm(*state, is_ipv6, forget_history);
		lab_case(*state, "IPv6 %d", is_ipv6);
		build(&in, is_ipv6, server_mac(3), DSCP_MARK(1, 1));
		lab_expect(*state, &in,
			   want_tos(want_forward(&in, 3, ROUTER_chain_end), DSCP_MARK(LAST, 1)));
		build(&in, is_ipv6, server_mac(2), DSCP_MARK(2, 1));
		lab_expect(*state, &in,
			   want_noted(want_tos(want_forward(&in, 3, ROUTER_forward), 1),
				      ROUTER_restarted));
	}
}

#define with_router(test) cmocka_unit_test_setup_teardown(test, router_dscp, lab_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_router(a_bounced_packet_of_a_prefix_that_becomes_connected_is_the_kernels),
		with_router(so_is_an_old_connections_packet_when_all_servers_are_drained),
		with_router(a_bounced_packet_of_a_prefix_without_history_ends_at_the_current_owner),
	};

	return cmocka_run_group_tests(tests, namespace_enter, NULL);
}
