// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pieces of frames: IP headers with options and extension headers, TCP, UDP.
 */
#include <string.h>
#include "generate.h"

void put_be16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

void write_bytes(struct writer *writer, const void *bytes, uint32_t count)
{
	if (writer->frame->length + count > MODEL_FRAME_MAX)
		return;
	memcpy(writer->frame->data + writer->frame->length, bytes, count);
	writer->frame->length += count;
}

void write_8(struct writer *writer, uint8_t value)
{
	write_bytes(writer, &value, 1);
}

void write_be16(struct writer *writer, uint16_t value)
{
	write_8(writer, value >> 8);
	write_8(writer, value);
}

void write_be32(struct writer *writer, uint32_t value)
{
	write_be16(writer, value >> 16);
	write_be16(writer, value);
}

void write_random(struct writer *writer, uint32_t count)
{
	for (uint32_t done = 0; done < count; done += 8) {
		uint64_t bytes = random_64(writer->random);

		write_bytes(writer, &bytes, count - done < 8 ? count - done : 8);
	}
}

static struct ip_place write_ipv4(struct writer *writer, const struct talk *talk,
				  const struct part *part, uint8_t ttl)
{
	struct ip_place place = {.at = writer->frame->length};
	uint32_t options = one_in(writer->random, 5) ? random_between(writer->random, 1, 10) : 0;
	uint16_t dont_fragment = one_in(writer->random, 2) ? 0x4000 : 0;
	uint16_t fragment = (part->field & 1) << 13 | part->field >> 3;

	write_8(writer, 0x45 + options);
	write_8(writer, talk->tos);
	write_be16(writer, 0);
	write_be16(writer, part->id);
	write_be16(writer, part->is_part ? fragment : dont_fragment);
	write_8(writer, ttl);
	write_8(writer, talk->proto);
	write_be16(writer, 0);
	write_bytes(writer, talk->src.byte + 12, 4);
	write_bytes(writer, talk->dst.byte + 12, 4);
	write_random(writer, options * 4);
	return place;
}

/* One extension header, whose type the header before has named; returns where its own name of the
 * next one is. */
static uint32_t write_extension(struct writer *writer, uint8_t type, const struct part *part)
{
	uint32_t at = writer->frame->length;
	uint32_t units = one_in(writer->random, 4) ? random_below(writer->random, 8) : 0;

	write_8(writer, 0);
	if (type == 44) {
		write_8(writer, 0);
		write_be16(writer, part->field);
		write_be32(writer, part->id);
		return at;
	}
	if (one_in(writer->random, 60))
		units = random_below(writer->random, 255);
	write_8(writer, units);
	write_random(writer, (type == 51 ? (units + 2) * 4 : (units + 1) * 8) - 2);
	return at;
}

static struct ip_place write_ipv6(struct writer *writer, const struct talk *talk,
				  const struct part *part, uint8_t ttl)
{
	static const uint8_t types[] = {0, 43, 51, 60, 135, 60};
	struct ip_place place = {.is_ipv6 = true, .at = writer->frame->length};
	uint32_t count = one_in(writer->random, 4) ? random_below(writer->random, 4) : 0;
	uint32_t name, part_at;

	if (one_in(writer->random, 50))
		count = random_between(writer->random, 6, 10);
	part_at = part->is_part ? random_below(writer->random, count + 1) : UINT32_MAX;
	write_be32(writer, 6U << 28 | talk->tos << 20 | (random_64(writer->random) & 0xfffff));
	write_be16(writer, 0);
	name = writer->frame->length;
	write_8(writer, 0);
	write_8(writer, ttl);
	write_bytes(writer, talk->src.byte, 16);
	write_bytes(writer, talk->dst.byte, 16);
	for (uint32_t i = 0; i <= count; i++) {
		uint8_t type = random_of_array(writer->random, types);

		if (i == part_at) {
			writer->frame->data[name] = 44;
			name = write_extension(writer, 44, part);
			if (part->field >> 3)
				break;
			part_at += one_in(writer->random, 20); /* in parts of parts */
		}
		if (i < count) {
			writer->frame->data[name] = type;
			name = write_extension(writer, type, part);
		}
	}
	writer->frame->data[name] = talk->proto;
	return place;
}

struct ip_place write_ip(struct writer *writer, const struct talk *talk, const struct part *part,
			 uint8_t ttl)
{
	return talk->is_ipv6 ? write_ipv6(writer, talk, part, ttl)
			     : write_ipv4(writer, talk, part, ttl);
}

static uint16_t get_be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint16_t add(uint16_t a, uint16_t b)
{
	uint32_t sum = a + b;

	return sum + (sum >> 16);
}

/* RFC 1071 over a whole header. */
static void set_checksum(uint8_t *ip)
{
	uint16_t sum = 0;

	put_be16(ip + 10, 0);
	for (int i = 0; i < (ip[0] & 0x0f) * 4; i += 2)
		sum = add(sum, get_be16(ip + i));
	put_be16(ip + 10, ~sum);
}

/* Another id, so that the checksum is one from which a step up or down may carry. */
static void aim_checksum(struct random *random, uint8_t *ip)
{
	uint16_t wanted = random_below(random, 260) - 2, id = get_be16(ip + 4);

	if (one_in(random, 3))
		wanted = wanted << 8 | wanted >> 8;
	if (one_in(random, 3))
		wanted = ~wanted;
	put_be16(ip + 4, add(id, add(get_be16(ip + 10), ~wanted)));
	set_checksum(ip);
}

void finish_ip(struct writer *writer, struct ip_place place)
{
	uint8_t *ip = writer->frame->data + place.at;
	uint32_t length = writer->frame->length - place.at - (place.is_ipv6 ? 40 : 0);

	put_be16(ip + (place.is_ipv6 ? 4 : 2), length);
	if (place.is_ipv6)
		return;
	set_checksum(ip);
	if (!(get_be16(ip + 6) & 0x3fff) && one_in(writer->random, 6)) /* no part: its id is free */
		aim_checksum(writer->random, ip);
}

void write_tcp(struct writer *writer, const struct talk *talk)
{
	static const uint8_t flags[] = {0x10, 0x10, 0x10, 0x18, 0x11, 0x02, 0x02,
					0x12, 0x04, 0x14, 0x00, 0x01, 0x03, 0xff};
	uint32_t options = one_in(writer->random, 4) ? random_below(writer->random, 11) : 0;

	write_be16(writer, talk->sport);
	write_be16(writer, talk->dport);
	write_be32(writer, talk->seq);
	write_be32(writer, talk->ack);
	write_8(writer, (5 + options) << 4);
	write_8(writer, random_of_array(writer->random, flags));
	write_be16(writer, 8192);
	write_be32(writer, random_64(writer->random));
	write_random(writer, options * 4);
}

void write_udp(struct writer *writer, const struct talk *talk, uint32_t payload)
{
	write_be16(writer, talk->sport);
	write_be16(writer, talk->dport);
	write_be16(writer, 8 + payload);
	write_be16(writer, random_64(writer->random));
}
