/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/config.h"
#include "node/registry/text.h"

#define NUMBER_TEXT_BYTES 24
#define NONE SIZE_MAX
#define UNKNOWN_ID "unknown" /* stands for what was told already, so that the row's other faults are found */

static void refuse(struct kz_violations *problems, struct kz_place place, const char *rule, const char *source,
                   enum kz_text_id id, const char *const *args, size_t count)
{
    struct kz_buf en, ja;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    kz_text_fill(&en, id, false, args, count);
    kz_text_fill(&ja, id, true, args, count);
    struct kz_text both = {.en = kz_buf_text(&en), .ja = kz_buf_text(&ja)};
    kz_problem_add_text(problems, place, rule, &both, source);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
}

static const char *cell_of(const struct kz_sheet_row *row, size_t column)
{
    return column < row->count ? row->cells[column] : "";
}

struct kz_place kz_intake_place(const struct kz_intake *intake, const struct kz_intake_row *row, size_t column)
{
    return kz_sheet_place(intake->sheet, row->sheet, column == NONE ? 0 : column);
}

unsigned kz_intake_kinds(const struct kz_kind *kind)
{
    unsigned kinds = KZ_KIND_BIT(kind->number);
    struct kz_column_paths paths;
    kz_columns_collect(&paths, kind, NULL, 0);
    for (size_t i = 0; i < paths.count; i++)
        kinds |= kz_column_field(&paths.items[i])->ref_kinds;
    kz_columns_fini(&paths);
    return kinds;
}

/* ---- the header ---- */

static const struct kz_sheet_row *find_header(const struct kz_intake *intake)
{
    size_t wanted = intake->mapping ? intake->mapping->header_row : 0;
    for (size_t i = 0; i < intake->sheet->row_count; i++)
        if (wanted == 0 || intake->sheet->rows[i].number == wanted) return &intake->sheet->rows[i];
    return NULL;
}

static bool is_system(const struct kz_column_path *path)
{
    for (size_t i = 0; i < path->depth; i++)
        if (path->steps[i].field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) return true;
    return false;
}

static void refuse_header(const struct kz_intake *intake, struct kz_place place, const char *header,
                          const struct kz_field *near, struct kz_violations *problems)
{
    const struct kz_field *group = kz_field_by_name(intake->kind->fields, header);
    if (group && group->type == KZ_FIELD_GROUP)
        refuse(problems, place, "sheet.header", NULL, KZ_T_SHEET_GROUP,
               KZ_TEXT_ARGS(header, group->name, group->fields->name));
    else
        refuse(problems, place, "sheet.header", NULL, near ? KZ_T_SHEET_HEADER_NEAR : KZ_T_SHEET_HEADER,
               KZ_TEXT_ARGS(header, intake->kind->name, near ? near->name : NULL, near ? near->label.ja : NULL));
}

static void classify(const struct kz_intake *intake, struct kz_intake_column *column, struct kz_place place,
                     struct kz_violations *problems)
{
    const struct kz_mapping *mapping = intake->mapping;
    const char *name = mapping ? kz_mapping_field(mapping, column->header) : NULL;
    const struct kz_field *near = NULL;
    if (mapping && mapping->id_column && kz_mapping_same(mapping->id_column, column->header)) {
        column->role = KZ_INTAKE_ID;
        column->has_path = name && kz_column_parse(intake->kind, name, &column->path, &near);
    } else if (mapping && !name && kz_mapping_ignores(mapping, column->header)) {
        column->role = KZ_INTAKE_IGNORED;
    } else if (!kz_column_parse(intake->kind, name ? name : column->header, &column->path, &near)) {
        refuse_header(intake, place, column->header, near, problems);
    } else if (is_system(&column->path)) {
        bool rev = column->path.envelope && strcmp(kz_column_field(&column->path)->name, "rev") == 0;
        column->role = rev ? KZ_INTAKE_REV : KZ_INTAKE_IGNORED;
    } else if (column->path.envelope && strcmp(kz_column_field(&column->path)->name, "id") == 0) {
        column->role = KZ_INTAKE_ID;
    } else {
        column->role = KZ_INTAKE_FIELD;
        column->has_path = true;
    }
}

/* Only a mapping may lead several headers to one field, of prose: their lines stand under each other. */
static bool may_join(const struct kz_intake *intake, const struct kz_intake_column *column)
{
    return intake->mapping && column->role == KZ_INTAKE_FIELD && kz_column_field(&column->path)->type == KZ_FIELD_PROSE;
}

static void check_twice(struct kz_intake *intake, size_t at, struct kz_place place, struct kz_violations *problems)
{
    struct kz_intake_column *column = &intake->columns[at];
    for (size_t i = 0; i < at && column->role != KZ_INTAKE_IGNORED; i++) {
        const struct kz_intake_column *other = &intake->columns[i];
        if (other->role != column->role) continue;
        if (column->role == KZ_INTAKE_FIELD &&
            (kz_column_compare(&other->path, &column->path) != 0 || may_join(intake, column)))
            continue;
        refuse(problems, place, "sheet.header", NULL, KZ_T_SHEET_TWICE, KZ_TEXT_ARGS(column->header, other->header));
        *column = (struct kz_intake_column){.header = column->header};
        return;
    }
}

static bool has_data(const struct kz_intake *intake, const struct kz_sheet_row *header, size_t column)
{
    for (const struct kz_sheet_row *row = header + 1; row < intake->sheet->rows + intake->sheet->row_count; row++)
        if (*cell_of(row, column)) return true;
    return false;
}

static void read_header(struct kz_intake *intake, const struct kz_sheet_row *header, struct kz_violations *problems)
{
    size_t widest = header->count;
    for (const struct kz_sheet_row *row = header + 1; row < intake->sheet->rows + intake->sheet->row_count; row++)
        if (row->count > widest) widest = row->count;
    intake->columns = kz_must_alloc(widest + 1, sizeof *intake->columns);
    intake->column_count = widest;
    for (size_t i = 0; i < widest; i++) {
        struct kz_place place = kz_sheet_place(intake->sheet, header, i);
        intake->columns[i].header = cell_of(header, i);
        if (!*intake->columns[i].header) {
            if (has_data(intake, header, i))
                refuse(problems, place, "sheet.header", NULL, KZ_T_SHEET_NO_HEADER, NULL, 0);
            continue;
        }
        classify(intake, &intake->columns[i], place, problems);
        check_twice(intake, i, place, problems);
        if (intake->columns[i].role == KZ_INTAKE_ID && intake->id_column == NONE) intake->id_column = i;
        if (intake->columns[i].role == KZ_INTAKE_REV && intake->rev_column == NONE) intake->rev_column = i;
    }
    if (intake->id_column == NONE)
        refuse(problems, kz_sheet_place(intake->sheet, header, 0), "sheet.header", NULL, KZ_T_SHEET_NO_ID, NULL, 0);
}

/* ---- the rows ---- */

/* `found`: as kz_names_resolve left it. */
static void refuse_reference(const struct kz_field *field, enum kz_found result, const char *typed, const char *found,
                             struct kz_place place, struct kz_violations *problems)
{
    enum kz_text_id id = result == KZ_FOUND_MANY ? KZ_T_IMPORT_REF_MANY
                         : *found                ? KZ_T_IMPORT_REF_NEAR
                                                 : KZ_T_IMPORT_REF_NONE;
    refuse(problems, place, "reference.live", field->source, id, KZ_TEXT_ARGS(field->name, typed, found));
}

/* The id of the record that the cell names. False: there is none, and that was told. */
static bool name_to_id(const struct kz_intake *intake, const char *typed, struct kz_place place, struct kz_buf *out,
                       struct kz_violations *problems)
{
    struct kz_field field = {.name = intake->mapping->id_of->name,
                             .ref_kinds = KZ_KIND_BIT(intake->mapping->id_of->number)};
    struct kz_buf found;
    kz_buf_init(&found, 0);
    enum kz_found result = kz_names_resolve(&intake->names, &field, typed, &found);
    if (result == KZ_FOUND_ONE)
        kz_buf_add_text(out, kz_buf_text(&found));
    else
        refuse_reference(&field, result, typed, kz_buf_text(&found), place, problems);
    kz_buf_fini(&found);
    return result == KZ_FOUND_ONE;
}

static void read_id(const struct kz_intake *intake, struct kz_intake_row *row, struct kz_violations *problems)
{
    const char *typed = cell_of(row->sheet, intake->id_column);
    struct kz_place place = kz_intake_place(intake, row, intake->id_column);
    struct kz_buf text;
    kz_buf_init(&text, 0);
    bool told = false;
    if (*typed && intake->mapping) kz_buf_add_text(&text, intake->mapping->id_prefix);
    if (*typed && intake->mapping && intake->mapping->id_of)
        told = !name_to_id(intake, typed, place, &text, problems);
    else
        kz_buf_add_text(&text, typed);
    if (told || !kz_id_fold(kz_buf_text(&text), row->id)) {
        row->id[0] = '\0';
        if (!told)
            refuse(problems, place, "record.id", NULL, *typed ? KZ_T_DOC_BAD_ID : KZ_T_DOC_NO_ID,
                   KZ_TEXT_ARGS(kz_buf_text(&text)));
    }
    kz_buf_fini(&text);
}

static void read_rev(const struct kz_intake *intake, struct kz_intake_row *row, struct kz_violations *problems)
{
    const char *typed = intake->rev_column == NONE ? "" : cell_of(row->sheet, intake->rev_column);
    char narrow[NUMBER_TEXT_BYTES];
    int64_t rev;
    if (!*typed) {
        /* Who leaves it empty in a file that has the column means a new record. */
        if (intake->rev_column != NONE) row->base = NULL;
        return;
    }
    struct kz_place place = kz_intake_place(intake, row, intake->rev_column);
    if (!kz_text_narrow(typed, narrow, sizeof narrow) || !kz_parse_integer(narrow, &rev) || rev < 0) {
        refuse(problems, place, "field.type", NULL, KZ_T_DOC_BAD_REV, NULL, 0);
        return;
    }
    row->has_rev = rev > 0;
    row->rev = (uint64_t)rev;
    if (!row->current || row->rev <= row->current->rev) return;
    char now[NUMBER_TEXT_BYTES];
    snprintf(now, sizeof now, "%" PRIu64, row->current->rev);
    refuse(problems, place, "import.rev", NULL, KZ_T_IMPORT_REV_AHEAD, KZ_TEXT_ARGS(typed, now));
}

static bool is_skipped(const struct kz_intake *intake, const struct kz_sheet_row *sheet)
{
    for (size_t i = 0; intake->mapping && i < intake->column_count; i++)
        if (kz_mapping_skips(intake->mapping, intake->columns[i].header, cell_of(sheet, i))) return true;
    return false;
}

static void add_row(struct kz_intake *intake, const struct kz_sheet_row *sheet, struct kz_violations *problems)
{
    if (is_skipped(intake, sheet)) return;
    if ((intake->row_count & (intake->row_count - 1)) == 0) {
        size_t room = intake->row_count ? intake->row_count * 2 : 1;
        intake->rows = kz_must_realloc(intake->rows, room * sizeof *intake->rows);
    }
    struct kz_intake_row *row = &intake->rows[intake->row_count++];
    *row = (struct kz_intake_row){.sheet = sheet};
    read_id(intake, row, problems);
    if (!row->id[0]) return;
    row->base = row->current = kz_set_find(intake->set, intake->kind->number, row->id);
    read_rev(intake, row, problems);
}

/* Rows may refer to each other, by id and by name. */
static void add_names(struct kz_intake *intake)
{
    for (size_t i = 0; i < intake->row_count; i++) {
        const struct kz_intake_row *row = &intake->rows[i];
        if (!row->id[0]) continue;
        kz_names_add(&intake->names, intake->kind->number, row->id, row->id, true);
        for (size_t j = 0; j < intake->column_count; j++) {
            const struct kz_intake_column *column = &intake->columns[j];
            if (column->has_path && column->path.depth == 1 && !column->path.envelope &&
                kz_names_is_name(kz_column_field(&column->path)))
                kz_names_add(&intake->names, intake->kind->number, cell_of(row->sheet, j), row->id, false);
        }
    }
    kz_names_sort(&intake->names);
}

bool kz_intake_open(struct kz_intake *intake, const struct kz_kind *kind, const struct kz_sheet *sheet,
                    const struct kz_mapping *mapping, const struct kz_set *set, struct kz_violations *problems)
{
    *intake = (struct kz_intake){
        .kind = kind, .sheet = sheet, .mapping = mapping, .set = set, .id_column = NONE, .rev_column = NONE};
    size_t before = problems->count;
    const struct kz_sheet_row *header = find_header(intake);
    if (!header || header + 1 == sheet->rows + sheet->row_count) {
        refuse(problems, (struct kz_place){.file = sheet->file, .line = 1, .column = 1, .cell = true}, "sheet.rows",
               NULL, header ? KZ_T_SHEET_EMPTY : KZ_T_SHEET_HEADER_ROW, NULL, 0);
        return false;
    }
    for (size_t i = 0; i < set->count; i++)
        kz_names_add_record(&intake->names, set->items[i]);
    kz_names_sort(&intake->names);
    read_header(intake, header, problems);
    if (intake->id_column != NONE)
        for (const struct kz_sheet_row *row = header + 1; row < sheet->rows + sheet->row_count; row++)
            add_row(intake, row, problems);
    add_names(intake);
    return problems->count == before;
}

void kz_intake_fini(struct kz_intake *intake)
{
    kz_names_fini(&intake->names);
    free(intake->columns);
    free(intake->rows);
    *intake = (struct kz_intake){0};
}

/* ---- cells ---- */

/* The values of a reference cell as ids. False: one of them is told as a problem. */
static bool resolve(const struct kz_intake *intake, const struct kz_column_path *path, const char *text,
                    struct kz_place place, struct kz_buf *out, struct kz_violations *problems)
{
    const struct kz_field *field = kz_column_field(path);
    const char *rest = text, *value;
    size_t length;
    bool fine = true, list = kz_column_is_list(intake->kind, path);
    struct kz_buf one, found;
    kz_buf_init(&one, 0);
    kz_buf_init(&found, 0);
    while (rest && *rest) {
        value = list ? kz_column_next(field, &rest, &length) : rest;
        if (!value) break;
        kz_buf_clear(&one);
        kz_buf_clear(&found);
        kz_buf_add(&one, value, list ? length : strlen(value));
        if (!list) rest = NULL;
        enum kz_found result = kz_names_resolve(&intake->names, field, kz_buf_text(&one), &found);
        if (result != KZ_FOUND_ONE) {
            refuse_reference(field, result, kz_buf_text(&one), kz_buf_text(&found), place, problems);
            fine = false;
        } else {
            kz_buf_addf(out, "%s%s", out->size_bytes ? ", " : "", kz_buf_text(&found));
        }
    }
    kz_buf_fini(&one);
    kz_buf_fini(&found);
    return fine;
}

static void add_unknown(const struct kz_field *field, struct kz_buf *out)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    kz_buf_clear(out);
    for (size_t i = 0; i < count && (field->ref_kinds & (field->ref_kinds - 1)); i++) {
        if (!(field->ref_kinds & KZ_KIND_BIT(kinds[i].number))) continue;
        kz_buf_addf(out, "%s/", kinds[i].name);
        break;
    }
    kz_buf_add_text(out, UNKNOWN_ID);
}

struct row_reading {
    const struct kz_intake *intake;
    struct kz_cells *cells;
    struct kz_violations *problems;
};

/* What is no value of its type goes on as typed: the decoder says what is wrong with it. */
static void add_cell(struct row_reading *reading, const struct kz_column_path *path, const char *text,
                     struct kz_place place)
{
    struct kz_buf normal, ids;
    kz_buf_init(&normal, 0);
    kz_buf_init(&ids, 0);
    bool is_reference = kz_column_field(path)->type == KZ_FIELD_REF;
    if (is_reference && !resolve(reading->intake, path, text, place, &ids, reading->problems))
        add_unknown(kz_column_field(path), &ids);
    (void)kz_column_normalize(&normal, reading->intake->kind, path, is_reference ? kz_buf_text(&ids) : text);
    kz_cells_add(reading->cells, path, kz_buf_text(&normal), place, true);
    kz_buf_fini(&normal);
    kz_buf_fini(&ids);
}

/* On one line: a form's header often has several. */
static void add_headed(struct kz_buf *out, const char *header, const char *text)
{
    if (out->size_bytes > 0) kz_buf_add_text(out, "\n");
    for (; *header; header++)
        if (*header != '\r' && *header != '\n') kz_buf_add(out, header, 1);
    kz_buf_addf(out, ": %s", text);
}

/* Of several columns for one field the first adds all of them. */
static bool join(const struct kz_intake *intake, const struct kz_sheet_row *row, size_t at, struct kz_buf *out)
{
    bool several = false;
    for (size_t i = 0; i < intake->column_count; i++) {
        const struct kz_intake_column *column = &intake->columns[i];
        if (i == at || !column->has_path || kz_column_compare(&column->path, &intake->columns[at].path) != 0) continue;
        if (i < at) return false;
        several = true;
    }
    for (size_t i = at; i < intake->column_count; i++) {
        const struct kz_intake_column *column = &intake->columns[i];
        if (i != at &&
            (column->role != KZ_INTAKE_FIELD || kz_column_compare(&column->path, &intake->columns[at].path) != 0))
            continue;
        const char *text = cell_of(row, i);
        if (intake->mapping) text = kz_mapping_value(intake->mapping, column->header, text);
        if (!*text) continue;
        if (several)
            add_headed(out, column->header, text);
        else
            kz_buf_add_text(out, text);
    }
    return true;
}

static void add_constants(struct row_reading *reading, struct kz_place place)
{
    if (!reading->intake->mapping) return;
    for (const struct kz_node *node = kz_mapping_constants(reading->intake->mapping); node; node = node->next) {
        struct kz_column_path path;
        bool said = !kz_column_parse(reading->intake->kind, node->key, &path, NULL) || node->type != KZ_NODE_WORD;
        for (size_t i = 0; i < reading->cells->count && !said; i++) {
            struct kz_cell *cell = &reading->cells->items[i];
            if (kz_column_compare(&cell->path, &path) != 0) continue;
            said = *cell->text != '\0';
            if (said) break;
            free(cell->text); /* an empty cell gives way */
            reading->cells->items[i--] = reading->cells->items[--reading->cells->count];
        }
        if (!said) add_cell(reading, &path, node->word, place);
    }
}

static void read_cells(struct row_reading *reading, const struct kz_intake_row *row)
{
    const struct kz_intake *intake = reading->intake;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    for (size_t i = 0; i < intake->column_count; i++) {
        kz_buf_clear(&text);
        if (!intake->columns[i].has_path || !join(intake, row->sheet, i, &text)) continue;
        add_cell(reading, &intake->columns[i].path, kz_buf_text(&text), kz_intake_place(intake, row, i));
    }
    add_constants(reading, kz_intake_place(intake, row, intake->id_column));
    kz_buf_fini(&text);
}

/* ---- records ---- */

static void add_head(struct kz_tree *tree, struct kz_node *root, const char *key, const char *text,
                     struct kz_place place, struct kz_violations *problems)
{
    struct kz_node *node = kz_tree_new_node(tree, KZ_NODE_WORD, place, problems);
    if (!node) return;
    node->key = key;
    node->key_place = place;
    node->word = kz_tree_text(tree, text, strlen(text));
    kz_node_add(root, node);
}

static void add_root(const struct kz_intake *intake, const struct kz_intake_row *row, const struct kz_cells *cells,
                     struct kz_tree *tree, struct kz_violations *problems)
{
    struct kz_place place = kz_intake_place(intake, row, intake->id_column);
    struct kz_node *root = kz_cells_to_node(intake->kind, cells, tree, place, problems);
    char rev[NUMBER_TEXT_BYTES];
    if (!root) return;
    snprintf(rev, sizeof rev, "%" PRIu64, row->current ? row->current->rev : 0);
    add_head(tree, root, "kind", intake->kind->name, place, problems);
    add_head(tree, root, "id", row->id, place, problems);
    add_head(tree, root, "rev", rev, kz_intake_place(intake, row, intake->rev_column), problems);
    kz_tree_add_root(tree, root);
}

/* The file knows the record; here it is no more. */
static bool is_gone(const struct kz_intake_row *row) { return row->has_rev && !row->current; }

void kz_intake_merge(struct kz_intake *intake, enum kz_take take, struct kz_tree *tree, struct kz_violations *problems,
                     struct kz_violations *conflicts)
{
    for (size_t i = 0; i < intake->row_count; i++) {
        struct kz_intake_row *row = &intake->rows[i];
        if (!row->id[0] || row->skip) continue;
        if (is_gone(row) && take == KZ_TAKE_NONE)
            refuse(conflicts, kz_intake_place(intake, row, intake->id_column), "import.conflict", NULL,
                   KZ_T_IMPORT_GONE, KZ_TEXT_ARGS(row->id));
        if (is_gone(row) && take == KZ_TAKE_SERVER) continue;
        struct kz_cells cells = {0};
        struct row_reading reading = {.intake = intake, .cells = &cells, .problems = problems};
        size_t before = problems->count;
        read_cells(&reading, row);
        struct kz_merge merge = {.kind = intake->kind,
                                 .encoding = intake->sheet->encoding,
                                 .take = take,
                                 .base = row->current ? row->base : NULL,
                                 .current = row->current};
        bool changed = kz_merge_row(&merge, &cells, conflicts);
        /* A row with an unknown reference is decoded too: its other faults are told at the same time. */
        if (changed || problems->count > before) add_root(intake, row, &cells, tree, problems);
        kz_cells_fini(&cells);
    }
}
