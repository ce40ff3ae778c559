// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damage: bits, numbers that programs get wrong, lengths that lie, ends that are missing, pieces of
 * another frame. Most of it near the headers. See generate.h.
 */
#include <string.h>
#include "generate.h"

#define ETHERNET     14
#define READABLE_MAX 3520
#define HEADERS      120 /* the bytes that matter most */

static uint32_t some_place(struct random *random, const struct model_frame *frame)
{
	uint32_t reach = one_in(random, 8) ? frame->length : HEADERS;

	return random_below(random, reach < frame->length ? reach : frame->length);
}

static void flip_bit(struct random *random, struct model_frame *frame)
{
	frame->data[some_place(random, frame)] ^= 1 << random_below(random, 8);
}

static void set_byte(struct random *random, struct model_frame *frame)
{
	static const uint8_t values[] = {0,  1,  2,  4,    5,    6,    8,    17,   43,   44,
					 51, 58, 60, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0x81,
					 64, 88, 59, 0x86, 0xa8, 0xdd, 0xfe, 0xff, 3,    11};

	frame->data[some_place(random, frame)] = random_of_array(random, values);
}

/* A length near to one that the frame could have. */
static void set_length(struct random *random, struct model_frame *frame)
{
	uint32_t at = some_place(random, frame);
	uint32_t near = frame->length - random_below(random, 80) + random_below(random, 8);

	if (one_in(random, 2))
		at = frame->length > 40 ? random_below(random, 3) * 4 + 16 + random_below(random, 3)
					: at;
	if (at + 2 <= frame->length)
		put_be16(frame->data + at, near);
}

static void truncate_frame(struct random *random, struct model_frame *frame)
{
	uint32_t end = frame->length < HEADERS ? frame->length : HEADERS;

	if (one_in(random, 3))
		end = frame->length;
	frame->length = end > ETHERNET ? random_between(random, ETHERNET, end) : frame->length;
}

static void splice(struct random *random, struct model_frame *frame,
		   const struct model_frame *other)
{
	uint32_t from, to, count;

	if (!other->length)
		return;
	from = some_place(random, other);
	to = one_in(random, 2) ? from : some_place(random, frame);
	count = random_between(random, 1, 64);
	if (to >= frame->length)
		return;
	count = count < other->length - from ? count : other->length - from;
	count = count < frame->length - to ? count : frame->length - to;
	memcpy(frame->data + to, other->data + from, count);
}

static void extend(struct random *random, struct model_frame *frame)
{
	uint32_t count = random_between(random, 1, 40);

	if (frame->length + count > MODEL_FRAME_MAX)
		return;
	memset(frame->data + frame->length, random_64(random), count);
	frame->length += count;
}

void mutate_frame(struct random *random, struct model_frame *frame, const struct model_frame *other)
{
	uint32_t readable_before = frame->readable;

	if (one_in(random, 2))
		return;
	for (uint32_t times = random_between(random, 1, 3); times; times--)
		switch (random_below(random, 12)) {
		case 0: truncate_frame(random, frame); break;
		case 1: splice(random, frame, other); break;
		case 2: extend(random, frame); break;
		case 3:
		case 4: set_length(random, frame); break;
		case 5:
		case 6:
		case 7: set_byte(random, frame); break;
		default: flip_bit(random, frame); break;
		}
	if (frame->readable > frame->length || readable_before == READABLE_MAX)
		frame->readable = frame->length < READABLE_MAX ? frame->length : READABLE_MAX;
}
