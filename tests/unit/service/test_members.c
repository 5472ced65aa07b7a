/* SPDX-License-Identifier: Apache-2.0 */
/* How a member stands in the raft configuration: what is written is read back, and nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/consensus/replica.h"
#include "node/service/members.h"

static void assert_kept(const char *name, const char *address, bool observer, const char *text)
{
    char server[KZ_ADDRESS_MAX_BYTES];
    struct kz_cluster_member member;
    assert_true(kz_member_format(name, address, observer, server));
    assert_string_equal(server, text);
    assert_true(kz_member_parse(server, &member));
    assert_string_equal(member.name, name);
    assert_string_equal(member.address, address);
    assert_int_equal(member.observer, observer);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    assert_kept("main", "10.1.0.1:7400", false, "main@10.1.0.1:7400");
    assert_kept("site-4.b_c", "[2001:db8::1]:7400", false, "site-4.b_c@[2001:db8::1]:7400");
    assert_kept("watcher", "host.example:1", true, "watcher@host.example:1;observer");
}

static void an_address_of_an_older_release_has_no_name(void **state)
{
    (void)state;
    struct kz_cluster_member member;
    assert_true(kz_member_parse("127.0.0.1:7400", &member));
    assert_string_equal(member.name, "");
    assert_string_equal(member.address, "127.0.0.1:7400");
    assert_false(member.observer);
}

static void the_longest_name_and_address_fit(void **state)
{
    (void)state;
    char name[KZ_MEMBER_NAME_BYTES], address[KZ_MEMBER_ADDRESS_BYTES], server[KZ_ADDRESS_MAX_BYTES];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(address, 'b', sizeof address - 1);
    memcpy(address + sizeof address - 7, ":65535", 7);
    assert_true(kz_member_format(name, address, true, server));
}

static void what_is_no_member_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "main@",
                                        "@127.0.0.1:7400",
                                        "main@127.0.0.1",
                                        "main@127.0.0.1:port",
                                        "main@127.0.0.1:65536",
                                        "Main@127.0.0.1:7400",
                                        "main@127.0.0.1:7400;",
                                        "main@127.0.0.1:7400;voter",
                                        "main@127.0.0.1:7400;observer;observer",
                                        "main other@127.0.0.1:7400"};
    struct kz_cluster_member member;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (kz_member_parse(texts[i], &member)) fail_msg("'%s' was taken", texts[i]);
}

static void marks_cannot_be_smuggled_in(void **state)
{
    (void)state;
    char server[KZ_ADDRESS_MAX_BYTES];
    assert_false(kz_member_format("main", "127.0.0.1:7400;observer", false, server));
    assert_false(kz_member_format("main@other", "127.0.0.1:7400", false, server));
    assert_false(kz_member_format("main", "other@127.0.0.1:7400", false, server));
    assert_false(kz_member_format("", "127.0.0.1:7400", false, server));
    char long_address[KZ_ADDRESS_MAX_BYTES + 8];
    memset(long_address, 'b', sizeof long_address - 1);
    memcpy(long_address + sizeof long_address - 7, ":65535", 7);
    assert_false(kz_member_format("main", long_address, false, server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(an_address_of_an_older_release_has_no_name),
        cmocka_unit_test(the_longest_name_and_address_fit),
        cmocka_unit_test(what_is_no_member_is_refused),
        cmocka_unit_test(marks_cannot_be_smuggled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
