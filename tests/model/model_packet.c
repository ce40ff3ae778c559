// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a frame, byte by byte and each one checked to be there: Ethernet and VLAN tags, IPv4
 * (RFC 791), IPv6 and its extension headers (RFC 8200, 4302, 6275), ports, the packet quoted in an
 * ICMP error (RFC 792, 4443). Written from docs/design.md, without a look at bpf/.
 */
#include <string.h>
#include "model_packet.h"

#define ETHERNET          14
#define TAG               4
#define TYPE_IPV4         0x0800
#define TYPE_IPV6         0x86dd
#define TYPE_8021Q        0x8100
#define TYPE_8021AD       0x88a8
#define IPV4_HEADER       20
#define IPV6_HEADER       40
#define ICMP_HEADER       8
#define EXTENSIONS_MAX    8
#define EXTENSIONS_REACH  2048
#define MORE_FRAGMENTS_V4 0x2000
#define OFFSET_V4         0x1fff
#define MORE_FRAGMENTS_V6 0x0001
#define OFFSET_V6         0xfff8

uint16_t read_16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

uint32_t read_32(const uint8_t *at)
{
	return (uint32_t)read_16(at) << 16 | read_16(at + 2);
}

static struct model_addr ipv4_at(const uint8_t *at)
{
	struct model_addr addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

	memcpy(addr.byte + 12, at, 4);
	return addr;
}

static struct model_addr ipv6_at(const uint8_t *at)
{
	struct model_addr addr;

	memcpy(addr.byte, at, 16);
	return addr;
}

bool packet_has(const struct model_frame *frame, const struct packet *packet, uint32_t at,
		uint32_t length)
{
	return at + length <= packet->end && at + length <= frame->readable;
}

/* A walk along extension headers, of a packet or of a quoted one. */
struct walk {
	uint32_t at, end; /* the next header; where the last one must end */
	uint8_t proto;
	bool is_fragment, has_more;
	uint32_t offset, id;
};

static bool is_extension(uint8_t proto)
{
	return proto == PROTO_HOP_BY_HOP || proto == PROTO_ROUTING || proto == PROTO_DESTINATION ||
	       proto == PROTO_MOBILITY || proto == PROTO_AH || proto == PROTO_FRAGMENT;
}

static uint32_t extension_length(uint8_t proto, uint8_t length)
{
	if (proto == PROTO_FRAGMENT)
		return 8;
	return proto == PROTO_AH ? (length + 2) * 4 : (length + 1) * 8;
}

/* To the first header that is none of the extension headers. False: that cannot be found. */
static bool walk_extensions(const struct model_frame *frame, struct walk *walk)
{
	for (int count = 0; is_extension(walk->proto) && !walk->offset; count++) {
		const uint8_t *header = frame->data + walk->at;
		uint32_t length;

		if (count == EXTENSIONS_MAX || walk->at + 8 > walk->end)
			return false;
		length = extension_length(walk->proto, header[1]);
		if (walk->at + length > walk->end || walk->at + length > EXTENSIONS_REACH)
			return false;
		if (walk->proto == PROTO_FRAGMENT) {
			walk->is_fragment = true;
			walk->offset = read_16(header + 2) & OFFSET_V6;
			walk->has_more = read_16(header + 2) & MORE_FRAGMENTS_V6;
			walk->id = read_32(header + 4);
		}
		walk->proto = header[0];
		walk->at += length;
	}
	return true;
}

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP;
}

static enum packet_kind parse_ipv4(const struct model_frame *frame, struct packet *packet)
{
	const uint8_t *ip = frame->data + packet->l3;
	uint32_t header = (ip[0] & 0x0f) * 4, length = read_16(ip + 2);
	uint16_t fragment = read_16(ip + 6);

	if (ip[0] >> 4 != 4 || header < IPV4_HEADER || length < header ||
	    packet->l3 + length > frame->length)
		return PACKET_BAD;
	packet->tos = ip[1];
	packet->ttl = ip[8];
	packet->end = packet->l3 + length;
	packet->l4 = packet->l3 + header;
	packet->flow.proto = packet->fragment_proto = ip[9];
	packet->flow.src = ipv4_at(ip + 12);
	packet->flow.dst = ipv4_at(ip + 16);
	packet->fragment_id = read_16(ip + 4);
	packet->is_later = fragment & OFFSET_V4;
	packet->is_first = !packet->is_later && (fragment & MORE_FRAGMENTS_V4);
	return PACKET_GOOD;
}

static enum packet_kind parse_ipv6(const struct model_frame *frame, struct packet *packet)
{
	const uint8_t *ip = frame->data + packet->l3;
	struct walk walk = {.at = packet->l3 + IPV6_HEADER, .proto = ip[6]};

	packet->end = walk.end = walk.at + read_16(ip + 4);
	if (ip[0] >> 4 != 6 || packet->end > frame->length)
		return PACKET_BAD;
	packet->tos = read_16(ip) >> 4 & 0xff;
	packet->ttl = ip[7];
	packet->flow.src = ipv6_at(ip + 8);
	packet->flow.dst = ipv6_at(ip + 24);
	packet->counted = packet->end;
	if (!walk_extensions(frame, &walk))
		return PACKET_BAD;
	packet->l4 = walk.at;
	packet->flow.proto = walk.proto;
	packet->fragment_id = walk.id;
	packet->is_later = walk.offset;
	packet->is_first = !walk.offset && walk.has_more;
	return PACKET_GOOD;
}

static bool is_icmp_error(const struct packet *packet, uint8_t type)
{
	if (packet->is_ipv6)
		return packet->flow.proto == PROTO_ICMP6 && type >= 1 && type <= 4;
	return packet->flow.proto == PROTO_ICMP &&
	       (type == 3 || type == 4 || type == 11 || type == 12);
}

/* The header at walk->at, which is quoted: its addresses turned round, and where its payload is. */
static bool read_quoted_header(const struct model_frame *frame, const struct packet *packet,
			       struct walk *walk, struct flow *about)
{
	const uint8_t *ip = frame->data + walk->at;
	uint32_t header = packet->is_ipv6 ? IPV6_HEADER : IPV4_HEADER;

	if (!packet_has(frame, packet, walk->at, header) || ip[0] >> 4 != (packet->is_ipv6 ? 6 : 4))
		return false;
	if (packet->is_ipv6) {
		about->dst = ipv6_at(ip + 8);
		about->src = ipv6_at(ip + 24);
		walk->proto = ip[6];
		walk->at += IPV6_HEADER;
		return walk_extensions(frame, walk);
	}
	header = (ip[0] & 0x0f) * 4;
	if (header < IPV4_HEADER || walk->at + header > packet->end)
		return false;
	about->dst = ipv4_at(ip + 12);
	about->src = ipv4_at(ip + 16);
	walk->proto = ip[9];
	walk->offset = read_16(ip + 6) & OFFSET_V4;
	walk->at += header;
	return true;
}

static void parse_error(const struct model_frame *frame, struct packet *packet)
{
	struct walk walk = {.at = packet->l4 + ICMP_HEADER, .end = packet->end};
	struct flow about = {};

	if (packet->is_fragment || !packet_has(frame, packet, packet->l4, ICMP_HEADER) ||
	    !is_icmp_error(packet, frame->data[packet->l4]) ||
	    !read_quoted_header(frame, packet, &walk, &about) || walk.offset ||
	    memcmp(&about.dst, &packet->flow.dst, sizeof(about.dst)))
		return;
	about.proto = walk.proto;
	if (has_ports(walk.proto)) {
		if (!packet_has(frame, packet, walk.at, 4))
			return;
		memcpy(about.ports, frame->data + walk.at + 2, 2);
		memcpy(about.ports + 2, frame->data + walk.at, 2);
	}
	packet->about = about;
	packet->is_error = true;
}

/* The type behind at most two tags; 0 when the frame ends before. */
static uint16_t parse_ethernet(const struct model_frame *frame, struct packet *packet)
{
	uint32_t at = ETHERNET - 2;

	for (;;) {
		uint16_t type;

		if (at + 2 > frame->readable)
			return 0;
		type = read_16(frame->data + at);
		packet->l3 = at + 2;
		if ((type != TYPE_8021Q && type != TYPE_8021AD) || packet->tags == 2)
			return type;
		if (at + 2 + TAG > frame->readable)
			return 0;
		if (!packet->tags++)
			packet->outer_tag = read_16(frame->data + at + 2);
		at += TAG;
	}
}

static bool is_foreign(const struct model_frame *frame, const struct model_own *own)
{
	for (int i = 0; i < MODEL_OWN_MACS_MAX; i++)
		if (!memcmp(frame->data, own->mac[i], 6))
			return false;
	return true;
}

static enum packet_kind parse_ip(const struct model_frame *frame, const struct model_own *own,
				 struct packet *packet)
{
	enum packet_kind kind;

	if (packet->l3 + (packet->is_ipv6 ? IPV6_HEADER : IPV4_HEADER) > frame->readable)
		return PACKET_BAD;
	if (frame->data[0] & 1)
		return PACKET_GROUP;
	if (is_foreign(frame, own))
		return PACKET_FOREIGN;
	kind = packet->is_ipv6 ? parse_ipv6(frame, packet) : parse_ipv4(frame, packet);
	if (kind != PACKET_GOOD)
		return kind;
	packet->counted = packet->end;
	packet->is_fragment = packet->is_first || packet->is_later;
	if (has_ports(packet->flow.proto) && !packet->is_later) {
		if (!packet_has(frame, packet, packet->l4, 4))
			return PACKET_BAD;
		memcpy(packet->flow.ports, frame->data + packet->l4, 4);
	}
	packet->is_icmp = packet->flow.proto == (packet->is_ipv6 ? PROTO_ICMP6 : PROTO_ICMP);
	packet->icmp_type = -1;
	if (packet->is_icmp && !packet->is_later && packet->l4 + ICMP_HEADER <= packet->end)
		packet->icmp_type = frame->data[packet->l4];
	parse_error(frame, packet);
	return PACKET_GOOD;
}

void packet_parse(const struct model_frame *frame, const struct model_own *own,
		  struct packet *packet)
{
	uint16_t type;

	memset(packet, 0, sizeof(*packet));
	packet->counted = frame->length;
	type = parse_ethernet(frame, packet);
	packet->is_ipv6 = type == TYPE_IPV6;
	packet->kind = type == TYPE_IPV4 || type == TYPE_IPV6 ? parse_ip(frame, own, packet)
							      : PACKET_NOT_IP;
}
