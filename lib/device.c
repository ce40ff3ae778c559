// SPDX-License-Identifier: GPL-2.0-only
/*
 * One RTM_GETLINK request by libmnl: index, MAC and counters of a device. Netlink, because /sys
 * shows the devices of the namespace it was mounted in.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>
#include "device.h"

struct answer {
	struct device device;
	struct rtnl_link_stats64 stats;
};

static int read_attribute(const struct nlattr *attr, void *data)
{
	struct answer *answer = data;
	uint16_t length = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		strncpy(answer->device.name, mnl_attr_get_str(attr), IF_NAMESIZE - 1);
		break;
	case IFLA_ADDRESS:
		if (length == sizeof(answer->device.mac))
			memcpy(answer->device.mac, mnl_attr_get_payload(attr), length);
		break;
	case IFLA_MTU: answer->device.mtu = mnl_attr_get_u32(attr); break;
	case IFLA_STATS64:
		if (length > sizeof(answer->stats))
			length = sizeof(answer->stats);
		memcpy(&answer->stats, mnl_attr_get_payload(attr), length);
		break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct answer *answer = data;

	answer->device.ifindex = info->ifi_index;
	return mnl_attr_parse(message, sizeof(*info), read_attribute, answer);
}

/* Ask for a device by name, or, with name == NULL, by index. */
static int ask(const char *name, uint32_t ifindex, struct answer *answer)
{
	char buffer[32768];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	unsigned int seq = time(NULL);
	struct ifinfomsg *info;
	ssize_t length;
	int ret = -1;

	memset(answer, 0, sizeof(*answer));
	if (!socket)
		return -errno;
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = seq;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_index = ifindex;
	if (name)
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
	    mnl_socket_sendto(socket, message, message->nlmsg_len) >= 0) {
		do {
			length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
			ret = length < 0 ? -1
					 : mnl_cb_run(buffer, length, seq,
						      mnl_socket_get_portid(socket), read_link,
						      answer);
		} while (ret > MNL_CB_STOP);
	}
	ret = ret < 0 ? -errno : 0;
	mnl_socket_close(socket);
	return !ret && !answer->device.ifindex ? -ENODEV : ret;
}

int device_get(const char *name, struct device *device)
{
	struct answer answer;
	int ret;

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	ret = ask(name, 0, &answer);
	*device = answer.device;
	return ret;
}

const char *device_name(uint32_t ifindex, char name[IF_NAMESIZE])
{
	if (!ifindex || !if_indextoname(ifindex, name))
		name[0] = '\0';
	return name;
}

int device_stats(uint32_t ifindex, struct ecmper_port_stats *stats)
{
	struct answer answer;
	int ret = ask(NULL, ifindex, &answer);

	if (ret)
		return ret;
	memcpy(stats->dev, answer.device.name, sizeof(stats->dev));
	stats->rx_packets = answer.stats.rx_packets;
	stats->rx_bytes = answer.stats.rx_bytes;
	stats->tx_packets = answer.stats.tx_packets;
	stats->tx_bytes = answer.stats.tx_bytes;
	stats->rx_dropped = answer.stats.rx_dropped;
	stats->tx_dropped = answer.stats.tx_dropped;
	return 0;
}
