// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of one flow: the router program's choice, computed from the same hash and the same
 * maps.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "flow_hash.h"
#include "view.h"

static void add_hop(const struct ecmper *ecmper, const struct device *ports, uint16_t id,
		    struct ecmper_trace *trace)
{
	struct ecmper_hop hop;

	if (ecmper_nh_hop(ecmper, id, &hop) && trace->hop_count < 1 + ECMPER_DEPTH_MAX_DSCP)
		neigh_view(ecmper, ports, id, &trace->hops[trace->hop_count++]);
}

static __be32 ports_of(const struct ecmper_flow *flow)
{
	__be16 pair[2] = {htons(flow->sport), htons(flow->dport)};
	__be32 ports;

	memcpy(&ports, pair, sizeof(ports));
	return flow->proto == IPPROTO_TCP || flow->proto == IPPROTO_UDP ? ports : 0;
}

/* As hash_flow() of the router program. */
static uint32_t hash_of(const struct ecmper *ecmper, const struct ecmper_flow *flow,
			enum ecmper_hash_on hash_on)
{
	const struct ecmper_hash_key *key = &ecmper->tables.config->hash_key;
	bool is_5tuple = hash_on == ECMPER_HASH_ON_5TUPLE;
	struct ecmper_addr dst = hash_on == ECMPER_HASH_ON_SRC ? (struct ecmper_addr){} : flow->dst;
	__be32 ports = is_5tuple ? ports_of(flow) : 0;
	uint8_t proto = is_5tuple ? flow->proto : 0;

	if (ecmper_addr_is_ipv4(&flow->dst))
		return ecmper_flow_hash4(key, flow->src.word[3], dst.word[3], ports, proto);
	return ecmper_flow_hash6(key, &flow->src, &dst, ports, proto);
}

/* A packet to a link-local address stays on its link: a neighbour without a device in its name. */
static void trace_connected(struct ecmper *ecmper, const struct device *ports,
			    const struct ecmper_addr *dst, struct ecmper_trace *trace)
{
	struct ecmper_hop hop = {.addr = *dst};
	uint32_t id;

	if (!ecmper->tables.ops->neigh_id_get(ecmper, &hop, &id))
		add_hop(ecmper, ports, id, trace);
	trace->has_owner = trace->hop_count;
}

static void trace_hashed(struct ecmper *ecmper, const struct device *ports,
			 const struct ecmper_prefix *value, uint32_t hash,
			 struct ecmper_trace *trace)
{
	trace->hash = hash;
	trace->bucket_count = value->cur_nh_count;
	trace->bucket = hash & (value->cur_nh_count - 1);
	add_hop(ecmper, ports, ecmper_cur_nh_at(ecmper, value->cur_nh_offset + trace->bucket),
		trace);
	trace->has_owner = trace->hop_count;
	for (uint32_t slot = trace->bucket; slot < value->prv_nh_count; slot += value->cur_nh_count)
		add_hop(ecmper, ports, ecmper_prv_nh_at(ecmper, value->prv_nh_offset + slot),
			trace);
}

int ecmper_trace(struct ecmper *ecmper, const struct ecmper_flow *flow, struct ecmper_trace *trace,
		 struct ecmper_error *err)
{
	int ret = instance_is_router(ecmper, err);
	struct ecmper_prefix value;
	char text[ECMPER_ADDR_STRLEN];
	struct device *ports;

	*trace = (struct ecmper_trace){};
	if (ret)
		return ret;
	ret = maps_lpm_match(ecmper, &flow->dst, &value);
	if (ret && ret != -ENOENT)
		return ecmper_fail(err, ret, "cannot look up the prefix: %s", strerror(-ret));
	if (ret)
		return ecmper_fail(err, ret, "%s: no prefix matches; `ecmperctl show` lists them",
				   ecmper_addr_format(&flow->dst, text));
	ret = ports_look(ecmper, &ports, err);
	if (ret)
		return ret;
	trace->net = (struct ecmper_net){.addr = value.addr, .len = value.prefixlen};
	trace->is_connected = value.flags & ECMPER_PREFIX_CONNECTED;
	if (trace->is_connected)
		trace_connected(ecmper, ports, &flow->dst, trace);
	else
		trace_hashed(ecmper, ports, &value, hash_of(ecmper, flow, value.hash_on), trace);
	free(ports);
	return 0;
}
