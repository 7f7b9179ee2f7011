/* Unit tests of the PDU coders (ldc_pdu.h): values, and what a peer may get wrong in them. */
#include "pdu_fixture.h"

/* ---- values ---- */

TEST(sub_items_of_user_information_have_the_sizes_of_their_tables)
{
    static const struct {
        const char *item;
        size_t length;
        const char *words;
    } cases[] = {
        {"\x51\0\0\x03\0\0\0", 7, "sub-item 51H has 3 bytes, it has to have 4"},
        {"\x51\0\0\x05\0\0\0\0\0", 9, "sub-item 51H has 5 bytes"},
        {"\x53\0\0\x02\0\0", 6, "sub-item 53H has 2 bytes"},
        {"\x54\0\0\0", 4, "the item ends where the length of the SOP class of the role"},
        {"\x54\0\0\x04\0\x01"
         "1\x01",
         8, "sub-item 54H is too short"},
        {"\x54\0\0\x06\0\x01"
         "1\x01\x01\x01",
         10, "sub-item 54H is longer"},
        {"\x54\0\0\x05\0\x01"
         "1\x02\x01",
         9, "the roles are 2 and 1"},
        {"\x54\0\0\x04\0\0\x01\x01", 8, "role selection (0 bytes) is no UID"},
        {"\x56\0\0\x02\0\x01", 6, "extended negotiation is 1, 0 bytes are left"},
        {"\x57\0\0\x03\0\x01"
         "1",
         7, "the item ends where the length of the service class"},
        {"\x57\0\0\x08\0\x01"
         "1\0\x01"
         "1\0\x01",
         12, "related general SOP classes is 1, 0 bytes"},
        {"\x57\0\0\x09\0\x01"
         "1\0\x01"
         "1\0\x01\0",
         13, "where the length of the related general"},
        {"\x58\0\0\0", 4, "the item ends where the length of the primary"},
        {"\x58\0\0\x06\x01\0\0\x01\0\0", 10, "where the length of the secondary"},
        {"\x58\0\0\x07\x01\0\0\0\0\0\0", 11, "sub-item 58H is longer"},
        {"\x58\0\0\x06\0\0\0\0\0\0", 10, "the type of the user identity is 0"},
    };
    static const char user[] = "\x50\0\0\0";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        draft pdu = draft_of(full_request, FULL_REQUEST);

        replace(&pdu, REQUEST_USER, 207, user, 4, 0);
        replace(&pdu, REQUEST_USER + 4, 0, cases[i].item, cases[i].length, REQUEST_USER);
        CHECK_DRAFT(pdu, NULL, 6, cases[i].words);
    }
    draft pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_USER, 114, "\x50\0\0\x07\x59\0\0\x03\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 6, "sub-item 59H is longer");
}

TEST(an_empty_user_information_gives_neutral_values)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207, "\x50\0\0\0", 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_INT(associate->max_length, 0);
        CHECK(!associate->has_max_length);
        CHECK_STR(associate->implementation_class, "");
        CHECK_STR(associate->implementation_version, "");
    }
    ldc_associate_free(associate);
}

TEST(roles_of_one_class_may_be_repeated_and_the_last_counts)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207,
            "\x50\0\0\x12"
            "\x54\0\0\x05\0\x01"
            "1\x01\x01"
            "\x54\0\0\x05\0\x01"
            "1\0\x01",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL && CHECK_INT(associate->role_count, 1))
        CHECK_INT(associate->roles[0].user, 0);
    ldc_associate_free(associate);
}

TEST(more_classes_than_contexts_can_be_are_invalid)
{
    static char item[] = "\x54\0\0\x07\0\x03"
                         "1.1\x01\x01";
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207, "\x50\0\0\0", 0);
    for (int i = 0; i < 129; i++) {
        item[6] = (char)('0' + i / 43);
        item[7] = (char)('0' + i / 10 % 10);
        item[8] = (char)('0' + i % 10);
        replace(&pdu, REQUEST_USER + 4, 0, item, 11, REQUEST_USER);
    }
    CHECK_DRAFT(pdu, NULL, 6, "more than 128 SOP classes");
}

TEST(uids_from_a_peer_may_be_padded_and_have_to_be_uids)
{
    static const char *const bad[] = {
        "1.2.840.10008.1..",  "1.2.840/10008.1.1", "1.2.840\\10008.1.1",    "../../etc/passwd1",
        "1.2.840\n10008.1.1", ".2.840.10008.1.1",  "1.2.840.\303\27408.1.1"};
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS + 12, 17, "1.2.840.10008.1\0\0", 0);
    REPLACE(pdu, REQUEST_CONTEXTS + 33, 17, "1.2.840.10008.1\0 ", 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(associate->contexts[0].abstract, "1.2.840.10008.1");
        CHECK_STR(associate->contexts[0].transfers.uids[0], "1.2.840.10008.1");
    }
    ldc_associate_free(associate);
    REPLACE(pdu, REQUEST_CONTEXTS + 12, 17,
            "1.2.840\0"
            "10008.1.1",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 111: the abstract syntax (17 bytes) is no UID");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdu = draft_of(full_request, FULL_REQUEST);
        replace(&pdu, REQUEST_CONTEXTS + 33, 17, bad[i], strlen(bad[i]), 0);
        pdu.bytes[REQUEST_CONTEXTS + 32] = (uint8_t)strlen(bad[i]);
        if (strlen(bad[i]) == 17)
            CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (17 bytes) is no UID");
        else
            CHECK_DRAFT(pdu, NULL, 6, "at offset");
        pdu = draft_of(full_accept, FULL_ACCEPT);
        replace(&pdu, ACCEPT_CONTEXTS + 12, 17, bad[i], strlen(bad[i]) < 17 ? 16 : 17, 0);
        if (strlen(bad[i]) == 17)
            CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (17 bytes) is no UID");
    }
}

TEST(a_uid_of_65_characters_is_invalid)
{
    char item[4 + 65];
    draft pdu = draft_of(full_request, FULL_REQUEST);

    memcpy(item, "\x40\0\0\x41", 4);
    memset(item + 4, '1', 65);
    replace(&pdu, REQUEST_CONTEXTS + 29, 0, item, sizeof item, REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (65 bytes) is no UID");
}

TEST(titles_with_slash_backslash_and_padding_are_taken_and_control_characters_are_not)
{
    static const char *const good[][2] = {{"../../etc/passwd", "../../etc/passwd"},
                                          {"A\\B             ", "A\\B"},
                                          {"  SPACES AROUND ", "SPACES AROUND"},
                                          {"                ", ""},
                                          {"'; rm -rf / #`$X", "'; rm -rf / #`$X"}};
    draft pdu = draft_of(full_request, FULL_REQUEST);

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        memcpy(pdu.bytes + 10, good[i][0], 16);
        ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
        if (associate != NULL)
            CHECK_STR(ldc_associate_title(associate, true), good[i][1]);
        ldc_associate_free(associate);
    }
    memcpy(pdu.bytes + 10, "PADDED\0\0\0\0\0\0\0\0\0\0", 16);
    ldc_associate *padded = decode_good(pdu.bytes, pdu.length, NULL);
    if (padded != NULL)
        CHECK_STR(padded->called, "PADDED");
    ldc_associate_free(padded);
    memcpy(pdu.bytes + 10, "A\0B             ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 11: the called AE title has the character 00H");
    memcpy(pdu.bytes + 10, "ARCHIVE         ", 16);
    memcpy(pdu.bytes + 26, "SCU\n            ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "at offset 29: the calling AE title has the character 0AH");
    memcpy(pdu.bytes + 26, "SC\xDC             ", 16);
    CHECK_DRAFT(pdu, NULL, 6, "the character DCH");
}

TEST(titles_in_an_accept_are_not_tested)
{
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    memset(pdu.bytes + 10, 0xEE, 64);
    memcpy(pdu.bytes + 26, "SCU             ", 16);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(ldc_associate_title(associate, true), "");
        CHECK_STR(ldc_associate_title(associate, false), "SCU");
    }
    ldc_associate_free(associate);
}

TEST(version_names_are_cut_to_16_characters_and_classes_may_be_words)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_USER, 207,
            "\x50\0\0\x26"
            "\x52\0\0\x0A"
            "1.2.xxxx.3"
            "\x55\0\0\x14"
            "ABC                X",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL) {
        CHECK_STR(associate->implementation_class, "1.2.xxxx.3");
        CHECK_STR(associate->implementation_version, "ABC");
    }
    ldc_associate_free(associate);
    REPLACE(pdu, REQUEST_USER, pdu.length - REQUEST_USER,
            "\x50\0\0\x06"
            "\x55\0\0\x02"
            "A\x07",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "implementation version name has the character 07H");
    REPLACE(pdu, REQUEST_USER, pdu.length - REQUEST_USER,
            "\x50\0\0\x06"
            "\x52\0\0\x02"
            "A\x07",
            0);
    CHECK_DRAFT(pdu, NULL, 6, "implementation class UID has the character 07H");
}

TEST(a_pdu_of_another_type_or_past_the_limit_is_refused)
{
    ldc_pdu_fault fault = {0};
    ldc_associate *associate = NULL;
    draft pdu = draft_of(full_request, FULL_REQUEST);

    CHECK(!ldc_pdu_decode_associate(pdu.bytes, pdu.length, 430, NULL, &associate, &fault));
    CHECK_INT(fault.code, DICOM_ERROR_PDU_TOO_LONG);
    CHECK_INT(fault.reason, 6);
    CHECK(ldc_pdu_decode_associate(pdu.bytes, pdu.length, 431, NULL, &associate, &fault));
    ldc_associate_free(associate);
    pdu.bytes[0] = 4;
    check_fault(pdu.bytes, pdu.length, NULL, DICOM_ERROR_PDU_UNEXPECTED, 2, "a P-DATA-TF");
    check_fault("\x05\0\0\0\0\x04\0\0\0\0", 10, NULL, DICOM_ERROR_PDU_UNEXPECTED, 2,
                "an A-RELEASE-RQ");
    check_fault("\x09\0\0\0\0\x04\0\0\0\0", 10, NULL, DICOM_ERROR_PDU_INVALID, 1, "09H");
}

TEST(big_user_information_is_read_within_bounds)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    uint8_t *user = malloc(4 + 65535);

    if (!CHECK(user != NULL))
        return;
    memset(user, 0, 4 + 65535); /* 16383 empty sub-items of type 0 and three bytes */
    memcpy(user, "\x50\0\xFF\xFF", 4);
    replace(&pdu, REQUEST_USER, 207, user, 4 + 65535, 0);
    CHECK_DRAFT(pdu, NULL, 6, "the user information ends 3 bytes after its last item");
    memcpy(user, "\x50\0\xFF\xFC", 4);
    replace(&pdu, REQUEST_USER, 4 + 65535, user, 4 + 65532, 0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        CHECK_INT(associate->item_count, 16383);
    ldc_associate_free(associate);
    free(user);
}
