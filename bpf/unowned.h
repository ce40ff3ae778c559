/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a server does with a packet that it does not own, by its mark. Without packets or maps, so
 * that the search of all interleavings (tests/model/search.c) runs it, too.
 */
#ifndef ECMPER_UNOWNED_H
#define ECMPER_UNOWNED_H

#include <stdbool.h>
#include "ecmper_abi.h"
#include "mark.h"

/*
 * Sent back, unless no server is left to try: then the kernel answers. Where only a table that has
 * just changed says that none is left, TCP sends the packet again if somebody owns it: it is dropped.
 * What does not repeat itself is delivered.
 */
static inline __attribute__((always_inline)) enum ecmper_server_reason
judge_unowned(__u32 format, __u8 tos, bool is_tcp)
{
	if (mark_is_last(format, tos))
		return SERVER_last;
	if (mark_is_quiet(format, tos))
		return is_tcp ? SERVER_raced : SERVER_last;
	return SERVER_bounce;
}

/* The ToS byte of the packet that is sent back: one server more has been tried. */
static inline __attribute__((always_inline)) __u8 mark_bounced(__u32 format, __u8 tos)
{
	__u32 tried = mark_is_set(format, tos) ? mark_tried(format, tos) : 0;

	return mark_set(format, tos, tried + 1);
}

#endif
