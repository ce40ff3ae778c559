// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server side: do I own this connection? If not, mark the packet and send it back. Reads as
 * the algorithm of docs/design.md. A stage returns the outcome once it is known, or 0
 * (SERVER_bounce): when no stage keeps the packet, it is bounced.
 */
#include "parse.h"
#include "mark.h"
#include "rewrite.h"
#include "ecmper_abi.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ecmper_config);
} ECMPER_MAP_CONFIG SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct ecmper_lpm_key);
	__type(value, __u32);
} ECMPER_MAP_VIPS SEC(".maps");

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

static __always_inline int check_is_vip(const struct packet *pkt)
{
	struct ecmper_lpm_key key = lpm_key(pkt->ip->daddr);

	return map_lookup(ECMPER_MAP_VIPS, &key) ? 0 : SERVER_not_vip;
}

static __always_inline int check_is_tcp(const struct packet *pkt)
{
	if (pkt->ip->protocol != IPPROTO_TCP)
		return SERVER_not_tcp;
	return pkt->is_later_part ? SERVER_fragment : 0;
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

/* How far a late packet's numbers may be from a closed connection's. */
#define TIME_WAIT_WINDOW (1 << 20)

static __always_inline bool is_near(__u32 a, __u32 b)
{
	return a - b + TIME_WAIT_WINDOW <= 2 * TIME_WAIT_WINDOW;
}

/*
 * A connection that this host closed first is remembered for a minute. Its client may use the port
 * again before, for a connection with another server: other numbers, and not ours. (The kernel
 * would answer for the closed one.)
 */
static __always_inline bool is_time_wait_of(struct bpf_sock *sk, const struct tcphdr *tcp)
{
	struct tcp_timewait_sock *closed = bpf_skc_to_tcp_timewait_sock(sk);

	return !closed ||
	       (tcp->ack &&
		is_near(bpf_ntohl(tcp->ack_seq), closed->tw_sk.__tw_common.skc_tw_snd_nxt) &&
		is_near(bpf_ntohl(tcp->seq), closed->tw_sk.__tw_common.skc_tw_rcv_nxt));
}

/* Does a socket of this host, or a SYN cookie that it sent, claim the packet? */
static __always_inline int find_owner(struct xdp_md *ctx, const struct packet *pkt,
				      const struct tcphdr *tcp)
{
	struct bpf_sock_tuple tuple = {
		.ipv4 = {.saddr = pkt->ip->saddr,
			 .daddr = pkt->ip->daddr,
			 .sport = tcp->source,
			 .dport = tcp->dest},
	};
	struct bpf_sock *sk;
	int owner = 0;

	sk = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	if (sk->state == BPF_TCP_NEW_SYN_RECV)
		owner = is_request_of(sk, tcp) ? SERVER_owned : 0;
	else if (sk->state == BPF_TCP_TIME_WAIT)
		owner = is_time_wait_of(sk, tcp) ? SERVER_owned : 0;
	else if (sk->state != BPF_TCP_LISTEN)
		owner = SERVER_owned;
	else if (tcp->ack && !tcp->syn && !tcp->rst &&
		 bpf_tcp_check_syncookie(sk, pkt->ip, sizeof(*pkt->ip), (void *)tcp,
					 sizeof(*tcp)) == 0)
		owner = SERVER_cookie;
	bpf_sk_release(sk);
	return owner;
}

static __always_inline int judge(struct xdp_md *ctx, const struct packet *pkt)
{
	const struct tcphdr *tcp = tcp_header(pkt);
	int owner;

	if (!tcp)
		return SERVER_bad_header;
	if (tcp->syn && !tcp->ack)
		return SERVER_syn;
	owner = find_owner(ctx, pkt, tcp);
	if (owner)
		return owner;
	return mark_is_last(mark_format, pkt->ip->tos) ? SERVER_last : 0;
}

/* The mark has done its work once a packet is delivered. */
static __always_inline void clear_mark(const struct packet *pkt)
{
	__u8 tos = pkt->ip->tos;

	if (!mark_is_set(mark_format, tos))
		return;
	set_tos(pkt->ip, mark_clear(mark_format, tos));
	count(SERVER_mark_cleared, pkt->bytes);
}

static __always_inline void bounce(const struct packet *pkt)
{
	__u8 tos = pkt->ip->tos;
	__u32 tried = mark_is_set(mark_format, tos) ? mark_tried(mark_format, tos) : 0;

	set_tos(pkt->ip, mark_set(mark_format, tos, tried + 1));
	swap_macs(pkt->eth);
}

static __always_inline int parsed(enum parse_result result)
{
	switch (result) {
	case PARSE_OK: return 0;
	case PARSE_BAD_HEADER: return SERVER_bad_header;
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

SEC("xdp.frags")
int ecmper_server(struct xdp_md *ctx)
{
	struct packet pkt = {};
	int reason;

	reason = parsed(parse(ctx, &pkt));
	if (!reason)
		reason = check_is_vip(&pkt);
	if (reason)
		return verdict(&pkt, reason);

	reason = check_is_tcp(&pkt);
	if (!reason)
		reason = judge(ctx, &pkt);
	if (reason == SERVER_bounce)
		bounce(&pkt);
	else
		clear_mark(&pkt);
	return verdict(&pkt, reason);
}
