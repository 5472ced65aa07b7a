/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a room needs of the layers above: included by .c files of node/service only. */
#ifndef KZ_SERVICE_NODE_PARTS_H
#define KZ_SERVICE_NODE_PARTS_H

#include "node/consensus/replica.h"
#include "node/consensus/transport.h"
#include "node/registry/record.h"
#include "node/service/mutation.h"
#include "node/service/outbox.h"
#include "node/service/outbox_io.h"
#include "node/service/read.h"
#include "node/service/snapshot.h"
#include "node/service/status.h"
#include "node/service/watch.h"
#include "node/service/write.h"
#include "node/store/writer.h"

#endif
