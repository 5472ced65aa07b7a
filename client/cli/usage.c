/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the command and option tables. */
#include <stdio.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/codec/describe.h"
#include "client/codec/width.h"

#define INDENT "  "
#define GAP_COLUMNS 2
#define LEFT_BYTES 96

void kz_usage_line(struct kz_buf *out, const struct kz_command *command)
{
    kz_buf_addf(out, "keizoku %s%s%s", command->name, *command->usage ? " " : "", command->usage);
}

static void add_entry(struct kz_buf *out, const char *left, size_t columns, const char *right)
{
    size_t width = kz_width(left, 1);
    kz_buf_addf(out, INDENT "%s", left);
    kz_width_add_spaces(out, (width < columns ? columns - width : 0) + GAP_COLUMNS);
    kz_buf_addf(out, "%s\n", right);
}

static void format_option(const struct kz_option *option, char out[LEFT_BYTES])
{
    char letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(out, LEFT_BYTES, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
}

/* `set` 0: the global options. */
static void add_options(struct kz_buf *out, const struct kz_view *view, unsigned set)
{
    size_t count, columns = 0;
    const struct kz_option *options = kz_options_table(&count);
    char left[LEFT_BYTES];
    for (size_t i = 0; i < count; i++) {
        format_option(&options[i], left);
        if (kz_width(left, 1) > columns) columns = kz_width(left, 1);
    }
    for (size_t i = 0; i < count; i++) {
        if (set ? !(options[i].set & set) : options[i].set != 0) continue;
        format_option(&options[i], left);
        add_entry(out, left, columns, view->japanese ? options[i].ja : options[i].en);
    }
}

static void add_title(struct kz_buf *out, const struct kz_view *view, enum kz_text_id title, const char *arg)
{
    kz_buf_add_text(out, "\n");
    kz_text_fill(out, title, view->japanese, KZ_TEXT_ARGS(arg));
    kz_buf_add_text(out, ":\n");
}

static void add_foot(struct kz_buf *out, const struct kz_view *view, const char *config_path)
{
    add_title(out, view, KZ_T_HELP_GLOBAL, config_path);
    add_options(out, view, 0);
    add_title(out, view, KZ_T_HELP_EXITS, NULL);
    kz_buf_addf(out, INDENT "%s\n", kz_text(KZ_T_HELP_EXIT_LIST, view->japanese));
}

void kz_usage_all(struct kz_buf *out, const struct kz_view *view, const char *config_path)
{
    size_t count, columns = 0;
    const struct kz_command *commands = kz_commands(&count);
    char left[LEFT_BYTES];
    kz_buf_addf(out, "%s\n", kz_text(KZ_T_HELP_TAGLINE, view->japanese));
    add_title(out, view, KZ_T_HELP_COMMANDS, NULL);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            snprintf(left, sizeof left, "%s%s%s", commands[i].name, *commands[i].usage ? " " : "", commands[i].usage);
            if (pass)
                add_entry(out, left, columns, view->japanese ? commands[i].ja : commands[i].en);
            else if (kz_width(left, 1) > columns)
                columns = kz_width(left, 1);
        }
    add_title(out, view, KZ_T_HELP_KINDS, NULL);
    kz_buf_add_text(out, INDENT);
    kz_describe_kinds(out);
    kz_buf_add_text(out, "\n");
    add_foot(out, view, config_path);
    kz_buf_addf(out, "\n%s\n", kz_text(KZ_T_HELP_MORE, view->japanese));
}

void kz_usage_command(struct kz_buf *out, const struct kz_view *view, const struct kz_command *command,
                      const char *config_path)
{
    kz_buf_addf(out, "%s: ", kz_text(KZ_T_HELP_USAGE, view->japanese));
    kz_usage_line(out, command);
    kz_buf_addf(out, "\n\n" INDENT "%s\n", view->japanese ? command->ja : command->en);
    if (command->role) kz_buf_addf(out, INDENT "%s: %s\n", kz_text(KZ_T_HELP_ROLE, view->japanese), command->role);
    if (command->options & KZ_OPTION_FIELDS) {
        kz_usage_fields(out, view, command);
    } else if (command->options) {
        add_title(out, view, KZ_T_HELP_OPTIONS, NULL);
        add_options(out, view, command->options);
    }
    add_foot(out, view, config_path);
}
