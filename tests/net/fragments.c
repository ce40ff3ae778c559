// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one UDP datagram in fragments made by hand, in any order, with the content that `message
 * take` wants. Prints how many fragments there are.
 *
 * fragments DEV GATEWAY_MAC SRC SRC_PORT DST DST_PORT SIZE PART forward|reverse
 *
 * PART: bytes of each fragment behind the IP headers, a multiple of 8.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct datagram {
	bool is_ipv6;
	unsigned char src[16], dst[16];
	size_t size; /* with the UDP header */
	struct {
		struct udphdr header;
		unsigned char data[65536 - sizeof(struct udphdr)];
	} udp;
};

static void die(const char *what)
{
	fprintf(stderr, "fragments: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long add(const void *data, size_t len, unsigned long sum)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t fold(unsigned long sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* As in message.c. */
static void fill(unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = i % 8 < 2 ? i / 8 >> (i % 2 * 8) : i * 31 + size;
}

static void make(struct datagram *d, char **argv)
{
	int family = strchr(argv[0], ':') ? AF_INET6 : AF_INET;
	size_t addr_len = family == AF_INET6 ? 16 : 4;
	unsigned long sum;

	d->is_ipv6 = family == AF_INET6;
	if (inet_pton(family, argv[0], d->src) != 1 || inet_pton(family, argv[2], d->dst) != 1)
		die("address");
	d->size = sizeof(d->udp.header) + strtoul(argv[4], NULL, 10);
	d->udp.header.source = htons(atoi(argv[1]));
	d->udp.header.dest = htons(atoi(argv[3]));
	d->udp.header.len = htons(d->size);
	fill(d->udp.data, d->size - sizeof(d->udp.header));
	sum = add(d->src, addr_len, add(d->dst, addr_len, IPPROTO_UDP + d->size));
	d->udp.header.check = fold(add(&d->udp, d->size, sum));
	if (!d->udp.header.check)
		d->udp.header.check = 0xffff;
}

/* The headers of the part at `offset`, written behind the MACs. Returns their length. */
static size_t make_headers(const struct datagram *d, unsigned char *at, size_t offset, size_t len)
{
	bool is_last = offset + len == d->size;

	if (d->is_ipv6) {
		struct ip6_hdr ip = {
			.ip6_plen = htons(8 + len), .ip6_nxt = IPPROTO_FRAGMENT, .ip6_hlim = 64};
		struct ip6_frag part = {.ip6f_nxt = IPPROTO_UDP,
					.ip6f_offlg = htons(offset | !is_last),
					.ip6f_ident = getpid()};

		ip.ip6_vfc = 6 << 4;
		memcpy(&ip.ip6_src, d->src, 16);
		memcpy(&ip.ip6_dst, d->dst, 16);
		memcpy(at, &ip, sizeof(ip));
		memcpy(at + sizeof(ip), &part, sizeof(part));
		return sizeof(ip) + sizeof(part);
	}
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};

	ip.id = getpid();
	ip.tot_len = htons(sizeof(ip) + len);
	ip.frag_off = htons(offset / 8 | (is_last ? 0 : 0x2000));
	memcpy(&ip.saddr, d->src, 4);
	memcpy(&ip.daddr, d->dst, 4);
	ip.check = fold(add(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

static void parse_mac(const char *text, unsigned char *mac)
{
	unsigned int b[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		die(text);
	for (int i = 0; i < 6; i++)
		mac[i] = b[i];
}

static int open_device(const char *dev, struct ether_header *eth)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(dev)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct ifreq request = {};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", dev);
	addr.sll_protocol = htons(ETH_P_ALL);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    ioctl(fd, SIOCGIFHWADDR, &request))
		die(dev);
	memcpy(eth->ether_shost, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

static void send_part(int fd, const struct datagram *d, const struct ether_header *eth,
		      size_t offset, size_t part)
{
	size_t len = d->size - offset < part ? d->size - offset : part;
	unsigned char frame[sizeof(*eth) + 48 + 9000];
	size_t head = sizeof(*eth);

	memcpy(frame, eth, sizeof(*eth));
	head += make_headers(d, frame + head, offset, len);
	memcpy(frame + head, (const unsigned char *)&d->udp + offset, len);
	if (send(fd, frame, head + len, 0) != (ssize_t)(head + len))
		die("send");
}

int main(int argc, char **argv)
{
	static struct datagram d;
	struct ether_header eth = {};
	size_t part, count;
	int fd;

	if (argc != 10) {
		fprintf(stderr, "usage: fragments DEV GATEWAY_MAC SRC SRC_PORT DST DST_PORT SIZE "
				"PART forward|reverse\n");
		return 2;
	}
	parse_mac(argv[2], eth.ether_dhost);
	make(&d, argv + 3);
	eth.ether_type = htons(d.is_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	part = strtoul(argv[8], NULL, 10);
	if (!part || part % 8 || part > 8952)
		die("part");
	count = (d.size + part - 1) / part;
	fd = open_device(argv[1], &eth);
	for (size_t i = 0; i < count; i++)
		send_part(fd, &d, &eth, part * (argv[9][0] == 'r' ? count - 1 - i : i), part);
	printf("%zu\n", count);
	return 0;
}
