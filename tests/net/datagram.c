// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts datagrams at both ends, flow by flow: which server got how many of each. Either family, by
 * sockets of IPv6, which have IPv4 addresses as ::ffff:a.b.c.d.
 *
 * datagram send ADDR PORT FIRST_PORT FLOWS RATE   RATE a second, round robin over source ports
 *                                                 FIRST_PORT.. ; prints "sent N" at SIGTERM
 * datagram count PORT                             prints "ADDR SOURCE_PORT N" lines at SIGTERM
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DESTS 64

static volatile sig_atomic_t is_stopped;

static void stop(int sig)
{
	(void)sig;
	is_stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "datagram: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int udp_socket(unsigned int port)
{
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    bind(fd, (struct sockaddr *)&own, sizeof(own)))
		die("socket");
	return fd;
}

static bool parse_addr(const char *text, struct in6_addr *addr)
{
	char mapped[INET6_ADDRSTRLEN];

	snprintf(mapped, sizeof(mapped), strchr(text, ':') ? "%s" : "::ffff:%s", text);
	return inet_pton(AF_INET6, mapped, addr) == 1;
}

static void print_addr(const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, addr, text, sizeof(text));
	fputs(IN6_IS_ADDR_V4MAPPED(addr) ? text + strlen("::ffff:") : text, stdout);
}

static void send_all(char **argv)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[1]))};
	unsigned int first = atoi(argv[2]), flows = atoi(argv[3]), rate = atoi(argv[4]);
	struct timespec next, step = {.tv_nsec = 1000000000 / rate};
	int *fds = calloc(flows, sizeof(*fds));
	unsigned long sent = 0;

	if (!fds || !parse_addr(argv[0], &to.sin6_addr))
		die("address");
	for (unsigned int i = 0; i < flows; i++) {
		fds[i] = udp_socket(first + i);
		if (connect(fds[i], (struct sockaddr *)&to, sizeof(to)))
			die("connect");
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!is_stopped) {
		if (send(fds[sent % flows], "ecmper", 6, 0) == 6)
			sent++;
		next.tv_nsec += step.tv_nsec;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	printf("sent %lu\n", sent);
}

struct dest {
	struct in6_addr addr;
	unsigned long packets[65536];
};

static unsigned long *counter(struct dest **dests, const struct in6_addr *addr, unsigned int port)
{
	for (int i = 0; i < DESTS; i++) {
		if (!dests[i]) {
			dests[i] = calloc(1, sizeof(*dests[i]));
			if (!dests[i])
				die("calloc");
			dests[i]->addr = *addr;
		}
		if (!memcmp(&dests[i]->addr, addr, sizeof(*addr)))
			return &dests[i]->packets[port];
	}
	die("too many destinations");
	return NULL;
}

static void receive_one(int fd, struct dest **dests)
{
	char data[64], control[256];
	struct sockaddr_in6 from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};

	if (recvmsg(fd, &msg, 0) < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		const struct in6_pktinfo *info = (const void *)CMSG_DATA(c);

		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			++*counter(dests, &info->ipi6_addr, ntohs(from.sin6_port));
	}
}

static void count_all(char **argv)
{
	struct timeval poll = {.tv_usec = 50000};
	struct dest *dests[DESTS] = {};
	int fd = udp_socket(atoi(argv[0])), on = 1, size = 64 << 20;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &poll, sizeof(poll)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		die("setsockopt");
	while (!is_stopped)
		receive_one(fd, dests);
	for (int i = 0; i < DESTS && dests[i]; i++)
		for (unsigned int port = 0; port < 65536; port++)
			if (dests[i]->packets[port]) {
				print_addr(&dests[i]->addr);
				printf(" %u %lu\n", port, dests[i]->packets[port]);
			}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (argc == 7 && !strcmp(argv[1], "send"))
		send_all(argv + 2);
	else if (argc == 3 && !strcmp(argv[1], "count"))
		count_all(argv + 2);
	else
		return 2;
	return 0;
}
