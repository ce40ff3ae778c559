// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server's world: real sockets of every kind at its VIPs and at any address, of both families;
 * some connections come and go between epochs. The model is told what each socket is.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../prog/server.h"
#include "run.h"
#include "world_server.h"

#define CONNECTIONS 8      /* of each family: one for each state, and more that are established */
#define PROBE       0x88b5 /* an Ethertype for experiments */
#define REQUESTS    3
#define ANY_PORT    8080
#define DNS         53
#define NTP         123

enum { IPV4, IPV6, FAMILIES };

static struct lab *lab;
static struct model_server server;
static int listeners[FAMILIES], others[16], other_count;
static uint16_t next_port;
static bool has_cookies; /* every SYN is answered by a cookie */
static struct connection connections[FAMILIES][CONNECTIONS];
static struct model_socket *models[FAMILIES][CONNECTIONS];

static const char *const vips[FAMILIES] = {VIP, VIP6}, *const clients[FAMILIES] = {CLIENT, CLIENT6},
			 *const ghosts[FAMILIES] = {GHOST, GHOST6};

static struct model_addr addr_of(const char *text)
{
	struct ecmper_addr addr;
	struct model_addr result;

	assert_int_equal(ecmper_addr_parse(text, &addr), 0);
	memcpy(result.byte, &addr, sizeof(result.byte));
	return result;
}

static struct model_socket *tell(enum model_socket_kind kind, const char *local, uint16_t port)
{
	struct model_socket *socket = &server.socket[server.socket_count++];

	assert_true(server.socket_count <= MODEL_SOCKETS_MAX);
	*socket = (struct model_socket){.kind = kind, .local = addr_of(local), .local_port = port};
	return socket;
}

static void tell_peer(struct model_socket *socket, const char *peer, uint16_t port)
{
	socket->peer = addr_of(peer);
	socket->peer_port = port;
}

static void keep(int fd)
{
	assert_true(other_count < (int)ARRAY_SIZE(others));
	others[other_count++] = fd;
}

static void open_connection(int family, int i)
{
	struct connection *connection = &connections[family][i];
	struct model_socket *model = models[family][i];

	*connection = connection_open(listeners[family], next_port++);
	if (!model)
		model = models[family][i] = tell(MODEL_TCP, vips[family], HTTP);
	tell_peer(model, clients[family], connection->port);
	model->receive_next = connection->seq;
	model->send_next = connection->ack;
}

/* The first three are not established any more. */
static void open_connections(int family)
{
	memset(models[family], 0, sizeof(models[family]));
	for (int i = 0; i < CONNECTIONS; i++)
		open_connection(family, i);
	connection_end_in_time_wait(&connections[family][0]);
	models[family][0]->kind = MODEL_TCP_TIME_WAIT;
	shutdown(connections[family][1].server, SHUT_WR);
	wait_for_state(connections[family][1].server, BPF_TCP_FIN_WAIT2);
	shutdown(connections[family][2].client, SHUT_WR);
	wait_for_state(connections[family][2].server, BPF_TCP_CLOSE_WAIT);
}

static void open_request(int family, struct random *random)
{
	uint32_t seq = random_64(random), answered;
	uint16_t port = next_port++;
	int tap = tap_open_for("eth0-end", family == IPV6 ? 0x86dd : 0x0800);
	struct model_socket *model =
		tell(has_cookies ? MODEL_COOKIE : MODEL_TCP_REQUEST, vips[family], HTTP);

	answered =
		family == IPV6 ? open_half6(lab, tap, port, seq) : open_half(lab, tap, port, seq);
	tell_peer(model, ghosts[family], port);
	model->receive_next = seq + 1;
	model->send_next = answered + 1;
	close(tap);
}

static void open_udp(int family)
{
	uint16_t port = next_port++;
	int fd = socket_at(SOCK_DGRAM, vips[family], DNS);

	keep(fd);
	tell(MODEL_UDP, vips[family], DNS);
	fd = socket_at(SOCK_DGRAM, vips[family], DNS + 1);
	connect_to(fd, clients[family], port);
	keep(fd);
	tell_peer(tell(MODEL_UDP_CONNECTED, vips[family], DNS + 1), clients[family], port);
}

static void add_vip(const char *net)
{
	struct model_vip *vip = &server.vip[server.vip_count++];
	struct ecmper_net parsed;

	assert_int_equal(ecmper_net_parse(net, &parsed), 0);
	memcpy(vip->addr.byte, &parsed.addr, sizeof(vip->addr.byte));
	vip->is_ipv6 = !ecmper_addr_is_ipv4(&parsed.addr);
	vip->length = parsed.len + (vip->is_ipv6 ? 0 : 96);
}

/* A device that has just come up drops for some moments what it is to send, without a word. */
static void wait_until_frames_pass(const char *from, const char *to)
{
	struct frame frame = {.length = ETH_ZLEN};
	int out = tap_open_for(from, PROBE), in = tap_open_for(to, PROBE), tries = 0;

	memset(frame.data, 0xff, ETH_ALEN);
	frame.data[12] = PROBE >> 8;
	frame.data[13] = PROBE & 0xff;
	do {
		tap_send(out, &frame);
		assert_true(++tries < 500);
	} while (tap_is_silent(in));
	close(out);
	close(in);
}

static struct lab *up(struct random *random, int mark)
{
	memset(&server, 0, sizeof(server));
	other_count = 0;
	next_port = random_between(random, 10000, 40000);
	server.is_tos = mark == ECMPER_MARK_TOS;
	mac_parse(server_mac(1), server.own.mac[0]);
	mac_parse(INGRESS_MAC, server.own.mac[1]);
	if (server.is_tos)
		server_tos((void **)&lab);
	else
		server_dscp((void **)&lab);
	has_cookies = one_in(random, 2);
	sysctl_set("ipv4/tcp_syncookies", has_cookies ? "2" : "1");
	add_vip(VIP "/32");
	add_vip(VIP_NET);
	add_vip(VIP6 "/128");
	add_vip(VIP6_NET);
	for (int family = 0; family < FAMILIES; family++) {
		listeners[family] = listen_at(vips[family], HTTP);
		tell(MODEL_LISTENER, vips[family], HTTP);
	}
	wait_until_frames_pass("eth0-end", "eth0");
	wait_until_frames_pass("eth0", "eth0-end");
	/* These first: an answer that comes again is not to be taken for theirs. */
	for (int i = 0; i < REQUESTS; i++)
		open_request(IPV6, random);
	for (int i = 0; i < REQUESTS; i++)
		open_request(IPV4, random);
	for (int family = 0; family < FAMILIES; family++) {
		open_connections(family);
		open_udp(family);
	}
	keep(listen_at("::", ANY_PORT)); /* of both families */
	tell(MODEL_LISTENER, "::", ANY_PORT);
	keep(socket_at(SOCK_DGRAM, "::", ANY_PORT));
	tell(MODEL_UDP, "::", ANY_PORT);
	keep(socket_at(SOCK_DGRAM, "0.0.0.0", NTP));
	tell(MODEL_UDP, "0.0.0.0", NTP);
	return lab;
}

/* Another connection in place of an established one. */
static void change(struct random *random)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int family = random_below(random, FAMILIES), i = random_between(random, 3, CONNECTIONS - 1);
	struct connection *connection = &connections[family][i];

	setsockopt(connection->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(connection->server);
	close(connection->client);
	open_connection(family, i);
}

static void down(void)
{
	for (int family = 0; family < FAMILIES; family++) {
		for (int i = 1; i < CONNECTIONS; i++)
			connection_close(&connections[family][i]);
		close(listeners[family]);
	}
	while (other_count)
		close(others[--other_count]);
	lab_down((void **)&lab);
}

static void pick(struct random *random, struct talk *talk)
{
	server_world_pick(&server, random, talk);
}

static void judge(const struct model_frame *frame, struct model_outcome *outcome)
{
	model_server_judge(&server, frame, outcome);
}

const struct model_role model_server_role = {.name = "server",
					     .role = ECMPER_SERVER,
					     .up = up,
					     .change = change,
					     .down = down,
					     .pick = pick,
					     .judge = judge,
					     .reasons = ecmper_server_reasons,
					     .reason_count = SERVER_REASONS};
