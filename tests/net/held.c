// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections that are held for long, and an echo server for them. Each sends a message, waits for
 * its echo, compares every byte, and rests: a busy one for -g milliseconds, the others for -q. A
 * connection breaks once, and is counted under why. Prints "ready" when every connection has had
 * its first answer; on SIGTERM each sends a last message, then one line of JSON is printed. Exit
 * status 0 unless it could not run.
 *
 * held serve PORT
 * held [-n CONNECTIONS] [-b BUSY] [-g GAP_MS] [-q QUIET_MS] [-w TIMEOUT_S] ADDR PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 4096 /* fits into any socket's buffer, so that it is sent at once */
#define EVENTS      256

enum outcome { ALIVE, REFUSED, RESET, CLOSED, TIMEOUT, WRONG, OUTCOMES };
static const char *const outcome_names[] = {"alive",  "refused", "reset",
					    "closed", "timeout", "wrong"};

enum state { CONNECTING, RESTING, WAITING, OVER };

struct held {
	int fd;
	enum state state;
	bool is_last; /* its last message is under way, or done */
	uint64_t sent, received;
	double time; /* CONNECTING, WAITING: since when; RESTING: until when */
};

struct options {
	struct sockaddr_storage to; /* of either family */
	socklen_t to_len;
	unsigned long count, busy, gap, quiet, timeout;
};

struct totals {
	unsigned long outcome[OUTCOMES];
	unsigned long messages, answered_first;
	double worst; /* longest time for an echo, seconds */
};

static volatile sig_atomic_t is_stopped;

static void stop(int sig)
{
	(void)sig;
	is_stopped = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "held: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A 64-bit mix: the content of a connection at a position, and the length of its messages. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
	return x ^ (x >> 32);
}

static uint8_t content(unsigned long number, uint64_t position)
{
	return mix((uint64_t)number << 40 ^ position);
}

static void watch(int epoll, int how, int fd, uint32_t what, uint64_t number)
{
	struct epoll_event event = {.events = what, .data.u64 = number};

	if (epoll_ctl(epoll, how, fd, &event))
		die("epoll_ctl");
}

/* ---- the server ---- */

static void echo(int fd)
{
	static char buf[1 << 16];
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0 || send(fd, buf, len, MSG_NOSIGNAL) != len)
		close(fd);
}

static void serve(unsigned long port)
{
	/* Of both families: IPv4 clients are mapped addresses to it. */
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct epoll_event events[EVENTS];
	int yes = 1, epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (listener < 0 || epoll < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(listener, 4096))
		die("listen");
	watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, listener);
	while (!is_stopped) {
		int n = epoll_wait(epoll, events, EVENTS, 1000);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.u64;

			if (fd != listener) {
				echo(fd);
				continue;
			}
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd >= 0)
				watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, fd);
		}
	}
}

/* ---- the client ---- */

static void end(struct held *held, enum outcome outcome, struct totals *totals)
{
	close(held->fd);
	held->state = OVER;
	totals->outcome[outcome]++;
}

static void begin(struct held *held, unsigned long number, const struct options *options, int epoll)
{
	int yes = 1;

	held->fd = socket(options->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (held->fd < 0)
		die("socket");
	setsockopt(held->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(held->fd, (const struct sockaddr *)&options->to, options->to_len) &&
	    errno != EINPROGRESS)
		die("connect");
	held->state = CONNECTING;
	held->time = now();
	watch(epoll, EPOLL_CTL_ADD, held->fd, EPOLLOUT, number);
}

static void say(struct held *held, unsigned long number, struct totals *totals)
{
	uint8_t message[MESSAGE_MAX];
	size_t len = 1 + mix(held->sent + number) % (mix(held->sent) % 8 ? 256 : MESSAGE_MAX);

	for (size_t i = 0; i < len; i++)
		message[i] = content(number, held->sent + i);
	held->is_last = is_stopped;
	held->time = now();
	held->state = WAITING;
	held->sent += len;
	if (send(held->fd, message, len, MSG_NOSIGNAL) != (ssize_t)len)
		end(held, RESET, totals);
}

static void rest(struct held *held, unsigned long number, const struct options *options,
		 struct totals *totals)
{
	double took = now() - held->time;
	unsigned long pause = number < options->busy ? options->gap : options->quiet;

	totals->messages++;
	if (took > totals->worst)
		totals->worst = took;
	/* not all at the same time: between half and one and a half of the pause */
	held->time = now() + pause * (0.5 + mix(held->sent + number) % 1024 / 1024.0) / 1000;
	held->state = RESTING;
}

static void hear(struct held *held, unsigned long number, const struct options *options,
		 struct totals *totals)
{
	uint8_t buf[MESSAGE_MAX];
	ssize_t len = recv(held->fd, buf, sizeof(buf), 0);
	bool is_first = held->received == 0;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		end(held, !len ? CLOSED : errno == ETIMEDOUT ? TIMEOUT : RESET, totals);
		return;
	}
	for (ssize_t i = 0; i < len; i++)
		if (held->received == held->sent || buf[i] != content(number, held->received++)) {
			end(held, WRONG, totals);
			return;
		}
	if (is_first && ++totals->answered_first == options->count)
		printf("ready\n"), fflush(stdout);
	if (held->received < held->sent)
		return;
	rest(held, number, options, totals);
	if (held->is_last)
		end(held, ALIVE, totals);
}

static void handle(struct held *held, unsigned long number, const struct options *options,
		   struct totals *totals, int epoll)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (held->state == OVER)
		return;
	if (held->state != CONNECTING) {
		hear(held, number, options, totals);
		return;
	}
	getsockopt(held->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		end(held, error == ETIMEDOUT ? TIMEOUT : REFUSED, totals);
		return;
	}
	watch(epoll, EPOLL_CTL_MOD, held->fd, EPOLLIN, number);
	say(held, number, totals);
}

/* What the time brings: a message that is due, an answer that did not come. */
static void tick(struct held *held, unsigned long number, const struct options *options,
		 struct totals *totals)
{
	if (held->state == RESTING && (is_stopped || now() >= held->time))
		say(held, number, totals);
	else if ((held->state == CONNECTING || held->state == WAITING) &&
		 now() - held->time > options->timeout)
		end(held, TIMEOUT, totals);
}

static unsigned long over(const struct totals *totals)
{
	unsigned long sum = 0;

	for (int i = 0; i < OUTCOMES; i++)
		sum += totals->outcome[i];
	return sum;
}

static void run(const struct options *options, struct totals *totals)
{
	struct held *all = calloc(options->count, sizeof(*all));
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!all || epoll < 0)
		die("epoll");
	for (unsigned long i = 0; i < options->count; i++)
		begin(&all[i], i, options, epoll);
	while (over(totals) < options->count) {
		int n = epoll_wait(epoll, events, EVENTS, 5);

		for (int i = 0; i < n; i++)
			handle(&all[events[i].data.u64], events[i].data.u64, options, totals,
			       epoll);
		for (unsigned long i = 0; i < options->count; i++)
			tick(&all[i], i, options, totals);
	}
	free(all);
	close(epoll);
}

static void print(const struct options *options, const struct totals *totals, double seconds)
{
	printf("{\"connections\":%lu,\"broken\":%lu", options->count,
	       options->count - totals->outcome[ALIVE]);
	for (int i = 0; i < OUTCOMES; i++)
		printf(",\"%s\":%lu", outcome_names[i], totals->outcome[i]);
	printf(",\"messages\":%lu,\"seconds\":%.3f,\"worst_ms\":%.1f}\n", totals->messages, seconds,
	       totals->worst * 1000);
}

static unsigned long number(const char *text)
{
	char *rest;
	unsigned long value = strtoul(text, &rest, 10);

	if (*text < '0' || *text > '9' || *rest) {
		fprintf(stderr, "held: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

static void usage(void)
{
	fprintf(stderr, "usage: held serve PORT\n"
			"       held [-n CONNECTIONS] [-b BUSY] [-g GAP_MS] [-q QUIET_MS] "
			"[-w TIMEOUT_S] ADDR PORT\n");
	exit(2);
}

static bool parse_addr(const char *addr, const char *port, struct options *options)
{
	struct sockaddr_in *to = (void *)&options->to;
	struct sockaddr_in6 *to6 = (void *)&options->to;

	if (inet_pton(AF_INET, addr, &to->sin_addr) == 1) {
		to->sin_family = AF_INET;
		to->sin_port = htons(number(port));
		options->to_len = sizeof(*to);
		return true;
	}
	to6->sin6_family = AF_INET6;
	to6->sin6_port = htons(number(port));
	options->to_len = sizeof(*to6);
	return inet_pton(AF_INET6, addr, &to6->sin6_addr) == 1;
}

static void parse(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt(argc, argv, "n:b:g:q:w:")) != -1) {
		switch (option) {
		case 'n': options->count = number(optarg); break;
		case 'b': options->busy = number(optarg); break;
		case 'g': options->gap = number(optarg); break;
		case 'q': options->quiet = number(optarg); break;
		case 'w': options->timeout = number(optarg); break;
		default: usage();
		}
	}
	if (argc - optind != 2 || !parse_addr(argv[optind], argv[optind + 1], options))
		usage();
}

int main(int argc, char **argv)
{
	struct options options = {
		.count = 1000, .busy = 500, .gap = 100, .quiet = 5000, .timeout = 30};
	struct totals totals = {};
	struct rlimit files;
	double start = now();

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		serve(number(argv[2]));
		return 0;
	}
	parse(argc, argv, &options);
	run(&options, &totals);
	print(&options, &totals, now() - start);
	return 0;
}
