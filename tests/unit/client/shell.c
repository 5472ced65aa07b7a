/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/commands.h"

#define WORDS_MAX 16
#define SETTINGS_MAX 20

/* One shell_authority, a node's and a person's certificate, and a folder for files. */
char shell_root[] = "/tmp/keizoku-test-cli-XXXXXX";
char shell_node_folder[64], shell_user_folder[64];
static char certificate[96], key[96], trusted[96];
struct kz_ca *shell_authority;

void shell_issue(struct kz_ca_leaf leaf, char folder[64])
{
    struct kz_err err;
    snprintf(folder, 64, "%s/%s", shell_root, leaf.name);
    leaf.out_dir = folder;
    if (kz_ca_issue(shell_authority, &leaf, &err)) fail_msg("%s", err.text);
}

int shell_set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(shell_root));
    char folder[64];
    snprintf(folder, sizeof folder, "%s/ca", shell_root);
    struct kz_err err;
    struct kz_ca_options options = {.cluster = "lab"};
    if (kz_ca_create(folder, &options, &err) || kz_ca_open(folder, &shell_authority, &err)) fail_msg("%s", err.text);
    shell_issue((struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "main", .addresses = "127.0.0.1"},
                shell_node_folder);
    shell_issue((struct kz_ca_leaf){.kind = KZ_CA_KIND_USER, .name = "officer", .role = "operator"}, shell_user_folder);
    snprintf(certificate, sizeof certificate, "%s/officer.pem", shell_user_folder);
    snprintf(key, sizeof key, "%s/officer.key", shell_user_folder);
    snprintf(trusted, sizeof trusted, "%s/ca.pem", shell_user_folder);
    return 0;
}

int shell_tear_down(void **state)
{
    (void)state;
    kz_ca_close(shell_authority);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", shell_root);
    return system(command);
}

/* ---- one run ---- */

static const char *settings[SETTINGS_MAX]; /* names and values, ended by NULL */

static const char *get_setting(void *data, const char *name)
{
    (void)data;
    for (size_t i = 0; settings[i]; i += 2)
        if (strcmp(settings[i], name) == 0) return settings[i + 1];
    return NULL;
}

void shell_reset_settings(const char *nodes)
{
    const char *const all[] = {"HOME",         shell_root,  "XDG_CACHE_HOME", shell_root, "KEIZOKU_NODE", nodes,
                               "KEIZOKU_CERT", certificate, "KEIZOKU_KEY",    key,        "KEIZOKU_CA",   trusted};
    memset(settings, 0, sizeof settings);
    memcpy(settings, all, sizeof all);
}

void shell_add_setting(const char *name, const char *value)
{
    size_t count = 0;
    while (settings[count])
        count += 2;
    assert_true(count + 2 < SETTINGS_MAX);
    settings[count] = name;
    settings[count + 1] = value;
}

static int redirect(int fd, FILE *to)
{
    int saved = dup(fd);
    assert_true(saved >= 0 && dup2(fileno(to), fd) == fd);
    return saved;
}

static void restore(int fd, int saved, FILE *from, char text[TEXT_BYTES])
{
    assert_int_equal(dup2(saved, fd), fd);
    close(saved);
    rewind(from);
    text[fread(text, 1, TEXT_BYTES - 1, from)] = '\0';
    fclose(from);
}

/* `line` is split at spaces. */
void shell_run(struct run *run, const char *line)
{
    char copy[512], *words[WORDS_MAX + 1] = {(char[]){"keizoku"}}, *rest = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    int count = 1;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    fflush(NULL);
    int saved_out = redirect(STDOUT_FILENO, out), saved_err = redirect(STDERR_FILENO, err);
    run->status = kz_cli_main(count, words, get_setting, NULL);
    restore(STDOUT_FILENO, saved_out, out, run->out);
    restore(STDERR_FILENO, saved_err, err, run->err);
}

void assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("no \"%s\" in:\n%s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("\"%s\" in:\n%s", part, text);
}
