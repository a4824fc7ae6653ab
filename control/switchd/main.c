/* SPDX-License-Identifier: Apache-2.0 */
/* weftd: the switch of one host. */
#include <stdio.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "control/switchd/eal.h"
#include "control/switchd/switchd.h"

int main(int argc, char **argv)
{
	static struct switchd s;
	struct options o;
	struct error e = {""};

	switch (options_read(argc, argv, &o, &e)) {
	case OPTIONS_EXIT:
		return 0;
	case OPTIONS_USAGE:
		fprintf(stderr, "weftd: %s\n", e.text);
		return 2;
	case OPTIONS_RUN:
		break;
	}
	log_set_level((enum log_level)o.log_level);
	if (eal_start(&o, &e) || switchd_start(&s, &o, &e)) {
		log_error("%s", e.text);
		return 1;
	}
	log_info("weftd " WEFT_VERSION ": bridge %s, sockets in %s", o.bridge, o.rundir);
	sd_notify(0, "READY=1");
	uv_run(&s.loop, UV_RUN_DEFAULT);
	sd_notify(0, "STOPPING=1");
	switchd_stop(&s);
	log_info("stopped");
	return 0;
}
