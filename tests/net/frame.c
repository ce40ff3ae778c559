// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames as they stand, in hexadecimal digits.
 *
 * frame send DEV HEX...   sends them
 * frame take              prints "ready", then "DEV HEX" of each frame that comes in by any device,
 *                         with the VLAN tag that the kernel took off it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_MAX 9100

static void die(const char *what)
{
	fprintf(stderr, "frame: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Bytes of a word of hexadecimal digits. */
static size_t parse(const char *hex, unsigned char *frame, size_t room)
{
	size_t len = 0;
	unsigned int byte;

	for (; *hex; hex += 2, len++) {
		if (len == room || sscanf(hex, "%2x", &byte) != 1)
			die(hex);
		frame[len] = byte;
	}
	return len;
}

static void send_all(int count, char **argv)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	addr.sll_ifindex = if_nametoindex(argv[0]);
	if (fd < 0 || !addr.sll_ifindex || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(argv[0]);
	for (int i = 1; i < count; i++) {
		unsigned char frame[FRAME_MAX];
		size_t len = parse(argv[i], frame, sizeof(frame));

		if (send(fd, frame, len, 0) != (ssize_t)len)
			die("send");
	}
}

static void print(const unsigned char *bytes, ssize_t len)
{
	for (ssize_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

/* The tag that the kernel took off, 0 when none. In network order, as in the frame. */
static uint32_t tag_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		const struct tpacket_auxdata *aux = (const void *)CMSG_DATA(c);

		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
		    aux->tp_status & TP_STATUS_VLAN_VALID)
			return htonl((uint32_t)aux->tp_vlan_tpid << 16 | aux->tp_vlan_tci);
	}
	return 0;
}

static void take_one(int fd)
{
	unsigned char frame[FRAME_MAX];
	char control[256], dev[IF_NAMESIZE] = "-";
	struct iovec iov = {frame, sizeof(frame)};
	struct sockaddr_ll from = {};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &msg, 0);
	uint32_t tag;

	if (len < 2 * ETH_ALEN || from.sll_pkttype == PACKET_OUTGOING)
		return;
	if_indextoname(from.sll_ifindex, dev);
	printf("%s ", dev);
	print(frame, 2 * ETH_ALEN);
	tag = tag_of(&msg);
	if (tag)
		print((const unsigned char *)&tag, sizeof(tag));
	print(frame + 2 * ETH_ALEN, len - 2 * ETH_ALEN);
	putchar('\n');
}

static void take_all(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)))
		die("socket");
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	for (;;)
		take_one(fd);
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "send"))
		send_all(argc - 2, argv + 2);
	else if (argc == 2 && !strcmp(argv[1], "take"))
		take_all();
	else
		return 2;
	return 0;
}
