/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/progress.h"

#include <unistd.h>

#include "client/clock.h"

#define QUIET_MS 1000
#define EVERY_MS 200
#define BAR_CELLS 30u
#define MIB_BYTES (1u << 20)

void kz_progress_begin(struct kz_progress *progress, struct kz_cli *cli, enum kz_text_id what)
{
    *progress = (struct kz_progress){
        .cli = cli, .what = what, .began_ms = kz_clock_ms(), .wanted = isatty(STDERR_FILENO) && !cli->options.quiet};
}

void kz_progress_tell(struct kz_progress *progress, uint64_t done, uint64_t total, uint64_t bytes)
{
    int64_t now_ms = kz_clock_ms();
    if (!progress->wanted || now_ms - progress->began_ms < QUIET_MS || now_ms - progress->told_ms < EVERY_MS) return;
    unsigned percent = total ? (unsigned)((done < total ? done : total) * 100 / total) : 0;
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "\r%s [", kz_text(progress->what, progress->cli->view.japanese));
    for (unsigned i = 0; i < BAR_CELLS; i++)
        kz_buf_add_text(&line, i * 100 < percent * BAR_CELLS ? "#" : ".");
    kz_buf_addf(&line, "] %3u%% %llu MiB\033[K", percent, (unsigned long long)(bytes / MIB_BYTES));
    kz_cli_note(progress->cli, kz_buf_text(&line));
    kz_buf_fini(&line);
    progress->told_ms = now_ms;
    progress->shown = true;
}

void kz_progress_end(struct kz_progress *progress)
{
    if (progress->shown) kz_cli_note(progress->cli, "\r\033[K");
    progress->shown = false;
}
