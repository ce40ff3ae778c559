// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's next-hop groups, by netlink: what `ip nexthop replace` sends, without the time that
 * a process takes. Resilient groups have a table of buckets, too; a plain group has none.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"

#define GROUP 1000000 /* id; the next hops have 1, 2, ... */
#define DEV   "nhdev"

static struct mnl_socket *netlink;
static enum nexthop_kind group_kind;

/* Send one request, wait for its acknowledgement. */
static void talk(struct nlmsghdr *request)
{
	static unsigned int sequence;
	char reply[MNL_SOCKET_BUFFER_SIZE];
	ssize_t length;

	request->nlmsg_seq = ++sequence;
	if (mnl_socket_sendto(netlink, request, request->nlmsg_len) < 0)
		bench_die("cannot send to netlink: %s", strerror(errno));
	length = mnl_socket_recvfrom(netlink, reply, sizeof(reply));
	if (length < 0 ||
	    mnl_cb_run(reply, length, sequence, mnl_socket_get_portid(netlink), NULL, NULL) < 0)
		bench_die("the kernel refused a next hop: %s", strerror(errno));
}

static struct nlmsghdr *begin(void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nhmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	header->nh_family = type == RTM_NEWNEXTHOP ? AF_UNSPEC : 0;
	return request;
}

static void add_next_hop(uint32_t id, uint32_t ifindex)
{
	char buffer[256];
	struct nlmsghdr *request = begin(buffer, RTM_NEWNEXTHOP, NLM_F_CREATE);
	struct nhmsg *header = mnl_nlmsg_get_payload(request);

	header->nh_family = AF_INET;
	mnl_attr_put_u32(request, NHA_ID, id);
	mnl_attr_put_u32(request, NHA_OIF, ifindex);
	mnl_attr_put_u32(request, NHA_GATEWAY, htonl((10U << 24) + (9 << 16) + 1 + id));
	talk(request);
}

static void put_group(unsigned int servers, unsigned int buckets, uint16_t flags)
{
	static struct nexthop_grp group[4096];
	static char buffer[sizeof(group) + 512];
	struct nlmsghdr *request = begin(buffer, RTM_NEWNEXTHOP, NLM_F_CREATE | flags);

	for (unsigned int i = 0; i < servers; i++)
		group[i] = (struct nexthop_grp){.id = i + 1};
	mnl_attr_put_u32(request, NHA_ID, GROUP);
	mnl_attr_put(request, NHA_GROUP, servers * sizeof(*group), group);
	if (group_kind == NEXTHOP_RESILIENT) {
		struct nlattr *nest;

		mnl_attr_put_u16(request, NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES);
		nest = mnl_attr_nest_start(request, NHA_RES_GROUP);
		if (buckets)
			mnl_attr_put_u16(request, NHA_RES_GROUP_BUCKETS, buckets);
		/* Buckets move at once: as here, no connection is lost by it. */
		mnl_attr_put_u32(request, NHA_RES_GROUP_IDLE_TIMER, 0);
		mnl_attr_nest_end(request, nest);
	}
	talk(request);
}

void nexthop_make(enum nexthop_kind kind, unsigned int buckets, unsigned int servers)
{
	uint32_t ifindex = bench_veth(DEV);

	if (!netlink) {
		netlink = mnl_socket_open(NETLINK_ROUTE);
		if (!netlink || mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0)
			bench_die("cannot open netlink: %s", strerror(errno));
	}
	bench_shell("ip addr add 10.9.0.1/16 dev " DEV);
	for (unsigned int i = 0; i < servers; i++)
		add_next_hop(i + 1, ifindex);
	group_kind = kind;
	put_group(servers, buckets, 0);
	bench_shell("ip route add 198.18.0.0/32 nhid %u", GROUP);
}

double nexthop_replace(unsigned int servers)
{
	double start = bench_now();

	put_group(servers, 0, NLM_F_REPLACE);
	return bench_now() - start;
}

void nexthop_remove(void)
{
	bench_shell("ip link del " DEV);
	bench_shell("ip nexthop flush >/dev/null 2>&1");
}
