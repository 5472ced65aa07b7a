#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# page.sh KEIZOKU PAGE: the committed page of the schema is what the program generates.
set -eu
page=$(mktemp)
trap 'rm -f "$page"' EXIT
"$1" schema --markdown >"$page"
[ "$(wc -l <"$page")" -gt 300 ] || { echo "the generated page is nearly empty" >&2; exit 1; }
diff -u "$2" "$page" || { echo "run: keizoku schema --markdown >$2" >&2; exit 1; }
