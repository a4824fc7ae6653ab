/* SPDX-License-Identifier: Apache-2.0 */
/* Making a scene, inside: what scene_build.c and scene_network.c share. */
#ifndef CONTROL_AGENT_SCENE_BUILD_H
#define CONTROL_AGENT_SCENE_BUILD_H

#include "control/agent/scene.h"

struct building {
	struct scene *s;
	const struct view *v;
	const char *host, *socket_dir;
	bool lives_changed;
	bool failed; /* no memory */
};

/* Room for one more behind `n`; NULL: no memory, which is noted, and `array` stays. */
void *scene_grow(struct building *b, void *array, unsigned n, size_t size);

/* Reads the network `net->vni`, of which nothing else counts, and its ports. The hosts, bindings and routers
 * of the scene are there. */
void scene_network_read(struct building *b, struct scene_network *net);
/* Notes which of the hosts that it is on live. */
void scene_network_note_lives(struct scene_network *net);
void scene_network_free(struct scene_network *net);

/* Lets the local ports that both have be numbered, and claimed, as in `old`; and what is known of their
 * zones. */
void scene_network_adopt(struct scene_network *net, const struct scene_network *old);

#endif
