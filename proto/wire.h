/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that both ends of a connection rely on, and the frame layout. Relations are asserted here. */
#ifndef KZ_PROTO_WIRE_H
#define KZ_PROTO_WIRE_H

#include <assert.h>

/* A frame on the wire, integers big-endian:
 *
 *   0       4       6       8       12
 *   +-------+-------+-------+--------+----------------------+
 *   | size  | type  | zero  | stream | payload (size bytes) |
 *   +-------+-------+-------+--------+----------------------+
 *
 * `type` is enum kz_frame_type; `stream` pairs a response with its request on client connections and
 * is 0 between nodes. The payload is one protobuf message. */
#define KZ_FRAME_HEADER_BYTES 12

enum kz_frame_type {
    KZ_FRAME_REQUEST = 1,  /* client -> node: kz.Request */
    KZ_FRAME_RESPONSE = 2, /* node -> client: kz.Response; more follow while Response.more is set */
    KZ_FRAME_PEER = 3,     /* node -> node: kz.PeerMessage */
    KZ_FRAME_CANCEL = 4,   /* client -> node: empty payload, ends the watch of this stream */
};

#define KZ_ALPN_CLIENT "keizoku/1"
#define KZ_ALPN_PEER "keizoku-peer/1"

#define KZ_FRAME_MAX_BYTES (1u << 20)      /* request or response payload, client connections */
#define KZ_PEER_FRAME_MAX_BYTES (2u << 20) /* peer payload: one batch plus envelope always fits */
#define KZ_RECORD_MAX_BYTES (256u << 10)
#define KZ_BATCH_MAX_BYTES (256u << 10)                              /* soft: a batch closes once it is past this */
#define KZ_ENTRY_MAX_BYTES (KZ_BATCH_MAX_BYTES + KZ_FRAME_MAX_BYTES) /* last command may exceed it */
#define KZ_CHUNK_MAX_BYTES (256u << 10)
#define KZ_BLOB_MAX_BYTES (32u << 20)                               /* one attachment's content */
#define KZ_BLOB_CHUNKS_MAX (KZ_BLOB_MAX_BYTES / KZ_CHUNK_MAX_BYTES) /* all but the last have KZ_CHUNK_MAX_BYTES */
#define KZ_MUTATIONS_MAX 1000u
#define KZ_COMMAND_TOUCHED_MAX_BYTES (8u << 20) /* stored records one command may change, together */
#define KZ_RETIRE_UNASKED_MAX 50u               /* records one command retires without being told how many */
#define KZ_REWIND_REVISIONS_MAX 500000u         /* as far as one rewind goes back: seconds on the store thread */
#define KZ_REWIND_TRY_MAX 10000u                /* a rewind over more revisions is not tried, only done */
#define KZ_REASON_MAX_BYTES 512u
#define KZ_KEY_MAX_BYTES 128u
#define KZ_ID_MAX_BYTES 64u
#define KZ_NAME_MAX_BYTES 64u /* node, user and cluster names */
#define KZ_PAGE_MAX 1000u
#define KZ_SEARCH_HITS_MAX 200u        /* in one answer */
#define KZ_SEARCH_TEXT_MAX_BYTES 1024u /* typed */
#define KZ_REQUEST_ID_BYTES 16u
#define KZ_VIOLATIONS_MAX 1000u
#define KZ_NODES_MAX 9u
#define KZ_CONNECTIONS_MAX 1024u
#define KZ_CONNECTIONS_PEER_RESERVED 16u
#define KZ_CONNECTIONS_ADMIN_RESERVED 4u
#define KZ_HANDSHAKES_MAX 8u
#define KZ_HANDSHAKE_TIMEOUT_MS 5000u
#define KZ_IDLE_TIMEOUT_MS 60000u
#define KZ_WATCHERS_MAX 4096u
#define KZ_WATCH_BACKLOG_MAX 1000u
#define KZ_PROPOSAL_QUEUE_MAX_BYTES (8u << 20)
#define KZ_AUTO_FALLBACK_MS 2000u     /* within this, `auto` shows a local answer when no quorum answers */
#define KZ_AUTO_READ_TIMEOUT_MS 1500u /* of which a node tries; in the rest the client asks the others */
#define KZ_BEACON_INTERVAL_MS 10000u  /* data time is stamped at least this often */
#define KZ_SNAPSHOT_FORMAT 2u         /* of the state's rows (node/store/snapshot.c); 2: outcomes by time */

/* Exactly once. The outcome of a write is remembered for KZ_REQUESTS_WINDOW_MS of the cluster's own time, and longer
 * while there are no more than KZ_REQUESTS_REMEMBERED. A client asks again within KZ_REQUEST_TIMEOUT_MAX_MS; a copy of
 * a write that shows up when it is older than KZ_REQUEST_AGE_MAX_MS is refused, because the outcome of another copy
 * could be forgotten by then. */
#define KZ_REQUEST_TIMEOUT_MAX_MS 60000u
#define KZ_REQUEST_AGE_MAX_MS 90000u
#define KZ_REQUESTS_STEP_MAX_MS (2 * KZ_BEACON_INTERVAL_MS) /* as far as one batch moves that time */
#define KZ_REQUESTS_WINDOW_MS 180000u
#define KZ_REQUESTS_REMEMBERED 10000u
/* Of the remembered outcomes with what each costs beside itself, so that no load fills the disk. The static assertion
 * keeps it from being what decides: 5,600 writes/s is the most that was reached, and 90 bytes an outcome of one change
 * to a record with the longest id. */
#define KZ_REQUESTS_MAX_BYTES (160u << 20)
#define KZ_REQUEST_ROW_BYTES 64u
#define KZ_WRITES_PER_SECOND_REACHED 5600u
#define KZ_OUTCOME_OF_ONE_MAX_BYTES 90u

static_assert(KZ_RECORD_MAX_BYTES < KZ_FRAME_MAX_BYTES, "a record fits a frame");
static_assert(KZ_REWIND_TRY_MAX < KZ_REWIND_REVISIONS_MAX, "what is tried can be done");
static_assert(KZ_ENTRY_MAX_BYTES < KZ_PEER_FRAME_MAX_BYTES, "an entry fits a peer frame");
static_assert(KZ_CHUNK_MAX_BYTES < KZ_PEER_FRAME_MAX_BYTES, "a snapshot chunk fits a peer frame");
static_assert(KZ_CHUNK_MAX_BYTES + 4096 < KZ_FRAME_MAX_BYTES, "a blob chunk fits a frame");
static_assert(KZ_BLOB_MAX_BYTES % KZ_CHUNK_MAX_BYTES == 0, "the largest content is whole chunks");
static_assert(KZ_BATCH_MAX_BYTES < KZ_PROPOSAL_QUEUE_MAX_BYTES, "the queue holds several batches");
static_assert(KZ_REQUEST_TIMEOUT_MAX_MS + KZ_REQUESTS_STEP_MAX_MS < KZ_REQUEST_AGE_MAX_MS,
              "what a client still waits for is not refused, also when a new leader's clock is ahead");
static_assert(KZ_REQUEST_AGE_MAX_MS + KZ_IDLE_TIMEOUT_MS + KZ_REQUESTS_STEP_MAX_MS < KZ_REQUESTS_WINDOW_MS,
              "what was underway on a silent connection is refused before the outcome of its copy is forgotten");
static_assert(KZ_REQUESTS_WINDOW_MS / 1000u * KZ_WRITES_PER_SECOND_REACHED *
                      (KZ_REQUEST_ROW_BYTES + KZ_OUTCOME_OF_ONE_MAX_BYTES) <
                  KZ_REQUESTS_MAX_BYTES,
              "the window decides what is forgotten, not the room");
static_assert(KZ_CONNECTIONS_PEER_RESERVED + KZ_CONNECTIONS_ADMIN_RESERVED < KZ_CONNECTIONS_MAX, "clients fit too");

#endif
