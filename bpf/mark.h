/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mark: how many servers a bounced packet has tried, carried in the IP header's ToS byte.
 * Pure arithmetic on that byte; which format is in use is a load-time constant of each program.
 *
 *   dscp  DSCP (m << 2 | 3) of Pool 2 (RFC 2474, local use): m = 0 is LAST, m = k: k servers were
 *         tried. The two ECN bits stay as they are. From the router m = 15 is QUIET, LAST as far as
 *         a table can say that has just changed; from a server it is fifteen servers tried.
 *   tos   the whole byte is 0x01 (the documents' wire format): one server was tried, and LAST.
 *         There is no room for QUIET.
 */
#ifndef ECMPER_MARK_H
#define ECMPER_MARK_H

#include "ecmper_abi.h"

#define MARK_LAST        0
#define MARK_QUIET       15
#define MARK_DSCP_POOL   0x0c /* the low two DSCP bits, as they stand in the ToS byte */
#define MARK_ECN         0x03
#define MARK_TOS_BOUNCED 0x01
#define MARK_ANY         (MARK_DSCP_POOL | MARK_TOS_BOUNCED) /* every mark has one of these bits */

static inline __attribute__((always_inline)) int mark_is_set(__u32 format, __u8 tos)
{
	if (__builtin_expect(!(tos & MARK_ANY), 1)) /* nearly every packet */
		return 0;
	if (format == ECMPER_MARK_TOS)
		return tos == MARK_TOS_BOUNCED;
	return (tos & MARK_DSCP_POOL) == MARK_DSCP_POOL;
}

/* Servers tried, by the mark of a packet that a server sent back; 0 for LAST. */
static inline __attribute__((always_inline)) __u32 mark_tried(__u32 format, __u8 tos)
{
	return format == ECMPER_MARK_TOS ? 1 : tos >> 4;
}

/* Is this the mark of a packet that no further server may send back? */
static inline __attribute__((always_inline)) int mark_is_last(__u32 format, __u8 tos)
{
	if (format == ECMPER_MARK_TOS)
		return tos == MARK_TOS_BOUNCED;
	return mark_is_set(format, tos) && tos >> 4 == MARK_LAST;
}

/* On a server: may only its owner have this packet, and nobody answer it? */
static inline __attribute__((always_inline)) int mark_is_quiet(__u32 format, __u8 tos)
{
	return format != ECMPER_MARK_TOS && mark_is_set(format, tos) && tos >> 4 == MARK_QUIET;
}

/* The ToS byte with the mark for `tried` servers, or LAST or QUIET. */
static inline __attribute__((always_inline)) __u8 mark_set(__u32 format, __u8 tos, __u32 tried)
{
	if (format == ECMPER_MARK_TOS)
		return MARK_TOS_BOUNCED;
	return tried << 4 | MARK_DSCP_POOL | (tos & MARK_ECN);
}

static inline __attribute__((always_inline)) __u8 mark_clear(__u32 format, __u8 tos)
{
	return format == ECMPER_MARK_TOS ? 0 : tos & MARK_ECN;
}

#endif
