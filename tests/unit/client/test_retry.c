/* SPDX-License-Identifier: Apache-2.0 */
/* libkeizoku against nodes of cardboard: a write keeps its id, a read finds the majority, a watch loses nothing. */
#include "tests/unit/client/world.h"

#include <stdio.h>
#include <string.h>

static const enum server_act answers[] = {SERVER_ANSWER};
static const uint32_t fine[] = {0};

/* ---- retries ---- */

static void a_write_whose_answer_was_lost_is_asked_again_with_the_same_id(void **state)
{
    (void)state;
    const enum server_act first_acts[] = {SERVER_CLOSE};
    struct script first = {.acts = first_acts, .codes = fine, .count = 1};
    struct script second = {.acts = answers, .codes = fine, .count = 1};
    struct server *one = server_start(world_node_folder, "main", follow_script, &first);
    struct server *two = server_start(world_node_folder, "main", follow_script, &second);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_non_null(response->outcome);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
    static const uint8_t zero[KZ_REQUEST_ID_BYTES];
    assert_int_equal(first.got, 1);
    assert_int_equal(second.got, 1);
    assert_memory_equal(first.ids[0], second.ids[0], KZ_REQUEST_ID_BYTES);
    assert_memory_not_equal(first.ids[0], zero, KZ_REQUEST_ID_BYTES);
}

static void no_quorum_after_a_lost_answer_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    const enum server_act acts[] = {SERVER_CLOSE, SERVER_ANSWER};
    const uint32_t codes[] = {0, KZ_NO_QUORUM};
    struct script script = {.acts = acts, .codes = codes, .count = 2};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, 700);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_UNKNOWN_OUTCOME);
    assert_null(response);
    kz_client_free(client);
    server_stop(server);
    assert_true(script.got >= 2);
    assert_memory_equal(script.ids[0], script.ids[1], KZ_REQUEST_ID_BYTES);
    assert_int_equal(script.ages_ms[0], -1); /* sent for the first time */
    assert_true(script.ages_ms[1] > 0);      /* it waited in between */
    if (script.got > 2) assert_true(script.ages_ms[2] >= script.ages_ms[1]);
}

/* A node that refuses because it cannot tell (ASKED_LATE) is not the last word; its reason is. */
static void why_an_outcome_is_unknown_is_what_the_last_node_said(void **state)
{
    (void)state;
    char why[] = "it came too long after it was first sent";
    const uint32_t codes[] = {KZ_UNKNOWN_OUTCOME};
    struct script script = {.acts = answers, .codes = codes, .count = 1, .why = why};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, 3000);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_UNKNOWN_OUTCOME);
    assert_null(response);
    assert_non_null(strstr(err.text, why));
    kz_client_free(client);
    server_stop(server);
    assert_true(script.got >= 2);
}

static void no_quorum_at_one_node_is_asked_at_the_next(void **state)
{
    (void)state;
    const uint32_t isolated_codes[] = {KZ_NO_QUORUM};
    struct script isolated = {.acts = answers, .codes = isolated_codes, .count = 1};
    struct script healthy = {.acts = answers, .codes = fine, .count = 1};
    struct server *one = server_start(world_node_folder, "main", follow_script, &isolated);
    struct server *two = server_start(world_node_folder, "main", follow_script, &healthy);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_null(response->error);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
    assert_int_equal(isolated.got, 1);
}

static void a_refusal_that_will_not_change_is_not_asked_again(void **state)
{
    (void)state;
    const uint32_t codes[] = {KZ_INVALID};
    struct script script = {.acts = answers, .codes = codes, .count = 1};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_int_equal(response->error->code, KZ_INVALID);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(script.got, 1);
}

/* ---- a fresher answer ---- */

static enum server_act answer_alone(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    (void)request;
    *(unsigned *)data += 1;
    response->meta->read = KZ__READ_MODE__LOCAL;
    response->meta->quorum = false;
    response->meta->rev = 1;
    return SERVER_ANSWER;
}

static enum server_act answer_with_quorum(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    /* The one that is asked second must not fall back to its own copy too. */
    if (request->mode == KZ__READ_MODE__LINEARIZABLE) *(unsigned *)data += 1;
    response->meta->rev = 2;
    return SERVER_ANSWER;
}

static uint64_t read_rev(struct kz_client *client)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    char id[] = "juki";
    get.kind = KZ__KIND__SYSTEM;
    get.id = id;
    Kz__Request request = KZ__REQUEST__INIT;
    request.get = &get;
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(kz_client_call(client, &request, &response, &err), KZ_OK);
    uint64_t rev = response->meta->rev;
    kz__response__free_unpacked(response, NULL);
    return rev;
}

static void auto_prefers_a_node_with_a_quorum_over_the_lone_one_that_answered(void **state)
{
    (void)state;
    unsigned alone = 0, linearizable = 0;
    struct server *one = server_start(world_node_folder, "main", answer_alone, &alone);
    struct server *two = server_start(world_node_folder, "main", answer_with_quorum, &linearizable);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    assert_int_equal(read_rev(client), 2);
    assert_int_equal(linearizable, 1);
    assert_int_equal(read_rev(client), 2); /* and stays with it */
    assert_int_equal(alone, 1);
    kz_client_free(client);
    client = world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    assert_int_equal(read_rev(client), 1); /* asked for a node's own copy: no one else is asked */
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
}

/* ---- watch ---- */

/* Holds revisions 5..9. Answers two changes from where it is asked, then breaks; begins one too early on purpose. */
struct feed {
    Kz__Change changes[3];
    Kz__Change *list[3];
    uint64_t asked[16];
    unsigned count;
};

static enum server_act feed_changes(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    struct feed *feed = data;
    static char id[] = "juki", word[] = "x";
    if (!request->watch || n >= 16) return SERVER_CLOSE;
    uint64_t from = request->watch->has_from_rev ? request->watch->from_rev : 5;
    feed->asked[feed->count++] = from;
    uint64_t first = from > 5 ? from - 1 : from;
    for (size_t i = 0; i < 3 && first + i <= 9; i++) {
        kz__change__init(&feed->changes[i]);
        feed->changes[i].rev = first + i;
        feed->changes[i].op = KZ__MUTATION__OP__PUT;
        feed->changes[i].kind = KZ__KIND__SYSTEM;
        feed->changes[i].id = id;
        feed->changes[i].actor = feed->changes[i].node = word;
        feed->list[i] = &feed->changes[i];
        response->n_changes = i + 1;
    }
    response->changes = feed->list;
    response->has_more = response->more = true;
    response->has_next_rev = true;
    response->next_rev = first + response->n_changes;
    return SERVER_ANSWER_AND_CLOSE;
}

struct seen {
    uint64_t revs[16];
    unsigned count;
};

static bool note_changes(void *data, const Kz__Response *response)
{
    struct seen *seen = data;
    for (size_t i = 0; i < response->n_changes && seen->count < 16; i++)
        seen->revs[seen->count++] = response->changes[i]->rev;
    return seen->count < 5;
}

static void a_watch_goes_on_after_breaks_with_no_change_lost_or_doubled(void **state)
{
    (void)state;
    struct feed feed = {.count = 0};
    struct server *server = server_start(world_node_folder, "main", feed_changes, &feed);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__WatchRequest watch = KZ__WATCH_REQUEST__INIT;
    struct seen seen = {.count = 0};
    Kz__Response *refusal = NULL;
    struct kz_err err;
    assert_int_equal(kz_client_watch(client, &watch, LONG_MS, note_changes, &seen, &refusal, &err), KZ_OK);
    assert_null(refusal);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(seen.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(seen.revs[i], 5 + i);
    assert_true(feed.count >= 2); /* it did break in between */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_whose_answer_was_lost_is_asked_again_with_the_same_id),
        cmocka_unit_test(no_quorum_after_a_lost_answer_leaves_the_outcome_unknown),
        cmocka_unit_test(why_an_outcome_is_unknown_is_what_the_last_node_said),
        cmocka_unit_test(no_quorum_at_one_node_is_asked_at_the_next),
        cmocka_unit_test(a_refusal_that_will_not_change_is_not_asked_again),
        cmocka_unit_test(auto_prefers_a_node_with_a_quorum_over_the_lone_one_that_answered),
        cmocka_unit_test(a_watch_goes_on_after_breaks_with_no_change_lost_or_doubled),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
