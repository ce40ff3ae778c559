// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures other XDP programs: builds a packet of a random flow, then tail-calls the program in
 * slot 0. A test run with `repeat` would otherwise feed a program its own changed packet. Also the
 * programs to compare with: an empty one (the wrapper's own cost, to be subtracted) and floors
 * (the least that a forwarder does). Headers are written field by field, in the widths in which
 * they are read, so that no read waits for two writes. Loaded by bench/bench.c.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "flows.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tx_port SEC(".maps");

struct line {
	__u64 word[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_LINES);
	__type(key, __u32);
	__type(value, struct line);
} memory SEC(".maps");

struct bench_flows flows = {};
__u32 seed = 1;
__u32 fib_ifindex = 0; /* the device that kernel_fib says packets come from */

static __always_inline __u32 next_random(void)
{
	__u32 x = seed;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	seed = x;
	return x;
}

/* The next packet's flow, in host order. */
struct flow {
	__u32 src, dst;
	__u16 sport;
};

static __always_inline struct flow next_flow(void)
{
	__u32 flow = next_random() & flows.mask;
	__u32 spread = flow * 0x9e3779b1u;

	return (struct flow){
		.src = flows.src_first + (flow >> BENCH_PORT_BITS),
		.dst = flows.dst_first +
		       (((__u64)spread * flows.dst_count >> 32) << flows.dst_shift),
		.sport = flows.sport_first + (flow & ((1 << BENCH_PORT_BITS) - 1)),
	};
}

static __always_inline void write_ethernet(void *data, __u16 proto)
{
	*(__u32 *)data = *(__u32 *)flows.dst_mac;
	*(__u16 *)(data + 4) = *(__u16 *)(flows.dst_mac + 4);
	*(__u32 *)(data + 6) = *(__u32 *)flows.src_mac;
	*(__u16 *)(data + 10) = *(__u16 *)(flows.src_mac + 4);
	*(__u16 *)(data + 12) = bpf_htons(proto);
}

static __always_inline void write_ipv4(__u32 *ip, __u32 src, __u32 dst)
{
	ip[0] = flows.ip_word[0];
	ip[1] = flows.ip_word[1];
	ip[2] = flows.ip_word[2];
	ip[3] = bpf_htonl(src);
	ip[4] = bpf_htonl(dst);
}

SEC("xdp.frags")
int outer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip = data + sizeof(struct ethhdr);
	struct flow flow = next_flow();

	if (data + BENCH_FRAME > end)
		return XDP_ABORTED;
	write_ethernet(data, ETH_P_IP);
	write_ipv4(ip, flow.src, flow.dst);
	ip[5] = flows.dport << 16 | bpf_htons(flow.sport);
	bpf_tail_call(ctx, &slot, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int outer_ipv6(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip = data + sizeof(struct ethhdr);
	struct flow flow = next_flow();

	if (data + BENCH_FRAME_MAX > end)
		return XDP_ABORTED;
	write_ethernet(data, ETH_P_IPV6);
	ip[0] = bpf_htonl(0x60000000);
	ip[1] = bpf_htonl((BENCH_FRAME_MAX - sizeof(struct ethhdr) - 40) << 16 | 6 << 8 | 64);
	*(__u64 *)(ip + 2) = bpf_htonl(BENCH_SRC6);
	*(__u64 *)(ip + 4) = (__u64)bpf_htonl(flow.src) << 32;
	*(__u64 *)(ip + 6) = bpf_htonl(BENCH_DST6);
	*(__u64 *)(ip + 8) = (__u64)bpf_htonl(flow.dst) << 32;
	ip[10] = flows.dport << 16 | bpf_htons(flow.sport);
	bpf_tail_call(ctx, &slot, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int outer_vlan(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip = data + sizeof(struct ethhdr) + 4;
	struct flow flow = next_flow();

	if (data + BENCH_FRAME_MAX > end)
		return XDP_ABORTED;
	write_ethernet(data, ETH_P_8021Q);
	*(__u16 *)(data + 14) = bpf_htons(BENCH_VLAN_TCI);
	*(__u16 *)(data + 16) = bpf_htons(ETH_P_IP);
	write_ipv4(ip, flow.src, flow.dst);
	ip[5] = flows.dport << 16 | bpf_htons(flow.sport);
	bpf_tail_call(ctx, &slot, 0);
	return XDP_ABORTED;
}

/* The quoted segment went from the VIP to the client. */
SEC("xdp.frags")
int outer_icmp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip = data + sizeof(struct ethhdr);
	struct flow flow = next_flow();

	if (data + BENCH_FRAME_MAX > end)
		return XDP_ABORTED;
	write_ethernet(data, ETH_P_IP);
	write_ipv4(ip, 0xcb007101, flow.dst); /* 203.0.113.1, a router */
	ip[0] = bpf_htonl(0x45000000 | (20 + 8 + 20 + 8));
	ip[2] = bpf_htonl(0x40010000);
	ip[5] = bpf_htonl(0x03040000);
	ip[6] = bpf_htonl(1400);
	write_ipv4(ip + 7, flow.dst, flow.src);
	ip[12] = bpf_htons(flow.sport) << 16 | flows.dport;
	bpf_tail_call(ctx, &slot, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int empty(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

/* The other end of a veth, where frames arrive that a program redirected. */
SEC("xdp.frags")
int drop(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

static __always_inline bool swap_macs(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 dst, src;
	__u16 dst_rest, src_rest;

	if (data + sizeof(struct ethhdr) > end)
		return false;
	dst = *(__u32 *)data;
	dst_rest = *(__u16 *)(data + 4);
	src = *(__u32 *)(data + 6);
	src_rest = *(__u16 *)(data + 10);
	*(__u32 *)data = src;
	*(__u16 *)(data + 4) = src_rest;
	*(__u32 *)(data + 6) = dst;
	*(__u16 *)(data + 10) = dst_rest;
	return true;
}

SEC("xdp.frags")
int floor_tx(struct xdp_md *ctx)
{
	return swap_macs(ctx) ? XDP_TX : XDP_DROP;
}

SEC("xdp.frags")
int floor_redirect(struct xdp_md *ctx)
{
	return swap_macs(ctx) ? bpf_redirect_map(&tx_port, 0, XDP_DROP) : XDP_DROP;
}

/* The same, after one look at memory: at a random line of so many. */
SEC("xdp.frags")
int floor_read(struct xdp_md *ctx)
{
	__u32 index = next_random() & flows.lines;
	struct line *line = bpf_map_lookup_elem(&memory, &index);

	if (!line || line->word[0] || !swap_macs(ctx))
		return XDP_DROP;
	return bpf_redirect_map(&tx_port, 0, XDP_DROP);
}

/* What xdp-forward does: the kernel's own routing table and neighbours, then the same redirect. */
SEC("xdp.frags")
int kernel_fib(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bpf_fib_lookup fib = {.family = 2 /* AF_INET */, .ifindex = fib_ifindex};
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 sum;

	if ((void *)(ip + 1) > end || ((struct ethhdr *)data)->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->ttl <= 1)
		return XDP_PASS;
	fib.tos = ip->tos;
	fib.l4_protocol = ip->protocol;
	fib.tot_len = bpf_ntohs(ip->tot_len);
	fib.ipv4_src = ip->saddr;
	fib.ipv4_dst = ip->daddr;
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;
	sum = ip->check + (__u32)bpf_htons(0x0100);
	ip->check = sum + (sum >= 0xffff);
	ip->ttl--;
	__builtin_memcpy(data, fib.dmac, ETH_ALEN);
	__builtin_memcpy(data + ETH_ALEN, fib.smac, ETH_ALEN);
	return bpf_redirect_map(&tx_port, 0, XDP_DROP);
}
