// SPDX-License-Identifier: GPL-2.0-only
/*
 * ecmper-loader: brings the router or the server program up on network devices, and down. Words
 * and messages only; the work is in lib/xdp.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ecmper.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static const char usage[] =
	"ecmper-loader: brings ecmper's XDP programs up and down\n"
	"\n"
	"  ecmper-loader router up --dev IF [--dev IF]... [options]\n"
	"  ecmper-loader router down\n"
	"  ecmper-loader server up --dev IF [--dev IF]... --vip PREFIX [--vip PREFIX]... [options]\n"
	"  ecmper-loader server down [--dev IF]\n"
	"\n"
	"The router stands where packets to the virtual addresses (VIPs) arrive; the server program\n"
	"runs on each server. `up` on one that is up adds devices and replaces the programs without a\n"
	"gap; connections do not notice. `down` leaves no trace, the router's tables are gone with it.\n"
	"\n"
	"  --dev IF           a device that packets come in by; may be given many times\n"
	"  --vip PREFIX       server: a virtual address of this host\n"
	"  --mode MODE        auto (default: native, or generic where the driver lacks it), native, generic\n"
	"  --mark FORMAT      dscp (default) or tos (the format of the P4 prototype); the same on all\n"
	"  --also-mac MAC     another MAC than the devices' own that frames to this host are sent to, such\n"
	"                     as VRRP's; may be given seven times\n"
	"  --flight-time TIME router: how long a packet may be on its way to servers and back (default 1s);\n"
	"                     within it after a change, no connection is reset\n"
	"  --icmp-source ADDR router: where its ICMP errors come from, once for IPv4 and once for IPv6\n"
	"                     (default: an address of the device that the packet came in by)\n"
	"  --icmp-rate N      router: ICMP errors a second and CPU (default 1000)\n"
	"  --hash-key HEX     router: 32 digits, shared by routers that serve the same VIPs (default: random)\n"
	"  --config FILE      read options from FILE, one `word value` a line, such as `dev eth0`\n"
	"  --pin DIR          the instance's folder on a bpffs (default " ECMPER_PIN_DEFAULT
	", or ECMPER_PIN)\n"
	"  --max-prefixes N, --max-next-hops N, --max-buckets N, --max-history N, --max-members N,\n"
	"  --max-ports N      router: sizes of its maps, fixed while it is up\n"
	"  --max-fragments N  datagrams in fragments under way at a time, fixed while it is up\n"
	"  -h, --help; -V, --version\n"
	"\n"
	"Example:\n"
	"  ecmper-loader router up --dev eth0 --dev eth1\n"
	"  ecmperctl neigh add 10.0.0.1 lladdr 02:03:04:05:06:01 dev eth1\n"
	"  ecmperctl add 10.0.10.0/32 via 10.0.0.1\n";

static int complain(int status, const char *text)
{
	fprintf(stderr, "ecmper-loader: %s\n", text);
	if (status == USAGE)
		fprintf(stderr, "ecmper-loader --help explains\n");
	return status;
}

static int read_config(struct ecmper_up_options *options, const char *name)
{
	FILE *file = fopen(name, "re");
	struct ecmper_error err;
	char text[600];
	int ret;

	if (!file) {
		snprintf(text, sizeof(text), "cannot open %s: %s", name, strerror(errno));
		return complain(FAILED, text);
	}
	ret = ecmper_options_read(options, file, name, &err);
	fclose(file);
	return ret ? complain(FAILED, err.text) : DONE;
}

/* Options of `up` into the struct; of `down`, only --pin and --dev. */
static int read_options(struct ecmper_up_options *options, int argc, char **argv)
{
	struct ecmper_error err;
	char text[128];

	for (int i = 0; i < argc; i += 2) {
		const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		int ret;

		if (strncmp(word, "--", 2)) {
			snprintf(text, sizeof(text), "\"%.64s\": an option expected", word);
			return complain(USAGE, text);
		}
		if (!value) {
			snprintf(text, sizeof(text), "%.64s: a value is missing", word);
			return complain(USAGE, text);
		}
		if (!strcmp(word, "--pin")) {
			options->pin = value;
			continue;
		}
		if (!strcmp(word, "--config")) {
			ret = read_config(options, value);
			if (ret)
				return ret;
			continue;
		}
		if (ecmper_option_set(options, word + 2, value, &err))
			return complain(USAGE, err.text);
	}
	return *options->pin == '/' ? DONE
				    : complain(USAGE, "the pin folder's name must begin with /");
}

static int bring_up(const struct ecmper_up_options *options)
{
	const char *role = options->role == ECMPER_ROUTER ? "router" : "server";
	struct ecmper_up_report report;
	struct ecmper_error err;

	if (!options->dev_count)
		return complain(USAGE, "--dev is missing: which device do packets come in by?");
	if (options->role == ECMPER_SERVER && !options->vip_count)
		return complain(USAGE, "--vip is missing: which addresses are virtual?");
	if (ecmper_up(options, &report, &err))
		return complain(FAILED, err.text);
	for (unsigned int i = 0; i < report.port_count; i++)
		printf("%s %s on %s, %s mode%s\n", role,
		       report.ports[i].was_attached ? "replaced" : "up", report.ports[i].dev,
		       report.ports[i].is_native ? "native" : "generic",
		       report.ports[i].is_native || options->mode == ECMPER_XDP_GENERIC ||
				       report.ports[i].was_attached
			       ? ""
			       : " (its driver refused native mode: slower)");
	return DONE;
}

static int take_down(const struct ecmper_up_options *options)
{
	struct ecmper_error err;

	if (options->role == ECMPER_ROUTER && options->dev_count)
		return complain(USAGE, "router down takes no --dev: it takes all devices down");
	if (options->dev_count > 1)
		return complain(USAGE, "server down takes one --dev, or none for all");
	if (ecmper_down(options->pin, options->role, options->dev_count ? options->devs[0] : NULL,
			&err))
		return complain(FAILED, err.text);
	return DONE;
}

int main(int argc, char **argv)
{
	static struct ecmper_up_options options = {.mark = -1, .flight_ms = -1};
	bool is_up;
	int ret;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return fputs(usage, stdout) < 0 || fflush(stdout) ? FAILED : DONE;
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version"))
			return printf("ecmper-loader %s\n", ECMPER_VERSION) < 0 ? FAILED : DONE;
	}
	if (argc < 3)
		return complain(USAGE, "expected: router or server, then up or down");
	if (strcmp(argv[1], "router") && strcmp(argv[1], "server"))
		return complain(USAGE, "the first word is router or server");
	if (strcmp(argv[2], "up") && strcmp(argv[2], "down"))
		return complain(USAGE, "the second word is up or down");
	options.role = !strcmp(argv[1], "router") ? ECMPER_ROUTER : ECMPER_SERVER;
	is_up = !strcmp(argv[2], "up");
	options.pin = getenv(ECMPER_PIN_ENV) ?: ECMPER_PIN_DEFAULT;
	ret = read_options(&options, argc - 3, argv + 3);
	if (!ret)
		ret = is_up ? bring_up(&options) : take_down(&options);
	ecmper_options_free(&options);
	return fflush(stdout) && !ret ? FAILED : ret;
}
