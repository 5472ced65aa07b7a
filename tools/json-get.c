/* SPDX-License-Identifier: Apache-2.0 */
/* Picks values out of JSON on standard input, for shell scripts: `keizoku status -o json | json-get meta.leader`.
 * PATH is names and positions joined by dots; `#` is the number of elements; `*` stands for every element, one
 * line each. Text is printed bare, everything else as JSON. Exit 1: no such value; 3: not JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define PATH_BYTES 512

static int print_value(json_t *value)
{
    if (json_is_string(value)) {
        puts(json_string_value(value));
        return 0;
    }
    if (json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT) != 0) return 1;
    putchar('\n');
    return 0;
}

static int pick(json_t *value, const char *path);

static int pick_each(json_t *value, const char *rest)
{
    int result = 0;
    size_t i;
    json_t *element;
    const char *key;
    json_array_foreach(value, i, element) result |= pick(element, rest);
    json_object_foreach(value, key, element) result |= pick(element, rest);
    return result;
}

static int print_count(json_t *value)
{
    if (!json_is_array(value) && !json_is_object(value)) return 1;
    printf("%zu\n", json_is_array(value) ? json_array_size(value) : json_object_size(value));
    return 0;
}

static int pick(json_t *value, const char *path)
{
    char name[PATH_BYTES];
    if (*path == '\0') return print_value(value);
    size_t size_bytes = strcspn(path, ".");
    const char *rest = path + size_bytes + (path[size_bytes] == '.');
    if (size_bytes >= sizeof name) return 1;
    memcpy(name, path, size_bytes);
    name[size_bytes] = '\0';
    if (strcmp(name, "*") == 0) return pick_each(value, rest);
    if (strcmp(name, "#") == 0) return print_count(value);
    json_t *next = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10)) : json_object_get(value, name);
    return next ? pick(next, rest) : 1;
}

int main(int argc, char **argv)
{
    json_error_t error;
    if (argc != 2) {
        fputs("usage: json-get PATH   (JSON on standard input)\n", stderr);
        return 2;
    }
    json_t *root = json_loadf(stdin, JSON_DECODE_ANY, &error);
    if (!root) {
        fprintf(stderr, "json-get: line %d: %s\n", error.line, error.text);
        return 3;
    }
    int result = pick(root, argv[1]);
    json_decref(root);
    return result;
}
