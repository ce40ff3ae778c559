// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one TCP segment made by hand, and prints what comes back to its source. The kernel knows
 * nothing of the connection: use a source address that no host of the lab has.
 *
 * segment DEV GATEWAY_MAC SRC:PORT DST:PORT FLAGS [seq N] [ack N] [ttl N] [tos N] [data TEXT]
 *         [wait MS] [count N]
 *
 * FLAGS: letters of "FSRPA". Prints one line for each answer until MS milliseconds are over, or N
 * (default 1) have come: "FLAGS seq N ack N ttl N tos N len N TEXT". Exit status 1: none came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char flag_letters[] = "FSRPA";

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	char data[1400];
} __attribute__((packed));

struct options {
	int wait_ms, count;
	size_t data_len;
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

static void checksums(struct frame *f, size_t data_len)
{
	size_t len = sizeof(f->tcp) + data_len;
	unsigned long pseudo = add(&f->ip.saddr, 8, IPPROTO_TCP + len);
	char tcp[sizeof(f->tcp) + sizeof(f->data)];

	f->ip.tot_len = htons(sizeof(f->ip) + len);
	f->ip.check = fold(add(&f->ip, sizeof(f->ip), 0));
	memcpy(tcp, &f->tcp, sizeof(f->tcp));
	memcpy(tcp + sizeof(f->tcp), f->data, data_len);
	f->tcp.check = fold(add(tcp, len, pseudo));
}

static void parse_mac(const char *text, unsigned char *mac)
{
	unsigned int b[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		die(text);
	for (int i = 0; i < 6; i++)
		mac[i] = b[i];
}

/* One end of the connection, in network order. */
struct end {
	uint32_t addr;
	uint16_t port;
};

static struct end parse_end(const char *text)
{
	char host[32];
	unsigned int number;
	struct in_addr in;

	if (sscanf(text, "%31[^:]:%u", host, &number) != 2 || inet_pton(AF_INET, host, &in) != 1)
		die(text);
	return (struct end){in.s_addr, htons(number)};
}

static void parse_flags(const char *text, struct frame *f)
{
	f->tcp.fin = !!strchr(text, 'F');
	f->tcp.syn = !!strchr(text, 'S');
	f->tcp.rst = !!strchr(text, 'R');
	f->tcp.psh = !!strchr(text, 'P');
	f->tcp.ack = !!strchr(text, 'A');
}

static void parse_option(const char *word, const char *value, struct frame *f,
			 struct options *options)
{
	unsigned long n = strtoul(value, NULL, 0);

	if (!strcmp(word, "seq"))
		f->tcp.seq = htonl(n);
	else if (!strcmp(word, "ack"))
		f->tcp.ack_seq = htonl(n);
	else if (!strcmp(word, "ttl"))
		f->ip.ttl = n;
	else if (!strcmp(word, "tos"))
		f->ip.tos = n;
	else if (!strcmp(word, "wait"))
		options->wait_ms = n;
	else if (!strcmp(word, "count"))
		options->count = n;
	else if (!strcmp(word, "data"))
		options->data_len = snprintf(f->data, sizeof(f->data), "%s", value);
	else
		die(word);
}

/* The segment that was asked for. */
static void make_frame(int argc, char **argv, struct frame *f, struct options *options)
{
	struct end from = parse_end(argv[3]), to = parse_end(argv[4]);

	f->eth.ether_type = htons(ETHERTYPE_IP);
	f->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP};
	f->tcp.doff = sizeof(f->tcp) / 4;
	f->tcp.window = htons(65535);
	parse_mac(argv[2], f->eth.ether_dhost);
	f->ip.saddr = from.addr;
	f->tcp.source = from.port;
	f->ip.daddr = to.addr;
	f->tcp.dest = to.port;
	parse_flags(argv[5], f);
	for (int i = 6; i + 1 < argc; i += 2)
		parse_option(argv[i], argv[i + 1], f, options);
}

static int open_device(const char *dev, struct frame *f)
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
	memcpy(f->eth.ether_shost, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

static bool is_answer(const struct frame *got, ssize_t len, const struct frame *sent)
{
	return len >= (ssize_t)offsetof(struct frame, data) &&
	       got->eth.ether_type == htons(ETHERTYPE_IP) && got->ip.protocol == IPPROTO_TCP &&
	       got->ip.saddr == sent->ip.daddr && got->ip.daddr == sent->ip.saddr &&
	       got->tcp.source == sent->tcp.dest && got->tcp.dest == sent->tcp.source;
}

static void print(const struct frame *f)
{
	int skip = f->tcp.doff * 4 - sizeof(f->tcp);
	int len = ntohs(f->ip.tot_len) - f->ip.ihl * 4 - f->tcp.doff * 4;
	bool flags[] = {f->tcp.fin, f->tcp.syn, f->tcp.rst, f->tcp.psh, f->tcp.ack};

	for (int i = 0; i < 5; i++)
		if (flags[i])
			putchar(flag_letters[i]);
	printf(" seq %u ack %u ttl %u tos %u len %d %.*s\n", ntohl(f->tcp.seq),
	       ntohl(f->tcp.ack_seq), f->ip.ttl, f->ip.tos, len,
	       len > 0 ? (int)strcspn(f->data + skip, "\r\n") : 0, f->data + skip);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* How many answers came. */
static int receive(int fd, const struct frame *sent, const struct options *options)
{
	double deadline = now_ms() + options->wait_ms;
	int answers = 0;

	while (answers < options->count && now_ms() < deadline) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		struct frame got = {};
		ssize_t len;

		if (poll(&poll_fd, 1, deadline - now_ms() + 1) <= 0)
			continue;
		len = recvfrom(fd, &got, sizeof(got) - 1, 0, (struct sockaddr *)&from, &from_len);
		if (from.sll_pkttype == PACKET_OUTGOING || !is_answer(&got, len, sent))
			continue;
		print(&got);
		answers++;
	}
	return answers;
}

int main(int argc, char **argv)
{
	struct options options = {.count = 1};
	struct frame frame = {};
	size_t len;
	int fd;

	if (argc < 6 || argc % 2) {
		fprintf(stderr,
			"usage: segment DEV GATEWAY_MAC SRC:PORT DST:PORT FLAGS [seq N] [ack N] "
			"[ttl N] [tos N] [data TEXT] [wait MS] [count N]\n");
		return 2;
	}
	make_frame(argc, argv, &frame, &options);
	fd = open_device(argv[1], &frame);
	checksums(&frame, options.data_len);
	len = offsetof(struct frame, data) + options.data_len;
	if (send(fd, &frame, len, 0) != (ssize_t)len)
		die("send");
	return options.wait_ms && receive(fd, &frame, &options) == 0;
}
