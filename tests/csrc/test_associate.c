/* Unit tests of the association object, through its public functions (ltdic.h). */
#include <stdlib.h>
#include <string.h>

#include "ldc_associate.h"
#include "ltdic.h"
#include "unit.h"

#define VERIFICATION "1.2.840.10008.1.1"
#define CT_STORAGE   "1.2.840.10008.5.1.4.1.1.2"
#define IMPLICIT     "1.2.840.10008.1.2"
#define EXPLICIT     "1.2.840.10008.1.2.1"

static const char *text_of(L_INT (*get)(HDICOMPDU, L_TCHAR *, L_UINT), HDICOMPDU pdu)
{
    static char text[256];

    CHECK_INT(get(pdu, text, sizeof text), DICOM_SUCCESS);
    return text;
}

static const char *abstract_of(HDICOMPDU pdu, L_UCHAR id)
{
    static char text[LDC_UID_SIZE];

    CHECK_INT(L_DicomGetAbstract(pdu, id, text, sizeof text), DICOM_SUCCESS);
    return text;
}

static const char *transfer_of(HDICOMPDU pdu, L_UCHAR id, L_UINT index)
{
    static char text[LDC_UID_SIZE];

    CHECK_INT(L_DicomGetTransfer(pdu, id, index, text, sizeof text), DICOM_SUCCESS);
    return text;
}

/* The last error has the code, and its sentence the words. */
static void check_error(int rc, int code, const char *words)
{
    CHECK_INT(rc, code);
    CHECK_INT(L_DicomGetLastError(), code);
    if (!CHECK(strstr(L_DicomGetLastErrorText(), words) != NULL)) {
        printf("    text: %s\n    words: %s\n", L_DicomGetLastErrorText(), words);
    }
}

static void check_new(HDICOMPDU pdu)
{
    CHECK_INT(L_DicomGetVersion(pdu), 1);
    CHECK_STR(text_of(L_DicomGetCalled, pdu), "");
    CHECK_STR(text_of(L_DicomGetCalling, pdu), "");
    CHECK_STR(text_of(L_DicomGetApplication, pdu), "1.2.840.10008.3.1.1.1");
    CHECK_INT(L_DicomGetMaxLength(pdu), 262144);
    CHECK_INT(strncmp(text_of(L_DicomGetImplementClass, pdu), "2.25.", 5), 0);
    CHECK_INT(strncmp(text_of(L_DicomGetImplementVersion, pdu), "LTCOMPAT_", 9), 0);
    CHECK(strlen(text_of(L_DicomGetImplementVersion, pdu)) <= 16);
    CHECK_INT(L_DicomGetAsyncOperations(pdu, NULL, NULL), 0);
    CHECK_INT(L_DicomGetPresentationCount(pdu), 0);
    CHECK_INT(L_DicomGetCommonExtendedCount(pdu), 0);
    CHECK_INT(L_DicomGetUserIdentity(pdu, NULL, NULL, NULL, NULL, NULL, NULL), 0);
    CHECK_INT(L_DicomGetUserIdentityResponse(pdu, NULL, NULL), 0);
    CHECK_INT(L_DicomGetUserInformationCount(pdu), 0);
}

/* Something in every member. */
static HDICOMPDU filled(void)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomSetVersion(pdu, 3), 0);
    CHECK_INT(L_DicomSetCalled(pdu, "ARCHIVE"), 0);
    CHECK_INT(L_DicomSetCalling(pdu, "MODALITY"), 0);
    CHECK_INT(L_DicomSetApplication(pdu, "1.2.3.4"), 0);
    CHECK_INT(L_DicomSetMaxLength(pdu, 1, 16384), 0);
    CHECK_INT(L_DicomSetImplementClass(pdu, 1, "1.2.3"), 0);
    CHECK_INT(L_DicomSetImplementVersion(pdu, 1, "V 1"), 0);
    CHECK_INT(L_DicomSetAsyncOperations(pdu, 1, 5, 6), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 1, IMPLICIT), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 3, EXPLICIT), 0);
    CHECK_INT(L_DicomAddTransfer(pdu, 3, IMPLICIT), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 3, 1, 0, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 3, 1, (const L_UCHAR *)"xyz", 3), 0);
    CHECK_INT(L_DicomAddCommonExtended(pdu, CT_STORAGE, "1.2.840.10008.4.2"), 0);
    CHECK_INT(L_DicomAddCommonExtendedRelated(pdu, CT_STORAGE, "1.2.9"), 0);
    CHECK_INT(L_DicomSetUserIdentity(pdu, 1, 2, 1, (const L_UCHAR *)"user", 4,
                                     (const L_UCHAR *)"pass", 4),
              0);
    CHECK_INT(L_DicomAddUserInformation(pdu, 0x5A, (const L_UCHAR *)"abc", 3), 0);
    return pdu;
}

static void check_filled(HDICOMPDU pdu)
{
    L_UINT16 invoked = 0, performed = 0;
    L_UCHAR user = 9, provider = 9, type = 0;
    L_BOOL response = 0;
    const L_UCHAR *first = NULL, *second = NULL;
    L_UINT first_length = 0, second_length = 0;
    char uid[LDC_UID_SIZE], service[LDC_UID_SIZE];

    CHECK_INT(L_DicomGetVersion(pdu), 3);
    CHECK_STR(text_of(L_DicomGetCalled, pdu), "ARCHIVE");
    CHECK_STR(text_of(L_DicomGetCalling, pdu), "MODALITY");
    CHECK_STR(text_of(L_DicomGetApplication, pdu), "1.2.3.4");
    CHECK_INT(L_DicomGetMaxLength(pdu), 16384);
    CHECK_STR(text_of(L_DicomGetImplementClass, pdu), "1.2.3");
    CHECK_STR(text_of(L_DicomGetImplementVersion, pdu), "V 1");
    CHECK_INT(L_DicomGetAsyncOperations(pdu, &invoked, &performed), 1);
    CHECK_INT(invoked, 5);
    CHECK_INT(performed, 6);
    CHECK_INT(L_DicomGetPresentationCount(pdu), 2);
    CHECK_INT(L_DicomGetPresentation(pdu, 0), 1);
    CHECK_INT(L_DicomGetPresentation(pdu, 1), 3);
    CHECK_STR(abstract_of(pdu, 3), CT_STORAGE);
    CHECK_INT(L_DicomGetTransferCount(pdu, 3), 2);
    CHECK_STR(transfer_of(pdu, 3, 0), EXPLICIT);
    CHECK_STR(transfer_of(pdu, 3, 1), IMPLICIT);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 3, &user, &provider), 1);
    CHECK_INT(user, 0);
    CHECK_INT(provider, 1);
    CHECK_INT(L_DicomGetExtendedData(pdu, 3, &first, &first_length), 1);
    CHECK(first_length == 3 && memcmp(first, "xyz", 3) == 0);
    CHECK_INT(L_DicomGetCommonExtendedCount(pdu), 1);
    CHECK_INT(L_DicomGetCommonExtended(pdu, 0, uid, sizeof uid, service, sizeof service), 0);
    CHECK_STR(uid, CT_STORAGE);
    CHECK_STR(service, "1.2.840.10008.4.2");
    CHECK_INT(L_DicomGetCommonExtendedRelatedCount(pdu, 0), 1);
    CHECK_INT(L_DicomGetCommonExtendedRelated(pdu, 0, 0, uid, sizeof uid), 0);
    CHECK_STR(uid, "1.2.9");
    CHECK_INT(L_DicomGetUserIdentity(pdu, &type, &response, &first, &first_length, &second,
                                     &second_length),
              1);
    CHECK_INT(type, 2);
    CHECK_INT(response, 1);
    CHECK(first_length == 4 && memcmp(first, "user", 4) == 0);
    CHECK(second_length == 4 && memcmp(second, "pass", 4) == 0);
    CHECK_INT(L_DicomGetUserInformationCount(pdu), 1);
    CHECK_INT(L_DicomGetUserInformation(pdu, 0, &type, &first, &first_length), 0);
    CHECK_INT(type, 0x5A);
    CHECK(first_length == 3 && memcmp(first, "abc", 3) == 0);
}

TEST(a_new_object_has_the_documented_values)
{
    for (int request = 0; request < 2; request++) {
        HDICOMPDU pdu = L_DicomCreateAssociate(request);

        CHECK_INT(L_DicomIsAssociateRequest(pdu), request);
        check_new(pdu);
        L_DicomFreeAssociate(pdu);
    }
}

TEST(what_is_set_is_read_back_and_copied)
{
    HDICOMPDU pdu = filled();
    HDICOMPDU copy = L_DicomCloneAssociate(pdu);

    check_filled(pdu);
    L_DicomFreeAssociate(pdu);
    CHECK_INT(L_DicomIsAssociateRequest(copy), 1);
    check_filled(copy);
    L_DicomFreeAssociate(copy);
}

TEST(a_copy_of_many_of_everything_can_go_on_growing)
{
    char uid[32];
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    for (int i = 0; i < 21; i++) {
        snprintf(uid, sizeof uid, "1.2.3.%d", i);
        CHECK_INT(L_DicomAddPresentation(pdu, (L_UCHAR)(2 * i + 1), 0, uid), 0);
        CHECK_INT(L_DicomSetRoleSelect(pdu, (L_UCHAR)(2 * i + 1), 1, 1, 1), 0);
        CHECK_INT(L_DicomSetExtendedData(pdu, (L_UCHAR)(2 * i + 1), 1, NULL, 0), 0);
        CHECK_INT(L_DicomAddCommonExtended(pdu, uid, uid), 0);
        CHECK_INT(L_DicomAddCommonExtendedRelated(pdu, "1.2.3.0", uid), 0);
        CHECK_INT(L_DicomAddTransfer(pdu, 1, uid), 0);
        CHECK_INT(L_DicomAddUserInformation(pdu, 0x60, (const L_UCHAR *)uid, 3), 0);
    }
    HDICOMPDU copy = L_DicomCloneAssociate(pdu);
    L_DicomFreeAssociate(pdu);
    CHECK_INT(L_DicomAddPresentation(copy, 99, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomSetRoleSelect(copy, 99, 1, 1, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(copy, 99, 1, NULL, 0), 0);
    CHECK_INT(L_DicomAddCommonExtended(copy, VERIFICATION, VERIFICATION), 0);
    CHECK_INT(L_DicomAddCommonExtendedRelated(copy, "1.2.3.0", VERIFICATION), 0);
    CHECK_INT(L_DicomAddTransfer(copy, 1, VERIFICATION), 0);
    CHECK_INT(L_DicomAddUserInformation(copy, 0x60, NULL, 0), 0);
    CHECK_INT(L_DicomGetPresentationCount(copy), 22);
    CHECK_INT(L_DicomGetTransferCount(copy, 1), 22);
    CHECK_STR(transfer_of(copy, 1, 20), "1.2.3.20");
    CHECK_STR(transfer_of(copy, 1, 21), VERIFICATION);
    CHECK_INT(L_DicomGetCommonExtendedRelatedCount(copy, 0), 22);
    CHECK_INT(L_DicomGetUserInformationCount(copy), 22);
    L_DicomFreeAssociate(copy);
}

TEST(default_gives_the_values_of_a_new_object_of_the_same_kind)
{
    HDICOMPDU pdu = filled();

    CHECK_INT(L_DicomDefaultAssociate(pdu), 0);
    check_new(pdu);
    CHECK_INT(L_DicomIsAssociateRequest(pdu), 1);
    L_DicomFreeAssociate(pdu);
}

TEST(reset_turns_a_request_into_an_accept_that_keeps_what_it_has_to_repeat)
{
    HDICOMPDU pdu = filled();

    CHECK_INT(L_DicomResetAssociate(pdu, 0), 0);
    CHECK_INT(L_DicomIsAssociateRequest(pdu), 0);
    CHECK_INT(L_DicomGetVersion(pdu), 3);
    CHECK_STR(text_of(L_DicomGetCalled, pdu), "ARCHIVE");
    CHECK_STR(text_of(L_DicomGetCalling, pdu), "MODALITY");
    CHECK_STR(text_of(L_DicomGetApplication, pdu), "1.2.3.4");
    CHECK_INT(L_DicomGetMaxLength(pdu), 262144);
    CHECK_INT(L_DicomGetPresentationCount(pdu), 0);
    CHECK_INT(L_DicomGetUserInformationCount(pdu), 0);
    CHECK_INT(L_DicomResetAssociate(pdu, 1), 0);
    check_new(pdu);
    CHECK_INT(L_DicomIsAssociateRequest(pdu), 1);
    L_DicomFreeAssociate(pdu);
}

TEST(titles_lose_the_spaces_around_and_keep_those_inside)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomSetCalled(pdu, "  MY AE  "), 0);
    CHECK_STR(text_of(L_DicomGetCalled, pdu), "MY AE");
    CHECK_INT(L_DicomSetCalled(pdu, "    "), 0);
    CHECK_STR(text_of(L_DicomGetCalled, pdu), "");
    CHECK_INT(L_DicomSetCalling(pdu, "TOO LONG FOR THE WIRE"), 0); /* refused on sending */
    CHECK_STR(text_of(L_DicomGetCalling, pdu), "TOO LONG FOR THE WIRE");
    CHECK_INT(L_DicomSetCalling(pdu, NULL), 0);
    CHECK_STR(text_of(L_DicomGetCalling, pdu), "");
    L_DicomFreeAssociate(pdu);
}

TEST(uids_are_digits_and_single_dots_up_to_64_characters)
{
    static const char *const bad[] = {"1..2",     ".1",    "1.",   "..",    "1.2/3",
                                      "1.2\\3",   "a",     "1 .2", "1.2\n", "1.2\x7F",
                                      "\xC3\xBC", "1.2.x", "-1",   "."};
    char longest[66];
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, " 1.2.3 "), 0);
    CHECK_STR(abstract_of(pdu, 1), "1.2.3");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_error(L_DicomAddTransfer(pdu, 1, bad[i]), DICOM_ERROR_PARAMETER,
                    "the transfer syntax is \"");
        check_error(L_DicomAddPresentation(pdu, 3, 0, bad[i]), DICOM_ERROR_PARAMETER,
                    "the abstract syntax is \"");
    }
    memset(longest, '1', 65);
    longest[65] = '\0';
    check_error(L_DicomAddTransfer(pdu, 1, longest), DICOM_ERROR_PARAMETER, "64");
    check_error(L_DicomAddTransfer(pdu, 1, ""), DICOM_ERROR_PARAMETER, "digits and dots");
    check_error(L_DicomAddTransfer(pdu, 1, NULL), DICOM_ERROR_PARAMETER, "digits and dots");
    CHECK_INT(L_DicomGetTransferCount(pdu, 1), 0);
    CHECK_INT(L_DicomGetPresentationCount(pdu), 1);
    longest[64] = '\0';
    CHECK_INT(L_DicomAddTransfer(pdu, 1, longest), 0);
    CHECK_STR(transfer_of(pdu, 1, 0), longest);
    L_DicomFreeAssociate(pdu);
}

TEST(a_request_needs_an_abstract_syntax_and_an_accept_does_not)
{
    HDICOMPDU request = L_DicomCreateAssociate(1), accept = L_DicomCreateAssociate(0);

    check_error(L_DicomAddPresentation(request, 1, 0, ""), DICOM_ERROR_PARAMETER, "abstract");
    CHECK_INT(L_DicomAddPresentation(accept, 1, 0, ""), 0);
    CHECK_INT(L_DicomAddPresentation(accept, 3, 0, NULL), 0);
    CHECK_STR(abstract_of(accept, 1), "");
    CHECK_INT(L_DicomFindAbstract(accept, ""), 0);
    L_DicomFreeAssociate(request);
    L_DicomFreeAssociate(accept);
}

TEST(context_ids_are_odd_and_used_once)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    check_error(L_DicomAddPresentation(pdu, 0, 0, VERIFICATION), DICOM_ERROR_PARAMETER, "id is 0");
    check_error(L_DicomAddPresentation(pdu, 2, 0, VERIFICATION), DICOM_ERROR_PARAMETER, "odd");
    CHECK_INT(L_DicomAddPresentation(pdu, 255, 0, VERIFICATION), 0);
    check_error(L_DicomAddPresentation(pdu, 255, 0, VERIFICATION), DICOM_ERROR_PARAMETER,
                "presentation context 255 already");
    L_DicomFreeAssociate(pdu);
}

TEST(there_is_room_for_128_contexts_and_not_for_one_more)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    for (int id = 1; id < 256; id += 2) {
        CHECK_INT(L_DicomAddPresentation(pdu, (L_UCHAR)id, 0, VERIFICATION), 0);
    }
    CHECK_INT(L_DicomGetPresentationCount(pdu), 128);
    for (int id = 0; id < 256; id++) {
        CHECK_INT(L_DicomAddPresentation(pdu, (L_UCHAR)id, 0, VERIFICATION), DICOM_ERROR_PARAMETER);
    }
    CHECK_INT(L_DicomGetPresentationCount(pdu), 128);
    L_DicomFreeAssociate(pdu);
}

TEST(what_is_not_there_has_neutral_answers)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_STR(abstract_of(pdu, 7), "");
    CHECK_INT(L_DicomGetTransferCount(pdu, 7), 0);
    CHECK_STR(transfer_of(pdu, 7, 0), "");
    CHECK_INT(L_DicomGetResult(pdu, 7), PDU_ACCEPT_RESULT_PROVIDER_REJECT);
    CHECK_INT(L_DicomFindAbstract(pdu, VERIFICATION), 0);
    CHECK_INT(L_DicomFindNextAbstract(pdu, 7, VERIFICATION), 0);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 7, NULL, NULL), 0);
    CHECK_INT(L_DicomGetExtendedData(pdu, 7, NULL, NULL), 0);
    CHECK_INT(L_DicomGetPresentation(pdu, 0), 0);
    check_error(L_DicomGetLastError(), DICOM_ERROR_PARAMETER, "the index is 0");
    check_error(L_DicomGetUserInformation(pdu, 0, NULL, NULL, NULL), DICOM_ERROR_PARAMETER,
                "index is 0");
    L_DicomFreeAssociate(pdu);
}

TEST(setters_refuse_a_context_that_is_not_there)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);
    static const char words[] = "there is no presentation context 7";

    check_error(L_DicomSetResult(pdu, 7, 0), DICOM_ERROR_PARAMETER, words);
    check_error(L_DicomAddTransfer(pdu, 7, IMPLICIT), DICOM_ERROR_PARAMETER, words);
    check_error(L_DicomSetPresentation(pdu, 7, 0, VERIFICATION), DICOM_ERROR_PARAMETER, words);
    check_error(L_DicomDeletePresentation(pdu, 7), DICOM_ERROR_PARAMETER, words);
    check_error(L_DicomSetRoleSelect(pdu, 7, 1, 1, 1), DICOM_ERROR_PARAMETER, words);
    check_error(L_DicomSetExtendedData(pdu, 7, 1, NULL, 0), DICOM_ERROR_PARAMETER, words);
    L_DicomFreeAssociate(pdu);
}

TEST(results_are_0_to_4)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(0);

    CHECK_INT(L_DicomAddPresentation(pdu, 1, PDU_ACCEPT_RESULT_TRANSFER_SYNTAX, VERIFICATION), 0);
    CHECK_INT(L_DicomGetResult(pdu, 1), 4);
    CHECK_INT(L_DicomSetResult(pdu, 1, PDU_ACCEPT_RESULT_USER_REJECT), 0);
    CHECK_INT(L_DicomGetResult(pdu, 1), 1);
    check_error(L_DicomSetResult(pdu, 1, 5), DICOM_ERROR_PARAMETER, "the result is 5");
    check_error(L_DicomAddPresentation(pdu, 3, 5, ""), DICOM_ERROR_PARAMETER, "the result is 5");
    CHECK_INT(L_DicomGetResult(pdu, 1), 1);
    L_DicomFreeAssociate(pdu);
}

TEST(finding_a_class_walks_its_contexts_in_their_order)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomAddPresentation(pdu, 9, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 5, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomFindAbstract(pdu, CT_STORAGE), 9);
    CHECK_INT(L_DicomFindNextAbstract(pdu, 9, CT_STORAGE), 3);
    CHECK_INT(L_DicomFindNextAbstract(pdu, 5, CT_STORAGE), 3);
    CHECK_INT(L_DicomFindNextAbstract(pdu, 3, CT_STORAGE), 0);
    CHECK_INT(L_DicomFindAbstract(pdu, VERIFICATION ".1"), 0);
    CHECK_INT(L_DicomFindAbstract(pdu, NULL), 0);
    L_DicomFreeAssociate(pdu);
}

TEST(contexts_of_a_class_agree_on_roles_and_extended_data)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);
    L_UCHAR user = 9, provider = 9;
    const L_UCHAR *data = NULL;
    L_UINT length = 0;

    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 5, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 1, 1, 1, 0), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 3, 1, 0, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 3, 1, (const L_UCHAR *)"ab", 2), 0);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 1, &user, &provider), 1);
    CHECK_INT(user, 0);
    CHECK_INT(provider, 1);
    CHECK_INT(L_DicomGetExtendedData(pdu, 1, &data, &length), 1);
    CHECK_INT(length, 2);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 5, &user, &provider), 0);
    CHECK_INT(user, 0);
    check_error(L_DicomSetRoleSelect(pdu, 1, 1, 2, 0), DICOM_ERROR_PARAMETER, "2 (user)");

    CHECK_INT(L_DicomSetRoleSelect(pdu, 1, 0, 0, 0), 0);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 3, NULL, NULL), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 1, 0, NULL, 0), 0);
    CHECK_INT(L_DicomGetExtendedData(pdu, 3, NULL, NULL), 0);
    L_DicomFreeAssociate(pdu);
}

TEST(with_the_last_context_of_a_class_go_its_items)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomSetRoleSelect(pdu, 1, 1, 1, 1), 0);
    CHECK_INT(L_DicomSetExtendedData(pdu, 1, 1, NULL, 0), 0);
    CHECK_INT(L_DicomDeletePresentation(pdu, 1), 0);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 3, NULL, NULL), 1);
    CHECK_INT(L_DicomGetExtendedData(pdu, 3, NULL, NULL), 1);
    CHECK_INT(L_DicomSetPresentation(pdu, 3, 0, VERIFICATION), 0);
    CHECK_INT(L_DicomSetPresentation(pdu, 3, 0, CT_STORAGE), 0);
    CHECK_INT(L_DicomGetRoleSelect(pdu, 3, NULL, NULL), 0);
    CHECK_INT(L_DicomGetExtendedData(pdu, 3, NULL, NULL), 0);
    CHECK_INT(L_DicomDeletePresentation(pdu, 3), 0);
    CHECK_INT(L_DicomGetPresentationCount(pdu), 0);
    CHECK_INT(L_DicomAddPresentation(pdu, 3, 0, CT_STORAGE), 0);
    L_DicomFreeAssociate(pdu);
}

TEST(version_name_and_class_have_their_limits)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    CHECK_INT(L_DicomSetImplementVersion(pdu, 1, "1234567890123456"), 0);
    CHECK_STR(text_of(L_DicomGetImplementVersion, pdu), "1234567890123456");
    check_error(L_DicomSetImplementVersion(pdu, 1, "12345678901234567"), DICOM_ERROR_PARAMETER,
                "has 17 characters");
    check_error(L_DicomSetImplementVersion(pdu, 1, "a\nb"), DICOM_ERROR_PARAMETER, "position 2");
    CHECK_STR(text_of(L_DicomGetImplementVersion, pdu), "1234567890123456");
    CHECK_INT(L_DicomSetImplementVersion(pdu, 0, "left out"), 0);
    CHECK_STR(text_of(L_DicomGetImplementVersion, pdu), "");
    CHECK_INT(L_DicomSetImplementClass(pdu, 1, "1.2.840.xxxx.3"), 0); /* peers have such */
    CHECK_STR(text_of(L_DicomGetImplementClass, pdu), "1.2.840.xxxx.3");
    check_error(L_DicomSetImplementClass(pdu, 1, "1.2 3"), DICOM_ERROR_PARAMETER, "1.2 3");
    CHECK_INT(L_DicomSetImplementClass(pdu, 0, NULL), 0);
    CHECK_STR(text_of(L_DicomGetImplementClass, pdu), "");
    CHECK_INT(L_DicomSetMaxLength(pdu, 0, 5), 0);
    CHECK_INT(L_DicomGetMaxLength(pdu), 0);
    L_DicomFreeAssociate(pdu);
}

TEST(identity_fields_are_bounded_by_the_item_on_the_wire)
{
    static L_UCHAR bytes[70000];
    HDICOMPDU pdu = L_DicomCreateAssociate(1), accept = L_DicomCreateAssociate(0);

    CHECK_INT(L_DicomSetUserIdentity(pdu, 1, 4, 0, bytes, 65529, NULL, 0), 0);
    check_error(L_DicomSetUserIdentity(pdu, 1, 4, 0, bytes, 65530, NULL, 0), DICOM_ERROR_PARAMETER,
                "65530 bytes");
    check_error(L_DicomSetUserIdentity(pdu, 1, 2, 0, bytes, 65529, bytes, 1), DICOM_ERROR_PARAMETER,
                "room for 0");
    check_error(L_DicomSetUserIdentity(pdu, 1, 6, 0, bytes, 1, NULL, 0), DICOM_ERROR_PARAMETER,
                "identity is 6");
    check_error(L_DicomSetUserIdentity(pdu, 1, 0, 0, bytes, 1, NULL, 0), DICOM_ERROR_PARAMETER,
                "identity is 0");
    check_error(L_DicomSetUserIdentity(pdu, 1, 1, 0, NULL, 1, NULL, 0), DICOM_ERROR_PARAMETER,
                "NULL");
    CHECK_INT(L_DicomSetUserIdentity(pdu, 0, 0, 0, NULL, 0, NULL, 0), 0);
    CHECK_INT(L_DicomGetUserIdentity(pdu, NULL, NULL, NULL, NULL, NULL, NULL), 0);

    check_error(L_DicomSetUserIdentity(accept, 1, 1, 0, bytes, 1, NULL, 0), DICOM_ERROR_PARAMETER,
                "an accept has no user identity");
    check_error(L_DicomSetUserIdentityResponse(pdu, 1, bytes, 1), DICOM_ERROR_PARAMETER,
                "a request has no response");
    CHECK_INT(L_DicomSetUserIdentityResponse(accept, 1, bytes, 65533), 0);
    check_error(L_DicomSetUserIdentityResponse(accept, 1, bytes, 65534), DICOM_ERROR_PARAMETER,
                "65534");
    L_DicomFreeAssociate(pdu);
    L_DicomFreeAssociate(accept);
}

TEST(items_with_functions_of_their_own_are_no_other_information)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    for (int type = 0x51; type <= 0x59; type++) {
        check_error(L_DicomAddUserInformation(pdu, (L_UCHAR)type, NULL, 0), DICOM_ERROR_PARAMETER,
                    "functions of their own");
    }
    CHECK_INT(L_DicomAddUserInformation(pdu, 0x50, NULL, 0), 0);
    CHECK_INT(L_DicomAddUserInformation(pdu, 0x5A, NULL, 0), 0);
    L_DicomFreeAssociate(pdu);
}

TEST(more_than_128_classes_are_refused)
{
    char uid[32];
    HDICOMPDU pdu = L_DicomCreateAssociate(1);

    for (int i = 0; i < 128; i++) {
        snprintf(uid, sizeof uid, "1.2.%d", i);
        CHECK_INT(ldc_associate_put_role(pdu, uid, 1, 1), 0);
        CHECK_INT(ldc_associate_put_extended(pdu, uid, "x", 1), 0);
        CHECK_INT(ldc_associate_put_common(pdu, uid, uid), 0);
    }
    check_error(ldc_associate_put_role(pdu, "1.3", 1, 1), DICOM_ERROR_PARAMETER, "128");
    check_error(ldc_associate_put_extended(pdu, "1.3", "x", 1), DICOM_ERROR_PARAMETER, "128");
    check_error(ldc_associate_put_common(pdu, "1.3", "1.3"), DICOM_ERROR_PARAMETER, "128");
    CHECK_INT(ldc_associate_put_role(pdu, "1.2.5", 0, 1), 0); /* replaces */
    CHECK_INT(pdu->role_count, 128);
    L_DicomFreeAssociate(pdu);
}

TEST(common_extended_negotiation_belongs_to_a_request)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1), accept = L_DicomCreateAssociate(0);
    char uid[LDC_UID_SIZE];

    check_error(L_DicomAddCommonExtended(accept, CT_STORAGE, "1.2"), DICOM_ERROR_PARAMETER,
                "an accept has no common");
    check_error(L_DicomAddCommonExtendedRelated(pdu, CT_STORAGE, "1.2"), DICOM_ERROR_PARAMETER,
                "add it first");
    check_error(L_DicomAddCommonExtended(pdu, CT_STORAGE, "x"), DICOM_ERROR_PARAMETER, "\"x\"");
    check_error(L_DicomAddCommonExtended(pdu, NULL, "1.2"), DICOM_ERROR_PARAMETER, "\"\"");
    CHECK_INT(L_DicomAddCommonExtended(pdu, CT_STORAGE, "1.2"), 0);
    CHECK_INT(L_DicomAddCommonExtendedRelated(pdu, CT_STORAGE, "1.2.3"), 0);
    check_error(L_DicomGetCommonExtendedRelated(pdu, 0, 1, uid, sizeof uid), DICOM_ERROR_PARAMETER,
                "index is 1");
    CHECK_INT(L_DicomAddCommonExtended(pdu, CT_STORAGE, "1.4"), 0);
    CHECK_INT(L_DicomGetCommonExtendedCount(pdu), 1);
    CHECK_INT(L_DicomGetCommonExtendedRelatedCount(pdu, 0), 0);
    CHECK_INT(L_DicomClearCommonExtended(pdu), 0);
    CHECK_INT(L_DicomGetCommonExtendedCount(pdu), 0);
    L_DicomFreeAssociate(pdu);
    L_DicomFreeAssociate(accept);
}

TEST(a_buffer_that_is_too_small_gets_nothing)
{
    HDICOMPDU pdu = L_DicomCreateAssociate(1);
    char text[8] = "before";

    CHECK_INT(L_DicomSetCalled(pdu, "ARCHIVE1"), 0);
    check_error(L_DicomGetCalled(pdu, text, sizeof text), DICOM_ERROR_PARAMETER, "9 are needed");
    CHECK_STR(text, "before");
    check_error(L_DicomGetCalled(pdu, NULL, 100), DICOM_ERROR_PARAMETER, "buffer");
    L_DicomFreeAssociate(pdu);
}

TEST(handles_that_are_none_of_ours_are_refused)
{
    static char other[sizeof(ldc_associate)] __attribute__((aligned(16)));
    const HDICOMPDU handles[] = {NULL, (HDICOMPDU)(void *)other, (HDICOMPDU)(void *)(other + 1)};
    char text[8];
    L_UINT length = 0;

    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++) {
        HDICOMPDU pdu = handles[i];

        check_error(L_DicomSetCalled(pdu, "A"), DICOM_ERROR_OBJECT_DISPOSED, "association");
        check_error(L_DicomGetCalled(pdu, text, sizeof text), DICOM_ERROR_OBJECT_DISPOSED,
                    "association");
        CHECK_INT(L_DicomSetVersion(pdu, 1), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomDefaultAssociate(pdu), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomResetAssociate(pdu, 1), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomAddPresentation(pdu, 1, 0, "1.2"), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomEncodeAssociate(pdu, NULL, NULL, &length), DICOM_ERROR_OBJECT_DISPOSED);
        CHECK_INT(L_DicomGetPresentationCount(pdu), 0);
        CHECK_INT(L_DicomIsAssociateRequest(pdu), 0);
        CHECK_INT(L_DicomGetResult(pdu, 1), PDU_ACCEPT_RESULT_PROVIDER_REJECT);
        CHECK(L_DicomCloneAssociate(pdu) == NULL);
        L_DicomFreeAssociate(pdu);
    }
}
