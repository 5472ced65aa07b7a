/* SPDX-License-Identifier: Apache-2.0 */
/* A node of cardboard: real TLS, real frames, answers as the test says. One connection at a time, in its own thread. */
#ifndef TESTS_UNIT_CLIENT_SERVER_H
#define TESTS_UNIT_CLIENT_SERVER_H

#include "proto/service.pb-c.h"

enum server_act {
    SERVER_ANSWER, /* send `response` */
    SERVER_CLOSE,  /* break the connection without an answer */
    SERVER_ANSWER_AND_CLOSE,
};

/* Fills `response` (already initialised, with meta) for the n-th request this server got, from 0. What it points at
 * must outlive the call. */
typedef enum server_act (*server_handler)(void *data, unsigned n, const Kz__Request *request, Kz__Response *response);

struct server;

/* `folder` holds <name>.pem, <name>.key, ca.pem. */
struct server *server_start(const char *folder, const char *name, server_handler handler, void *data);
int server_port(const struct server *server);
void server_stop(struct server *server);

#endif
