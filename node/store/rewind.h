/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: REWIND, all records of some kinds as they stood just after an earlier revision, in one command
 * and any number of them. The history says which records have changed since; it is walked twice, once to decide (which
 * writes nothing) and once to write, with one record in memory at a time. */
#ifndef KZ_STORE_REWIND_H
#define KZ_STORE_REWIND_H

#include "node/store/stage.h"

bool kz_rewind_wanted(const Kz__Command *command);
/* The outcome, and stage->rewinds; the whole of what kz_stage_run does for such a command. */
enum kz_code kz_rewind_decide(struct kz_stage *stage) KZ_MUST_CHECK;
/* What was decided, record by record; `item` is borrowed for the call. Only after kz_rewind_decide accepted. */
typedef enum kz_code (*kz_rewind_writer)(void *data, const struct kz_stage *stage, const struct kz_staged *item);
enum kz_code kz_rewind_run(struct kz_stage *stage, kz_rewind_writer write, void *data) KZ_MUST_CHECK;

#endif
