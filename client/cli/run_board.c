/* SPDX-License-Identifier: Apache-2.0 */
/* `board`, once or kept on the screen. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/run_event.h"
#include "node/base/assert.h"

#define REFRESH_MS 2000
#define SETTLE_MS 200 /* a file that is applied changes much at once */
#define DRAIN_BYTES 256

/* ---- what changes meanwhile ---- */

/* A connection of its own, in a thread of its own; both live until the program ends. */
struct watcher {
    struct kz_cli cli;
    int to_board;
};

static bool tell_board(void *data, const Kz__Response *response)
{
    const struct watcher *watcher = data;
    if (response->n_changes > 0 || response->resync) {
        ssize_t ignored = write(watcher->to_board, "", 1); /* a full pipe says the same */
        (void)ignored;
    }
    return true;
}

static void *watch(void *data)
{
    struct watcher *watcher = data;
    Kz__WatchRequest all = KZ__WATCH_REQUEST__INIT;
    Kz__Response *refusal = NULL;
    struct kz_err err = {.code = KZ_OK};
    if (kz_client_watch(watcher->cli.client, &all, -1, tell_board, watcher, &refusal, &err) == KZ_OK && refusal)
        kz__response__free_unpacked(refusal, NULL);
    return NULL;
}

/* A descriptor that becomes readable on a change; -1: there is none, and the board is renewed by the clock alone. */
static int start_watching(const struct kz_cli *cli)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return -1;
    struct watcher *watcher = kz_must_alloc(1, sizeof *watcher);
    watcher->cli = *cli;
    watcher->cli.client = NULL;
    watcher->to_board = ends[1];
    pthread_t thread;
    if (kz_cli_connect(&watcher->cli) == 0 && pthread_create(&thread, NULL, watch, watcher) == 0) {
        pthread_detach(thread);
        return ends[0];
    }
    kz_client_free(watcher->cli.client);
    free(watcher);
    close(ends[0]);
    close(ends[1]);
    return -1;
}

static void wait_for_change(int changes)
{
    struct pollfd wait = {.fd = changes, .events = POLLIN};
    char drain[DRAIN_BYTES];
    if (poll(&wait, 1, REFRESH_MS) <= 0) return;
    (void)poll(NULL, 0, SETTLE_MS);
    while (read(changes, drain, sizeof drain) > 0) {
    }
}

/* ---- the board ---- */

static bool is_lasting(int status)
{
    return status == kz_code_exit_status(KZ_IO) || status == kz_code_exit_status(KZ_USAGE) ||
           status == kz_code_exit_status(KZ_NOT_FOUND) || status == kz_code_exit_status(KZ_DENIED);
}

/* Until Ctrl-C. The own copy is enough: it is asked again in a moment, and the banner tells when it is cut off. A node
 * that cannot be reached now may be again: what failed is said and tried anew. */
static int keep_showing(struct kz_cli *cli, const char *id)
{
    if (cli->options.read == KZ__READ_MODE__AUTO) cli->options.read = KZ__READ_MODE__LOCAL;
    struct kz_live live = {.terminal = isatty(STDOUT_FILENO)};
    int status = kz_run_scene(cli, id, false, &live), changes = -1;
    if (!is_lasting(status)) changes = start_watching(cli);
    while (!is_lasting(status)) {
        wait_for_change(changes);
        status = kz_run_scene(cli, id, false, &live);
    }
    free(live.shown);
    return status;
}

int kz_run_board(struct kz_cli *cli)
{
    const char *id = cli->rest;
    if (id && strncmp(id, "incident/", strlen("incident/")) == 0) id += strlen("incident/");
    return cli->options.live ? keep_showing(cli, id) : kz_run_scene(cli, id, false, NULL);
}
