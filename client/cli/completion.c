/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion, made from the command, option and schema tables. Ids come from what `list` kept. */
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/run_campaign.h"
#include "client/codec/describe.h"

static void add_commands(struct kz_buf *out)
{
    size_t count;
    const struct kz_command *commands = kz_commands(&count);
    for (size_t i = 0; i < count; i++)
        if (!strchr(commands[i].name, ' ')) kz_buf_addf(out, "%s%s", i ? " " : "", commands[i].name);
}

static void add_kinds(struct kz_buf *out)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        kz_buf_addf(out, "%s%s", i ? " " : "", kinds[i].name);
}

/* Options a command takes, its own first. */
static void add_options(struct kz_buf *out, unsigned set)
{
    size_t count;
    const struct kz_option *options = kz_options_table(&count);
    bool first = true;
    for (int global = 0; global < 2; global++)
        for (size_t i = 0; i < count; i++) {
            if (global ? options[i].set != 0 : !(options[i].set & set)) continue;
            kz_buf_addf(out, "%s--%s", first ? "" : " ", options[i].name);
            first = false;
        }
}

/* One case branch per option with fixed words or a file. */
static void add_option_values(struct kz_buf *out)
{
    size_t count;
    const struct kz_option *options = kz_options_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct kz_option *option = &options[i];
        bool file = option->value && strstr(option->value, "FILE");
        if (option->type == KZ_OPTION_FLAG || (!option->words && !file)) continue;
        kz_buf_addf(out, "    --%s", option->name);
        if (option->letter) kz_buf_addf(out, "|-%c", option->letter);
        if (file) {
            kz_buf_add_text(out, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n");
            continue;
        }
        kz_buf_add_text(out, ") COMPREPLY=($(compgen -W \"");
        for (size_t j = 0; option->words[j]; j++)
            kz_buf_addf(out, "%s%s", j ? " " : "", option->words[j]);
        kz_buf_add_text(out, "\" -- \"$cur\")); return ;;\n");
    }
}

/* Options with a value other than these: nothing sensible can be offered, but the word is not a command. */
static void add_valued_options(struct kz_buf *out)
{
    size_t count;
    const struct kz_option *options = kz_options_table(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == KZ_OPTION_FLAG) continue;
        kz_buf_addf(out, "%s--%s", first ? "" : "|", options[i].name);
        if (options[i].letter) kz_buf_addf(out, "|-%c", options[i].letter);
        first = false;
    }
}

/* `verify campaign` goes on with a verb as well as with an id. */
static void add_campaign(struct kz_buf *out)
{
    kz_buf_addf(out, "\n      [ \"$kind\" != campaign ] || { verbs=\"%s\"; options=\"", kz_campaign_verbs());
    add_options(out, kz_command_find("verify campaign")->options);
    kz_buf_add_text(out, "\"; }");
}

static void add_command_cases(struct kz_buf *out)
{
    size_t count;
    const struct kz_command *commands = kz_commands(&count);
    for (size_t i = 0; i < count; i++) {
        if (strchr(commands[i].name, ' ')) continue;
        kz_buf_addf(out, "    %s) words=%s;", commands[i].name, *commands[i].words ? commands[i].words : "-");
        if ((commands[i].options & KZ_OPTION_FIELDS) || commands[i].run == kz_run_derived)
            kz_completion_verbs(out, &commands[i]);
        kz_buf_add_text(out, " options=\"");
        if (commands[i].options & KZ_OPTION_FIELDS) kz_completion_fields(out, &commands[i]);
        add_options(out, commands[i].options);
        kz_buf_add_text(out, "\"");
        if (commands[i].run == kz_run_verify) add_campaign(out);
        kz_buf_add_text(out, " ;;\n");
    }
}

static const char ids_function[] = "_keizoku_ids() {\n"
                                   "  local file=\"${XDG_CACHE_HOME:-$HOME/.cache}/keizoku/ids/$1\"\n"
                                   "  [ -f \"$file\" ] && [ -r \"$file\" ] && cat \"$file\"\n"
                                   "}\n";

static const char find_words[] = "  local i word command= position=-1 kind= skip=\n"
                                 "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                                 "    word=${COMP_WORDS[i]}\n"
                                 "    if [ -n \"$skip\" ]; then skip=; continue; fi\n"
                                 "    case \"$word\" in\n";

static const char count_words[] = "      -*) continue ;;\n"
                                  "    esac\n"
                                  "    position=$((position + 1))\n"
                                  "    [ $position -eq 0 ] && command=$word\n"
                                  "    [ $position -eq 1 ] && kind=$word\n"
                                  "  done\n";

static const char choose[] =
    "  case \"$cur\" in -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")); return ;; esac\n"
    "  case \"$words:$position:$cur\" in\n"
    "    [Kk][Ii]*:0:*/*)\n"
    "      kind=${cur%%/*}\n"
    "      COMPREPLY=($(compgen -P \"$kind/\" -W \"$(_keizoku_ids \"$kind\")\" -- \"${cur#*/}\")); return ;;\n"
    "  esac\n"
    "  case \"$words:$position\" in\n"
    "    [Kk]*:0) COMPREPLY=($(compgen -W \"$kinds\" -- \"$cur\")) ;;\n"
    "    [Kk][Ii]*:1|?[Ii]+:*) COMPREPLY=($(compgen -W \"$verbs $(_keizoku_ids \"$kind\")\" -- \"$cur\")) ;;\n"
    "    S:0) COMPREPLY=($(compgen -W \"bash zsh\" -- \"$cur\")) ;;\n"
    "    \\*:0) COMPREPLY=($(compgen -W \"${verbs:-$(_keizoku_ids \"$ids\")}\" -- \"$cur\")) ;;\n"
    "    \\*:1) [ -z \"$verbs\" ] || COMPREPLY=($(compgen -W \"$(_keizoku_ids \"$ids\")\" -- \"$cur\")) ;;\n"
    "    c:0) COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")) ;;\n"
    "  esac\n"
    "}\n"
    "complete -F _keizoku keizoku\n";

void kz_completion_bash(struct kz_buf *out)
{
    kz_buf_add_text(out, "# bash completion of keizoku: eval \"$(keizoku completion bash)\"\n");
    kz_buf_add_text(out, ids_function);
    kz_buf_add_text(out, "_keizoku() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n");
    kz_buf_add_text(out, "  local commands=\"");
    add_commands(out);
    kz_buf_add_text(out, "\"\n  local kinds=\"");
    add_kinds(out);
    kz_buf_add_text(out, "\"\n  local words=- verbs= ids= options=\"");
    add_options(out, 0);
    kz_buf_add_text(out, "\"\n  COMPREPLY=()\n  case \"$prev\" in\n");
    add_option_values(out);
    kz_buf_add_text(out, "    ");
    add_valued_options(out);
    kz_buf_add_text(out, ") return ;;\n  esac\n");
    kz_buf_add_text(out, find_words);
    kz_buf_add_text(out, "      ");
    add_valued_options(out);
    kz_buf_add_text(out, ") skip=1; continue ;;\n");
    kz_buf_add_text(out, count_words);
    kz_buf_add_text(out, "  if [ -z \"$command\" ]; then\n"
                         "    COMPREPLY=($(compgen -W \"$commands $options\" -- \"$cur\")); return\n"
                         "  fi\n"
                         "  case \"$command\" in\n");
    add_command_cases(out);
    kz_buf_add_text(out, "  esac\n");
    kz_buf_add_text(out, choose);
}

/* zsh runs bash completions; one description of the commands is enough. */
void kz_completion_zsh(struct kz_buf *out)
{
    kz_buf_add_text(out, "#compdef keizoku\n"
                         "# zsh completion of keizoku: eval \"$(keizoku completion zsh)\"\n"
                         "autoload -U +X bashcompinit && bashcompinit\n");
    kz_completion_bash(out);
    /* In a folder of $fpath the file is the body of _keizoku, run by the first TAB: that one is to be answered too. */
    kz_buf_add_text(out, "if [ \"${funcstack[1]}\" = _keizoku ]; then _bash_complete -F _keizoku; fi\n");
}
