// SPDX-License-Identifier: GPL-2.0-only
/*
 * An XDP program that lets every packet pass. The lab attaches it where nothing else runs: veth
 * drops what its peer redirects or sends by XDP_TX unless an XDP program is at the receiving end.
 * No part of the router or of the server.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("xdp.frags")
int lab_stub(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}
