/* SPDX-License-Identifier: Apache-2.0 */
/* Which operations exist and which role may ask for them: one table, deny by default (DESIGN §9). */
#ifndef KZ_SERVICE_DISPATCH_H
#define KZ_SERVICE_DISPATCH_H

#include "node/service/request.h"

/* Checks role and names, then hands the request to its room. The request may have ended when this returns. */
void kz_dispatch(struct kz_request *request);

#endif
