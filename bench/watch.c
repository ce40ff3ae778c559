// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first packet on a new path: a thread runs the router program on packets of one flow, one
 * after the other, and looks which MAC they leave for.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include "change.h"

static struct {
	pthread_t thread;
	int prog_fd;
	uint8_t frame[BENCH_FRAME];
	uint8_t mac[6]; /* the packets' destination as long as nothing has changed */
	double seen;
	atomic_bool is_running;
} watch;

/* Where one packet goes. */
static void send_packet(uint8_t mac[6])
{
	uint8_t out[256];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = watch.frame,
		    .data_size_in = sizeof(watch.frame), .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);

	if (bpf_prog_test_run_opts(watch.prog_fd, &opts))
		bench_die("test run failed: %s", strerror(errno));
	memcpy(mac, out, 6);
}

static void *poll_packets(void *arg)
{
	uint8_t mac[6];
	double now;

	do {
		send_packet(mac);
		now = bench_now();
		watch.is_running = true;
	} while (!memcmp(mac, watch.mac, sizeof(mac)) && !bench_is_stopped());
	watch.seen = now;
	return arg;
}

void watch_choose(const struct bench_instance *router, unsigned int server)
{
	const uint8_t wanted[6] = {2, 0, 0, 0, server >> 8 & 255, server & 255};
	struct bench_flows flows = bench_flows_tcp(1);

	watch.prog_fd = router->prog_fd;
	for (uint32_t port = 1024; port < 65536; port++) {
		flows.sport_first = port;
		bench_frame(&flows, watch.frame);
		send_packet(watch.mac);
		if (!memcmp(watch.mac, wanted, sizeof(wanted)))
			return;
	}
	bench_die("no flow of server %u among 64 k", server);
}

void watch_start(const struct bench_instance *router)
{
	watch.prog_fd = router->prog_fd;
	send_packet(watch.mac);
	watch.is_running = false;
	if (pthread_create(&watch.thread, NULL, poll_packets, NULL))
		bench_die("cannot start a thread");
	while (!watch.is_running)
		;
}

double watch_stop(void)
{
	pthread_join(watch.thread, NULL);
	return watch.seen;
}
