// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server side: do I own this connection? If not, mark the packet and send it back. Reads as
 * the algorithm of docs/design.md. A stage returns the outcome once it is known, or 0
 * (SERVER_bounce): when no stage keeps the packet, it is bounced.
 */
#include "icmp.h"
#include "rewrite.h"
#include "shared_maps.h"
#include "unowned.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct ecmper_lpm_key);
	__type(value, __u32);
} ECMPER_MAP_VIPS SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct ecmper_lpm6_key);
	__type(value, __u32);
} ECMPER_MAP_VIPS6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SERVER_REASONS);
	__type(key, __u32);
	__type(value, struct ecmper_counter);
} ECMPER_MAP_COUNTERS SEC(".maps");

#include "verdict.h"

const volatile __u32 mark_format = ECMPER_MARK_DSCP;

/* The fields of the kernel's structures that are read here; libbpf finds their places (CO-RE). */
struct tcp_request_sock {
	__u32 snt_isn;
} __attribute__((preserve_access_index));

struct sock_common {
	__u32 skc_tw_snd_nxt;
	__u32 skc_tw_rcv_nxt;
} __attribute__((preserve_access_index));

struct inet_timewait_sock {
	struct sock_common __tw_common;
} __attribute__((preserve_access_index));

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
} __attribute__((preserve_access_index));

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 rcv_wnd;
	__u32 snd_una;
	__u32 snd_nxt;
} __attribute__((preserve_access_index));

static __always_inline int check_is_vip(const struct packet *pkt, const bool is_ipv6)
{
	if (is_ipv6) {
		struct ecmper_lpm6_key key = lpm6_key(pkt->ip6);

		return map_lookup(ECMPER_MAP_VIPS6, &key) ? 0 : SERVER_not_vip;
	} else {
		struct ecmper_lpm_key key = lpm_key(pkt->ip->daddr);

		return map_lookup(ECMPER_MAP_VIPS, &key) ? 0 : SERVER_not_vip;
	}
}

/*
 * A request socket knows the sequence number it chose for its SYN+ACK. An ACK of another number
 * belongs to the same client's connection with another server (its SYN was sent twice and hit
 * both): the kernel would answer it with an RST and end that connection.
 */
static __always_inline bool is_request_of(struct bpf_sock *sk, const struct tcphdr *tcp)
{
	struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(sk);

	return !request || !tcp->ack || bpf_ntohl(tcp->ack_seq) == request->snt_isn + 1;
}

/* How far a late packet's numbers may be from where the connection stands. */
#define LATE_BYTES (1 << 20)

static __always_inline bool is_between(__u32 number, __u32 first, __u32 last)
{
	return number - first <= last - first;
}

/*
 * A connection that this host closed first is remembered for a minute. Its client may use the port
 * again before, for a connection with another server: other numbers, and not ours. (The kernel
 * would answer for the closed one.)
 */
static __always_inline bool is_time_wait_of(struct bpf_sock *sk, const struct tcphdr *tcp)
{
	struct tcp_timewait_sock *closed = bpf_skc_to_tcp_timewait_sock(sk);
	__u32 sent, received;

	if (!closed)
		return true;
	sent = closed->tw_sk.__tw_common.skc_tw_snd_nxt;
	received = closed->tw_sk.__tw_common.skc_tw_rcv_nxt;
	return tcp->ack &&
	       is_between(bpf_ntohl(tcp->ack_seq), sent - LATE_BYTES, sent + LATE_BYTES) &&
	       is_between(bpf_ntohl(tcp->seq), received - LATE_BYTES, received + LATE_BYTES);
}

/* The same for a living connection, around its window. Larger than what is under way on nearly any
 * path, and small enough to tell another connection's numbers by: two random ones pass once in 1 024. */
#define OLD_BYTES (1 << 26)

/*
 * The same with a connection that this host did not hear the end of: its client is gone, or was
 * told by an RST that went astray. Packets of the port's next connection are far from its window.
 */
static __always_inline bool is_connection_of(struct bpf_sock *sk, const struct tcphdr *tcp)
{
	struct tcp_sock *mine = bpf_skc_to_tcp_sock(sk);

	if (!mine || sk->state == BPF_TCP_SYN_SENT)
		return true;
	return is_between(bpf_ntohl(tcp->seq), mine->rcv_nxt - OLD_BYTES,
			  mine->rcv_nxt + mine->rcv_wnd + OLD_BYTES) &&
	       (!tcp->ack || is_between(bpf_ntohl(tcp->ack_seq), mine->snd_una - OLD_BYTES,
					mine->snd_nxt + OLD_BYTES));
}

/* The tuple to look a socket up by. Returns its size, which is how the kernel knows the family. */
static __always_inline __u32 make_tuple(struct bpf_sock_tuple *tuple, const struct flow *flow,
					const bool is_ipv6)
{
	__be16 sport = flow->ports & 0xffff, dport = flow->ports >> 16; /* as in memory */

	if (is_ipv6) {
		__builtin_memcpy(tuple->ipv6.saddr, &flow->src, sizeof(flow->src));
		__builtin_memcpy(tuple->ipv6.daddr, &flow->dst, sizeof(flow->dst));
		tuple->ipv6.sport = sport;
		tuple->ipv6.dport = dport;
		return sizeof(tuple->ipv6);
	}
	tuple->ipv4.saddr = flow->src.word[3];
	tuple->ipv4.daddr = flow->dst.word[3];
	tuple->ipv4.sport = sport;
	tuple->ipv4.dport = dport;
	return sizeof(tuple->ipv4);
}

static __always_inline bool is_cookie(struct bpf_sock *sk, const struct packet *pkt,
				      const struct tcphdr *tcp, const bool is_ipv6)
{
	/* The helper takes the IP header without options: their size does not matter to it. */
	__u32 size = is_ipv6 ? sizeof(*pkt->ip6) : sizeof(*pkt->ip);

	return tcp->ack && !tcp->syn && !tcp->rst &&
	       bpf_tcp_check_syncookie(sk, pkt->ip, size, (void *)tcp, sizeof(*tcp)) == 0;
}

/* Is the packet of this socket's connection? (Its addresses and ports are the same.) */
static __always_inline bool is_owner(struct bpf_sock *sk, const struct tcphdr *tcp)
{
	switch (sk->state) {
	case BPF_TCP_NEW_SYN_RECV: return is_request_of(sk, tcp);
	case BPF_TCP_TIME_WAIT: return is_time_wait_of(sk, tcp);
	default: return is_connection_of(sk, tcp);
	}
}

/*
 * Does a socket of this host, or a SYN cookie that it sent, claim the TCP flow? `tcp`: the packet's
 * own header; NULL when an ICMP error is about the flow, which then needs a socket, that is all.
 */
static __always_inline int find_tcp_owner(struct xdp_md *ctx, const struct packet *pkt,
					  const struct flow *flow, const struct tcphdr *tcp,
					  const bool is_ipv6)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	int owner = 0;

	sk = bpf_skc_lookup_tcp(ctx, &tuple, make_tuple(&tuple, flow, is_ipv6), BPF_F_CURRENT_NETNS,
				0);
	if (!sk)
		return 0;
	if (sk->state != BPF_TCP_LISTEN)
		owner = !tcp || is_owner(sk, tcp) ? SERVER_owned : 0;
	else if (tcp && is_cookie(sk, pkt, tcp, is_ipv6))
		owner = SERVER_cookie;
	bpf_sk_release(sk);
	return owner;
}

/* A connected socket owns the flow; one that is not takes what comes. */
static __always_inline int find_udp_owner(struct xdp_md *ctx, const struct flow *flow,
					  const bool is_ipv6)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	int owner;

	sk = bpf_sk_lookup_udp(ctx, &tuple, make_tuple(&tuple, flow, is_ipv6), BPF_F_CURRENT_NETNS,
			       0);
	if (!sk)
		return 0;
	owner = sk->dst_port ? SERVER_owned : SERVER_udp;
	bpf_sk_release(sk);
	return owner;
}

static __always_inline int judge_tcp(struct xdp_md *ctx, const struct packet *pkt,
				     const struct flow *flow, const bool is_ipv6)
{
	const struct tcphdr *tcp = tcp_header(pkt);

	if (!tcp)
		return SERVER_bad_header;
	if (tcp->syn && !tcp->ack)
		return SERVER_syn;
	return find_tcp_owner(ctx, pkt, flow, tcp, is_ipv6);
}

/* Who keeps the packet? 0: nobody here. *flow: the packet's, or that which an ICMP error is about. */
static __always_inline int find_owner(struct xdp_md *ctx, const struct packet *pkt,
				      struct flow *flow, const bool is_ipv6)
{
	if (pkt->proto == IPPROTO_TCP)
		return judge_tcp(ctx, pkt, flow, is_ipv6);
	if (pkt->proto == IPPROTO_UDP)
		return find_udp_owner(ctx, flow, is_ipv6);
	if (!read_quoted_flow(ctx, pkt, flow, is_ipv6))
		return SERVER_other;
	if (flow->proto == IPPROTO_TCP)
		return find_tcp_owner(ctx, pkt, flow, NULL, is_ipv6);
	return flow->proto == IPPROTO_UDP ? find_udp_owner(ctx, flow, is_ipv6) : SERVER_other;
}

/* A datagram's later parts follow its first one. */
static __always_inline int judge_later_part(const struct packet *pkt, const bool is_ipv6)
{
	struct ecmper_fragment_key key = fragment_key(pkt, is_ipv6);

	return map_lookup(ECMPER_MAP_FRAGMENTS, &key) ? 0 : SERVER_fragment;
}

static __always_inline void remember_first_part(const struct packet *pkt, bool is_bounced,
						const bool is_ipv6)
{
	struct ecmper_fragment_key key = fragment_key(pkt, is_ipv6);
	struct ecmper_fragment fragment = {};

	if (is_bounced)
		bpf_map_update_elem(&ECMPER_MAP_FRAGMENTS, &key, &fragment, BPF_ANY);
	else
		bpf_map_delete_elem(&ECMPER_MAP_FRAGMENTS, &key);
}

static __always_inline int judge(struct xdp_md *ctx, const struct packet *pkt, const bool is_ipv6)
{
	struct flow flow = packet_flow(pkt, is_ipv6);
	int reason = pkt->is_later_part ? judge_later_part(pkt, is_ipv6)
					: find_owner(ctx, pkt, &flow, is_ipv6);

	if (!reason)
		reason = judge_unowned(mark_format, get_tos(pkt, is_ipv6),
				       flow.proto == IPPROTO_TCP);
	if (unlikely(pkt->is_fragment && !pkt->is_later_part))
		remember_first_part(pkt, reason == SERVER_bounce, is_ipv6);
	return reason;
}

/* The mark has done its work once a packet is delivered. */
static __always_inline void clear_mark(const struct packet *pkt, const bool is_ipv6)
{
	__u8 tos = get_tos(pkt, is_ipv6);

	if (!mark_is_set(mark_format, tos))
		return;
	set_tos(pkt, mark_clear(mark_format, tos), is_ipv6);
	count(SERVER_mark_cleared, pkt->bytes);
}

static __always_inline void bounce(const struct packet *pkt, const bool is_ipv6)
{
	set_tos(pkt, mark_bounced(mark_format, get_tos(pkt, is_ipv6)), is_ipv6);
	swap_macs(pkt->eth);
}

static __always_inline int parsed(enum parse_result result)
{
	switch (result) {
	case PARSE_OK: return 0;
	case PARSE_BAD_HEADER: return SERVER_bad_header;
	case PARSE_NOT_MINE: return SERVER_not_mine;
	default: return SERVER_not_vip;
	}
}

static __always_inline int verdict(const struct packet *pkt, int reason)
{
	count(reason, pkt->bytes);
	switch (reason) {
#define X(name, action, text)                                                                      \
	case SERVER_##name: return ACTION_##action;
		ECMPER_SERVER_REASONS(X)
#undef X
	}
	return XDP_ABORTED;
}

static __always_inline int serve_packet(struct xdp_md *ctx, struct packet *pkt, void *l3,
					const bool is_ipv6)
{
	int reason;

	reason = parsed(is_ipv6 ? parse_ipv6(ctx, pkt, l3) : parse_ipv4(ctx, pkt, l3));
	if (!reason)
		reason = check_is_vip(pkt, is_ipv6);
	if (reason)
		return verdict(pkt, reason);

	reason = judge(ctx, pkt, is_ipv6);
	if (reason == SERVER_bounce)
		bounce(pkt, is_ipv6);
	else if (reason != SERVER_raced)
		clear_mark(pkt, is_ipv6);
	return verdict(pkt, reason);
}

SEC("xdp.frags")
int ecmper_server(struct xdp_md *ctx)
{
	struct packet pkt = {};
	void *l3;
	int reason;

	reason = parsed(parse_ethernet(ctx, &pkt, &l3));
	if (!reason && pkt.l3_proto == bpf_htons(ETH_P_IP))
		return serve_packet(ctx, &pkt, l3, false);
	if (!reason && pkt.l3_proto == bpf_htons(ETH_P_IPV6))
		return serve_packet(ctx, &pkt, l3, true);
	if (!reason)
		reject(ctx, &pkt, PARSE_NOT_IP);
	return verdict(&pkt, SERVER_not_vip);
}
