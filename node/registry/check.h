/* SPDX-License-Identifier: Apache-2.0 */
/* What the general rules (check.c) and the rules of single kinds (check_kinds.c, check_upkeep.c, check_events.c) share.
 * Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_CHECK_H
#define KZ_REGISTRY_CHECK_H

#include <string.h>

#include "node/registry/path.h"
#include "node/registry/record.h"

struct kz_check {
    struct kz_violations *violations; /* borrowed */
    char path[KZ_PATH_MAX_BYTES];     /* "system/juki", longer while below it */
};

/* Sets the path to "kind/id", whatever the record holds in their place. */
void kz_check_begin(struct kz_check *check, const Kz__Record *record, struct kz_violations *violations);

/* One broken rule at <record>.<where>; `where` "" is the record itself. */
void kz_check_add(struct kz_check *check, const char *where, const char *rule, const char *source, const char *en,
                  const char *ja);

/* What one row says about its field, whatever the row's flags. */
void kz_check_field(struct kz_check *check, const struct kz_field *field, const ProtobufCMessage *message);

/* Rules of one kind, beyond what its rows say. The body exists. */
void kz_check_kind(struct kz_check *check, const Kz__Record *record);
/* The same for the kinds that keep a plan alive, and for those of events. */
void kz_check_upkeep(struct kz_check *check, const Kz__Record *record);
void kz_check_event(struct kz_check *check, const Kz__Record *record);

static inline bool has_text(const char *text) { return text != NULL && text[0] != '\0'; }

static inline bool same_text(const char *a, const char *b) { return has_text(a) && has_text(b) && strcmp(a, b) == 0; }

#endif
