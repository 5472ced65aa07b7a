/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h about backups. Included by text_table.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_BACKUP_H
#define KZ_CLIENT_CLI_TEXT_BACKUP_H

/* clang-format off */
#define KZ_TEXT_BACKUP_TABLE(X) \
    X(BACKUP_REFUSED, "the backup {1} is refused; nothing was changed", "バックアップ {1} は使えません。何も変更していません") \
    X(BACKUP_NOT_SAVED, "no backup was saved", "バックアップを取得できませんでした") \
    X(BACKUP_NOT_RESTORED, "nothing was restored to {1}", "{1} には復元していません") \
    X(BACKUP_FILE_IO, "{2}", "{2}") \
    X(BACKUP_FILE_IO_DO, "check path, permissions and free space, then try again", "パス、権限、空き容量を確認してから再実行してください") \
    X(BACKUP_EXISTS, "it exists already, and a backup is never overwritten", "すでに存在します。バックアップは上書きしません") \
    X(BACKUP_EXISTS_DO, "choose another name, or use --dir, which makes one", "別の名前にするか、名前を自動で付ける --dir を使ってください") \
    X(BACKUP_LOCKED, "another process is writing it", "ほかのプロセスが書き込み中です") \
    X(BACKUP_LOCKED_DO, "wait for it to end", "終わるまで待ってください") \
    X(BACKUP_NOT_A_BACKUP, "it is not a backup of keizoku: it does not begin like one", "keizoku のバックアップではありません(先頭が違います)") \
    X(BACKUP_NOT_A_BACKUP_DO, "name a file that keizoku snapshot save made; if this is one, its first bytes are damaged: use another copy", "keizoku snapshot save で作ったファイルを指定してください。そのはずなら先頭が壊れています。別の複製を使ってください") \
    X(BACKUP_NEWER, "it is of another format version ({2})", "形式の版が違います({2})") \
    X(BACKUP_NEWER_DO, "use the version of keizoku that saved it, or a newer one", "取得したときの版かそれより新しい keizoku を使ってください") \
    X(BACKUP_TRUNCATED, "it is cut short ({2})", "途中で切れています({2})") \
    X(BACKUP_TRUNCATED_DO, "copy it again from where it was saved, or use another generation", "取得元からコピーし直すか、別の世代を使ってください") \
    X(BACKUP_LONGER, "bytes were added at its end ({2})", "末尾に余分なデータがあります({2})") \
    X(BACKUP_LONGER_DO, "find out who changed it, copy it again, or use another generation", "変更された経緯を調べ、コピーし直すか別の世代を使ってください") \
    X(BACKUP_HEAD, "its manifest is damaged", "目録が壊れています") \
    X(BACKUP_HEAD_DO, "copy it again from where it was saved, or use another generation", "取得元からコピーし直すか、別の世代を使ってください") \
    X(BACKUP_SIGNATURE, "its manifest is not the one that was signed: it was damaged or tampered with", "目録が署名されたときと違います(破損または改ざん)") \
    X(BACKUP_SIGNATURE_DO, "do not use it; find out who changed it, and use another copy or generation", "使わないでください。変更された経緯を調べ、別の複製か世代を使ってください") \
    X(BACKUP_SIGNER, "{2} may not sign backups", "{2} の署名は認められません") \
    X(BACKUP_SIGNER_DO, "use a backup that was saved with a certificate of that cluster, and give that cluster's --ca", "そのクラスターの証明書で取得したバックアップと、そのクラスターの --ca を指定してください") \
    X(BACKUP_CONTENT, "its content is not what was signed: it was damaged or tampered with ({2})", "内容が署名されたときと違います(破損または改ざん: {2})") \
    X(BACKUP_CONTENT_DO, "do not use it; copy it again from where it was saved, or use another generation", "使わないでください。取得元からコピーし直すか、別の世代を使ってください") \
    X(BACKUP_WRONG_KEY, "this key does not open it ({2})", "この鍵では開けません({2})") \
    X(BACKUP_WRONG_KEY_DO, "find the key it was encrypted to: keizoku snapshot list DIR -o json shows its name, as keizoku-ca backup-key showed it", "暗号化に使った鍵を探してください。鍵の名前は keizoku snapshot list フォルダー -o json で確認できます") \
    X(BACKUP_KEY_DAMAGED, "the key in it is damaged", "鍵が壊れています") \
    X(BACKUP_KEY_DAMAGED_DO, "use another copy of the key", "鍵の別の複製を使ってください") \
    X(BACKUP_CHUNK, "it does not decrypt ({2})", "復号できません({2})") \
    X(BACKUP_CHUNK_DO, "the file changed while it was read: check the medium, and use another copy", "読み取り中に内容が変わりました。媒体を確認し、別の複製を使ってください") \
    X(BACKUP_ROWS, "what it holds is no whole state ({2})", "内容が完全な状態ではありません({2})") \
    X(BACKUP_ROWS_DO, "use another generation, and check the node it was saved from", "別の世代を使い、取得元のノードを点検してください") \
    X(BACKUP_STATE, "what it holds is not what its manifest says ({2})", "内容が目録と一致しません({2})") \
    X(BACKUP_STATE_DO, "use another generation, and check the node it was saved from", "別の世代を使い、取得元のノードを点検してください") \
    X(BACKUP_NOT_EMPTY, "the folder is not empty ({2})", "フォルダーが空ではありません({2})") \
    X(BACKUP_NOT_EMPTY_DO, "name a new or empty folder: restoring never replaces data", "新しいか空のフォルダーを指定してください。復元で既存のデータを置き換えることはありません") \
    X(BACKUP_STORE, "the data directory cannot be made ({2})", "データフォルダーを作れません({2})") \
    X(BACKUP_STORE_DO, "check the disk, permissions and free space, then begin again", "ディスク、権限、空き容量を確認してからやり直してください") \
    X(BACKUP_ARGUMENT, "{2}", "{2}") \
    X(BACKUP_ARGUMENT_DO, "correct it and begin again", "直してからやり直してください") \
    X(SIGNER_TIME, "the certificate of {2} was not valid when it was signed", "署名時に {2} の証明書は有効ではありませんでした") \
    X(SIGNER_REVOKED, "the certificate of {2}, who signed it, is revoked", "署名者 {2} の証明書は失効しています") \
    X(SIGNER_REVOKED_DO, "use a backup of somebody else; if it is surely from before the revocation: --crl ''", "別の人が取得したものを使ってください。確実に失効前のものなら --crl '' で読めます") \
    X(SIGNER_UNTRUSTED, "the certificate of {2}, who signed it, is not of the CA given", "署名者 {2} の証明書は指定したCAのものではありません") \
    X(SIGNER_NOT_A_USER, "it was not signed with a person's certificate", "利用者の証明書で署名されていません") \
    X(SIGNER_CLUSTER, "it was signed with a certificate of another cluster", "別のクラスターの証明書で署名されています") \
    X(SIGNER_OTHER_USER, "it was signed by somebody else than it says", "記載と違う人が署名しています") \
    X(SIGNER_ROLE, "{2}, who signed it, has neither the role backup nor operator", "署名者 {2} に backup や operator の役割がありません") \
    X(BACKUP_NO_CA_WHY, "without it nobody can tell who signed the backup: it is the ca.pem of the cluster it was saved from", "署名者を確かめられません。取得元クラスターの ca.pem です") \
    X(BACKUP_STREAM_BROKE, "the nodes did not send all of it ({2})", "ノードから最後まで受信できませんでした({2})") \
    X(BACKUP_KEY_UNUSABLE, "the backup key {1} cannot be used", "バックアップの鍵 {1} を使えません") \
    X(BACKUP_KEY_OTHER, "it is not a key that keizoku-ca backup-key made", "keizoku-ca backup-key で作った鍵ではありません") \
    X(BACKUP_KEY_PUBLIC, "it is the public key, which only encrypts", "公開鍵です(暗号化にだけ使えます)") \
    X(BACKUP_KEY_PRIVATE, "it is the private key, which must stay offline", "秘密鍵です。オフラインで保管してください") \
    X(BACKUP_KEYS_MANY, "more than 16 are named", "16個を超えています") \
    X(BACKUP_KEY_FIX, "name the private file (backup.key)", "秘密鍵のファイル(backup.key)を指定してください") \
    X(BACKUP_RECIPIENT_FIX, "name the public file (backup.pub)", "公開鍵のファイル(backup.pub)を指定してください") \
    X(BACKUP_NAME_RULE, "1 to 64 of a-z 0-9 . _ - beginning with a letter or digit", "a-z 0-9 . _ - を1〜64字、先頭は英数字です") \
    X(BACKUP_ADDRESS_RULE, "one HOST:PORT", "ホスト:ポート を1つ指定します") \
    X(BACKUP_SAME_CLUSTER, "the new cluster needs an id of its own: nodes of the old one may come back and must not mix with it", "新しいクラスターには別のIDが必要です。元のノードが復旧しても混ざらないようにするためです") \
    X(BACKUP_KEEP_RULE, "with --dir, a number of generations or of days, weeks, months: 7 or 7d,4w,12m", "--dir と併せて、世代数または日・週・月ごとの数で指定します: 7、7d,4w,12m") \
    X(BACKUP_SAVING, "saving", "取得中") \
    X(BACKUP_CHECKING, "checking", "検査中") \
    X(BACKUP_RESTORING, "restoring", "復元中") \
    X(BACKUP_SAVED, "saved rev {1} from node {2}, {3}", "ノード {2} から rev {1} を保存しました({3})") \
    X(BACKUP_PROVISIONAL, "[warning] {1} unconfirmed events of node {2} are not in it: save again when a quorum is back", "[警告] ノード {2} の未確定の記録 {1} 件は含まれていません。過半数の回復後に取り直してください") \
    X(BACKUP_KEPT, "{1} generations kept, {2} removed", "{1} 世代を残し、{2} 世代を削除しました") \
    X(BACKUP_SIGNED, "signature ok", "署名は正しい") \
    X(BACKUP_NOT_JUDGED, "signature not checked (no --ca)", "署名は未確認(--ca なし)") \
    X(BACKUP_UNCHANGED, "signature and every byte ok", "署名と全バイトが正しい") \
    X(BACKUP_OPENED, "restored and compared: the same", "復元して照合: 一致") \
    X(BACKUP_NOT_OPENED, "not opened: with --backup-key FILE it is also restored to a scratch copy and compared", "中身は開いていません。--backup-key ファイル を付けると一時領域に復元して照合します") \
    X(BACKUP_RESTORED, "{1} is the first node ({3}) of the new cluster {2}: start keizokud there with certificates of {2}, without --bootstrap, then add the others", "{1} は新しいクラスター {2} の最初のノード({3})です。{2} の証明書で keizokud を起動し(--bootstrap なし)、他のノードを追加してください") \
    X(UNIT_NOT_WRITTEN, "{1} was not written", "{1} を書き出せません") \
    X(UNITS_WRITTEN, "written to {1}; next: systemctl daemon-reload && systemctl enable --now {2}", "{1} に書き出しました。次に: systemctl daemon-reload && systemctl enable --now {2}")
/* clang-format on */

#endif
