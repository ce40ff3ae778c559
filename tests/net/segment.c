// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one TCP segment made by hand, and prints what comes back to its source. The kernel knows
 * nothing of the connection: use a source address that no host of the lab has.
 *
 * segment DEV GATEWAY_MAC SRC:PORT DST:PORT FLAGS [seq N] [ack N] [ttl N] [tos N] [data TEXT]
 *         [wait MS] [count N]
 *
 * SRC and DST are of either family, IPv6 as [ADDR]:PORT; TTL and ToS are its hop limit and class.
 * FLAGS: letters of "FSRPA". Prints one line for each answer until MS milliseconds are over, or N
 * (default 1) have come: "FLAGS seq N ack N ttl N tos N len N TEXT". Exit status 1: none came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char flag_letters[] = "FSRPA";

/* What a segment consists of, apart from how it looks in a frame. */
struct segment {
	bool is_ipv6;
	unsigned char src[16], dst[16]; /* 4 bytes or 16 */
	unsigned char ttl, tos;
	struct tcphdr tcp;
	char data[1400];
	size_t data_len;
};

#define FRAME_MAX 1600

struct options {
	int wait_ms, count;
};

static void die(const char *what)
{
	fprintf(stderr, "segment: %s: %s\n", what, strerror(errno));
	exit(2);
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

static size_t addr_len(const struct segment *s)
{
	return s->is_ipv6 ? 16 : 4;
}

static void set_checksum(struct segment *s)
{
	size_t len = sizeof(s->tcp) + s->data_len;
	unsigned long pseudo =
		add(s->src, addr_len(s), add(s->dst, addr_len(s), IPPROTO_TCP + len));
	char tcp[sizeof(s->tcp) + sizeof(s->data)];

	s->tcp.check = 0;
	memcpy(tcp, &s->tcp, sizeof(s->tcp));
	memcpy(tcp + sizeof(s->tcp), s->data, s->data_len);
	s->tcp.check = fold(add(tcp, len, pseudo));
}

static size_t write_ip_header(const struct segment *s, unsigned char *at)
{
	size_t len = sizeof(s->tcp) + s->data_len;
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = s->ttl, .protocol = IPPROTO_TCP, .tos = s->tos};
	struct ip6_hdr ip6 = {.ip6_nxt = IPPROTO_TCP, .ip6_hlim = s->ttl};

	if (s->is_ipv6) {
		ip6.ip6_flow = htonl(6 << 28 | s->tos << 20);
		ip6.ip6_plen = htons(len);
		memcpy(&ip6.ip6_src, s->src, 16);
		memcpy(&ip6.ip6_dst, s->dst, 16);
		memcpy(at, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	ip.tot_len = htons(sizeof(ip) + len);
	memcpy(&ip.saddr, s->src, 4);
	memcpy(&ip.daddr, s->dst, 4);
	ip.check = fold(add(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

/* The frame that carries the segment. Returns its length. */
static size_t write_frame(struct segment *s, struct ether_header *eth, unsigned char *frame)
{
	size_t len = sizeof(*eth);

	set_checksum(s);
	eth->ether_type = htons(s->is_ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	memcpy(frame, eth, sizeof(*eth));
	len += write_ip_header(s, frame + len);
	memcpy(frame + len, &s->tcp, sizeof(s->tcp));
	memcpy(frame + len + sizeof(s->tcp), s->data, s->data_len);
	return len + sizeof(s->tcp) + s->data_len;
}

/* The segment in the frame. False: there is none. */
static bool read_frame(const unsigned char *frame, size_t len, struct segment *s)
{
	const struct ether_header *eth = (const void *)frame;
	const struct iphdr *ip = (const void *)(eth + 1);
	const struct ip6_hdr *ip6 = (const void *)(eth + 1);
	size_t head, total, skip;

	s->is_ipv6 = eth->ether_type == htons(ETHERTYPE_IPV6);
	if (s->is_ipv6) {
		head = sizeof(*ip6);
		total = head + ntohs(ip6->ip6_plen);
		if (len < sizeof(*eth) + head || ip6->ip6_nxt != IPPROTO_TCP)
			return false;
		memcpy(s->src, &ip6->ip6_src, 16);
		memcpy(s->dst, &ip6->ip6_dst, 16);
		s->ttl = ip6->ip6_hlim;
		s->tos = ntohl(ip6->ip6_flow) >> 20;
	} else {
		head = ip->ihl * 4;
		total = ntohs(ip->tot_len);
		if (eth->ether_type != htons(ETHERTYPE_IP) || len < sizeof(*eth) + head ||
		    ip->protocol != IPPROTO_TCP)
			return false;
		memcpy(s->src, &ip->saddr, 4);
		memcpy(s->dst, &ip->daddr, 4);
		s->ttl = ip->ttl;
		s->tos = ip->tos;
	}
	if (len < sizeof(*eth) + total || total < head + sizeof(s->tcp))
		return false;
	memcpy(&s->tcp, frame + sizeof(*eth) + head, sizeof(s->tcp));
	skip = head + s->tcp.doff * 4;
	if (total < skip)
		return false;
	s->data_len = total - skip;
	memcpy(s->data, frame + sizeof(*eth) + skip,
	       s->data_len < sizeof(s->data) ? s->data_len : sizeof(s->data));
	return true;
}

static void parse_mac(const char *text, unsigned char *mac)
{
	unsigned int b[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		die(text);
	for (int i = 0; i < 6; i++)
		mac[i] = b[i];
}

/* ADDR:PORT or [ADDR]:PORT. Returns whether it is IPv6; the port is in network order. */
static bool parse_end(const char *text, unsigned char *addr, uint16_t *port)
{
	bool is_ipv6 = *text == '[';
	char host[64];
	unsigned int number;

	if (sscanf(text, is_ipv6 ? "[%63[^]]]:%u" : "%63[^:]:%u", host, &number) != 2 ||
	    inet_pton(is_ipv6 ? AF_INET6 : AF_INET, host, addr) != 1)
		die(text);
	*port = htons(number);
	return is_ipv6;
}

static void parse_flags(const char *text, struct tcphdr *tcp)
{
	tcp->fin = !!strchr(text, 'F');
	tcp->syn = !!strchr(text, 'S');
	tcp->rst = !!strchr(text, 'R');
	tcp->psh = !!strchr(text, 'P');
	tcp->ack = !!strchr(text, 'A');
}

static void parse_option(const char *word, const char *value, struct segment *s,
			 struct options *options)
{
	unsigned long n = strtoul(value, NULL, 0);

	if (!strcmp(word, "seq"))
		s->tcp.seq = htonl(n);
	else if (!strcmp(word, "ack"))
		s->tcp.ack_seq = htonl(n);
	else if (!strcmp(word, "ttl"))
		s->ttl = n;
	else if (!strcmp(word, "tos"))
		s->tos = n;
	else if (!strcmp(word, "wait"))
		options->wait_ms = n;
	else if (!strcmp(word, "count"))
		options->count = n;
	else if (!strcmp(word, "data"))
		s->data_len = snprintf(s->data, sizeof(s->data), "%s", value);
	else
		die(word);
}

/* The segment that was asked for. */
static void parse(int argc, char **argv, struct segment *s, struct options *options)
{
	*s = (struct segment){.ttl = 64};
	s->tcp.doff = sizeof(s->tcp) / 4;
	s->tcp.window = htons(65535);
	s->is_ipv6 = parse_end(argv[3], s->src, &s->tcp.source);
	if (parse_end(argv[4], s->dst, &s->tcp.dest) != s->is_ipv6)
		die("two families");
	parse_flags(argv[5], &s->tcp);
	for (int i = 6; i + 1 < argc; i += 2)
		parse_option(argv[i], argv[i + 1], s, options);
}

static int open_device(const char *dev, struct ether_header *eth)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = if_nametoindex(dev)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct ifreq request = {};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", dev);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    ioctl(fd, SIOCGIFHWADDR, &request))
		die(dev);
	memcpy(eth->ether_shost, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

static bool is_answer(const struct segment *got, const struct segment *sent)
{
	return got->is_ipv6 == sent->is_ipv6 && !memcmp(got->src, sent->dst, addr_len(sent)) &&
	       !memcmp(got->dst, sent->src, addr_len(sent)) && got->tcp.source == sent->tcp.dest &&
	       got->tcp.dest == sent->tcp.source;
}

static void print(const struct segment *s)
{
	int len = s->data_len;
	bool flags[] = {s->tcp.fin, s->tcp.syn, s->tcp.rst, s->tcp.psh, s->tcp.ack};

	for (int i = 0; i < 5; i++)
		if (flags[i])
			putchar(flag_letters[i]);
	printf(" seq %u ack %u ttl %u tos %u len %d %.*s\n", ntohl(s->tcp.seq),
	       ntohl(s->tcp.ack_seq), s->ttl, s->tos, len, (int)strcspn(s->data, "\r\n"), s->data);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* How many answers came. */
static int receive(int fd, const struct segment *sent, const struct options *options)
{
	double deadline = now_ms() + options->wait_ms;
	int answers = 0;

	while (answers < options->count && now_ms() < deadline) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		unsigned char frame[FRAME_MAX] = {};
		struct segment got = {};
		ssize_t len;

		if (poll(&poll_fd, 1, deadline - now_ms() + 1) <= 0)
			continue;
		len = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_len);
		if (len < 0 || from.sll_pkttype == PACKET_OUTGOING ||
		    !read_frame(frame, len, &got) || !is_answer(&got, sent))
			continue;
		print(&got);
		answers++;
	}
	return answers;
}

int main(int argc, char **argv)
{
	struct options options = {.count = 1};
	struct ether_header eth = {};
	unsigned char frame[FRAME_MAX];
	struct segment segment;
	ssize_t len;
	int fd;

	if (argc < 6 || argc % 2) {
		fprintf(stderr,
			"usage: segment DEV GATEWAY_MAC SRC:PORT DST:PORT FLAGS [seq N] [ack N] "
			"[ttl N] [tos N] [data TEXT] [wait MS] [count N]\n");
		return 2;
	}
	parse(argc, argv, &segment, &options);
	parse_mac(argv[2], eth.ether_dhost);
	fd = open_device(argv[1], &eth);
	len = write_frame(&segment, &eth, frame);
	if (send(fd, frame, len, 0) != len)
		die("send");
	return options.wait_ms && receive(fd, &segment, &options) == 0;
}
