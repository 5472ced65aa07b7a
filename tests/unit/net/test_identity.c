/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "node/net/identity.h"

static enum kz_code parse(const char *uri, struct kz_identity *out)
{
    struct kz_err err = {0};
    enum kz_code code = kz_identity_parse(uri, strlen(uri), out, &err);
    assert_int_equal(code, err.code);
    assert_int_equal(code != KZ_OK, err.text[0] != '\0');
    return code;
}

static void a_node_uri_gives_its_parts(void **state)
{
    (void)state;
    struct kz_identity identity;
    assert_int_equal(parse("spiffe://example.jp/cluster/lab-1/node/main", &identity), KZ_OK);
    assert_int_equal(identity.kind, KZ_IDENTITY_NODE);
    assert_string_equal(identity.trust, "example.jp");
    assert_string_equal(identity.cluster, "lab-1");
    assert_string_equal(identity.name, "main");
    assert_int_equal(identity.role, KZ_ROLE_NONE);
}

static void a_user_uri_gives_its_parts(void **state)
{
    (void)state;
    struct kz_identity identity;
    assert_int_equal(parse("spiffe://keizoku/cluster/lab/user/sato.hanako", &identity), KZ_OK);
    assert_int_equal(identity.kind, KZ_IDENTITY_USER);
    assert_string_equal(identity.name, "sato.hanako");
}

static void the_longest_name_fits_and_one_more_byte_does_not(void **state)
{
    (void)state;
    char uri[256] = "spiffe://t/cluster/c/user/";
    size_t base = strlen(uri);
    struct kz_identity identity;
    memset(uri + base, 'a', KZ_NAME_MAX_BYTES);
    uri[base + KZ_NAME_MAX_BYTES] = '\0';
    assert_int_equal(parse(uri, &identity), KZ_OK);
    assert_int_equal(strlen(identity.name), KZ_NAME_MAX_BYTES);
    strcat(uri, "a");
    assert_int_equal(parse(uri, &identity), KZ_TLS);
}

static void every_other_form_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "spiffe://",
        "https://t/cluster/c/user/x",
        "SPIFFE://t/cluster/c/user/x",
        "spiffe:///cluster/c/user/x",
        "spiffe://t/cluster//user/x",
        "spiffe://t/cluster/c/user/",
        "spiffe://t/cluster/c/user",
        "spiffe://t/cluster/c/person/x",
        "spiffe://t/cluster/c/user/x/",
        "spiffe://t/cluster/c/user/x/node/y",
        "spiffe://t/cluster/c/node/x?role=operator",
        "spiffe://t/cluster/c/user/X",
        "spiffe://t/cluster/c/user/.x",
        "spiffe://t/cluster/c/user/-x",
        "spiffe://t/cluster/../user/x",
        "spiffe://t/cluster/c/user/x%20y",
        "spiffe://t/cluster/c/user/x y",
        "spiffe://t/cluster/c/user/\xe4\xbd\x90",
        "spiffe://t:8443/cluster/c/user/x",
        "spiffe://u@t/cluster/c/user/x",
        " spiffe://t/cluster/c/user/x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kz_identity identity, nothing;
        memset(&nothing, 0, sizeof nothing);
        assert_int_equal(parse(bad[i], &identity), KZ_TLS);
        assert_memory_equal(&identity, &nothing, sizeof nothing);
    }
}

static void a_nul_byte_inside_a_name_is_refused(void **state)
{
    (void)state;
    struct kz_identity identity;
    static const char uri[] = "spiffe://t/cluster/c/user/admin\0x";
    assert_int_equal(kz_identity_parse(uri, sizeof uri - 1, &identity, NULL), KZ_TLS);
}

static void roles_are_read_exactly_and_anything_else_is_none(void **state)
{
    (void)state;
#define X(role, text)                                                                                                  \
    if (KZ_ROLE_##role != KZ_ROLE_NONE) assert_int_equal(kz_role_parse(text, strlen(text)), KZ_ROLE_##role);           \
    assert_string_equal(kz_role_text(KZ_ROLE_##role), text);
    KZ_ROLE_TABLE(X)
#undef X
    static const char *const others[] = {"", "none", "Operator", "operator ", "operators", "opera", "root", "admin"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(kz_role_parse(others[i], strlen(others[i])), KZ_ROLE_NONE);
    assert_int_equal(kz_role_parse("operator\0", 9), KZ_ROLE_NONE);
    assert_string_equal(kz_role_text((enum kz_role)99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_uri_gives_its_parts),
        cmocka_unit_test(a_user_uri_gives_its_parts),
        cmocka_unit_test(the_longest_name_fits_and_one_more_byte_does_not),
        cmocka_unit_test(every_other_form_is_refused_and_leaves_nothing),
        cmocka_unit_test(a_nul_byte_inside_a_name_is_refused),
        cmocka_unit_test(roles_are_read_exactly_and_anything_else_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
