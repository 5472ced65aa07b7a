/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/compare.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    char chunk[4096];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        kz_buf_add(&text, chunk, got);
    fclose(file);
    char *copy = strdup(kz_buf_text(&text));
    kz_buf_fini(&text);
    return copy;
}

static void report_difference(const char *name, const char *wanted, const char *got)
{
    int line = 1;
    const char *wanted_line = wanted, *got_line = got;
    for (size_t i = 0; wanted[i] == got[i] && wanted[i]; i++)
        if (wanted[i] == '\n') line++, wanted_line = wanted + i + 1, got_line = got + i + 1;
    fprintf(stderr, "%s:%d\n  wanted: %.*s\n  got:    %.*s\n", name, line, (int)strcspn(wanted_line, "\n"), wanted_line,
            (int)strcspn(got_line, "\n"), got_line);
}

void golden_compare(struct golden *golden, const char *name, struct kz_buf *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/expected/%s", golden->folder, name);
    golden->cases++;
    const char *got = kz_buf_text(text);
    if (golden->update) {
        FILE *file = fopen(path, "w");
        if (!file || fputs(got, file) < 0 || fclose(file) != 0) {
            perror(path);
            golden->failed++;
        }
        return;
    }
    char *wanted = read_file(path);
    if (!wanted || strcmp(wanted, got) != 0) {
        golden->failed++;
        report_difference(name, wanted ? wanted : "(no such file)", got);
    }
    free(wanted);
}

void golden_check_leftovers(struct golden *golden)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/expected", golden->folder);
    DIR *folder = opendir(path);
    size_t files = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.') files++;
    if (folder) closedir(folder);
    if (files == golden->cases) return;
    fprintf(stderr, "expected/ holds %zu files, the cases made %zu\n", files, golden->cases);
    golden->failed++;
}
