/* SPDX-License-Identifier: Apache-2.0 */
/* Named points at which a test ends the process as kill -9 would: KEIZOKU_FAILPOINT=snapshot.send:3,apply.after_commit
 * ends it at the third passage of the one or the first of the other, whichever comes first. Only in builds with
 * -Dfailpoints (`keizokud --version` says so); elsewhere a point is nothing, and the variable is refused at the start.
 *
 * It does not simulate errors, only death. Threads: init before any other starts; points may be passed on all. */
#ifndef KZ_BASE_FAILPOINT_H
#define KZ_BASE_FAILPOINT_H

#include <stdio.h>

#include "node/base/err.h"

/* Every name there is, in groups, in the order in which they are passed. A name that is not here ends the start with an
 * error when it stands in the variable, and the process at its first passage when it stands in the code.
 * commit: the store's transaction that holds such work. */
#define KZ_FAILPOINT_TABLE(X)                                                                                          \
    X("hard.before_commit") /* term or vote */                                                                         \
    X("hard.after_commit")                                                                                             \
    X("append.before_commit")                                                                                          \
    X("append.after_commit")                                                                                           \
    X("apply.before_commit")                                                                                           \
    X("apply.after_commit")                                                                                            \
    X("compact.before_commit")                                                                                         \
    X("compact.after_commit")                                                                                          \
    X("snapshot.offer") /* sender: the state is open for reading, nothing is sent */                                   \
    X("snapshot.send")  /* sender: a chunk is made and not sent */                                                     \
    X("snapshot.sent")                                                                                                 \
    X("snapshot.acked")     /* sender: the receiver has more on its disk */                                            \
    X("snapshot.send_last") /* sender: the digest is made and not sent */                                              \
    X("snapshot.end")       /* sender: the receiver has all of it */                                                   \
    X("snapshot.receive")   /* receiver: a chunk came, nothing is done with it */                                      \
    X("snapshot.begin.before_commit")                                                                                  \
    X("snapshot.begin.after_commit")                                                                                   \
    X("snapshot.rows.before_commit")                                                                                   \
    X("snapshot.rows.after_commit")                                                                                    \
    X("snapshot.ack")      /* receiver: durable and not acknowledged */                                                \
    X("snapshot.complete") /* receiver: all rows durable, the core knows nothing */                                    \
    X("snapshot.install.before_commit")                                                                                \
    X("snapshot.install.after_commit")                                                                                 \
    X("snapshot.installed") /* receiver: before the core is told */                                                    \
    X("snapshot.sweep.before_commit")                                                                                  \
    X("snapshot.sweep.after_commit")                                                                                   \
    X("recover.archived")  /* the copy is complete, the node still runs */                                             \
    X("recover.stopped")   /* the store is open and nobody else has it */                                              \
    X("recover.prepared")  /* everything is in the transaction, nothing is durable */                                  \
    X("recover.committed") /* the new epoch is durable, nothing runs in it */                                          \
    X("backup.create")     /* the client saves: the part file is there and empty */                                    \
    X("backup.chunk")                                                                                                  \
    X("backup.head")   /* written whole, not yet durable */                                                            \
    X("backup.synced") /* not yet under its name */                                                                    \
    X("backup.renamed")                                                                                                \
    X("restore.begin")   /* the client restores: an empty store is there */                                            \
    X("restore.chunks")  /* after each transaction */                                                                  \
    X("restore.proved")  /* compared with the manifest */                                                              \
    X("restore.founded") /* a cluster of its own, not yet where a node looks */                                        \
    X("restore.ready")                                                                                                 \
    X("restore.renamed")

#ifdef KZ_FAILPOINTS
#define KZ_FAILPOINT(name) kz_failpoint_pass(name)
#else
#define KZ_FAILPOINT(name) ((void)0)
#endif
void kz_failpoint_pass(const char *name); /* through the macro */

/* Is this a build that has them? */
bool kz_failpoint_built(void);
/* `setting` is "name[:n][,name[:n]…]", n >= 1; NULL or "" = none. KZ_USAGE says what is wrong with it and what there
 * is. Replaces an earlier setting and counts from zero. */
enum kz_code kz_failpoint_init(const char *setting, struct kz_err *err) KZ_MUST_CHECK;
/* One name a line; nothing in a build without them. For scripts that go through all of them. */
void kz_failpoint_list(FILE *out);

#endif
