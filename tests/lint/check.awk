# SPDX-License-Identifier: Apache-2.0
# Reads the sources named on the command line, relative to the root, and prints FILE:LINE: rule: what to do.
# Lines that begin with "warning: " do not fail. STYLE.md says why each rule is there. Plain POSIX awk.

BEGIN {
    FILE_LINES_MAX = 600
    HEADER_LINES_MAX = 150
    FUNCTION_LINES_MAX = 70

    # The folder is the layer: what a file in it may include.
    split("proto:proto node/base:proto,node/base node/registry:proto,node/base,node/registry " \
          "node/store:proto,node/base,node/registry,node/store node/net:proto,node/base,node/registry,node/net " \
          "node/consensus:proto,node/base,node/registry,node/store,node/net,node/consensus " \
          "node/service:proto,node/base,node/registry,node/store,node/net,node/consensus,node/service " \
          "node/backup:proto,node/base,node/registry,node/store,node/consensus,node/backup " \
          "node:proto,node client:proto,node/base,node/registry,node/backup,client " \
          "tools:proto,node/base,node/registry,node/backup,client,tools", rows, " ")
    for (i in rows) {
        split(rows[i], pair, ":")
        allowed[pair[1]] = "," pair[2] ","
    }

    # Libraries that one folder owns.
    owners["lmdb.h"] = ",node/store,tests,"
    owners["raft.h"] = ",node/consensus,tests,"
    owners["uv.h"] = ",node/store,node/net,node/consensus,node/service,node,tests,"
    owners["mbedtls"] = ",node/net,client,tools,tests,"
    owners["ini.h"] = ",node/base,tests,"
    owners["jansson.h"] = ",client,tools,tests,"
    owners["yaml.h"] = ",client,tools,tests,"
    owners["csv.h"] = ",client,tests,"
    owners["xlsxwriter.h"] = ",client,tests,"
    owners["utf8proc.h"] = ",node/registry,client,tests,"

    # The domain sees no clock, file, locale or environment: these headers and nothing else.
    registry_headers = ",errno.h,inttypes.h,limits.h,stdarg.h,stdbool.h,stddef.h,stdint.h,stdio.h,stdlib.h,string.h,utf8proc.h,"

    unsafe = "strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|rand|srand|random|srandom|" \
             "drand48|system|popen|tmpnam|mktemp|tempnam|alloca|asctime|ctime"
    impure = "time|clock|clock_gettime|gettimeofday|localtime|localtime_r|gmtime|gmtime_r|mktime|strftime|strptime|" \
             "getrandom|getentropy|arc4random|getenv|secure_getenv|setlocale|nl_langinfo|getpid|gethostname|nanosleep|" \
             "usleep|sleep"
    input_output = "fopen|freopen|fdopen|open|openat|read|write|pread|pwrite|recv|send|socket|connect|unlink|rename|stat|" \
                   "fstat|printf|puts|putchar|fprintf|fputs|fwrite|fread|perror|dlopen|fork|syslog"
}

function report(line, rule, text) { print FILENAME ":" line ": " rule ": " text }
function warn(line, rule, text) { print "warning: " FILENAME ":" line ": " rule ": " text }

function layer_of(path) {
    if (path ~ /^node\/[a-z]+\//) { split(path, part, "/"); return part[1] "/" part[2] }
    sub(/\/.*/, "", path)
    return path
}

# Deterministic code: the domain, and what applies a committed command.
function is_pure(path) { return path ~ /^node\/registry\// || path ~ /^node\/store\/(apply|stage|state|table|chain|outcome)[a-z_]*\.c$/ }

function calls(code, names, found) {
    return match(code, "(^|[^A-Za-z0-9_.>])(" names ")[ ]*\\(")
}
function called(code) {
    found = substr(code, RSTART, RLENGTH)
    gsub(/[^A-Za-z0-9_]/, "", found)
    return found
}

# The line without comments and the insides of strings; `in_comment` lives across lines.
function strip(line, out, c, two, quote) {
    out = ""
    quote = ""
    while (line != "") {
        c = substr(line, 1, 1)
        two = substr(line, 1, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; line = substr(line, 3) } else line = substr(line, 2)
        } else if (quote != "") {
            if (c == "\\") { line = substr(line, 3); continue }
            if (c == quote) { quote = ""; out = out c }
            line = substr(line, 2)
        } else if (two == "/*") {
            in_comment = 1
            line = substr(line, 3)
        } else if (two == "//") {
            line = ""
        } else {
            if (c == "\"" || c == "'") quote = c
            out = out c
            line = substr(line, 2)
        }
    }
    return out
}

function end_file() {
    if (name == "") return
    keep = FILENAME
    FILENAME = name
    if (is_source && lines > FILE_LINES_MAX) report(lines, "file.length", lines " lines, at most " FILE_LINES_MAX ": split it")
    if (name ~ /\.h$/ && lines > HEADER_LINES_MAX) warn(lines, "header.length", lines " lines, aim for " HEADER_LINES_MAX)
    if (!has_spdx) report(1, "spdx", "the head has no SPDX-License-Identifier: Apache-2.0")
    FILENAME = keep
}

FNR == 1 {
    end_file()
    name = FILENAME
    layer = layer_of(name)
    base = name
    sub(/.*\//, "", base)
    is_c = name ~ /\.[ch]$/
    is_source = is_c || name ~ /\.(proto|sh|awk|build|py)$/ || name ~ /(^|\/)(run|lab|setup|quickstart)$/
    is_product = is_c && layer != "tests"
    has_spdx = 0
    in_comment = 0
    body_start = 0
    previous = before_previous = ""
    if (base ~ /^(common|util|utils|misc|helper|helpers)\.[ch]$/)
        report(1, "file.name", "says nothing about what is inside: name the file as its module")
}

{ lines = FNR }
FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { has_spdx = 1 }
/\r$/ { report(FNR, "line.end", "ends in CR: save with plain line ends") }

# ---- meson: a library's dependencies name only the layers above it ----

base == "meson.build" && layer ~ /^(node\/.*|client|tools)$/ {
    line = $0
    sub(/#.*/, "", line)
    while (match(line, /(base|registry|store|net|consensus|backup|service|client)_(dep|lib)/)) {
        other = substr(line, RSTART, RLENGTH - 4)
        line = substr(line, RSTART + RLENGTH)
        folder = other == "client" ? "client" : "node/" other
        if (index(allowed[layer], "," folder ",") == 0)
            report(FNR, "meson.layer", layer " may not depend on " folder)
    }
}

!is_c { next }

# ---- C: one pass over stripped lines ----

/^[ \t]*#[ \t]*include[ \t]*"/ {
    path = $0
    sub(/^[^"]*"/, "", path)
    sub(/".*/, "", path)
    target = layer_of(path)
    if (path !~ /\//) {
        report(FNR, "include.root", "\"" path "\": write the path from the root")
    } else if (is_product && layer == "node") {
        if (path !~ /^(node|proto)\//) report(FNR, "include.layer", "the node may not include " path)
    } else if (is_product && index(allowed[layer], "," target ",") == 0) {
        report(FNR, "include.layer", layer " may not include " path)
    }
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    path = $0
    sub(/^[^<]*</, "", path)
    sub(/>.*/, "", path)
    for (library in owners)
        if ((path == library || index(path, library "/") == 1) && index(owners[library], "," layer ",") == 0)
            report(FNR, "include.library", layer " may not include <" path ">")
    if (layer == "node/registry" && index(registry_headers, "," path ",") == 0)
        report(FNR, "include.pure", "the domain may not include <" path ">")
}

{
    raw = $0
    if (raw ~ /(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/) report(FNR, "left.over", "finish it or write an issue")
    code = strip(raw)
    if (is_product && calls(code, unsafe)) report(FNR, "call.unsafe", called(code) "() is banned")
    if (is_pure(name) && calls(code, impure)) report(FNR, "call.impure", called(code) "() is banned: replicas would diverge")
    if (layer == "node/registry" && calls(code, input_output)) report(FNR, "call.io", called(code) "() is banned: the domain does no I/O")
    if (code ~ /^[ \t]*typedef[ \t]+(struct|union|enum)/ && code !~ /\(\*/) report(FNR, "typedef", "write struct, union or enum where it is used")
    if (is_product && code ~ /MDB_(WRITEMAP|MAPASYNC)/) report(FNR, "lmdb.sync", "loses committed data in a power cut")
    if (is_product && code ~ /MDB_NO(META)?SYNC/ && (before_previous previous code) !~ /no_sync/)
        report(FNR, "lmdb.sync", "only behind no_sync, which tests set: it loses committed data in a power cut")
    before_previous = previous
    previous = code
    if (raw == "{") body_start = FNR
    if (raw == "}" && body_start > 0) {
        if (FNR - body_start + 1 > FUNCTION_LINES_MAX)
            warn(body_start, "function.length", FNR - body_start + 1 " lines, aim for " FUNCTION_LINES_MAX)
        body_start = 0
    }
}

END { end_file() }
