// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echo requests, and how many answers they get: echoes ADDR COUNT. Prints "sent N answers N" once
 * every request has an answer (or a second went by) and 200 ms more brought no further one.
 * Needs net.ipv4.ping_group_range="0 0".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void die(const char *what)
{
	fprintf(stderr, "echoes: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(const char *addr)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	int fd;

	if (inet_pton(AF_INET, addr, &to.sin_addr) == 1) {
		fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
			die(addr);
	} else {
		fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
		if (fd < 0 || inet_pton(AF_INET6, addr, &to6.sin6_addr) != 1 ||
		    connect(fd, (struct sockaddr *)&to6, sizeof(to6)))
			die(addr);
	}
	return fd;
}

/* Answers that come until none has come for so long, or there are `enough`. */
static int take_answers(int fd, int timeout_ms, int enough)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char data[64];
	int count = 0;

	while (count < enough && poll(&poll_fd, 1, timeout_ms) > 0)
		if (recv(fd, data, sizeof(data), 0) > 0)
			count++;
	return count;
}

int main(int argc, char **argv)
{
	struct icmphdr request = {}; /* the kernel sets identifier and checksum */
	int fd, count, answers = 0;

	if (argc != 3)
		return 2;
	fd = open_socket(argv[1]);
	count = atoi(argv[2]);
	request.type = strchr(argv[1], ':') ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	for (int i = 0; i < count; i++) {
		request.un.echo.sequence = htons(i);
		if (send(fd, &request, sizeof(request), 0) != sizeof(request))
			die("send");
		answers += take_answers(fd, 1000, 1);
	}
	answers += take_answers(fd, 200, 1 << 20);
	printf("sent %d answers %d\n", count, answers);
	return 0;
}
