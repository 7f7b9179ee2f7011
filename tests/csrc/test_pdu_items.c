/* Unit tests of the PDU coders (ldc_pdu.h): contexts; missing, repeated and unknown items. */
#include "pdu_fixture.h"

/* ---- contexts ---- */

TEST(even_and_repeated_context_ids_are_invalid)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 1;
    CHECK_DRAFT(pdu, NULL, 6, "at offset 176: there are two presentation contexts 1");
    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 2;
    CHECK_DRAFT(pdu, NULL, 6, "id is 2, ids are odd");
    pdu.bytes[REQUEST_SECOND_CONTEXT + 4] = 0;
    CHECK_DRAFT(pdu, NULL, 6, "id is 0, ids are odd");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    pdu.bytes[ACCEPT_CONTEXTS + 29 + 4] = 1;
    CHECK_DRAFT(pdu, NULL, 6, "two presentation contexts 1");
}

TEST(as_many_contexts_as_there_are_odd_ids_and_one_more)
{
    static const char item[] = "\x20\0\x00\x10\x01\0\0\0"
                               "\x30\0\x00\x02"
                               "1x"
                               "\x40\0\x00\x02"
                               "11";
    char context[20];
    draft pdu = draft_of(full_request, FULL_REQUEST);

    memcpy(context, item, 20);
    context[12] = '1';
    context[13] = '2';
    replace(&pdu, REQUEST_CONTEXTS, 73 + 58, "", 0, 0);
    for (int id = 255; id > 0; id -= 2) {
        context[4] = (char)id;
        replace(&pdu, REQUEST_CONTEXTS, 0, context, 20, 0);
    }
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        CHECK_INT(associate->context_count, 128);
    ldc_associate_free(associate);
    replace(&pdu, REQUEST_CONTEXTS, 0, context, 20, 0);
    CHECK_DRAFT(pdu, NULL, 6, "two presentation contexts 1");
}

TEST(a_proposed_context_has_one_abstract_syntax_and_transfer_syntaxes)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS + 8, 21, "", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "context 1 has no abstract syntax");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 44, "", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "context 1 has no transfer syntax");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 0,
            "\x30\0\0\x01"
            "1",
            REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, PDU_ABORT_REASON_UNEXPECTED_PARAM,
                "context 1 has two abstract syntaxes");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS + 29, 0, "\x40\0\0\0", REQUEST_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "the transfer syntax (0 bytes) is no UID");
}

TEST(an_accepted_context_has_one_transfer_syntax)
{
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    REPLACE(pdu, ACCEPT_CONTEXTS + 8, 21, "", ACCEPT_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 6, "accepted presentation context 1 has no transfer syntax");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_CONTEXTS + 29, 0,
            "\x40\0\0\x01"
            "1",
            ACCEPT_CONTEXTS);
    CHECK_DRAFT(pdu, NULL, 5, "accepted presentation context 1 has two transfer syntaxes");
}

TEST(the_transfer_syntax_of_a_rejected_context_is_not_tested)
{
    static const char *const syntaxes[] = {"", "\x40\0\0\0",
                                           "\x40\0\0\x03"
                                           "abc",
                                           "\x40\0\0\x01"
                                           "1\x40\0\0\x01"
                                           "2"};
    static const size_t lengths[] = {0, 4, 7, 10};

    for (size_t i = 0; i < 4; i++) {
        draft pdu = draft_of(full_accept, FULL_ACCEPT);

        replace(&pdu, ACCEPT_CONTEXTS + 29 + 8, 21, syntaxes[i], lengths[i], ACCEPT_CONTEXTS + 29);
        ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
        if (associate != NULL)
            CHECK_INT(associate->contexts[1].transfers.count, i == 3 ? 1 : 0);
        ldc_associate_free(associate);
    }
}

TEST(an_answer_to_what_was_not_proposed_is_invalid)
{
    ldc_associate *request = decode_good(full_request, FULL_REQUEST, NULL);
    draft pdu = draft_of(full_accept, FULL_ACCEPT);

    pdu.bytes[ACCEPT_CONTEXTS + 4] = 5;
    CHECK_DRAFT(pdu, request, 6, "presentation context 5 was not proposed");

    pdu = draft_of(full_accept, FULL_ACCEPT);
    pdu.bytes[ACCEPT_CONTEXTS + 28] = '9'; /* 1.2.840.10008.1.9 */
    CHECK_DRAFT(pdu, request, 6, "presentation context 1 is accepted with");
    ldc_associate_free(request);
}

/* ---- missing, repeated, unknown items ---- */

TEST(missing_items_are_invalid)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, 74, 25, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the application context name");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_CONTEXTS, 73 + 58, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the presentation context");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, REQUEST_USER, 207, "", 0);
    CHECK_DRAFT(pdu, NULL, 6, "no item for the user information");
}

TEST(repeated_items_are_unexpected)
{
    static const struct {
        const char *item;
        size_t length;
        const char *words;
    } cases[] = {
        {"\x51\0\0\x04\0\0\0\0", 8, "two sub-items 51H"},
        {"\x52\0\0\x01"
         "1",
         5, "two sub-items 52H"},
        {"\x53\0\0\x04\0\0\0\0", 8, "two sub-items 53H"},
        {"\x55\0\0\x01"
         "1",
         5, "two sub-items 55H"},
        {"\x58\0\0\x06\x01\0\0\0\0\0", 10, "two sub-items 58H"},
        {"\x59\0\0\x02\0\0", 6, "59H, response to user identity, belongs into an A-ASSOCIATE-AC"},
    };
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, 74, 0, APPLICATION_ITEM, 0);
    CHECK_DRAFT(pdu, NULL, 5, "at offset 99: there are two application context names");
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, FULL_REQUEST, 0, "\x50\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "two user information items");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pdu = draft_of(full_request, FULL_REQUEST);
        replace(&pdu, FULL_REQUEST, 0, cases[i].item, cases[i].length, REQUEST_USER);
        CHECK_DRAFT(pdu, NULL, 5, cases[i].words);
    }
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, FULL_ACCEPT, 0, "\x58\0\0\x06\x01\0\0\0\0\0", ACCEPT_USER);
    CHECK_DRAFT(pdu, NULL, 5, "58H, user identity, belongs into an A-ASSOCIATE-RQ");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, FULL_ACCEPT, 0, "\x59\0\0\x02\0\0", ACCEPT_USER);
    CHECK_DRAFT(pdu, NULL, 5, "two sub-items 59H");
}

TEST(contexts_of_the_other_kind_of_pdu_are_unexpected)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, REQUEST_CONTEXTS, 0, "\x21\0\0\x04\x07\0\x03\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "item 21H belongs into an A-ASSOCIATE-AC");
    pdu = draft_of(full_accept, FULL_ACCEPT);
    REPLACE(pdu, ACCEPT_CONTEXTS, 0, "\x20\0\0\x04\x07\0\0\0", 0);
    CHECK_DRAFT(pdu, NULL, 5, "item 20H belongs into an A-ASSOCIATE-RQ");
}

TEST(unrecognized_items_are_skipped_and_unknown_user_information_is_kept)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);

    REPLACE(pdu, FULL_REQUEST, 0,
            "\x5B\0\0\0"
            "\x5A\0\0\x01"
            "x"
            "\x01\0\0\x01"
            "y",
            REQUEST_USER);
    REPLACE(pdu, REQUEST_USER, 0,
            "\x77\0\0\x02"
            "ab",
            0);                                                            /* among the items */
    REPLACE(pdu, REQUEST_CONTEXTS + 8, 0, "\x77\0\0\0", REQUEST_CONTEXTS); /* in a context */
    REPLACE(pdu, 74, 0,
            "\x00\0\0\x01"
            "z",
            0);
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL && CHECK_INT(associate->item_count, 4)) {
        CHECK_INT(associate->items[0].type, 0x5A);
        CHECK_INT(associate->items[1].type, 0x5B);
        CHECK_INT(associate->items[1].data.length, 0);
        CHECK_INT(associate->items[2].type, 0x5A);
        CHECK_INT(associate->items[3].type, 0x01);
    }
    /* Sent in the order of types, those of one type in theirs. */
    pdu = draft_of(full_request, FULL_REQUEST);
    REPLACE(pdu, FULL_REQUEST, 0,
            "\x5A\0\0\x01"
            "x"
            "\x5B\0\0\0",
            REQUEST_USER);
    REPLACE(pdu, REQUEST_USER + 4, 0,
            "\x01\0\0\x01"
            "y",
            REQUEST_USER);
    if (associate != NULL)
        check_encoded(associate, NULL, pdu.bytes, pdu.length);
    ldc_associate_free(associate);
}

TEST(items_may_come_in_any_order_and_reserved_bytes_be_anything)
{
    draft pdu = draft_of(full_request, FULL_REQUEST);
    uint8_t user[207];

    memcpy(user, pdu.bytes + REQUEST_USER, sizeof user);
    replace(&pdu, REQUEST_USER, 207, "", 0, 0);
    replace(&pdu, 74, 0, user, 207, 0);
    pdu.bytes[1] = 0xEE;
    pdu.bytes[8] = pdu.bytes[9] = 0xEE;
    memset(pdu.bytes + 42, 0xEE, 32);
    pdu.bytes[74 + 1] = 0xEE;
    pdu.bytes[74 + 5] = 0xEE;
    memset(pdu.bytes + REQUEST_CONTEXTS + 207 + 5, 0xEE, 3);
    pdu.bytes[REQUEST_CONTEXTS + 207 + 9] = 0xEE;
    ldc_associate *associate = decode_good(pdu.bytes, pdu.length, NULL);
    if (associate != NULL)
        check_encoded(associate, NULL, full_request, FULL_REQUEST);
    ldc_associate_free(associate);
}
