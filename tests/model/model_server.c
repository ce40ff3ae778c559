// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server program's verdict, as docs/design.md has it: VIP, protocol, whose socket it is,
 * delivered or bounced. Without a look at bpf/.
 */
#include <linux/bpf.h>
#include <string.h>
#include "model_packet.h"

#define NEAR           (64U << 20)
#define NEAR_TIME_WAIT (1U << 20)
#define WINDOW_MAX     (16U << 20)
#define COOKIE_SIZES   8 /* segment sizes that a cookie can stand for, and more */

struct path {
	const struct model_server *server;
	const struct model_frame *frame;
	struct model_outcome *outcome;
	struct packet packet;
};

static bool is_to_vip(const struct model_server *server, const struct packet *packet)
{
	for (uint32_t i = 0; i < server->vip_count; i++) {
		const struct model_vip *vip = &server->vip[i];
		uint32_t bit = 0;

		while (bit < vip->length &&
		       !((vip->addr.byte[bit / 8] ^ packet->flow.dst.byte[bit / 8]) &
			 (0x80 >> bit % 8)))
			bit++;
		if (bit == vip->length && vip->is_ipv6 == packet->is_ipv6)
			return true;
	}
	return false;
}

/* Bound to this address, to any of its family, or to any at all. */
static bool is_at(const struct model_socket *socket, const struct model_addr *addr)
{
	static const struct model_addr any, any_ipv4 = {{[10] = 0xff, [11] = 0xff}};

	if (!memcmp(&socket->local, &any, sizeof(any)) ||
	    !memcmp(&socket->local, addr, sizeof(*addr)))
		return true;
	return !memcmp(&socket->local, &any_ipv4, sizeof(any_ipv4)) && !memcmp(addr, &any_ipv4, 12);
}

static bool is_connected(const struct model_socket *socket)
{
	return socket->kind != MODEL_LISTENER && socket->kind != MODEL_UDP;
}

static bool takes(const struct model_socket *socket, const struct flow *flow)
{
	bool is_udp = socket->kind == MODEL_UDP || socket->kind == MODEL_UDP_CONNECTED;

	if (is_udp != (flow->proto == PROTO_UDP) || socket->local_port != read_16(flow->ports + 2))
		return false;
	if (!is_at(socket, &flow->dst))
		return false;
	return !is_connected(socket) || (socket->peer_port == read_16(flow->ports) &&
					 !memcmp(&socket->peer, &flow->src, sizeof(flow->src)));
}

/* Of those that take it, a connected one; else any; else NULL. */
static const struct model_socket *find_socket(const struct model_server *server,
					      const struct flow *flow)
{
	const struct model_socket *found = NULL;

	for (uint32_t i = 0; i < server->socket_count; i++)
		if (takes(&server->socket[i], flow) && (!found || is_connected(&server->socket[i])))
			found = &server->socket[i];
	return found;
}

/*
 * Within the distance of the connection's window. How large that is at the moment is the kernel's
 * business: between the smallest and the largest it may be, either answer is right.
 */
static bool is_near(const struct path *path, uint32_t number, uint32_t expected, uint32_t distance)
{
	uint32_t away = number - expected;

	away = away > UINT32_MAX / 2 ? -away : away;
	if (away > distance / 2 && away < distance + WINDOW_MAX)
		path->outcome->is_unclear = true;
	return away <= distance;
}

/* Are the numbers of this segment those of the connection? */
static bool are_its_numbers(const struct path *path, const struct model_socket *socket,
			    const uint8_t *tcp)
{
	uint32_t sequence = read_32(tcp + 4), acknowledged = read_32(tcp + 8);
	bool has_ack = tcp[13] & TCP_ACK;

	switch (socket->kind) {
	case MODEL_TCP:
		return is_near(path, sequence, socket->receive_next, NEAR) &&
		       (!has_ack || is_near(path, acknowledged, socket->send_next, NEAR));
	case MODEL_TCP_TIME_WAIT:
		return has_ack && is_near(path, sequence, socket->receive_next, NEAR_TIME_WAIT) &&
		       is_near(path, acknowledged, socket->send_next, NEAR_TIME_WAIT);
	case MODEL_TCP_REQUEST: return !has_ack || acknowledged == socket->send_next;
	default: return false;
	}
}

/*
 * Does it complete the connection that a SYN cookie promised? A cookie is the sum of a secret, the
 * client's number and a small one that stands for the segment size: so both numbers may be off
 * by the same, and a cookie of another size is as good.
 */
static bool is_cookie(const struct path *path, const struct model_socket *socket,
		      const uint8_t *tcp)
{
	uint32_t off =
		(read_32(tcp + 8) - socket->send_next) - (read_32(tcp + 4) - socket->receive_next);

	if ((tcp[13] & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return false;
	if (off && off + COOKIE_SIZES < 2 * COOKIE_SIZES)
		path->outcome->is_unclear = true;
	return !off;
}

/* What is the server's own of the packet, or SERVER_bounce. */
static enum ecmper_server_reason judge_tcp(const struct path *path)
{
	const uint8_t *tcp = path->frame->data + path->packet.l4;
	const struct model_socket *socket;

	if (!packet_has(path->frame, &path->packet, path->packet.l4, TCP_HEADER))
		return SERVER_bad_header;
	if ((tcp[13] & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return SERVER_syn;
	socket = find_socket(path->server, &path->packet.flow);
	if (socket && socket->kind == MODEL_COOKIE && is_cookie(path, socket, tcp))
		return SERVER_cookie;
	return socket && are_its_numbers(path, socket, tcp) ? SERVER_owned : SERVER_bounce;
}

static enum ecmper_server_reason judge_udp(const struct path *path, const struct flow *flow)
{
	const struct model_socket *socket = find_socket(path->server, flow);

	if (!socket)
		return SERVER_bounce;
	return socket->kind == MODEL_UDP ? SERVER_udp : SERVER_owned;
}

static enum ecmper_server_reason judge_error(const struct path *path)
{
	const struct flow *about = &path->packet.about;
	const struct model_socket *socket = find_socket(path->server, about);

	if (about->proto == PROTO_UDP)
		return judge_udp(path, about);
	if (!socket || socket->kind == MODEL_LISTENER || socket->kind == MODEL_COOKIE)
		return SERVER_bounce;
	return SERVER_owned;
}

static struct model_datagram *datagram_of(const struct packet *packet)
{
	struct model_datagram key = {.src = packet->flow.src,
				     .dst = packet->flow.dst,
				     .id = packet->fragment_id,
				     .proto = packet->fragment_proto};

	return model_fragments_at(&key);
}

static enum ecmper_server_reason judge(const struct path *path)
{
	const struct packet *packet = &path->packet;

	if (packet->is_later)
		return datagram_of(packet)->is_known ? SERVER_bounce : SERVER_fragment;
	if (packet->flow.proto == PROTO_TCP)
		return judge_tcp(path);
	if (packet->flow.proto == PROTO_UDP)
		return judge_udp(path, &packet->flow);
	if (packet->is_error &&
	    (packet->about.proto == PROTO_TCP || packet->about.proto == PROTO_UDP))
		return judge_error(path);
	return SERVER_other;
}

static void bounce(struct path *path, unsigned int tried)
{
	struct model_outcome *outcome = path->outcome;
	const uint8_t *macs = path->frame->data;

	outcome->verdict = XDP_TX;
	memcpy(outcome->data, macs + 6, 6);
	memcpy(outcome->data + 6, macs, 6);
	outcome_set_tos(outcome, &path->packet,
			mark_write(path->server->is_tos, path->packet.tos, tried + 1));
}

static enum ecmper_server_reason decide(struct path *path)
{
	const struct packet *packet = &path->packet;
	unsigned int tried;
	bool is_marked = mark_read(path->server->is_tos, packet->tos, &tried);
	bool is_tcp = (packet->is_error ? packet->about.proto : packet->flow.proto) == PROTO_TCP;
	enum ecmper_server_reason reason = judge(path);

	if (reason == SERVER_bounce && is_marked && (path->server->is_tos || tried == MARK_LAST))
		reason = SERVER_last;
	else if (reason == SERVER_bounce && is_marked && tried == MARK_QUIET)
		reason = is_tcp ? SERVER_raced : SERVER_last;
	if (packet->is_first && !path->outcome->is_unclear)
		datagram_of(packet)->is_known = reason == SERVER_bounce;
	if (reason == SERVER_bounce) {
		bounce(path, is_marked ? tried : 0);
	} else if (reason == SERVER_raced) {
		path->outcome->verdict = XDP_DROP;
	} else if (is_marked) {
		path->outcome->reasons |= MODEL_BIT(SERVER_mark_cleared);
		outcome_set_tos(path->outcome, packet,
				mark_clear(path->server->is_tos, packet->tos));
	}
	return reason;
}

void model_server_judge(const struct model_server *server, const struct model_frame *frame,
			struct model_outcome *outcome)
{
	struct path path = {.server = server, .frame = frame, .outcome = outcome};

	outcome->verdict = XDP_PASS;
	outcome->reasons = outcome->next_hop = 0;
	outcome->is_unclear = false;
	packet_parse(frame, &server->own, &path.packet);
	outcome->bytes = path.packet.counted;
	outcome_copy(outcome, frame);
	if (path.packet.kind == PACKET_BAD)
		outcome->reason = SERVER_bad_header;
	else if (path.packet.kind == PACKET_FOREIGN)
		outcome->reason = SERVER_not_mine;
	else if (path.packet.kind != PACKET_GOOD || !is_to_vip(server, &path.packet))
		outcome->reason = SERVER_not_vip;
	else
		outcome->reason = decide(&path);
	outcome->reasons |= MODEL_BIT(outcome->reason);
}
