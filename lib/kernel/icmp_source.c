// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map icmp_source, see icmp_source.h. Of a device's addresses, one that other hosts reach: not a
 * link-local one, and rather of a subnet than of a single host, because that may be a VIP.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include "icmp_source.h"

static const struct ecmper_addr none;

static bool has_ipv6(const struct ecmper_icmp_source *source)
{
	return memcmp(&source->ipv6, &none, sizeof(none));
}

static bool is_single_host(const struct ifaddrs *at)
{
	static const uint8_t ones[16] = {[0 ... 15] = 0xff};

	if (at->ifa_addr->sa_family == AF_INET)
		return ((struct sockaddr_in *)at->ifa_netmask)->sin_addr.s_addr == INADDR_NONE;
	return !memcmp(&((struct sockaddr_in6 *)at->ifa_netmask)->sin6_addr, ones, sizeof(ones));
}

/* The first of a subnet is the best. */
static void consider(const struct ifaddrs *at, struct ecmper_icmp_source *source, bool is_last_try)
{
	const struct in6_addr *addr6;

	if (is_single_host(at) != is_last_try)
		return;
	if (at->ifa_addr->sa_family == AF_INET) {
		if (!source->ipv4)
			source->ipv4 = ((struct sockaddr_in *)at->ifa_addr)->sin_addr.s_addr;
		return;
	}
	addr6 = &((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr;
	if (!IN6_IS_ADDR_LINKLOCAL(addr6) && !has_ipv6(source))
		memcpy(&source->ipv6, addr6, sizeof(*addr6));
}

static void find_source(const struct ifaddrs *list, const char *dev,
			struct ecmper_icmp_source *source)
{
	for (int last_try = 0; last_try < 2; last_try++)
		for (const struct ifaddrs *at = list; at; at = at->ifa_next)
			if (at->ifa_addr && at->ifa_netmask && !strcmp(at->ifa_name, dev) &&
			    (at->ifa_addr->sa_family == AF_INET ||
			     at->ifa_addr->sa_family == AF_INET6))
				consider(at, source, last_try);
}

/* Devices that are no more make room, where it is wanted: those of another network namespace look alike. */
static void remove_gone(int fd)
{
	uint32_t key, next;
	char name[IF_NAMESIZE];
	int ret = bpf_map_get_next_key(fd, NULL, &next);

	while (!ret) {
		key = next;
		ret = bpf_map_get_next_key(fd, &key, &next);
		if (key && !if_indextoname(key, name))
			bpf_map_delete_elem(fd, &key);
	}
}

static int set(int fd, uint32_t ifindex, const struct ecmper_icmp_source *source)
{
	int ret = bpf_map_update_elem(fd, &ifindex, source, BPF_ANY);

	if (ret != -E2BIG)
		return ret;
	remove_gone(fd);
	return bpf_map_update_elem(fd, &ifindex, source, BPF_ANY);
}

/* What is not known yet of one is as of the other. */
static void complete(struct ecmper_icmp_source *source, const struct ecmper_icmp_source *other)
{
	if (!source->ipv4)
		source->ipv4 = other->ipv4;
	if (!has_ipv6(source))
		source->ipv6 = other->ipv6;
}

int icmp_source_set(int fd, const struct ecmper_up_options *options, const struct device *devices)
{
	const struct ecmper_icmp_source said = {.ipv4 = options->icmp_source[0].word[3],
						.ipv6 = options->icmp_source[1]};
	/* Of what comes in by another device than those named, such as a bond's NICs: key 0. */
	struct ecmper_icmp_source any = said, before;
	struct ifaddrs *list;
	uint32_t key = 0;
	int ret = 0;

	if (getifaddrs(&list))
		return -errno;
	if (!options->is_whole && !bpf_map_lookup_elem(fd, &key, &before))
		complete(&any, &before);
	for (unsigned int i = 0; !ret && i < options->dev_count; i++) {
		struct ecmper_icmp_source source = said;

		find_source(list, devices[i].name, &source);
		complete(&any, &source);
		ret = set(fd, devices[i].ifindex, &source);
	}
	freeifaddrs(list);
	return ret ?: set(fd, key, &any);
}
