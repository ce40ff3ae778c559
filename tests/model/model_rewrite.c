// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is changed in a frame on its way out: ToS and TTL with the IPv4 checksum (RFC 1624), VLAN
 * tags, the mark. Written from docs/design.md, without a look at bpf/.
 */
#include <string.h>
#include "model_packet.h"

#define MACS       12
#define TAG        4
#define PRIORITY   0xf000 /* and the drop eligible bit */
#define TYPE_8021Q 0x8100
#define DSCP_LOCAL 0x0c /* DSCP xxxx11 in the ToS byte */
#define TOS_MARK   0x01

static void write_16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Change one byte of an IPv4 header: HC' = ~(~HC + ~m + m'), equation 3 of RFC 1624. */
static void change_byte(uint8_t *ip, unsigned int at, uint8_t value)
{
	uint8_t *word = ip + at / 2 * 2;
	uint32_t sum = (uint16_t)~read_16(ip + 10) + (uint16_t)~read_16(word);

	ip[at] = value;
	sum += read_16(word);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	write_16(ip + 10, ~sum);
}

void outcome_copy(struct model_outcome *outcome, const struct model_frame *frame)
{
	outcome->length = frame->length;
	memcpy(outcome->data, frame->data, frame->length);
}

void outcome_set_tos(struct model_outcome *outcome, const struct packet *packet, uint8_t tos)
{
	uint8_t *ip = outcome->data + packet->l3;

	if (tos == packet->tos)
		return;
	if (!packet->is_ipv6) {
		change_byte(ip, 1, tos);
		return;
	}
	ip[0] = (ip[0] & 0xf0) | tos >> 4;
	ip[1] = (ip[1] & 0x0f) | tos << 4;
}

void outcome_decrement_ttl(struct model_outcome *outcome, const struct packet *packet)
{
	uint8_t *ip = outcome->data + packet->l3;

	if (packet->is_ipv6)
		ip[7] = packet->ttl - 1;
	else
		change_byte(ip, 8, packet->ttl - 1);
}

void outcome_set_vlan(struct model_outcome *outcome, const struct packet *packet, uint16_t vlan)
{
	uint8_t *type = outcome->data + packet->l3 - 2;
	uint8_t *to = outcome->data + MACS + (vlan ? TAG : 0);

	memmove(to, type, outcome->length - (packet->l3 - 2));
	outcome->length += to - type;
	if (vlan) {
		write_16(outcome->data + MACS, TYPE_8021Q);
		write_16(outcome->data + MACS + 2, (packet->outer_tag & PRIORITY) | vlan);
	}
}

bool mark_read(bool is_tos_format, uint8_t tos, unsigned int *tried)
{
	*tried = is_tos_format ? 1 : tos >> 4;
	return is_tos_format ? tos == TOS_MARK : (tos & DSCP_LOCAL) == DSCP_LOCAL;
}

uint8_t mark_write(bool is_tos_format, uint8_t tos, unsigned int tried)
{
	return is_tos_format ? TOS_MARK : tried << 4 | DSCP_LOCAL | (tos & 3);
}

uint8_t mark_clear(bool is_tos_format, uint8_t tos)
{
	return is_tos_format ? 0 : tos & 3;
}
