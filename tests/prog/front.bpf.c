// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs another program on a frame that has less room in front of it than test runs give: it takes
 * the room, for the frame's first bytes, and tail-calls. (Metadata would take it, too, but before
 * Linux 6.7 only 32 bytes are allowed.) Used by expect.c.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "front.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} then SEC(".maps");

__u32 taken = 0;
__u8 front[FRONT_MAX] = {};

SEC("xdp.frags")
int take_front(struct xdp_md *ctx)
{
	/* So that older verifiers, too, know that it is not 0. */
	__u32 last = taken - 1, bytes;

	asm volatile("" : "+r"(last));
	if (last >= sizeof(front))
		return XDP_ABORTED;
	bytes = last + 1;
	if (bpf_xdp_adjust_head(ctx, -(int)bytes) || bpf_xdp_store_bytes(ctx, 0, front, bytes))
		return XDP_ABORTED;
	bpf_tail_call(ctx, &then, 0);
	return XDP_ABORTED;
}
