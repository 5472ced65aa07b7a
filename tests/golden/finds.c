/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/finds.h"

#include "client/cli/show_campaign.h"
#include "client/cli/show_search.h"

/* A campaign, an organisation, who has confirmed and who has not. */
void canned_show_campaign(const struct canned *canned, const struct kz_view *view, struct kz_buf *out)
{
    static const char *const names[] = {"title", "target", "started_on", "due"};
    static const char *const values[] = {"連絡先の一斉確認", "contact", "2026-01-10", "2026-02-10"};
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__CAMPAIGN)->fields;
    const struct kz_field *org_fields = kz_kind_by_number(KZ__KIND__ORG)->fields;
    Kz__Record *campaign = kz_record_new(KZ__KIND__CAMPAIGN, "2026-1q"), *org = kz_record_new(KZ__KIND__ORG, "joho");
    Kz__Record *others[] = {canned_find(canned, KZ__KIND__CONTACT, "midorikawa"), NULL, NULL};
    for (size_t i = 0; i < 4; i++)
        kz_value_parse(kz_record_body(campaign), kz_field_by_name(fields, names[i]), values[i]);
    kz_value_parse(kz_record_body(org), kz_field_by_name(org_fields, "name"), "情報政策課");
    for (size_t i = 1; i < 3; i++) {
        const struct kz_field *contact = kz_kind_by_number(KZ__KIND__CONTACT)->fields;
        others[i] = kz_record_new(KZ__KIND__CONTACT, i == 1 ? "hoshino" : "akagi");
        kz_value_parse(kz_record_body(others[i]), kz_field_by_name(contact, "name"), i == 1 ? "星野 拓海" : "赤木 洋");
        kz_value_parse(kz_record_body(others[i]), kz_field_by_name(contact, "org"), "joho");
    }
    others[1]->has_verified_at = true;
    others[1]->verified_at = CANNED_NOW_MS;
    const Kz__Record *const records[] = {campaign, org, others[0], others[1], others[2]};
    Kz__Meta meta = canned_meta(true);
    struct kz_set set;
    kz_set_init(&set, records, sizeof records / sizeof records[0]);
    kz_show_campaign(view, &set, campaign, &meta, out);
    if (view->output == KZ_OUTPUT_TABLE) kz_show_campaigns(view, &set, &meta, out);
    kz_set_fini(&set);
    kz__record__free_unpacked(campaign, NULL);
    kz__record__free_unpacked(org, NULL);
    kz__record__free_unpacked(others[1], NULL);
    kz__record__free_unpacked(others[2], NULL);
}

static Kz__SearchHit make_hit(Kz__Kind kind, const char *id, const char *title, const char *field, const char *snippet)
{
    Kz__SearchHit hit = KZ__SEARCH_HIT__INIT;
    hit.kind = kind;
    hit.id = (char *)(uintptr_t)id;
    hit.title = (char *)(uintptr_t)title;
    hit.field = (char *)(uintptr_t)field;
    hit.snippet = (char *)(uintptr_t)snippet;
    return hit;
}
void canned_show_search(const struct kz_view *view, struct kz_buf *out)
{
    Kz__SearchHit hits[] = {
        make_hit(KZ__KIND__CONTACT, "midorikawa", "緑川 髙志", "name", "緑川 髙志"),
        make_hit(KZ__KIND__CONTACT, "hoshino", "星野", "channels[1].value", "０３－１２３４－５６７８"),
        make_hit(KZ__KIND__RUNBOOK, "kirikae", "切替手順", "steps[2].instructions", "…電源を入れ、1分待つ。ﾗﾝﾌﾟを見る"),
        make_hit(KZ__KIND__SYSTEM, "juki", "住民記録", "labels[0].value", "=1+1"),
        make_hit(KZ__KIND__ENTRY, "main.7", "", "text", "電源車を要請"),
    };
    hits[3].has_retired = hits[3].retired = true;
    hits[4].has_provisional = hits[4].provisional = true;
    Kz__SearchHit *list[] = {&hits[0], &hits[1], &hits[2], &hits[3], &hits[4]};
    Kz__SearchResult result = KZ__SEARCH_RESULT__INIT;
    result.hits = list;
    result.n_hits = sizeof list / sizeof list[0];
    result.found = 7;
    Kz__Meta meta = canned_meta(true);
    kz_show_search(view, &result, &meta, out);
}
