// SPDX-License-Identifier: GPL-2.0-only
/*
 * RTM_GETLINK by libmnl: what a device is, and its counters; of one device, or of all at once.
 * Netlink, because /sys shows the devices of the namespace it was mounted in.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "device.h"
#include "grow.h"

#define DUMP_TRIES 10

struct answer {
	struct device device;
	bool has_carrier;
	struct rtnl_link_stats64 stats;
};

/* What is asked: one device by name or, without, by index; or, with both empty, all. */
struct question {
	const char *name;
	uint32_t ifindex;
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
	case IFLA_CARRIER: answer->has_carrier = mnl_attr_get_u8(attr); break;
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
	int ret;

	memset(answer, 0, sizeof(*answer));
	answer->device.ifindex = info->ifi_index;
	answer->device.is_loopback = info->ifi_flags & IFF_LOOPBACK;
	answer->device.is_ethernet = info->ifi_type == ARPHRD_ETHER;
	ret = mnl_attr_parse(message, sizeof(*info), read_attribute, answer);
	answer->device.is_up = info->ifi_flags & IFF_UP && answer->has_carrier;
	return ret;
}

/* Ask, and give every message of the answer to `read`. */
static int ask(const struct question *question, mnl_cb_t read, void *arg)
{
	char buffer[32768];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	bool is_dump = !question->name && !question->ifindex;
	unsigned int seq = time(NULL);
	struct ifinfomsg *info;
	ssize_t length;
	int ret = -1;

	if (!socket)
		return -errno;
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | (is_dump ? NLM_F_DUMP : NLM_F_ACK);
	message->nlmsg_seq = seq;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_index = question->ifindex;
	if (question->name)
		mnl_attr_put_strz(message, IFLA_IFNAME, question->name);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
	    mnl_socket_sendto(socket, message, message->nlmsg_len) >= 0) {
		do {
			length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
			ret = length < 0 ? -1
					 : mnl_cb_run(buffer, length, seq,
						      mnl_socket_get_portid(socket), read, arg);
		} while (ret > MNL_CB_STOP);
	}
	ret = ret < 0 ? -errno : 0;
	mnl_socket_close(socket);
	return ret;
}

static int ask_one(const struct question *question, struct answer *answer)
{
	int ret;

	memset(answer, 0, sizeof(*answer));
	ret = ask(question, read_link, answer);
	return !ret && !answer->device.ifindex ? -ENODEV : ret;
}

int device_get(const char *name, struct device *device)
{
	struct answer answer;
	int ret;

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	ret = ask_one(&(struct question){.name = name}, &answer);
	*device = answer.device;
	return ret;
}

static int add_device(const struct nlmsghdr *message, void *data)
{
	struct devices *devices = data;
	struct answer answer;
	struct device *grown;

	if (read_link(message, &answer) < 0)
		return MNL_CB_ERROR;
	grown = array_grow(devices->list, devices->count, sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR; /* errno says it */
	devices->list = grown;
	devices->list[devices->count++] = answer.device;
	return MNL_CB_OK;
}

static int compare_devices(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int devices_read(struct devices *devices)
{
	int ret = -EINTR;

	*devices = (struct devices){};
	/* Devices that come and go meanwhile make the kernel say that the answer is not consistent. */
	for (int tries = 0; ret == -EINTR && tries < DUMP_TRIES; tries++) {
		devices->count = 0;
		ret = ask(&(struct question){}, add_device, devices);
	}
	if (ret)
		devices_free(devices);
	else if (devices->count)
		qsort(devices->list, devices->count, sizeof(*devices->list), compare_devices);
	return ret;
}

const struct device *devices_find(const struct devices *devices, uint32_t ifindex)
{
	struct device key = {.ifindex = ifindex};

	if (!devices->count)
		return NULL;
	return bsearch(&key, devices->list, devices->count, sizeof(key), compare_devices);
}

void devices_free(struct devices *devices)
{
	free(devices->list);
	*devices = (struct devices){};
}

int device_stats(uint32_t ifindex, struct ecmper_port_stats *stats)
{
	struct answer answer;
	int ret;

	if (!ifindex)
		return -ENODEV;
	ret = ask_one(&(struct question){.ifindex = ifindex}, &answer);
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
