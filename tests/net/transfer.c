// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers over HTTP, many at a time, each on a connection of its own. Counts every transfer
 * once: complete, or broken and why (ab counts one broken transfer up to three times). Prints one
 * line of JSON; exit status 0 unless it could not run. SIGTERM: starts no more, finishes the rest.
 *
 * transfer [-c PARALLEL] [-n COUNT] [-t SECONDS] [-w TIMEOUT] [-p PATH] [-o FILE] ADDR PORT
 *
 * ADDR is of either family. -o: a line about each broken transfer: its local port, what happened, when it began and broke
 * (seconds since 1970), bytes it had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 2048

enum outcome { OK, REFUSED, RESET, SHORT, TIMEOUT, WRONG, OUTCOMES };
static const char *const outcome_names[] = {"ok", "refused", "reset", "short", "timeout", "wrong"};

struct transfer {
	int fd;
	bool is_connected;
	double start, last; /* when it began, when something last happened */
	size_t head_len;
	char head[HEAD_MAX + 1];
	long long body_len, want_len; /* -1: not known yet */
};

struct options {
	struct sockaddr_storage to;
	socklen_t to_len;
	const char *path;
	unsigned long parallel, count;
	double seconds, timeout;
	FILE *broken; /* NULL: not asked for */
};

struct totals {
	unsigned long outcome[OUTCOMES];
	unsigned long started, done;
	unsigned long long bytes;
	double *times;
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
	fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void start(struct transfer *t, const struct options *options, int epoll)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = t};

	memset(t, 0, sizeof(*t));
	t->want_len = -1;
	t->start = t->last = now();
	t->fd = socket(options->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		die("socket");
	if (connect(t->fd, (const struct sockaddr *)&options->to, options->to_len) &&
	    errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, t->fd, &event))
		die("epoll_ctl");
}

/* 0 once sent, or the outcome of a connection that never was. */
static int send_request(struct transfer *t, const struct options *options, int epoll)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = t};
	char request[512];
	int len, error = 0;
	socklen_t error_len = sizeof(error);

	getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
	if (error)
		return error == ETIMEDOUT ? TIMEOUT : REFUSED;
	len = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", options->path);
	if (send(t->fd, request, len, MSG_NOSIGNAL) != len)
		return RESET;
	t->is_connected = true;
	if (epoll_ctl(epoll, EPOLL_CTL_MOD, t->fd, &event))
		die("epoll_ctl");
	return 0;
}

/* Keep the head of the answer until it is whole; then only count. */
static void take(struct transfer *t, const char *data, size_t len)
{
	size_t part = len < HEAD_MAX - t->head_len ? len : HEAD_MAX - t->head_len;
	const char *end, *length;

	if (t->want_len >= 0) {
		t->body_len += len;
		return;
	}
	memcpy(t->head + t->head_len, data, part);
	t->head_len += part;
	t->head[t->head_len] = 0;
	end = strstr(t->head, "\r\n\r\n");
	if (!end)
		return;
	length = strstr(t->head, "Content-Length: ");
	t->want_len = length && length < end ? atoll(length + strlen("Content-Length: ")) : 0;
	t->body_len = t->head_len - (end + 4 - t->head) + (len - part);
}

static enum outcome judge(const struct transfer *t)
{
	if (t->want_len < 0 || t->body_len < t->want_len)
		return SHORT;
	return strncmp(t->head, "HTTP/1.1 200 ", 13) || t->body_len != t->want_len ? WRONG : OK;
}

/* The outcome once the transfer is over, -1 before. */
static int receive(struct transfer *t)
{
	static char buf[1 << 18];
	ssize_t len = recv(t->fd, buf, sizeof(buf), 0);

	if (len > 0) {
		take(t, buf, len);
		return -1;
	}
	if (len == 0)
		return judge(t);
	if (errno == EAGAIN || errno == EINTR)
		return -1;
	return errno == ETIMEDOUT ? TIMEOUT : RESET;
}

static void tell(const struct transfer *t, enum outcome outcome, FILE *file)
{
	struct sockaddr_in addr = {};
	socklen_t len = sizeof(addr);
	struct timespec ts;
	double end;

	getsockname(t->fd, (struct sockaddr *)&addr, &len);
	clock_gettime(CLOCK_REALTIME, &ts);
	end = ts.tv_sec + ts.tv_nsec / 1e9;
	fprintf(file, "%u %s %.3f %.3f %lld\n", ntohs(addr.sin_port), outcome_names[outcome],
		end - (now() - t->start), end, t->body_len);
	fflush(file);
}

static void finish(struct transfer *t, enum outcome outcome, const struct options *options,
		   struct totals *totals)
{
	if (outcome != OK && options->broken)
		tell(t, outcome, options->broken);
	close(t->fd);
	t->fd = -1;
	totals->outcome[outcome]++;
	totals->bytes += t->body_len;
	if (outcome == OK) {
		unsigned long n = totals->outcome[OK];

		if ((n & (n - 1)) == 0) /* room for twice as many, at each power of two */
			totals->times = realloc(totals->times, 2 * n * sizeof(*totals->times));
		if (!totals->times)
			die("realloc");
		totals->times[n - 1] = now() - t->start;
	}
	totals->done++;
}

static void handle(struct transfer *t, const struct options *options, int epoll,
		   struct totals *totals)
{
	int outcome;

	t->last = now();
	if (t->is_connected) {
		outcome = receive(t);
		if (outcome >= 0)
			finish(t, outcome, options, totals);
	} else {
		outcome = send_request(t, options, epoll);
		if (outcome)
			finish(t, outcome, options, totals);
	}
}

static void run(const struct options *options, struct totals *totals)
{
	struct transfer *all = calloc(options->parallel, sizeof(*all));
	struct epoll_event events[64];
	double begin = now();
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!all || epoll < 0)
		die("epoll");
	for (unsigned long i = 0; i < options->parallel; i++)
		all[i].fd = -1;
	for (;;) {
		bool is_last = is_stopped ||
			       (options->count && totals->started >= options->count) ||
			       (options->seconds && now() - begin >= options->seconds);

		if (is_last && totals->done == totals->started)
			break;
		for (unsigned long i = 0; i < options->parallel; i++) {
			if (all[i].fd >= 0 && now() - all[i].last > options->timeout)
				finish(&all[i], TIMEOUT, options, totals);
			if (all[i].fd < 0 && !is_last &&
			    (!options->count || totals->started < options->count)) {
				start(&all[i], options, epoll);
				totals->started++;
			}
		}
		int n = epoll_wait(epoll, events, 64, 100);

		for (int i = 0; i < n; i++)
			handle(events[i].data.ptr, options, epoll, totals);
	}
	close(epoll);
	free(all);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct totals *totals, double part)
{
	unsigned long n = totals->outcome[OK];

	return n ? totals->times[(unsigned long)(part * (n - 1))] * 1000 : 0;
}

static void print(const struct totals *totals, double seconds)
{
	if (totals->outcome[OK])
		qsort(totals->times, totals->outcome[OK], sizeof(*totals->times), compare);
	printf("{\"transfers\":%lu,\"broken\":%lu", totals->done,
	       totals->done - totals->outcome[OK]);
	for (int i = 0; i < OUTCOMES; i++)
		printf(",\"%s\":%lu", outcome_names[i], totals->outcome[i]);
	printf(",\"bytes\":%llu,\"seconds\":%.3f,\"p50_ms\":%.1f,\"p99_ms\":%.1f}\n", totals->bytes,
	       seconds, percentile(totals, 0.5), percentile(totals, 0.99));
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end) {
		fprintf(stderr, "transfer: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
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

	while ((option = getopt(argc, argv, "c:n:t:w:p:o:")) != -1) {
		switch (option) {
		case 'c': options->parallel = number(optarg); break;
		case 'n': options->count = number(optarg); break;
		case 't': options->seconds = number(optarg); break;
		case 'w': options->timeout = number(optarg); break;
		case 'p': options->path = optarg; break;
		case 'o':
			options->broken = fopen(optarg, "w");
			if (!options->broken)
				die(optarg);
			break;
		default: exit(2);
		}
	}
	if (argc - optind != 2 || !parse_addr(argv[optind], argv[optind + 1], options)) {
		fprintf(stderr, "usage: transfer [-c PARALLEL] [-n COUNT] [-t SECONDS] "
				"[-w TIMEOUT] [-p PATH] [-o FILE] ADDR PORT\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options options = {.path = "/1m.bin", .parallel = 1, .timeout = 30};
	struct totals totals = {};
	struct rlimit files;
	double begin;

	parse(argc, argv, &options);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	begin = now();
	run(&options, &totals);
	print(&totals, now() - begin);
	free(totals.times);
	return 0;
}
