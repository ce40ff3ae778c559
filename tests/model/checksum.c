// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IPv4 header checksum as a receiver computes it (RFC 1071), over the whole header: so that
 * neither the programs' increments nor the model's are judged by themselves. See run.h.
 */
#include "run.h"

#define MACS   12
#define TAG    4
#define HEADER 20

static uint16_t word_at(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

bool checksum_is_good(const uint8_t *data, uint32_t length)
{
	uint32_t type = MACS, header, sum = 0;

	while (type + 2 <= length &&
	       (word_at(data + type) == 0x8100 || word_at(data + type) == 0x88a8))
		type += TAG;
	if (type + 2 + HEADER > length || word_at(data + type) != 0x0800)
		return true;
	data += type + 2;
	header = (data[0] & 0x0f) * 4;
	if (header < HEADER || type + 2 + header > length)
		return true;
	for (uint32_t i = 0; i < header; i += 2)
		sum += word_at(data + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}
