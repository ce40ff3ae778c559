// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of one flow: the router program's choice, computed from the same hash and the same
 * maps. Used by `ecmperctl trace`.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "flow_hash.h"
#include "instance.h"

static void add_hop(const struct ecmper *ecmper, uint16_t id, struct ecmper_trace *trace)
{
	if (ecmper_nh_addr(ecmper, id) && trace->hop_count < 1 + ECMPER_DEPTH_MAX_DSCP)
		neigh_view(ecmper, id, &trace->hops[trace->hop_count++]);
}

static __be32 ports_of(const struct ecmper_flow *flow)
{
	__be16 pair[2] = {htons(flow->sport), htons(flow->dport)};
	__be32 ports;

	memcpy(&ports, pair, sizeof(ports));
	return flow->proto == IPPROTO_TCP || flow->proto == IPPROTO_UDP ? ports : 0;
}

int ecmper_trace(struct ecmper *ecmper, const struct ecmper_flow *flow, struct ecmper_trace *trace,
		 struct ecmper_error *err)
{
	struct ecmper_lpm_key key = lpm_key(&(struct ecmper_net){.addr = flow->dst, .len = 32});
	struct ecmper_prefix value;
	char text[ECMPER_ADDR_STRLEN];
	uint32_t id;
	int ret;

	*trace = (struct ecmper_trace){};
	ret = bpf_map_lookup_elem(ecmper->fd[MAP_LPM], &key, &value);
	if (ret)
		return ecmper_fail(err, ret, "%s: no prefix matches; `ecmperctl show` lists them",
				   ecmper_addr_format(&flow->dst, text));
	trace->net = (struct ecmper_net){.addr = value.addr, .len = value.prefixlen};
	trace->is_connected = value.flags & ECMPER_PREFIX_CONNECTED;
	if (trace->is_connected) {
		if (!ecmper->tables.ops->neigh_id_get(ecmper, &flow->dst, &id))
			add_hop(ecmper, id, trace);
		trace->has_owner = trace->hop_count;
		return 0;
	}
	trace->hash =
		ecmper_flow_hash4(&ecmper->tables.config->hash_key, ecmper_addr_to_ipv4(&flow->src),
				  ecmper_addr_to_ipv4(&flow->dst), ports_of(flow), flow->proto);
	trace->bucket_count = value.cur_nh_count;
	trace->bucket = trace->hash & (value.cur_nh_count - 1);
	add_hop(ecmper, ecmper_cur_nh_at(ecmper, value.cur_nh_offset + trace->bucket), trace);
	trace->has_owner = trace->hop_count;
	for (uint32_t slot = trace->bucket; slot < value.prv_nh_count; slot += value.cur_nh_count)
		add_hop(ecmper, ecmper_prv_nh_at(ecmper, value.prv_nh_offset + slot), trace);
	return 0;
}
