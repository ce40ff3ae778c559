// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams of any size, one by one, of either family.
 *
 * message send ADDR PORT FROM_PORT SIZE          one datagram of that size
 * message take ADDR PORT [FROM_ADDR FROM_PORT]   prints "FROM_PORT SIZE" of each that comes, or
 *                                                "FROM_PORT SIZE damaged"; with FROM: on a
 *                                                connected socket
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void die(const char *what)
{
	fprintf(stderr, "message: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct addrinfo *find(const char *addr, const char *port)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_DGRAM};
	struct addrinfo *result;
	int error = getaddrinfo(addr, port, &hints, &result);

	if (error) {
		fprintf(stderr, "message: %s port %s: %s\n", addr, port, gai_strerror(error));
		exit(2);
	}
	return result;
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		die("socket");
	return fd;
}

/* What stands at each place of a datagram: never the same eight bytes at two multiples of eight. */
static void fill(unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = i % 8 < 2 ? i / 8 >> (i % 2 * 8) : i * 31 + size;
}

static bool is_intact(const unsigned char *data, size_t size)
{
	static unsigned char wanted[1 << 16];

	fill(wanted, size);
	return !memcmp(data, wanted, size);
}

static void send_one(char **argv)
{
	struct addrinfo *to = find(argv[0], argv[1]);
	struct sockaddr_in6 own = {.sin6_family = to->ai_family};
	size_t size = strtoul(argv[3], NULL, 10);
	unsigned char data[1 << 16];
	int fd = open_socket(to->ai_family);

	own.sin6_port = htons(atoi(argv[2])); /* at the same place in both families */
	if (bind(fd, (struct sockaddr *)&own, to->ai_addrlen))
		die("bind");
	fill(data, size);
	if (sendto(fd, data, size, 0, to->ai_addr, to->ai_addrlen) != (ssize_t)size)
		die("sendto");
}

static void take_all(int argc, char **argv)
{
	struct addrinfo *own = find(argv[0], argv[1]);
	int fd = open_socket(own->ai_family);

	if (bind(fd, own->ai_addr, own->ai_addrlen))
		die("bind");
	if (argc == 4) {
		struct addrinfo *from = find(argv[2], argv[3]);

		if (connect(fd, from->ai_addr, from->ai_addrlen))
			die("connect");
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		static unsigned char data[1 << 16];
		struct sockaddr_in6 from = {};
		socklen_t from_len = sizeof(from);
		ssize_t size =
			recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);

		if (size >= 0)
			printf("%u %zd%s\n", ntohs(from.sin6_port), size,
			       is_intact(data, size) ? "" : " damaged");
	}
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "send"))
		send_one(argv + 2);
	else if ((argc == 4 || argc == 6) && !strcmp(argv[1], "take"))
		take_all(argc - 2, argv + 2);
	else
		return 2;
	return 0;
}
