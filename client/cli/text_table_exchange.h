/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of import and export; see text_table.h. */
#ifndef KZ_CLIENT_CLI_TEXT_TABLE_EXCHANGE_H
#define KZ_CLIENT_CLI_TEXT_TABLE_EXCHANGE_H

/* clang-format off */
#define KZ_TEXT_EXCHANGE_TABLE(X) \
    X(SHEET_COLUMNS, "more than {1} columns", "列が {1} を超えています") \
    X(SHEET_ROWS, "more than {1} rows", "行が {1} を超えています") \
    X(SHEET_LOST, "holds bytes that are no {1} text; save the file again as UTF-8", "{1} として読めない文字があります。UTF-8で保存し直してください") \
    X(SHEET_NO_CONVERTER, "this machine cannot convert {1}; install libc-gconv-modules-extra, or save the file as UTF-8", "このマシンは {1} を変換できません。libc-gconv-modules-extra を入れるか、UTF-8で保存してください") \
    X(SHEET_QUOTES, "the quotes (\") of this cell are not closed, or stand inside an unquoted one; write \"\" for one in a quoted cell", "このセルの引用符(\")が閉じていないか、囲まれていないセルの途中にあります。セル内の \" は \"\" と書きます") \
    X(SHEET_HEADER, "unknown column {1}; keizoku schema {2} lists the fields", "{1} という列はありません。項目は keizoku schema {2} で確認できます") \
    X(SHEET_HEADER_NEAR, "unknown column {1}; did you mean {3} ({4})?", "{1} という列はありません。{4}({3})の間違いではありませんか") \
    X(SHEET_GROUP, "{1} is a group: it has columns of its own, {2}[1].{3} and so on; keizoku export writes them", "{1} は項目の組です。{2}[1].{3} のように分けた列にしてください(keizoku export が書き出す形)") \
    X(SHEET_TWICE, "column {1} stands twice (the other one: {2})", "{1} の列が2つあります(もう1つは {2})") \
    X(SHEET_NO_HEADER, "this column has cells but no header", "セルに値がありますが、列に見出しがありません") \
    X(SHEET_NO_ID, "there is no column id (識別子); --mapping can make ids from another column", "識別子(id)の列がありません。--mapping で別の列から作れます") \
    X(SHEET_EMPTY, "there are no rows below the header", "見出しの下に行がありません") \
    X(SHEET_HEADER_ROW, "the header row is empty or not there", "見出しの行が空か、ありません") \
    X(IMPORT_FORM, "{1} is not CSV", "{1} はCSVではありません") \
    X(IMPORT_FORM_WHY, "a workbook no longer knows how its dates and numbers were typed", "ブックには、日付や番号が入力どおりには残っていません") \
    X(IMPORT_FORM_HINT, "save the sheet as 'CSV UTF-8' and import that", "シートを「CSV UTF-8」で保存して取り込んでください") \
    X(IMPORT_CONFLICT, "{1}: the file says \"{2}\", the registry now \"{3}\"; it was \"{4}\" when the file was written", "{1}: ファイルは「{2}」、現在の登録は「{3}」。書き出した時は「{4}」でした") \
    X(IMPORT_GONE, "{1} has been retired since the file was written", "{1} はファイルの書き出し後に廃止されています") \
    X(IMPORT_REV_AHEAD, "the file says revision {1}, the registry has {2}: it was exported from another cluster, or edited", "ファイルの版は {1} ですが、登録は {2} です。別のクラスターから書き出したか、版の列が書き換えられています") \
    X(IMPORT_REV_UNKNOWN, "the record did not exist at revision {1}: the column was edited", "版 {1} の時点にこの記録はありません。版の列が書き換えられています") \
    X(IMPORT_REF_NONE, "{1}: there is no {2}; write an id or a name that is registered", "{1}: 「{2}」は登録されていません。登録済みの識別子か名称を書いてください") \
    X(IMPORT_REF_NEAR, "{1}: there is no {2}; did you mean {3}?", "{1}: 「{2}」は登録されていません。「{3}」の間違いではありませんか") \
    X(IMPORT_REF_MANY, "{1}: {2} is the name of several ({3}); write the id", "{1}: 「{2}」という名称は複数あります({3})。識別子で書いてください") \
    X(IMPORT_CONFLICTS, "{1}: cells that were changed both in the file and in the registry: {2}", "{1}: ファイルと登録の両方で変更されたセルが {2} 個あります") \
    X(IMPORT_CONFLICTS_WHY, "nothing was imported; the file was written before somebody else's change", "何も取り込んでいません。書き出した後に別の変更がありました") \
    X(IMPORT_CONFLICTS_HINT, "look at each, then say --take file or --take server; everything else is merged", "確かめてから --take file か --take server を指定してください。ほかの変更は合わせて取り込みます") \
    X(IMPORT_NOTHING, "nothing to change: {1} rows are as in the registry", "変更はありません。{1} 行とも登録のとおりです") \
    X(IMPORT_ROWS, "{1} rows ({2}): {3} to write, {4} as they are", "{1} 行({2}): 書き込み {3} 件、変更なし {4} 件") \
    X(IMPORT_NEW, "{1}: new", "{1}: 新規") \
    X(IMPORT_CHANGED, "{1}: changed", "{1}: 変更") \
    X(MAPPING_KIND, "a mapping begins with kind: and one of the kinds", "対応表は kind: と種別で始めます") \
    X(MAPPING_OTHER_KIND, "the mapping {1} is for {2}, not {3}", "対応表 {1} は {2} 用です({3} ではありません)") \
    X(MAPPING_KEY, "unknown key {1} (one of kind, header_row, id, columns, values, constants, ignore, skip)", "{1} という項目はありません(kind、header_row、id、columns、values、constants、ignore、skip のいずれか)") \
    X(MAPPING_FIELD, "{1} is no column of this kind; keizoku export writes their names", "{1} はこの種別の列ではありません。列名は keizoku export で書き出せます") \
    X(MAPPING_FIELD_NEAR, "{1} is no column of this kind; did you mean {2}?", "{1} はこの種別の列ではありません。{2} の間違いではありませんか") \
    X(MAPPING_WORDS, "{1} is a mapping of words to words", "{1} は語と語の組です") \
    X(MAPPING_IGNORE, "{1} is a list of words", "{1} は語の並びです") \
    X(MAPPING_ID, "id is {column: HEADER, prefix: TEXT, of: KIND}; the last two may be left out", "id は {column: 見出し, prefix: 文字列, of: 種別} です(後の2つは省略可)") \
    X(MAPPING_ROW, "header_row is the number of the row with the headers, from 1", "header_row は見出しの行の番号(1から)です") \
    X(EXPORT_REFUSED, "{1}: {2} of record {3}: {4} does not exist in {5}", "{1}: 記録 {3} の {2}: 「{4}」は {5} にない文字です") \
    X(EXPORT_REFUSED_WHY, "{1} characters would be lost; nothing was written", "{1} 個のセルの文字が失われるため、何も書き出していません") \
    X(EXPORT_REFUSED_HINT, "leave out --encoding {2}, or change the text", "--encoding {2} を指定しないか、文字を改めてください") \
    X(EXPORT_FORM, "{1} is not a form of export", "{1} という書き出し形式はありません") \
    X(EXPORT_FORMS, "the forms are csv, xlsx, json, yaml", "形式は csv、xlsx、json、yaml です") \
    X(EXPORT_ENCODING_HERE, "--encoding is for csv", "--encoding は csv にだけ使えます") \
    X(EXPORT_ONE_CSV, "a CSV file holds one kind, and {1} were asked for", "CSVファイルに入るのは1種別ですが、{1} 種別が指定されています") \
    X(EXPORT_ONE_CSV_HINT, "name one with --kind, or a folder with --dir", "--kind で1つ選ぶか、--dir でフォルダーを指定してください") \
    X(EXPORT_NEEDS_FILE, "an xlsx file needs a name: -f FILE", "xlsx は -f FILE で名前を指定してください") \
    X(EXPORT_DIR_OR_FILE, "--dir is for csv, and not with -f", "--dir は csv 用です。-f と同時には使えません") \
    X(EXPORT_UNWRITABLE, "{1} cannot be written", "{1} に書き込めません") \
    X(EXPORT_DONE, "{1}: {2} records", "{1}: {2} 件") \
    X(EXPORT_TOO_WIDE, "{1}: {2} columns or a cell of more than {3} characters does not fit a spreadsheet", "{1}: {2} 列、または {3} 文字を超えるセルは表計算ソフトに入りません") \
    X(EXPORT_TOO_WIDE_HINT, "export this kind as csv, json or yaml", "この種別は csv、json、yaml で書き出してください") \
    X(EXPORT_LISTS_SHEET, "choices", "選択肢")
/* clang-format on */

#endif
