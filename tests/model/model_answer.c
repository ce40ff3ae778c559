// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ICMP errors that the router makes (RFC 792, 1191, 1812, 4443), byte by byte. Written from
 * docs/design.md, without a look at bpf/.
 */
#include <string.h>
#include "model_packet.h"

#define QUOTE_MAX  128
#define ICMP       8
#define PRECEDENCE 0xc0

static bool is_host(const struct packet *packet, const struct model_addr *addr)
{
	static const uint8_t zeros[15];
	uint8_t first = addr->byte[packet->is_ipv6 ? 0 : 12];

	if (!packet->is_ipv6)
		return first != 0 && first != 127 && first < 224;
	return first != 0xff && (memcmp(addr->byte, zeros, 15) || addr->byte[15] > 1);
}

bool answer_is_allowed(const struct packet *packet)
{
	int type = packet->icmp_type;

	if (packet->is_later || !is_host(packet, &packet->flow.src) ||
	    !is_host(packet, &packet->flow.dst))
		return false;
	if (!packet->is_icmp)
		return true;
	if (packet->is_ipv6)
		return type >= 128;
	return type >= 0 && type != 3 && type != 4 && type != 5 && type != 11 && type != 12;
}

/* Words of two bytes, added up; the last may be half of one. */
static uint32_t add_up(const uint8_t *at, uint32_t length)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	return sum;
}

static void write_checksum(uint8_t *at, uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = ~sum >> 8;
	at[1] = ~sum;
}

static void write_16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Returns what the ICMP checksum begins with. */
static uint32_t write_header(uint8_t *ip, const struct packet *packet,
			     const struct model_router *router, uint32_t payload)
{
	if (packet->is_ipv6) {
		memset(ip, 0, 40);
		write_16(ip, 6 << 12 | PRECEDENCE << 4);
		write_16(ip + 4, payload);
		ip[6] = PROTO_ICMP6;
		ip[7] = 64;
		memcpy(ip + 8, router->source6, 16);
		memcpy(ip + 24, packet->flow.src.byte, 16);
		return add_up(ip + 8, 32) + payload + PROTO_ICMP6;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = PRECEDENCE;
	write_16(ip + 2, 20 + payload);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 64;
	ip[9] = PROTO_ICMP;
	memcpy(ip + 12, router->source4, 4);
	memcpy(ip + 16, packet->flow.src.byte + 12, 4);
	write_checksum(ip + 10, add_up(ip, 20));
	return 0;
}

static void write_type(uint8_t *icmp, bool is_ipv6, uint32_t mtu)
{
	memset(icmp, 0, ICMP);
	if (is_ipv6) {
		icmp[0] = mtu ? 2 : 3;
	} else {
		icmp[0] = mtu ? 3 : 11;
		icmp[1] = mtu ? 4 : 0;
	}
	write_16(icmp + 6, mtu);
}

void outcome_answer(struct model_outcome *outcome, const struct packet *packet,
		    const struct model_router *router, uint32_t mtu)
{
	uint32_t length = packet->end - packet->l3, sum;
	uint8_t quoted[QUOTE_MAX], macs[12];
	uint8_t *ip = outcome->data + packet->l3;
	uint8_t *icmp = ip + (packet->is_ipv6 ? 40 : 20);

	length = length < QUOTE_MAX ? length : QUOTE_MAX;
	memcpy(quoted, ip, length);
	memcpy(macs, outcome->data + 6, 6);
	memcpy(macs + 6, outcome->data, 6);
	memcpy(outcome->data, macs, 12);
	sum = write_header(ip, packet, router, ICMP + length);
	write_type(icmp, packet->is_ipv6, mtu);
	memcpy(icmp + ICMP, quoted, length);
	write_checksum(icmp + 2, sum + add_up(icmp, ICMP + length));
	outcome->length = icmp + ICMP + length - outcome->data;
}
