// SPDX-License-Identifier: GPL-2.0-only
/*
 * Good frames of every kind that docs/design.md speaks of: tags, both families, whole packets and
 * parts of them, TCP, UDP, ICMP and its errors with quotes of every length, other protocols,
 * padding, frames whose end or even headers a program cannot look into. See generate.h.
 */
#include <string.h>
#include "generate.h"

#define READABLE_MAX  3520 /* the kernel's: a page without headroom and tailroom */
#define ETHERNET      14
#define DATAGRAMS     150 /* in parts, in one epoch */
#define MUCH_METADATA 216 /* leaves no room in front */
#define DATAGRAM_KIND 9

static uint32_t payload_length(struct random *random)
{
	if (one_in(random, 800))
		return random_between(random, 3000, 65000);
	if (one_in(random, 60))
		return random_between(random, 0, 9200);
	if (one_in(random, 12))
		return random_between(random, 0, 1600);
	return one_in(random, 3) ? 0 : random_between(random, 0, 64);
}

static uint8_t some_ttl(struct random *random)
{
	if (one_in(random, 12))
		return random_below(random, 4);
	return one_in(random, 8) ? random_64(random) : 64;
}

static void write_ethernet(struct writer *writer, const struct talk *talk)
{
	uint32_t tags = one_in(writer->random, 3) ? random_between(writer->random, 1, 2) : 0;

	if (one_in(writer->random, 200))
		tags = 3;
	write_bytes(writer, talk->dst_mac, 6);
	write_bytes(writer, talk->src_mac, 6);
	if (one_in(writer->random, 50)) /* to somebody else */
		writer->frame->data[random_below(writer->random, 6)] ^=
			2 << random_below(writer->random, 7);
	if (one_in(writer->random, 200))
		writer->frame->data[0] |= 1;
	while (tags--) {
		write_be16(writer, one_in(writer->random, 2) ? 0x8100 : 0x88a8);
		write_be16(writer, random_64(writer->random));
	}
	if (one_in(writer->random, 300))
		write_be16(writer, random_64(writer->random));
	else
		write_be16(writer, talk->is_ipv6 ? 0x86dd : 0x0800);
}

/* An ICMP message about a packet that the talk's other side has sent. */
static void write_error(struct writer *writer, const struct talk *talk)
{
	static const uint8_t types[2][5] = {{3, 4, 11, 12, 3}, {1, 2, 3, 4, 2}};
	static const uint8_t protos[] = {6, 6, 6, 6, 17, 17, 1, 58, 47, 132};
	struct random *random = writer->random;
	struct talk about = *talk;
	struct part part = {.id = random_64(random)};
	struct ip_place place;
	uint32_t start, payload = one_in(random, 3) ? payload_length(random) : 0;

	about.src = talk->dst;
	about.dst = talk->src;
	about.sport = talk->dport;
	about.dport = talk->sport;
	about.proto = random_of_array(random, protos);
	about.tos = random_64(random);
	if (one_in(random, 8)) {
		part.is_part = true;
		part.field = one_in(random, 2) ? random_64(random) & 0xfff9 : 1;
	}
	write_8(writer, random_of_array(random, types[talk->is_ipv6]));
	write_8(writer, random_below(random, 16));
	write_random(writer, 6);
	start = writer->frame->length;
	if (one_in(random, 20))
		about.is_ipv6 = !about.is_ipv6;
	place = write_ip(writer, &about, &part, some_ttl(random));
	if (about.proto == 6)
		write_tcp(writer, &about);
	else
		write_udp(writer, &about, payload);
	write_random(writer, payload);
	finish_ip(writer, place);
	if (one_in(random, 3)) /* routers quote as much as they like */
		writer->frame->length = random_between(random, start, writer->frame->length);
	else if (one_in(random, 2) && about.proto == 6)
		writer->frame->length -= payload + 12 < writer->frame->length - start ? 12 : 0;
}

static void write_layer_4(struct writer *writer, const struct talk *talk)
{
	struct random *random = writer->random;
	uint32_t start = writer->frame->length, payload = payload_length(random);

	if ((talk->proto == 1 && !talk->is_ipv6) || (talk->proto == 58 && talk->is_ipv6)) {
		if (!one_in(random, 5)) {
			write_error(writer, talk);
			return;
		}
		write_8(writer, talk->is_ipv6 ? 128 : 8);
	} else if (talk->proto == 6) {
		write_tcp(writer, talk);
	} else if (talk->proto == 17) {
		write_udp(writer, talk, payload);
	}
	write_random(writer, payload);
	if (one_in(random, 30)) /* too short for what it is */
		writer->frame->length =
			start + random_below(random, writer->frame->length - start + 1);
}

/* Parts come in any order, and some never. The same datagram has the same talk. */
static void choose_part(struct random *random, struct random epoch, talk_pick *pick,
			struct talk *talk, struct part *part)
{
	uint32_t number = random_below(random, DATAGRAMS);
	struct random of_datagram = random_of(epoch.state, DATAGRAM_KIND, number);
	uint8_t src_mac[6], tos = talk->tos;

	memcpy(src_mac, talk->src_mac, sizeof(src_mac));
	pick(&of_datagram, talk);
	if (one_in(random, 3)) { /* bounced meanwhile */
		memcpy(talk->src_mac, src_mac, sizeof(src_mac));
		talk->tos = tos;
	}
	part->is_part = true;
	part->id = random_64(&of_datagram);
	part->field = one_in(random, 3) ? 1 : (random_64(random) & 0xfff8) | one_in(random, 2);
	if (one_in(random, 10))
		part->field = 0; /* atomic */
	if (one_in(random, 30))
		talk->proto = random_64(random);
}

static void choose_readable(struct random *random, struct model_frame *frame)
{
	frame->readable = frame->length < READABLE_MAX ? frame->length : READABLE_MAX;
	if (one_in(random, 12) && frame->readable > ETHERNET)
		frame->readable = random_between(random, ETHERNET,
						 frame->readable < 160 ? frame->readable : 160);
}

void generate_frame(struct random *random, struct random epoch, talk_pick *pick,
		    struct model_frame *frame)
{
	struct writer writer = {.random = random, .frame = frame};
	struct part part = {};
	struct ip_place place;
	struct talk talk;

	frame->length = 0;
	pick(random, &talk);
	if (one_in(random, 6))
		choose_part(random, epoch, pick, &talk, &part);
	else
		part.id = random_64(random);
	write_ethernet(&writer, &talk);
	place = write_ip(&writer, &talk, &part, some_ttl(random));
	write_layer_4(&writer, &talk);
	if (frame->length - place.at > UINT16_MAX)
		frame->length = place.at + UINT16_MAX;
	finish_ip(&writer, place);
	if (one_in(random, 20) && !talk.is_ipv6)
		put_be16(frame->data + place.at + 10, random_64(random));
	if (one_in(random, 5))
		write_random(&writer, random_between(random, 1, 60)); /* padding */
	frame->metadata = one_in(random, 50) ? MUCH_METADATA : 0;
	frame->headroom = frame->metadata ? 0 : MODEL_FRONT;
	choose_readable(random, frame);
}
