/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting, for both programs: an outcome or a note becomes one step of its counter. A program's
 * verdict() is the only caller for outcomes. Included after the map `counters` is defined.
 */
#ifndef ECMPER_VERDICT_H
#define ECMPER_VERDICT_H

#include "ecmper_abi.h"
#include "lookup.h"

/* The XDP action of an outcome, by its word in ecmper_abi.h. */
#define ACTION_FORWARD XDP_REDIRECT
#define ACTION_PASS    XDP_PASS
#define ACTION_DROP    XDP_DROP
#define ACTION_TX      XDP_TX
#define ACTION_NOTE    XDP_ABORTED /* a note is no outcome: reaching this is a bug, and visible */

static __always_inline void add_packet(struct ecmper_counter *counter, __u32 bytes)
{
	counter->packets++;
	counter->bytes += bytes;
}

/* Add one packet to a reason's counter of this CPU. */
static __always_inline void count(__u32 reason, __u32 bytes)
{
	struct ecmper_counter *counter = map_lookup(ECMPER_MAP_COUNTERS, &reason);

	if (counter)
		add_packet(counter, bytes);
}

#endif
